//! Findings that need the tools of the server.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use serde_json::Value;

use crate::condition::Op;
use crate::diagnostic::{Code, Diagnostic};
use crate::entry::{Entry, Leaf, SchemaMode};
use crate::facts::ToolFacts;
use crate::path::{Path, Root, Step};
use crate::pattern::Pattern;
use crate::policy::{Document, Policy};
use crate::source::shown;
use crate::suggest::nearest;

use super::entries;
use super::schema_path::{Place, names, place};

/// The longest list of tools in one finding.
const MOST_NAMES: usize = 12;

/// What is known beside the document.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The tools of the server; `None` when they are not known.
    pub tools: Option<&'a [ToolFacts<'a>]>,
    /// The time, for entries that have ended; `None` to leave them alone.
    pub now: Option<Timestamp>,
}

/// A tool and its schema as JSON.
struct Tool<'a> {
    facts: &'a ToolFacts<'a>,
    schema: Option<Value>,
}

/// Paths that the schemas lack, optional arguments without `missing`, tools and patterns without a partner, refunds
/// for tools with side effects, and entries that have ended. What needs no tools is found when the document is loaded.
#[must_use]
pub fn check(policy: &Policy, known: &Known<'_>) -> Vec<Diagnostic> {
    let document = policy.document();
    let mut found = Vec::new();
    if let Some(now) = known.now {
        for entry in document.entries() {
            if entry.valid_until.is_some_and(|until| until <= now) {
                let message = format!("`{}` has ended", shown(&entry.name));
                found.push(
                    Diagnostic::new(Code::Ended, entry.key_range.clone(), message)
                        .help("it allows nothing any more, and what it restricts stays restricted"),
                );
            }
        }
    }
    super::qualified::check(document, known, &mut found);
    if let Some(tools) = known.tools {
        let tools: Vec<Tool<'_>> = tools
            .iter()
            .filter(|facts| document.covers(facts.server))
            .map(|facts| Tool { facts, schema: facts.input_schema.and_then(|text| serde_json::from_str(text).ok()) })
            .collect();
        unmatched(document, &tools, &mut found);
        for entry in &document.tools {
            of_entry(document, entry, &tools, &mut found);
        }
    }
    found.sort_by_key(|diagnostic| (diagnostic.range().start, diagnostic.range().end));
    found
}

/// The patterns of tools, and where they stand.
pub(super) fn patterns(document: &Document) -> impl Iterator<Item = (&Pattern, &Range<usize>)> {
    let tools = document.tools.iter().filter_map(|entry| Some((entry.pattern.as_ref()?, &entry.key_range)));
    tools.chain(document.hide.iter().map(|hidden| (&hidden.named.pattern, &hidden.range)))
}

