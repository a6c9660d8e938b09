//! Sample calls, and what the policy engine makes of them under the recommended rule.

use policy::cases::{Expect, Outcome, run};
use policy::{Load, Numbers, ToolFacts, load};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::example::Examples;
use super::grammar::counted;
use super::told::Told;
use super::variants::{Variant, VariantKind};

/// The most samples.
const MOST: usize = 4;
/// Calls of a tool that nothing limits.
const MANY: u64 = 60;

/// A call, and what becomes of it.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// What the call shows.
    pub shows: String,
    /// Its arguments.
    pub arguments: Value,
    /// How often it is made within a minute; the last one is judged.
    pub calls: u64,
    /// What the engine makes of it: `allow`, `deny`, `limit`, `approval` or `hide`.
    pub verdict: &'static str,
    /// All that the agent reads when it is stopped, with `ID` for the decision's id.
    pub told: Option<String>,
}

/// What an agent reads when this tool is stopped.
#[derive(Clone, Debug, Serialize)]
pub struct AgentText {
    /// When it reads that.
    pub when: String,
    /// The text, as the gateway sends it, with `ID` for the decision's id.
    pub text: String,
}

/// A call that is to be judged.
struct Try {
    shows: String,
    arguments: Value,
    calls: u64,
}

/// The samples for the recommended rule.
pub(super) fn samples(told: &Told<'_>, variants: &[Variant]) -> Vec<Sample> {
    let Some(patch) = variants.iter().find(|one| one.kind == VariantKind::Patch) else { return Vec::new() };
    let schema = told.definition.schema.map(ToString::to_string);
    let place = entry(told, &patch.document);
    let examples = Examples::new(told);
    let full = examples.call(true);
    let spare = examples.call(false);
    let mut tries = Vec::new();
    let ordinary =
        match place.is_some_and(|entry| entry.contains_key("require") || entry.contains_key("require_approval_if")) {
            true => "A call within the bounds.",
            false => "An ordinary call.",
        };
    tries.push(Try { shows: ordinary.to_owned(), arguments: full.clone(), calls: 1 });
    tries.push(Try { shows: ordinary.to_owned(), arguments: spare.clone(), calls: 1 });
    let tests = patch.document.get("tests").and_then(Value::as_array);
    for test in tests.into_iter().flatten().take(2) {
        let Some(arguments) = test.get("args") else { continue };
        let shows = test
            .get("name")
            .and_then(Value::as_str)
            .and_then(|name| name.rsplit_once(": "))
            .map_or("", |(_, shows)| shows);
        let mut call = full.clone();
        merge(&mut call, arguments);
        tries.push(Try { shows: format!("Outside the bounds: {shows}."), arguments: call, calls: 1 });
    }
    let limit = place.and_then(|entry| entry.get("limits")?.get(0)?.get("max")?.as_u64());
    match limit {
        Some(max) => tries.push(Try {
            shows: format!("The same call for the {} time within a minute.", ordinal(max + 1)),
            arguments: full.clone(),
            calls: max + 1,
        }),
        None => tries.push(Try {
            shows: format!("The same call for the {} time within a minute.", ordinal(MANY)),
            arguments: full.clone(),
            calls: MANY,
        }),
    }
    if let Some(first) = told.outer().find(|one| one.required) {
        let mut call = full.clone();
        if let Some(members) = call.as_object_mut() {
            members.remove(first.path.as_str());
        }
        tries.push(Try {
            shows: format!("A call without {}, which the schema requires.", first.said),
            arguments: call,
            calls: 1,
        });
    }
    if told.definition.schema.is_some_and(|schema| schema.get("properties").is_some()) {
        let mut call = full.clone();
        merge(&mut call, &json!({ "not_in_the_schema": true }));
        tries.push(Try {
            shows: "A call with an argument that the schema does not name.".to_owned(),
            arguments: call,
            calls: 1,
        });
    }
    let outcomes = judged(told, &patch.document, &tries, schema.as_deref());
    chosen(tries, &outcomes)
}

/// The entry of the tool.
fn entry<'d>(told: &Told<'_>, document: &'d Value) -> Option<&'d Map<String, Value>> {
    document.get("tools")?.get(told.definition.name)?.as_object()
}

