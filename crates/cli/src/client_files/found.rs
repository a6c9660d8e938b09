//! The clients of this machine with their files and what stands in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clients::{Client, Document, Entry, Launch, PathPattern, Places, Scope, State, Surface, Table, Target};

use crate::environment::{configuration, program_folders};
use crate::failure::{Failure, Trying};

/// The longest file that is read.
const MAX_FILE: u64 = 32 << 20;

/// The most folders that one pattern is followed into.
const MAX_FOLDERS: usize = 10_000;

/// A client that is here.
#[derive(Debug)]
pub struct Found {
    /// What is known of it.
    pub client: Client,
    /// Its files that exist.
    pub files: Vec<File>,
}

/// One file of a client.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it lies, as it is named.
    pub path: PathBuf,
    /// Whom it is for.
    pub scope: Scope,
    /// Where in it servers stand.
    pub surfaces: Vec<Surface>,
}

/// A file as it was read.
#[derive(Debug)]
pub struct Contents {
    /// What it says.
    pub document: Document,
    /// The servers in it.
    pub entries: Vec<Entry>,
}

impl File {
    /// Reads bytes of this file.
    ///
    /// # Errors
    /// Why they cannot be read, with line and column.
    pub fn parse(&self, client: &Client, bytes: &[u8]) -> Result<Contents, String> {
        let format = self.surfaces.first().map(|surface| surface.format).ok_or("it is of no client")?;
        let document = Document::read(format, bytes).map_err(|bad| bad.to_string())?;
        let mut entries = Vec::new();
        for surface in &self.surfaces {
            entries.extend(document.entries(client, surface).map_err(|bad| bad.to_string())?);
        }
        Ok(Contents { document, entries })
    }

    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(&self, client: &Client) -> Result<Contents, String> {
        self.parse(client, &bytes(&self.path)?)
    }
}

/// The bytes of a file.
///
/// # Errors
/// Why it cannot be read.
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    if !about.is_file() {
        return Err("it is no file".to_owned());
    }
    if about.len() > MAX_FILE {
        return Err(format!("it is longer than {} MiB, which no file of a client is", MAX_FILE >> 20));
    }
    std::fs::read(path).map_err(|error| format!("it cannot be read: {error}; look at its owner and mode"))
}

/// Every client that is here, in the order of the table.
pub fn all(table: &Table, places: &Places) -> Vec<Found> {
    let here = |client: &Client| {
        let programs = client.binaries.iter().any(|name| program_folders().iter().any(|dir| dir.join(name).is_file()));
        let traces = client.traces.iter().filter_map(|trace| places.fill(trace));
        programs || traces.into_iter().any(|pattern| !existing(&pattern).is_empty())
    };
    let found = table.clients.iter().map(|client| Found { files: files(client, places), client: client.clone() });
    found.filter(|found| !found.files.is_empty() || here(&found.client)).collect()
}

/// The table of clients, with a person's own laid over it.
///
/// # Errors
/// When one of those cannot be used, or there is no home directory.
pub fn table() -> Result<Table, Failure> {
    let compiled = Table::compiled().trying("the table of clients")?;
    super::overlays::laid_over(compiled, &configuration()?.join("clients.d"))
}

fn files(client: &Client, places: &Places) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for surface in &client.surfaces {
        for path in surface.paths(places).iter().flat_map(existing).filter(|path| path.is_file()) {
            let same = |file: &&mut File| {
                let format = file.surfaces.first().is_some_and(|first| first.format == surface.format);
                format && (file.path == path || real(&file.path) == real(&path))
            };
            match files.iter_mut().find(same) {
                // In the home a project's file may be the user's: what lies in one place is read once, as the user's.
                Some(file) => {
                    if surface.scope == Scope::User {
                        file.scope = Scope::User;
                    }
                    if !file.surfaces.iter().any(|known| known.pointer == surface.pointer) {
                        file.surfaces.push(surface.clone());
                    }
                }
                None => files.push(File { path, scope: surface.scope, surfaces: vec![surface.clone()] }),
            }
        }
    }
    files
}

/// A path without links, where it leads somewhere.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// The paths of a pattern that exist, in order.
fn existing(pattern: &PathPattern) -> Vec<PathBuf> {
    let mut paths = BTreeSet::from([PathBuf::from(&pattern.base)]);
    for name in &pattern.below {
        let mut next = BTreeSet::new();
        for folder in &paths {
            if !name.contains('*') {
                next.insert(folder.join(name));
                continue;
            }
            let inside = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_FOLDERS);
            let names =
                inside.filter(|entry| entry.file_name().to_str().is_some_and(|has| PathPattern::matches(name, has)));
            next.extend(names.map(|entry| entry.path()));
        }
        paths = next;
    }
    paths.into_iter().filter(|path| path.exists()).collect()
}

/// How a server is reached, in a word that holds no secret: the name of the program, or the host.
pub fn reached(entry: &Entry) -> String {
    let word = match (&entry.state, &entry.launch) {
        (State::Wrapped(wrapped), _) => match &wrapped.target {
            Target::Program(words) => program(words.first().map_or("", String::as_str)),
            Target::Upstream { url, .. } => host(url),
        },
        (_, Launch::Stdio { command, .. }) => program(command),
        (_, Launch::Http { url, .. }) => host(url),
        (_, Launch::Other(_)) => String::new(),
    };
    super::visible(&word)
}

/// What is started, in words that are equal for the same server.
pub fn identity(entry: &Entry) -> Option<String> {
    let program =
        |words: &mut dyn Iterator<Item = &String>| words.fold("run".to_owned(), |all, word| all + "\0" + word);
    Some(match (&entry.state, &entry.launch) {
        (State::Wrapped(wrapped), _) => match &wrapped.target {
            Target::Program(words) => program(&mut words.iter()),
            Target::Upstream { url, .. } => url.clone(),
        },
        (_, Launch::Stdio { command, args, .. }) => program(&mut std::iter::once(command).chain(args)),
        (_, Launch::Http { url, .. }) => url.clone(),
        (_, Launch::Other(_)) => return None,
    })
}

fn program(command: &str) -> String {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    name.split_whitespace().next().unwrap_or_default().to_owned()
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    place.rsplit('@').next().unwrap_or_default().to_owned()
}

/// The policy of a wrapped entry, as it is named in it.
pub fn policy_of(options: &[String]) -> Option<&str> {
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if word == "--policy" {
            return words.next().map(String::as_str);
        }
        if let Some(path) = word.strip_prefix("--policy=") {
            return Some(path);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_programs_and_hosts_are_shown() {
        for (command, shown) in [("npx", "npx"), ("/opt/my tools/run.sh", "run.sh"), ("sh -c TOKEN=1", "sh"), ("", "")]
        {
            assert_eq!(program(command), shown);
        }
        for (url, shown) in [
            ("https://user:secret@e.test:8443/mcp?key=secret", "e.test:8443"),
            ("https://e.test?key=secret", "e.test"),
            ("e.test/x", "e.test"),
        ] {
            assert_eq!(host(url), shown);
        }
    }

    #[test]
    fn patterns_are_followed_into_folders() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/x.yaml", "b/y.yaml", "b/z.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let base = folder.path().to_str().unwrap().to_owned();
        let pattern = PathPattern { base, below: vec!["*".to_owned(), "*.yaml".to_owned()] };
        assert_eq!(existing(&pattern), [folder.path().join("a/x.yaml"), folder.path().join("b/y.yaml")]);
    }
}
