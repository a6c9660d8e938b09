//! What differs between a file and an instance, as steps from the one to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use store::control::servers::Transport;

use super::present::Present;
use crate::api::shown::text;
use crate::api::{Api, encoded};
use crate::args::ApplyOptions;
use crate::commands::policy::kept::{document_of, path as policy_path};
use crate::config::{
    Declared, DeclaredGrant, DeclaredLeads, DeclaredPolicy, DeclaredReach, DeclaredServer, Origin, TokenPlace,
};
use crate::failure::Failure;
use crate::text_diff::unified;

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is made.
    Add,
    /// It becomes another.
    Change,
    /// It is taken away.
    Remove,
}

/// One change.
pub struct Step<'a> {
    /// What is done.
    pub deed: Deed,
    /// To what, for people.
    pub what: String,
    /// What is another way, a line each, without secrets.
    pub lines: Vec<String>,
    /// How a text changes.
    pub diff: String,
    /// How it is done.
    pub act: Act<'a>,
}

/// How a change is done.
pub enum Act<'a> {
    /// A policy says this from now on.
    Policy { name: &'a str, text: &'a str },
    /// A server is this from now on. `send`: secrets that go there; `keep`: those that stay as they are.
    Server {
        name: &'a str,
        new: bool,
        server: &'a DeclaredServer,
        send: Vec<(&'a str, &'a Origin)>,
        keep: Vec<&'a str>,
    },
    /// A tool has a class, or none but its own.
    Override { server: String, body: Value },
    /// A grant is minted, and its token written.
    Mint { body: Value, file: &'a PathBuf },
    /// A grant is changed, all of it at once: no call meets another server without the policy that is declared for it there.
    Grant { id: String, patch: Map<String, Value> },
    /// A grant has another policy, or at one server, and nothing else: that may be done by whoever writes policies.
    Attach { id: String, body: Value },
    /// What lies at a path is removed.
    Remove { path: String },
}

/// Every step, in the order in which they are done.
///
/// # Errors
/// When the instance is not answering, or something can never be as declared.
pub fn steps<'a>(
    api: &Api,
    declared: &'a Declared,
    present: &Present,
    options: &ApplyOptions,
) -> Result<Vec<Step<'a>>, Failure> {
    let mut steps = Vec::new();
    for (name, policy) in &declared.policies {
        steps.extend(of_policy(api, name, policy, present)?);
    }
    for (name, server) in &declared.servers {
        steps.extend(of_server(name, server, present, options.secrets));
        steps.extend(of_overrides(api, name, server, present, options.prune)?);
    }
    for grant in &declared.grants {
        steps.extend(of_grant(grant, present)?);
    }
    if options.prune {
        pruned(declared, present, &mut steps);
    }
    Ok(steps)
}

fn of_policy<'a>(
    api: &Api,
    name: &'a str,
    policy: &'a DeclaredPolicy,
    present: &Present,
) -> Result<Option<Step<'a>>, Failure> {
    let act = Act::Policy { name, text: &policy.text };
    let what = format!("policy {name}");
    let Some(there) = present.policies.get(name) else {
        let diff = unified("", &policy.text, name);
        return Ok(Some(Step { deed: Deed::Add, what, lines: Vec::new(), diff, act }));
    };
    let published = there.get("published").and_then(Value::as_i64);
    let own = gateway::hex::encode(digest(&SHA256, policy.text.as_bytes()).as_ref());
    let versions = api.list(&format!("{}/versions", policy_path(name)))?;
    let in_force = versions.iter().find(|one| one.get("version").and_then(Value::as_i64) == published);
    if in_force.is_some_and(|one| text(one, "digest") == own) {
        return Ok(None);
    }
    let before = published.map(|published| document_of(api, name, published)).transpose()?.unwrap_or_default();
    let lines = match published {
        Some(_) => Vec::new(),
        None => vec!["no version is in force".to_owned()],
    };
    let diff = unified(&before, &policy.text, name);
    Ok(Some(Step { deed: Deed::Change, what, lines, diff, act }))
}

