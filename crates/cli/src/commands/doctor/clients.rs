//! The files of clients: what starts through the gateway, whether that can start, and what drifted since.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clients::table::Known;
use clients::{Launch, Scope, Target};

use super::repair::Fix;
use super::{Finding, home_or_note, policies, projects, secrets};
use crate::client_files::again::Repair;
use crate::client_files::covered::{Machine, Place, machine};
use crate::client_files::found::real;
use crate::client_files::journal::Journal;
use crate::client_files::{shown, visible};
use crate::commands::counted;
use crate::environment::{program, program_folders};

pub(super) const GROUP: &str = "Clients";

/// Looks.
pub fn findings(data: &Path) -> Vec<Finding> {
    let home = match home_or_note(GROUP) {
        Ok(home) => home,
        Err(note) => return vec![note],
    };
    let machine = match machine() {
        Ok(machine) => machine,
        Err(failure) => return vec![Finding::bad(GROUP, "table", failure.to_string())],
    };
    let count = counted(machine.wrapped().count(), "server");
    let mut found = vec![Finding::good(GROUP, "wrapped", format!("{count} through toolgate"))];
    for (file, why) in &machine.broken {
        let text = format!("{}: {}", shown(file, &home), visible(why));
        found.push(Finding::bad(GROUP, "file", text).remedy("correct it by hand, and try again"));
    }
    for place in machine.wrapped() {
        found.extend(started(place, &home));
    }
    found.extend(drifted(&machine, data, &home));
    found.extend(list_changed(&machine));
    found.extend(projects::findings(&machine, &home));
    found.extend(secrets::findings(&machine, &home));
    found.extend(policies::findings(&machine, data, &home));
    found
}

/// An entry and where it stands, for people.
pub(super) fn named(place: &Place, home: &Path) -> String {
    format!("{} in {}", place.key(), place.shown(home))
}

/// Whether what an entry starts can be started.
fn started(place: &Place, home: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(wrapped) = place.wrapped() else { return found };
    let name = named(place, home);
    if wrapped.inner().is_some() {
        let text = format!("{name}: the gateway stands there twice, so every call is judged and recorded twice");
        let fix = Fix::Entry(Box::new((place.clone(), Repair::Outer)));
        found.push(Finding::bad(GROUP, "two wraps", text).remedy("toolgate doctor --fix").fixed_by(fix));
    }
    let gateway = gateway(place, &wrapped.program, &name);
    // One thing after the other: the outer gateway goes first.
    found.extend(gateway.map(|finding| if found.is_empty() { finding } else { Finding { fix: None, ..finding } }));
    let mut innermost = wrapped.clone();
    while let Some(inner) = innermost.inner() {
        innermost = inner;
    }
    if let Target::Program(words) = &innermost.target
        && let Some(server) = words.first()
        && !can_start(server, place)
    {
        let server = visible(server);
        let text = format!("{name}: its program {server} is not there, or not on the path of this terminal");
        found.push(Finding::bad(GROUP, "command", text).remedy(format!("install {server}, or correct the entry")));
    }
    found
}

/// Whether the toolgate that an entry names is there.
fn gateway(place: &Place, named: &str, name: &str) -> Option<Finding> {
    let shared = place.file.scope == Scope::Project;
    if can_start(named, place) {
        let own = program().map(|own| real(&own)).ok()?;
        let other = Path::new(named).is_absolute() && real(Path::new(named)) != own;
        return other.then(|| {
            let text = format!("{name}: starts {}, and this is {}", visible(named), own.display());
            Finding::note(GROUP, "toolgate", text)
        });
    }
    let text = format!("{name}: toolgate is not at {}, so the server does not start", visible(named));
    let finding = Finding::bad(GROUP, "toolgate", text);
    let to = if shared { "toolgate".to_owned() } else { program().ok()?.to_str()?.to_owned() };
    Some(match named == to {
        true => finding.remedy("put toolgate on the path of whoever starts the client"),
        false => {
            let fix = Fix::Entry(Box::new((place.clone(), Repair::Program(to))));
            finding.remedy("toolgate doctor --fix").fixed_by(fix)
        }
    })
}

