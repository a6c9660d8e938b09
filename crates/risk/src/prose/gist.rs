//! What a name says: a verb, the [`Thing`] that it acts on, and what that thing belongs to.

use std::collections::HashMap;

use policy::Class;

use super::act::{Act, Verb, foreign, verb};
use super::grammar::listed;
use super::spoken::is_one_of;
use super::thing::{Thing, from_arguments};
use super::title::parts;
use crate::assess::Assessment;
use crate::definition::Definition;

/// What the name of a tool says.
#[derive(Clone, Debug)]
pub(super) struct Gist {
    /// The verb; `None` where neither name nor description begins with one that is known.
    pub(super) verb: Option<Verb>,
    pub(super) thing: Thing,
    /// "to a campaign": what follows the thing.
    pub(super) tail: String,
}

const LINKS: [&str; 29] = [
    "by", "with", "from", "to", "for", "in", "on", "of", "at", "as", "into", "via", "using", "without", "before",
    "after", "since", "between", "per", "within", "about", "under", "against", "through", "onto", "across", "if",
    "near", "until",
];
const MANY: [&str; 6] = ["bulk", "batch", "multiple", "mass", "many", "multi"];

impl Gist {
    /// Reads a name. `prefix` are its first words that say where it belongs, not what it does.
    pub(super) fn of(definition: &Definition<'_>, assessment: &Assessment, prefix: usize) -> Gist {
        let mut words: Vec<String> = parts(definition.name);
        if words.len() > prefix {
            words.drain(..prefix);
        }
        let many = words.iter().any(|word| is_one_of(&MANY, word));
        words.retain(|word| !is_one_of(&MANY, word));
        let (verb, mut rest, strange) = split(words, definition, assessment);
        let link = rest.iter().position(|word| is_one_of(&LINKS, word));
        let tail = link.map(|at| rest.split_off(at)).unwrap_or_default();
        let verb = verb.map(|verb| verb.within_class(assessment.class));
        let mut gist = Gist { verb, thing: Thing::of(&rest, many, strange), tail: said_tail(&tail, strange) };
        if gist.thing.unknown {
            gist.thing = match gist.act() {
                Some(Act::Browse) => Thing::of(&["element".to_owned()], false, false),
                _ => from_arguments(definition).unwrap_or(gist.thing),
            };
        }
        gist
    }

    pub(super) fn act(&self) -> Option<Act> {
        self.verb.as_ref().map(|verb| verb.act)
    }
}

/// The verb, the other words, and whether the words are not English.
fn split(
    mut words: Vec<String>,
    definition: &Definition<'_>,
    assessment: &Assessment,
) -> (Option<Verb>, Vec<String>, bool) {
    let strange = |words: &[String]| words.iter().any(|word| !word.is_ascii());
    // `payout_create` creates.
    let ends = matches!(
        words.last().map(|word| word.to_lowercase()).as_deref(),
        Some("create" | "delete" | "remove" | "get" | "cancel")
    );
    if ends
        && words.len() > 1
        && let Some(found) = words.pop().and_then(|word| verb(&word, false))
    {
        return (Some(found), words, false);
    }
    // `text_search` searches: what is a verb anywhere goes before what is one only at the beginning.
    let weak = words.first().is_some_and(|word| verb(word, false).is_none());
    let link = words.iter().position(|word| is_one_of(&LINKS, word)).unwrap_or(words.len());
    let stronger = weak && words.iter().take(link).skip(1).any(|word| verb(word, false).is_some());
    if let Some(found) = words.first().filter(|_| !stronger).and_then(|word| verb(word, true)) {
        words.remove(0);
        let (found, words) = joined(found, words);
        let foreign_words = strange(&words);
        return (Some(found), words, foreign_words);
    }
    if let Some(at) = words.iter().position(|word| verb(word, false).is_some()) {
        // `customers.leads.create` and `user_get_profile`: what stands before belongs to the thing.
        let found = words.get(at).and_then(|word| verb(word, false));
        words.remove(at);
        return (found, words, false);
    }
    if assessment.class == Class::Unclassified {
        return (None, words, false);
    }
    if let Some(at) = words.iter().position(|word| foreign(word).is_some_and(|verb| fits(&verb, assessment.class)))
        && (words.len() > 1 || strange(&words))
        && !in_english(definition.description)
    {
        let found = words.get(at).and_then(|word| foreign(word));
        words.remove(at);
        return (found, words, true);
    }
    let first = definition.description.split(|letter: char| !letter.is_alphabetic()).find(|word| !word.is_empty());
    let stem = first.map(str::to_lowercase).unwrap_or_default();
    let stem = stem.strip_suffix("ies").map(|stem| format!("{stem}y")).unwrap_or(stem);
    let plain = stem.strip_suffix("es").filter(|stem| verb(stem, true).is_some()).or(stem.strip_suffix('s'));
    let found = verb(&stem, true).or_else(|| plain.and_then(|stem| verb(stem, true)));
    (found.filter(|verb| fits(verb, assessment.class)), words, false)
}