fn of_server<'a>(name: &'a str, server: &'a DeclaredServer, present: &Present, resend: bool) -> Option<Step<'a>> {
    let what = format!("server {name}");
    let Some(there) = present.servers.get(name) else {
        let send: Vec<_> = server.secrets.iter().map(|(name, origin)| (name.as_str(), origin)).collect();
        let mut lines = vec![reached(server)];
        lines.extend(server.policy.iter().map(|policy| format!("policy: {policy}")));
        let sent: Vec<_> = send.iter().map(|(name, _)| *name).collect();
        if !sent.is_empty() {
            lines.push(format!("secrets: {}", sent.join(", ")));
        }
        let act = Act::Server { name, new: true, server, send, keep: Vec::new() };
        return Some(Step { deed: Deed::Add, what, lines, diff: String::new(), act });
    };
    let mut lines = Vec::new();
    let reach = there.get("reach").cloned().unwrap_or_default();
    let (own_kind, field, own, transport) = match &server.reach {
        DeclaredReach::Http(url, transport) => ("http", "headers", json!(url), json!(transport)),
        DeclaredReach::Child(words) => ("child", "env", json!(words), Value::Null),
    };
    let part = |name: &str| reach.get(name).cloned().unwrap_or_default();
    let theirs = if text(&reach, "kind") == "http" { part("url") } else { part("command") };
    let moved = text(&reach, "kind") != own_kind || theirs != own;
    if moved {
        lines.push(format!("reached by: {} → {}", shown(&theirs), shown(&own)));
    }
    if part("transport") != transport {
        let said = |transport: &Value| transport.as_str().unwrap_or("found out").to_owned();
        lines.push(format!("transport: {} → {}", said(&part("transport")), said(&transport)));
    }
    let names = if text(&reach, "kind") == own_kind { part(field) } else { Value::Null };
    let there_names: BTreeSet<String> =
        names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    // What was said of a secret for one address is not sent to another one unasked.
    let fresh = |name: &str| resend || moved || !there_names.contains(name);
    let (send, keep): (Vec<_>, Vec<_>) = server.secrets.iter().partition(|(name, _)| fresh(name));
    let send: Vec<(&str, &Origin)> = send.into_iter().map(|(name, origin)| (name.as_str(), origin)).collect();
    let keep: Vec<&str> = keep.into_iter().map(|(name, _)| name.as_str()).collect();
    for (name, _) in &send {
        let why = if there_names.contains(*name) { "sent again, since nobody can compare it" } else { "new" };
        lines.push(format!("secret {name}: {why}"));
    }
    lines.extend(
        there_names
            .iter()
            .filter(|name| !server.secrets.contains_key(*name))
            .map(|name| format!("secret {name}: gone")),
    );
    let empty = Map::new();
    let settings = there.get("settings").and_then(Value::as_object).unwrap_or(&empty);
    for (setting, value) in &server.settings {
        let before = settings.get(setting).unwrap_or(&Value::Null);
        if before != value {
            lines.push(format!("{setting}: {} → {}", shown(before), shown(value)));
        }
    }
    let before = present.policy_name(text(there, "policy"));
    if before != server.policy.as_deref() {
        lines.push(format!("policy: {} → {}", before.unwrap_or("none"), server.policy.as_deref().unwrap_or("none")));
    }
    let act = Act::Server { name, new: false, server, send, keep };
    (!lines.is_empty()).then_some(Step { deed: Deed::Change, what, lines, diff: String::new(), act })
}

fn reached(server: &DeclaredServer) -> String {
    match &server.reach {
        DeclaredReach::Http(url, None) => format!("url: {url}"),
        DeclaredReach::Http(url, Some(Transport::Sse)) => format!("url: {url}, of HTTP+SSE"),
        DeclaredReach::Child(words) => format!("command: {}", words.join(" ")),
    }
}

/// A value as a line shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn of_overrides<'a>(
    api: &Api,
    name: &'a str,
    server: &'a DeclaredServer,
    present: &Present,
    prune: bool,
) -> Result<Vec<Step<'a>>, Failure> {
    let said = match present.servers.contains_key(name) {
        true => api.list(&format!("/api/v1/servers/{}/overrides", encoded(name)))?,
        false => Vec::new(),
    };
    let said: BTreeMap<&str, &Value> = said.iter().map(|one| (text(one, "tool"), one)).collect();
    let mut steps = Vec::new();
    let mut step = |deed, tool: &str, line: String, body: Value| {
        let act = Act::Override { server: name.to_owned(), body };
        let what = format!("class of {name}/{tool}");
        steps.push(Step { deed, what, lines: vec![line], diff: String::new(), act });
    };
    for (tool, class) in &server.classes {
        let before = said.get(tool.as_str());
        let was = before.map(|one| text(one, "class")).filter(|class| !class.is_empty());
        if was != Some(class) {
            let deed = if before.is_some() { Deed::Change } else { Deed::Add };
            // Facets are not declared: what was said of them stays.
            let facets = before.and_then(|one| one.get("facets")).cloned().unwrap_or_else(|| json!({}));
            let body = json!({ "tool": tool, "class": class, "facets": facets });
            step(deed, tool, format!("{} → {class}", was.unwrap_or("its own")), body);
        }
    }
    for tool in said.keys().filter(|tool| prune && !server.classes.contains_key(**tool)) {
        step(Deed::Remove, tool, "it counts as its own words say".to_owned(), json!({ "tool": tool }));
    }
    Ok(steps)
}

