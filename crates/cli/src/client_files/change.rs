//! The gateway before servers, or out again: planned for people to see, then done file by file.

use std::path::{Path, PathBuf};

use clients::{Client, Edit, Entry, Launch, Refusal, State, Wrapped, Wrapper};

use super::found::{Contents, File};
use super::journal::{self, Changed, Journal, Line};
use super::newest::{self, Newest};
use super::policies::{self, Wanted};
use super::put_back::{Way, back_to};
use super::secrets::{self, Moved};
use super::write;
use crate::env_file;

/// What is done to an entry.
#[derive(Debug)]
pub enum What {
    /// The gateway is put before it.
    Before(Wrapper),
    /// Its secrets leave it; the gateway stands there already.
    SecretsOut,
    /// The gateway is taken out.
    Out,
    /// What a run has done to it is taken back.
    Back(String),
}

/// What becomes of one entry.
#[derive(Debug)]
pub struct Planned {
    /// The name of the server.
    pub key: String,
    /// The keys down to it.
    pub place: Vec<String>,
    /// How it was reached when it was shown.
    pub launch: Launch,
    /// The folder in which it is started, where its entry names one.
    pub cwd: Option<String>,
    /// What is done to it.
    pub what: What,
    /// The policy that is to be there.
    pub policy: Option<Wanted>,
    /// The secrets that leave it.
    pub secrets: Option<Moved>,
    /// What looks like a secret and stays in it, where they are to leave.
    pub stays: Vec<String>,
    /// Whether its client uses it.
    pub enabled: bool,
}

/// What becomes of one file.
#[derive(Debug)]
pub struct Plan {
    /// Its client.
    pub client: Client,
    /// The file.
    pub file: File,
    /// The folder that it may not leave.
    pub within: PathBuf,
    /// Its entries.
    pub planned: Vec<Planned>,
}

/// What is made of a document.
pub struct Made {
    /// Its bytes afterwards.
    pub bytes: Vec<u8>,
    /// The entries before and afterwards.
    pub entries: Vec<Changed>,
}

impl Planned {
    /// Whether the entry is as it should be.
    fn is_done(&self, entry: &Entry) -> bool {
        match (&self.what, &entry.state) {
            (What::Before(_), state) => matches!(state, State::Wrapped(_)),
            (What::Out, state) => !matches!(state, State::Wrapped(_)),
            (What::SecretsOut, State::Wrapped(now)) => secrets::file_of(&now.options).is_some(),
            (What::SecretsOut | What::Back(_), _) => false,
        }
    }

    /// The change of the one entry of a file of a client.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn edit(
        &self,
        contents: &Contents,
        entry: &Entry,
        of: (&File, &Client),
        known: &[journal::Change],
    ) -> Result<Edit, String> {
        let document = &contents.document;
        let refused = |refusal: Refusal| refusal.to_string();
        match (&self.what, &self.secrets) {
            (What::Before(wrapper), Some(moved)) => {
                document.wrap_without(entry, wrapper, &moved.names()).map_err(refused)
            }
            (What::Before(wrapper), None) => document.wrap(entry, wrapper).map_err(refused),
            (What::SecretsOut, Some(moved)) => {
                document.move_out(entry, &moved.option()?, &moved.names()).map_err(refused)
            }
            (What::SecretsOut, None) => Err("there is nothing to move".to_owned()),
            (What::Back(run), _) => {
                let steps = steps(entry, of.0, known.iter().filter(|change| change.run == *run));
                let edit = back_to(of, contents, entry, &steps, Way::Whole).map_err(refused)?;
                edit.ok_or_else(|| "it was changed since".to_owned())
            }
            (What::Out, _) => match &entry.state {
                State::Wrapped(wrapped) => out(contents, entry, wrapped, of, known),
                State::Bare | State::NotCovered(_) => document.unwrap(entry).map_err(refused),
            },
        }
    }
}

/// What was done to an entry, the last first.
fn steps<'a>(entry: &Entry, file: &File, known: impl DoubleEndedIterator<Item = &'a journal::Change>) -> Vec<Changed> {
    let of_file = known.rev().filter(|change| change.file == super::found::real(&file.path));
    let of_it = of_file.flat_map(|change| &change.entries).filter(|step| step.place == entry.place);
    of_it.filter(|step| !step.original.is_empty()).cloned().collect()
}

