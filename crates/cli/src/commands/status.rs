//! `toolgate status`: what clients start through the gateway, by which policy, and what was decided in the last day.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::policy_file::compile;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::activity::{self, Calls};
use crate::args::StatusOptions;
use crate::client_files::covered::{Covered, Machine, Place, machine};
use crate::client_files::{shown as path_shown, visible};
use crate::commands::scan::json::printed;
use crate::commands::scan::layout::{pad, paragraph, row, width};
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output;
use crate::pins;
use crate::terminal::Look;

/// What is looked back at.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The widest name of a server.
const NAME: usize = 24;

/// Whether a policy stops calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It says what it would stop, and stops nothing.
    Observing,
    /// It does.
    Enforcing,
    /// It cannot be used: the server does not start.
    Broken,
    /// There is none: the server does not start.
    Missing,
}

impl Mode {
    /// The mode of the policy in a file.
    pub fn of(policy: Option<&Path>) -> Self {
        let Some(path) = policy.filter(|path| path.exists()) else { return Self::Missing };
        match std::fs::read_to_string(path).map(compile) {
            Ok(Ok((in_force, _))) if in_force.policy.is_observe() => Self::Observing,
            Ok(Ok(_)) => Self::Enforcing,
            Ok(Err(_)) | Err(_) => Self::Broken,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observing => "observing",
            Self::Enforcing => "enforcing",
            Self::Broken => "broken",
            Self::Missing => "missing",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Observing => "33",
            Self::Enforcing => "32",
            Self::Broken | Self::Missing => "31",
        }
    }
}

/// One server, and what is to be said of it.
struct Line<'a> {
    covered: &'a Covered,
    mode: Mode,
    calls: Calls,
    held: Result<usize, String>,
}

struct Status<'a> {
    machine: &'a Machine,
    lines: Vec<Line<'a>>,
    home: PathBuf,
    data: PathBuf,
}

/// Shows it.
pub fn status(options: &StatusOptions) -> Result<ExitCode, Failure> {
    let (home, data) = (home()?, data_dir(options.data.dir.as_deref())?);
    let machine = machine()?;
    let since = Timestamp::now().checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let calls: HashMap<String, Calls> = activity::by_server(&data, since)?;
    let line = |covered| line(covered, &calls, &data);
    let status = Status { lines: machine.covered.iter().map(line).collect(), machine: &machine, home, data };
    let text = if options.json {
        printed(&status.document(since)).trying("the status")? + "\n"
    } else {
        status.text(Look::of_output())
    };
    output::text(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn line<'a>(covered: &'a Covered, calls: &HashMap<String, Calls>, data: &Path) -> Line<'a> {
    let held = covered.policy.as_ref().map_or(Ok(0), |policy| pins::held(policy, data, &covered.server));
    let calls = calls.get(&covered.server).cloned().unwrap_or_default();
    Line { covered, mode: Mode::of(covered.policy.as_deref()), calls, held }
}

