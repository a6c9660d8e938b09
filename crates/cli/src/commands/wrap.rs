//! `toolgate wrap` and `toolgate unwrap`: the gateway before the servers of clients, or out again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clients::table::Reload;
use serde_json::{Value, json};

use crate::args::WrapOptions;
use crate::client_files::change::Plan;
use crate::client_files::journal::{self, Journal};
use crate::client_files::survey::{Left, Survey, survey};
use crate::client_files::{shown as path_shown, supported, visible};
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};

/// Puts the gateway before servers.
pub fn wrap(options: &WrapOptions) -> Result<ExitCode, Failure> {
    Doing::new(options, true)?.run()
}

/// Takes it out again.
pub fn unwrap(options: &WrapOptions) -> Result<ExitCode, Failure> {
    Doing::new(options, false)?.run()
}

struct Doing<'a> {
    options: &'a WrapOptions,
    wraps: bool,
    home: PathBuf,
    data: PathBuf,
}

/// What became of a file.
struct Outcome<'a> {
    plan: &'a Plan,
    diff: String,
    /// Whether it was written, or why not; none before anybody has tried.
    written: Option<Result<bool, String>>,
}

impl<'a> Doing<'a> {
    fn new(options: &'a WrapOptions, wraps: bool) -> Result<Self, Failure> {
        supported()?;
        Ok(Self { options, wraps, home: home()?, data: data_dir(options.data.dir.as_deref())? })
    }

    fn run(&self) -> Result<ExitCode, Failure> {
        let known = Journal::changes(&self.data)?;
        let survey = survey(self.options, self.wraps, &known)?;
        let mut outcomes: Vec<Outcome<'_>> = Vec::new();
        for plan in &survey.plans {
            let outcome = match plan.diff(&self.name(&plan.file.path), &known) {
                Ok(diff) => Outcome { plan, diff, written: None },
                Err(why) => Outcome { plan, diff: String::new(), written: Some(Err(why)) },
            };
            outcomes.push(outcome);
        }
        if !self.options.json {
            self.show(&outcomes)?;
        }
        if self.allowed(&outcomes)? {
            self.write(&mut outcomes)?;
        }
        self.report(&survey, &outcomes)?;
        self.ended(&survey, &outcomes)
    }

