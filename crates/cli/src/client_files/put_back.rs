//! Changes of a file taken back: the very bytes where nobody else has written since, else each entry by itself.

use std::collections::BTreeSet;

use clients::{Client, Edit, Entry, PathPattern, Refusal, Restored, State, Surface, Table};

use super::found::{Contents, File, bytes};
use super::journal::{self, Change, Changed, Journal, Line};
use super::newest::{self, Newest};
use super::{secrets, write};
use crate::environment::home;

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

/// Changes of one file that are taken back at once: what stands there between the first and the last of them, such as
/// the gateway that a later run took out, does not come back.
#[derive(Debug)]
pub struct Taken {
    /// Their ids.
    ids: Vec<String>,
    /// From before the first to after the last.
    pub change: Change,
    /// The digests of the bytes before each.
    befores: Vec<String>,
    /// Whether nobody else has written between them.
    unbroken: bool,
    /// What was done to each entry, the last first.
    entries: Vec<Vec<Changed>>,
}

impl Taken {
    /// Changes in the order in which they were made, file by file; the file that was changed last comes first.
    pub fn of(changes: Vec<Change>) -> Vec<Self> {
        let mut files: Vec<Self> = Vec::new();
        for change in changes {
            let same = |known: &Self| known.change.file == change.file && known.change.client == change.client;
            let mut taken = match files.iter().position(same) {
                Some(at) => files.remove(at),
                None => {
                    let first = Change { after: change.before.clone(), ..change.clone() };
                    Self { ids: Vec::new(), change: first, befores: Vec::new(), unbroken: true, entries: Vec::new() }
                }
            };
            taken.add(change);
            files.push(taken);
        }
        files.reverse();
        files
    }

    fn add(&mut self, change: Change) {
        self.unbroken &= self.change.after == change.before;
        self.change.after = change.after;
        self.befores.push(change.before);
        self.ids.push(change.id);
        for changed in change.entries {
            let same = |steps: &&mut Vec<Changed>| steps.first().is_some_and(|step| step.place == changed.place);
            match self.entries.iter_mut().find(same) {
                Some(steps) => steps.insert(0, changed),
                None => self.entries.push(vec![changed]),
            }
        }
    }

    /// Whether a file of this digest is as the last change left it, and holds no change but these.
    fn is_as_left(&self, now: &str) -> bool {
        self.unbroken && now == self.change.after
    }
}

/// Takes changes back.
///
/// # Errors
/// Why the file was left alone.
pub fn put_back(table: &Table, journal: &Journal, taken: &Taken) -> Result<PutBack, String> {
    let change = &taken.change;
    let known = journal.open_changes().map_err(|failure| failure.to_string())?;
    let mut doing = Doing { table, journal, taken, known, back: PutBack::default() };
    write::sweep(&change.file);
    if !change.file.exists() {
        match &change.created {
            Some(_) => doing.back.whole = true,
            None => doing.back.notes.push("the file is gone, so there is nothing to put back".to_owned()),
        }
    } else if let Some(folders) = &change.created
        && bytes(&change.file).is_ok_and(|now| taken.is_as_left(&journal::sha256(&now)))
    {
        write::remove(&change.file, &change.within, folders)?;
        doing.back.whole = true;
    } else if change.client == secrets::CLIENT {
        let note =
            "it was changed since it was made, so it stays: before you delete it, see that its values are elsewhere";
        doing.back.notes.push(note.to_owned());
    } else {
        write::replace(&change.file, &change.within, &mut doing)?;
        doing.back.whole = bytes(&change.file).is_ok_and(|now| journal::sha256(&now) == change.before);
    }
    if doing.back.conflicts.is_empty() {
        let noted = taken.ids.iter().try_for_each(|id| journal.append(&Line::Undone { change: id.clone() }));
        noted.map_err(|why| format!("it is put back, which could not be noted: {why}"))?;
    }
    Ok(doing.back)
}

struct Doing<'a> {
    table: &'a Table,
    journal: &'a Journal,
    taken: &'a Taken,
    /// What the journal holds.
    known: Vec<Change>,
    back: PutBack,
}

impl write::Change for Doing<'_> {
    fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.back = PutBack::default();
        let now = journal::sha256(bytes);
        if now == self.taken.change.before {
            return Ok(None);
        }
        let kept = self.taken.is_as_left(&now).then(|| self.journal.kept(&self.taken.change.before)).flatten();
        let after = match kept {
            Some(kept) => Some(kept),
            None => self.each_entry(bytes)?,
        };
        after.map(|after| self.newest(bytes, after)).transpose()
    }
}

