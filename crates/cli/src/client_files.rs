//! The files of MCP clients on this machine: found, planned, changed with care, and put back.

pub mod again;
pub mod change;
pub mod covered;
pub mod found;
pub mod journal;
pub mod newest;
pub mod outcome;
pub mod overlays;
pub mod policies;
pub mod put_back;
pub mod secrets;
pub mod survey;
pub mod write;

use std::path::Path;

use audit::visible::is_plain;

use crate::failure::Failure;

/// Files are changed where they can be changed safely.
///
/// # Errors
/// Elsewhere.
pub fn supported() -> Result<(), Failure> {
    if cfg!(windows) {
        let why =
            "files of clients are not changed on Windows yet: put `toolgate run` into them by hand (docs/clients.md)";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(())
}

/// A path as people read it.
pub fn shown(path: &Path, home: &Path) -> String {
    match path.strip_prefix(home) {
        Ok(below) => visible(&format!("~/{}", below.display())),
        Err(_) => visible(&path.display().to_string()),
    }
}

/// A text in visible characters, whole: what is cut off of a path or a remedy would be missed.
pub fn visible(text: &str) -> String {
    let plain = |letter: char| if is_plain(letter) { letter.to_string() } else { letter.escape_unicode().to_string() };
    text.chars().map(plain).collect()
}
