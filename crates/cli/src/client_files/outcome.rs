//! What becomes of files: planned, shown, written, told.

use std::collections::BTreeSet;
use std::path::Path;

use clients::table::Reload;
use serde_json::{Value, json};

use super::change::Plan;
use super::journal::{self, Change, Journal};
use super::survey::{Left, Survey};
use super::{newest, secrets, shown as path_shown, visible};
use crate::commands::status::shell_word;
use crate::failure::Failure;

/// What becomes of a file.
pub struct Outcome<'a> {
    /// What is to become of it.
    pub plan: &'a Plan,
    /// What changes, for people to read.
    pub diff: String,
    /// Whether it was written, or why not; none before anybody has tried.
    pub written: Option<Result<bool, String>>,
}

impl<'a> Outcome<'a> {
    /// What would become of each file.
    pub fn of(survey: &'a Survey, home: &Path, known: &[Change]) -> Vec<Self> {
        let of = |plan: &'a Plan| match plan.diff(&path_shown(&plan.file.path, home), known) {
            Ok(diff) => Outcome { plan, diff, written: None },
            Err(why) => Outcome { plan, diff: String::new(), written: Some(Err(why)) },
        };
        survey.plans.iter().map(of).collect()
    }

    /// Whether the file was written.
    pub fn is_written(&self) -> bool {
        matches!(self.written, Some(Ok(true)))
    }

    /// The file with its servers, as JSON.
    pub fn json(&self) -> Value {
        let servers = self.plan.planned.iter();
        let policy = |one: &super::change::Planned| one.policy.as_ref().map(|policy| policy.path.clone());
        let secrets = |one: &super::change::Planned| {
            let moved = one.secrets.as_ref();
            moved.map(|moved| json!({ "file": moved.path, "variables": moved.names() }))
        };
        let servers = servers.map(|one| {
            json!({
                "server": one.key, "policy": policy(one),
                "policy_left": one.policy.as_ref().is_some_and(|policy| policy.left), "secrets": secrets(one), "secrets_left": one.stays,
            })
        });
        let servers: Vec<Value> = servers.collect();
        let error = self.written.as_ref().and_then(|written| written.as_ref().err());
        json!({
            "client": self.plan.client.id, "file": self.plan.file.path, "servers": servers,
            "diff": self.diff, "written": self.is_written(), "error": error,
        })
    }
}

/// Policies that earlier servers have left, a line each.
pub fn left_policies(survey: &Survey, home: &Path) -> Vec<String> {
    let mut once = BTreeSet::new();
    let planned = survey.plans.iter().flat_map(|plan| &plan.planned);
    let said = planned.filter_map(|one| Some((one, one.policy.as_ref()?)));
    let said = said.filter(|(_, policy)| once.insert(&policy.path));
    said.filter_map(|(one, policy)| Some(format!("{}: {}", visible(&one.key), policy.said(home)?))).collect()
}

/// Where secrets go, and which stay, a line each.
pub fn secrets_moved(outcomes: &[Outcome<'_>], home: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| !matches!(outcome.written, Some(Err(_)))) {
        let how = if outcome.is_written() { "moved" } else { "would move" };
        for one in &outcome.plan.planned {
            let (key, client) = (visible(&one.key), &outcome.plan.client.name);
            let names = |names: &[String]| visible(&names.join(", "));
            if let Some(moved) = &one.secrets {
                let file = path_shown(&moved.path, home);
                lines.push(format!("{client}, {key}: {} {how} to {file}", names(&moved.names())));
            }
            if !one.stays.is_empty() {
                lines.push(format!(
                    "{client}, {key}: {} stays in the file (docs/clients.md says why)",
                    names(&one.stays)
                ));
            }
        }
    }
    lines
}

