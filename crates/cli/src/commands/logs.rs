//! `toolgate logs`: what was decided, for people and for programs.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use audit::{Effect, Filter, Rows, Wanted};
use store::log::{Begin, Cursor, Entry};

use crate::activity;
use crate::args::LogsOptions;
use crate::environment::existing_data;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// How often new records are looked for.
const EVERY: Duration = Duration::from_millis(200);

/// Shows the log.
pub fn logs(options: &LogsOptions) -> Result<ExitCode, Failure> {
    let data = existing_data(options.data.dir.as_deref())?;
    let since = options.since.as_deref().map(activity::since).transpose()?;
    let mut filter = Filter::new(Wanted {
        denied: options.denied,
        since,
        effect: options.effect.as_deref().map(effect).transpose()?,
        tool: options.tool.clone(),
        grant: options.grant.clone(),
        server: options.server.clone(),
    });
    let mut cursor = Cursor::open(&data.audit(), since.map_or(Begin::Oldest, Begin::Since)).trying("the audit log")?;
    let mut last: VecDeque<Entry> = VecDeque::new();
    let mut printer = Printer { rows: Rows::default(), json: options.json, colour: std::io::stdout().is_terminal() };
    while let Some(entry) = cursor.next().trying("the audit log")? {
        if filter.matches(&entry.record) {
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
    if !options.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        std::thread::sleep(EVERY);
        while let Some(entry) = cursor.next().trying("the audit log")? {
            if filter.matches(&entry.record) && !printer.print(&entry) {
                return Ok(ExitCode::SUCCESS);
            }
        }
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
