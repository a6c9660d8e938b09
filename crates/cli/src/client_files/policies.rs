//! Which policy a wrapped server gets: one a server, by its name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clients::{Entry, State};

use super::found::identity;

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
}

impl Names {
    /// Takes note of a server that has a name already.
    pub fn known(&mut self, entry: &Entry) {
        let State::Wrapped(wrapped) = &entry.state else { return };
        let name = wrapped.options.iter().find_map(|option| option.strip_prefix("--name="));
        if let (Some(name), Some(identity)) = (name, identity(entry)) {
            self.taken.entry(name.to_owned()).or_insert(identity);
        }
    }

    /// The name of a server: its own in small letters, or with a number where another server has that.
    pub fn of(&mut self, key: &str, identity: &str) -> String {
        let base = slug(key);
        let mut name = base.clone();
        for number in 2_u64.. {
            match self.taken.get(&name) {
                Some(other) if other != identity => {
                    let end = format!("-{number}");
                    let kept: String = base.chars().take(LONGEST.saturating_sub(end.len())).collect();
                    name = kept.trim_end_matches('-').to_owned() + &end;
                }
                _ => break,
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
    fn the_policy_that_observes_is_one() {
        let loaded = policy::load(OBSERVE, policy::Load::default());
        assert!(loaded.policy.is_some_and(|policy| policy.is_observe()));
    }
}
