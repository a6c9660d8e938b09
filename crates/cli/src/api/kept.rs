//! What `login` and `setup` keep: by instance, the token with which one is known there, in a file of one's own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clients::Secret;
use serde_json::{Value, json};

use crate::env_file::{self, Unusable};
use crate::environment::configuration;
use crate::failure::{Failure, Trying};

/// The form of the file.
const VERSION: u64 = 1;

/// Tokens by instance, and the instance that commands ask when nobody names one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    current: Option<String>,
    tokens: BTreeMap<String, Secret>,
}

impl Kept {
    /// Where it lies.
    ///
    /// # Errors
    /// When there is no home directory.
    pub fn path() -> Result<PathBuf, Failure> {
        Ok(configuration()?.join("instances.json"))
    }

    /// Reads it. Where there is none, nobody has signed in.
    ///
    /// # Errors
    /// When others may read it, or it holds something else.
    pub fn read() -> Result<Self, Failure> {
        // Without a home directory nothing can have been kept.
        let Ok(path) = Self::path() else { return Ok(Self::default()) };
        let what = || format!("the kept tokens {}", path.display());
        match env_file::text(&path) {
            Err(Unusable::Missing) => Ok(Self::default()),
            Err(why) => Err(Failure::Usage(format!("{}: {why}", what()))),
            Ok(text) => {
                let wrong = "it is not what `toolgate login` writes: remove it, and sign in again";
                Self::parse(text.expose()).ok_or_else(|| Failure::Usage(format!("{}: {wrong}", what())))
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        if document.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let current = document.get("current").and_then(Value::as_str).map(str::to_owned);
        let mut tokens = BTreeMap::new();
        for (url, token) in document.get("tokens")?.as_object()? {
            tokens.insert(url.clone(), Secret::new(token.as_str()?));
        }
        Some(Self { current, tokens })
    }

    fn written(&self) -> Secret {
        let tokens: serde_json::Map<String, Value> =
            self.tokens.iter().map(|(url, token)| (url.clone(), Value::from(token.expose()))).collect();
        Secret::new(json!({ "version": VERSION, "current": self.current, "tokens": tokens }).to_string() + "\n")
    }

    /// The instance of the last login.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The token for an instance.
    pub fn token(&self, url: &str) -> Option<&Secret> {
        self.tokens.get(url)
    }

    /// Keeps a token, and asks this instance from now on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(mut self, url: &str, token: Secret) -> Result<(), Failure> {
        self.tokens.insert(url.to_owned(), token);
        self.current = Some(url.to_owned());
        self.write()
    }

    /// Forgets the token for an instance; whether there was one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(mut self, url: &str) -> Result<bool, Failure> {
        let there = self.tokens.remove(url).is_some();
        if self.current.as_deref() == Some(url) {
            self.current = None;
        }
        if there {
            self.write()?;
        }
        Ok(there)
    }

    fn write(&self) -> Result<(), Failure> {
        let path = Self::path()?;
        let what = format!("the kept tokens {}", path.display());
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        let made = || {
            std::fs::create_dir_all(&folder)?;
            // Temporary files have the mode 0600, and the file takes it over.
            let mut file = tempfile::Builder::new().prefix(".toolgate-").tempfile_in(&folder)?;
            file.write_all(self.written().expose().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        };
        made().trying(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_is_not_printed() {
        let mut kept = Kept { current: Some("https://a".to_owned()), tokens: BTreeMap::new() };
        kept.tokens.insert("https://a".to_owned(), Secret::new("tgx_hidden"));
        assert_eq!(Kept::parse(kept.written().expose()), Some(kept));
        assert_eq!(Kept::parse(Kept::default().written().expose()), Some(Kept::default()));
        let kept = Kept::parse(r#"{"version":1,"tokens":{"https://a":"tgx_hidden"}}"#).unwrap();
        assert!(!format!("{kept:?}").contains("hidden"));
        for other in ["", "{}", "[]", r#"{"version":2,"tokens":{}}"#, r#"{"version":1,"tokens":{"a":1}}"#] {
            assert_eq!(Kept::parse(other), None, "{other}");
        }
    }
}