fn of_grant<'a>(grant: &'a DeclaredGrant, present: &Present) -> Result<Option<Step<'a>>, Failure> {
    let what = format!("grant {}", grant.name());
    let Some(there) = there(grant, present, &what)? else {
        let TokenPlace::File(file) = &grant.token else {
            let how = "an instance mints tokens itself: give it token_file = \"FILE\", where the token is written";
            return Err(Failure::Usage(format!("{what}: {how}")));
        };
        if file.exists() {
            let (file, how) = (file.display(), "the instance mints another one: move the file away, or name another");
            return Err(Failure::Usage(format!("{what}: there is a token in {file} already, and {how}")));
        }
        let mut body = Map::new();
        body.insert("label".to_owned(), json!(grant.label));
        body.insert("agent".to_owned(), json!(grant.agent));
        let mut lines = vec![format!("agent: {}", grant.agent)];
        match &grant.leads {
            DeclaredLeads::Server(server) => drop(body.insert("server".to_owned(), json!(server))),
            DeclaredLeads::Stack { servers, policies, unprefixed, search } => {
                body.insert("servers".to_owned(), json!(servers));
                body.insert("policies".to_owned(), json!(policies));
                body.insert("unprefixed".to_owned(), json!(unprefixed));
                body.insert("search".to_owned(), json!(search));
                lines.push(format!("servers: {}", servers.join(", ")));
                lines.extend(policies.iter().map(|(server, policy)| format!("policy at {server}: {policy}")));
            }
        }
        if let Some(policy) = &grant.policy {
            body.insert("policy".to_owned(), json!(policy));
        }
        for (field, value) in said(grant) {
            if !value.is_null() {
                body.insert(field.to_owned(), value);
            }
        }
        lines.push(format!("its token goes to {}", file.display()));
        let act = Act::Mint { body: Value::Object(body), file };
        return Ok(Some(Step { deed: Deed::Add, what, lines, diff: String::new(), act }));
    };
    let named = grant.servers().first().map(|server| format!("{server}/{}", grant.label)).unwrap_or_default();
    let holder = present.agents.get(text(there, "agent")).map_or("", String::as_str);
    if holder != grant.agent {
        let (holder, wanted) = (audit::visible::word(holder), audit::visible::word(&grant.agent));
        let how = format!("revoke it (toolgate grant revoke {named}), and another is minted");
        return Err(Failure::No(format!("{what} is held by {holder} and not by {wanted}, which cannot change: {how}")));
    }
    let mut lines = Vec::new();
    let mut patch = Map::new();
    for (field, value) in said(grant) {
        let before = there.get(field).unwrap_or(&Value::Null);
        if *before != value {
            lines.push(format!("{field}: {} → {}", shown(before), shown(&value)));
            patch.insert(field.to_owned(), value);
        }
    }
    let mut attach = Vec::new();
    let before = present.policy_name(text(there, "policy"));
    if before != grant.policy.as_deref() {
        let own = |policy: Option<&str>| policy.unwrap_or("that of its server").to_owned();
        lines.push(format!("policy: {} → {}", own(before), own(grant.policy.as_deref())));
        patch.insert("policy".to_owned(), json!(grant.policy));
        attach.push(json!({ "policy": grant.policy }));
    }
    let mut policies_at = Map::new();
    if let DeclaredLeads::Stack { servers, policies, unprefixed, search } = &grant.leads {
        for server in servers {
            let id = present.servers.get(server).map_or("", |server| text(server, "id"));
            let before = there.pointer(&format!("/policies/{id}")).and_then(Value::as_str).filter(|_| !id.is_empty());
            let before = before.and_then(|policy| present.policy_name(policy));
            let wanted = policies.get(server).map(String::as_str);
            if before != wanted {
                let own = |policy: Option<&str>| policy.unwrap_or("that of the grant, or of the server").to_owned();
                lines.push(format!("policy at {server}: {} → {}", own(before), own(wanted)));
                policies_at.insert(server.clone(), json!(wanted));
                attach.push(json!({ "policy": wanted, "server": server }));
            }
        }
        let (mut unprefixed, mut before) = (unprefixed.clone(), present.server_names(there, "unprefixed"));
        unprefixed.sort_unstable();
        before.sort_unstable();
        let wanted = [
            ("servers", json!(present.server_names(there, "servers")), json!(servers)),
            ("unprefixed", json!(before), json!(unprefixed)),
            ("search", there.get("search").cloned().unwrap_or_default(), json!(search)),
        ];
        for (field, before, wanted) in wanted {
            if before != wanted {
                lines.push(format!("{field}: {} → {}", shown(&before), shown(&wanted)));
                patch.insert(field.to_owned(), wanted);
            }
        }
    }
    if !policies_at.is_empty() {
        patch.insert("policies".to_owned(), Value::Object(policies_at));
    }
    let id = text(there, "id").to_owned();
    let act = match <[Value; 1]>::try_from(attach) {
        Ok([body]) if lines.len() == 1 => Act::Attach { id, body },
        _ => Act::Grant { id, patch },
    };
    Ok((!lines.is_empty()).then_some(Step { deed: Deed::Change, what, lines, diff: String::new(), act }))
}

