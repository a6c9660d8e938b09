//! The paragraph on what a tool takes, gives and changes, and on what its server declares.

use policy::Class;
use serde_json::Value;

use super::act::Act;
use super::code;
use super::grammar::{counted, listed, number};
use super::language::language;
use super::role::Role;
use super::told::{Paragraph, Told};
use crate::facet::Facet;

/// The paragraph.
pub(super) fn what(told: &Told<'_>) -> String {
    let mut text = Paragraph::default();
    text.say(takes(told));
    for sentence in roles(told) {
        text.say(sentence);
    }
    text.say(effect(told));
    text.say(declared(told));
    if let Some(language) = foreign(told) {
        text.say(language);
    }
    if let Some(doubt) = more_than_reading(told) {
        text.say(doubt);
    }
    for sentence in facets(told).into_iter().take(2) {
        text.say(sentence);
    }
    text.fill(|| answer(told));
    text.fill(|| undeclared(told));
    text.fill(|| company(told));
    text.fill(|| Some(described(told)));
    text.fill(|| facets(told).into_iter().nth(2));
    text.fill(|| idempotent(told));
    text.fill(|| Some(rules(told)));
    text.end()
}

fn takes(told: &Told<'_>) -> String {
    let outer: Vec<_> = told.outer().collect();
    let count = outer.len() + if told.arguments.iter().all(|one| one.depth == 1) { told.more } else { 0 };
    if told.definition.schema.is_none() {
        return match told.pick(12, &["a", "b", "c"]) {
            Some("a") => {
                format!("We have {} without its schema, so what arguments a call takes is not known here.", told.name())
            }
            Some("b") => format!(
                "Which arguments {} takes is not known here: what we have of it is a name and a description.",
                told.name()
            ),
            _ => format!(
                "The arguments of {} are not known here, since no schema of it has been published where we looked.",
                told.name()
            ),
        };
    }
    let required: Vec<String> = outer.iter().filter(|one| one.required).map(|one| one.said.clone()).collect();
    let optional: Vec<String> = outer.iter().filter(|one| !one.required).map(|one| one.said.clone()).collect();
    match (count, required.len()) {
        (0, _) => "It takes no arguments: every call does the same, so a rule can stop or count calls and has nothing else to judge.".to_owned(),
        (1, 1) => format!("Its only argument, {}, is required.", told.row(&required, 1)),
        (1, _) => format!("Its only argument, {}, may be left out.", told.row(&optional, 1)),
        (_, 0) => format!("None of its {} has to be given: {}.", counted(count, "argument"), told.row(&optional, 5)),
        (_, all) if all == count => format!("A call must give {}.", all_of(told, &required, count)),
        _ => format!(
            "Of its {}, a call must give {}; it may add {}.",
            counted(count, "argument"),
            told.row(&required, 4),
            told.row(&optional, 3)
        ),
    }
}

fn all_of(told: &Told<'_>, names: &[String], count: usize) -> String {
    if count == 2 { format!("both {}", told.row(names, 2)) } else { format!("all of {}", told.row(names, 6)) }
}

