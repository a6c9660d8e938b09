//! `toolgate apply`: brings about at an instance what a `toolgate.toml` declares. What is there is read, compared and
//! shown; what differs is changed, in an order in which nothing names what is not there yet. A second run finds nothing
//! to do.

mod carry_out;
mod compare;
mod present;

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::api::{self, shown};
use crate::args::ApplyOptions;
use crate::client_files::visible;
use crate::commands::counted;
use crate::commands::policy::kept::looked_at;
use crate::config::{Config, Declared};
use crate::failure::Failure;
use crate::output::{self, say};
use crate::terminal::Look;

use compare::{Deed, Step};

/// Applies a file, or shows what it would change.
pub fn apply(options: &ApplyOptions) -> Result<ExitCode, Failure> {
    let declared = Config::read(&options.file)?.declared()?;
    for policy in declared.policies.values() {
        looked_at(&policy.text, &policy.file)?;
    }
    let api = api::api(&options.api.place)?;
    let present = present::read(&api)?;
    let steps = compare::steps(&api, &declared, &present, options)?;
    let json = options.api.json;
    if !json {
        show(&steps)?;
    }
    if steps.is_empty() || options.dry_run {
        match json {
            true => shown::document(&report(&steps, 0, options.dry_run))?,
            false => say!("{}", sentence(&steps, &declared, api.url(), options.dry_run))?,
        }
        // As `diff` says it: there is a difference.
        return Ok(ExitCode::from(u8::from(options.dry_run && !steps.is_empty())));
    }
    let done = carry_out::all(&api, &steps, options);
    let count = done.as_ref().copied().unwrap_or_else(|broken| broken.done);
    if json {
        shown::document(&report(&steps, count, false))?;
    }
    match done {
        Ok(_) if json => Ok(ExitCode::SUCCESS),
        Ok(_) => {
            say!("{}", sentence(&steps, &declared, api.url(), false))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            let rest = format!(
                "{} of {} done; run it again when that is put right",
                broken.done,
                counted(steps.len(), "change")
            );
            let text = format!("{}: {}; {rest}", broken.at, broken.why);
            Err(if broken.why.code() == 1 { Failure::No(text) } else { Failure::Usage(text) })
        }
    }
}

fn show(steps: &[Step]) -> Result<(), Failure> {
    let look = Look::of_output();
    let mut out = String::new();
    for step in steps {
        let (sign, colour) = match step.deed {
            Deed::Add => ("+", "32"),
            Deed::Change => ("~", "33"),
            Deed::Remove => ("-", "31"),
        };
        out.push_str(&look.painted(colour, &format!("{sign} {}", visible(&step.what))));
        out.push('\n');
        for line in &step.lines {
            out.push_str(&format!("    {}\n", visible(line)));
        }
        for line in look.diff(&step.diff).lines() {
            out.push_str(&format!("    {line}\n"));
        }
    }
    output::text(&out)
}

fn count(steps: &[Step], deed: Deed) -> usize {
    steps.iter().filter(|step| step.deed == deed).count()
}

fn sentence(steps: &[Step], declared: &Declared, url: &str, dry: bool) -> String {
    if steps.is_empty() {
        let all = [
            counted(declared.servers.len(), "server"),
            format!("{} {}", declared.policies.len(), if declared.policies.len() == 1 { "policy" } else { "policies" }),
            counted(declared.grants.len(), "grant"),
        ];
        return format!("Nothing to do: {url} is as declared ({}).", all.join(", "));
    }
    let (added, changed, removed) = (count(steps, Deed::Add), count(steps, Deed::Change), count(steps, Deed::Remove));
    match dry {
        true => format!("{added} to add, {changed} to change, {removed} to remove at {url}; nothing was changed."),
        false => format!("{added} added, {changed} changed, {removed} removed at {url}."),
    }
}

fn report(steps: &[Step], done: usize, dry: bool) -> Value {
    let changes: Vec<Value> = steps
        .iter()
        .zip(0..)
        .map(|(step, at): (_, usize)| {
            let deed = match step.deed {
                Deed::Add => "add",
                Deed::Change => "change",
                Deed::Remove => "remove",
            };
            json!({ "action": deed, "what": step.what, "lines": step.lines, "diff": step.diff, "done": at < done })
        })
        .collect();
    json!({ "version": 1, "dry_run": dry, "changes": changes })
}
