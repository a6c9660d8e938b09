//! Names as a stack of servers has them, in a policy that is for one server.

use std::ops::Range;

use super::tools::{Known, patterns};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::Pattern;
use crate::policy::Document;
use crate::source::shown;

/// Patterns of tools that begin with a server. Names of a server's own may do so too: those are known where its tools are, and
/// elsewhere only what is for many names is told of.
pub(super) fn check(document: &Document, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    if document.servers.is_some() {
        return;
    }
    let is_own =
        |pattern: &Pattern| known.tools.is_some_and(|tools| tools.iter().any(|tool| pattern.matches(tool.name)));
    let may_tell = |name: &str| !name.is_empty() && (known.tools.is_some() || name.contains('*'));
    for (pattern, range) in patterns(document) {
        let text = pattern.as_str();
        let of_any = text.strip_prefix("*__").is_some_and(|name| !name.is_empty());
        let of_one = mcp::qualified::split_name(text).is_some_and(|(_, name)| may_tell(name));
        if (of_any || of_one) && !is_own(pattern) {
            found.push(of_a_stack(pattern.as_str(), range));
        }
    }
}

/// What is said of such a pattern.
pub(crate) fn of_a_stack(pattern: &str, range: &Range<usize>) -> Diagnostic {
    let message = format!("`{}` is how a stack names things, and this policy names no servers", shown(pattern));
    Diagnostic::new(Code::Qualified, range.clone(), message)
        .label("matches a server's own names only")
        .help("name the servers of the stack in `servers`, or write the name as its server has it")
}
