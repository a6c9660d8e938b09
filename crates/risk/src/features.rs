//! What the model looks at: each feature is a number, and the words that it stands for.

use crate::buffers::Buffers;
use crate::concept::Concepts;
use crate::definition::Definition;
use crate::model::Weights;
use crate::schema::{Parameter, parameters};
use crate::tokens::{Humps, Token};

/// How many different features the model can tell apart.
pub const BUCKETS: usize = 1 << 16;

/// Words that are read of a name, of the first sentence, of the rest, of the arguments.
const NAME: usize = 12;
const SENTENCE: usize = 40;
const REST: usize = 50;
/// Words after the first action that are taken for what it acts on.
const AFTER: usize = 5;
const PARAMETER: usize = 6;
const VALUE: usize = 4;

/// The text that a feature was seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Name,
    Title,
    Description,
    /// The name of the argument with this number.
    Parameter(u16),
    /// This value of the argument with this number.
    Value(u16, u16),
    /// Nothing that could be shown: what is missing, or how much there is.
    Shape,
}

/// One feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feature {
    /// Its row in the model, or its number, below [`BUCKETS`], where there is no model.
    pub(crate) row: u16,
    /// Where its words stand.
    pub(crate) source: Source,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The features of a definition, and the arguments they refer to.
pub(crate) struct Features<'a> {
    buffers: Buffers,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// What the name is about, and the first sentence.
    pub(crate) name: Gist,
    pub(crate) sentence: Gist,
}

impl Drop for Features<'_> {
    fn drop(&mut self) {
        self.buffers.keep();
    }
}

impl Features<'_> {
    /// Each feature once, where it was seen first.
    pub(crate) fn all(&self) -> &[Feature] {
        self.buffers.features()
    }
}

/// The numbers of a definition's features, rising, each once: what a model is trained on. Nothing
/// of the definition's text can be told from them.
#[must_use]
pub fn buckets(definition: &Definition<'_>) -> Vec<u16> {
    let mut all: Vec<u16> = extract(definition, None).all().iter().map(|feature| feature.row).collect();
    all.sort_unstable();
    all
}

/// Kinds of features; each has numbers of its own.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Kind {
    NameWord = 1,
    NameFirst,
    NameLast,
    NamePair,
    NameMeans,
    NameActs,
    NameActsOn,
    SentenceWord,
    SentenceFirst,
    SentencePair,
    SentenceMeans,
    SentenceActs,
    SentenceEnds,
    SentenceActsOn,
    Both,
    RestWord,
    RestMeans,
    RestOpens,
    ParameterWord,
    ParameterMeans,
    ParameterName,
    ValueWord,
    ValueMeans,
    Shape,
    Stem,
    NameActsWord,
    SentenceActsWord,
    NameEnds,
}

/// The features of a definition: all, or those that `model` knows.
pub(crate) fn extract<'a>(definition: &Definition<'a>, model: Option<&Weights>) -> Features<'a> {
    let mut found = Collector { model, buffers: Buffers::of_this_thread() };
    let verb_last = verb_last(definition);
    let name = found.name(definition.name, verb_last);
    found.title(definition.title);
    let sentence = found.description(definition.description, verb_last);
    for (first, second) in pairs(name.acts, sentence.acts) {
        found.add(Kind::Both, mix(first, second), Source::Name, name.at);
    }
    let parameters = definition.schema.map(parameters).unwrap_or_default();
    found.parameters(&parameters);
    found.shape(definition, &parameters);
    Features { buffers: found.buffers, parameters, name, sentence }
}

/// What one text is about.
#[derive(Clone, Copy, Default)]
pub(crate) struct Gist {
    /// All that its words mean.
    pub(crate) means: Concepts,
    /// The action: the first that is named, or the last where verbs come last.
    pub(crate) acts: Concepts,
    /// Where that stands.
    pub(crate) at: (u32, u32),
}

struct Collector<'m> {
    /// Who says which features are worth keeping.
    model: Option<&'m Weights>,
    buffers: Buffers,
}