fn in_english(text: &str) -> bool {
    super::language::language(text) == Some("English")
}

/// Whether a verb is of the kind that the class says.
fn fits(verb: &Verb, class: Class) -> bool {
    let reads = matches!(verb.act, Act::List | Act::Read | Act::Search | Act::Compute);
    match class {
        Class::Read => reads,
        Class::Write => !reads && !matches!(verb.act, Act::Pay | Act::Trade | Act::Delete | Act::Clear),
        Class::Destructive => matches!(verb.act, Act::Delete | Act::Clear | Act::Cancel | Act::Revoke | Act::Update),
        Class::Financial => matches!(verb.act, Act::Pay | Act::Trade | Act::Create | Act::Cancel | Act::Send),
        Class::Execute => !matches!(verb.act, Act::List | Act::Read),
        Class::Unclassified => false,
    }
}

/// `create_and_send_invoice`: two verbs are one action.
fn joined(first: Verb, mut words: Vec<String>) -> (Verb, Vec<String>) {
    let second = match words.as_slice() {
        [and, second, ..] if matches!(and.to_lowercase().as_str(), "and" | "or") => {
            verb(second, true).map(|verb| (and.clone(), verb))
        }
        _ => None,
    };
    if let Some((and, second)) = second {
        words.drain(..2);
        let act = first.act.max(second.act);
        // The forms of two verbs are made of each: the base keeps both, and only the worse is inflected alone.
        let _ = and;
        let worse = if act == first.act { first } else { second };
        return (worse, words);
    }
    (first, words)
}

/// "to a campaign", of `to_campaign`. What `by` says, the arguments say better.
fn said_tail(words: &[String], strange: bool) -> String {
    let mut said = String::new();
    let mut rest = words;
    let link = |word: &String| is_one_of(&LINKS, word);
    while let [first, more @ ..] = rest {
        let end = more.iter().position(link).unwrap_or(more.len());
        let (own, next) = more.split_at(end);
        rest = next;
        let preposition = first.to_lowercase();
        if matches!(preposition.as_str(), "by" | "via" | "using" | "if") || own.is_empty() {
            continue;
        }
        let thing = Thing::of(own, false, strange);
        if !thing.unknown {
            said.push_str(&format!(" {preposition} {}", thing.acted_on()));
        }
    }
    said
}

/// How many first words of names say where a tool belongs: the words of the server's name, or what most of
/// the server's names begin with.
pub(super) fn prefixes(server: &str, names: &[&str]) -> Vec<usize> {
    let own: Vec<String> = parts(server).iter().map(|word| word.to_lowercase()).collect();
    let whole: String = own.concat();
    let split: Vec<Vec<String>> =
        names.iter().map(|name| parts(name).iter().map(|word| word.to_lowercase()).collect()).collect();
    let mut counts = HashMap::<&str, usize>::new();
    for words in &split {
        if let Some(first) = words.first() {
            *counts.entry(first).or_default() += 1;
        }
    }
    split
        .iter()
        .map(|words| {
            let mut length = 0;
            for word in words.iter().take(words.len().saturating_sub(1)) {
                let shared = length == 0 && {
                    let count = counts.get(word.as_str()).copied().unwrap_or_default();
                    count >= 5 && count * 10 >= names.len() * 6
                };
                let of_server = own.contains(word) || (whole.contains(word.as_str()) && word.chars().count() > 3);
                if (shared || of_server) && verb(word, false).is_none() {
                    length += 1;
                } else {
                    break;
                }
            }
            length
        })
        .collect()
}

/// The names of arguments in a row, quoted as code, the first `most` of them.
pub(super) fn named(names: &[String], most: usize) -> String {
    let mut shown: Vec<String> = names.iter().take(most).cloned().collect();
    match names.len().saturating_sub(most) {
        0 => {}
        1 => shown.push("one more".to_owned()),
        more => shown.push(format!("{} more", super::grammar::number(more))),
    }
    listed(&shown, "and")
}