/// What the arguments decide that matter, the gravest first.
fn roles(told: &Told<'_>) -> Vec<String> {
    let thing = &told.gist.thing;
    let kinds: [(&[Role], &str, &str); 14] = [
        (&[Role::Command], "is run as it stands", "are run as they stand"),
        (&[Role::Sql], "is an SQL statement", "are SQL statements"),
        (&[Role::Recipient], "says who receives it", "say who receives it"),
        (&[Role::Amount], "says how much", "say how much"),
        (&[Role::Path], "names a file or folder", "name files or folders"),
        (&[Role::Address], "is an address on the web", "are addresses on the web"),
        (&[Role::Host], "names the machine to connect to", "name the machines to connect to"),
        (&[Role::Credential], "is a secret", "are secrets"),
        (&[Role::Access], "decides who may do or see what", "decide who may do or see what"),
        (&[Role::Wide], "widens what a call reaches", "widen what a call reaches"),
        (&[Role::Harmless], "makes the call a rehearsal", "make the call a rehearsal"),
        (&[Role::Content], "carries text", "carry text"),
        (&[Role::Search], "says what to look for", "say what to look for"),
        match told.class() {
            Class::Read => (&[Role::Page], "sets how much comes back", "set how much comes back"),
            _ => (&[Role::Page], "sets how many at once", "set how many at once"),
        },
    ];
    let mut parts = Vec::new();
    let targets: Vec<_> = told.outer().filter(|one| matches!(one.role, Role::Target | Role::Targets)).take(3).collect();
    if !targets.is_empty() {
        let own = if thing.unknown { "record".to_owned() } else { thing.one.clone() };
        let which: Vec<String> =
            targets.iter().map(|one| format!("which {}", told.id_of(one).unwrap_or_else(|| own.clone()))).collect();
        let mut which = which;
        which.dedup();
        let names: Vec<String> = targets.iter().map(|one| one.said.clone()).collect();
        let says = if targets.len() == 1 { "says" } else { "say" };
        parts.push(format!("{} {says} {} it is about", told.row(&names, 3), listed(&which, "and")));
    }
    for (roles, one, many) in kinds {
        let names = told.all(roles);
        if !names.is_empty() {
            parts.push(format!("{} {}", told.row(&names, 3), if names.len() == 1 { one } else { many }));
        }
        if parts.len() == 4 {
            break;
        }
    }
    let mut sentences: Vec<String> = Vec::new();
    if !parts.is_empty() {
        sentences.push(format!("{}.", listed(&parts, "and")));
    }
    if let Some(choice) = told
        .outer()
        .find(|one| one.role == Role::Choice && one.values.len() > 1 && one.more_values == 0 && one.values.len() <= 5)
    {
        let values: Vec<String> = choice.values.iter().map(|value| format!("“{value}”")).collect();
        sentences.push(format!("For {} the schema lists {}.", choice.said, listed(&values, "and")));
    }
    if let Some(inner) = told.outer().find(|one| one.role == Role::Fields) {
        let below: Vec<String> = told
            .arguments
            .iter()
            .filter(|one| one.depth == 2 && one.path.starts_with(inner.path.as_str()))
            .map(|one| code(one.path.rsplit(['.']).next().unwrap_or_default()))
            .collect();
        sentences.push(match below.is_empty() {
            true => format!("{} holds members that the schema does not name.", inner.said),
            false => format!("{} holds {}.", inner.said, told.row(&below, 4)),
        });
    }
    sentences
}

/// What a call leaves behind, or brings back.
fn effect(told: &Told<'_>) -> String {
    let thing = &told.gist.thing;
    let server = told.server;
    let them = if thing.unknown { "what it finds".to_owned() } else { thing.acted_on() };
    match (told.class(), told.act()) {
        (Class::Read, Some(Act::List | Act::Search)) => format!(
            "Back come the {} that match; {server} stays as it is.",
            if thing.unknown { "entries".to_owned() } else { thing.them() }
        ),
        (Class::Read, Some(Act::Compute)) => format!(
            "What comes back is a result; as far as the definition shows, nothing in {server} is stored or changed."
        ),
        (Class::Read, _) => {
            format!("It gives back {them} and, as far as the definition shows, leaves {server} as it is.")
        }
        (Class::Write, Some(Act::Create)) => format!(
            "After the call, {server} holds {} more.",
            if thing.unknown {
                "one record".to_owned()
            } else if thing.several {
                format!("several {}", thing.them())
            } else {
                format!("one {}", thing.one)
            }
        ),
        (Class::Write, Some(Act::Update)) => format!(
            "After the call, {} in {server} {} what the arguments say instead of what was there.",
            thing.the_or("the record"),
            if thing.several { "hold" } else { "holds" }
        ),
        (Class::Write, Some(Act::Toggle)) => format!(
            "After the call, {} in {server} {} {}.",
            thing.the_or("the record"),
            if thing.several { "are" } else { "is" },
            past(told)
        ),
        (Class::Write, _) => format!(
            "What it does to {} stays in {server} after the call.",
            if thing.unknown { "the data".to_owned() } else { them }
        ),
        (Class::Execute, Some(Act::Send | Act::Publish)) => format!(
            "A call makes {} leave {server} at once, in the name of whoever owns its account.",
            thing.the_or("the message")
        ),
        (Class::Execute, _) => format!(
            "A call makes something happen: {} {} outside the answer that the agent reads.",
            gerund(told),
            if thing.unknown { "has effects".to_owned() } else { format!("{them} has effects") }
        ),
        (Class::Destructive, _) => format!(
            "After the call, {} {} {} from {server}.",
            thing.the_or("the record"),
            if thing.several { "are" } else { "is" },
            match told.act() {
                Some(Act::Cancel) => "withdrawn",
                _ => "gone",
            }
        ),
        (Class::Financial, _) => format!("A call moves or commits money through {server}."),
        (Class::Unclassified, _) => format!("Whether a call reads, changes or deletes in {server} is not said."),
    }
}