fn unmatched(document: &Document, tools: &[Tool<'_>], found: &mut Vec<Diagnostic>) {
    if document.servers.is_some() && tools.is_empty() {
        // These are the tools of other servers than those that the policy is for.
        return;
    }
    let all: Vec<Cow<'_, str>> = tools.iter().map(|tool| document.name(tool.facts.server, tool.facts.name)).collect();
    for (pattern, range) in patterns(document) {
        if all.iter().any(|name| pattern.matches(name)) {
            continue;
        }
        let message = format!("no tool of the server matches `{}`", shown(pattern.as_str()));
        let mut diagnostic = Diagnostic::new(Code::UnmatchedPattern, range.clone(), message);
        if let Some(near) = nearest(pattern.as_str(), all.iter().map(|name| &**name)) {
            if patterns(document).any(|(other, _)| other.as_str() == near) {
                let help = format!("a tool with a similar name exists, `{}`, and stands here already", shown(near));
                found.push(diagnostic.help(help));
                continue;
            }
            let replacement = Value::from(near).to_string();
            diagnostic = diagnostic.fix(range.clone(), replacement, "a tool with a similar name exists");
        }
        found.push(diagnostic);
    }
    let lonely: Vec<Cow<'_, str>> = tools
        .iter()
        // Whether a person accepted a class is known where the policy is in force.
        .filter(|tool| document.default_allow || document.opening(tool.facts.class).is_none())
        .map(|tool| document.name(tool.facts.server, tool.facts.name))
        .filter(|name| {
            let named = document.tools.iter().any(|entry| entry.pattern.as_ref().is_some_and(|p| p.matches(name)));
            let hidden = document.hide.iter().any(|hidden| hidden.named.pattern.matches(name));
            !named && !hidden
        })
        .collect();
    if lonely.is_empty() {
        return;
    }
    let fate = if document.default_allow { "allowed" } else { "denied" };
    let mut list: Vec<String> = lonely.iter().take(MOST_NAMES).map(|name| format!("`{}`", shown(name))).collect();
    if lonely.len() > MOST_NAMES {
        list.push(format!("and {} more", lonely.len().saturating_sub(MOST_NAMES)));
    }
    let count = if lonely.len() == 1 { "1 tool is".to_owned() } else { format!("{} tools are", lonely.len()) };
    let message = format!("{count} named by no rule, and therefore {fate}");
    found.push(
        Diagnostic::new(Code::UnmatchedTool, document.default_range.clone(), message)
            .label("by this default")
            .help(list.join(", ")),
    );
}

fn of_entry(document: &Document, entry: &Entry, tools: &[Tool<'_>], found: &mut Vec<Diagnostic>) {
    let Some(pattern) = &entry.pattern else { return };
    let matches = |tool: &&Tool<'_>| pattern.matches(&document.name(tool.facts.server, tool.facts.name));
    let matched: Vec<&Tool<'_>> = tools.iter().filter(matches).collect();
    if let Some(tool) = matched.iter().find(|tool| tool.facts.class != crate::facts::Class::Read) {
        entries::refunds(entry, tool.facts.class, found);
    }
    for (_, clause) in entry.clauses() {
        for leaf in &clause.leaves {
            if let Some(steps) = full_steps(leaf) {
                of_path(&leaf.path, &leaf.path_range, &steps, &matched, found);
                optional(leaf, &steps, &matched, found);
            }
        }
    }
    for (limit, range) in entry.limits.iter().zip(&entry.limit_ranges) {
        if let Some(path) = &limit.amount {
            of_path(path, range, path.steps(), &matched, found);
        }
    }
    let open = matched.iter().find(|tool| tool.schema.as_ref().is_none_or(|schema| names(schema).is_empty()));
    if let Some(tool) = open
        && entry.reads_arguments()
        && entry.schema != Some(SchemaMode::Closed)
    {
        let message = format!(
            "`{}` declares no arguments, so undeclared ones pass beside those that are judged",
            shown(tool.facts.name)
        );
        found.push(Diagnostic::new(Code::Undeclared, entry.key_range.clone(), message));
    }
}

/// The steps of a path from the arguments on.
fn full_steps(leaf: &Leaf) -> Option<Vec<Step>> {
    match (leaf.path.root(), &leaf.each) {
        (Root::Args, _) => Some(leaf.path.steps().to_vec()),
        (Root::Item, Some(each)) if *each.root() == Root::Args => {
            Some(each.steps().iter().chain(&[Step::Every]).chain(leaf.path.steps()).cloned().collect())
        }
        _ => None,
    }
}

fn of_path(
    path: &Path,
    range: &std::ops::Range<usize>,
    steps: &[Step],
    tools: &[&Tool<'_>],
    found: &mut Vec<Diagnostic>,
) {
    let mut lacking = None;
    for tool in tools {
        let Some(schema) = &tool.schema else { return };
        match place(schema, steps) {
            Place::Absent { object } => lacking = lacking.or(Some((tool, object))),
            _ => return,
        }
    }
    let Some((tool, object)) = lacking else { return };
    let message = format!("`{path}` is not in the input schema of `{}`", shown(tool.facts.name));
    let mut diagnostic = Diagnostic::new(Code::PathNotInSchema, range.clone(), message);
    let declared = names(object);
    let wanted = steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key),
        _ => None,
    });
    match wanted.and_then(|key| nearest(key, declared.iter().copied())) {
        Some(near) => diagnostic = diagnostic.help(format!("did you mean `{near}`?")),
        None if declared.is_empty() => {}
        None => {
            let declared: Vec<String> =
                declared.iter().take(MOST_NAMES).map(|name| format!("`{}`", shown(name))).collect();
            diagnostic = diagnostic.help(format!("it declares {}", declared.join(", ")));
        }
    }
    found.push(diagnostic);
}

fn optional(leaf: &Leaf, steps: &[Step], tools: &[&Tool<'_>], found: &mut Vec<Diagnostic>) {
    if leaf.missing.is_some() || leaf.op == Op::Exists {
        return;
    }
    let tool =
        tools.iter().find(|tool| tool.schema.as_ref().is_some_and(|schema| place(schema, steps) == Place::Optional));
    let Some(tool) = tool else { return };
    let message =
        format!("`{}` is optional in `{}`, and a call without it is denied", leaf.path, shown(tool.facts.name));
    found.push(
        Diagnostic::new(Code::Missing, leaf.path_range.clone(), message)
            .help("say what absence means: `\"missing\": true` counts as a match, `\"missing\": false` as none"),
    );
}
