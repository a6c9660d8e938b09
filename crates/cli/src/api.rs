//! Asking an instance. Commands about what a team decides are clients of its API, as every other program is.

mod client;
mod kept;
mod named;
mod place;
mod problem;
pub mod shown;

pub use client::{Answer, Api};
pub use kept::Kept;
pub use named::{agent_of, grant_of, member_of, token_of};
pub use place::{Place, encoded};
pub use problem::diagnostic;

use std::path::Path;

use clients::Secret;

use crate::args::AskedOptions;
use crate::environment::text_variable;
use crate::failure::{Failure, Trying};

/// The variable that names the instance.
pub const INSTANCE: &str = "TOOLGATE_INSTANCE";

/// The variable that holds an API token.
pub const TOKEN: &str = "TOOLGATE_API_TOKEN";

/// Where `toolgate serve` listens unless it is told otherwise.
pub const LOCAL: &str = "http://127.0.0.1:8040";

/// The instance that is asked, where the command line or the environment names one.
///
/// # Errors
/// When what is named is no address of an instance.
pub fn named(asked: Option<&str>) -> Result<Option<Place>, Failure> {
    let text = asked.map(str::to_owned).or_else(|| text_variable(INSTANCE));
    text.map(|text| Place::parse(&text)).transpose()
}

/// The instance that is asked, by somebody who is known there.
///
/// # Errors
/// When no instance is named, or nobody has signed in.
pub fn api(options: &AskedOptions) -> Result<Api, Failure> {
    let kept = Kept::read()?;
    let named = named(options.instance.as_deref())?;
    let is_named = named.is_some();
    let place = match named {
        Some(place) => place,
        None => kept.current().map_or_else(|| Place::parse(LOCAL), Place::parse)?,
    };
    let token = match (&options.token_file, text_variable(TOKEN)) {
        (Some(file), _) => Some(secret(file, "the API token")?),
        // It is good at one instance, and must not be shown to another, or to whatever listens on this machine.
        (None, Some(_)) if !is_named => {
            return Err(Failure::Usage(format!(
                "${TOKEN} is set, and not at which instance it is good: name that with --instance URL or ${INSTANCE} ({} would be asked), or unset ${TOKEN} to ask as who has signed in",
                place.url()
            )));
        }
        (None, Some(token)) => Some(Secret::new(token)),
        (None, None) => kept.token(place.url()).cloned(),
    };
    let Some(token) = token else {
        let url = place.url();
        return Err(Failure::Usage(format!(
            "nobody has signed in at {url}: `toolgate login --instance {url} --name NAME`, or give an API token by ${TOKEN} or --token-file"
        )));
    };
    Api::new(place, Some(token))
}

/// The instance that is meant by a command that has another meaning without one: only where it is named on the command
/// line or in the environment.
///
/// # Errors
/// As [`api`].
pub fn api_if_named(options: &AskedOptions) -> Result<Option<Api>, Failure> {
    match named(options.instance.as_deref())? {
        None => Ok(None),
        Some(_) => api(options).map(Some),
    }
}

/// The secret in a file, or on standard input where that is `-`, without the line's end.
///
/// # Errors
/// When it cannot be read, or is empty.
pub fn secret(file: &Path, what: &str) -> Result<Secret, Failure> {
    let text = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()).trying(format!("{what} on standard input"))?,
        _ => std::fs::read_to_string(file).trying(format!("{what} in {}", file.display()))?,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::Usage(format!("{what} in {} is empty", file.display())));
    }
    Ok(Secret::new(text))
}
