//! What the model looks at: each feature is a number, and the words that it stands for.

use crate::buffers::Buffers;
use crate::concept::Concepts;
use crate::definition::Definition;
use crate::model::{NOTHING, Weights};
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

/// Some words of a definition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) source: Source,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// How much its features speak for the class, once that is [weighed](Features::weigh).
    pub(crate) weight: i32,
}

/// One feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feature {
    /// Its row in the model, or its number, below [`BUCKETS`], where there is no model.
    pub(crate) row: u16,
    /// The number of its words among the spans.
    pub(crate) span: u16,
}

/// The number of the span that is nowhere.
pub(crate) const NOWHERE: u16 = 0;

/// The features of a definition, and the arguments they refer to.
pub(crate) struct Features<'a> {
    buffers: Box<Buffers>,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// What the name is about, and the first sentence.
    pub(crate) name: Gist,
    pub(crate) sentence: Gist,
}

impl Features<'_> {
    /// Each feature once, where it was seen first.
    pub(crate) fn all(&self) -> &[Feature] {
        self.buffers.features()
    }

    /// What features refer to by number; the first is nowhere.
    pub(crate) fn spans(&self) -> &[Span] {
        self.buffers.spans()
    }

    /// Adds up what the features of each span weigh.
    pub(crate) fn weigh(&mut self, weight: impl Fn(&Feature) -> i32) {
        self.buffers.weigh(weight);
    }

    /// Gives back what the features were read into: the next definition can have it.
    pub(crate) fn done(self) {
        self.buffers.keep();
    }
}

/// The numbers of a definition's features, rising, each once: what a model is trained on. Nothing
/// of the definition's text can be told from them.
#[must_use]
pub fn buckets(definition: &Definition<'_>) -> Vec<u16> {
    let features = extract(definition, None);
    let mut all: Vec<u16> = features.all().iter().map(|feature| feature.row).collect();
    features.done();
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
    found.title(definition.title, name.means);
    let sentence = found.description(definition.description, verb_last);
    for (first, second) in pairs(name.acts, sentence.acts) {
        found.add(Kind::Both, mix(first, second), name.span);
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
    /// Where that stands, and the number of that span.
    pub(crate) at: (u32, u32),
    span: u16,
}

struct Collector<'m> {
    /// Who says which features are worth keeping.
    model: Option<&'m Weights>,
    buffers: Box<Buffers>,
}