/// Whether a program can be found, as far as this can be told: what the client fills in cannot, nor what lies below
/// its own folder.
fn can_start(word: &str, place: &Place) -> bool {
    let runs =
        |path: &Path| std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    let own_path = match &place.entry.launch {
        Launch::Stdio { env, .. } => env.iter().any(|(name, _)| name == "PATH"),
        _ => false,
    };
    if word.contains("${") || word.starts_with('~') {
        return true;
    }
    match (Path::new(word).is_absolute(), word.contains('/')) {
        (true, _) => runs(Path::new(word)),
        (false, true) => true,
        (false, false) => own_path || program_folders().iter().any(|folder| runs(&folder.join(word))),
    }
}

/// Entries that are not as they were written, and bare ones beside those that are wrapped.
fn drifted(machine: &Machine, data: &Path, home: &Path) -> Vec<Finding> {
    let changes = match Journal::changes(data) {
        Ok(changes) => changes,
        Err(failure) => return vec![Finding::bad(GROUP, "journal", failure.to_string())],
    };
    let mut found = Vec::new();
    let mut seen: BTreeSet<(PathBuf, Vec<String>)> = BTreeSet::new();
    let mut lost = BTreeSet::new();
    let at = |file: &Path, keys: &[String]| {
        let is = |place: &&Place| real(&place.file.path) == file && place.entry.place == keys;
        machine
            .wrapped()
            .find(is)
            .or_else(|| machine.bare.iter().chain(machine.left.iter().map(|(place, _)| place)).find(is))
    };
    for change in changes.iter().rev() {
        for entry in change.entries.iter().filter(|entry| seen.insert((change.file.clone(), entry.place.clone()))) {
            // What `unwrap` has written names no policy.
            if !(entry.written.contains("toolgate") && entry.written.contains("--policy")) {
                continue;
            }
            let key = visible(entry.place.last().map_or("", String::as_str));
            let (file, day) = (shown(&change.file, home), change.time.strftime("%Y-%m-%d"));
            if !change.file.exists() {
                found.push(Finding::note(
                    GROUP,
                    "drift",
                    format!("{file} is gone, in which {key} was wrapped on {day}"),
                ));
                continue;
            }
            // Files of other projects are looked at from there.
            if !machine.files.contains(&change.file) {
                continue;
            }
            let Some(place) = at(&change.file, &entry.place) else {
                found.push(Finding::note(
                    GROUP,
                    "drift",
                    format!("{key} is gone from {file}, where it was wrapped on {day}"),
                ));
                continue;
            };
            if place.wrapped().is_none() {
                lost.insert((change.file.clone(), entry.place.clone()));
                let text = format!("{key} in {file} was wrapped on {day}; somebody has taken the gateway out since");
                found.push(Finding::bad(GROUP, "drift", text).remedy(wrap(place)));
            } else if !is_as_written(place, &entry.written) {
                let text =
                    format!("{key} in {file} was changed since it was wrapped on {day}; it still starts toolgate");
                found.push(Finding::note(GROUP, "drift", text));
            }
        }
    }
    if machine.covered.is_empty() {
        return found;
    }
    let beside = machine.bare.iter().filter(|place| place.entry.enabled);
    found.extend(beside.filter(|place| !lost.contains(&(real(&place.file.path), place.entry.place.clone()))).map(
        |place| {
            Finding::note(GROUP, "bare", format!("{} is not behind toolgate", named(place, home))).remedy(wrap(place))
        },
    ));
    found
}

fn is_as_written(place: &Place, written: &str) -> bool {
    let now = place.file.read(&place.client).ok();
    now.is_none_or(|contents| {
        let entry = contents.entries.iter().find(|entry| entry.place == place.entry.place);
        entry.is_none_or(|entry| contents.document.text_of(entry).is_ok_and(|text| text == written))
    })
}

/// The command that wraps one server.
fn wrap(place: &Place) -> String {
    let project = if place.file.scope == Scope::Project { " --project" } else { "" };
    let server = crate::commands::status::option_words("--server", &place.entry.key);
    format!("toolgate wrap {} {server}{project}", place.client.id)
}

/// Clients that do not ask again when they are told that tools have changed.
fn list_changed(machine: &Machine) -> Vec<Finding> {
    let mut once = BTreeSet::new();
    let deaf = machine.wrapped().filter(|place| place.client.list_changed == Known::No);
    deaf.filter(|place| once.insert(place.client.id.clone()))
        .map(|place| {
            let name = &place.client.name;
            let text = format!("{name} does not ask for tools again when they change: after an edit of a policy, what it shows is old until it starts again. What is denied is denied at once");
            Finding::note(GROUP, "tool lists", text)
        })
        .collect()
}
