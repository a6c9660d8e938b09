//! Which servers of this machine the gateway stands before, with which policy, and which stand bare beside them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clients::{Client, Entry, Scope, State, Wrapped};

use super::found::{self, File, Found, policy_of};
use crate::environment::{places, policies};
use crate::failure::{Failure, Trying};

/// The id of a server that names none.
const UNNAMED: &str = "local";

/// What was found.
#[derive(Debug, Default)]
pub struct Machine {
    /// Servers that the gateway stands before, by their ids.
    pub covered: Vec<Covered>,
    /// Servers that it does not stand before, and can.
    pub bare: Vec<Place>,
    /// Servers that it cannot stand before, with the reason.
    pub left: Vec<(Place, String)>,
    /// Files that were read, without links.
    pub files: BTreeSet<PathBuf>,
    /// Files that cannot be read, with the reason.
    pub broken: Vec<(PathBuf, String)>,
}

/// A server that the gateway stands before.
#[derive(Debug)]
pub struct Covered {
    /// Its id, by which the audit log and pins know it.
    pub server: String,
    /// Its policy, as an absolute path; none, where its entry names none.
    pub policy: Option<PathBuf>,
    /// The entries that start it.
    pub entries: Vec<Place>,
}

/// Where a server stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its client.
    pub client: Client,
    /// The file.
    pub file: File,
    /// The entry.
    pub entry: Entry,
}

impl Place {
    /// The name of the server in its client.
    pub fn key(&self) -> String {
        super::visible(&self.entry.key)
    }

    /// Client and file, as people read them.
    pub fn shown(&self, home: &Path) -> String {
        let off = if self.entry.enabled { "" } else { " (off)" };
        format!("{}, {}{off}", self.client.name, super::shown(&self.file.path, home))
    }

    /// The words of the entry, where it starts the gateway.
    pub fn wrapped(&self) -> Option<&Wrapped> {
        match &self.entry.state {
            State::Wrapped(wrapped) => Some(wrapped),
            State::Bare | State::NotCovered(_) => None,
        }
    }
}

impl Covered {
    /// How a person names its policy: by its name in the folder of policies, else by its path.
    pub fn policy_shown(&self, home: &Path) -> String {
        let Some(policy) = &self.policy else { return "no policy".to_owned() };
        let own = policies().is_ok_and(|folder| policy.parent() == Some(folder.as_path()));
        match policy.file_name() {
            Some(name) if own => super::visible(&name.to_string_lossy()),
            _ => super::shown(policy, home),
        }
    }
}

/// Looks at the files of clients: those of the person, and those of the project in the current directory.
///
/// # Errors
/// When there is no home directory, or the table of clients cannot be used.
pub fn machine() -> Result<Machine, Failure> {
    let project = std::env::current_dir().trying("the current directory")?;
    let all = found::all(&found::table()?, &places(Some(&project))?);
    Ok(Machine::of(&all, &project))
}

impl Machine {
    fn of(all: &[Found], project: &Path) -> Self {
        let mut machine = Self::default();
        let mut seen = BTreeSet::new();
        for found in all {
            for file in found.files.iter().filter(|file| file.scope != Scope::Managed) {
                let contents = match file.read(&found.client) {
                    Ok(contents) => {
                        machine.files.insert(found::real(&file.path));
                        contents
                    }
                    Err(why) => {
                        machine.broken.push((file.path.clone(), why));
                        continue;
                    }
                };
                for entry in contents.entries {
                    // One file may be read by several clients.
                    if seen.insert((found::real(&file.path), entry.place.clone())) {
                        machine.add(Place { client: found.client.clone(), file: file.clone(), entry }, project);
                    }
                }
            }
        }
        machine.covered.sort_by(|one, other| (&one.server, &one.policy).cmp(&(&other.server, &other.policy)));
        machine
    }

    fn add(&mut self, place: Place, project: &Path) {
        let wrapped = match &place.entry.state {
            State::Wrapped(wrapped) => wrapped,
            State::Bare => return self.bare.push(place),
            State::NotCovered(why) => {
                let why = why.to_string();
                return self.left.push((place, why));
            }
        };
        let server = option(&wrapped.options, "--name").unwrap_or(UNNAMED).to_owned();
        // A policy of a project is named from where the project lies.
        let policy = policy_of(&wrapped.options).map(|path| project.join(path));
        match self.covered.iter_mut().find(|known| known.server == server && known.policy == policy) {
            Some(known) => known.entries.push(place),
            None => self.covered.push(Covered { server, policy, entries: vec![place] }),
        }
    }

    /// The wrapped servers that a word means: the one of that id; only where there is none, those of that name in a
    /// client, which may be another server.
    pub fn named<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a Covered> {
        let is_id = self.covered.iter().any(|covered| covered.server == word);
        self.covered.iter().filter(move |covered| match is_id {
            true => covered.server == word,
            false => covered.entries.iter().any(|place| place.entry.key == word),
        })
    }

    /// Every wrapped entry.
    pub fn wrapped(&self) -> impl Iterator<Item = &Place> {
        self.covered.iter().flat_map(|covered| &covered.entries)
    }
}

/// The value of an option, in either way of writing it.
pub fn option<'a>(options: &'a [String], name: &str) -> Option<&'a str> {
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(String::as_str);
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_in_two_ways() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(option(&words("run --name=a --policy p"), "--name"), Some("a"));
        assert_eq!(option(&words("run --name a --policy p"), "--name"), Some("a"));
        assert_eq!(option(&words("run --names=a"), "--name"), None);
    }
}
