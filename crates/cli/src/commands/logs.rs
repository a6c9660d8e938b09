//! `toolgate logs`: what was decided, for people and for programs; on this machine, or at an instance by all replicas.

mod decided;

use std::collections::{BTreeSet, VecDeque};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use audit::{Effect, Filter, Kind, Record, Rows, Wanted};
use store::log::{Begin, Cursor, Entry};

use crate::activity;
use crate::api::api_if_named;
use crate::args::LogsOptions;
use crate::environment::audit_log;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// How often new records are looked for.
const EVERY: Duration = Duration::from_millis(200);

/// Shows the log.
pub fn logs(options: &LogsOptions) -> Result<ExitCode, Failure> {
    // What stands on the command line wins over a variable.
    let here = options.data.dir.is_some() && options.place.instance.is_none();
    if let Some(api) = if here { None } else { api_if_named(&options.place)? } {
        return decided::logs(&api, options);
    }
    let elsewhere = [
        ("--rule", options.rule.is_some()),
        ("--approval", options.approval.is_some()),
        ("--until", options.until.is_some()),
        ("--export", options.export.is_some()),
    ];
    if let Some((name, _)) = elsewhere.into_iter().find(|(_, given)| *given) {
        return Err(Failure::Usage(format!(
            "{name} is for an instance: name one with --instance or $TOOLGATE_INSTANCE"
        )));
    }
    let audit = audit_log(options.data.dir.as_deref())?;
    let since = options.since.as_deref().map(activity::since).transpose()?;
    let mut filter = Filter::new(Wanted {
        denied: options.denied,
        since,
        effect: options.effect.as_deref().map(effect).transpose()?,
        tool: options.tool.clone(),
        grant: options.grant.clone(),
        server: options.server.clone(),
    });
    let mut cursor = Cursor::open(&audit, since.map_or(Begin::Oldest, Begin::Since)).trying("the audit log")?;
    let mut last: VecDeque<Entry> = VecDeque::new();
    let mut printer = Printer { rows: Rows::default(), json: options.json, colour: std::io::stdout().is_terminal() };
    let mut servers = Servers::new(options);
    while let Some(entry) = cursor.next().trying("the audit log")? {
        servers.see(&entry);
        if filter.matches(&entry.record) && shown(&entry.record, options.json) {
            if last.len() >= options.lines {
                last.pop_front();
            }
            last.push_back(entry);
        }
    }
    for entry in last {
        if !printer.print(&entry) {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if cursor.damaged() > 0 {
        tell!(
            "toolgate: {} of the log cannot be read as records; `toolgate audit verify` says where",
            super::counted(cursor.damaged(), "line")
        );
    }
    servers.tell();
    if !options.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(EVERY);
        while let Some(entry) = cursor.next().trying("the audit log")? {
            if filter.matches(&entry.record) && shown(&entry.record, options.json) && !printer.print(&entry) {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// Signatures are for programs.
fn shown(record: &Record, json: bool) -> bool {
    json || record.kind != Kind::Checkpoint
}

/// The servers that records name, for one who asked for a server: a name that was mistyped is told from a quiet server.
struct Servers {
    asked: Option<String>,
    since: Option<String>,
    filter: Filter,
    is_named: bool,
    others: BTreeSet<String>,
}

impl Servers {
    fn new(options: &LogsOptions) -> Self {
        let filter = Filter::new(Wanted { server: options.server.clone(), ..Wanted::default() });
        let (asked, since) = (options.server.clone(), options.since.clone());
        Self { asked, since, filter, is_named: false, others: BTreeSet::new() }
    }

    fn see(&mut self, entry: &Entry) {
        if self.asked.is_none() || self.is_named {
            return;
        }
        self.is_named = self.filter.matches(&entry.record);
        if let Some(server) = entry.record.server.as_deref().filter(|server| !self.others.contains(*server)) {
            self.others.insert(server.to_owned());
        }
    }

    /// Says so, where no record names the one that was asked for.
    fn tell(&self) {
        let Some(asked) = self.asked.as_deref().filter(|_| !self.is_named) else { return };
        let when = self.since.as_deref().map(|since| format!(" within --since {since}")).unwrap_or_default();
        let others: Vec<_> = self.others.iter().map(|server| audit::visible::word(server)).collect();
        let others = match others.is_empty() {
            true => "nor any other".to_owned(),
            false => format!("only {}", others.join(", ")),
        };
        tell!("toolgate: no record{when} names the server {}, {others}", audit::visible::word(asked));
    }
}

struct Printer {
    rows: Rows,
    json: bool,
    colour: bool,
}

impl Printer {
    /// Prints a record; false when nobody reads on.
    fn print(&mut self, entry: &Entry) -> bool {
        let mut out = std::io::stdout().lock();
        let printed = if self.json {
            writeln!(out, "{}", entry.line)
        } else {
            let row = self.rows.row(&entry.record);
            let (on, off) = match (self.colour, row.is_bad) {
                (false, _) => ("", ""),
                (true, true) => ("\x1b[31m", "\x1b[0m"),
                (true, false) => ("\x1b[32m", "\x1b[0m"),
            };
            writeln!(out, "{}  {on}{:<10}{off}  {:<28}  {}", row.time, row.verdict, row.subject, row.details)
        };
        printed.and_then(|()| out.flush()).is_ok()
    }
}

fn effect(word: &str) -> Result<Effect, Failure> {
    Ok(match word {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        "hide" => Effect::Hide,
        "ask" => Effect::Ask,
        other => return Err(Failure::Usage(format!("--effect `{other}`: use allow, deny, hide or ask"))),
    })
}