/// What comes of each call, under one document.
fn judged(told: &Told<'_>, document: &Value, tries: &[Try], schema: Option<&str>) -> Vec<Outcome> {
    let tests: Vec<Value> = tries
        .iter()
        .map(|one| json!({ "call": told.definition.name, "args": one.arguments, "expect": "allow", "repeat": one.calls }))
        .collect();
    let mut document = document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("tests".into(), tests.into());
    }
    let Some(policy) = load(&document.to_string(), Load::default()).policy else { return Vec::new() };
    let facts = ToolFacts {
        server: "server",
        name: told.definition.name,
        class: told.class(),
        class_accepted: true,
        input_schema: schema,
        numbers: Numbers::default(),
    };
    run(&policy, &[facts])
}

/// The samples worth showing: an ordinary one, what is stopped, and what bounds the number of calls.
fn chosen(tries: Vec<Try>, outcomes: &[Outcome]) -> Vec<Sample> {
    const SCHEMA: &str = "(arguments do not match the schema)";
    let mut all: Vec<(Sample, bool)> = tries
        .into_iter()
        .zip(outcomes)
        .map(|(one, outcome)| {
            let sample = Sample {
                shows: one.shows,
                arguments: one.arguments,
                calls: one.calls,
                verdict: outcome.got.as_str(),
                told: outcome.told.clone(),
            };
            (sample, outcome.rule == SCHEMA || outcome.rule.starts_with('('))
        })
        .collect();
    // The second stands in for the first where that does not fit the schema.
    if all.len() > 1 {
        let fuller_fits = all.first().is_some_and(|(_, by_schema)| !by_schema);
        all.remove(usize::from(fuller_fits));
    }
    let mut kept: Vec<Sample> = Vec::new();
    for (index, (sample, by_schema)) in all.into_iter().enumerate() {
        let missing = sample.shows.contains("the schema");
        let wanted = match (index, missing) {
            (0, _) => !by_schema,
            (_, true) => kept.len() < 3,
            (_, false) if sample.calls > 1 => sample.verdict != Expect::Approval.as_str() && !by_schema,
            (_, false) => {
                kept.len() < MOST - 1
                    && !by_schema
                    && kept.iter().all(|one| one.arguments != sample.arguments && one.shows != sample.shows)
            }
        };
        if wanted && kept.len() < MOST {
            kept.push(sample);
        }
    }
    kept
}

/// The exact texts for the variants.
pub(super) fn agent_sees(told: &Told<'_>, variants: &[Variant], samples: &[Sample]) -> Vec<AgentText> {
    let mut all = Vec::new();
    let of =
        |verdict: Expect| samples.iter().find(|one| one.verdict == verdict.as_str()).and_then(|one| one.told.clone());
    if let Some(text) = of(Expect::Deny) {
        let schema = text.contains("(rule (");
        let when =
            if schema { "A call that does not fit the schema." } else { "A call that the recommended rule denies." };
        all.push(AgentText { when: when.to_owned(), text });
    }
    if let Some(text) = of(Expect::Limit) {
        let calls = samples.iter().find(|one| one.verdict == Expect::Limit.as_str()).map_or(0, |one| one.calls);
        let max = usize::try_from(calls.saturating_sub(1)).unwrap_or_default();
        all.push(AgentText { when: format!("More than {} within a minute.", counted(max, "call")), text });
    }
    let call = Examples::new(told).call(true);
    for (kind, when) in [
        (VariantKind::Approve, "A call that waits for a person."),
        (VariantKind::Block, "Any call, where the tool is blocked."),
    ] {
        let Some(variant) = variants.iter().find(|one| one.kind == kind) else { continue };
        let tries = [Try { shows: String::new(), arguments: call.clone(), calls: 1 }];
        // What decides here stands in `action`: neither the schema nor the bounds have a say in the text.
        let Some(entry) = entry(told, &variant.document) else { continue };
        let said: Map<String, Value> = entry
            .iter()
            .filter(|(key, _)| matches!(key.as_str(), "action" | "reason"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let slim = json!({ "version": "1", "default": "allow", "tools": { told.definition.name: said } });
        let outcome = judged(told, &slim, &tries, None).into_iter().next();
        if let Some(text) = outcome.and_then(|outcome| outcome.told) {
            all.push(AgentText { when: when.to_owned(), text });
        }
    }
    if variants.iter().any(|one| one.kind == VariantKind::Hide) {
        all.push(AgentText {
            when: "Any call, where the tool is hidden.".to_owned(),
            text: policy::refusal::unknown_tool(told.definition.name),
        });
    }
    all
}

/// "31st".
fn ordinal(number: u64) -> String {
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// Puts the members of one value over those of another; of lists the first elements.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(over)) => {
            for (at, value) in over.iter().enumerate() {
                match base.get_mut(at) {
                    Some(one) => merge(one, value),
                    None => base.push(value.clone()),
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}
