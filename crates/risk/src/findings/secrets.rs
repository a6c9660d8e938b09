//! Secrets that were left in a definition, told by their shape.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::rule::{Kind, Level, Rule};

/// A key or password stands in the definition.
pub(crate) static SECRET_IN_SCHEMA: Rule = Rule::of_form(
    "secret-in-schema",
    Level::Error,
    Kind::Secret,
    "A key or password stands in the definition, where every client and model reads it.",
);

/// How secrets look that say of themselves what they are.
const SHAPES: &str = r"(?x)
    \bsk-(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{32,}
    | \bgh[pousr]_[A-Za-z0-9]{36,} | \bgithub_pat_[A-Za-z0-9_]{50,} | \bglpat-[A-Za-z0-9_-]{20,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bxox[abeprs]-[0-9]{6,}-[0-9A-Za-z-]{16,}
    | \bAIza[0-9A-Za-z_-]{35}
    | \b(?:sk|rk)_live_[0-9A-Za-z]{20,}
    | \bnpm_[A-Za-z0-9]{36} | \bhf_[A-Za-z0-9]{34} | \bpypi-AgE[A-Za-z0-9_-]{40,} | \bdop_v1_[a-f0-9]{64}
    | \bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}
    | \beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}
    | -----BEGIN\ (?:[A-Z]+\ )*PRIVATE\ KEY-----\s*[A-Za-z0-9+/=\s]{40,}
    | \b[a-z][a-z0-9+]{1,12}://[^\s/:@<>{}\[\]$*'\x22]{1,40}:[^\s/:@<>{}\[\]$*'\x22]{8,60}@[A-Za-z0-9]
";

/// What marks a sample.
const SAMPLES: [&str; 18] = [
    "example",
    "sample",
    "xxxx",
    "0000",
    "1234",
    "abcd",
    "your",
    "test",
    "dummy",
    "fake",
    "placeholder",
    "redacted",
    "password",
    "passwd",
    "secret",
    "changeme",
    "user:pass",
    "....",
];

static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| RegexBuilder::new(SHAPES).unicode(false).build().ok());

/// The first secret in the text, from which byte to before which.
pub(crate) fn secret(text: &str) -> Option<(usize, usize)> {
    SHAPE.as_ref()?.find_iter(text.as_bytes()).map(|found| found.range()).find_map(|range| {
        let secret = text.get(range.clone())?;
        let folded = secret.to_ascii_lowercase();
        let sample = SAMPLES.iter().any(|sample| folded.contains(sample));
        (!sample && varied(secret)).then_some((range.start, range.end))
    })
}

/// The secret without what makes it one.
pub(crate) fn masked(secret: &str) -> String {
    let shown: String = secret.chars().take(8).collect();
    format!("{shown}… ({} characters)", secret.chars().count())
}

/// Whether it has as many different characters as chance gives; words and fillings have fewer.
fn varied(secret: &str) -> bool {
    let mut seen: Vec<u8> = secret.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() >= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_secrets() {
        let body = "Zq8vT3kLw9RbX2mNc7Yh5DsGj4Pf6Ae1Uo0K";
        for text in [
            format!("default ghp_{body}"),
            format!("sk-proj-{body}"),
            format!("AKIA{}", "Q7ZT3KLW9RBX2MNC"),
            format!("postgres://app:{}@db.internal/x", "hT7!kq92Lm"),
            format!("eyJ{body}.eyJ{body}.{body}"),
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}{body}"),
        ] {
            assert!(secret(&text).is_some(), "{text}");
        }
    }

    #[test]
    fn samples_and_prefixes_are_none() {
        for text in [
            "starts with ghp_ or sk-...",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "postgres://user:password@localhost/db",
            "https://example.org:8080/a@b",
            "a git@host:path",
            "-----BEGIN PRIVATE KEY-----\n...",
        ] {
            assert_eq!(secret(text), None, "{text}");
        }
        assert!(SHAPE.is_some());
    }

    #[test]
    fn secrets_are_not_repeated() {
        assert_eq!(masked("ghp_0123456789"), "ghp_0123… (14 characters)");
    }
}
