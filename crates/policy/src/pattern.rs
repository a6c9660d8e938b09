//! Patterns: an exact name, or a glob of `*` (any run) and `?` (one Unicode scalar).
//!
//! Compared code point by code point: nothing is folded or normalised, so that a pattern names what the upstream reads.

use std::cmp::Reverse;
use std::fmt;
use std::str::Chars;

use mcp::qualified::{split_name, split_uri};

/// How patterns of names and of URIs begin that are about any server.
pub(crate) const ANY_NAME: &str = "*__";
pub(crate) const ANY_URI: &str = "mcp+*+";

/// The longest pattern, in Unicode scalars.
const MAX_CHARS: usize = 2048;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    source: Box<str>,
    form: Form,
    literals: usize,
    stars: usize,
    marks: usize,
    /// What stands behind a `*` in the place of a server, which is matched apart: no name of a tool reads as another
    /// server's.
    of_any_server: Option<Box<Pattern>>,
}

/// The cheapest way of matching that the pattern allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Exact,
    /// A literal text and one `*` after it.
    Prefix,
    Glob,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character, which no name that can be called has.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::new("a pattern must not be empty", "write a name, or `*` for any"));
        }
        if text.chars().any(char::is_control) {
            return Err(PatternError::new(
                "a pattern must not hold a control character",
                "names with control characters can never be called",
            ));
        }
        let count = |wanted: char| text.chars().filter(|c| *c == wanted).count();
        let (chars, stars, marks) = (text.chars().count(), count('*'), count('?'));
        if chars > MAX_CHARS {
            let message = format!("a pattern has at most {MAX_CHARS} characters, this one has {chars}");
            return Err(PatternError { message, help: None });
        }
        let form = match (stars, marks) {
            (0, 0) => Form::Exact,
            (1, 0) if text.ends_with('*') => Form::Prefix,
            _ => Form::Glob,
        };
        Ok(Self { source: text.into(), form, literals: chars - stars - marks, stars, marks, of_any_server: None })
    }

    /// The same pattern in a document that spans several servers: `*__` and `mcp+*+` stand for one server each.
    #[must_use]
    pub(crate) fn spanning(mut self) -> Self {
        let rest = self.source.strip_prefix(ANY_NAME).or_else(|| self.source.strip_prefix(ANY_URI));
        self.of_any_server = rest.and_then(|rest| Self::parse(rest).ok()).map(Box::new);
        self
    }

    /// Whether the pattern covers `name`, whole.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if let Some(own) = &self.of_any_server {
            let split = if self.source.starts_with(ANY_URI) { split_uri(name) } else { split_name(name) };
            return split.is_some_and(|(_, name)| own.matches(name));
        }
        match self.form {
            Form::Exact => *self.source == *name,
            Form::Prefix => name.starts_with(self.source.trim_end_matches('*')),
            Form::Glob => glob(&self.source, name),
        }
    }

    /// Whether the pattern is one name, without `*` and `?`.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.form == Form::Exact
    }

    /// How many characters of it are neither `*` nor `?`.
    #[must_use]
    pub fn literal_chars(&self) -> usize {
        self.literals
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The place of the pattern in reports: the more specific of two is the smaller and therefore comes first.
    #[must_use]
    pub fn specificity(&self) -> Specificity<'_> {
        Specificity {
            glob: !self.is_exact(),
            literals: Reverse(self.literals),
            stars: self.stars,
            marks: self.marks,
            source: &self.source,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Exact before glob, more literal characters first, then fewer `*`, fewer `?`, code point order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity<'a> {
    // The order of the fields is the order of the comparison.
    glob: bool,
    literals: Reverse<usize>,
    stars: usize,
    marks: usize,
    source: &'a str,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl PatternError {
    fn new(message: &str, help: &str) -> Self {
        Self { message: message.to_owned(), help: Some(help.to_owned()) }
    }
}

/// Greedy matching that returns to the last `*` only: at most pattern × name steps, nothing allocated.
fn glob(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut last_star: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        match (pattern.next(), name.clone().next()) {
            (Some('*'), _) => last_star = Some((pattern.clone(), name.clone())),
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                name.next();
            }
            _ => {
                // Let the last `*` take one more scalar and try what follows it again.
                let Some((after, rest)) = last_star.as_mut() else { return false };
                if rest.next().is_none() {
                    return false;
                }
                pattern = after.clone();
                name = rest.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests;
