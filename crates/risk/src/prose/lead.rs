//! The effect in one sentence.

use policy::Class;

use super::act::Act;
use super::grammar::capitalised;
use super::role::Role;
use super::told::{Told, words};
use crate::facet::Facet;

/// The most words of a lead.
const MOST: usize = 25;

/// What a call does, in at most 25 words of ours.
pub(super) fn lead(told: &Told<'_>) -> String {
    let ways = ways(told);
    let fits = ways.iter().find(|way| words(way) <= MOST);
    capitalised(fits.or(ways.last()).map_or("Does what its name says.", String::as_str))
}

/// The sentence, from the fullest to the shortest.
fn ways(told: &Told<'_>) -> Vec<String> {
    let server = short(told.server);
    if told.class() == Class::Unclassified {
        let takes: Vec<String> = told.outer().map(|one| one.said.clone()).collect();
        return vec![
            match takes.is_empty() {
                true => format!("Nothing in its definition says what {} does on {server}.", told.name()),
                false => format!("Nothing in its definition says what it does with {}.", told.row(&takes, 3)),
            },
            "Nothing in its definition says what it does.".to_owned(),
        ];
    }
    if let Some(way) = by_argument(told, server).or_else(|| fields(told)) {
        return way;
    }
    let third = verb(told);
    let thing = object(told, server);
    let tail = &told.gist.tail;
    let core = format!("{third} {thing}{tail}").replace("  ", " ");
    let mut ways = Vec::new();
    for clause in clauses(told) {
        ways.push(format!("{core}{clause}."));
    }
    ways.push(match tail.is_empty() && !told.gist.thing.unknown {
        true => format!("{core} in {server}."),
        false => format!("{core}."),
    });
    ways.push(format!("{third} {thing}."));
    ways.push(format!("{third} what its name says."));
    ways
}

fn short(server: &str) -> &str {
    if words(server) <= 4 { server } else { "this server" }
}

/// The verb in the third person.
pub(super) fn verb(told: &Told<'_>) -> String {
    match (&told.gist.verb, told.class()) {
        (Some(verb), _) => verb.third(),
        (None, Class::Read) => "returns".to_owned(),
        (None, Class::Write) => "changes".to_owned(),
        (None, Class::Execute) => "sets off".to_owned(),
        (None, Class::Destructive) => "deletes or overwrites".to_owned(),
        (None, Class::Financial) => "moves or commits money for".to_owned(),
        (None, Class::Unclassified) => "touches".to_owned(),
    }
}

/// What the verb acts on.
fn object(told: &Told<'_>, server: &str) -> String {
    let thing = &told.gist.thing;
    if thing.unknown {
        return match told.act() {
            Some(Act::Search) => server.to_owned(),
            Some(Act::List) => format!("what {server} has"),
            Some(Act::Read) => format!("what {server} holds"),
            Some(Act::Run | Act::Start | Act::Stop) => format!("what {server} is set up to run"),
            _ if !told.gist.tail.is_empty() => String::new(),
            _ => format!("something in {server}"),
        };
    }
    match told.act() {
        Some(Act::List | Act::Search) => thing.them(),
        None if told.class() == Class::Read && !thing.several => thing.the(),
        _ if thing.many => match told.class() {
            Class::Read => thing.them(),
            _ => format!("{} in bulk", thing.them()),
        },
        _ => thing.acted_on(),
    }
}

/// Where an argument says more than the name: a command, SQL, an address, a path.
fn by_argument(told: &Told<'_>, server: &str) -> Option<Vec<String>> {
    let act = told.act();
    let reads = told.class() == Class::Read;
    let one = |text: String| Some(vec![text]);
    if let Some(sql) = told.said(&[Role::Sql]) {
        return one(match told.class() {
            Class::Read => format!("Reads from a database with whatever SQL stands in {sql}."),
            _ => format!("Runs the SQL in {sql} against a database, whether it reads, writes or drops."),
        });
    }
    if let Some(command) = told.said(&[Role::Command]).filter(|_| told.has(Facet::RunsCode) && !reads) {
        return Some(vec![
            match told.gist.thing.unknown
                || told.gist.thing.one.contains("command")
                || told.gist.thing.one.contains("code")
            {
                true => format!("Runs whatever {command} says on the machine or service behind {server}."),
                false => format!("{} {}: whatever {command} says is run.", verb(told), told.gist.thing.acted_on()),
            },
            format!("Runs whatever {command} says."),
        ]);
    }
    if let Some(url) =
        told.said(&[Role::Address]).filter(|_| reads && told.role(&[Role::Target, Role::Search]).is_none())
    {
        return Some(vec![
            match told.gist.thing.unknown {
                true => format!("Opens the address in {url} and returns what it finds there."),
                false => format!(
                    "{} {}{} from the address in {url}.",
                    verb(told),
                    told.gist.thing.acted_on(),
                    told.gist.tail
                ),
            },
            format!("Opens the address in {url} and returns what it finds there."),
        ]);
    }
    if let Some(path) = told.said(&[Role::Path]).filter(|_| {
        told.gist.thing.unknown
            || told
                .gist
                .thing
                .one
                .rsplit(' ')
                .next()
                .is_some_and(|last| matches!(last, "file" | "directory" | "folder" | "path"))
    }) {
        let what = match told.gist.thing.one.as_str() {
            "directory" | "folder" => "folder",
            _ => "file",
        };
        return one(match act {
            Some(Act::Read) => format!("Returns what stands in the {what} that {path} names."),
            Some(Act::List) => format!("Lists what lies below {path}."),
            Some(Act::Search) => format!("Searches below {path}."),
            _ => format!("{} the {what} that {path} names{}.", verb(told), told.gist.tail),
        });
    }
    None
}

