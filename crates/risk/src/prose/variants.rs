//! The policies that a page offers for one tool. Each is a whole document that leaves the rest of the server as it is.

use std::sync::LazyLock;

use policy::diagnostic::Code;
use policy::{Class, Load, load};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::act::Act;
use super::role::Role;
use super::told::Told;
use crate::recommend::{Bounds, Recommendation, Temper, recommend};

/// What a variant does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantKind {
    /// The rule that is recommended.
    Patch,
    /// The same, and a person agrees to each call.
    Approve,
    /// Every call is denied, with a reason that the agent reads.
    Block,
    /// The tool does not exist.
    Hide,
}

/// One clause of a variant, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseText {
    /// Where it stands in the document: a JSON Pointer.
    pub pointer: String,
    /// One sentence.
    pub why: String,
}

/// A policy for one tool.
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    /// What it does.
    pub kind: VariantKind,
    /// The document. Its default is `allow`, so that it changes nothing but this tool; in a policy that is there
    /// already, its entry goes under `tools` (or its name under `hide`).
    pub document: Value,
    /// Why each clause is there.
    pub clauses: Vec<ClauseText>,
    /// What it does and leaves, in a sentence or two.
    pub note: String,
    /// What has to be replaced by values of one's own.
    pub replace: Vec<String>,
    /// What this version does not do of it yet.
    pub cautions: Vec<String>,
}

/// The longest name, in bytes, that a policy can hold a rule for.
const LONGEST: usize = 240;

/// A domain that stands for the reader's own.
const OWN_DOMAIN: &str = "example.com";

/// The variants; nothing where no policy can name the tool.
pub(super) fn variants(told: &Told<'_>) -> Vec<Variant> {
    let name = told.definition.name;
    // Longer names do not fit into the names of counters.
    if name.len() > LONGEST {
        return Vec::new();
    }
    let Some((mut recommended, replace)) = recommended(told) else { return Vec::new() };
    open(&mut recommended.document);
    let clauses: Vec<ClauseText> = recommended
        .reasons
        .iter()
        .map(|reason| ClauseText { pointer: reason.pointer.clone(), why: reason.why.clone() })
        .collect();
    let place = format!("/tools/{}", name.replace('~', "~0").replace('/', "~1"));
    let asks = recommended.document.pointer(&format!("{place}/action")).is_some();
    let mut approve = recommended.document.clone();
    let reason = asked(told);
    let mut approve_clauses = clauses.clone();
    if !asks {
        if let Some(entry) = approve.pointer_mut(&place).and_then(Value::as_object_mut) {
            entry.insert("action".into(), "require_approval".into());
            entry.insert("reason".into(), reason.into());
        }
        approve_clauses.insert(
            0,
            ClauseText {
                pointer: format!("{place}/action"),
                why: format!("A person sees the arguments of {} before anything happens.", told.name()),
            },
        );
    }
    let rest = format!("every other tool of {} stays as it is", told.server);
    let patch_note = match (clauses.is_empty(), asks) {
        (true, _) => format!(
            "Nothing in {} needs a bound of its own, so the entry only names it; {rest}. Under `\"default\": \"deny\"`, the same entry is what opens it.",
            told.name()
        ),
        (false, true) => format!("{} waits for a person; {rest}.", told.name()),
        (false, false) => format!("{} stays usable within these bounds; {rest}.", told.name()),
    };
    let approve_note = match asks {
        true => "This is the recommended rule: it asks already.".to_owned(),
        false => format!("The recommended bounds, and a person before each call; {rest}."),
    };
    let block = json!({ "version": "1", "default": "allow", "tools": { name: { "action": "deny", "visible": true, "reason": blocked(told) } } });
    let block_clauses = vec![
        ClauseText {
            pointer: format!("{place}/action"),
            why: format!("No call of {} reaches {}.", told.name(), told.server),
        },
        ClauseText {
            pointer: format!("{place}/visible"),
            why: "The tool stays listed, so that the agent reads the reason instead of guessing.".to_owned(),
        },
    ];
    let hide = json!({ "version": "1", "default": "allow", "hide": [name] });
    let hide_clauses = vec![ClauseText {
        pointer: "/hide/0".to_owned(),
        why: format!("{} is not listed, and a call gets the answer of a tool that does not exist.", told.name()),
    }];
    [
        (VariantKind::Patch, recommended.document, clauses, patch_note, replace.clone()),
        (VariantKind::Approve, approve, approve_clauses, approve_note, replace),
        (
            VariantKind::Block,
            block,
            block_clauses,
            format!("{} is denied with a reason; {rest}.", told.name()),
            Vec::new(),
        ),
        (
            VariantKind::Hide,
            hide,
            hide_clauses,
            format!(
                "For the agent {} does not exist, which saves the room of its definition too; {rest}.",
                told.name()
            ),
            Vec::new(),
        ),
    ]
    .into_iter()
    .map(|(kind, document, clauses, note, replace)| {
        let asks = document.pointer(&place).is_some_and(|entry| {
            entry.get("action").is_some_and(|action| action == "require_approval")
                || entry.get("require_approval_if").is_some()
        });
        let cautions = if asks { CAUTION.iter().cloned().collect() } else { Vec::new() };
        Variant { kind, document, clauses, note, replace, cautions }
    })
    .collect()
}

