//! Where master keys come from: a file, a value out of the environment, or a command.

pub mod command;
pub mod file;

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::ring::{BadRing, KeyRing};
use command::{CommandError, KeyCommand};
use file::KeyFileError;

/// Where to read the ring of master keys.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file that its owner alone may read.
    File(PathBuf),
    /// A text that the caller has.
    Value {
        /// What messages call it, such as `$TOOLGATE_KEYS`.
        name: String,
        /// The ring.
        text: SecretString,
    },
    /// A program that prints the ring.
    Command(KeyCommand),
}

/// Why there are no keys. The messages name the source and what to do, and hold nothing of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The value.
    #[error("{name} holds no keys: {why}")]
    Value {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        why: BadRing,
    },
    /// The command.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl KeySource {
    /// Reads the ring. Reading a file blocks for as long as the disk takes; a command has its time limit.
    ///
    /// # Errors
    /// [`KeySourceError`].
    pub async fn load(&self) -> Result<KeyRing, KeySourceError> {
        match self {
            Self::File(path) => Ok(file::read(path)?),
            Self::Value { name, text } => KeyRing::parse(text.expose_secret().as_bytes(), name)
                .map_err(|why| KeySourceError::Value { name: name.clone(), why }),
            Self::Command(command) => Ok(command.run().await?),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key file {}", path.display()),
            Self::Value { name, .. } => f.write_str(name),
            Self::Command(command) => write!(f, "{command}"),
        }
    }
}
