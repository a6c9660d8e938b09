//! What ends a command early, and with which exit code: 1 when the answer is no, 2 when the
//! command was used wrongly, 75 when the same may work later.

use std::fmt;

use crate::stop::Stop;

/// A reason to end, as the person at the terminal reads it.
#[derive(Debug)]
pub enum Failure {
    /// The command did its work, and the answer is no.
    No(String),
    /// The command cannot do its work as it was asked to.
    Usage(String),
    /// Something that it needs is away at present, and may come back by itself.
    Away(String),
    /// Somebody ended it, and what had become of its work by then.
    Stopped(Stop, String),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            // EX_TEMPFAIL of sysexits.h: whoever starts programs may try again, which a wrong use is not worth.
            Self::Away(_) => 75,
            Self::Stopped(stop, _) => stop.code(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(text) | Self::Usage(text) | Self::Away(text) => f.write_str(text),
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

/// Says what was tried when a disk fails.
pub trait Keeping<T> {
    /// As [`trying`](Trying::trying), but what may work again by itself is only away.
    ///
    /// # Errors
    /// The failure.
    fn keeping(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T> Keeping<T> for std::io::Result<T> {
    fn keeping(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| match store::may_pass(&error) {
            true => Failure::Away(format!("{what}: {error}")),
            false => Failure::Usage(format!("{what}: {error}")),
        })
    }
}

impl<T, E: fmt::Display> Trying<T> for Result<T, E> {
    fn trying(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::Usage(format!("{what}: {error}")))
    }
}
