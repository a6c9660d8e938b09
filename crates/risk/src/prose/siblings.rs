//! The other tools of a server, by what they have to do with one.

use std::collections::HashSet;
use std::sync::Arc;

use policy::Class;
use serde::Serialize;

use super::act::Act;
use super::code;
use super::gist::Gist;
use super::grammar::singular;
use super::names::Names;
use super::title::parts;
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// How many siblings are told of.
const MOST: usize = 8;
/// How many of one thing are looked at: a server of thousands of tools has them by the hundred.
const LOOK: usize = 60;

/// What a sibling is to a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It takes back what the tool does.
    Undo,
    /// It gives what the tool needs to be told.
    Before,
    /// It does less harm to the same end.
    Safer,
    /// It shows what came of it, or goes on from there.
    After,
    /// It acts on the same thing.
    Same,
}

/// A sibling worth knowing.
#[derive(Clone, Debug, Serialize)]
pub struct RelatedText {
    /// Its name, as the server writes it; what cannot be seen is written out.
    pub name: String,
    /// Its place among the server's tools.
    pub index: usize,
    /// What it is to the tool.
    pub relation: Relation,
    /// Why it is named, in a sentence.
    pub why: String,
}

/// The tools of a server, to be asked which belong together.
pub(super) struct Siblings<'a> {
    pub(super) tools: &'a [(Definition<'a>, Assessment)],
    pub(super) names: Arc<Names>,
}

impl<'a> Siblings<'a> {
    pub(super) fn gist(&self, index: usize) -> Option<&Gist> {
        self.names.gists.get(index)
    }

