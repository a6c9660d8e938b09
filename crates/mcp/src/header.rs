//! The header rules of 2026-07-28: what the headers of a request say must be what its body says.
//!
//! The body is the truth. Headers are compared with it and never believed; what goes on upstream is written anew from
//! the body. All functions take headers as pairs of name (any case) and value, in the order they arrived.

mod param;
mod value;

use std::fmt;

pub use param::{Declared, InvalidDeclaration, check_params, declared, write_params};
pub use value::{decode, encode};

use crate::message::{Notification, Params, Request};
use crate::method::Kind;
use crate::revision::Revision;

/// Names the revision.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// Names the method.
pub const METHOD: &str = "mcp-method";
/// Names the tool, prompt, resource or task.
pub const NAME: &str = "mcp-name";
/// Begins the name of a header that mirrors an argument.
pub const PARAM_PREFIX: &str = "mcp-param-";

/// The headers of a request do not say what its body says. Answered with status 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs, for people.
    pub message: String,
}

impl Mismatch {
    /// The JSON-RPC code of the answer.
    pub const CODE: i32 = -32020;

    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mismatch {}

/// Compares the standard headers with the body of a request.
///
/// In 2026-07-28 they must be there. In any revision those that are there must match, none may come twice, and none may
/// have a twin written with underscores, which servers behind CGI-like interfaces take for the same.
///
/// # Errors
/// [`Mismatch`], naming the header.
pub fn check<'h>(
    request: &Request<'_>,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
) -> Result<(), Mismatch> {
    compare(&request.method, name_of(request.kind, &request.params), &request.params, headers)
}

/// Compares the standard headers with the body of a notification.
///
/// # Errors
/// [`Mismatch`], naming the header.
pub fn check_notification<'h>(
    notification: &Notification<'_>,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
) -> Result<(), Mismatch> {
    compare(&notification.method, None, &notification.params, headers)
}

/// The standard headers for a request in the revision its body names, ready to send.
#[must_use]
pub fn write(request: &Request<'_>) -> Vec<(&'static str, String)> {
    let version = request.params.meta_protocol_version.as_deref();
    let name = name_of(request.kind, &request.params);
    let mut headers = Vec::with_capacity(3);
    headers.extend(version.map(|version| (PROTOCOL_VERSION, encode(version).into_owned())));
    headers.push((METHOD, encode(&request.method).into_owned()));
    headers.extend(name.map(|name| (NAME, encode(name).into_owned())));
    headers
}

/// What `Mcp-Name` has to say, for the methods that have it.
fn name_of<'p>(kind: Kind, params: &'p Params<'_>) -> Option<&'p str> {
    match kind {
        Kind::ToolsCall | Kind::PromptsGet => params.name.as_deref(),
        Kind::ResourcesRead => params.uri.as_deref(),
        Kind::Tasks => params.task_id.as_deref(),
        _ => None,
    }
}

#[derive(Default)]
struct Standard<'h> {
    version: Option<&'h [u8]>,
    method: Option<&'h [u8]>,
    name: Option<&'h [u8]>,
}

fn collect<'h>(headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Result<Standard<'h>, Mismatch> {
    let mut standard = Standard::default();
    for (name, value) in headers {
        let place = if name.eq_ignore_ascii_case(PROTOCOL_VERSION) {
            &mut standard.version
        } else if name.eq_ignore_ascii_case(METHOD) {
            &mut standard.method
        } else if name.eq_ignore_ascii_case(NAME) {
            &mut standard.name
        } else if is_twin(name) {
            return Err(Mismatch::new(format!("Header `{name}` has an underscore in the place of a hyphen.")));
        } else {
            continue;
        };
        if place.replace(value).is_some() {
            return Err(Mismatch::new(format!("Header `{name}` came twice.")));
        }
    }
    Ok(standard)
}

/// Whether some servers take this name for one of ours.
fn is_twin(name: &str) -> bool {
    if !name.contains('_') {
        return false;
    }
    let name = name.replace('_', "-").to_ascii_lowercase();
    [PROTOCOL_VERSION, METHOD, NAME].contains(&name.as_str()) || name.starts_with(PARAM_PREFIX)
}

fn compare<'h>(
    method: &str,
    name: Option<&str>,
    params: &Params<'_>,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
) -> Result<(), Mismatch> {
    let standard = collect(headers)?;
    let claimed = standard.version.map(<[u8]>::trim_ascii);
    let body = params.meta_protocol_version.as_deref();
    if let (Some(claimed), Some(body)) = (claimed, body)
        && claimed != body.as_bytes()
    {
        return Err(differs("MCP-Protocol-Version", body));
    }
    let names_modern = claimed
        .and_then(|claimed| std::str::from_utf8(claimed).ok())
        .and_then(Revision::parse)
        .is_some_and(Revision::is_modern);
    let modern = body.is_some() || names_modern;
    if modern && claimed.is_none() {
        return Err(missing("MCP-Protocol-Version"));
    }
    match standard.method {
        Some(value) => same("Mcp-Method", value, method)?,
        None if modern => return Err(missing("Mcp-Method")),
        None => {}
    }
    match (standard.name, name) {
        (Some(value), Some(name)) => same("Mcp-Name", value, name),
        // Who sends one of the two says to follow the rule.
        (None, Some(_)) if modern || standard.method.is_some() => Err(missing("Mcp-Name")),
        _ => Ok(()),
    }
}

fn same(header: &str, value: &[u8], body: &str) -> Result<(), Mismatch> {
    match decode(value) {
        Some(value) if value == body => Ok(()),
        Some(_) => Err(differs(header, body)),
        None => Err(Mismatch::new(format!("Header `{header}` has a value that cannot be decoded."))),
    }
}

fn differs(header: &str, body: &str) -> Mismatch {
    let shown: String = body.chars().take(128).collect();
    let shown = shown.escape_debug();
    Mismatch::new(format!("Header `{header}` differs from the body, which says `{shown}`."))
}

fn missing(header: &str) -> Mismatch {
    Mismatch::new(format!("Header `{header}` is missing."))
}

#[cfg(test)]
mod tests;
