//! Paths: where a condition or an amount looks.
//!
//! `args.items[0].name`, `args["any key"]`, `args.items[*]`, `item.name` inside of `each`, and the facts about grant,
//! tool, session and time that a rule may read.

use std::fmt;
use std::sync::Arc;

use mcp::json::Value;

mod parse;

/// A compiled path. Displays as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    source: Arc<str>,
    root: Root,
    steps: Box<[Step]>,
}

/// What a path begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// The arguments of the call.
    Args,
    /// One element of the array of the innermost `each`.
    Item,
    /// A fact that is not an argument.
    Context(ContextKey),
}

/// A fact about the call that is not an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextKey {
    /// `grant.label`
    GrantLabel,
    /// `grant.owner`
    GrantOwner,
    /// `grant.tags.<key>`
    GrantTag(Box<str>),
    /// `agent.label`
    AgentLabel,
    /// `server.name`
    ServerName,
    /// `tool.name`
    ToolName,
    /// `tool.class`
    ToolClass,
    /// `session.id`
    SessionId,
    /// `client.ip`
    ClientIp,
    /// `time.now`
    TimeNow,
    /// `time.hour`, 0 to 23
    TimeHour,
    /// `time.weekday`, `mon` to `sun`
    TimeWeekday,
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name` or `["any key"]`: a member of an object.
    Key(Box<str>),
    /// `[0]`: an element of an array.
    Index(usize),
    /// `[-1]`: an element counted from the end, of which 1 is the last.
    FromEnd(usize),
    /// `[*]`: every element.
    Every,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When it is no path, or begins with something that cannot be read.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let (root, steps) = parse::parse(text)?;
        Ok(Self { source: text.into(), root, steps: steps.into() })
    }

    /// What the path begins with.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The steps from the root on. Facts that are not arguments have none.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the path is its root alone, such as `args`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the path holds `[*]` and so may stand for several values.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.steps.contains(&Step::Every)
    }

    /// The first key of a path into the arguments: the name of the argument that it reads.
    #[must_use]
    pub fn argument(&self) -> Option<&str> {
        match (&self.root, self.steps.first()) {
            (Root::Args, Some(Step::Key(key))) => Some(key),
            _ => None,
        }
    }

    /// The one value the path leads to in the arguments. `None` where there is none, where the path holds `[*]`, or
    /// where it does not begin with `args`.
    #[must_use]
    pub fn only<'v>(&self, args: &'v Value<'v>) -> Option<&'v Value<'v>> {
        let start = (self.root == Root::Args).then_some(args)?;
        self.steps.iter().try_fold(start, |value, step| step.enter(value))
    }

    /// The path as written, shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.source)
    }

    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl Step {
    /// The value one step further. `None` where it is absent, where the value has no such parts, and always for
    /// [`Step::Every`], which leads to several.
    #[inline]
    pub(crate) fn enter<'v>(&self, value: &'v Value<'v>) -> Option<&'v Value<'v>> {
        match (self, value) {
            (Step::Key(key), Value::Object(members)) => members.get(key),
            (Step::Index(index), Value::Array(items)) => items.get(*index),
            (Step::FromEnd(back), Value::Array(items)) => {
                items.len().checked_sub(*back).and_then(|index| items.get(index))
            }
            _ => None,
        }
    }

    /// Why the step leads from this value to no other.
    pub(crate) fn no_entry(&self, value: &Value<'_>) -> NoEntry {
        match (self, value) {
            (Step::Key(_), Value::Object(_)) | (Step::Index(_) | Step::FromEnd(_), Value::Array(_)) => NoEntry::Absent,
            (Step::Key(_), _) => NoEntry::Type { found: value.type_name(), wanted: "object" },
            _ => NoEntry::Type { found: value.type_name(), wanted: "array" },
        }
    }
}

/// Why a step leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEntry {
    /// The object or array has no such part.
    Absent,
    /// The value has no parts of this kind.
    Type {
        /// The type that is there.
        found: &'static str,
        /// The type that has such parts.
        wanted: &'static str,
    },
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// What to write instead, in words.
    pub help: Option<String>,
    /// A whole path that was probably meant.
    pub suggestion: Option<String>,
}

#[cfg(test)]
mod tests;
