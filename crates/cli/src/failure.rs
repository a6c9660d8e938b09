//! What ends a command early, and with which exit code: 1 when the answer is no, 2 when the
//! command was used wrongly.

use std::fmt;

use crate::stop::Stop;

/// A reason to end, as the person at the terminal reads it.
#[derive(Debug)]
pub enum Failure {
    /// The command did its work, and the answer is no.
    No(String),
    /// The command cannot do its work as it was asked to.
    Usage(String),
    /// Somebody ended it, and what had become of its work by then.
    Stopped(Stop, String),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            Self::Stopped(stop, _) => stop.code(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(text) | Self::Usage(text) => f.write_str(text),
            Self::Stopped(stop, text) => write!(f, "{stop}: {text}"),
        }
    }
}

/// Says what was tried when something fails.
pub trait Trying<T> {
    /// Turns an error into a usage failure that begins with what was tried.
    ///
    /// # Errors
    /// The failure.
    fn trying(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Trying<T> for Result<T, E> {
    fn trying(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::Usage(format!("{what}: {error}")))
    }
}
