//! Questions that a reader of this tool's page has, answered for this tool.

use policy::Class;
use serde::Serialize;
use serde_json::Value;

use super::role::Role;
use super::siblings::{RelatedText, Relation};
use super::told::{Told, class_name};
use super::variants::within;
use super::why::{percent, sure, undo};
use crate::facet::Facet;
use crate::recommend::Bounds;

/// The most questions.
const MOST: usize = 5;

/// A question and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct QuestionText {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// A policy that belongs to the answer: a whole document, valid as it stands.
    pub policy: Option<Value>,
}

/// The questions that apply.
pub(super) fn questions(told: &Told<'_>, related: &[RelatedText]) -> Vec<QuestionText> {
    let mut all: Vec<QuestionText> = [
        changes(told),
        undone(told, related),
        power(told),
        bounded(told),
        capped(told),
        contradicted(told),
        doubtful(told),
        misled(told),
        safer(told, related),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.truncate(MOST);
    all
}

fn plainly(question: String, answer: String) -> Option<QuestionText> {
    Some(QuestionText { question, answer, policy: None })
}

/// Only where an agent's usual mistake is to take it for harmless.
fn changes(told: &Told<'_>) -> Option<QuestionText> {
    let harmless = told.said(&[Role::Harmless])?;
    if told.class() == Class::Read {
        return None;
    }
    plainly(
        format!("Does {harmless} make {} safe?", told.name()),
        format!(
            "Only in the calls that set it, and only if the server keeps its word. A rule that denies every call of {} without it is stricter; approval by a person is safer still.",
            told.name()
        ),
    )
}

fn undone(told: &Told<'_>, related: &[RelatedText]) -> Option<QuestionText> {
    if told.class() == Class::Read || told.class() == Class::Unclassified {
        return None;
    }
    let yes = if related.iter().any(|one| one.relation == Relation::Undo) {
        "Partly."
    } else {
        "Not by a tool of this server."
    };
    let thing = &told.gist.thing;
    let what = match (&told.gist.verb, thing.unknown) {
        (Some(verb), false) => format!(
            "Can {} that was {} by mistake be put right?",
            if thing.several { thing.them() } else { thing.a() },
            verb.past()
        ),
        _ => format!("Can a call of {} be undone?", told.name()),
    };
    let what = if thing.several { what.replace(" that was ", " that were ") } else { what };
    plainly(what, format!("{yes} {}", super::grammar::capitalised(&undo(told))))
}

/// What the argument gives that decides most.
fn power(told: &Told<'_>) -> Option<QuestionText> {
    let most = [
        Role::Command,
        Role::Sql,
        Role::Recipient,
        Role::Address,
        Role::Path,
        Role::Host,
        Role::Amount,
        Role::Access,
        Role::Wide,
        Role::Credential,
        Role::Targets,
    ]
    .into_iter()
    .find_map(|role| told.role(&[role]))?;
    let name = &most.said;
    let reads = told.class() == Class::Read;
    let answer = match most.role {
        Role::Command => format!(
            "Whatever the account behind {} may do. {name} is taken as a whole, so a list of forbidden words does not hold: the same command can be spelt in countless ways.",
            told.server
        ),
        Role::Sql => format!(
            "Whatever the database login may do. The recommended rule lets {name} hold one plain statement that reads; a login without the right to write is what holds when a rule is wrong."
        ),
        Role::Recipient => format!(
            "Send to anybody: the schema takes any value for {name}. What can be sent is what the agent has read until then, so the recipient is the place to hold it."
        ),
        Role::Address => format!(
            "Make {} ask any address, from inside your network if that is where it runs. The recommended rule keeps {name} to plain addresses on the public internet.",
            told.server
        ),
        Role::Path if reads => format!(
            "Read whatever the account behind {} may read. The recommended rule keeps {name} from the known places of keys and passwords; naming your folders bounds it for good.",
            told.server
        ),
        Role::Path => format!(
            "Touch whatever the account behind {} may write. The recommended rule keeps {name} from the known places of keys, and asks before what runs later is changed.",
            told.server
        ),
        Role::Host => format!(
            "Open a connection to any machine that {} can reach, which is usually more than the agent can.",
            told.server
        ),
        Role::Amount => match most.maximum {
            Some(bound) => {
                format!("Anything up to {bound}, which is where the schema stops {name}; how often is not said.")
            }
            None => format!("Any number: the schema sets no upper bound for {name}."),
        },
        Role::Access if !most.values.is_empty() => format!(
            "Choose among {}: one call is enough.",
            super::grammar::listed(
                &most.values.iter().take(6).map(|value| format!("“{value}”")).collect::<Vec<_>>(),
                "and"
            )
        ),
        Role::Access => format!("Give rights, or take them: {name} takes any value that {} knows.", told.server),
        Role::Wide => format!(
            "Do more than it was asked for. Set to true, {name} skips what would have stopped the call, or takes along what lies beneath."
        ),
        Role::Credential => format!(
            "Use it, and repeat it: {name} stands in the call in clear text. Better that {} gets its secrets from its own configuration.",
            told.server
        ),
        _ if reads => return None,
        _ => format!(
            "Reach as many {} as {name} holds entries, in one call. A bound on its length is a rule over `length_lte`.",
            if told.gist.thing.unknown { "records".to_owned() } else { told.gist.thing.them() }
        ),
    };
    plainly(format!("What can an agent do with {name}?"), answer)
}

/// The rule within the reader's own domain, folders or hosts.
fn bounded(told: &Told<'_>) -> Option<QuestionText> {
    let own = |text: &str| vec![text.to_owned()];
    let ways = [
        (
            Role::Recipient,
            Bounds { domains: own("example.com"), ..Bounds::default() },
            "only to our own domain",
            "`example.com`, which stands for your domain",
        ),
        (
            Role::Path,
            Bounds { roots: own("/srv/data"), ..Bounds::default() },
            "only below our own folder",
            "`/srv/data`, which stands for your folder",
        ),
        (
            Role::Address,
            Bounds { hosts: own("*.example.com"), ..Bounds::default() },
            "only for our own hosts",
            "`*.example.com`, which stands for your hosts",
        ),
        (
            Role::Host,
            Bounds { hosts: own("*.example.com"), ..Bounds::default() },
            "only for our own hosts",
            "`*.example.com`, which stands for your hosts",
        ),
    ];
    ways.into_iter().find_map(|(role, bounds, question, stands)| {
        let name = told.said(&[role])?;
        let policy = within(told, &bounds)?;
        Some(QuestionText {
            question: format!("How do I allow {} {question}?", told.name()),
            answer: format!("With a condition on {name} that holds for {stands}; every other value is denied, and the agent reads why."),
            policy: Some(policy),
        })
    })
}

fn capped(told: &Told<'_>) -> Option<QuestionText> {
    let name = told.said(&[Role::Amount])?;
    let policy = within(told, &Bounds { cap: Some(100), ..Bounds::default() })?;
    Some(QuestionText {
        question: format!("How do I cap {name}?"),
        answer: format!(
            "With a condition that lets {name} be 100 at most in one call; replace 100 by your own bound. A person still agrees to each call where the rule asks for that."
        ),
        policy: Some(policy),
    })
}

fn contradicted(told: &Told<'_>) -> Option<QuestionText> {
    let class = told.class();
    let hints = told.definition.annotations;
    let claims = match (hints.read_only, hints.destructive) {
        (Some(true), _) if class != Class::Read => "read-only",
        (_, Some(false)) if class == Class::Destructive => "not destructive",
        _ => return None,
    };
    let against = told.evidence(3)?;
    plainly(
        format!("The server calls {} {claims}. Why do you not?", told.name()),
        format!(
            "Annotations are the server's claim, and a claim may raise our class and never lower it. Against it stand {against}."
        ),
    )
}

fn doubtful(told: &Told<'_>) -> Option<QuestionText> {
    let confidence = told.assessment.confidence;
    if told.class() == Class::Unclassified || confidence >= 0.75 {
        return None;
    }
    let class = class_name(told.class());
    let evidence = told.evidence(3).unwrap_or_else(|| "the definition as a whole".to_owned());
    plainly(
        format!("How sure is it that {} is {} {class} tool?", told.name(), super::grammar::article(class)),
        format!(
            "It is {} ({} %). What speaks for it is {evidence}; where two classes are close, the one that does more damage if overlooked is chosen.",
            sure(confidence),
            percent(confidence)
        ),
    )
}

fn misled(told: &Told<'_>) -> Option<QuestionText> {
    if !told.has(Facet::IngestsUntrusted) || told.class() != Class::Read {
        return None;
    }
    let thing = if told.gist.thing.unknown { "the answer".to_owned() } else { told.gist.thing.them() };
    plainly(
        format!("Can what {} returns mislead the agent?", told.name()),
        format!(
            "Yes: {thing} can hold sentences by strangers that are meant for the agent. A rule on this tool does not help; rules on what the same agent may send, write or pay do."
        ),
    )
}

fn safer(told: &Told<'_>, related: &[RelatedText]) -> Option<QuestionText> {
    let safer = related.iter().find(|one| one.relation == Relation::Safer)?;
    plainly(
        format!("Is there something milder than {}?", told.name()),
        format!("{}: {}", super::code(&safer.name), safer.why),
    )
}
