//! An entry that starts the gateway, put right: another path of toolgate, or one gateway less. The journal takes note of
//! it as of any other change.

use std::path::Path;

use clients::Edit;

use super::change::{Made, Noted, within};
use super::covered::Place;
use super::found::Contents;
use super::journal::{self, Changed, Journal};
use super::write;

/// What is put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Toolgate lies elsewhere.
    Program(String),
    /// The gateway stands there twice.
    Outer,
}

/// Puts one entry right; whether there was something to do.
///
/// # Errors
/// Why the file was left alone.
pub fn repair(
    place: &Place,
    repair: &Repair,
    home: &Path,
    project: Option<&Path>,
    journal: &Journal,
) -> Result<bool, String> {
    let run = journal::id().map_err(|failure| failure.to_string())?;
    let within = within(&place.file.path, home, project);
    let mut make = |bytes: &[u8]| made(place, repair, bytes);
    let mut noted = Noted::new(journal, &run, &place.client.id, &place.file.path, &within, &mut make);
    write::replace(&place.file.path, &within, &mut noted)
}

/// The bytes afterwards, and the entry before and afterwards.
fn made(place: &Place, repair: &Repair, bytes: &[u8]) -> Result<Option<Made>, String> {
    let contents = place.file.parse(&place.client, bytes)?;
    let at = |contents: &Contents| contents.entries.iter().find(|entry| entry.place == place.entry.place).cloned();
    let entry = at(&contents).ok_or("its server is gone since it was read")?;
    if entry.launch != place.entry.launch {
        return Err("it was changed since it was read: look at it, and try again".to_owned());
    }
    let edit: Edit = match repair {
        Repair::Program(program) => contents.document.with_program(&entry, program),
        Repair::Outer => contents.document.without_outer(&entry),
    }
    .map_err(|refusal| refusal.to_string())?;
    let bytes = edit.apply(bytes).map_err(|stale| stale.to_string())?;
    let then = place.file.parse(&place.client, &bytes)?;
    let written = at(&then).and_then(|now| then.document.text_of(&now).ok().map(str::to_owned));
    let original = contents.document.text_of(&entry).ok().map(str::to_owned);
    let (original, written) = original.zip(written).ok_or("its entry would be lost")?;
    Ok(Some(Made { bytes, entries: vec![Changed { place: entry.place, original, written }] }))
}
