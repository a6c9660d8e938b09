//! What is known of a server.

use catalogue::pages::server::{Facts, Published};
use maud::{Markup, html};

use crate::layout;
use crate::text::{linked, many};

/// What is known, name by name.
pub(super) fn named(facts: &Facts) -> Vec<(&'static str, String)> {
    let package = facts.package.as_ref().map(|package| match &facts.registry {
        Some(registry) => format!("{package} ({registry})"),
        None => package.clone(),
    });
    let optional = [
        ("Publisher", facts.publisher.clone()),
        ("Source", facts.repository.clone()),
        ("Package", package),
        ("Endpoint", facts.endpoint.clone()),
        ("Version", facts.version.clone()),
        ("Transport", facts.transport.clone()),
        ("Wants", facts.auth.as_deref().map(|auth| wants(auth).to_owned())),
        ("Licence", facts.licence.clone()),
        ("Published", facts.published.as_ref().map(published)),
        ("Deprecated", facts.published.as_ref().and_then(|published| published.deprecated.clone())),
    ];
    optional.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// `12 versions, 2025-01-02 to 2026-01-02, by ann`.
fn published(published: &Published) -> String {
    let mut text = many(usize::try_from(published.versions).unwrap_or(0), "version", "versions");
    let day = |time: jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    if let (Some(first), Some(last)) = (published.first, published.last) {
        text.push_str(&format!(", {} to {}", day(first), day(last)));
    }
    if let Some(by) = &published.by {
        text.push_str(&format!(", by {by}"));
    }
    text
}

/// The same as a list.
pub(super) fn facts(facts: &Facts) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in named(facts) { dt { (name) } dd { (linked(&value)) } }
            dt { "Seen" } dd { "first " (layout::day(facts.first_seen)) ", last " (layout::day(facts.last_seen)) }
            @if facts.from_tools { dt { "Known from" } dd { "a list of its tools alone; nobody has described the server itself" } }
        }
    }
}

/// What a server wants before it serves.
fn wants(auth: &str) -> &str {
    match auth {
        "none" => "no credentials",
        "header" => "a credential in a header",
        "oauth" => "a sign-in (OAuth)",
        "env" => "a secret in its environment",
        other => other,
    }
}