/// What is to be said where a person is asked: nothing, once the build holds calls for approval.
static CAUTION: LazyLock<Option<String>> = LazyLock::new(|| {
    let asking = json!({ "version": "1", "default": "allow", "tools": { "x": { "action": "require_approval" } } });
    let refused =
        load(&asking.to_string(), Load::default()).diagnostics.iter().any(|one| one.code == Code::ApprovalRefused);
    refused.then(|| {
        "This version of the gateway cannot hold calls for approval yet: it refuses them, and tells the agent so."
            .to_owned()
    })
});

/// The recommendation for one tool; where mail goes out, within a domain that the reader replaces.
fn recommended(told: &Told<'_>) -> Option<(Recommendation, Vec<String>)> {
    let of = |bounds: &Bounds| recommend(&[(*told.definition, told.assessment.clone())], Temper::Balanced, bounds);
    let plain = of(&Bounds::default());
    if !plain.unnamed.is_empty() {
        return None;
    }
    let Some(to) = told.said(&[Role::Recipient]) else { return Some((plain, Vec::new())) };
    let bounded = of(&Bounds { domains: vec![OWN_DOMAIN.to_owned()], ..Bounds::default() });
    if bounded.document == plain.document {
        return Some((plain, Vec::new()));
    }
    Some((
        bounded,
        vec![format!(
            "`{OWN_DOMAIN}` stands for your own mail domain: until it is replaced, {to} reaches nobody else."
        )],
    ))
}

/// A recommendation with bounds, for a question; `None` where they change nothing.
pub(super) fn within(told: &Told<'_>, bounds: &Bounds) -> Option<Value> {
    let of = |bounds: &Bounds| recommend(&[(*told.definition, told.assessment.clone())], Temper::Balanced, bounds);
    let bounded = of(bounds);
    if told.definition.name.len() > LONGEST
        || !bounded.unnamed.is_empty()
        || bounded.document == of(&Bounds::default()).document
    {
        return None;
    }
    let mut document = bounded.document;
    open(&mut document);
    Some(document)
}

/// Leaves everything else as it is.
fn open(document: &mut Value) {
    if let Some(fields) = document.as_object_mut() {
        let mut opened = Map::new();
        opened.insert("version".into(), "1".into());
        opened.insert("default".into(), "allow".into());
        for (key, value) in std::mem::take(fields) {
            opened.entry(key).or_insert(value);
        }
        *fields = opened;
    }
}

/// What a call does, behind "may not": "delete campaigns".
fn does(told: &Told<'_>) -> String {
    let thing = &told.gist.thing;
    let base = match (&told.gist.verb, told.class()) {
        (Some(verb), _) => verb.base.clone(),
        (None, Class::Read) => "read".to_owned(),
        (None, Class::Write) => "change".to_owned(),
        (None, Class::Destructive) => "delete".to_owned(),
        (None, _) => return "call this tool".to_owned(),
    };
    match (thing.unknown, told.act()) {
        (true, Some(Act::Run | Act::Start)) => "run this".to_owned(),
        (true, _) => "call this tool".to_owned(),
        (false, _) => format!("{base} {}", thing.them()),
    }
}

fn blocked(told: &Told<'_>) -> String {
    format!("Agents may not {} here. Ask a person to do it.", does(told))
}

fn asked(told: &Told<'_>) -> String {
    let thing = &told.gist.thing;
    match (&told.gist.verb, told.class(), thing.unknown) {
        (_, Class::Unclassified, _) => {
            "Its definition does not say what it does: a person must agree to each call.".to_owned()
        }
        (Some(verb), _, false) => {
            format!(
                "{} {} needs the agreement of a person here.",
                super::grammar::capitalised(&verb.gerund()),
                thing.them()
            )
        }
        _ => "A person must agree to each call of this tool.".to_owned(),
    }
}