/// The entry without the gateway: as it stood before, with the newest values of secrets that had left it.
fn out(
    contents: &Contents,
    entry: &Entry,
    wrapped: &Wrapped,
    of: (&File, &Client),
    known: &[journal::Change],
) -> Result<Edit, String> {
    let document = &contents.document;
    let refused = |refusal: Refusal| refusal.to_string();
    let restored = back_to(of, contents, entry, &steps(entry, of.0, known.iter()), Way::Bare).ok().flatten();
    let Some(path) = secrets::file_of(&wrapped.options) else {
        return restored.map_or_else(|| document.unwrap(entry).map_err(refused), Ok);
    };
    match (newest::of(path, known)?, restored) {
        (Newest::AsMade | Newest::Gone, Some(edit)) => Ok(edit),
        (Newest::Renewed(variables), Some(edit)) => {
            let before = edit.apply(&document.bytes()).map_err(|stale| stale.to_string())?;
            let renewed = newest::renewed(of, before, &entry.place, wrapped, &variables);
            let after = renewed.and_then(|(bytes, _)| Ok(of.0.parse(of.1, &bytes)?.document));
            match after {
                Ok(after) => document.until(&after).map_err(refused),
                Err(_) => document.unwrap_with(entry, &variables).map_err(refused),
            }
        }
        (Newest::Renewed(variables), None) => document.unwrap_with(entry, &variables).map_err(refused),
        (Newest::AsMade | Newest::Gone, None) => match env_file::read(path) {
            Ok(variables) => document.unwrap_with(entry, &variables).map_err(refused),
            Err(why) => Err(format!("its secrets belong in {}, and {why}", path.display())),
        },
    }
}

impl Plan {
    /// What is made of the file as it stands now; none, where it is as it should be.
    ///
    /// # Errors
    /// Why it is left alone.
    pub fn make(&self, bytes: &[u8], known: &[journal::Change]) -> Result<Option<(Edit, Made)>, String> {
        let contents = self.file.parse(&self.client, bytes)?;
        let mut whole: Option<Edit> = None;
        let mut changed = Vec::new();
        for planned in &self.planned {
            let name = audit::visible::word(&planned.key);
            let entry = contents.entries.iter().find(|entry| entry.place == planned.place);
            let entry = entry.ok_or_else(|| format!("the server {name} is gone since it was read"))?;
            if planned.is_done(entry) {
                continue;
            }
            if entry.launch != planned.launch {
                return Err(format!("the server {name} was changed since it was read: look at it, and try again"));
            }
            let edit = planned
                .edit(&contents, entry, (&self.file, &self.client), known)
                .map_err(|why| format!("{name}: {why}"))?;
            changed.push(entry);
            whole = match whole {
                None => Some(edit),
                Some(whole) => {
                    Some(whole.and(&edit).ok_or_else(|| format!("{name} and another server stand in one place"))?)
                }
            };
        }
        let Some(edit) = whole else { return Ok(None) };
        let after = edit.apply(bytes).map_err(|stale| stale.to_string())?;
        let then =
            self.file.parse(&self.client, &after).map_err(|why| format!("it could not be read afterwards: {why}"))?;
        let entries = changed.iter().map(|entry| {
            let written = then.entries.iter().find(|now| now.place == entry.place);
            let written = written.and_then(|now| then.document.text_of(now).ok());
            let original = contents.document.text_of(entry).ok();
            let (original, written) = original.zip(written).ok_or("an entry would be lost")?;
            Ok(Changed { place: entry.place.clone(), original: original.to_owned(), written: written.to_owned() })
        });
        let entries = entries.collect::<Result<_, &str>>()?;
        Ok(Some((edit, Made { bytes: after, entries })))
    }

    /// What changes, for people to read.
    ///
    /// # Errors
    /// Why nothing can change.
    pub fn diff(&self, name: &str, known: &[journal::Change]) -> Result<String, String> {
        let bytes = super::found::bytes(&self.file.path)?;
        let Some((edit, _)) = self.make(&bytes, known)? else { return Ok(String::new()) };
        let contents = self.file.parse(&self.client, &bytes)?;
        contents.document.diff(&edit, name).map_err(|refusal| refusal.to_string())
    }

