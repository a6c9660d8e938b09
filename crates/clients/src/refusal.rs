//! Why an edit is not made.

use crate::document::BadDocument;
use crate::entry::NotCovered;

/// Why an edit is not made. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The entry is of another document, or of this one at another time.
    #[error("the file has changed since it was read: read it again")]
    Stale,
    /// The file cannot be read, or not be edited there.
    #[error(transparent)]
    Document(#[from] BadDocument),
    /// It is already behind the gateway.
    #[error("this entry starts toolgate already: unwrap it first, or leave it")]
    Wrapped,
    /// It is not behind the gateway.
    #[error("this entry does not start toolgate: there is nothing to take out")]
    Bare,
    /// It is none that can be covered.
    #[error("{0}")]
    NotCovered(NotCovered),
    /// An option that would be read as the end of the options.
    #[error("the option {0} cannot stand before the server's own words: write it as --name=value")]
    Option(String),
    /// A program that would not be known again.
    #[error(
        "an entry that starts {0} could not be told from a server's own: give toolgate its name again, by a link if need be, and start that"
    )]
    Program(String),
    /// A file that others share, with a path that they do not have.
    #[error(
        "this file is shared with others: name the program and its files without a path of this machine, and not {0}"
    )]
    NotPortable(String),
    /// There is an entry of that name.
    #[error("there is an entry {0} already: choose another name, or remove it first")]
    Taken(String),
    /// The client has no such entries.
    #[error("{0} takes no such entry in its file: start a program instead")]
    NoShape(String),
    /// On the way to the servers stands something else than a map.
    #[error("`{0}` is no map in this file, so that no entry can be added below it: correct the file first")]
    Way(String),
    /// The parts of the entry do not stand together.
    #[error("the parts of this entry do not stand together in the file: edit it by hand")]
    Scattered,
    /// The file would not be readable afterwards, or would say something else.
    #[error("the entry is written in a way that cannot be edited safely: edit it by hand")]
    Unfit,
}
