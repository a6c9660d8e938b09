//! Secrets in a file of their own, as they are by now: what goes back into an entry is the newest value, whatever stood
//! there before.

use std::path::Path;

use clients::{Client, State, Wrapped, may_be_filled_in};

use super::found::{File, real};
use super::journal::{self, Change};
use super::secrets::CLIENT;
use crate::env_file::{self, Unusable, Variables};

/// What a file of secrets says by now.
#[derive(Debug)]
pub enum Newest {
    /// What it said when it was made: what stood in the entry is what it holds.
    AsMade,
    /// Something that somebody has written since.
    Renewed(Variables),
    /// It is not there, so that what stood in the entry is all that is known.
    Gone,
}

/// Whether a file of secrets is as the journal knows it.
pub fn is_as_made(path: &Path, known: &[Change]) -> bool {
    let Ok(now) = super::found::bytes(path).map(|bytes| journal::sha256(&bytes)) else { return false };
    known.iter().any(|change| change.client == CLIENT && real(&change.file) == real(path) && change.after == now)
}

/// Looks into a file of secrets.
///
/// # Errors
/// When nobody can tell what it says: which file, where in it, and what to do. No value is repeated.
pub fn of(path: &Path, known: &[Change]) -> Result<Newest, String> {
    if is_as_made(path, known) {
        return Ok(Newest::AsMade);
    }
    match env_file::read(path) {
        Ok(variables) => match variables.iter().find(|(_, value)| may_be_filled_in(value.expose())) {
            None => Ok(Newest::Renewed(variables)),
            Some((name, _)) => Err(format!(
                "its secrets lie in {}, where {name} holds `$` or `{{file:` by now, in the place of which clients may put \
                 something else: move that file away and try again, which brings back the values of before, and write \
                 the new one into the entry as your client wants it",
                path.display()
            )),
        },
        Err(Unusable::Missing) => Ok(Newest::Gone),
        Err(why) => Err(format!(
            "its secrets lie in {}, which cannot be used ({why}): put that right and try again. The newest values may \
             stand there alone; to go back to those of before, move that file away first",
            path.display()
        )),
    }
}

/// The bytes of a client's file with newer values in an entry that takes them from a file no more; and the names
/// of what was another value before.
///
/// # Errors
/// Why they cannot be put there.
pub fn renewed(
    (file, client): (&File, &Client),
    bytes: Vec<u8>,
    place: &[String],
    wrapped: &Wrapped,
    variables: &Variables,
) -> Result<(Vec<u8>, Vec<String>), String> {
    let contents = file.parse(client, &bytes)?;
    let Some(entry) = contents.entries.iter().find(|entry| entry.place == place) else {
        return Ok((bytes, Vec::new()));
    };
    let same_file = |now: &Wrapped| super::secrets::file_of(&now.options) == super::secrets::file_of(&wrapped.options);
    if matches!(&entry.state, State::Wrapped(now) if same_file(now)) {
        return Ok((bytes, Vec::new()));
    }
    let renewed = contents.document.renew(entry, wrapped, variables);
    let (edit, names) = renewed.map_err(|refusal| format!("newer values of its secrets have no place: {refusal}"))?;
    Ok((edit.apply(&bytes).map_err(|stale| stale.to_string())?, names))
}
