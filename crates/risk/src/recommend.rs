//! Policies that follow from what tools can do, in three tempers, with a sentence of why for each
//! clause.
//!
//! A recommendation is usable as it stands: whatever needs to be known about the operator (own
//! mail domains, folders, hosts, the most that may be spent) is taken from [`Bounds`], and left
//! out where nothing is said.

mod arguments;
mod condition;
pub(crate) mod meaning;
mod shape;

use std::borrow::Cow;
use std::collections::BTreeSet;

use policy::Class;
use serde_json::{Map, Value, json};

use self::arguments::Said;
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// How strict a recommendation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Temper {
    /// Nothing is stopped; what the balanced rules would stop is recorded.
    Observe,
    /// Reading is free, changes are limited, deletions and payments wait for a person.
    Balanced,
    /// Reading within bounds; changes wait for a person; what is worse does not exist.
    LockedDown,
}

impl Temper {
    /// Every temper, from the mildest.
    pub const ALL: [Temper; 3] = [Temper::Observe, Temper::Balanced, Temper::LockedDown];

    /// The name: `observe`, `balanced`, `locked-down`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Temper::Observe => "observe",
            Temper::Balanced => "balanced",
            Temper::LockedDown => "locked-down",
        }
    }
}

/// What is known about the operator.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Domains to which mail may go.
    pub domains: Vec<String>,
    /// Folders, as absolute paths, below which files may be touched.
    pub roots: Vec<String>,
    /// Hosts that may be asked; `*.example.com` is any below.
    pub hosts: Vec<String>,
    /// The most that one call may spend, in the unit of the tool's argument.
    pub cap: Option<u64>,
}

/// A policy, and why each of its clauses is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// The policy, in our language.
    pub document: Value,
    /// One sentence for each clause, in the order of the document.
    pub reasons: Vec<Reason>,
    /// Tools that no policy can name: their names read as patterns, or are longer than any rule may be. They
    /// stay denied.
    pub unnamed: Vec<String>,
}

/// Why a clause is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where the clause stands in the document: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// One sentence.
    pub why: String,
}

/// Recommends a policy for the tools of a server, or of several.
///
/// Every document passes `policy check`, and every test that it brings passes.
#[must_use]
pub fn recommend(tools: &[(Definition<'_>, Assessment)], temper: Temper, bounds: &Bounds) -> Recommendation {
    let mut writer =
        Writer { temper, bounds, rules: Map::new(), hidden: Vec::new(), tests: Vec::new(), reasons: Vec::new() };
    let mut unnamed = Vec::new();
    let mut seen = BTreeSet::new();
    for (definition, assessment) in tools {
        if !can_be_named(definition.name) {
            unnamed.push(definition.name.to_owned());
        } else if seen.insert(definition.name) {
            writer.tool(definition, assessment);
        }
    }
    let reasons = std::mem::take(&mut writer.reasons);
    Recommendation { document: writer.document(), reasons, unnamed }
}

/// Whether a rule can be for this name alone.
#[must_use]
pub fn can_be_named(name: &str) -> bool {
    /// The most characters of a name that a policy's own tests can call.
    const LONGEST: usize = 256;
    let length = name.chars().count();
    (1..=LONGEST).contains(&length) && !name.contains(|c: char| c.is_control() || matches!(c, '*' | '?'))
}

/// A name as it stands within other texts, whose length has a limit.
fn cut(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 128;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}

/// Collects the parts of a document.
struct Writer<'a> {
    temper: Temper,
    bounds: &'a Bounds,
    rules: Map<String, Value>,
    hidden: Vec<String>,
    tests: Vec<Value>,
    reasons: Vec<Reason>,
}

impl Writer<'_> {
    fn document(self) -> Value {
        let mut document = json!({ "version": "1", "default": "deny" });
        let Some(fields) = document.as_object_mut() else { return document };
        if self.temper == Temper::Observe {
            fields.insert("mode".into(), "observe".into());
        }
        if !self.hidden.is_empty() {
            fields.insert("hide".into(), self.hidden.into());
        }
        fields.insert("tools".into(), Value::Object(self.rules));
        if !self.tests.is_empty() {
            fields.insert("tests".into(), self.tests.into());
        }
        document
    }

    fn tool(&mut self, definition: &Definition<'_>, assessment: &Assessment) {
        let name = definition.name;
        let short = cut(name);
        if self.temper == Temper::LockedDown && hides(assessment) {
            let index = self.hidden.len();
            self.hidden.push(name.to_owned());
            self.because(
                format!("/hide/{index}"),
                format!("{short} {}; locked down, it does not exist.", danger(assessment)),
            );
            return;
        }
        let mut entry = Map::new();
        let place = format!("/tools/{}", escaped(name));
        let said = arguments::clauses(definition, assessment, self.bounds);
        if let Some((reason, why)) = asks(&short, assessment, self.temper, &said) {
            entry.insert("action".into(), "require_approval".into());
            entry.insert("reason".into(), reason.into());
            self.because(format!("{place}/action"), why);
        }
        for clause in said.clauses {
            let list = entry.entry(clause.list).or_insert_with(|| Value::Array(Vec::new()));
            let Some(list) = list.as_array_mut() else { continue };
            self.because(format!("{place}/{}/{}", clause.list, list.len()), clause.why);
            list.push(clause.rule);
            if let Some((arguments, test)) = clause.refused.filter(|_| self.temper != Temper::Observe) {
                self.tests.push(
                    json!({ "name": format!("{short}: {test}"), "call": name, "args": arguments, "expect": "deny" }),
                );
            }
        }
        if let Some((max, why)) = rate(assessment, self.temper) {
            // Two names that are cut alike still have a counter each.
            let counter =
                if *short == *name { format!("{name}_rate") } else { format!("{short}{}_rate", self.rules.len()) };
            let limit = json!({ "counter": counter, "window": "minute", "max": max, "scope": "grant" });
            entry.insert("limits".into(), json!([limit]));
            self.because(format!("{place}/limits/0"), why.to_owned());
        }
        self.rules.insert(name.to_owned(), Value::Object(entry));
    }

    fn because(&mut self, pointer: String, why: String) {
        self.reasons.push(Reason { pointer, why });
    }
}