/// What the arguments add, from the most to the least.
fn clauses(told: &Told<'_>) -> Vec<String> {
    let target = told.target().map(|id| format!(", chosen by {id}"));
    let contents = told.contents();
    let with = |most: usize| match contents.is_empty() {
        true => String::new(),
        false => format!(" with {}", told.row(&contents, most)),
    };
    let act = told.act();
    match act {
        Some(Act::Pay | Act::Trade) | None if told.class() == Class::Financial => {
            let amount = told.said(&[Role::Amount]);
            let to = told.said(&[Role::Recipient]);
            match (amount, to) {
                (Some(amount), Some(to)) => vec![format!(": {amount} says how much, {to} to whom")],
                (Some(amount), None) => vec![format!("; {amount} says how much"), String::new()],
                (None, Some(to)) => vec![format!("; {to} says to whom")],
                (None, None) => vec![target.unwrap_or_default()],
            }
        }
        Some(Act::Send | Act::Publish) => match told.said(&[Role::Recipient]) {
            Some(to) => vec![
                match told.said(&[Role::Content]) {
                    Some(text) => format!(" to whoever {to} names, with the text in {text}"),
                    None => format!(" to whoever {to} names"),
                },
                format!(" to {to}"),
            ],
            None => vec![with(2), String::new()],
        },
        Some(Act::List) => {
            let narrow = told.all(&[Role::Filter, Role::Target, Role::Search, Role::Choice, Role::Time]);
            match narrow.is_empty() {
                true => Vec::new(),
                false => vec![format!(", narrowed by {}", told.row(&narrow, 2))],
            }
        }
        Some(Act::Search) => match told.said(&[Role::Search, Role::Content]) {
            Some(query) => vec![format!(" for what {query} says")],
            None => match contents.is_empty() {
                true => Vec::new(),
                false => vec![format!(" by {}", told.row(&contents, 2))],
            },
        },
        Some(Act::Compute) if told.class() == Class::Read => match (contents.is_empty(), target) {
            (false, _) => vec![format!(" from {}", told.row(&contents, 2))],
            (true, Some(target)) => vec![target],
            (true, None) => Vec::new(),
        },
        Some(Act::Read) | None if told.class() == Class::Read => match target {
            Some(target) => vec![target],
            None if contents.is_empty() => Vec::new(),
            None => vec![format!(", for the given {}", told.row(&contents, 2))],
        },
        Some(Act::Update) => match (target, contents.is_empty()) {
            (Some(target), false) => {
                vec![format!("{target}, by what {} {}", told.row(&contents, 2), says(&contents)), target]
            }
            (Some(target), true) => vec![target],
            (None, false) => vec![format!(" to what {} {}", told.row(&contents, 2), says(&contents))],
            (None, true) => Vec::new(),
        },
        Some(Act::Create | Act::Add | Act::Upload | Act::Start | Act::Compute) | None => {
            match (contents.is_empty(), target) {
                (false, _) => vec![with(3), with(1)],
                (true, Some(target)) => vec![target],
                (true, None) => Vec::new(),
            }
        }
        _ => match target {
            Some(target) => vec![target],
            None if contents.is_empty() => Vec::new(),
            None => vec![format!(", as {} {}", told.row(&contents, 2), says(&contents)), String::new()],
        },
    }
}

fn says(names: &[String]) -> &'static str {
    if names.len() == 1 { "says" } else { "say" }
}

/// "Changes `email` and `phone` of a lead": where the name only says that something is updated, the fields say more.
fn fields(told: &Told<'_>) -> Option<Vec<String>> {
    let verb = told
        .gist
        .verb
        .as_ref()
        .filter(|verb| matches!(verb.base.as_str(), "update" | "edit" | "modify" | "change" | "patch"))?;
    let contents = told.contents();
    if contents.is_empty() || told.gist.thing.unknown || told.gist.thing.many {
        return None;
    }
    // `description` of a bucket, not of a bucket description.
    let last = told.gist.thing.one.rsplit(' ').next().unwrap_or_default();
    let whole = match contents.iter().any(|one| one.trim_matches('`').eq_ignore_ascii_case(last)) {
        true => told.gist.thing.without(last),
        false => told.gist.thing.clone(),
    };
    let thing = format!("{}{}", whole.acted_on(), told.gist.tail);
    let chosen = told.target().map(|id| format!(", chosen by {id}")).unwrap_or_default();
    let way = |most: usize, chosen: &str| format!("{} {} of {thing}{chosen}.", verb.third(), told.row(&contents, most));
    Some(vec![way(3, &chosen), way(2, &chosen), way(1, &chosen), way(1, "")])
}