impl Collector<'_> {
    /// The row of a feature that is not there yet.
    fn wanted(&self, kind: Kind, value: u32) -> Option<u16> {
        let bucket = bucket(kind, value);
        let row = self.model.map_or(Some(bucket), |model| model.known(bucket))?;
        self.buffers.wants(row).then_some(row)
    }

    fn add(&mut self, kind: Kind, value: u32, span: u16) {
        let bucket = bucket(kind, value);
        let row = self.model.map_or(bucket, |model| model.row_of(bucket));
        self.buffers.add(Feature { row, span }, self.model.is_none() || row != NOTHING);
    }

    /// Adds a feature of words that hardly any other is of.
    fn add_at(&mut self, kind: Kind, value: u32, source: Source, start: u32, end: u32) {
        if let Some(row) = self.wanted(kind, value) {
            let span = self.buffers.span(Span { source, start, end, weight: 0 });
            self.buffers.add(Feature { row, span }, true);
        }
    }

    /// The number of the words of a token.
    fn span(&mut self, source: Source, token: &Token) -> u16 {
        self.buffers.span(Span { source, start: token.start, end: token.end, weight: 0 })
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
        let mut last = (Concepts::default(), NOWHERE);
        for (index, token) in tokens.iter().enumerate() {
            let span = self.span(Source::Name, token);
            self.add(Kind::NameWord, token.hash, span);
            for concept in token.means.beyond(gist.means).iter() {
                self.add(Kind::NameMeans, concept, span);
            }
            match index {
                0 => self.add(Kind::NameFirst, token.hash, span),
                _ if index + 1 == tokens.len() => self.add(Kind::NameLast, token.hash, span),
                _ => {}
            }
            if !token.means.actions().is_empty() {
                last = (token.means.actions(), span);
            }
            gist.take(token, span, verb_last);
        }
        for action in last.0.iter() {
            self.add(Kind::NameEnds, action, last.1);
        }
        for (first, second) in tokens.iter().zip(tokens.iter().skip(1)) {
            self.add_at(Kind::NamePair, mix(first.hash, second.hash), Source::Name, first.start, second.end);
        }
        for token in tokens.iter().filter(|token| token.start >= gist.at.1) {
            for action in gist.acts.iter() {
                self.add_at(Kind::NameActsWord, mix(action, token.hash), Source::Name, gist.at.0, token.end);
            }
        }
        for (action, object) in pairs(gist.acts, gist.means.others()) {
            self.add(Kind::NameActsOn, mix(action, object), gist.span);
        }
        for action in gist.acts.iter() {
            self.add(Kind::NameActs, action, gist.span);
        }
        self.buffers.tokens = tokens;
        gist
    }

    /// A title says what a name says, to people; `known` is what the name means.
    fn title(&mut self, title: &str, mut known: Concepts) {
        let tokens = self.words(title, Humps::Keep, NAME);
        for token in &tokens {
            let span = self.span(Source::Title, token);
            self.add(Kind::NameWord, token.hash, span);
            for concept in token.means.beyond(known).iter() {
                self.add(Kind::NameMeans, concept, span);
            }
            known.add(token.means);
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
            let span = self.span(Source::Description, token);
            self.add(Kind::SentenceWord, token.hash, span);
            if token.stem != token.hash {
                self.add(Kind::Stem, token.stem, span);
            }
            if index < 2 {
                let place = u32::try_from(index).unwrap_or_default();
                self.add(Kind::SentenceFirst, mix(token.hash, place), span);
            }
            for concept in token.means.beyond(gist.means).iter() {
                self.add(Kind::SentenceMeans, concept, span);
            }
            if !token.means.actions().is_empty() {
                last.acts = token.means.actions();
                last.span = span;
            }
            gist.take(token, span, verb_last);
        }
        for (first, second) in sentence.iter().zip(sentence.iter().skip(1)) {
            self.add_at(Kind::SentencePair, mix(first.hash, second.hash), Source::Description, first.start, second.end);
        }
        for token in sentence.iter().filter(|token| token.start >= gist.at.1).take(AFTER) {
            for action in gist.acts.iter() {
                self.add_at(Kind::SentenceActsWord, mix(action, token.hash), Source::Description, gist.at.0, token.end);
            }
        }
        for action in gist.acts.iter() {
            self.add(Kind::SentenceActs, action, gist.span);
        }
        for action in last.acts.iter() {
            self.add(Kind::SentenceEnds, action, last.span);
        }
        for (action, object) in pairs(gist.acts, gist.means.others()) {
            self.add(Kind::SentenceActsOn, mix(action, object), gist.span);
        }
        let (mut known, mut opened) = (Concepts::default(), Concepts::default());
        for token in rest {
            let span = self.span(Source::Description, token);
            self.add(Kind::RestWord, token.hash, span);
            for concept in token.means.beyond(known).iter() {
                self.add(Kind::RestMeans, concept, span);
            }
            known.add(token.means);
            if token.opens {
                for concept in token.means.beyond(opened).iter() {
                    self.add(Kind::RestOpens, concept, span);
                }
                opened.add(token.means);
            }
        }
        self.buffers.tokens = tokens;
        gist
    }

    fn parameters(&mut self, parameters: &[Parameter<'_>]) {
        let mut known = Concepts::default();
        let mut listed = [Concepts::default(); 2];
        for (number, parameter) in (0_u16..).zip(parameters) {
            let source = Source::Parameter(number);
            let tokens = self.words(parameter.name, Humps::Split, PARAMETER);
            for token in &tokens {
                let span = self.span(source, token);
                self.add(Kind::ParameterWord, token.hash, span);
                for concept in token.means.beyond(known).iter() {
                    self.add(Kind::ParameterMeans, concept, span);
                }
                known.add(token.means);
            }
            let whole = tokens.iter().fold(0, |hash, token| mix(hash, token.hash));
            let end = u32::try_from(parameter.name.len()).unwrap_or_default();
            self.add_at(Kind::ParameterName, whole, source, 0, end);
            self.buffers.tokens = tokens;
            // What an argument named `action` lists is what the tool does; elsewhere it is data.
            let acts = u32::from(chooses_action(parameter.name));
            let [data, actions] = &mut listed;
            let known = if acts == 0 { data } else { actions };
            for (index, value) in (0_u16..).zip(&parameter.values) {
                let source = Source::Value(number, index);
                let tokens = self.words(value, Humps::Split, VALUE);
                for token in tokens.iter() {
                    let span = self.span(source, token);
                    self.add(Kind::ValueWord, mix(token.hash, acts), span);
                    for concept in token.means.beyond(*known).iter() {
                        self.add(Kind::ValueMeans, mix(concept, acts), span);
                    }
                    known.add(token.means);
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
            self.add(Kind::Shape, value, NOWHERE);
        }
    }
}

impl Gist {
    fn take(&mut self, token: &Token, span: u16, verb_last: bool) {
        self.means.add(token.means);
        let actions = token.means.actions();
        if !actions.is_empty() && (verb_last || self.acts.is_empty()) {
            self.acts = actions;
            self.at = (token.start, token.end);
            self.span = span;
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
