//! References that lead out of the schema.

use super::rule::{Kind, Level, Rule};

/// A part of the schema is fetched from elsewhere.
pub(crate) static REMOTE_REFERENCE: Rule = Rule::of_form(
    "remote-reference",
    Level::Warning,
    Kind::Hidden,
    "A part of the schema lies elsewhere: it can change after the definition was accepted, and whoever reads it fetches it.",
);

/// Whether the target lies outside the document.
pub(crate) fn is_remote(target: &str) -> bool {
    let target = target.trim_start();
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    let named = target.strip_prefix("urn:").is_some();
    target.starts_with("//") || target.starts_with("\\\\") || (scheme && !named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out() {
        for target in ["https://example.org/a.json", "//example.org/a", "file:///etc/x", " HTTP://x/#/a"] {
            assert!(is_remote(target), "{target}");
        }
        for target in ["#/$defs/A", "#", "common.json#/A", "urn:example:a", "/a/b:c"] {
            assert!(!is_remote(target), "{target}");
        }
    }
}
