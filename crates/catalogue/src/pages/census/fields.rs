//! By what servers can be chosen: the fields, and the words that stand in them.

use std::collections::HashMap;

use crate::entry::TRANSPORTS;

/// A field by which servers can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// How they are spoken with.
    Transport,
    /// The licence.
    Licence,
    /// The language of the description.
    Language,
}

impl Field {
    /// Every field.
    pub const ALL: [Field; 3] = [Field::Transport, Field::Licence, Field::Language];

    /// The word in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Transport => "transport",
            Field::Licence => "licence",
            Field::Language => "language",
        }
    }

    pub(super) fn place(self) -> usize {
        Field::ALL.iter().position(|one| *one == self).unwrap_or_default()
    }
}

/// Words, each once in whatever case; the first is no word.
#[derive(Debug)]
pub(super) struct Words {
    all: Vec<String>,
    places: HashMap<String, u16>,
}

impl Default for Words {
    fn default() -> Self {
        Self { all: vec![String::new()], places: HashMap::new() }
    }
}

impl Words {
    /// The place of a word, which it gets if it has none.
    pub(super) fn put(&mut self, word: Option<String>) -> u16 {
        let Some(word) = word else { return 0 };
        let lower = word.to_lowercase();
        if let Some(place) = self.places.get(&lower) {
            return *place;
        }
        // What is beyond so many kinds of words is no list that anybody narrows.
        let Ok(place) = u16::try_from(self.all.len()) else { return 0 };
        self.all.push(word);
        self.places.insert(lower, place);
        place
    }

    /// The place of a word; one that nothing has, where it is unknown.
    pub(super) fn find(&self, word: &str) -> u16 {
        self.places.get(&word.to_lowercase()).copied().unwrap_or(u16::MAX)
    }

    /// The word of a place.
    pub(super) fn word(&self, place: u16) -> Option<&str> {
        self.all.get(usize::from(place)).map(String::as_str)
    }
}

/// Which servers are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// How they are spoken with.
    pub transport: Option<String>,
    /// Their licence.
    pub licence: Option<String>,
    /// The language of their description.
    pub language: Option<String>,
    /// What their names begin with.
    pub letter: Option<char>,
}

impl Chosen {
    /// What a field must be.
    pub fn field(&mut self, field: Field) -> &mut Option<String> {
        match field {
            Field::Transport => &mut self.transport,
            Field::Licence => &mut self.licence,
            Field::Language => &mut self.language,
        }
    }
}

/// A transport that the protocol has.
pub(super) fn known_transport(transport: Option<String>) -> Option<String> {
    transport.filter(|word| TRANSPORTS.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_narrowed_by_what_the_protocol_has() {
        for (said, kept) in [("stdio", true), ("SSE", true), ("streamable-http", true), ("pigeon", false), ("", false)]
        {
            assert_eq!(known_transport(Some(said.to_owned())).is_some(), kept, "{said}");
        }
    }
}
