//! `toolgate keys`: the file of master keys.

use std::path::Path;
use std::process::ExitCode;

use vault::KeyRing;
use vault::key::KeyId;
use vault::ring::RingError;
use vault::source::file;

use crate::args::KeysCommand;
use crate::failure::Failure;
use crate::output::{say, tell};

/// Does what was asked with a file of keys.
pub fn keys(command: &KeysCommand) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::New { file } => {
            let ring = file::create(file).map_err(failed)?;
            list(&ring)?;
            tell!("toolgate: keep a copy elsewhere, apart from backups: without it no stored secret can be read");
        }
        KeysCommand::List { file } => list(&file::read(file).map_err(failed)?)?,
        KeysCommand::Add { file } => {
            let id = change(file, KeyRing::prepare)?;
            tell!(
                "toolgate: {id} decrypts as soon as the ring is read again (SIGHUP to each replica); then `toolgate keys promote {} {id}`, SIGHUP again, and POST /api/v1/keys/rewrap",
                file.display()
            );
        }
        KeysCommand::Promote { file, id } => {
            let id = key(id)?;
            change(file, |ring| ring.promote(id))?;
        }
        KeysCommand::Retire { file, id } => {
            let id = key(id)?;
            change(file, |ring| ring.retire(id))?;
            tell!("toolgate: backups that were made before need {id}: keep it as long as you keep them");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn change<T>(path: &Path, how: impl FnOnce(&mut KeyRing) -> Result<T, RingError>) -> Result<T, Failure> {
    let (ring, given) = file::change(path, how).map_err(failed)?;
    list(&ring)?;
    Ok(given)
}

fn list(ring: &KeyRing) -> Result<(), Failure> {
    let mut what = "encrypts and decrypts";
    for id in ring.ids() {
        say!("{id}  {}", std::mem::replace(&mut what, "decrypts"))?;
    }
    Ok(())
}

fn key(text: &str) -> Result<KeyId, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text} is no key's id: `toolgate keys list FILE` shows them")))
}

fn failed(error: file::KeyFileError) -> Failure {
    Failure::Usage(error.to_string())
}
