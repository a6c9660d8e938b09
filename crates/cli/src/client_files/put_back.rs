//! A change taken back: the very bytes where nobody else has written since, else each entry by itself.

use clients::{Edit, PathPattern, Restored, State, Surface, Table};

use super::found::{File, bytes};
use super::journal::{self, Change, Journal, Line};
use super::write;

/// What became of a change.
#[derive(Debug, Default)]
pub struct PutBack {
    /// Whether the file is byte for byte as before.
    pub whole: bool,
    /// Entries that were left alone, for people to read.
    pub conflicts: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// Takes a change back.
///
/// # Errors
/// Why the file was left alone.
pub fn put_back(table: &Table, journal: &Journal, change: &Change) -> Result<PutBack, String> {
    let mut doing = Doing { table, journal, change, back: PutBack::default() };
    if !change.file.exists() {
        match &change.created {
            Some(_) => doing.back.whole = true,
            None => doing.back.notes.push("the file is gone, so there is nothing to put back".to_owned()),
        }
    } else if let Some(folders) = &change.created
        && bytes(&change.file).is_ok_and(|now| journal::sha256(&now) == change.after)
    {
        write::remove(&change.file, &change.within, folders)?;
        doing.back.whole = true;
    } else {
        write::replace(&change.file, &change.within, &mut doing)?;
        doing.back.whole = bytes(&change.file).is_ok_and(|now| journal::sha256(&now) == change.before);
    }
    if doing.back.conflicts.is_empty() {
        journal.append(&Line::Undone { change: change.id.clone() })?;
    }
    Ok(doing.back)
}

struct Doing<'a> {
    table: &'a Table,
    journal: &'a Journal,
    change: &'a Change,
    back: PutBack,
}

impl write::Change for Doing<'_> {
    fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.back = PutBack::default();
        let now = journal::sha256(bytes);
        if now == self.change.before {
            return Ok(None);
        }
        if now == self.change.after
            && let Some(kept) = self.journal.kept(&self.change.before)
        {
            return Ok(Some(kept));
        }
        self.each_entry(bytes)
    }
}

impl Doing<'_> {
    fn each_entry(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let name = &self.change.client;
        let client = self.table.client(name).ok_or_else(|| format!("the client {name} is not known any more"))?;
        let file = File {
            path: self.change.file.clone(),
            scope: clients::Scope::User,
            surfaces: surfaces(&client.surfaces, self.change),
        };
        let contents = file.parse(client, bytes)?;
        let mut whole: Option<Edit> = None;
        for changed in &self.change.entries {
            let key = audit::visible::word(changed.place.last().map_or("", String::as_str)).to_string();
            let Some(entry) = contents.entries.iter().find(|entry| entry.place == changed.place) else {
                self.back.notes.push(format!("{key} is not there any more, so it stays away"));
                continue;
            };
            if changed.original.is_empty() {
                let as_written = contents.document.text_of(entry).is_ok_and(|now| now == changed.written);
                if !as_written {
                    self.back.conflicts.push(format!(
                        "The entry {key} was changed after toolgate added it, so it stays: remove it by hand.\n"
                    ));
                    continue;
                }
                let edit = contents.document.remove(entry).map_err(|refusal| format!("{key}: {refusal}"))?;
                whole = Some(match whole {
                    None => edit,
                    Some(whole) => whole.and(&edit).ok_or_else(|| format!("{key} cannot be told apart"))?,
                });
                continue;
            }
            let restored = contents.document.restore(&changed.original, &changed.written, entry);
            match restored.map_err(|refusal| format!("{key}: {refusal}"))? {
                Restored::Edit(edit) => {
                    whole = match whole {
                        None => Some(edit),
                        Some(whole) => Some(whole.and(&edit).ok_or_else(|| format!("{key} cannot be told apart"))?),
                    };
                }
                Restored::Conflict(_) if !matches!(entry.state, State::Wrapped(_)) => {
                    self.back.notes.push(format!("{key} was changed, and does not start toolgate: it stays as it is"));
                }
                Restored::Conflict(conflict) => self.back.conflicts.push(conflict.to_string()),
            }
        }
        whole.map(|edit| edit.apply(bytes).map_err(|stale| stale.to_string())).transpose()
    }
}

/// The surfaces that a file of that name may be of, each way to servers once.
fn surfaces(all: &[Surface], change: &Change) -> Vec<Surface> {
    let name = change.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let named = |surface: &&Surface| {
        let mut paths = surface.path.iter();
        paths.any(|path| PathPattern::matches(path.rsplit('/').next().unwrap_or_default(), &name))
    };
    let mut found: Vec<Surface> = all.iter().filter(named).cloned().collect();
    if found.is_empty() {
        // A variable had moved it.
        found = all.to_vec();
    }
    let mut once: Vec<Surface> = Vec::new();
    for surface in found {
        if !once.iter().any(|known| known.pointer == surface.pointer && known.list == surface.list) {
            once.push(surface);
        }
    }
    once
}