/// Files of secrets that are in entries again from which the gateway was taken out, a line each.
pub fn secrets_again(outcomes: &[Outcome<'_>], known: &[Change], home: &Path) -> Vec<String> {
    let written = outcomes.iter().filter(|outcome| outcome.is_written());
    let planned = written.flat_map(|outcome| outcome.plan.planned.iter().map(move |one| (outcome, one)));
    let mut once = BTreeSet::new();
    let mut lines = Vec::new();
    for (outcome, one) in planned {
        let Some(file) = secrets::file_of_launch(&one.launch) else { continue };
        let (shown, key) = (path_shown(&file, home), visible(&one.key));
        let client = &outcome.plan.client.name;
        if !file.exists() {
            lines.push(format!("{client}, {key}: {shown} is gone, so its values are those of before"));
            continue;
        }
        if !newest::is_as_made(&file, known) {
            lines.push(format!("{client}, {key}: its values are those that {shown} holds by now, not those of before"));
        }
        if once.insert(file.clone()) {
            lines.push(match secrets::users(&file).as_slice() {
                [] => format!(
                    "{shown} stays, for toolgate undo. When nothing needs it any more: rm {}",
                    shell_word(&file)
                ),
                users => format!("{shown} stays: {} takes its secrets from it", users.join("; ")),
            });
        }
    }
    lines
}

/// Writes what is still open, and gives the id of the run.
///
/// # Errors
/// When there is no journal.
pub fn write(outcomes: &mut [Outcome<'_>], data: &Path) -> Result<String, Failure> {
    let journal = Journal::open(data)?;
    let known = journal.open_changes()?;
    let run = journal::id()?;
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.written.is_none()) {
        outcome.written = Some(outcome.plan.apply(&journal, &run, &known));
    }
    Ok(run)
}

/// When clients whose files were written see that, each once.
pub fn reloads(outcomes: &[Outcome<'_>]) -> Vec<String> {
    let mut once = BTreeSet::new();
    let clients = outcomes.iter().filter(|outcome| outcome.is_written()).map(|outcome| &outcome.plan.client);
    clients.filter(|client| once.insert(&client.id)).map(|client| reload(&client.name, client.reload)).collect()
}

/// When a client sees that its file was written.
pub fn reload(name: &str, reload: Reload) -> String {
    match reload {
        Reload::Hot => format!("{name} reads its file again by itself."),
        Reload::Restart => format!("Restart {name}: it reads its file when it starts."),
        Reload::Session => format!("Start a new session in {name}: it reads its file then."),
    }
}

/// A server that is left alone, on one line.
pub fn left(left: &Left, home: &Path) -> String {
    let file = left.file.as_ref().map(|file| format!(", {}", path_shown(file, home))).unwrap_or_default();
    let server = left.server.as_ref().map(|server| format!(": {}", visible(server))).unwrap_or_default();
    format!("{}{file}{server}: {}", left.client, visible(&left.why))
}

/// What is left alone and what cannot be read, as JSON.
pub fn left_json(survey: &Survey) -> (Vec<Value>, Vec<Value>) {
    let broken = survey.broken.iter().map(|(file, why)| json!({ "file": file, "error": why }));
    (lefts_json(&survey.left), broken.collect())
}

/// Servers that are left alone, as JSON.
pub fn lefts_json(left: &[Left]) -> Vec<Value> {
    let one = |left: &Left| json!({ "client": left.client, "file": left.file, "server": left.server, "why": left.why });
    left.iter().map(one).collect()
}

/// How a command ends that was to write files: `back` servers were put back, and `asked` ones that somebody asked for
/// are as they were.
///
/// # Errors
/// When something was left as it was.
pub fn ended(survey: &Survey, outcomes: &[Outcome<'_>], back: usize, asked: usize) -> Result<(), Failure> {
    if outcomes.iter().any(|outcome| outcome.written.is_none()) {
        return Err(unasked());
    }
    let failed = outcomes.iter().filter(|outcome| matches!(outcome.written, Some(Err(_)))).count();
    match failed + survey.broken.len() {
        0 if back == 0 && asked == 0 => Ok(()),
        0 if back == 0 => Err(Failure::No(format!("{} left as before, as said above", were(asked, "server")))),
        0 => Err(Failure::No(format!("{} put back as before, as said above", were(back, "server")))),
        number => Err(Failure::No(format!("{} left as before, as said above", were(number, "file")))),
    }
}

/// Nobody could be asked.
pub fn unasked() -> Failure {
    let why = "nothing was changed: nobody can be asked here, so add --yes to write this (or --dry-run to only look)";
    Failure::Usage(why.to_owned())
}

fn were(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what} was") } else { format!("{number} {what}s were") }
}
