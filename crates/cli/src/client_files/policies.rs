//! Which policy a wrapped server gets: one a server, by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clients::{Entry, State};

use super::found::identity;
use crate::environment::policies;
use crate::failure::Failure;

/// The longest name of a server.
const LONGEST: usize = 40;

/// What a new policy says: everything passes, and every call is recorded.
pub const OBSERVE: &str = r#"{
  "version": "1",
  "description": "Made by Toolgate. It observes: nothing is stopped, and every call is recorded.",
  "mode": "observe",
  "default": "allow"
}
"#;

/// The names that are taken, and by what.
#[derive(Debug, Default)]
pub struct Names {
    taken: BTreeMap<String, String>,
    /// Those of servers that are behind the gateway by now.
    wrapped: BTreeSet<String>,
    /// A folder whose policies are left to the servers that had them.
    avoided: Option<PathBuf>,
}

impl Names {
    /// Names that lead to no policy which is there and no server uses any more.
    pub fn avoiding(folder: PathBuf) -> Self {
        Self { avoided: Some(folder), ..Self::default() }
    }

    /// Whether a policy of this name, if there is one, is left from an earlier server.
    pub fn is_left(&self, name: &str) -> bool {
        !self.wrapped.contains(name)
    }

    /// Takes note of a server that has a name already.
    pub fn known(&mut self, entry: &Entry) {
        let State::Wrapped(wrapped) = &entry.state else { return };
        let name = wrapped.options.iter().find_map(|option| option.strip_prefix("--name="));
        if let (Some(name), Some(identity)) = (name, identity(entry)) {
            self.taken.entry(name.to_owned()).or_insert(identity);
            self.wrapped.insert(name.to_owned());
        }
    }

    /// The name of a server: its own in small letters, or with a number where another server has that.
    pub fn of(&mut self, key: &str, identity: &str) -> String {
        let base = slug(key);
        let mut name = base.clone();
        let left =
            |name: &str| self.avoided.as_ref().is_some_and(|folder| folder.join(format!("{name}.json")).exists());
        for number in 2_u64.. {
            let is_of_another = match self.taken.get(&name) {
                Some(other) => other != identity,
                None => left(&name),
            };
            match is_of_another {
                true => {
                    let end = format!("-{number}");
                    let kept: String = base.chars().take(LONGEST.saturating_sub(end.len())).collect();
                    name = kept.trim_end_matches('-').to_owned() + &end;
                }
                false => break,
            }
        }
        self.taken.insert(name.clone(), identity.to_owned());
        name
    }
}

/// A name of a-z, 0-9 and hyphens, of at most 40 characters.
fn slug(key: &str) -> String {
    let mut slug = String::new();
    for letter in key.chars().map(|letter| letter.to_ascii_lowercase()) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(LONGEST).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "server".to_owned() } else { slug.to_owned() }
}

/// A policy that is to be there.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its file.
    pub path: PathBuf,
    /// What a new one says.
    pub text: String,
    /// Whether one is there that an earlier server has left: it is kept, and decides for this one.
    pub left: bool,
}

impl Wanted {
    /// A policy that observes, where none is there; `left`: what is there is of an earlier server.
    pub fn observing(path: PathBuf, left: bool) -> Self {
        let left = left && path.exists();
        Self { path, text: OBSERVE.to_owned(), left }
    }

    /// What is said of a policy that an earlier server has left.
    pub fn said(&self, home: &Path) -> Option<String> {
        let file = super::shown(&self.path, home);
        self.left.then(|| {
            format!(
                "the policy {file} is there already, from an earlier server of that name; it is kept, with the \
                 definitions that were accepted then. For a new one: the same command with --new-policy"
            )
        })
    }
}

/// Writes a policy, unless there is one of that name: a person's policy is kept.
///
/// # Errors
/// When it cannot be written.
pub fn write(wanted: &Wanted) -> Result<(), String> {
    use std::io::Write as _;
    let path = &wanted.path;
    let failed = |error: std::io::Error| format!("the policy {} cannot be written: {error}", path.display());
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".toolgate-").tempfile_in(&folder).map_err(failed)?;
    file.write_all(wanted.text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Err(error) if !path.exists() => Err(failed(error.error)),
        _ => Ok(()),
    }
}

/// Looks at the policy that would be kept, if there is one.
///
/// # Errors
/// Why no server would start under it.
pub fn usable(path: &Path) -> Result<(), String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("its policy {} is there and cannot be read: {error}", path.display())),
    };
    match policy::load(&text, policy::Load { comments_allowed: true }).policy {
        Some(_) => Ok(()),
        None => Err(format!(
            "its policy {0} is there and has errors, so it would not start: toolgate policy check {0} names them",
            path.display()
        )),
    }
}

