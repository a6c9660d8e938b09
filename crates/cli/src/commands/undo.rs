//! `toolgate undo`: takes back what `wrap` and `unwrap` have changed.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::UndoOptions;
use crate::client_files::found::table;
use crate::client_files::journal::{Change, Journal};
use crate::client_files::put_back::{PutBack, Taken, put_back};
use crate::client_files::{shown as path_shown, supported, visible};
use crate::commands::scan::json::printed;
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};

/// Takes back.
pub fn undo(options: &UndoOptions) -> Result<ExitCode, Failure> {
    supported()?;
    let (table, home, data) = (table()?, home()?, data_dir(options.data.dir.as_deref())?);
    let nothing = || {
        if options.json { output::text("{\n  \"files\": []\n}\n") } else { say!("Nothing to undo: no change is open.") }
    };
    // What only looks makes no directory.
    if Journal::changes(&data)?.is_empty() {
        nothing()?;
        return Ok(ExitCode::SUCCESS);
    }
    let journal = Journal::open(&data)?;
    let mut changes = journal.open_changes()?;
    if !options.all {
        let last = changes.last().map(|change| change.run.clone());
        changes.retain(|change| Some(&change.run) == last.as_ref());
    }
    let mut done: Vec<(Change, Result<PutBack, String>)> = Vec::new();
    for taken in Taken::of(changes) {
        let back = put_back(&table, &journal, &taken);
        done.push((taken.change, back));
    }
    if options.json {
        let files: Vec<Value> = done.iter().map(|(change, back)| document(change, back)).collect();
        output::text(&(printed(&json!({ "files": files })).trying("the report")? + "\n"))?;
    } else {
        for (change, back) in &done {
            let file = path_shown(&change.file, &home);
            match back {
                Err(why) => say!("{file}: {}", visible(why))?,
                Ok(back) => {
                    match (back.whole, back.conflicts.is_empty()) {
                        (true, _) if !change.file.exists() => say!("{file}: gone again, as it was before")?,
                        (true, _) => say!("{file}: byte for byte as it was before")?,
                        (false, true) => {
                            say!("{file}: its servers are as they were before; what else changed since stays")?
                        }
                        (false, false) => say!("{file}: not all of it was put back")?,
                    }
                    back.notes.iter().try_for_each(|note| say!("  {note}"))?;
                    back.conflicts.iter().try_for_each(|conflict| output::text(conflict))?;
                }
            }
        }
    }
    let left = done.iter().filter(|(_, back)| back.as_ref().map_or(true, |back| !back.conflicts.is_empty())).count();
    match left {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::No(
            "not everything was put back, as said above: correct it by hand, or try toolgate unwrap".to_owned(),
        )),
    }
}

fn document(change: &Change, back: &Result<PutBack, String>) -> Value {
    match back {
        Err(why) => json!({ "client": change.client, "file": change.file, "error": why }),
        Ok(back) => json!({
            "client": change.client, "file": change.file, "byte_identical": back.whole, "notes": back.notes,
            "conflicts": back.conflicts,
        }),
    }
}
