//! What is wrong with a policy, said so that it can be put right.

mod code;
mod position;
mod render;

use std::ops::Range;

use serde::Serialize;

pub use self::code::Code;
pub use self::position::{Lines, Position};
pub use self::render::{Rendering, render, to_json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// The policy can be used, and probably does not do what was meant.
    Warning,
}

/// A place in the text and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Bytes of the source text.
    pub range: Range<usize>,
    /// What is there; may be empty where the title says it.
    pub text: String,
}

/// A change of the text that puts it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes to replace.
    pub range: Range<usize>,
    /// What to put there.
    pub replacement: String,
    /// What the change is, such as "a field with a similar name exists".
    pub message: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where: the first is the place itself, the others explain it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
    /// A change that puts it right, where there is just one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding at `range`, as severe as its code says.
    #[must_use]
    pub fn new(code: Code, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![Label { range, text: String::new() }],
            help: Vec::new(),
            fix: None,
        }
    }

    /// Says what is at the first place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, range: Range<usize>, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { range, text: text.into() });
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// Adds a change that puts it right.
    #[must_use]
    pub fn fix(
        mut self,
        range: Range<usize>,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.fix = Some(Fix { range, replacement: replacement.into(), message: message.into() });
        self
    }

    /// Whether the policy cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The place itself.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.labels.first().map_or(0..0, |label| label.range.clone())
    }
}
