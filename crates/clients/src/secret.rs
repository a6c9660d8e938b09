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

    /// Whether it is no secret: a word of switches, a small number, or a reference to a variable.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        is_plain_word(&self.0)
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

#[cfg(test)]
mod tests {
    use super::*;

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
