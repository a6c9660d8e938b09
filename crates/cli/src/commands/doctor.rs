//! `toolgate doctor`: what is wrong with this installation, and what to do about it.

mod clients;
mod installation;
mod policies;
mod projects;
mod repair;
mod secrets;

use std::process::ExitCode;

use serde_json::{Value, json};

use self::repair::Fix;
use crate::args::DoctorOptions;
use crate::client_files::supported;
use crate::commands::scan::layout::{pad, paragraph};
use crate::environment::{data_dir, home};
use crate::failure::Failure;
use crate::output::{self, say};
use crate::terminal::Look;

/// So often is looked again after something was put right: what was put right may uncover more.
const ROUNDS: usize = 3;

/// The columns of the name of a check.
const NAME: usize = 15;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Good,
    /// Worth a look, and no fault.
    Note,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    group: &'static str,
    what: &'static str,
    level: Level,
    text: String,
    /// What to do, a command where there is one.
    remedy: Option<String>,
    fix: Option<Fix>,
}

impl Finding {
    fn new(group: &'static str, what: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self { group, what, level, text: text.into(), remedy: None, fix: None }
    }

    fn good(group: &'static str, what: &'static str, text: impl Into<String>) -> Self {
        Self::new(group, what, Level::Good, text)
    }

    fn note(group: &'static str, what: &'static str, text: impl Into<String>) -> Self {
        Self::new(group, what, Level::Note, text)
    }

    fn bad(group: &'static str, what: &'static str, text: impl Into<String>) -> Self {
        Self::new(group, what, Level::Bad, text)
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn fixed_by(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// Looks at everything that can be wrong, and puts right what it is asked to.
pub fn doctor(options: &DoctorOptions) -> Result<ExitCode, Failure> {
    let data = data_dir(options.data.dir.as_deref())?;
    let look = || -> Vec<Finding> {
        let mut findings = installation::findings(&data, options.config.as_deref());
        findings.extend(clients::findings(&data));
        findings
    };
    let mut findings = look();
    let mut done: Vec<(String, Result<(), String>)> = Vec::new();
    if options.fix {
        supported()?;
        for _ in 0..ROUNDS {
            let fixes: Vec<Fix> = findings.iter_mut().filter_map(|finding| finding.fix.take()).collect();
            let tried: Vec<_> = fixes.iter().map(|fix| (fix.to_string(), fix.apply(&data))).collect();
            let changed = tried.iter().any(|(_, ended)| ended.is_ok());
            done.extend(tried);
            findings = look();
            if !changed {
                break;
            }
        }
    }
    let sound = findings.iter().all(|finding| finding.level != Level::Bad);
    if options.json {
        say!("{}", document(&findings, &done, sound))?;
    } else {
        output::text(&text(&findings, &done, Look::of_output()))?;
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

fn document(findings: &[Finding], done: &[(String, Result<(), String>)], sound: bool) -> Value {
    let checks = findings.iter().map(|finding| {
        let level = match finding.level {
            Level::Good => "ok",
            Level::Note => "note",
            Level::Bad => "bad",
        };
        json!({
            "group": finding.group, "check": finding.what, "ok": finding.level != Level::Bad, "level": level,
            "text": finding.text, "remedy": finding.remedy, "fixable": finding.fix.is_some(),
        })
    });
    let done =
        done.iter().map(|(what, ended)| json!({ "what": what, "done": ended.is_ok(), "error": ended.as_ref().err() }));
    json!({ "ok": sound, "checks": checks.collect::<Vec<_>>(), "fixed": done.collect::<Vec<_>>() })
}

fn text(findings: &[Finding], done: &[(String, Result<(), String>)], look: Look) -> String {
    let mut out = String::new();
    for (what, ended) in done {
        let line = match ended {
            Ok(()) => format!("put right: {what}"),
            Err(why) => format!("not put right: {what}: {why}"),
        };
        out += &paragraph(&line, 0, look.columns);
    }
    if done.iter().any(|(_, ended)| ended.is_ok()) {
        out += "Changes of clients' files are taken back by toolgate undo, the last one first.\n";
    }
    if !done.is_empty() {
        out.push('\n');
    }
    let mut group = None;
    for finding in findings {
        if group.replace(finding.group) != Some(finding.group) {
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
            out += &(look.bold(finding.group) + "\n");
        }
        let (word, colour) = match finding.level {
            Level::Good => ("ok ", "32"),
            Level::Note => (" ! ", "33"),
            Level::Bad => ("BAD", "31"),
        };
        let indent = 3 + 2 + NAME + 1;
        let lines = paragraph(&finding.text, indent, look.columns);
        let head = format!("{}  {}", look.painted(colour, word), pad(finding.what, NAME + 1));
        out += &(head + lines.trim_start_matches(' '));
        if let Some(remedy) = &finding.remedy {
            // A command stays on one line, to be copied.
            out += &format!("{}→ {remedy}\n", " ".repeat(indent));
        }
    }
    let bad = findings.iter().filter(|finding| finding.level == Level::Bad).count();
    out.push('\n');
    match bad {
        0 => out += "Nothing is wrong.\n",
        1 => out += "1 thing is wrong.\n",
        number => out += &format!("{number} things are wrong.\n"),
    }
    if findings.iter().any(|finding| finding.fix.is_some()) {
        out += "To put right what can be put right safely: toolgate doctor --fix\n";
    }
    out
}

/// The home directory, or what is said where there is none.
fn home_or_note(group: &'static str) -> Result<std::path::PathBuf, Finding> {
    home().map_err(|failure| Finding::note(group, "files", failure.to_string()))
}
