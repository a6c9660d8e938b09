//! The changes themselves, one after the other. What a change needs is at hand before the first one is made: secrets
//! that are sent, and files into which tokens go.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clients::Secret;
use http::Method;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::compare::{Act, Step};
use crate::api::shown::text;
use crate::api::{Api, encoded};
use crate::args::ApplyOptions;
use crate::commands::access::patched;
use crate::commands::policy::kept::{keep, publish_version};
use crate::config::{DeclaredReach, DeclaredServer};
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// Where it ended early.
pub struct Broken {
    /// How many changes were made.
    pub done: usize,
    /// The change that was not.
    pub at: String,
    /// Why.
    pub why: Failure,
}

/// What a change needs.
enum Ready {
    Nothing,
    Secrets(Vec<(String, Secret)>),
    File(NamedTempFile),
}

/// Makes all changes.
///
/// # Errors
/// At the first that cannot be made.
pub fn all(api: &Api, steps: &[Step<'_>], options: &ApplyOptions) -> Result<usize, Broken> {
    let reason = options.reason.clone().unwrap_or_else(|| format!("apply of {}", options.file.display()));
    let broken = |done, at: &Step<'_>, why| Broken { done, at: at.what.clone(), why };
    let mut ready = Vec::with_capacity(steps.len());
    for step in steps {
        ready.push(prepare(step).map_err(|why| broken(0, step, why))?);
    }
    for (done, (step, ready)) in steps.iter().zip(ready).enumerate() {
        one(api, step, ready, &reason).map_err(|why| broken(done, step, why))?;
    }
    Ok(steps.len())
}

fn prepare(step: &Step<'_>) -> Result<Ready, Failure> {
    match &step.act {
        Act::Server { send, .. } => {
            let had = send.iter().map(|(name, origin)| Ok(((*name).to_owned(), origin.value().trying(name)?)));
            had.collect::<Result<_, Failure>>().map(Ready::Secrets)
        }
        Act::Mint { file, .. } => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // Temporary files have the mode 0600, and the file takes it over.
            let made = tempfile::Builder::new().prefix(".toolgate-").tempfile_in(folder);
            made.map(Ready::File).trying(format!("a token cannot be written to {}", file.display()))
        }
        _ => Ok(Ready::Nothing),
    }
}

fn one(api: &Api, step: &Step<'_>, ready: Ready, reason: &str) -> Result<(), Failure> {
    match (&step.act, ready) {
        (Act::Policy { name, text }, _) => {
            let kept = keep(api, name, text, reason)?;
            if kept.published != Some(kept.version) {
                publish_version(api, name, kept.version, reason)?;
            }
        }
        (Act::Server { name, new, server, keep, .. }, Ready::Secrets(send)) => {
            written(api, (name, *new), server, &send, keep, reason)?;
        }
        (Act::Override { server, body }, _) => {
            api.post(&format!("/api/v1/servers/{}/overrides", encoded(server)), &with(body, reason))?;
        }
        (Act::Mint { body, file }, Ready::File(prepared)) => {
            let minted = api.post("/api/v1/grants", &with(body, reason))?.body;
            let token = Secret::new(text(&minted, "token"));
            token_to(prepared, file, &token).map_err(|why| {
                let id = text(&minted, "id");
                Failure::Usage(format!("it is minted, but {why}: `toolgate grant rotate {id}` prints another token"))
            })?;
            tell!("toolgate: {}: its token stands in {}", step.what, file.display());
        }
        (Act::Grant { id, patch }, _) => {
            let patch = Value::Object(patch.clone());
            patched(api, &format!("/api/v1/grants/{}", encoded(id)), &with(&patch, reason))?;
        }
        (Act::Attach { id, body }, _) => {
            api.post(&format!("/api/v1/grants/{}/attach", encoded(id)), &with(body, reason))?;
        }
        (Act::Remove { path }, _) => {
            api.remove(path, reason)?;
        }
        // Each was made ready as its kind needs it.
        (Act::Server { .. } | Act::Mint { .. }, _) => {}
    }
    Ok(())
}

fn with(body: &Value, reason: &str) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("reason".to_owned(), json!(reason));
    }
    body
}

fn written(
    api: &Api,
    (name, new): (&str, bool),
    server: &DeclaredServer,
    send: &[(String, Secret)],
    keep: &[&str],
    reason: &str,
) -> Result<(), Failure> {
    let kept = keep.iter().map(|name| ((*name).to_owned(), Value::Null));
    let sent = send.iter().map(|(name, value)| (name.clone(), Value::from(value.expose())));
    let secrets: Map<String, Value> = kept.chain(sent).collect();
    let reach = match &server.reach {
        DeclaredReach::Http(url, transport) => {
            json!({ "kind": "http", "url": url, "headers": secrets, "transport": transport })
        }
        DeclaredReach::Child(command) => json!({ "kind": "child", "command": command, "env": secrets }),
    };
    let settings: Map<String, Value> = server
        .settings
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut body = json!({ "name": name, "reach": reach, "settings": settings, "reason": reason });
    let mut set = |field: &str, value: Value| {
        if let Some(fields) = body.as_object_mut() {
            fields.insert(field.to_owned(), value);
        }
    };
    if let Some(policy) = &server.policy {
        set("policy", json!(policy));
    }
    if new {
        api.post("/api/v1/servers", &body)?;
        return Ok(());
    }
    let path = format!("/api/v1/servers/{}", encoded(name));
    let read = api.get(&path)?;
    // The title is not declared: it stays.
    set("title", read.body.get("title").cloned().unwrap_or_default());
    api.change(Method::PUT, &path, &read, &body)?;
    Ok(())
}

fn token_to(mut prepared: NamedTempFile, file: &PathBuf, token: &Secret) -> Result<(), String> {
    let written = writeln!(prepared, "{}", token.expose()).and_then(|()| prepared.as_file().sync_all());
    written.map_err(|error| format!("its token cannot be written: {error}"))?;
    let put = prepared.persist_noclobber(file).map_err(|error| error.error);
    put.map(drop).map_err(|error| format!("its token cannot be put at {}: {error}", file.display()))
}