    fn definition(&self, index: usize) -> Option<&Definition<'a>> {
        self.tools.get(index).map(|(definition, _)| definition)
    }

    fn class(&self, index: usize) -> Class {
        self.tools.get(index).map_or(Class::Unclassified, |(_, assessment)| assessment.class)
    }

    /// The name of a sibling, quoted for a sentence.
    pub(super) fn said(&self, index: usize) -> String {
        self.definition(index).map(|definition| code(definition.name)).unwrap_or_default()
    }

    /// How near the things of two tools are: 2 where they are the same, 1 where one is a kind of the other.
    fn near(&self, one: usize, other: usize) -> u8 {
        let (one, other) = (self.names.thing(one), self.names.thing(other));
        if one.is_empty() || other.is_empty() {
            0
        } else if one == other {
            2
        } else {
            let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with(' '));
            u8::from(ends(one, other) || ends(other, one))
        }
    }

    /// Siblings that act on the same thing, the nearest first.
    fn same_thing(&self, index: usize) -> Vec<usize> {
        let all = self.names.akin(self.names.thing(index));
        let own = self.definition(index).map(|definition| definition.name).unwrap_or_default();
        let other = |at: &usize| *at != index && self.definition(*at).is_some_and(|one| one.name != own);
        let mut near: Vec<(u8, usize)> = all
            .iter()
            .copied()
            .filter(other)
            .map(|at| (self.near(index, at), at))
            .filter(|(near, _)| *near > 0)
            .collect();
        near.sort_by_key(|(near, at)| (std::cmp::Reverse(*near), *at));
        near.into_iter().take(LOOK).map(|(_, at)| at).collect()
    }

    /// The sibling that takes back what a tool does.
    pub(super) fn undo(&self, index: usize) -> Option<usize> {
        let own = self.gist(index)?;
        let verb = own.verb.as_ref()?;
        let bases = opposites(&verb.base, verb.act);
        self.same_thing(index).into_iter().filter(|at| self.near(index, *at) == 2).find(|at| {
            let Some(other) = self.gist(*at) else { return false };
            let fits = other.verb.as_ref().is_some_and(|other| bases.contains(&other.base.as_str()));
            // What deletes all of a thing is no way back from making one.
            fits && other.tail_fits(own) && (own.thing.several || !other.thing.many)
        })
    }

    /// The sibling that reads one of the thing, or lists them.
    pub(super) fn reader(&self, index: usize) -> Option<usize> {
        let reads = |at: &usize| {
            let act = self.gist(*at).and_then(Gist::act);
            self.class(*at) == Class::Read && matches!(act, Some(Act::Read | Act::List | Act::Search))
        };
        let all: Vec<usize> = self.same_thing(index).into_iter().filter(reads).collect();
        let exact = |act: Act| {
            all.iter().copied().find(|at| {
                self.near(index, *at) == 2
                    && self.gist(*at).is_some_and(|gist| gist.act() == Some(act) && gist.tail.is_empty())
            })
        };
        exact(Act::Read).or_else(|| exact(Act::List)).or_else(|| all.first().copied())
    }

    /// What belongs to a tool.
    pub(super) fn related(&self, index: usize) -> Vec<RelatedText> {
        let Some((own, assessment)) = self.tools.get(index) else { return Vec::new() };
        let Some(gist) = self.gist(index) else { return Vec::new() };
        let mut found = Found { siblings: self, seen: HashSet::from([own.name]), all: Vec::new() };
        let thing = &gist.thing;
        if let Some(at) = self.undo(index) {
            let verb =
                self.gist(at).and_then(|gist| gist.verb.as_ref()).map(super::act::Verb::third).unwrap_or_default();
            found.add(at, Relation::Undo, format!("It {verb} {} again: the way back from this call.", thing.the()));
        }
        for (argument, at) in self.givers(own, index) {
            let what = self.gist(at).map(|gist| gist.thing.them()).unwrap_or_default();
            found.add(at, Relation::Before, format!("It returns {what}, from which {} is taken.", code(&argument)));
        }
        let changes = assessment.class != Class::Read;
        for at in self.same_thing(index) {
            let Some(other) = self.gist(at) else { continue };
            let class = self.class(at);
            let act = other.act();
            let draft = other.verb.as_ref().is_some_and(|verb| {
                matches!(verb.base.as_str(), "draft" | "preview" | "validate" | "simulate" | "check" | "estimate")
            });
            let (relation, why) = if changes
                && draft
                && self.near(index, at) == 2
                && severity(class) < severity(assessment.class)
            {
                (
                    Relation::Safer,
                    format!("It goes only as far as to {} {}; nothing leaves or is lost.", other.base(), thing.the()),
                )
            } else if assessment.class == Class::Destructive
                && other.verb.as_ref().is_some_and(|verb| {
                    matches!(verb.base.as_str(), "archive" | "disable" | "deactivate" | "pause" | "close" | "hide")
                })
            {
                (Relation::Safer, format!("It only {} {}, which can be taken back.", other.third(), thing.the()))
            } else if changes && class == Class::Read && matches!(act, Some(Act::Read | Act::List | Act::Search)) {
                (
                    Relation::After,
                    format!(
                        "It shows {} as {} now, before the call and after it.",
                        other.thing.acted_on(),
                        if other.thing.several { "they are" } else { "it is" }
                    ),
                )
            } else if !changes
                && class != Class::Read
                && matches!(act, Some(Act::Update | Act::Delete | Act::Send | Act::Move | Act::Toggle | Act::Cancel))
            {
                (
                    Relation::After,
                    format!("Where agents often go next: it {} {}.", other.third(), other.thing.acted_on()),
                )
            } else if self.near(index, at) == 2 {
                (Relation::Same, format!("It {} {}{}.", other.third(), other.thing.acted_on(), other.tail))
            } else {
                continue;
            };
            found.add(at, relation, why);
        }
        if assessment.facets.contains(&Facet::RunsCode) || assessment.facets.contains(&Facet::SendsExternal) {
            self.read_only_twin(own, index).into_iter().for_each(|at| {
                found.add(at, Relation::Safer, "By its name it does the same and only reads.".to_owned());
            });
        }
        found.all.sort_by_key(|one| one.relation);
        found.all.truncate(MOST);
        found.all
    }

    /// For the first arguments that are ids of something: the siblings that list it.
    fn givers(&self, own: &Definition<'_>, index: usize) -> Vec<(String, usize)> {
        let properties = own.schema.and_then(|schema| schema.get("properties")).and_then(|all| all.as_object());
        let mut given = Vec::new();
        for name in properties.into_iter().flat_map(|all| all.keys()).take(20) {
            let mut words: Vec<String> = parts(name).iter().map(|word| word.to_lowercase()).collect();
            let id = words.pop().unwrap_or_default();
            if !matches!(id.as_str(), "id" | "ids" | "key" | "slug" | "uuid" | "name") || given.len() >= 3 {
                continue;
            }
            let key = match words.is_empty() {
                true => self.names.thing(index).to_owned(),
                false => singular(&words.join(" ")),
            };
            let lists = |at: &&usize| {
                let gist = self.gist(**at);
                **at != index
                    && self.class(**at) == Class::Read
                    && gist.is_some_and(|gist| {
                        self.names.thing(**at) == key
                            && (gist.thing.several || matches!(gist.act(), Some(Act::List | Act::Search)))
                    })
            };
            if let Some(at) = self.names.akin(&key).iter().find(lists) {
                given.push((name.clone(), *at));
            }
        }
        given
    }

    /// A sibling of the same name with "read" in it.
    fn read_only_twin(&self, own: &Definition<'_>, index: usize) -> Option<usize> {
        let words: HashSet<String> = parts(own.name).into_iter().map(|word| word.to_lowercase()).collect();
        self.tools.iter().take(400).enumerate().find_map(|(at, (definition, _))| {
            let others: Vec<String> = parts(definition.name).into_iter().map(|word| word.to_lowercase()).collect();
            let plus: Vec<&String> = others.iter().filter(|word| !words.contains(*word)).collect();
            let only = matches!(plus.as_slice(), [one] if matches!(one.as_str(), "read" | "readonly" | "select" | "safe"))
                || matches!(plus.as_slice(), [one, two] if *one == "read" && *two == "only");
            (at != index && only && words.iter().filter(|word| others.contains(word)).count() >= 2).then_some(at)
        })
    }
}