    /// Whether files may be written now. Without a terminal nobody is asked.
    fn allowed(&self, outcomes: &[Outcome<'_>]) -> Result<bool, Failure> {
        let open = outcomes.iter().filter(|outcome| outcome.written.is_none()).count();
        if open == 0 || self.options.dry_run || self.options.yes {
            return Ok(open > 0 && self.options.yes);
        }
        if self.options.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(false);
        }
        output::prompt(&format!("Write {}? [y/N] ", counted(open, "file")));
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).trying("the answer")?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            _ => Err(Failure::No("nothing was changed".to_owned())),
        }
    }

    fn write(&self, outcomes: &mut [Outcome<'_>]) -> Result<(), Failure> {
        let journal = Journal::open(&self.data)?;
        let known = journal.open_changes()?;
        let run = journal::id()?;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.written.is_none()) {
            outcome.written = Some(outcome.plan.apply(&journal, &run, &known));
        }
        Ok(())
    }

    fn name(&self, path: &Path) -> String {
        path_shown(path, &self.home)
    }

    fn show(&self, outcomes: &[Outcome<'_>]) -> Result<(), Failure> {
        outcomes.iter().try_for_each(|outcome| output::text(&outcome.diff))
    }

    fn report(&self, survey: &Survey, outcomes: &[Outcome<'_>]) -> Result<(), Failure> {
        if self.options.json {
            let document = self.document(survey, outcomes);
            return output::text(&(printed(&document).trying("the report")? + "\n"));
        }
        for outcome in outcomes {
            let (file, name) = (self.name(&outcome.plan.file.path), &outcome.plan.client.name);
            match &outcome.written {
                Some(Ok(true)) => {
                    let keys: Vec<String> = outcome.plan.planned.iter().map(|one| visible(&one.key)).collect();
                    let how = if self.wraps { "now through toolgate" } else { "without toolgate again" };
                    say!("{name}, {file}: {} {how}", keys.join(", "))?;
                }
                Some(Ok(false)) => say!("{name}, {file}: it is so already")?,
                Some(Err(why)) => say!("{name}, {file}: {}", visible(why))?,
                None => {}
            }
        }
        for (file, why) in &survey.broken {
            say!("{}: {why}", self.name(file))?;
        }
        if self.wraps {
            survey.left.iter().try_for_each(|left| say!("not covered: {}", self.left(left)))?;
        } else {
            survey.left.iter().try_for_each(|left| say!("left as it is: {}", self.left(left)))?;
        }
        if outcomes.is_empty() {
            return match self.wraps {
                true => say!("Nothing to wrap: no server was found that the gateway can stand before and does not."),
                false => say!("Nothing to unwrap: no server in these files starts toolgate."),
            };
        }
        if written(outcomes).next().is_some() {
            for (name, reload) in reloads(outcomes) {
                match reload {
                    Reload::Hot => say!("{name} reads its file again by itself.")?,
                    Reload::Restart => say!("Restart {name}: it reads its file when it starts.")?,
                    Reload::Session => say!("Start a new session in {name}: it reads its file then.")?,
                }
            }
            say!("To take this back: toolgate undo")?;
        }
        Ok(())
    }

    fn left(&self, left: &Left) -> String {
        let file = left.file.as_ref().map(|file| format!(", {}", self.name(file))).unwrap_or_default();
        let server = left.server.as_ref().map(|server| format!(": {}", visible(server))).unwrap_or_default();
        format!("{}{file}{server}: {}", left.client, visible(&left.why))
    }

    fn document(&self, survey: &Survey, outcomes: &[Outcome<'_>]) -> Value {
        let files: Vec<Value> = outcomes
            .iter()
            .map(|outcome| {
                let servers = outcome.plan.planned.iter();
                let servers: Vec<Value> =
                    servers.map(|one| json!({ "server": one.key, "policy": one.policy })).collect();
                let error = outcome.written.as_ref().and_then(|written| written.as_ref().err());
                json!({
                    "client": outcome.plan.client.id, "file": outcome.plan.file.path, "servers": servers,
                    "diff": outcome.diff, "written": matches!(outcome.written, Some(Ok(true))), "error": error,
                })
            })
            .collect();
        let left: Vec<Value> = survey
            .left
            .iter()
            .map(|left| json!({ "client": left.client, "file": left.file, "server": left.server, "why": left.why }))
            .collect();
        let broken: Vec<Value> =
            survey.broken.iter().map(|(file, why)| json!({ "file": file, "error": why })).collect();
        let undo = written(outcomes).next().map(|_| "toolgate undo");
        json!({ "files": files, "not_covered": left, "broken": broken, "undo": undo })
    }

    fn ended(&self, survey: &Survey, outcomes: &[Outcome<'_>]) -> Result<ExitCode, Failure> {
        if self.options.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        if outcomes.iter().any(|outcome| outcome.written.is_none()) {
            let why =
                "nothing was changed: nobody can be asked here, so add --yes to write this (or --dry-run to only look)";
            return Err(Failure::Usage(why.to_owned()));
        }
        let failed = outcomes.iter().filter(|outcome| matches!(outcome.written, Some(Err(_)))).count();
        match failed + survey.broken.len() {
            0 => Ok(ExitCode::SUCCESS),
            1 => Err(Failure::No("1 file was left as it was, as said above".to_owned())),
            number => Err(Failure::No(format!("{number} files were left as they were, as said above"))),
        }
    }
}

fn written<'a>(outcomes: &'a [Outcome<'a>]) -> impl Iterator<Item = &'a Outcome<'a>> {
    outcomes.iter().filter(|outcome| matches!(outcome.written, Some(Ok(true))))
}

/// The clients whose files were written, each once.
fn reloads<'a>(outcomes: &'a [Outcome<'a>]) -> Vec<(&'a str, Reload)> {
    let mut once = BTreeSet::new();
    let clients = written(outcomes).map(|outcome| &outcome.plan.client);
    clients.filter(|client| once.insert(&client.id)).map(|client| (client.name.as_str(), client.reload)).collect()
}
