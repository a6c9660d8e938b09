//! What a tool acts on, as its name or its arguments name it.

use super::grammar::{is_plural, is_uncounted, plural, singular, with_article};
use super::spoken::{is_one_of, is_product, spoken};
use super::title::parts;
use crate::definition::Definition;

/// What a tool acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thing {
    /// The name for one, without article: "lead".
    pub(super) one: String,
    /// Whether the name says several.
    pub(super) several: bool,
    /// Whether it says all, or many at once.
    pub(super) many: bool,
    /// Whether the words are those of another language, and so quoted.
    quoted: bool,
    /// Whether nothing is known: no sentence names it then.
    pub(super) unknown: bool,
}

/// Words of names that are not of what a tool does.
const NOISE: [&str; 16] =
    ["tool", "mcp", "v1", "v2", "v3", "api", "the", "a", "an", "new", "do", "async", "handler", "rpc", "cmd", "my"];

impl Thing {
    /// Of the words of a name. `many` where it says so elsewhere, `strange` where they are not English.
    pub(super) fn of(words: &[String], many: bool, strange: bool) -> Thing {
        let mut words: Vec<String> =
            words.iter().filter(|word| !is_one_of(&NOISE, word) && readable(word)).cloned().collect();
        words.dedup_by(|one, other| one.to_lowercase() == other.to_lowercase());
        let all = words.first().is_some_and(|word| word.eq_ignore_ascii_case("all"));
        if all {
            words.remove(0);
        }
        words.truncate(5);
        let several = all || many || words.last().is_some_and(|word| is_plural(word));
        let strange = strange || words.iter().any(|word| !word.is_ascii());
        let words: Vec<String> =
            words.iter().map(|word| if strange { word.to_lowercase() } else { spoken(word) }).collect();
        let unknown = words.is_empty();
        let joined = words.join(" ");
        let one = match (unknown, strange) {
            (true, _) => "record".to_owned(),
            (false, true) => joined,
            (false, false) => singular(&joined),
        };
        Thing { one, several, many: all || many, quoted: strange && !unknown, unknown }
    }

    fn is_uncounted(&self) -> bool {
        let last = self.one.rsplit(' ').next().unwrap_or_default();
        self.quoted || is_uncounted(last) || is_product(last)
    }

    fn bare(&self) -> String {
        if self.quoted { format!("“{}”", self.one) } else { self.one.clone() }
    }

    /// As a call acts on it: "a lead", "leads", "usage statistics".
    pub(super) fn acted_on(&self) -> String {
        if self.several { self.them() } else { self.a() }
    }

    /// "a lead".
    pub(super) fn a(&self) -> String {
        const ONLY: [&str; 12] = [
            "current",
            "latest",
            "next",
            "last",
            "first",
            "total",
            "top",
            "full",
            "available",
            "recent",
            "active",
            "default",
        ];
        let first = self.one.split(' ').next().unwrap_or_default();
        if self.is_uncounted() {
            self.bare()
        } else if ONLY.contains(&first)
            || self.one.ends_with(" status")
            || self.one == "status"
            || self.one.ends_with(" count")
        {
            format!("the {}", self.one)
        } else {
            with_article(&self.one)
        }
    }

    /// "the lead".
    pub(super) fn the(&self) -> String {
        if self.quoted { self.bare() } else { format!("the {}", self.one) }
    }

    /// "the lead" or "the leads"; `other` where nothing is known.
    pub(super) fn the_or(&self, other: &str) -> String {
        match (self.unknown, self.several, self.quoted) {
            (true, ..) => other.to_owned(),
            (false, true, false) => format!("the {}", self.them()),
            _ => self.the(),
        }
    }

    /// "leads".
    pub(super) fn them(&self) -> String {
        if self.quoted { self.bare() } else { plural(&self.one) }
    }

    /// Whether it is of a kind that nobody keeps to himself.
    pub(super) fn is_public(&self) -> bool {
        const PUBLIC: [&str; 16] = [
            "time",
            "date",
            "datetime",
            "timezone",
            "weather",
            "forecast",
            "version",
            "help",
            "documentation",
            "price",
            "rate",
            "language",
            "country",
            "holiday",
            "schema",
            "symbol",
        ];
        self.one.rsplit(' ').next().is_some_and(|last| PUBLIC.contains(&last))
    }

    /// The same without its last word, where that is `word` and not all.
    pub(super) fn without(&self, word: &str) -> Thing {
        match self
            .one
            .strip_suffix(word)
            .map(str::trim_end)
            .filter(|rest| !rest.is_empty() && self.one.ends_with(&format!(" {word}")))
        {
            Some(rest) => Thing { one: rest.to_owned(), several: false, ..self.clone() },
            None => self.clone(),
        }
    }

    /// Nothing of its own: the server itself.
    pub(super) fn forget(&mut self) {
        *self = Thing::of(&[], false, false);
    }

    /// What two names of the same thing have in common.
    pub(super) fn key(&self) -> String {
        if self.unknown { String::new() } else { self.one.to_lowercase() }
    }
}

/// A word that can stand in a sentence.
fn readable(word: &str) -> bool {
    word.chars().all(|letter| letter.is_alphanumeric()) && word.chars().any(char::is_alphabetic)
}

/// The thing that an argument names: `campaign_id` is of a campaign.
pub(super) fn from_arguments(definition: &Definition<'_>) -> Option<Thing> {
    let properties = definition.schema?.get("properties")?.as_object()?;
    properties.keys().take(20).find_map(|name| {
        let mut words = parts(name);
        let id = words.pop()?.to_lowercase();
        (matches!(id.as_str(), "id" | "ids" | "key" | "slug")
            && !words.is_empty()
            && words.iter().all(|word| word.is_ascii()))
        .then(|| Thing::of(&words, false, false))
        .filter(|thing| !thing.unknown)
    })
}

/// The thing that words of a name are for; nothing where they are none that can be said.
pub(super) fn thing_of(words: &[String]) -> Option<String> {
    let thing = Thing::of(words, false, false);
    (!thing.unknown && !thing.quoted).then_some(thing.one)
}
