//! The lists of all servers of a stack, put together.

use std::sync::Arc;

use futures_util::future::join_all;
use http::{Response, StatusCode};
use mcp::json::{Step, replace_strings};
use mcp::message::Request;
use mcp::qualified;

use super::voice::{PATIENCE, Unasked, Voice};
use super::{At, Spoken, search};
use crate::body::Body;
use crate::http_front::{Front, json};
use crate::http_link::list_params;
use crate::refusal;
use crate::stack::{Entry, Kind, LIST_AGE, Member, Merged, Names};
use crate::tools::MAX_PAGES;

/// What one server lists: names, and definitions as they came.
type Listed = Vec<(String, String)>;

impl Front {
    /// Answers with one of the lists, all of it on one page.
    pub(super) async fn list_of_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        let kind = match request.kind {
            mcp::method::Kind::PromptsList => Kind::Prompts,
            mcp::method::Kind::ResourcesList => Kind::Resources,
            mcp::method::Kind::TemplatesList => Kind::Templates,
            _ => Kind::Tools,
        };
        if request.params.cursor.is_some() {
            return one_page(id);
        }
        let merged = match self.merged(at, kind).await {
            Ok(merged) => merged,
            Err(reason) => return super::plain(&refusal::error(id, refusal::code::INTERNAL, &reason, 200)),
        };
        let definitions = if kind == Kind::Tools && at.stack.is_searched() {
            search::definitions(&merged)
        } else {
            merged.entries.iter().map(|entry| &*entry.definition).collect::<Vec<_>>().join(",")
        };
        let labels = match at.spoken {
            Spoken::Modern(_) => {
                format!(r#","resultType":"complete","ttlMs":{},"cacheScope":"private""#, LIST_AGE.as_millis())
            }
            Spoken::Opening(_) | Spoken::Legacy(_) => String::new(),
        };
        let list = kind.list();
        json(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"{list}":[{definitions}]{labels}}}}}"#))
    }

    /// A list of all servers: known already, or asked for. The failure of one is that one's only.
    pub(super) async fn merged(&self, at: &At, kind: Kind) -> Result<Arc<Merged>, String> {
        if let Some(known) = at.stack.known(kind) {
            return Ok(known);
        }
        let members = at.stack.members();
        let listed = join_all((0..members.len()).map(|member| async move {
            let all = async { list(&self.voice(at, member).await?, kind).await };
            match tokio::time::timeout(PATIENCE, all).await {
                Ok(listed) => listed,
                Err(_) => Err(Unasked::late(format!("no list within {} s", PATIENCE.as_secs()))),
            }
        }))
        .await;
        // What the lists were filtered by: it is known by now, which it may not have been before.
        let stamp = at.stack.stamp();
        let names = listed
            .iter()
            .enumerate()
            .flat_map(|(member, listed)| listed.iter().flatten().map(move |(name, _)| (member, name.as_str())));
        let names = Names::new(&at.stack, kind, names);
        let mut entries = Vec::new();
        let mut missing = Vec::new();
        for ((place, member), listed) in members.iter().enumerate().zip(&listed) {
            match listed {
                Ok(listed) => entries.extend(
                    listed
                        .iter()
                        .filter_map(|(own, raw)| entry(kind, place, member, own, raw, names.shown(place, own))),
                ),
                Err(unasked) => missing.push((member.id().into(), unasked.reason.clone())),
            }
        }
        for (server, why) in at.stack.news(kind, &missing) {
            self.gateway.tell(&server, &format!("left out of the {} of several servers: {why}", kind.list()));
        }
        let slow = listed.iter().any(|listed| matches!(listed, Err(unasked) if unasked.slow));
        if missing.len() == members.len() {
            let reasons: Vec<String> =
                missing.iter().map(|(server, reason): &(Box<str>, String)| format!("{server}: {reason}")).collect();
            return Err(format!("no server can be listed ({})", reasons.join("; ")));
        }
        Ok(at.stack.keep(kind, Merged::new(entries, missing), stamp, slow))
    }
}

/// What leads on in a list that has no more than is on its first page.
pub(super) fn one_page(id: &str) -> Response<Body> {
    let text = "this list has one page, so no cursor leads on in it";
    super::plain(&refusal::error(id, refusal::code::INVALID_PARAMS, text, 200))
}

/// Every page of a server's list.
async fn list(voice: &Voice<'_>, kind: Kind) -> Result<Listed, Unasked> {
    let mut listed = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let params = list_params(cursor.as_deref(), voice.modern());
        let page = match voice.ask(kind.method(), Some(&params)).await {
            Ok(page) => page,
            // It has no such thing, or the policy allows nothing of it.
            Err(unasked) if unasked.is_unknown_method() => return Ok(listed),
            Err(unasked) => return Err(unasked),
        };
        cursor = read(kind, &page, &mut listed).map_err(|error| Unasked::because(error.to_string()))?;
        if cursor.is_none() {
            return Ok(listed);
        }
    }
    Err(Unasked::because(format!("its list has more than {MAX_PAGES} pages")))
}

/// Reads a page and gives the cursor of the next one.
fn read(kind: Kind, page: &str, listed: &mut Listed) -> Result<Option<String>, mcp::json::Error> {
    macro_rules! page_of {
        ($read:ident) => {{
            let page = mcp::result::$read(page)?;
            listed.extend(page.entries.iter().map(|entry| (entry.name.to_string(), entry.raw.to_owned())));
            Ok(page.next_cursor.map(|cursor| cursor.into_owned()))
        }};
    }
    match kind {
        Kind::Tools => page_of!(tools),
        Kind::Prompts => page_of!(prompts),
        Kind::Resources => page_of!(resources),
        Kind::Templates => page_of!(templates),
    }
}

/// A definition under the name that is shown; `None` if it cannot be renamed.
fn entry(kind: Kind, place: usize, member: &Member, own: &str, raw: &str, shown: String) -> Option<Entry> {
    let mut definition = raw.to_owned();
    if shown != own {
        definition = replace_strings(raw, &[&[Step::Key(kind.key())]], |_| Some(shown.clone())).ok()??;
    }
    if kind == Kind::Tools && !member.unprefixed {
        definition = qualified::qualify_page(&definition, member.id()).ok()?.into_owned();
    }
    Some(Entry { member: place, own: own.into(), shown: shown.into(), definition: definition.into() })
}
