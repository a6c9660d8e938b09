//! What the command line says is the operator's, checked before anything is asked.

use policy::text::host::Hosts;
use policy::text::within::Prefix;
use risk::recommend::Bounds;

use crate::args::BoundOptions;
use crate::environment::text_variable;
use crate::failure::Failure;

/// The largest whole number that every reader of JSON has exactly.
const MOST: u64 = (1 << 53) - 1;

/// The bounds of a recommended policy.
///
/// # Errors
/// When one of them could stand in no policy.
pub fn bounds(options: &BoundOptions) -> Result<Bounds, Failure> {
    if options.cap.is_some_and(|cap| cap > MOST) {
        return Err(Failure::Usage(format!("--cap may be {MOST} at most")));
    }
    Ok(Bounds {
        domains: each(&options.domain, domain)?,
        roots: each(&options.root, root)?,
        hosts: each(&options.host, host)?,
        cap: options.cap,
    })
}

fn each(given: &[String], read: fn(&str) -> Result<String, String>) -> Result<Vec<String>, Failure> {
    given.iter().map(|text| read(text).map_err(Failure::Usage)).collect()
}

/// A folder; `~` is the home, which shells do not fill in within quotes.
fn root(text: &str) -> Result<String, String> {
    let path = match (text.strip_prefix('~'), text_variable("HOME")) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => text.to_owned(),
    };
    let form = "write the absolute path of a folder, such as /srv/data or ~/work";
    if let Err(doubt) = Prefix::parse(&path) {
        return Err(format!("--root {text:?} {}: {form}", doubt.0));
    }
    match path.trim_end_matches('/') {
        "" => Err(format!("--root {text:?} is everything and no bound: {form}")),
        folder => Ok(folder.to_owned()),
    }
}

fn host(text: &str) -> Result<String, String> {
    let form = "write a host alone, such as api.example.com or *.example.com";
    name(text).map_err(|()| format!("--host {text:?} is no host: {form}"))
}

fn domain(text: &str) -> Result<String, String> {
    let form = "write a domain alone, such as example.com";
    name(text).map_err(|()| format!("--domain {text:?} is no domain: {form}"))
}

fn name(text: &str) -> Result<String, ()> {
    Hosts::new([text]).map(|_| text.to_owned()).map_err(|_| ())
}