impl Collector<'_> {
    fn add(&mut self, kind: Kind, value: u32, source: Source, (start, end): (u32, u32)) {
        let bucket = bucket(kind, value);
        let Some(row) = self.model.map_or(Some(bucket), |model| model.known(bucket)) else { return };
        self.buffers.add(Feature { row, source, start, end });
    }

    /// The words of `text` in the buffer, which the caller gives back.
    fn words(&mut self, text: &str, humps: Humps, most: usize) -> Vec<Token> {
        let mut tokens = std::mem::take(&mut self.buffers.tokens);
        tokens.clear();
        self.buffers.splitter.split(text, humps, most, &mut tokens);
        tokens
    }

    fn name(&mut self, name: &str, verb_last: bool) -> Gist {
        let tokens = self.words(name, Humps::Split, NAME);
        let mut gist = Gist::default();
        let mut last = (Concepts::default(), (0, 0));
        for (index, token) in tokens.iter().enumerate() {
            let at = (token.start, token.end);
            self.add(Kind::NameWord, token.hash, Source::Name, at);
            for concept in token.means.iter() {
                self.add(Kind::NameMeans, concept, Source::Name, at);
            }
            match index {
                0 => self.add(Kind::NameFirst, token.hash, Source::Name, at),
                _ if index + 1 == tokens.len() => self.add(Kind::NameLast, token.hash, Source::Name, at),
                _ => {}
            }
            if !token.means.actions().is_empty() {
                last = (token.means.actions(), at);
            }
            gist.take(token, verb_last);
        }
        for action in last.0.iter() {
            self.add(Kind::NameEnds, action, Source::Name, last.1);
        }
        for (first, second) in tokens.iter().zip(tokens.iter().skip(1)) {
            self.add(Kind::NamePair, mix(first.hash, second.hash), Source::Name, (first.start, second.end));
        }
        for token in tokens.iter().filter(|token| token.start >= gist.at.1) {
            for action in gist.acts.iter() {
                self.add(Kind::NameActsWord, mix(action, token.hash), Source::Name, (gist.at.0, token.end));
            }
        }
        for (action, object) in pairs(gist.acts, gist.means.others()) {
            self.add(Kind::NameActsOn, mix(action, object), Source::Name, gist.at);
        }
        for action in gist.acts.iter() {
            self.add(Kind::NameActs, action, Source::Name, gist.at);
        }
        self.buffers.tokens = tokens;
        gist
    }

    /// A title says what a name says, to people.
    fn title(&mut self, title: &str) {
        let tokens = self.words(title, Humps::Keep, NAME);
        for token in &tokens {
            let at = (token.start, token.end);
            self.add(Kind::NameWord, token.hash, Source::Title, at);
            for concept in token.means.iter() {
                self.add(Kind::NameMeans, concept, Source::Title, at);
            }
        }
        self.buffers.tokens = tokens;
    }

    fn description(&mut self, text: &str, verb_last: bool) -> Gist {
        let tokens = self.words(text, Humps::Keep, SENTENCE + REST);
        let ends = tokens.iter().skip(3).position(|token| token.opens).map_or(tokens.len(), |at| at + 3).min(SENTENCE);
        let (sentence, rest) = tokens.split_at(ends.min(tokens.len()));
        let mut gist = Gist::default();
        let mut last = Gist::default();
        for (index, token) in sentence.iter().enumerate() {
            let at = (token.start, token.end);
            self.add(Kind::SentenceWord, token.hash, Source::Description, at);
            if token.stem != token.hash {
                self.add(Kind::Stem, token.stem, Source::Description, at);
            }
            if index < 2 {
                let place = u32::try_from(index).unwrap_or_default();
                self.add(Kind::SentenceFirst, mix(token.hash, place), Source::Description, at);
            }
            for concept in token.means.iter() {
                self.add(Kind::SentenceMeans, concept, Source::Description, at);
            }
            if !token.means.actions().is_empty() {
                last.acts = token.means.actions();
                last.at = at;
            }
            gist.take(token, verb_last);
        }
        for (first, second) in sentence.iter().zip(sentence.iter().skip(1)) {
            self.add(Kind::SentencePair, mix(first.hash, second.hash), Source::Description, (first.start, second.end));
        }
        for token in sentence.iter().filter(|token| token.start >= gist.at.1).take(AFTER) {
            for action in gist.acts.iter() {
                self.add(Kind::SentenceActsWord, mix(action, token.hash), Source::Description, (gist.at.0, token.end));
            }
        }
        for action in gist.acts.iter() {
            self.add(Kind::SentenceActs, action, Source::Description, gist.at);
        }
        for action in last.acts.iter() {
            self.add(Kind::SentenceEnds, action, Source::Description, last.at);
        }
        for (action, object) in pairs(gist.acts, gist.means.others()) {
            self.add(Kind::SentenceActsOn, mix(action, object), Source::Description, gist.at);
        }
        for token in rest {
            let at = (token.start, token.end);
            self.add(Kind::RestWord, token.hash, Source::Description, at);
            for concept in token.means.iter() {
                self.add(Kind::RestMeans, concept, Source::Description, at);
                if token.opens {
                    self.add(Kind::RestOpens, concept, Source::Description, at);
                }
            }
        }
        self.buffers.tokens = tokens;
        gist
    }

    fn parameters(&mut self, parameters: &[Parameter<'_>]) {
        for (number, parameter) in (0_u16..).zip(parameters) {
            let source = Source::Parameter(number);
            let tokens = self.words(parameter.name, Humps::Split, PARAMETER);
            for token in &tokens {
                let at = (token.start, token.end);
                self.add(Kind::ParameterWord, token.hash, source, at);
                for concept in token.means.iter() {
                    self.add(Kind::ParameterMeans, concept, source, at);
                }
            }
            let whole = tokens.iter().fold(0, |hash, token| mix(hash, token.hash));
            let all = (0, u32::try_from(parameter.name.len()).unwrap_or_default());
            self.add(Kind::ParameterName, whole, source, all);
            self.buffers.tokens = tokens;
            // What an argument named `action` lists is what the tool does; elsewhere it is data.
            let acts = u32::from(chooses_action(parameter.name));
            for (index, value) in (0_u16..).zip(&parameter.values) {
                let source = Source::Value(number, index);
                let tokens = self.words(value, Humps::Split, VALUE);
                for token in tokens.iter() {
                    let at = (token.start, token.end);
                    self.add(Kind::ValueWord, mix(token.hash, acts), source, at);
                    for concept in token.means.iter() {
                        self.add(Kind::ValueMeans, mix(concept, acts), source, at);
                    }
                }
                self.buffers.tokens = tokens;
            }
        }
    }

    fn shape(&mut self, definition: &Definition<'_>, parameters: &[Parameter<'_>]) {
        let shape = [
            definition.description.trim().is_empty().then_some(1),
            definition.schema.is_none().then_some(2),
            (definition.schema.is_some() && parameters.is_empty()).then_some(3),
            (parameters.len() == 1).then_some(4),
            (parameters.len() > 6).then_some(5),
            (definition.description.len() > 600).then_some(6),
            parameters.iter().any(|parameter| chooses_action(parameter.name)).then_some(7),
        ];
        for value in shape.into_iter().flatten() {
            self.add(Kind::Shape, value, Source::Shape, (0, 0));
        }
    }
}

