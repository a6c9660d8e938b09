//! `toolgate server held|accept` at an instance: what waits there, and the word that lets it through.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use policy::Class;
use risk::pins::Pin;
use serde_json::{Map, Value, json};

use super::{Waiting, accept, show};
use crate::api::shown::text;
use crate::api::{Api, encoded};
use crate::args::{AcceptOptions, HeldOptions, PinPlace};
use crate::commands::counted;
use crate::failure::{Failure, Trying};
use crate::output::say;

/// Shows what waits.
pub fn held(api: &Api, options: &HeldOptions) -> Result<ExitCode, Failure> {
    apart(&options.place)?;
    let waiting = waiting(api, options.server.as_deref())?;
    shown(&waiting, api, options.place.json)?;
    Ok(ExitCode::from(u8::from(!waiting.is_empty())))
}

/// Shows what waits, and accepts it.
pub fn accept(api: &Api, options: &AcceptOptions) -> Result<ExitCode, Failure> {
    apart(&options.place)?;
    if options.upstream.is_some() || !options.program.is_empty() {
        let why = "the replicas of an instance ask the servers themselves: leave --upstream and the program out";
        return Err(Failure::Usage(why.to_owned()));
    }
    let classes = accept::classes(&options.class)?;
    if !classes.is_empty() && options.server.is_none() {
        return Err(Failure::Usage("--class is for the tools of one server: name it first".to_owned()));
    }
    let mut waiting = waiting(api, options.server.as_deref())?;
    let named: Vec<(&str, Option<&str>)> = options.tools.iter().map(|word| accept::shown_as(word)).collect();
    for (tool, digest) in &named {
        let found = waiting.iter().find(|one| one.tool == *tool);
        let fits = |one: &Waiting| digest.is_none_or(|digest| one.now.digest.starts_with(&format!("sha256:{digest}")));
        if !found.is_some_and(fits) {
            let tool = audit::visible::word(tool);
            let how = "look again with `toolgate server held`; nothing was accepted";
            return Err(Failure::Usage(format!("this definition of {tool} does not wait: {how}")));
        }
    }
    if !named.is_empty() {
        waiting.retain(|one| named.iter().any(|(tool, _)| one.tool == *tool));
    }
    shown(&waiting, api, options.place.json)?;
    if !waiting.is_empty() && named.is_empty() && !options.all && !accept::agreed(&waiting)? {
        return Ok(ExitCode::from(1));
    }
    // The class counts before the tool can be called.
    say_classes(api, options, &classes)?;
    let servers: BTreeSet<&str> = waiting.iter().map(|one| one.server.as_str()).collect();
    for server in &servers {
        let read: Map<String, Value> = waiting
            .iter()
            .filter(|one| one.server == *server)
            .map(|one| (one.tool.clone(), Value::from(digest(&one.now))))
            .collect();
        api.post(&format!("{}/pins", path(server)), &json!({ "accept": read, "reason": options.reason }))?;
    }
    if !options.place.json && !waiting.is_empty() {
        let (what, named) = (counted(waiting.len(), "definition"), accept::names(&waiting, servers.len() > 1));
        say!("accepted {what} at {}{named}", api.url())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say_classes(api: &Api, options: &AcceptOptions, classes: &BTreeMap<String, Class>) -> Result<(), Failure> {
    let server = options.server.as_deref().unwrap_or_default();
    for (tool, class) in classes {
        let body = json!({ "tool": tool, "class": class.as_str(), "reason": options.reason });
        api.post(&format!("{}/overrides", path(server)), &body)?;
    }
    Ok(())
}

/// Whoever names a file and an instance may mean either.
fn apart(place: &PinPlace) -> Result<(), Failure> {
    match place.policy.is_some() || place.lock.is_some() || place.config.is_some() || place.data.dir.is_some() {
        true => Err(Failure::Usage(
            "an instance is named, by --instance or $TOOLGATE_INSTANCE, and files too: name either".to_owned(),
        )),
        false => Ok(()),
    }
}

fn shown(waiting: &[Waiting], api: &Api, json: bool) -> Result<(), Failure> {
    let calls: Vec<_> = waiting.iter().map(|_| BTreeMap::new()).collect();
    show::each(waiting, &calls, api.url(), json)
}

fn waiting(api: &Api, server: Option<&str>) -> Result<Vec<Waiting>, Failure> {
    let servers = match server {
        Some(server) => vec![server.to_owned()],
        None => api.pages("/api/v1/servers")?.iter().map(|one| text(one, "name").to_owned()).collect(),
    };
    let mut all = Vec::new();
    for server in servers {
        for pin in api.list(&format!("{}/pins?waiting=true", path(&server)))? {
            all.push(one(&server, &pin)?);
        }
    }
    Ok(all)
}

/// An instance keeps pins as the lock file does. Who accepts one names it by the digest of all that is kept.
fn one(server: &str, pin: &Value) -> Result<Waiting, Failure> {
    let tool = text(pin, "tool");
    let read = |field: &str| match pin.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(kept) => {
            let what = format!("the definition of {} of server {server}", audit::visible::word(tool));
            serde_json::from_value::<Pin>(kept.clone()).map(Some).trying(what)
        }
    };
    let before = read("accepted")?;
    let Some(now) = read("waiting")? else {
        return Err(Failure::Usage(format!("nothing of {} waits any more: ask again", audit::visible::word(tool))));
    };
    let now = Pin { digest: format!("sha256:{}", text(pin, "digest")), ..now };
    Ok(Waiting { server: server.to_owned(), tool: tool.to_owned(), now, before })
}

fn digest(pin: &Pin) -> &str {
    pin.digest.strip_prefix("sha256:").unwrap_or(&pin.digest)
}

fn path(server: &str) -> String {
    format!("/api/v1/servers/{}", encoded(server))
}
