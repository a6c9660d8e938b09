//! What commands print. Everything goes through here, because nobody may be reading: `| head -1` closes
//! a pipe in the middle of an answer, and a gateway outlives the terminal that it was started from.

use std::fmt;
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write};

use crate::failure::{Failure, Trying};

/// Prints a line of the answer on standard output: like `println!`, with [`Result`].
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

/// Prints a line for whoever runs the command on standard error: like `eprintln!`, also when nobody reads.
macro_rules! tell {
    ($($text:tt)*) => { $crate::output::aside(format_args!($($text)*)) };
}

pub(crate) use {say, tell};

/// Prints a line on standard output.
///
/// # Errors
/// When it cannot be written. That nobody reads it is no error: see [`done`].
pub fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    done(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints a text as it is on standard output.
///
/// # Errors
/// As [`line`].
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    done(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of a write to standard output. Whoever closed the pipe has read enough: the command
/// does what it was asked to, and ends as if all had been read.
///
/// # Errors
/// When it failed otherwise: a disk may be full.
pub fn done(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.trying("standard output"),
    }
}

/// Prints a line on standard error, if anybody reads it.
pub fn aside(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a text as it is on standard error, at once: a question, or how far the work is.
pub fn prompt(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks, and gives the answer in small letters without space around it.
///
/// # Errors
/// When standard input cannot be read.
pub fn asked(question: &str) -> Result<String, Failure> {
    prompt(question);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).trying("the answer")?;
    Ok(answer.trim().to_ascii_lowercase())
}

/// Asks for a yes; everything else is a no.
///
/// # Errors
/// As [`asked`].
pub fn agreed(question: &str) -> Result<bool, Failure> {
    Ok(matches!(asked(&format!("{question} [y/N] "))?.as_str(), "y" | "yes"))
}