fn past(told: &Told<'_>) -> String {
    told.gist.verb.as_ref().map_or_else(|| "changed".to_owned(), |verb| verb.past())
}

fn gerund(told: &Told<'_>) -> String {
    told.gist.verb.as_ref().map_or_else(|| "starting".to_owned(), |verb| verb.gerund())
}

/// What the server claims, against what we found.
fn declared(told: &Told<'_>) -> String {
    let hints = told.definition.annotations;
    let class = told.class();
    let classed = told.classed();
    let severity = told.assessment.severity_fine.as_str();
    let by = told.evidence(2).map(|by| format!(", by {by},")).unwrap_or_default();
    let against = told.evidence(2);
    match (hints.read_only, hints.destructive) {
        _ if class == Class::Unclassified => "It stays unclassified until somebody who knows it says what it does, and is treated like an Execute tool until then.".to_owned(),
        (Some(true), _) if class == Class::Read => format!("The server declares it read-only; we do not count the claim, and arrive at the same{} {classed}, {severity} severity.", by_or(&by)),
        (Some(true), _) => match against {
            Some(against) => format!("The server calls it read-only; {against} say{} otherwise, and we class it as {classed} of {severity} severity.", plural_s(&against)),
            None => format!("The server calls it read-only; we class it as {classed} of {severity} severity all the same."),
        },
        (_, Some(true)) if class == Class::Destructive => format!("The server itself marks it destructive, and we agree{}: {classed} of {severity} severity.", by.trim_end_matches(',')),
        (_, Some(true)) => format!("The server marks it destructive; what it says of the tool reads milder, and we class it as {classed} of {severity} severity."),
        (_, Some(false)) if class == Class::Destructive => match against {
            Some(against) => format!("The server says that it destroys nothing; {against} say{} otherwise, and we class it as {classed} of {severity} severity.", plural_s(&against)),
            None => format!("The server says that it destroys nothing; we class it as {classed} all the same."),
        },
        (Some(false), _) => format!("The server declares that it is not read-only; we class it{by} as {classed} of {severity} severity."),
        (None, Some(false)) => format!("The server declares that it destroys nothing; we class it{by} as {classed} of {severity} severity."),
        (None, None) => said_nothing(told, &by, &classed, severity),
    }
}

fn said_nothing(told: &Told<'_>, by: &str, classed: &str, severity: &str) -> String {
    match told.pick(11, &["a", "b", "c"]) {
        Some("a") => format!(
            "The server declares nothing about its effects; we class it{by} as {classed} of {severity} severity."
        ),
        Some("b") => {
            format!("No annotation says whether it only reads; we class it{by} as {classed} of {severity} severity.")
        }
        _ => format!(
            "Without a word from the server on its effects, we class it{by} as {classed} of {severity} severity."
        ),
    }
}

fn by_or(by: &str) -> String {
    if by.is_empty() { ":".to_owned() } else { format!("{}:", by.trim_end_matches(',')) }
}

fn plural_s(subject: &str) -> &'static str {
    if subject.contains(" and ") { "" } else { "s" }
}

/// A Read tool whose name says more than that.
fn more_than_reading(told: &Told<'_>) -> Option<String> {
    let verb = told.gist.verb.as_ref().filter(|_| told.class() == Class::Read)?;
    let reads = matches!(verb.act, Act::List | Act::Read | Act::Search | Act::Compute | Act::Browse | Act::Connect);
    (!reads).then(|| {
        format!("To {} would be more than reading; everything else in its definition speaks for reading.", verb.base)
    })
}

fn foreign(told: &Told<'_>) -> Option<String> {
    let language = language(told.definition.description).filter(|language| *language != "English")?;
    Some(format!("Its description is in {language}; what stands here is not a translation of it."))
}