/// Whether the tool is not to exist when everything is locked down.
fn hides(assessment: &Assessment) -> bool {
    !matches!(assessment.class, Class::Read | Class::Write) || assessment.facets.contains(&Facet::RunsCode)
}

/// What the agent is told where a person is asked before each call, and why.
fn asks(name: &str, assessment: &Assessment, temper: Temper, said: &Said) -> Option<(String, String)> {
    let because = |danger: &str| format!("{name} {danger}: a person must agree to each call.");
    let why = match (assessment.class, temper) {
        (Class::Destructive, _) => "What it deletes may not come back, so a person agrees first.",
        (Class::Financial, _) => "It moves or commits money, so a person agrees first.",
        (Class::Unclassified, _) => "Nothing in its definition says what it does, so a person looks first.",
        (Class::Write, Temper::LockedDown) => "Locked down, every change is agreed to by a person.",
        _ => "",
    };
    if !why.is_empty() {
        return Some((because(danger(assessment)), why.to_owned()));
    }
    if let Some(code) = said.code.as_ref().filter(|_| {
        matches!(assessment.class, Class::Execute | Class::Write) && assessment.facets.contains(&Facet::RunsCode)
    }) {
        return Some((
            because(&format!("runs whatever `{code}` says")),
            format!(
                "`{code}` is a program of its own: no rule over text bounds what it does, so a person reads it first."
            ),
        ));
    }
    if said.writes_sql {
        return Some((
            because("changes data by SQL"),
            "A statement that may write can drop what is there as well, so a person reads it first.".to_owned(),
        ));
    }
    if let Some(host) = &said.host {
        return Some((
            because(&format!("connects to whatever `{host}` says")),
            format!("`{host}` may lead into your own network, so a person looks first: name your hosts with --host."),
        ));
    }
    if said.too_much {
        return Some((
            because("takes more arguments than rules can bound"),
            "It takes more paths and addresses than an entry holds rules for, so a person looks first.".to_owned(),
        ));
    }
    let open = said.unbounded.as_ref().filter(|_| temper == Temper::LockedDown)?;
    Some((open.reason.clone(), open.why.clone()))
}

/// How many calls a minute, and why.
fn rate(assessment: &Assessment, temper: Temper) -> Option<(u32, &'static str)> {
    match (assessment.class, temper) {
        (Class::Write, Temper::LockedDown) => {
            Some((10, "Ten changes a minute are enough for work that a person follows."))
        }
        (Class::Write, _) => Some((30, "An agent in a loop cannot make hundreds of changes a minute.")),
        (Class::Execute | Class::Unclassified, _) => {
            Some((10, "A runaway agent cannot trigger it dozens of times a minute."))
        }
        (Class::Destructive, _) => Some((5, "Even when agreed to, deletions come a few at a time.")),
        (Class::Financial, _) => Some((5, "Even when agreed to, payments come a few at a time.")),
        (Class::Read, Temper::LockedDown) => {
            Some((60, "A call a second is enough to work, and too little to copy everything."))
        }
        (Class::Read, _)
            if assessment.facets.contains(&Facet::ReadsPrivate) && assessment.facets.contains(&Facet::Bulk) =>
        {
            Some((30, "It can export private data in bulk; thirty calls a minute bound how much."))
        }
        (Class::Read, _) => None,
    }
}

/// What is dangerous about a tool, as a part of a sentence.
fn danger(assessment: &Assessment) -> &'static str {
    match assessment.class {
        Class::Read if assessment.facets.contains(&Facet::RunsCode) => "runs what its arguments say",
        Class::Read => "reads",
        Class::Write => "changes data",
        Class::Execute if assessment.facets.contains(&Facet::RunsCode) => "runs what its arguments say",
        Class::Execute if assessment.facets.contains(&Facet::SendsExternal) => "sends data outside",
        Class::Execute => "triggers something whose effect lies in its arguments",
        Class::Destructive => "deletes",
        Class::Financial => "moves or commits money",
        Class::Unclassified => "does something that its definition does not say",
    }
}

/// A name as a part of a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
