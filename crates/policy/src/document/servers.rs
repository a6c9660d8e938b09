//! Reading `servers`: the servers that a policy for a stack spans, and what its patterns may then be.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic};
use crate::lint;
use crate::pattern::{ANY_NAME, ANY_URI, Pattern};
use crate::source::{Node, shown};
use crate::suggest::nearest;

use super::reader::Reader;

/// The most servers of one stack.
const MOST: usize = 64;

impl Reader {
    /// Reads `servers`: ids, none of them twice.
    pub(super) fn servers(&mut self, node: &Node) -> Option<Vec<Box<str>>> {
        let items = self.array(node, "`servers`")?;
        if items.is_empty() || items.len() > MOST {
            let message = format!("`servers` must name 1 to {MOST} servers");
            self.report(
                Diagnostic::new(Code::OutOfRange, node.range.clone(), message).help(
                    "a policy for one server has no `servers`; its patterns are the names of that server's tools",
                ),
            );
            return None;
        }
        let mut servers: Vec<Box<str>> = Vec::with_capacity(items.len());
        for item in items {
            let Some(id) = self.string(item, "a server") else { continue };
            if !mcp::qualified::is_server_id(id) {
                let message = format!("`{}` cannot be the id of a server", shown(id));
                let found = Diagnostic::new(Code::Format, item.range.clone(), message);
                self.report(found.help("an id is 1 to 40 of a-z, 0-9 and -"));
            } else if servers.iter().any(|known| **known == *id) {
                let found = Diagnostic::new(Code::Combination, item.range.clone(), format!("`{id}` stands here twice"));
                self.report(found.help("remove one of them"));
            } else {
                servers.push(id.into());
            }
        }
        Some(servers)
    }

    /// Whether a pattern can match a tool or prompt of the servers that the document spans: `<server>__<name>`, with
    /// the server as it is or `*`.
    pub(super) fn spans_name(&mut self, pattern: &Pattern, range: &Range<usize>) {
        let Some(servers) = &self.servers else { return };
        let text = pattern.as_str();
        let prefixes = || servers.iter().map(|server| mcp::qualified::name(server, "")).chain([ANY_NAME.to_owned()]);
        if text == "*" || prefixes().any(|prefix| text.starts_with(&prefix)) {
            return;
        }
        let message = format!("`{}` names no tool or prompt of a stack", shown(text));
        let named = mcp::qualified::split_name(text).and_then(|(server, name)| {
            let near = nearest(server, servers.iter().map(|server| &**server))?;
            Some(mcp::qualified::name(near, name))
        });
        let found = Diagnostic::new(Code::Pattern, range.clone(), message).label("expected `<server>__<tool>`");
        self.report(match named {
            Some(near) => {
                let replacement = serde_json::Value::from(near).to_string();
                found.fix(range.clone(), replacement, "a server with a similar id is in `servers`")
            }
            None => found.help("begin it with the id of a server in `servers` and `__`, or with `*__` for any of them"),
        });
    }

    /// The same of a resource: `mcp+<server>+<uri>`, with the server as it is or `*`.
    pub(super) fn spans_uri(&mut self, pattern: &Pattern, range: &Range<usize>) {
        let text = pattern.as_str();
        let Some(servers) = &self.servers else {
            if text.starts_with(mcp::qualified::SCHEME) {
                self.report(lint::of_a_stack(text, range));
            }
            return;
        };
        let prefixes = || servers.iter().map(|server| mcp::qualified::uri(server, "")).chain([ANY_URI.to_owned()]);
        if text == "*" || prefixes().any(|prefix| text.starts_with(&prefix)) {
            return;
        }
        let message = format!("`{}` names no resource of a stack", shown(text));
        let found = Diagnostic::new(Code::Pattern, range.clone(), message).label("expected `mcp+<server>+<uri>`");
        self.report(found.help("begin it with `mcp+`, the id of a server in `servers` and `+`, or with `mcp+*+`"));
    }
}
