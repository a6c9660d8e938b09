//! How a stack introduces itself: a session with it, or what it can do.

use futures_util::future::join_all;
use http::{HeaderValue, Response, StatusCode};
use mcp::message::Request;
use mcp::revision::Revision;
use serde_json::{Map, Value, json};

use super::voice::{PATIENCE, Unasked};
use super::{At, SEALED_FOR};
use crate::body::Body;
use crate::http_front::{Front, json as json_answer, plain};
use crate::http_link::{SESSION_ID, list_params};
use crate::refusal;
use crate::seal::{Session, SessionNumber};
use crate::stack::Stack;

/// Abilities that a stack passes on.
const ABILITIES: [&str; 6] = ["tools", "prompts", "resources", "completions", "logging", "tasks"];

/// How long what a stack says of itself may be kept, in milliseconds: a server may come back at any time.
const TTL: u64 = 5_000;

/// What one server says of itself, or why it says nothing.
struct Introduced<'s> {
    server: &'s str,
    said: Result<Value, Unasked>,
}

impl Front {
    /// Opens a session with every server, and one session for all of them.
    pub(super) async fn open_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        let asked = request.params.protocol_version.as_deref().and_then(Revision::parse);
        let revision = asked.filter(|revision| !revision.is_modern()).unwrap_or(Revision::V2025_11_25);
        let params = request.params.raw.unwrap_or("{}");
        let opened = join_all(at.stack.members().iter().map(|member| async move {
            let opened = tokio::time::timeout(PATIENCE, self.open_member(at, member, params)).await;
            let late = |_| Unasked::because(format!("it did not answer within {} s", PATIENCE.as_secs()));
            (member.id(), opened.map_err(late).and_then(|opened| opened))
        }))
        .await;
        let mut of = Map::new();
        let mut introduced = Vec::with_capacity(opened.len());
        for (server, opened) in opened {
            let said = opened.and_then(|(known, result)| {
                of.insert(server.to_owned(), known.into());
                serde_json::from_str(&result).map_err(|error| Unasked::because(error.to_string()))
            });
            introduced.push(Introduced { server, said });
        }
        if of.is_empty() {
            return plain(&refusal::error(id, refusal::code::INTERNAL, &nobody(&introduced), 200));
        }
        let Some(number) = SessionNumber::random() else { return no_session(id) };
        let upstream = Value::Object(of).to_string();
        let session = Session { number, revision: Some(revision), upstream };
        let sealed = self.gateway.seal().seal(&session, at.stack.key(), SEALED_FOR);
        let Some(sealed) = sealed.and_then(|sealed| HeaderValue::from_str(&sealed).ok()) else {
            return no_session(id);
        };
        let mut result = introduction(&at.stack, &introduced);
        result.insert("protocolVersion".to_owned(), revision.as_str().into());
        let result = Value::Object(result);
        let mut answer = json_answer(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#));
        answer.headers_mut().insert(SESSION_ID, sealed);
        answer
    }

    /// Says what all servers can do together.
    pub(super) async fn discover_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        if at.conversation().is_some() {
            let text = "server/discover belongs to 2026-07-28, and the request names another revision";
            return plain(&refusal::error(id, refusal::code::INVALID_REQUEST, text, 400));
        }
        let params = request.params.raw.map_or_else(|| list_params(None, at.revision()), str::to_owned);
        let voices = self.open_voices(at);
        let introduced = join_all(voices.iter().map(|(_, voice)| async {
            let said = voice.ask("server/discover", Some(&params)).await;
            let said =
                said.and_then(|said| serde_json::from_str(&said).map_err(|error| Unasked::because(error.to_string())));
            Introduced { server: voice.member.id(), said }
        }))
        .await;
        if introduced.iter().all(|one| one.said.is_err()) {
            return plain(&refusal::error(id, refusal::code::INTERNAL, &nobody(&introduced), 200));
        }
        let mut result = introduction(&at.stack, &introduced);
        let info = result.remove("serverInfo").unwrap_or_default();
        result.insert("supportedVersions".to_owned(), json!(Revision::ALL.map(Revision::as_str)));
        result.insert("_meta".to_owned(), json!({ "io.modelcontextprotocol/serverInfo": info }));
        result.insert("resultType".to_owned(), "complete".into());
        result.insert("ttlMs".to_owned(), TTL.into());
        result.insert("cacheScope".to_owned(), "private".into());
        let result = Value::Object(result);
        json_answer(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
    }
}

fn no_session(id: &str) -> Response<Body> {
    let text = "no session can be opened: the system gives no random numbers";
    plain(&refusal::error(id, refusal::code::INTERNAL, text, 500))
}

/// What is said where no server at all answers.
fn nobody(introduced: &[Introduced<'_>]) -> String {
    let reasons = introduced.iter().filter_map(|one| Some((one.server, one.said.as_ref().err()?)));
    let reasons: Vec<String> = reasons.map(|(server, unasked)| format!("{server}: {}", unasked.reason)).collect();
    format!("none of the servers can be reached ({})", reasons.join("; "))
}

/// What a stack says of itself: what its servers can do together, and what they say to whoever uses them.
fn introduction(stack: &Stack, introduced: &[Introduced<'_>]) -> Map<String, Value> {
    let mut abilities = Map::new();
    let mut instructions: Vec<(Option<&str>, String)> = Vec::new();
    for Introduced { server, said } in introduced {
        let said = match said {
            Ok(said) => said,
            Err(unasked) => {
                instructions.push((Some(*server), format!("not available at present: {}", unasked.reason)));
                continue;
            }
        };
        for (name, ability) in said.get("capabilities").and_then(Value::as_object).into_iter().flatten() {
            if ABILITIES.contains(&name.as_str()) {
                unite(abilities.entry(name.clone()).or_insert_with(|| json!({})), ability);
            }
            // Of extensions, that whose methods say which server they mean.
            if let (Some(tasks), "extensions") = (ability.get(mcp::task::EXTENSION), name.as_str()) {
                unite(
                    abilities.entry("extensions").or_insert_with(|| json!({})),
                    &json!({ mcp::task::EXTENSION: tasks }),
                );
            }
        }
        if let Some(text) = said.get("instructions").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            let named = stack.members().len() > 1;
            instructions.push((named.then_some(*server), text.to_owned()));
        }
    }
    for (server, why) in stack.closed() {
        instructions.push((Some(&**server), format!("not available at present: {why}")));
    }
    // Whatever a server can say of its lists: a policy that is replaced changes them.
    let tools = abilities.entry("tools").or_insert_with(|| json!({}));
    unite(tools, &json!({ "listChanged": true }));
    let mut result = Map::new();
    result.insert("capabilities".to_owned(), Value::Object(abilities));
    result.insert("serverInfo".to_owned(), json!({ "name": "toolgate", "version": env!("CARGO_PKG_VERSION") }));
    if !instructions.is_empty() {
        let texts = instructions.into_iter().map(|(server, text)| match server {
            Some(server) => format!("{server}: {text}"),
            None => text,
        });
        result.insert("instructions".to_owned(), texts.collect::<Vec<_>>().join("\n\n").into());
    }
    result
}

/// What either of two can do.
fn unite(whole: &mut Value, part: &Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (key, value) in part {
                unite(whole.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Bool(whole), Value::Bool(part)) => *whole |= part,
        (whole @ Value::Null, part) => *whole = part.clone(),
        _ => {}
    }
}