/// The grant that stands under the label at any of the servers that are declared. Where it leads to one server and is to lead
/// to several, or the other way round, it is another grant.
fn there<'p>(grant: &DeclaredGrant, present: &'p Present, what: &str) -> Result<Option<&'p Value>, Failure> {
    let at = |server: &String| present.grants.get(&(server.clone(), grant.label.clone()));
    let found: Vec<(&String, &Value)> =
        grant.servers().iter().filter_map(|server| Some((server, at(server)?))).collect();
    let Some((server, first)) = found.first() else { return Ok(None) };
    let is_stack = first.get("server").is_some_and(Value::is_null);
    let other = found.iter().find(|(_, one)| text(one, "id") != text(first, "id"));
    let wrong = match (other, &grant.leads) {
        (Some((other, _)), _) => Some((*other, "there are two grants of this label at its servers")),
        (None, DeclaredLeads::Server(_)) if is_stack => Some((*server, "it is for several servers")),
        (None, DeclaredLeads::Stack { .. }) if !is_stack => Some((*server, "it is for one server")),
        (None, _) => None,
    };
    match wrong {
        Some((server, why)) => {
            let how = format!("revoke it (toolgate grant revoke {server}/{}), and another is minted", grant.label);
            Err(Failure::No(format!("{what}: {why}, which cannot change: {how}")))
        }
        None => Ok(Some(*first)),
    }
}

/// What is said of a grant, as the API writes it.
fn said(grant: &DeclaredGrant) -> [(&'static str, Value); 4] {
    [
        ("owner", json!(grant.owner)),
        ("tags", json!(grant.tags)),
        ("networks", json!(grant.networks)),
        ("expires_at", json!(grant.expires_at)),
    ]
}

/// What the file does not declare: first what names others, then what is named.
fn pruned<'a>(declared: &'a Declared, present: &Present, steps: &mut Vec<Step<'a>>) {
    let mut remove = |what: String, line: &str, path: String| {
        let lines = vec![line.to_owned()];
        steps.push(Step { deed: Deed::Remove, what, lines, diff: String::new(), act: Act::Remove { path } });
    };
    let wanted = |server: &String, label: &String| {
        declared.grants.iter().any(|grant| grant.label == *label && grant.servers().contains(server))
    };
    let mut all: BTreeMap<&str, Vec<(&String, &String)>> = BTreeMap::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for ((server, label), grant) in &present.grants {
        let id = text(grant, "id");
        all.entry(id).or_default().push((server, label));
        // In the order in which it lists them.
        names.insert(id, format!("grant {}/{label}", present.server_names(grant, "servers").join("+")));
    }
    for (id, places) in &all {
        // Those of servers that go are revoked with them.
        let stays = places.iter().any(|(server, _)| declared.servers.contains_key(*server));
        if stays && !places.iter().any(|(server, label)| wanted(server, label)) {
            let path = format!("/api/v1/grants/{}", encoded(id));
            remove(names.remove(id).unwrap_or_default(), "it is revoked, for good", path);
        }
    }
    for name in present.servers.keys().filter(|name| !declared.servers.contains_key(*name)) {
        let alone = |places: &&Vec<(&String, &String)>| places.iter().all(|(server, _)| *server == name);
        let line = format!("its grants are revoked, for good: {}", all.values().filter(alone).count());
        remove(format!("server {name}"), &line, format!("/api/v1/servers/{}", encoded(name)));
    }
    let held: BTreeSet<&str> = declared.grants.iter().map(|grant| grant.agent.as_str()).collect();
    for name in present.agents.values().filter(|name| !held.contains(name.as_str())) {
        remove(format!("agent {name}"), "it holds no declared grant", format!("/api/v1/agents/{}", encoded(name)));
    }
    for name in present.policies.keys().filter(|name| !declared.policies.contains_key(*name)) {
        remove(format!("policy {name}"), "with its versions", policy_path(name));
    }
}