struct Found<'s, 'a> {
    siblings: &'s Siblings<'a>,
    seen: HashSet<&'s str>,
    all: Vec<RelatedText>,
}

impl Found<'_, '_> {
    fn add(&mut self, index: usize, relation: Relation, why: String) {
        let Some((definition, _)) = self.siblings.tools.get(index) else { return };
        if self.all.len() < 4 * MOST && self.seen.insert(definition.name) {
            self.all.push(RelatedText { name: super::plain(definition.name, 80), index, relation, why });
        }
    }
}

fn severity(class: Class) -> crate::severity::Severity {
    crate::severity::Severity::of(class)
}

/// The verbs that take back what this one does.
fn opposites(base: &str, act: Act) -> &'static [&'static str] {
    const BASES: [(&str, &[&str]); 37] = [
        ("enable", &["disable"]),
        ("disable", &["enable"]),
        ("activate", &["deactivate"]),
        ("deactivate", &["activate"]),
        ("archive", &["unarchive", "restore"]),
        ("unarchive", &["archive"]),
        ("lock", &["unlock"]),
        ("unlock", &["lock"]),
        ("pause", &["resume", "start"]),
        ("resume", &["pause"]),
        ("mute", &["unmute"]),
        ("unmute", &["mute"]),
        ("pin", &["unpin"]),
        ("unpin", &["pin"]),
        ("star", &["unstar"]),
        ("unstar", &["star"]),
        ("close", &["reopen", "open"]),
        ("reopen", &["close"]),
        ("hide", &["unhide", "show"]),
        ("subscribe", &["unsubscribe"]),
        ("unsubscribe", &["subscribe"]),
        ("follow", &["unfollow"]),
        ("assign", &["unassign"]),
        ("unassign", &["assign"]),
        ("attach", &["detach"]),
        ("detach", &["attach"]),
        ("link", &["unlink"]),
        ("unlink", &["link"]),
        ("publish", &["unpublish"]),
        ("unpublish", &["publish"]),
        ("connect to", &["disconnect from"]),
        ("disconnect from", &["connect to", "reconnect"]),
        ("mark", &["unmark"]),
        ("ban", &["unban"]),
        ("install", &["uninstall"]),
        ("uninstall", &["install"]),
        ("remove", &["add", "restore"]),
    ];
    if let Some((_, found)) = BASES.iter().find(|(one, _)| *one == base) {
        return found;
    }
    match act {
        Act::Create | Act::Upload => &["delete", "remove", "destroy", "cancel", "archive"],
        Act::Add => &["remove", "delete", "detach", "unlink", "unassign"],
        Act::Update | Act::Move => &["restore", "revert", "undo"],
        Act::Delete | Act::Clear => &["restore", "undelete", "recover", "undo"],
        Act::Send => &["unsend", "recall", "delete"],
        Act::Publish => &["unpublish", "delete"],
        Act::Pay => &["refund", "reimburse"],
        Act::Start => &["stop", "cancel", "terminate", "kill", "abort"],
        Act::Stop => &["start", "restart", "launch"],
        Act::Grant => &["revoke"],
        Act::Revoke => &["grant", "unban"],
        Act::Trade => &["cancel"],
        _ => &[],
    }
}

impl Gist {
    /// Whether what follows the thing is the same, or missing.
    fn tail_fits(&self, other: &Gist) -> bool {
        let kept =
            |tail: &str| tail.split(' ').filter(|word| word.chars().count() > 4).map(str::to_owned).collect::<Vec<_>>();
        self.tail.is_empty() || other.tail.is_empty() || kept(&self.tail) == kept(&other.tail)
    }

    pub(super) fn third(&self) -> String {
        self.verb.as_ref().map_or_else(|| "acts on".to_owned(), super::act::Verb::third)
    }

    pub(super) fn base(&self) -> String {
        self.verb.as_ref().map_or_else(|| "touch".to_owned(), |verb| verb.base.clone())
    }
}
