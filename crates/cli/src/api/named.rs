//! What people call by name and the API by id.

use serde_json::Value;

use super::client::Api;
use super::place::encoded;
use super::shown::text;
use crate::failure::Failure;

/// Whether a word is an id of the control plane.
fn is_id(word: &str) -> bool {
    word.parse::<audit::Id>().is_ok()
}

/// The id of a grant that was named as SERVER/LABEL or by its id.
///
/// # Errors
/// When there is none.
pub fn grant_of(api: &Api, word: &str) -> Result<String, Failure> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    let Some((server, label)) = word.split_once('/') else {
        let how = "write SERVER/LABEL, or its id; `toolgate grant list` has them";
        return Err(Failure::Usage(format!("{} is no grant: {how}", audit::visible::word(word))));
    };
    let all = api.pages(&format!("/api/v1/grants?server={}", encoded(server)))?;
    one(&all, "label", label, "grant", "`toolgate grant list` has those that stand")
}

/// The id of a member that was named by name or id.
///
/// # Errors
/// When there is none.
pub fn member_of(api: &Api, word: &str) -> Result<String, Failure> {
    by_name(api, word, ("/api/v1/members", "name"), ("member", "`toolgate member list` has them"))
}

/// The id of an API token that was named by label or id.
///
/// # Errors
/// When there is none.
pub fn token_of(api: &Api, word: &str) -> Result<String, Failure> {
    by_name(api, word, ("/api/v1/tokens", "label"), ("API token", "`toolgate token list` has them"))
}

/// The path of an agent that was named by name or id.
pub fn agent_of(word: &str) -> String {
    format!("/api/v1/agents/{}", encoded(word))
}

fn by_name(api: &Api, word: &str, (path, field): (&str, &str), (what, how): (&str, &str)) -> Result<String, Failure> {
    if is_id(word) {
        return Ok(word.to_owned());
    }
    one(&api.pages(path)?, field, word, what, how)
}

fn one(all: &[Value], field: &str, wanted: &str, what: &str, how: &str) -> Result<String, Failure> {
    let found = all.iter().find(|one| text(one, field) == wanted);
    found
        .map(|one| text(one, "id").to_owned())
        .ok_or_else(|| Failure::No(format!("there is no {what} {}: {how}", audit::visible::word(wanted))))
}
