//! A tool as sentences are written about it, and paragraphs of a certain length.

use policy::Class;

use super::act::Act;
use super::arguments::ArgumentText;
use super::gist::{Gist, named};
use super::grammar::with_article;
use super::role::Role;
use super::siblings::Siblings;
use super::{code, plain};
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::evidence::Place;
use crate::facet::Facet;

/// A tool, and all that sentences about it are made of.
pub(super) struct Told<'a> {
    pub(super) definition: &'a Definition<'a>,
    pub(super) assessment: &'a Assessment,
    pub(super) gist: &'a Gist,
    pub(super) arguments: &'a [ArgumentText],
    /// Arguments beyond those.
    pub(super) more: usize,
    /// The server's name, once.
    pub(super) server: &'a str,
    pub(super) siblings: &'a Siblings<'a>,
    pub(super) index: usize,
}

impl Told<'_> {
    pub(super) fn class(&self) -> Class {
        self.assessment.class
    }

    pub(super) fn has(&self, facet: Facet) -> bool {
        self.assessment.facets.contains(&facet)
    }

    /// What it does; told by the class where the name does not say.
    pub(super) fn act(&self) -> Option<Act> {
        self.gist.act()
    }

    /// Its name, quoted.
    pub(super) fn name(&self) -> String {
        code(self.definition.name)
    }

    /// The first argument of these roles: a required one, an outer one before the others.
    pub(super) fn role(&self, roles: &[Role]) -> Option<&ArgumentText> {
        let of = || self.arguments.iter().filter(|one| roles.contains(&one.role));
        let outer = of().find(|one| one.required && one.depth == 1).or_else(|| of().find(|one| one.depth == 1));
        outer.or_else(|| of().next())
    }

    /// The first argument of these roles, quoted.
    pub(super) fn said(&self, roles: &[Role]) -> Option<String> {
        self.role(roles).map(|one| one.said.clone())
    }

    /// The outer arguments of these roles, quoted, the required ones first.
    pub(super) fn all(&self, roles: &[Role]) -> Vec<String> {
        let mut all: Vec<&ArgumentText> = self.outer().filter(|one| roles.contains(&one.role)).collect();
        all.sort_by_key(|one| !one.required);
        all.into_iter().map(|one| one.said.clone()).collect()
    }

    pub(super) fn outer(&self) -> impl Iterator<Item = &ArgumentText> {
        self.arguments.iter().filter(|one| one.depth == 1)
    }

    /// Which thing a call is about: the arguments that choose it.
    pub(super) fn target(&self) -> Option<String> {
        let own = self.gist.thing.key();
        let last = own.rsplit(' ').next().unwrap_or_default();
        let all: Vec<&ArgumentText> =
            self.outer().filter(|one| matches!(one.role, Role::Target | Role::Targets)).collect();
        // `lead_id` rather than `campaign_id`, of a lead in a campaign.
        let of_thing = |one: &&&ArgumentText| {
            !last.is_empty() && one.path.to_lowercase().replace(['_', '-'], "").contains(&last.replace(' ', ""))
        };
        let chosen = all.iter().find(of_thing).or_else(|| all.iter().find(|one| one.required)).or(all.first());
        chosen.map(|one| one.said.clone())
    }

    /// The arguments that say what is written: neither the target nor how much comes back.
    pub(super) fn contents(&self) -> Vec<String> {
        let skip =
            [Role::Target, Role::Targets, Role::Page, Role::Wide, Role::Harmless, Role::Credential, Role::Switch];
        let mut all: Vec<&ArgumentText> = self.outer().filter(|one| !skip.contains(&one.role)).collect();
        all.sort_by_key(|one| !one.required);
        all.into_iter().map(|one| one.said.clone()).collect()
    }

    /// The words that decided, with where they stand: "“update” in its name".
    pub(super) fn evidence(&self, most: usize) -> Option<String> {
        let mut seen: Vec<String> = Vec::new();
        // What stands in one place is named together: "“update” and “lead” in its name".
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for piece in &self.assessment.evidence {
            let text = plain(piece.text.trim(), 40);
            let small = text.to_lowercase();
            if text.is_empty() || seen.contains(&small) || seen.len() >= most {
                continue;
            }
            seen.push(small);
            let (place, text) = match &piece.place {
                Place::Name(..) => (" in its name".to_owned(), format!("“{text}”")),
                Place::Title(..) => (" in its title".to_owned(), format!("“{text}”")),
                Place::Description(..) => (" in its description".to_owned(), format!("“{text}”")),
                Place::Parameter(name) => (String::new(), format!("its argument {}", code(name))),
                Place::Value(name) => (format!(" among the values of {}", code(name)), format!("“{text}”")),
                Place::Annotation(name) => (String::new(), format!("the server's own {name}")),
            };
            match groups.iter_mut().find(|(known, _)| *known == place) {
                Some((_, texts)) => texts.push(text),
                None => groups.push((place, vec![text])),
            }
        }
        let parts: Vec<String> =
            groups.iter().map(|(place, texts)| format!("{}{place}", super::grammar::listed(texts, "and"))).collect();
        (!parts.is_empty()).then(|| super::grammar::listed(&parts, "and"))
    }

    /// What an argument that is an id is the id of: "campaign", of `campaign_id`.
    pub(super) fn id_of(&self, argument: &ArgumentText) -> Option<String> {
        let mut words = super::title::parts(argument.path.rsplit('.').next().unwrap_or_default());
        if argument.path.contains('[') {
            return None;
        }
        let id = words.last().map(|word| word.to_lowercase()).unwrap_or_default();
        let is_id = matches!(
            id.as_str(),
            "number"
                | "id"
                | "ids"
                | "uuid"
                | "guid"
                | "iid"
                | "key"
                | "keys"
                | "slug"
                | "arn"
                | "ref"
                | "identifier"
                | "identifiers"
                | "handle"
                | "sha"
        );
        if is_id {
            words.pop();
        }
        let own = super::thing::thing_of(&words)?;
        Some(if argument.role == Role::Targets { super::grammar::plural(&own) } else { own })
    }

    /// "a Write tool".
    pub(super) fn classed(&self) -> String {
        format!("{} tool", with_article(class_name(self.class())))
    }

    /// "`name`, `price` and two more".
    pub(super) fn row(&self, names: &[String], most: usize) -> String {
        named(names, most)
    }

    /// One of several ways to say a thing: always the same for the same tool, and different among siblings.
    pub(super) fn pick<'t, T: ?Sized>(&self, salt: u32, ways: &'t [&'t T]) -> Option<&'t T> {
        let number = crate::tokens::hash(self.definition.name).rotate_left(salt.wrapping_mul(7)) ^ salt;
        let at = usize::try_from((number >> 3) % 1009).unwrap_or_default() % ways.len().max(1);
        ways.get(at).copied()
    }
}

/// The class as pages write it within a sentence.
pub(super) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Read => "Read",
        Class::Write => "Write",
        Class::Execute => "Execute",
        Class::Destructive => "Destructive",
        Class::Financial => "Financial",
        Class::Unclassified => "unclassified",
    }
}

/// Sentences, no more than fit.
#[derive(Default)]
pub(super) struct Paragraph {
    sentences: Vec<String>,
    words: usize,
}

/// How long a paragraph is.
const LEAST: usize = 60;
const MOST: usize = 120;

/// How many words a text has.
pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

impl Paragraph {
    /// Adds a sentence, unless the paragraph is then too long.
    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        let sentence = super::grammar::capitalised(sentence.into().trim());
        let more = words(&sentence);
        if more > 0 && self.words + more <= MOST && !self.sentences.contains(&sentence) {
            self.words += more;
            self.sentences.push(sentence);
        }
    }

    /// Adds a sentence where the paragraph is still short.
    pub(super) fn fill(&mut self, sentence: impl FnOnce() -> Option<String>) {
        if self.words < LEAST
            && let Some(sentence) = sentence()
        {
            self.say(sentence);
        }
    }

    pub(super) fn end(self) -> String {
        self.sentences.join(" ")
    }
}
