//! `toolgate clients`: which clients are here, what servers they start, and whether the gateway stands before each.

use std::process::ExitCode;

use clients::{Entry, Scope, State};
use serde_json::{Value, json};

use crate::args::ClientsOptions;
use crate::client_files::found::{self, Found, policy_of, reached};
use crate::client_files::{shown as path_shown, visible};
use crate::commands::init::shown::plain_secrets;
use crate::commands::scan::json::printed;
use crate::commands::scan::layout::{pad, width};
use crate::environment::{home, places};
use crate::failure::{Failure, Trying};
use crate::output;

/// Lists them.
pub fn clients(options: &ClientsOptions) -> Result<ExitCode, Failure> {
    let current = std::env::current_dir().trying("the current directory")?;
    let project = options.project.as_ref().map_or(current.clone(), |project| current.join(project));
    if !project.is_dir() {
        return Err(Failure::Usage(format!("there is no folder {}: name the project's", project.display())));
    }
    let table = found::table()?;
    let all = found::all(&table, &places(Some(&project))?);
    let home = home()?;
    let text = if options.json {
        let clients: Vec<Value> = all.iter().map(client_json).collect();
        printed(&json!({ "clients": clients })).trying("the list")? + "\n"
    } else {
        let listed: String = all.iter().map(|found| section(found, &home)).collect();
        match listed.is_empty() {
            true => format!("No MCP client was found below {} or in {}.\n", home.display(), project.display()),
            false if all.iter().any(has_bare) => {
                listed
                    + "Put the gateway before what is bare: toolgate init says what it can do, and asks before it changes a file.\n"
            }
            false => listed,
        }
    };
    output::text(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a client has a server that the gateway can stand before and does not.
fn has_bare(found: &Found) -> bool {
    let read = found.files.iter().filter(|file| file.scope == Scope::User);
    let mut entries = read.filter_map(|file| file.read(&found.client).ok()).flat_map(|contents| contents.entries);
    entries.any(|entry| entry.state == State::Bare)
}

/// Whether the gateway stands before a server, in words.
fn state(entry: &Entry) -> String {
    let state = match &entry.state {
        State::Bare => "bare".to_owned(),
        State::Wrapped(wrapped) => match policy_of(&wrapped.options) {
            Some(policy) => format!("through toolgate ({})", visible(policy)),
            None => "through toolgate".to_owned(),
        },
        State::NotCovered(why) => format!("not covered: {}", visible(&why.to_string())),
    };
    if entry.enabled { state } else { format!("off, {state}") }
}

fn section(found: &Found, home: &std::path::Path) -> String {
    let mut text = format!("{} ({})\n", found.client.name, found.client.id);
    match (&found.client.not_covered, found.files.as_slice()) {
        (Some(why), _) => text += &format!("  not covered: {why}\n"),
        (None, []) => text += "  it is installed, and has no file with servers yet\n",
        _ => {}
    }
    for file in &found.files {
        let whose = match file.scope {
            Scope::User => "",
            Scope::Project => " (of the project)",
            Scope::Managed => " (managed by others)",
        };
        text += &format!("  {}{whose}\n", path_shown(&file.path, home));
        match file.read(&found.client) {
            Err(why) => text += &format!("    {why}\n"),
            Ok(contents) if contents.entries.is_empty() => text += "    no servers\n",
            Ok(contents) => {
                let rows = contents.entries.iter();
                let rows = rows.map(|entry| (visible(&entry.key), reached(entry), state(entry)));
                text += &table(&rows.collect::<Vec<_>>());
                for entry in &contents.entries {
                    let said = plain_secrets(&entry.launch.plain_secrets());
                    text += &said.map_or(String::new(), |said| format!("    ! {}: {said}\n", visible(&entry.key)));
                }
            }
        }
    }
    text + "\n"
}

fn table(rows: &[(String, String, String)]) -> String {
    let widest = |of: fn(&(String, String, String)) -> &String| rows.iter().map(|row| width(of(row)).min(40)).max();
    let (first, second) = (widest(|row| &row.0).unwrap_or(0), widest(|row| &row.1).unwrap_or(0));
    rows.iter().map(|(key, way, state)| format!("    {}  {}  {state}\n", pad(key, first), pad(way, second))).collect()
}

fn client_json(found: &Found) -> Value {
    let files = found.files.iter().map(|file| {
        let scope = match file.scope {
            Scope::User => "user",
            Scope::Project => "project",
            Scope::Managed => "managed",
        };
        match file.read(&found.client) {
            Err(why) => json!({ "file": file.path, "scope": scope, "error": why }),
            Ok(contents) => {
                let servers: Vec<Value> = contents.entries.iter().map(entry_json).collect();
                json!({ "file": file.path, "scope": scope, "servers": servers })
            }
        }
    });
    let mut client = json!({ "id": found.client.id, "name": found.client.name, "files": files.collect::<Vec<_>>() });
    if let (Some(fields), Some(why)) = (client.as_object_mut(), &found.client.not_covered) {
        fields.insert("not_covered".into(), why.as_str().into());
    }
    client
}

fn entry_json(entry: &Entry) -> Value {
    let (state, policy, why) = match &entry.state {
        State::Bare => ("bare", None, None),
        State::Wrapped(wrapped) => ("wrapped", policy_of(&wrapped.options), None),
        State::NotCovered(why) => ("not_covered", None, Some(why.to_string())),
    };
    json!({
        "server": entry.key, "reached": reached(entry), "state": state, "enabled": entry.enabled,
        "policy": policy, "why": why, "plain_secrets": entry.launch.plain_secrets(),
    })
}
