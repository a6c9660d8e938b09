//! Reading `hide`, `resources`, `prompts` and `methods`.

use std::sync::Arc;

use crate::access::{AccessRules, Named, default_deny};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::Pattern;
use crate::rule_id::{RuleId, child};
use crate::source::{Node, Value};

use super::reader::{Fields, Reader};

const ACCESS_FIELDS: &[&str] = &["hide", "deny", "allow", "default"];

impl Reader {
    /// Reads an array of patterns under `pointer`; beside each the bytes it stands in.
    pub(super) fn patterns(&mut self, node: &Node, what: &str, pointer: &str) -> Vec<(Named, std::ops::Range<usize>)> {
        let Some(items) = self.array(node, what) else { return Vec::new() };
        let mut named = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Some(text) = self.string(item, "a pattern") else { continue };
            let Some(pattern) = self.pattern(text, &item.range) else { continue };
            let rule = Arc::new(RuleId::new(child(pointer, &index.to_string()), child(pointer, text)));
            named.push((Named { pattern, rule }, item.range.clone()));
        }
        named
    }

    pub(super) fn pattern(&mut self, text: &str, range: &std::ops::Range<usize>) -> Option<Pattern> {
        match Pattern::parse(text) {
            Ok(pattern) if self.servers.is_some() => Some(pattern.spanning()),
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let mut found = Diagnostic::new(Code::Pattern, range.clone(), error.message);
                if let Some(help) = error.help {
                    found = found.help(help);
                }
                self.report(found);
                None
            }
        }
    }

    /// Reads the section `name` of the document; an absent one follows the document's default.
    pub(super) fn access(
        &mut self,
        document: Fields<'_>,
        name: &str,
        what: &'static str,
        default_allow: bool,
    ) -> AccessRules {
        let mut rules = AccessRules {
            what,
            hide: Vec::new(),
            deny: Vec::new(),
            allow: Vec::new(),
            default_allow,
            allowed_by_default: Arc::new(RuleId::new("/default", "/default")),
            denied_by_default: default_deny("/default"),
            observed: self.observed,
        };
        let Some(node) = document.get(name) else { return rules };
        let of = format!("`{name}`");
        let Some(fields) = self.fields(node, &of, ACCESS_FIELDS, &[]) else { return rules };
        let pointer = child("", name);
        let mut list = |field: &str| -> Vec<Named> {
            let Some(node) = fields.get(field) else { return Vec::new() };
            let found = self.patterns(node, &format!("`{field}`"), &child(&pointer, field));
            for (named, range) in &found {
                match what {
                    "prompt" => self.spans_name(&named.pattern, range),
                    "resource" => self.spans_uri(&named.pattern, range),
                    _ => {}
                }
            }
            found.into_iter().map(|(named, _)| named).collect()
        };
        (rules.hide, rules.deny, rules.allow) = (list("hide"), list("deny"), list("allow"));
        if let Some(node) = fields.get("default") {
            let choices = [("allow", true), ("deny", false)];
            if let Some(allow) = self.choice(node, "`default`", &choices) {
                let pointer = child(&pointer, "default");
                rules.default_allow = allow;
                rules.denied_by_default = default_deny(&pointer);
                rules.allowed_by_default = Arc::new(RuleId::new(pointer.clone(), pointer));
            }
        }
        rules
    }

    /// Reads `lists`: the arrays themselves are checked where they are used.
    pub(super) fn lists(&mut self, node: &Node) {
        let Some(members) = node.as_object() else {
            self.wrong_type(node, "`lists`", "an object");
            return;
        };
        for member in members {
            let list = match member.value.value {
                Value::Array(_) => Some(member.value.clone()),
                _ => {
                    self.wrong_type(
                        &member.value,
                        &format!("the list `{}`", crate::source::shown(&member.key)),
                        "an array",
                    );
                    None
                }
            };
            self.lists.insert(member.key.clone(), list);
        }
    }

    /// Says which lists nothing uses.
    pub(super) fn unused_lists(&mut self, node: &Node) {
        for member in node.as_object().unwrap_or_default() {
            if !self.lists_used.contains(&member.key) {
                let message = format!("nothing uses the list `{}`", crate::source::shown(&member.key));
                self.report(Diagnostic::new(Code::UnusedList, member.key_range.clone(), message));
            }
        }
    }
}