    /// Does it; whether there was something to do.
    ///
    /// # Errors
    /// Why the file was left alone.
    pub fn apply(&self, journal: &Journal, run: &str, known: &[journal::Change]) -> Result<bool, String> {
        self.planned.iter().filter_map(|planned| planned.policy.as_ref()).try_for_each(policies::write)?;
        let mut made: Vec<&Moved> = Vec::new();
        // Secrets are in their file before they leave this one.
        let moved = self.planned.iter().filter_map(|planned| planned.secrets.as_ref()).try_for_each(|moved| {
            if moved.write(journal, run)? {
                made.push(moved);
            }
            Ok(())
        });
        let done = moved.and_then(|()| {
            let mut make = |bytes: &[u8]| Ok(self.make(bytes, known)?.map(|(_, made)| made));
            let mut noted = Noted::new(journal, run, &self.client.id, &self.file.path, &self.within, &mut make);
            write::replace(&self.file.path, &self.within, &mut noted)
        });
        if done != Ok(true) {
            made.iter().filter(|moved| !self.names(&moved.path)).for_each(|moved| {
                secrets::take_back(&moved.path, journal, run);
            });
        }
        done
    }

    /// Whether an entry of the file, as it stands now, takes secrets from a file.
    fn names(&self, secrets: &Path) -> bool {
        let entries = self.file.read(&self.client).map(|contents| contents.entries);
        let takes = |entry: &Entry| match &entry.state {
            State::Wrapped(wrapped) => secrets::file_of(&wrapped.options) == Some(secrets),
            State::Bare | State::NotCovered(_) => false,
        };
        // One that cannot be read may.
        entries.map_or(true, |entries| entries.iter().any(takes))
    }
}

/// What makes the bytes of a file; none, where it is as it should be.
type Make<'a> = dyn FnMut(&[u8]) -> Result<Option<Made>, String> + 'a;

/// A change that the journal knows of before the file has it.
pub struct Noted<'a> {
    journal: &'a Journal,
    make: &'a mut Make<'a>,
    change: journal::Change,
    /// The folders that were made for the file, where it was not there.
    created: Option<Vec<PathBuf>>,
    open: bool,
}

impl<'a> Noted<'a> {
    /// A change of a file of a client, within a folder, in which nothing stays that a killed run has left.
    pub fn new(
        journal: &'a Journal,
        run: &str,
        client: &str,
        file: &Path,
        within: &Path,
        make: &'a mut Make<'a>,
    ) -> Self {
        let change = journal::Change {
            id: String::new(),
            run: run.to_owned(),
            time: jiff::Timestamp::now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            client: client.to_owned(),
            file: super::found::real(file),
            within: within.to_path_buf(),
            before: String::new(),
            after: String::new(),
            entries: Vec::new(),
            created: None,
        };
        write::sweep(&change.file);
        Self { journal, make, change, created: None, open: false }
    }

    /// The same for a file that is not there, with the folders that are made for it, the outermost first.
    #[must_use]
    pub fn creating(mut self, folders: Vec<PathBuf>) -> Self {
        self.created = Some(folders);
        self
    }
}

impl write::Change for Noted<'_> {
    fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let made = (self.make)(bytes)?;
        Ok(made.map(|made| {
            self.change.entries = made.entries;
            made.bytes
        }))
    }

    fn note(&mut self, before: &[u8], after: &[u8]) -> Result<(), String> {
        // What could not be undone is not done.
        let unchanged = |why: String| format!("it was not changed: {why}");
        self.journal.keep(before).map_err(unchanged)?;
        self.change = journal::Change {
            id: journal::id().map_err(|failure| failure.to_string())?,
            time: jiff::Timestamp::now(),
            before: journal::sha256(before),
            after: journal::sha256(after),
            created: self.created.clone(),
            ..self.change.clone()
        };
        self.open = true;
        self.journal.append(&Line::Change(Box::new(self.change.clone()))).map_err(unchanged)
    }

    fn ended(&mut self, done: bool) -> Result<(), String> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        let change = self.change.id.clone();
        self.journal.append(&if done { Line::Done { change } } else { Line::Dropped { change } })
    }
}

/// The folder that a file may not leave: the project, the home, or where a variable has moved it.
pub fn within(path: &Path, home: &Path, project: Option<&Path>) -> PathBuf {
    let folders = project.into_iter().chain([home]);
    let named = folders.into_iter().find(|folder| path.starts_with(folder));
    named.or(path.parent()).unwrap_or(home).to_path_buf()
}