/// What else is dangerous about it.
fn facets(told: &Told<'_>) -> Vec<String> {
    let thing = &told.gist.thing;
    let mut all = Vec::new();
    for facet in &told.assessment.facets {
        all.push(match facet {
            Facet::ReadsPrivate if thing.is_public() => continue,
            Facet::ReadsPrivate => format!(
                "What it returns may be meant for few: {}.",
                if thing.unknown {
                    "private records".to_owned()
                } else {
                    format!("{} can hold private details", thing.them())
                }
            ),
            Facet::IngestsUntrusted => {
                "Part of the answer can be text that outsiders wrote, and the agent reads it like any other.".to_owned()
            }
            Facet::SendsExternal => match told.said(&[Role::Recipient, Role::Address, Role::Host]) {
                Some(to) => format!("Through {to}, a call can carry data to somebody outside."),
                None => format!("A call can carry data out of {} to somebody outside.", told.server),
            },
            Facet::RunsCode => match told.said(&[Role::Command, Role::Sql]) {
                Some(command) => format!("{command} is a small program of its own."),
                None => "It runs code or free queries.".to_owned(),
            },
            Facet::TouchesCredentials => match told.said(&[Role::Credential]) {
                Some(secret) => {
                    format!("It handles a secret, {secret}, which then also stands in the agent's context.")
                }
                None => "It touches keys, logins or rights.".to_owned(),
            },
            Facet::Irreversible => "What it does cannot be taken back.".to_owned(),
            Facet::Bulk => format!(
                "One call can reach many {} at once.",
                if thing.unknown { "records".to_owned() } else { thing.them() }
            ),
            Facet::SpendsMoney if told.class() == Class::Financial => continue,
            Facet::SpendsMoney => "Its calls can cost money.".to_owned(),
        });
    }
    all
}

/// The declared shape of the answer.
fn answer(told: &Told<'_>) -> Option<String> {
    let output = told.definition.whole.and_then(|whole| whole.get("outputSchema")).filter(|schema| schema.is_object());
    let Some(output) = output else {
        return Some("What the answer looks like is not declared.".to_owned());
    };
    let names: Vec<String> =
        output.get("properties").and_then(Value::as_object)?.keys().take(20).map(|name| code(name)).collect();
    (!names.is_empty()).then(|| format!("Its answer is declared to hold {}.", told.row(&names, 4)))
}

/// Whether the schema takes more than it names.
fn undeclared(told: &Told<'_>) -> Option<String> {
    let schema = told.definition.schema?;
    Some(match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => "Arguments that the schema does not name are refused.".to_owned(),
        Some(_) => "Its schema takes further arguments that it does not name.".to_owned(),
        None => "Its schema does not say whether it takes further arguments that it does not name.".to_owned(),
    })
}

/// The other tools for the same thing.
fn company(told: &Told<'_>) -> Option<String> {
    let thing = &told.gist.thing;
    let key = told.siblings.names.thing(told.index);
    if key.is_empty() {
        return None;
    }
    let things = &told.siblings.names.things;
    let all: Vec<String> = things
        .iter()
        .enumerate()
        .filter(|(index, thing)| *index != told.index && *thing == key)
        .map(|(index, _)| told.siblings.said(index))
        .filter(|name| *name != told.name())
        .collect();
    Some(match all.len() {
        0 => format!("No other tool of {} is named after {}.", told.server, thing.acted_on()),
        1 => format!("{} has one other tool for {}, {}.", told.server, thing.them(), told.row(&all, 1)),
        count => format!(
            "{} has {} other tools for {}, among them {}.",
            told.server,
            number(count),
            thing.them(),
            told.row(all.get(..2).unwrap_or(&all), 2)
        ),
    })
}

fn described(told: &Told<'_>) -> String {
    let count = told.definition.description.split_whitespace().take(200).count();
    match count {
        0 => "The server adds no description.".to_owned(),
        1..=3 => {
            format!("The server describes it in {} only, which leaves most of it to the name.", counted(count, "word"))
        }
        _ => format!(
            "The server describes it in {}.",
            if count >= 200 { "more than 200 words".to_owned() } else { counted(count, "word") }
        ),
    }
}

fn idempotent(told: &Told<'_>) -> Option<String> {
    let hint = told.definition.whole?.get("annotations")?.get("idempotentHint")?.as_bool()?;
    Some(match hint {
        true => "The server declares that a second call with the same arguments changes nothing more.".to_owned(),
        false => "The server declares that a second call with the same arguments acts a second time.".to_owned(),
    })
}

fn rules(told: &Told<'_>) -> String {
    match told.outer().filter(|one| one.role.decides()).count() {
        0 if told.definition.schema.is_some() => format!(
            "None of what a call of {} is given chooses a recipient, a file, an address or an amount, so rules have little to hold on to but how often it is called.",
            told.name()
        ),
        0 => format!(
            "Until its server is asked for the schema, a rule for {} can allow, ask, count or stop, and judge no argument.",
            told.name()
        ),
        _ => "Rules can be written over each of these arguments; the note beside each says what it puts at risk."
            .to_owned(),
    }
}
