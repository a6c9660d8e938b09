//! A text that no message shows.

use std::fmt;

/// What stands in the place of a secret.
pub const MASK: &str = "●●●";

/// A value of a variable or a header. It prints as `●●●`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text out of messages.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Words that are values of switches, and never passwords.
const PLAIN: [&str; 24] = [
    "",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "trace",
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "fatal",
    "production",
    "development",
    "test",
    "json",
    "text",
    "stdio",
    "http",
    "utf-8",
    "utf8",
];

/// Whether a value can be shown: a word of switches, a small number, or a reference to a variable.
pub(crate) fn is_plain_word(value: &str) -> bool {
    let word = PLAIN.iter().any(|plain| value.eq_ignore_ascii_case(plain));
    let digits = value.len() <= 5 && value.chars().all(|letter| letter.is_ascii_digit());
    let named =
        |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':');
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    word || digits || inner.is_some_and(named)
}

/// Words in names of variables and headers whose values are secrets.
const NAMES: [&str; 15] = [
    "token",
    "tokens",
    "secret",
    "secrets",
    "password",
    "passwd",
    "pwd",
    "key",
    "apikey",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "pat",
];

/// How the values begin that services give out as keys.
const KEYS: [&str; 13] = [
    "sk-",
    "sk_live_",
    "rk_live_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "Bearer ",
];

/// Whether a value that stands there as it is looks like a secret, by its name or by itself.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    !is_open(value) && (names_secret(name) || is_key(value))
}

/// Whether a value can be shown wherever it stands: a plain word, or one that a variable fills in.
pub(crate) fn is_open(value: &str) -> bool {
    is_plain_word(value) || value.contains("${") || value.contains("{env:") || value.starts_with('$')
}

/// Whether what has this name is a secret.
pub(crate) fn names_secret(name: &str) -> bool {
    let letters = name.to_ascii_lowercase();
    let parts = letters.split(|letter: char| !letter.is_ascii_alphanumeric());
    parts.into_iter().any(|part| NAMES.contains(&part))
        || ["token", "secret", "password", "apikey", "api_key"].iter().any(|word| letters.contains(word))
}

/// Whether a text begins as keys do, or is an address with a password in it.
pub(crate) fn is_key(text: &str) -> bool {
    let login = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()?.rsplit_once('@'));
    let password = login
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, word)| !word.is_empty() && !word.starts_with('$') && !word.starts_with('{'));
    password || KEYS.iter().any(|start| text.starts_with(start) && text.len() > start.len() + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_settings() {
        for (name, value) in [
            ("GITHUB_TOKEN", "abc123456"),
            ("OPENAI_API_KEY", "x1y2z3a4"),
            ("Authorization", "Bearer abcdef"),
            ("DATABASE_URL", "postgres://me:hidden@db.test/x"),
            ("ANY", "ghp_abcdefgh"),
            ("githubToken", "abc123456"),
        ] {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("GITHUB_TOKEN", "${GITHUB_TOKEN}"),
            ("Authorization", "Bearer ${TOKEN}"),
            ("TOKEN", ""),
            ("LOG_FILE", "/var/log/keys.log"),
            ("BASE_URL", "https://e.test/mcp"),
            ("DATABASE_URL", "postgres://me@db.test/x"),
            ("KEYBOARD", "german"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
    }

    #[test]
    fn only_plain_words_are_shown() {
        for plain in ["", "true", "INFO", "production", "8080", "${GITHUB_TOKEN}", "${input:token}"] {
            assert!(is_plain_word(plain), "{plain}");
        }
        for secret in ["sk-live-1", "Bearer x", "hunter2", "123456", "${A:-sk 1}", "changeme"] {
            assert!(!is_plain_word(secret), "{secret}");
        }
        assert_eq!(format!("{:?}", Secret::from("sk-live-1")), MASK);
    }
}