impl Status<'_> {
    fn text(&self, look: Look) -> String {
        let mut out = String::new();
        if self.lines.is_empty() {
            out += "No server of a client here starts through toolgate.\n";
        } else {
            out += "Through toolgate, with what was decided in the last 24 hours:\n\n";
            out += &self.table(look);
        }
        self.others(look, &mut out);
        // It holds a command, which stays on one line to be copied.
        out + &self.next() + "\n"
    }

    fn table(&self, look: Look) -> String {
        let names = self.lines.iter().map(|line| width(&line.covered.server)).max().unwrap_or(0);
        let name = names.clamp("SERVER".len(), NAME);
        let head = format!(
            "  {}  {:<9}  {:>7}  {:>7}  {:>10}  {:>4}",
            pad("SERVER", name),
            "MODE",
            "CALLS",
            "STOPPED",
            "WOULD STOP",
            "HELD"
        );
        let mut out = look.faint(&head) + "\n";
        for line in &self.lines {
            let held = line.held.as_ref().map_or("?".to_owned(), usize::to_string);
            let numbers = [
                format!("{:>7}", line.calls.all),
                format!("{:>7}", line.calls.stopped),
                format!("{:>10}", line.calls.would),
                format!("{held:>4}"),
            ];
            let [calls, stopped, would, held] = &numbers;
            let (server, mode) = (visible(&line.covered.server), line.mode.as_str());
            let mut cells = row(2, &[(&server, name), (mode, 9)]);
            // Numbers keep the spaces before them, which `row` would take for gaps.
            if let Some(first) = cells.first_mut() {
                let gap = " ".repeat((2 + name + 2 + 9 + 2).saturating_sub(width(first)));
                *first = format!("{first}{gap}{calls}  {stopped}  {would}  {held}");
                *first = first.replacen(mode, &look.painted(line.mode.colour(), mode), 1);
            }
            out += &(cells.join("\n") + "\n");
            let places = line.covered.entries.iter().map(|place| place.shown(&self.home));
            let about =
                [line.covered.policy_shown(&self.home)].into_iter().chain(places).collect::<Vec<_>>().join("; ");
            for text in paragraph(&about, 4, look.columns).lines() {
                out += &(look.faint(text) + "\n");
            }
            if let Err(why) = &line.held {
                out += &paragraph(&format!("what is held cannot be told: {}", visible(why)), 4, look.columns);
            }
        }
        out + "\n"
    }

    fn others(&self, look: Look, out: &mut String) {
        let mut list = |head: String, rows: Vec<String>| {
            if !rows.is_empty() {
                *out += &(head + "\n");
                rows.iter().for_each(|row| *out += &paragraph(row, 2, look.columns));
                out.push('\n');
            }
        };
        let named = |place: &Place| format!("{}: {}", place.key(), place.shown(&self.home));
        list("Bare, without toolgate:".to_owned(), self.machine.bare.iter().map(named).collect());
        let left = &self.machine.left;
        let left = left.iter().map(|(place, why)| format!("{}; {}", named(place), visible(why))).collect();
        list("Not covered:".to_owned(), left);
        let broken = self.machine.broken.iter();
        let broken = broken.map(|(file, why)| format!("{}: {}", path_shown(file, &self.home), visible(why))).collect();
        list("Files that cannot be read:".to_owned(), broken);
    }

    /// What to do next, the most urgent first.
    fn next(&self) -> String {
        let find = |is: &dyn Fn(&Line<'_>) -> bool| self.lines.iter().find(|line| is(line));
        let of = |line: &Line<'_>| visible(&line.covered.server);
        if let Some(line) = find(&|line| matches!(line.mode, Mode::Broken | Mode::Missing)) {
            let name = of(line);
            return format!(
                "{name} does not start, since its policy is {}: toolgate doctor says why.",
                line.mode.as_str()
            );
        }
        if let Some(line) = find(&|line| line.held.as_ref().is_ok_and(|held| *held > 0)) {
            let policy = line.covered.policy.as_ref().map(|path| shell_word(path)).unwrap_or_default();
            return format!("Look at what is held: toolgate server held {} --policy {policy}", of(line));
        }
        if self.machine.bare.iter().any(|place| place.entry.enabled) {
            return "Put the gateway before what is bare: toolgate wrap --dry-run shows what it would change."
                .to_owned();
        }
        if let Some(line) = find(&|line| line.mode == Mode::Observing && line.calls.all > 0) {
            return format!("See what a policy would have stopped: toolgate promote {} --dry-run", of(line));
        }
        match self.lines.is_empty() {
            true => "toolgate clients lists the clients of this machine.".to_owned(),
            false => "See calls as they happen: toolgate logs --follow".to_owned(),
        }
    }

    fn document(&self, since: Timestamp) -> Value {
        let place = |place: &Place| {
            json!({
                "client": place.client.id, "file": place.file.path, "entry": place.entry.key,
                "enabled": place.entry.enabled,
            })
        };
        let servers = self.lines.iter().map(|line| {
            json!({
                "server": line.covered.server, "policy": line.covered.policy, "mode": line.mode.as_str(),
                "calls": line.calls.all, "stopped": line.calls.stopped, "would_stop": line.calls.would,
                "held": line.held.as_ref().ok(), "entries": line.covered.entries.iter().map(place).collect::<Vec<_>>(),
            })
        });
        let left = self.machine.left.iter().map(|(at, why)| {
            let mut left = place(at);
            if let Some(fields) = left.as_object_mut() {
                fields.insert("why".to_owned(), why.as_str().into());
            }
            left
        });
        let broken = self.machine.broken.iter().map(|(file, why)| json!({ "file": file, "error": why }));
        json!({
            "since": since.to_string(), "data": self.data, "servers": servers.collect::<Vec<_>>(),
            "bare": self.machine.bare.iter().map(place).collect::<Vec<_>>(),
            "not_covered": left.collect::<Vec<_>>(), "broken": broken.collect::<Vec<_>>(), "next": self.next(),
        })
    }
}

/// An option with its value as words of a shell, also where the value looks like an option.
pub fn option_words(option: &str, value: &str) -> String {
    let between = if value.starts_with('-') { "=" } else { " " };
    format!("{option}{between}{}", shell_word(Path::new(value)))
}

/// A path as a word of a shell.
pub fn shell_word(path: &Path) -> String {
    let text = visible(&path.display().to_string());
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
