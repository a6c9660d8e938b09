//! Reading strings the way the systems behind a tool may read them: hosts, addresses, paths, times.
//!
//! Each reader gives a value only where all readings agree. Everything else is [`Doubtful`], never a guess.

pub mod cidr;
pub mod email;
pub mod fold;
pub mod host;
pub mod public;
pub mod secret;
pub mod sql;
pub mod time;
pub mod url;
pub mod within;

/// Why a string cannot be judged, as the end of a sentence that begins with what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubtful(pub &'static str);
