//! Where the tables of an instance lie, and the keys to their secrets.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use store::DataDir;
use store::control::{ControlDatabase, Place};
use vault::KeySource;
use vault::source::command::KeyCommand;
use vault::source::file::{self, KeyFileError};

use crate::args::TablesOptions;
use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The variable with the database's URL.
const DATABASE: &str = "TOOLGATE_DATABASE";

/// The variable with the master keys themselves.
const KEYS: &str = "TOOLGATE_KEYS";

/// How long a program that prints the keys may take.
const KEYS_WITHIN: Duration = Duration::from_secs(10);

/// Where the tables lie.
///
/// # Errors
/// When the URL shows a password.
pub fn place(database: Option<&str>, data: DataDir) -> Result<Place, Failure> {
    Ok(elsewhere(database)?.unwrap_or(Place::Embedded(data)))
}

/// The database that was named, if one was.
///
/// # Errors
/// When the URL shows a password.
pub fn elsewhere(database: Option<&str>) -> Result<Option<Place>, Failure> {
    if let Some(url) = database {
        let after = url.split_once("://").map_or(url, |(_, after)| after);
        let user = after.split_once('@').map_or("", |(user, _)| user);
        if user.contains(':') || url.contains("password=") {
            return Err(Failure::Usage(format!(
                "--database holds a password, which everybody on this machine can read there: put the URL into ${DATABASE}, or the password into a file that $PGPASSFILE names"
            )));
        }
        return Ok(Some(Place::Postgres(url.to_owned())));
    }
    Ok(text_variable(DATABASE).map(Place::Postgres))
}

/// Where the master keys come from, for a start. An instance that keeps everything in its own directory makes its key at
/// its first.
///
/// # Errors
/// When nothing is named where something must be, or no key can be made.
pub fn keys(options: &TablesOptions, place: &Place, data: &DataDir) -> Result<KeySource, Failure> {
    let source = known_keys(options, place, data)?;
    // Where there are tables already, their key is missing, and another one would be of no use.
    if let (Place::Embedded(_), KeySource::File(file)) = (place, &source)
        && options.keys.is_none()
        && !file.exists()
        && !ControlDatabase::file(data).exists()
    {
        made(file)?;
    }
    Ok(source)
}

/// Where the master keys come from, for whoever makes none.
///
/// # Errors
/// When nothing is named where something must be.
pub fn known_keys(options: &TablesOptions, place: &Place, data: &DataDir) -> Result<KeySource, Failure> {
    if let Some(words) = &options.keys_command {
        let command = KeyCommand::new(words.split_ascii_whitespace().map(OsString::from), KEYS_WITHIN);
        let command = command.ok_or_else(|| Failure::Usage("--keys-command names no program".to_owned()))?;
        return Ok(KeySource::Command(command));
    }
    if let Some(file) = &options.keys {
        return Ok(KeySource::File(file.clone()));
    }
    if let Some(text) = text_variable(KEYS) {
        return Ok(KeySource::Value { name: format!("${KEYS}"), text: SecretString::from(text) });
    }
    if matches!(place, Place::Postgres(_)) {
        return Err(Failure::Usage(format!(
            "replicas of one database need the same master keys: name them with --keys FILE, --keys-command COMMAND or ${KEYS} (`toolgate keys new FILE` makes a file)"
        )));
    }
    Ok(KeySource::File(store::keys::master(data).trying("the folder of keys")?))
}

fn made(file: &Path) -> Result<(), Failure> {
    match file::create(file) {
        Ok(_) => {
            tell!(
                "toolgate: made the master key {}: keep a copy elsewhere, apart from backups; without it no stored secret can be read",
                file.display()
            );
            Ok(())
        }
        // Another process was faster, and its key is as good.
        Err(KeyFileError::Exists(_)) => Ok(()),
        Err(error) => Err(Failure::Usage(error.to_string())),
    }
}
