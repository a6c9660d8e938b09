//! `toolgate server held|accept`: definitions that wait for somebody, what they change, and the word
//! that lets them through.
//!
//! What is shown is what a gateway saw last, or what the server lists now. What is accepted is that
//! very text, by its digest: a server that shows another one later is held again.

mod accept;
mod calls;
mod pinned;
mod registered;
mod show;

use std::path::Path;
use std::process::ExitCode;

use gateway::pins::PinFiles;
use gateway::server::ServerConfig;
use risk::pins::{Pin, Section};

use crate::api::api_if_named;
use crate::args::{HeldOptions, PinPlace, ServerCommand};
use crate::config::Config;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::pins::{LOCK, lock_of};

/// A definition that waits to be accepted.
struct Waiting {
    server: String,
    tool: String,
    /// As it would be accepted; its time is when it was seen first.
    now: Pin,
    /// What was accepted before, if anything was.
    before: Option<Pin>,
}

/// Shows or accepts.
pub fn server(command: &ServerCommand) -> Result<ExitCode, Failure> {
    match command {
        ServerCommand::Held(options) => match api_if_named(&options.instance)? {
            Some(api) => pinned::held(&api, options),
            None => held(options),
        },
        ServerCommand::Accept(options) => match api_if_named(&options.instance)? {
            Some(api) => pinned::accept(&api, options),
            None => accept::accept(options),
        },
        ServerCommand::List { api } => registered::list(api),
        ServerCommand::Show { server, api } => registered::show(server, api),
        ServerCommand::Add { name, reach, settings, why, api } => registered::add(name, reach, settings, why, api),
        ServerCommand::Set { server, reach, settings, why, api } => registered::set(server, reach, settings, why, api),
        ServerCommand::Remove { server, why, api } => registered::remove(server, why, api),
        ServerCommand::Override(options) => registered::say_override(options),
    }
}

fn held(options: &HeldOptions) -> Result<ExitCode, Failure> {
    let (files, _) = place(&options.place)?;
    files.check().trying("the accepted definitions")?;
    known(&options.place, &files)?;
    let waiting = seen_of(&files, options.server.as_deref())?;
    show::all(&waiting, &files, &options.place)?;
    Ok(ExitCode::from(u8::from(!waiting.is_empty())))
}

/// Where pins lie, and the servers of a configuration.
fn place(place: &PinPlace) -> Result<(PinFiles, Vec<ServerConfig>), Failure> {
    if let Some(path) = &place.config {
        let config = Config::read(path)?;
        let files = config.pin_files(place.lock.as_deref(), place.data.dir.as_deref())?;
        return Ok((files, config.servers()?));
    }
    let lock = match (&place.lock, &place.policy) {
        (Some(lock), _) => lock.clone(),
        (None, Some(policy)) => lock_of(policy, None),
        (None, None) => Path::new(LOCK).to_path_buf(),
    };
    let files = PinFiles::new(&lock, &data_dir(place.data.dir.as_deref())?);
    if place.lock.is_none() && place.policy.is_none() && !files.exist() {
        return Err(Failure::Usage(format!(
            "there is no {LOCK} in this directory: name the policy (--policy FILE), the lock file (--lock FILE) or the configuration (--config FILE)"
        )));
    }
    Ok((files, Vec::new()))
}

/// A path that was misspelt is no place where nothing is held.
fn known(place: &PinPlace, files: &PinFiles) -> Result<(), Failure> {
    let missing = |what: &str, path: &Path| {
        Err(Failure::Usage(format!(
            "there is no {what} {}, and no gateway has held anything under it; look at how it is spelt",
            path.display()
        )))
    };
    match (&place.lock, &place.policy) {
        _ if files.exist() => Ok(()),
        (Some(lock), _) => missing("lock file", lock),
        (None, Some(policy)) if !policy.exists() => missing("policy", policy),
        (None, _) => Ok(()),
    }
}

/// What gateways have seen last and hold, of one server or of all.
fn seen_of(files: &PinFiles, server: Option<&str>) -> Result<Vec<Waiting>, Failure> {
    let servers = match server {
        Some(id) => vec![id.to_owned()],
        None => files.held_servers().trying("what is held")?,
    };
    let mut waiting = Vec::new();
    for id in servers {
        waiting.extend(seen(files, &id)?);
    }
    Ok(waiting)
}

fn seen(files: &PinFiles, id: &str) -> Result<Vec<Waiting>, Failure> {
    let accepted = files.section(id).trying("the accepted definitions")?;
    let held = files.held(id).trying("what is held")?;
    if accepted.is_none() && held.is_empty() {
        let lock = files.lock().display();
        return Err(Failure::Usage(format!(
            "no gateway has seen a server {} with {lock}; `toolgate server accept {id}` with --upstream URL, -- COMMAND or --config FILE asks the server itself",
            audit::visible::word(id)
        )));
    }
    Ok(waiting(id, held, &accepted.unwrap_or_default()))
}

fn waiting(id: &str, now: Section, accepted: &Section) -> Vec<Waiting> {
    now.into_iter()
        .filter(|(tool, now)| accepted.get(tool).is_none_or(|pin| pin.digest != now.digest))
        .map(|(tool, now)| Waiting { server: id.to_owned(), before: accepted.get(&tool).cloned(), tool, now })
        .collect()
}
