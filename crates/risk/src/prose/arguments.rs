//! The arguments of a tool: what each is, what its schema says, and what is risky about it.

use std::collections::HashMap;

use policy::Class;
use serde::Serialize;
use serde_json::Value;

use super::role::{Clues, Role};
use super::{code, plain};
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;
use crate::recommend::meaning::{Meaning, meanings};

/// How many arguments are told of, and how deep they are looked for.
const MOST: usize = 40;
const DEPTH: usize = 4;
/// How many values of a list are told, and how long one may be.
const VALUES: usize = 12;
const VALUE: usize = 40;
/// How much of the server's own words is kept of one argument, and of all together, in bytes.
const DESCRIPTION: usize = 240;
const DESCRIPTIONS: usize = 6_000;

/// An argument of a tool.
#[derive(Clone, Debug, Serialize)]
pub struct ArgumentText {
    /// The way to it: `request.url`, `files[*].path`.
    pub path: String,
    /// What it takes, in words: "text", "whole number", "list of text", "one of the listed values".
    pub takes: String,
    /// Whether a call must give it.
    pub required: bool,
    /// What the server says of it: a stranger's words, with nothing invisible in them. Empty where it says nothing.
    pub foreign: String,
    /// The values that the schema lists, as strangers wrote them; the first few.
    pub values: Vec<String>,
    /// How many values more there are.
    pub more_values: usize,
    /// What is risky about it, in a sentence of ours.
    pub note: Option<String>,
    #[serde(skip)]
    pub(super) role: Role,
    /// Its own name, quoted, for sentences.
    #[serde(skip)]
    pub(super) said: String,
    /// How many names deep it lies; 1 is a plain argument.
    #[serde(skip)]
    pub(super) depth: usize,
    /// The greatest number that the schema allows.
    #[serde(skip)]
    pub(super) maximum: Option<f64>,
}

/// The arguments of a definition, and how many more there are.
pub(super) fn arguments(definition: &Definition<'_>, assessment: &Assessment) -> (Vec<ArgumentText>, usize) {
    let Some(schema) = definition.schema else { return (Vec::new(), 0) };
    let known: HashMap<String, (Meaning, bool)> =
        meanings(definition, assessment).into_iter().map(|(path, meaning, mails)| (path, (meaning, mails))).collect();
    let has = |facet| assessment.facets.contains(&facet);
    let mut walk = Walk {
        root: schema,
        known,
        sends: has(Facet::SendsExternal),
        spends: assessment.class == Class::Financial || has(Facet::SpendsMoney),
        runs: has(Facet::RunsCode),
        reads: assessment.class == Class::Read,
        room: DESCRIPTIONS,
        left: 400,
        found: Vec::new(),
        more: 0,
    };
    walk.object(schema, "", 1);
    (walk.found, walk.more)
}

struct Walk<'a> {
    root: &'a Value,
    known: HashMap<String, (Meaning, bool)>,
    sends: bool,
    spends: bool,
    runs: bool,
    reads: bool,
    /// Bytes of foreign text that may still be kept.
    room: usize,
    /// Schemas that may still be read.
    left: usize,
    found: Vec<ArgumentText>,
    more: usize,
}

impl<'a> Walk<'a> {
    fn object(&mut self, schema: &'a Value, before: &str, depth: usize) {
        let schema = self.resolved(schema);
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let parts: Vec<&Value> = std::iter::once(schema).chain(parts.map(|part| self.resolved(part))).collect();
        for part in parts {
            let required: Vec<&str> = part
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if self.found.len() >= MOST || self.left == 0 {
                    self.more += 1;
                    continue;
                }
                self.left -= 1;
                self.argument(name, property, before, depth, required.contains(&name.as_str()));
            }
        }
    }

    fn argument(&mut self, name: &'a str, property: &'a Value, before: &str, depth: usize, required: bool) {
        let path = step(before, name);
        let schema = self.only(property);
        let kind = kind(schema);
        let items = schema.get("items").map(|items| self.only(items));
        let values = listed(schema).or_else(|| items.and_then(listed)).unwrap_or(&[]);
        let inner = if kind == "list" { format!("{path}[*]") } else { path.clone() };
        let (meaning, mails) = self.known.get(&path).or_else(|| self.known.get(&inner)).copied().unzip();
        let clues = Clues {
            name,
            meaning,
            mails: mails.unwrap_or_default(),
            kind,
            sends: self.sends,
            spends: self.spends,
            runs: self.runs,
            reads: self.reads,
        };
        let role = Role::of(&clues);
        let text = property.get("description").or_else(|| schema.get("description")).and_then(Value::as_str);
        let foreign = plain(text.unwrap_or_default(), DESCRIPTION.min(self.room));
        self.room = self.room.saturating_sub(foreign.len());
        self.found.push(ArgumentText {
            takes: takes(schema, items),
            required,
            foreign,
            values: values.iter().take(VALUES).map(value).collect(),
            more_values: values.len().saturating_sub(VALUES),
            note: None,
            role,
            said: code(&path),
            depth,
            maximum: schema.get("maximum").and_then(Value::as_f64),
            path: plain(&path, 160),
        });
        if depth < DEPTH {
            let within = items.unwrap_or(schema);
            self.object(within, &inner, depth + 1);
        }
    }

    fn resolved(&self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..8 {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match target.and_then(|pointer| self.root.pointer(pointer)) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// The schema itself, or of its choices the first that is not null.
    fn only(&self, schema: &'a Value) -> &'a Value {
        let schema = self.resolved(schema);
        let choices = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array());
        let real = |one: &&Value| one.get("type").and_then(Value::as_str) != Some("null");
        match choices.and_then(|all| all.iter().map(|one| self.resolved(one)).find(real)) {
            Some(one) if schema.get("properties").is_none() => one,
            _ => schema,
        }
    }
}

/// The way to a member, as recommendations write it.
fn step(before: &str, name: &str) -> String {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.is_empty();
    match (is_plain, before.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{before}.{name}"),
        (false, true) => format!("args[{}]", Value::from(name)),
        (false, false) => format!("{before}[{}]", Value::from(name)),
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        _ => Vec::new(),
    }
}

fn listed(schema: &Value) -> Option<&[Value]> {
    schema.get("enum").and_then(Value::as_array).map(Vec::as_slice)
}

fn kind(schema: &Value) -> &'static str {
    match types(schema).as_slice() {
        _ if schema.get("enum").is_some() || schema.get("const").is_some() => "choice",
        ["string"] => "text",
        ["number" | "integer"] => "number",
        ["boolean"] => "switch",
        ["array"] => "list",
        ["object"] => "object",
        [] if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

/// What a schema takes, in words.
fn takes(schema: &Value, items: Option<&Value>) -> String {
    let one = |schema: &Value| match kind(schema) {
        "choice" => "one of the listed values",
        "text" => "text",
        "number" if types(schema) == ["integer"] => "whole number",
        "number" => "number",
        "switch" => "true or false",
        "object" if schema.get("properties").is_none() => "object of any members",
        "object" => "object",
        "list" => "list",
        _ => "anything",
    };
    match (kind(schema), items) {
        ("list", Some(items)) => match one(items) {
            "text" => "list of texts".to_owned(),
            "number" | "whole number" => "list of numbers".to_owned(),
            "object" | "object of any members" => "list of objects".to_owned(),
            "one of the listed values" => "list of the listed values".to_owned(),
            _ => "list".to_owned(),
        },
        _ => one(schema).to_owned(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text, VALUE),
        other => plain(&other.to_string(), VALUE),
    }
}