impl Doing<'_> {
    /// The file, and the client that reads it.
    fn file(&self) -> Result<(File, &Client), String> {
        let name = &self.taken.change.client;
        let client = self.table.client(name).ok_or_else(|| format!("the client {name} is not known any more"))?;
        let path = self.taken.change.file.clone();
        let surfaces = surfaces(&client.surfaces, &self.taken.change);
        Ok((File { path, scope: clients::Scope::User, surfaces }, client))
    }

    /// What is put back, with the newest values of secrets that come back with it.
    fn newest(&mut self, bytes: &[u8], mut after: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut notes = Vec::new();
        // What nobody can read names no file of secrets.
        let Ok((file, client)) = self.file() else { return Ok(after) };
        let Ok(now) = file.parse(client, bytes) else { return Ok(after) };
        let before = self.taken.befores.iter().rev().filter_map(|sha| self.journal.kept(sha));
        let before = before.filter_map(|bytes| file.parse(client, &bytes).ok()).flat_map(|contents| contents.entries);
        let taken = |entry: &Entry| {
            self.taken.entries.iter().any(|steps| steps.first().is_some_and(|step| step.place == entry.place))
        };
        let launch = |entries: &[Entry], place: &[String]| {
            entries.iter().find(|entry| entry.place == place).map(|entry| entry.launch.clone())
        };
        let mut seen = BTreeSet::new();
        // The gateway may have been taken out meanwhile.
        for entry in now.entries.iter().cloned().chain(before).filter(taken) {
            let State::Wrapped(wrapped) = &entry.state else { continue };
            let Some(path) = secrets::file_of(&wrapped.options) else { continue };
            let then = file.parse(client, &after).map_err(|why| format!("it could not be read afterwards: {why}"))?;
            let is_left = launch(&now.entries, &entry.place) == launch(&then.entries, &entry.place);
            if is_left || !seen.insert(entry.place.clone()) {
                continue;
            }
            let key = audit::visible::word(&entry.key);
            let shown = home().map_or_else(|_| path.display().to_string(), |home| super::shown(path, &home));
            match newest::of(path, &self.known).map_err(|why| format!("{key}: {why}"))? {
                Newest::AsMade => {}
                Newest::Gone => notes.push(format!("{key}: {shown} is gone, so its values are those of before")),
                Newest::Renewed(variables) => {
                    let renewed = newest::renewed((&file, client), after, &entry.place, wrapped, &variables);
                    let (bytes, names) = renewed.map_err(|why| format!("{key}: {why}"))?;
                    after = bytes;
                    if !names.is_empty() {
                        let names = super::visible(&names.join(", "));
                        notes.push(format!("{key}: {names} as {shown} says by now, and not as it was before"));
                    }
                }
            }
        }
        self.back.notes.extend(notes);
        Ok(after)
    }

    fn each_entry(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let (file, client) = self.file()?;
        let client = client.clone();
        let contents = file.parse(&client, bytes)?;
        let mut whole: Option<Edit> = None;
        for steps in &self.taken.entries {
            let Some(last) = steps.first() else { continue };
            let key = audit::visible::word(last.place.last().map_or("", String::as_str)).to_string();
            let Some(entry) = contents.entries.iter().find(|entry| entry.place == last.place) else {
                self.back.notes.push(format!("{key} is not there any more, so it stays away"));
                continue;
            };
            let refused = |refusal: Refusal| format!("{key}: {refusal}");
            let edit = match back_to((&file, &client), &contents, entry, steps, Way::Whole).map_err(refused)? {
                Some(edit) => edit,
                None if !matches!(entry.state, State::Wrapped(_)) && !last.original.is_empty() => {
                    self.back.notes.push(format!("{key} was changed, and does not start toolgate: it stays as it is"));
                    continue;
                }
                None => {
                    self.back.conflicts.push(conflict(&contents, entry, &key, last).map_err(refused)?);
                    continue;
                }
            };
            whole = Some(match whole {
                None => edit,
                Some(whole) => whole.and(&edit).ok_or_else(|| format!("{key} cannot be told apart"))?,
            });
        }
        whole.map(|edit| edit.apply(bytes).map_err(|stale| stale.to_string())).transpose()
    }
}

/// How far an entry goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To before the first step.
    Whole,
    /// To where it stood without the gateway.
    Bare,
}

/// The entry as it stood before the first step, or, where somebody changed it between two, after that and without the
/// gateway; none, where it has to stay as it is. The last step comes first.
///
/// # Errors
/// [`Refusal`], where it cannot be edited.
pub fn back_to(
    (file, client): (&File, &Client),
    contents: &Contents,
    entry: &Entry,
    steps: &[Changed],
    way: Way,
) -> Result<Option<Edit>, Refusal> {
    let document = &contents.document;
    let now = document.text_of(entry)?.to_owned();
    let is_bare = |edit: &Edit| {
        let after = edit.apply(&document.bytes()).ok().and_then(|bytes| file.parse(client, &bytes).ok());
        let entries = after.map(|after| after.entries).unwrap_or_default();
        entries.iter().any(|one| one.place == entry.place && !matches!(one.state, State::Wrapped(_)))
    };
    let (mut text, mut reached, mut begun) = (now.as_str(), None, false);
    for (number, step) in steps.iter().enumerate() {
        let is_first = number + 1 == steps.len();
        if !document.says(text, &step.written) && text != step.original {
            // A step that was noted, and never made.
            if begun {
                break;
            }
            continue;
        }
        begun = true;
        text = &step.original;
        let edit = match text {
            "" => document.remove(entry)?,
            text => match document.restore(text, &now, entry)? {
                Restored::Edit(edit) => edit,
                Restored::Conflict(_) => break,
            },
        };
        if (is_first && way == Way::Whole) || is_bare(&edit) {
            reached = Some(edit);
        }
    }
    Ok(reached)
}

/// What is said of an entry that somebody has changed.
fn conflict(contents: &Contents, entry: &Entry, key: &str, step: &Changed) -> Result<String, Refusal> {
    if !step.original.is_empty()
        && let Restored::Conflict(conflict) = contents.document.restore(&step.original, &step.written, entry)?
    {
        return Ok(conflict.to_string());
    }
    Ok(format!("The entry {key} was changed after toolgate wrote it, so it stays: remove it by hand.\n"))
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