/// What a new policy says of itself.
pub fn description() -> Option<&'static str> {
    let line = OBSERVE.lines().find_map(|line| line.trim().strip_prefix("\"description\": \""));
    line.and_then(|rest| rest.strip_suffix("\","))
}

/// What a new policy says.
pub fn new() -> &'static str {
    OBSERVE
}

/// Where the policy before the last change lies.
pub fn before(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".before");
    path.with_file_name(name)
}

/// Puts another text in the place of a policy, in one step, and keeps the one of before beside it.
///
/// # Errors
/// Why not; the policy is then as it was.
pub fn replace(path: &Path, seen: &str, now: &str) -> Result<(), String> {
    let within = path.parent().map(PathBuf::from).unwrap_or_default();
    let before = before(path);
    let mut change = Replaced { seen, now, before: &before };
    super::write::replace(path, &within, &mut change).map(|_| ())
}

struct Replaced<'a> {
    seen: &'a str,
    now: &'a str,
    before: &'a Path,
}

impl super::write::Change for Replaced<'_> {
    fn make(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if bytes != self.seen.as_bytes() {
            return Err("somebody else has changed it meanwhile: look at it, and try again".to_owned());
        }
        Ok(Some(self.now.as_bytes().to_vec()))
    }

    fn note(&mut self, before: &[u8], _after: &[u8]) -> Result<(), String> {
        let kept = keep(self.before, before);
        kept.map_err(|error| {
            format!("it was not changed, because its text cannot be kept in {}: {error}", self.before.display())
        })
    }
}

/// Writes a file in one step, readable for its owner alone.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".toolgate-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// The policy of that name in the person's folder.
///
/// # Errors
/// When there is none: which there are.
pub fn own(name: &str) -> Result<PathBuf, Failure> {
    let folder = policies()?;
    let path = folder.join(format!("{name}.json"));
    if gateway::server::is_server_id(name) && path.is_file() {
        return Ok(path);
    }
    let inside = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = inside.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".json").filter(|name| gateway::server::is_server_id(name)).map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    let known = match names.is_empty() {
        true => "there is none yet, toolgate wrap makes them".to_owned(),
        false => format!("there are {}", names.join(", ")),
    };
    let name = audit::visible::word(name);
    Err(Failure::Usage(format!("there is no policy {name} in {}: {known}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_servers() {
        let (long, short) = ("a".repeat(50), "a".repeat(40));
        for (key, name) in [
            ("github", "github"),
            ("My Server!", "my-server"),
            ("@scope/pkg", "scope-pkg"),
            ("漢字", "server"),
            (long.as_str(), short.as_str()),
        ] {
            assert_eq!(slug(key), name);
            assert!(gateway::server::is_server_id(&slug(key)), "{key}");
        }
    }

    #[test]
    fn another_server_of_the_same_name_gets_a_number() {
        let mut names = Names::default();
        assert_eq!(names.of("git", "one"), "git");
        assert_eq!(names.of("Git", "one"), "git");
        assert_eq!(names.of("git", "two"), "git-2");
        assert_eq!(names.of("git", "three"), "git-3");
        assert_eq!(names.of("git", "two"), "git-2");
        let long = "a".repeat(60);
        assert_eq!(names.of(&long, "one").len(), 40);
        assert_eq!(names.of(&long, "two"), format!("{}-2", "a".repeat(38)));
    }

    #[test]
    fn a_name_whose_policy_is_left_is_avoided_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("git.json"), OBSERVE).unwrap();
        assert_eq!(Names::default().of("git", "one"), "git");
        let mut names = Names::avoiding(folder.path().to_path_buf());
        assert_eq!(names.of("git", "one"), "git-2");
        assert_eq!(names.of("git", "one"), "git-2");
        assert_eq!(names.of("files", "two"), "files");
        assert!(Wanted::observing(folder.path().join("git.json"), true).left);
        assert!(!Wanted::observing(folder.path().join("git.json"), false).left);
        assert!(!Wanted::observing(folder.path().join("new.json"), true).left);
    }

    #[test]
    fn the_policy_of_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, "one").unwrap();
        replace(&path, "one", "two").unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!((read(&path), read(&before(&path))), ("two".to_owned(), "one".to_owned()));
        assert!(replace(&path, "one", "three").unwrap_err().contains("somebody else"));
        assert_eq!((read(&path), read(&before(&path))), ("two".to_owned(), "one".to_owned()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_policy_that_observes_is_one() {
        assert!(description().is_some_and(|text| text.starts_with("Made by") && text.ends_with("recorded.")));
        let loaded = policy::load(OBSERVE, policy::Load::default());
        assert!(loaded.policy.is_some_and(|policy| policy.is_observe()));
    }
}
