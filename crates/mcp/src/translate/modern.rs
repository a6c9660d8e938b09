//! What a legacy server says, as 2026-07-28 writes it; and what a legacy agent asks, as such a server reads it.

use super::{PROTOCOL, member, with_member, with_missing};
use crate::elicitation::Kinds;
use crate::json::{locate, quote, remove, splice};
use crate::message::Request;
use crate::method::Kind;
use crate::revision::Revision;

/// A legacy request as a stateless server reads it: with the `_meta` that says what `initialize` said. `None` when it
/// cannot be edited.
///
/// `capabilities` and `client_info` are JSON objects, `log_level` is a level's name.
#[must_use]
pub fn modern_request(
    request: &Request<'_>,
    capabilities: &str,
    client_info: Option<&str>,
    log_level: Option<&str>,
) -> Option<String> {
    let mut said = format!(
        "{}:{},{}:{capabilities}",
        quote(&format!("{PROTOCOL}protocolVersion")),
        quote(Revision::V2026_07_28.as_str()),
        quote(&format!("{PROTOCOL}clientCapabilities")),
    );
    let client_info = client_info.map(str::to_owned);
    for (key, value) in [("clientInfo", client_info), ("logLevel", log_level.map(quote))] {
        if let Some(value) = value {
            said.push_str(&format!(",{}:{value}", quote(&format!("{PROTOCOL}{key}"))));
        }
    }
    let raw = request.raw;
    let Some(params) = request.params.spans.params else {
        return with_member(raw, "params", &format!("{{\"_meta\":{{{said}}}}}"));
    };
    let edited = match request.params.spans.meta {
        None => {
            let params_text = with_member(params.of(raw), "_meta", &format!("{{{said}}}"))?;
            splice(raw, &[(params.range(), &params_text)])
        }
        Some(meta) => {
            // A legacy agent has no business with these keys; what it wrote under them goes.
            let own = crate::result::strip_meta(&format!("{{\"_meta\":{}}}", meta.of(raw)), PROTOCOL).ok()?;
            let own = own.as_deref().and_then(|own| member(own, "_meta")).unwrap_or(meta.of(raw));
            let inner = own.trim_start().strip_prefix('{')?;
            let comma = if inner.trim_start().starts_with('}') { "" } else { "," };
            splice(raw, &[(meta.range(), &format!("{{{said}{comma}{inner}"))])
        }
    }?;
    // Tasks of 2025-11-25 are another thing than those of 2026-07-28.
    Some(remove(&edited, &[&["params", "task"]]).ok()?.unwrap_or(edited))
}

/// The result of a legacy server, as 2026-07-28 wants it: it says that it is complete, and where caching is spoken of
/// that nobody else may have it, for `ttl_ms` milliseconds. `None` when it is no object.
#[must_use]
pub fn modern_result(kind: Kind, result: &str, ttl_ms: u64) -> Option<String> {
    let mut edited = with_missing(result.trim().to_owned(), "resultType", "\"complete\"")?;
    if matches!(
        kind,
        Kind::ToolsList | Kind::PromptsList | Kind::ResourcesList | Kind::TemplatesList | Kind::ResourcesRead
    ) {
        edited = with_missing(edited, "cacheScope", "\"private\"")?;
        edited = with_missing(edited, "ttlMs", &ttl_ms.to_string())?;
    }
    Some(edited)
}

/// The error of a legacy server as 2026-07-28 spells it: a resource that is not there is an invalid parameter there.
#[must_use]
pub fn modern_error(error: &str) -> Option<String> {
    let code = locate(error, &["code"]).ok()??;
    (code.of(error) == "-32002").then(|| splice(error, &[(code.range(), "-32602")]))?
}

/// The answer to `server/discover` that a legacy server's answer to `initialize` amounts to.
#[must_use]
pub fn discover_result(initialized: &str, ttl_ms: u64) -> String {
    let capabilities = member(initialized, "capabilities").unwrap_or("{}");
    // Tasks of 2025-11-25 are another thing than those of 2026-07-28.
    let without = remove(capabilities, &[&["tasks"]]).ok().flatten();
    let capabilities = without.as_deref().unwrap_or(capabilities);
    let mut result = format!(
        "{{\"resultType\":\"complete\",\"supportedVersions\":[{}],\"capabilities\":{capabilities}",
        quote(Revision::V2026_07_28.as_str())
    );
    if let Some(instructions) = member(initialized, "instructions") {
        result.push_str(&format!(",\"instructions\":{instructions}"));
    }
    if let Some(info) = member(initialized, "serverInfo") {
        result.push_str(&format!(",\"_meta\":{{{}:{info}}}", quote(&format!("{PROTOCOL}serverInfo"))));
    }
    result.push_str(&format!(",\"ttlMs\":{ttl_ms},\"cacheScope\":\"private\"}}"));
    result
}

/// What a server asks in the middle of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The method.
    pub method: String,
    /// Its raw `params`, if it has any.
    pub params: Option<String>,
}

/// Whether an agent that declares `capabilities`, a JSON object, can be asked this.
#[must_use]
pub fn can_be_asked(capabilities: &str, question: &Question) -> bool {
    let has = |path: &[&str]| matches!(locate(capabilities, path), Ok(Some(_)));
    let asks =
        |key: &str| question.params.as_deref().and_then(|params| member(params, key)).and_then(crate::json::unquote);
    let kinds = member(capabilities, "elicitation").map(Kinds::of);
    match question.method.as_str() {
        "elicitation/create" if asks("mode").as_deref() == Some("url") => kinds.is_some_and(|kinds| kinds.url),
        "elicitation/create" => kinds.is_some_and(|kinds| kinds.form),
        "sampling/createMessage" => has(&["sampling"]),
        "roots/list" => has(&["roots"]),
        _ => false,
    }
}

/// The result that asks a question under `key` and hands out `state`.
#[must_use]
pub fn input_required(key: &str, question: &Question, state: &str) -> String {
    let params = question.params.as_ref().map(|params| format!(",\"params\":{params}")).unwrap_or_default();
    format!(
        "{{\"resultType\":\"input_required\",\"inputRequests\":{{{}:{{\"method\":{}{params}}}}},\"requestState\":{}}}",
        quote(key),
        quote(&question.method),
        quote(state),
    )
}

/// The notification under the subscription `id`, a raw id. `None` when it cannot be edited.
#[must_use]
pub fn tagged_notification(notification: &str, id: &str) -> Option<String> {
    let tag = format!("{}:{id}", quote(&format!("{PROTOCOL}subscriptionId")));
    let Some(params) = member(notification, "params") else {
        return with_member(notification, "params", &format!("{{\"_meta\":{{{tag}}}}}"));
    };
    let tagged = match member(params, "_meta") {
        None => with_member(params, "_meta", &format!("{{{tag}}}"))?,
        Some(meta) => {
            let meta = with_member(meta, &format!("{PROTOCOL}subscriptionId"), id)?;
            splice(params, &[(locate(params, &["_meta"]).ok()??.range(), &meta)])?
        }
    };
    splice(notification, &[(locate(notification, &["params"]).ok()??.range(), &tagged)])
}
