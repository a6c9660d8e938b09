//! From text to a compiled policy, with every finding at once.

mod access;
mod cases;
mod clauses;
mod entries;
mod limits;
mod reader;
mod results;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::access::default_deny;
use crate::diagnostic::{Code, Diagnostic};
use crate::lint;
use crate::policy::{Document, Hidden, Policy};
use crate::rule_id::RuleId;
use crate::source::{self, Node, Value, shown};
use crate::suggest::nearest;

use self::reader::{Fields, NotObeyed, Reader};

const DOCUMENT_FIELDS: &[&str] = &[
    "version",
    "default",
    "description",
    "$schema",
    "timezone",
    "mode",
    "servers",
    "hide",
    "all_tools",
    "classes",
    "tools",
    "resources",
    "prompts",
    "methods",
    "results",
    "lists",
    "tests",
];

const DOCUMENT_NOT_OBEYED: &[NotObeyed] = &[
    NotObeyed { name: "facets", what: "apply rules by facet of a tool" },
    NotObeyed { name: "flow", what: "judge by what the agent has already touched" },
];

/// How a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Accept comments and trailing commas, as in files; an API does not.
    pub comments_allowed: bool,
}

/// A document that was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The policy; `None` when a finding is an error.
    pub policy: Option<Policy>,
    /// Every finding, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and compiles a policy document. Never stops at the first finding, save where the text is not JSON at all.
#[must_use]
pub fn load(text: &str, options: Load) -> Loaded {
    let mut diagnostics = Vec::new();
    let Some(root) = source::parse(text, options.comments_allowed, &mut diagnostics) else {
        return Loaded { policy: None, diagnostics };
    };
    let mut reader = Reader {
        diagnostics,
        lists: BTreeMap::new(),
        lists_used: BTreeSet::new(),
        zone: TimeZone::UTC,
        observed: false,
        servers: None,
    };
    let document = reader.document(&root);
    let mut diagnostics = reader.diagnostics;
    if let Some(document) = &document {
        diagnostics.extend(lint::document(document));
    }
    diagnostics.sort_by_key(|found| (found.range().start, found.range().end));
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    let policy = document.filter(|_| !broken).map(|document| Policy::new(Arc::new(document)));
    Loaded { policy, diagnostics }
}

impl Reader {
    fn document(&mut self, root: &Node) -> Option<Document> {
        let fields = self.fields(root, "a policy", DOCUMENT_FIELDS, DOCUMENT_NOT_OBEYED)?;
        self.version(fields);
        let choices = [("allow", true), ("deny", false)];
        let default = self.required(fields, "default", "a policy", "\"deny\"");
        // Read on with the stricter one; without a default there is no policy.
        let default_allow = default.and_then(|node| self.choice(node, "`default`", &choices)).unwrap_or(false);
        let description = self.text(fields.get("description"), "`description`");
        if let Some(node) = fields.get("$schema") {
            self.string(node, "`$schema`");
        }
        if let Some(node) = fields.get("timezone") {
            self.timezone(node);
        }
        self.observed = fields.get("mode").and_then(|node| self.mode(node)).unwrap_or(false);
        if let Some(node) = fields.get("lists") {
            self.lists(node);
        }
        self.servers = fields.get("servers").and_then(|node| self.servers(node));
        let hide = fields.get("hide").map(|node| self.patterns(node, "`hide`", "/hide")).unwrap_or_default();
        hide.iter().for_each(|(named, range)| self.spans_name(&named.pattern, range));
        let hide = hide.into_iter().map(|(named, range)| Hidden { named, range }).collect();
        let all_tools =
            fields.member("all_tools").and_then(|member| self.all_tools(&member.value, member.key_range.clone()));
        let (classes, openings) = fields.get("classes").map(|node| self.classes(node)).unwrap_or_default();
        let tools = fields.get("tools").map(|node| self.tools(node)).unwrap_or_default();
        let resources = self.access(fields, "resources", "resource", default_allow);
        let prompts = self.access(fields, "prompts", "prompt", default_allow);
        let methods = self.access(fields, "methods", "method", default_allow);
        let results = fields.get("results").and_then(|node| self.results(node));
        let cases = fields.get("tests").map(|node| self.cases(node)).unwrap_or_default();
        if let Some(node) = fields.get("lists") {
            self.unused_lists(node);
        }
        Some(Document {
            description,
            observed: self.observed,
            default_allow,
            default_range: default.map_or(0..0, |node| node.range.clone()),
            default_allows: Arc::new(RuleId::new("/default", "/default")),
            default_denies: default_deny("/default"),
            zone: self.zone.clone(),
            servers: self.servers.take(),
            hide,
            all_tools,
            classes,
            openings,
            tools,
            resources,
            prompts,
            methods,
            results,
            cases,
        })
    }

    fn version(&mut self, fields: Fields<'_>) {
        let Some(node) = self.required(fields, "version", "a policy", "\"1\"") else { return };
        match &node.value {
            Value::String(text) if text == "1" => {}
            Value::Number(literal) if literal == "1" => {
                let found = Diagnostic::new(Code::WrongType, node.range.clone(), "`version` must be a string");
                self.report(found.fix(node.range.clone(), "\"1\"", "write it in quotes"));
            }
            Value::String(text) => {
                let message = format!("there is no version `{}` of the language", shown(text));
                let found = Diagnostic::new(Code::UnknownValue, node.range.clone(), message);
                self.report(found.fix(node.range.clone(), "\"1\"", "this build reads version 1"));
            }
            _ => self.wrong_type(node, "`version`", "the string `\"1\"`"),
        }
    }

    fn timezone(&mut self, node: &Node) {
        let Some(name) = self.string(node, "`timezone`") else { return };
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        // Names are compared as written: what one machine takes for a zone every machine does.
        if let Some(zone) = known.iter().find(|zone| *zone == name).and_then(|zone| TimeZone::get(zone).ok()) {
            self.zone = zone;
            return;
        }
        let found =
            Diagnostic::new(Code::Format, node.range.clone(), format!("there is no time zone `{}`", shown(name)));
        self.report(match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => found.fix(node.range.clone(), format!("\"{near}\""), "a zone with a similar name exists"),
            None => found.help("zones are named as in the IANA database, such as `Europe/Berlin` or `UTC`"),
        });
    }
}
