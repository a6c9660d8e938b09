//! Names of rules: where in the document, and readable.

use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use serde::Serialize;

/// Which line decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RuleId {
    /// RFC 6901 pointer into the policy document; empty where no line says it.
    pub pointer: String,
    /// The readable name, such as `/tools/create_charge/deny_if/args.amount-gt` or `(default deny)`.
    pub rule: String,
}

impl RuleId {
    /// A rule with its pointer and readable name.
    #[must_use]
    pub fn new(pointer: impl Into<String>, rule: impl Into<String>) -> RuleId {
        RuleId { pointer: pointer.into(), rule: rule.into() }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)
    }
}

/// `(no policy)`: the grant has no policy.
pub const NO_POLICY: &str = "(no policy)";
/// `(not in servers)`: the policy names the servers that it is for, and not this one.
pub const NOT_IN_SERVERS: &str = "(not in servers)";
/// `(hidden)`: the name is hidden from the grant.
pub const HIDDEN: &str = "(hidden)";
/// `(unknown tool)`: the server has no such tool.
pub const UNKNOWN_TOOL: &str = "(unknown tool)";
/// `(default deny)`: nothing allows it.
pub const DEFAULT_DENY: &str = "(default deny)";
/// `(definition changed)`: the tool is new or changed since it was accepted.
pub const DEFINITION_CHANGED: &str = "(definition changed)";
/// `(ambiguous arguments)`: two readers could see different arguments.
pub const AMBIGUOUS_ARGUMENTS: &str = "(ambiguous arguments)";
/// `(arguments do not match the schema)`: the accepted input schema refuses them.
pub const SCHEMA_MISMATCH: &str = "(arguments do not match the schema)";
/// `(evaluation error)`: the call could not be judged.
pub const EVALUATION_ERROR: &str = "(evaluation error)";

/// A rule in brackets, which no line of the document says.
#[must_use]
pub fn built_in(name: &'static str) -> Arc<RuleId> {
    Arc::new(RuleId::new("", name))
}

/// `(ambiguous arguments)`, shared.
pub(crate) static AMBIGUOUS: LazyLock<Arc<RuleId>> = LazyLock::new(|| built_in(AMBIGUOUS_ARGUMENTS));
/// `(evaluation error)`, shared.
pub(crate) static EVALUATION: LazyLock<Arc<RuleId>> = LazyLock::new(|| built_in(EVALUATION_ERROR));
/// `(not in servers)`, shared.
pub(crate) static ELSEWHERE: LazyLock<Arc<RuleId>> = LazyLock::new(|| built_in(NOT_IN_SERVERS));
/// `(arguments do not match the schema)`, shared.
pub(crate) static SCHEMA: LazyLock<Arc<RuleId>> = LazyLock::new(|| built_in(SCHEMA_MISMATCH));

/// Why nothing is allowed at a server that a policy for several others does not name.
pub(crate) fn not_named(server: &str) -> Arc<str> {
    let how = "whoever writes the policy can add it there, or attach another one for it";
    Arc::from(format!("`servers` of this grant's policy does not name `{server}`, so nothing is allowed on it: {how}."))
}

/// Escapes one reference token as RFC 6901 says.
#[must_use]
pub fn escape(token: &str) -> String {
    let mut escaped = String::with_capacity(token.len());
    for character in token.chars() {
        match character {
            '~' => escaped.push_str("~0"),
            '/' => escaped.push_str("~1"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `parent` followed by one more reference token.
#[must_use]
pub fn child(parent: &str, token: &str) -> String {
    format!("{parent}/{}", escape(token))
}

/// Hands out last parts of rule ids: the first `x` is `x`, the next `x~2`, then `x~3`.
#[derive(Debug, Default)]
pub(crate) struct Names {
    seen: std::collections::HashMap<String, u32>,
}

impl Names {
    /// The part to use for `name` (not yet escaped), escaped and made different from the earlier ones.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let mut part = escape(name);
        let count = self.seen.entry(name.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        if *count > 1 {
            let _ = write!(part, "~{count}");
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_numbered() {
        let mut names = Names::default();
        assert_eq!(names.unique("args.amount-gt"), "args.amount-gt");
        assert_eq!(names.unique("args.amount-gt"), "args.amount-gt~2");
        assert_eq!(names.unique("args.amount-gt"), "args.amount-gt~3");
        assert_eq!(names.unique("a/b~c"), "a~1b~0c");
        assert_eq!(child("/tools", "files/*"), "/tools/files~1*");
    }
}
