//! Results, as far as a gateway reads or edits them. Whatever it does not mean to change stays byte for byte.

mod call;
mod list;
mod strip;

pub use call::{Call, call, input_requests};
pub use list::{Entry, List, Prompt, Resource, Template, Tool, prompts, resources, templates, tools};
pub use strip::strip_meta;

use crate::json::{self, remove};

/// Takes capabilities out of the `capabilities` of an `initialize` or `server/discover` result, or of the `params` of
/// `initialize`. Each path leads from `capabilities` down: `&["tools"]`, `&["resources", "subscribe"]`. `None` when
/// none of them is there.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn without_capabilities(raw: &str, paths: &[&[&str]]) -> Result<Option<String>, json::Error> {
    let paths: Vec<Vec<&str>> = paths.iter().map(|path| [&["capabilities"], *path].concat()).collect();
    let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    remove(raw, &paths)
}

/// Takes capabilities out of a capabilities object itself, as a stateless request carries it in `_meta`. `None` when
/// none of them is there.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn without_members(raw: &str, paths: &[&[&str]]) -> Result<Option<String>, json::Error> {
    remove(raw, paths)
}

#[cfg(test)]
mod tests;
