//! Figures for the documents: what a long proof has seen, for whoever gathers it (`cargo xtask robustness`).

use std::fmt::Display;
use std::io::Write as _;

/// Writes down a figure, where `TOOLGATE_FIGURES` names the file in which they are gathered: what it is, and what was seen.
///
/// # Errors
/// When the file cannot be written.
pub fn figure(what: &str, seen: impl Display) -> anyhow::Result<()> {
    let Some(file) = std::env::var_os("TOOLGATE_FIGURES") else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    Ok(file.write_all(format!("{what}\t{seen}\n").as_bytes())?)
}

/// Writes down that all of so many attack inputs did what their verdict says. A test that sees another does not get here.
///
/// # Errors
/// See [`figure`].
pub fn attacks_held(group: &str, inputs: usize) -> anyhow::Result<()> {
    figure(&format!("attack inputs that did what their verdict says: {group}"), format!("{inputs} of {inputs}"))
}