impl Gist {
    fn take(&mut self, token: &Token, verb_last: bool) {
        self.means.add(token.means);
        let actions = token.means.actions();
        if !actions.is_empty() && (verb_last || self.acts.is_empty()) {
            self.acts = actions;
            self.at = (token.start, token.end);
        }
    }
}

/// Whether an argument's name says that its value chooses what is done.
pub(crate) fn chooses_action(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "action",
        "actions",
        "operation",
        "operations",
        "op",
        "method",
        "command",
        "cmd",
        "mode",
        "verb",
        "task",
        "subcommand",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the definition is in Japanese or Korean, where the verb ends the sentence: what stands
/// before it (`삭제 이력 조회`, the history of deletions is shown) is what the action is about.
fn verb_last(definition: &Definition<'_>) -> bool {
    const LETTERS: usize = 80;
    let is = |letter: char| matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}');
    let begins = |text: &str| {
        // Few texts have such a letter; one look at the bytes that can begin one spares the others the rest.
        let head = text.as_bytes().get(..LETTERS * 4).unwrap_or(text.as_bytes());
        let may = head.iter().fold(false, |may, byte| may | matches!(byte, 0xe3..=0xed));
        may && text.chars().take(LETTERS).any(is)
    };
    begins(definition.description) || begins(definition.name)
}

/// Each of the one with each of the other.
fn pairs(one: Concepts, other: Concepts) -> impl Iterator<Item = (u32, u32)> {
    one.iter().flat_map(move |first| other.iter().map(move |second| (first, second)))
}

fn mix(one: u32, other: u32) -> u32 {
    (one.rotate_left(11) ^ other.wrapping_mul(0x9e37_79b1)).wrapping_mul(0x85eb_ca6b) ^ other
}

fn bucket(kind: Kind, value: u32) -> u16 {
    let mut hash = value ^ (kind as u32).wrapping_mul(0x9e37_79b1);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^= hash >> 16;
    u16::try_from(hash & 0xffff).unwrap_or_default()
}
