//! `toolgate undo`: takes back what `wrap` and `unwrap` have changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::UndoOptions;
use crate::client_files::found::table;
use crate::client_files::journal::{Change, Journal};
use crate::client_files::put_back::{PutBack, Taken, put_back};
use crate::client_files::{secrets, shown as path_shown, supported, visible};
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::commands::status::shell_word;
use crate::environment::{data_dir, home, policies, secrets as secrets_folder};
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
        let is_left = done.iter().any(|(_, back)| back.as_ref().map_or(true, |back| !back.conflicts.is_empty()));
        let users = match taken.change.client == secrets::CLIENT {
            true => secrets::users(&taken.change.file),
            false => Vec::new(),
        };
        let back = match (taken.change.client == secrets::CLIENT && is_left, users.as_slice()) {
            (true, _) => Err(secrets::IN_USE.to_owned()),
            (false, []) => put_back(&table, &journal, &taken),
            (false, users) => Err(secrets::needed(users)),
        };
        done.push((taken.change, back));
    }
    let open = journal.open_changes()?.len();
    let stays = stays(&done, &data);
    if options.json {
        let files: Vec<Value> = done.iter().map(|(change, back)| document(change, back)).collect();
        let stays_json = stays.iter().map(|(path, what)| json!({ "path": path, "what": what }));
        let stays_json: Vec<Value> = stays_json.collect();
        output::text(
            &(printed(&json!({ "files": files, "open": open, "stays": stays_json })).trying("the report")? + "\n"),
        )?;
    } else {
        for (change, back) in &done {
            let file = path_shown(&change.file, &home);
            match back {
                Err(why) => say!("{file}: {}", visible(why))?,
                Ok(back) => {
                    match (back.whole, back.conflicts.is_empty()) {
                        (true, _) if !change.file.exists() => say!("{file}: gone again, as it was before")?,
                        (true, _) => say!("{file}: byte for byte as it was before")?,
                        (false, true) if change.client == secrets::CLIENT => say!("{file}: left as it is")?,
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
        if open > 0 {
            say!(
                "{} of earlier runs, or left alone above, can still be undone: toolgate undo --all",
                counted(open, "change")
            )?;
        } else if !stays.is_empty() {
            say!("What stays is yours:")?;
            stays.iter().try_for_each(|(path, what)| say!("  {}: {what}", path_shown(path, &home)))?;
            // Of these there may be no other copy, so nobody is told to remove them without a look.
            let others = stays.iter().filter(|(_, what)| ![SECRETS, INSTANCE].contains(what));
            let words: Vec<String> = others.map(|(path, _)| shell_word(path)).collect();
            if !words.is_empty() {
                say!("To remove that too: rm -r {}", words.join(" "))?;
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

/// What is said of the folder of secrets.
const SECRETS: &str =
    "secrets that were moved there; those that changed since may stand nowhere else: look before you remove it";

/// What is said of a data directory in which an instance lies.
const INSTANCE: &str = "an instance of toolgate serve, with its keys, tables and log, beside the copies of files from which changes are undone: nothing opens its secrets again when the keys are gone, so make a backup before you remove it";

/// What toolgate has made beside the changes, and keeps.
fn stays(done: &[(Change, Result<PutBack, String>)], data: &Path) -> Vec<(PathBuf, &'static str)> {
    const DATA: &str = "the log of calls, counts, a catalogue, and the copies of files from which changes are undone";
    const POLICIES: &str = "policies, with the definitions of tools that were accepted (toolgate.lock)";
    let projects: BTreeSet<PathBuf> = done.iter().map(|(change, _)| change.within.join(".toolgate")).collect();
    let own = [
        (policies().ok(), POLICIES),
        (secrets_folder().ok(), SECRETS),
        (Some(data.to_path_buf()), if holds_an_instance(data) { INSTANCE } else { DATA }),
    ];
    let own = own.into_iter().filter_map(|(path, what)| Some((path?, what)));
    let all = projects.into_iter().map(|path| (path, POLICIES)).chain(own);
    all.filter(|(path, _)| path.is_dir()).collect()
}

/// Whether tables or master keys lie there, be it with tables in PostgreSQL.
fn holds_an_instance(data: &Path) -> bool {
    ["control.db", "keys/master"].iter().any(|file| data.join(file).exists())
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
