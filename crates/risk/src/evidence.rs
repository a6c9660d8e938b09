//! The words that decided.

use std::collections::HashSet;
use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::definition::Definition;
use crate::features::{Features, Source, Span};
use crate::fold::is_unspaced;
use crate::lexicon::Spread;
use crate::schema::Parameter;
use crate::tokens::{hash, hash_bytes};

/// How many pieces of evidence are named.
const MOST: usize = 4;

/// A piece of a definition that spoke for the class.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Where it stands.
    pub place: Place,
    /// The words, as they stand there.
    pub text: String,
    /// How much it spoke for the class, against the runner-up, as log odds; `None` when a rule
    /// decided, which asks for no other evidence.
    pub weight: Option<f32>,
}

impl Evidence {
    /// Whether a reader can make something of the words alone.
    fn speaks(&self) -> bool {
        let word = self.text.trim();
        // Most are plain words, longer than any of those that say nothing.
        if word.len() > LONGEST && word.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            return true;
        }
        let mut letters = word.chars();
        let single = matches!((letters.next(), letters.next()), (Some(letter), None) if !is_unspaced(letter));
        let number = word.chars().all(|letter| letter.is_numeric() || matches!(letter, '.' | ','));
        // An argument named `to` says more than the word in a sentence.
        let prose = matches!(self.place, Place::Name(..) | Place::Title(..) | Place::Description(..));
        !(single || number || prose && says_nothing(word))
    }
}

/// Whether it is one of the [`FUNCTION_WORDS`].
fn says_nothing(word: &str) -> bool {
    static HASHES: LazyLock<HashSet<u32, Spread>> =
        LazyLock::new(|| FUNCTION_WORDS.iter().map(|word| hash(word)).collect());
    let bytes = word.as_bytes();
    let mut small = [0; LONGEST];
    match small.get_mut(..bytes.len()) {
        Some(small) if word.is_ascii() => {
            small.copy_from_slice(bytes);
            small.make_ascii_lowercase();
            HASHES.contains(&hash_bytes(small))
        }
        Some(_) => HASHES.contains(&hash(&word.to_lowercase())),
        None => false,
    }
}

/// The bytes of the longest of them.
const LONGEST: usize = 8;

/// Words that say nothing alone, in the languages of the lexicon and their neighbours.
#[rustfmt::skip]
const FUNCTION_WORDS: &[&str] = &[
    "an", "and", "are", "as", "at", "be", "by", "can", "for", "from", "if", "in", "is", "it", "its", "of", "on", "or",
    "that", "the", "this", "to", "when", "which", "will", "with", "you", "your",
    "das", "dem", "den", "der", "des", "die", "ein", "eine", "einen", "für", "im", "ist", "mit", "oder", "und", "von", "zu",
    "au", "aux", "dans", "de", "des", "du", "en", "est", "et", "la", "le", "les", "ou", "par", "pour", "sur", "un", "une",
    "al", "con", "del", "el", "las", "los", "para", "por", "que", "se", "su", "una",
    "ao", "as", "com", "da", "das", "do", "dos", "em", "na", "no", "os", "um", "uma",
    "che", "dei", "della", "di", "gli", "il", "lo", "nel", "per",
    "een", "het", "met", "op", "te", "van", "voor",
    "bir", "bu", "ile", "için", "ve", "od", "się", "za",
    "для", "из", "или", "на", "от", "по", "со",
    "的", "了", "和", "の", "を", "に", "は", "が", "と", "은", "는", "을", "를", "의",
];

/// Where a piece of evidence stands in the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the name, from this byte to before that one.
    Name(usize, usize),
    /// In the title.
    Title(usize, usize),
    /// In the description.
    Description(usize, usize),
    /// The name of an argument.
    Parameter(String),
    /// A value that an argument lists.
    Value(String),
    /// A hint of this name.
    Annotation(&'static str),
}

impl Place {
    /// The place as people and programs read it: `name`, `description[0..7]`,
    /// `inputSchema.action`, `annotations.destructiveHint`.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Place::Name(start, end) => format!("name[{start}..{end}]"),
            Place::Title(start, end) => format!("title[{start}..{end}]"),
            Place::Description(start, end) => format!("description[{start}..{end}]"),
            Place::Parameter(name) | Place::Value(name) => format!("inputSchema.{name}"),
            Place::Annotation(name) => format!("annotations.{name}"),
        }
    }
}

/// The pieces that spoke most, the strongest first, of features that are [weighed](Features::weigh).
pub(crate) fn strongest(definition: &Definition<'_>, features: &Features<'_>, scale: f32) -> Vec<Evidence> {
    let mut top: SmallVec<[Span; MOST + 1]> = SmallVec::new();
    let mut weakest = 0;
    // The first is nowhere.
    for span in features.spans().iter().skip(1) {
        // Most words say little; only those that may stay are compared with the others.
        if span.weight > weakest {
            weakest = keep(&mut top, *span);
        }
    }
    let mut all: Vec<Evidence> =
        top.into_iter().filter_map(|span| named(definition, &features.parameters, span, scale)).collect();
    let silent = all.iter().filter(|piece| !piece.speaks()).count();
    if silent > 0 && silent < all.len() {
        all.retain(Evidence::speaks);
    }
    all
}

/// Puts a span in its place among the strongest. Of spans that overlap only the stronger stays:
/// words within words that are named already add nothing for a reader. Gives what the next one must
/// exceed.
fn keep(top: &mut SmallVec<[Span; MOST + 1]>, span: Span) -> i32 {
    if !top.iter().any(|known| overlap(known, &span) && known.weight >= span.weight) {
        top.retain(|known| !overlap(known, &span));
        let at = top.iter().position(|known| known.weight < span.weight).unwrap_or(top.len());
        top.insert(at, span);
        top.truncate(MOST);
    }
    if top.len() == MOST { top.last().map_or(0, |last| last.weight) } else { 0 }
}

fn overlap(one: &Span, other: &Span) -> bool {
    one.start < other.end && other.start < one.end && one.source == other.source
}

fn named(
    definition: &Definition<'_>,
    parameters: &[Parameter<'_>],
    Span { source, start, end, weight }: Span,
    scale: f32,
) -> Option<Evidence> {
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    #[expect(clippy::cast_precision_loss, reason = "a sum of few small numbers")]
    let weight = weight as f32 * scale;
    let (place, text) = match source {
        Source::Name => (Place::Name(start, end), definition.name.get(start..end)?),
        Source::Title => (Place::Title(start, end), definition.title.get(start..end)?),
        Source::Description => (Place::Description(start, end), definition.description.get(start..end)?),
        Source::Parameter(number) => {
            let name = parameters.get(usize::from(number))?.name;
            (Place::Parameter(name.to_owned()), name)
        }
        Source::Value(number, index) => {
            let parameter = parameters.get(usize::from(number))?;
            (Place::Value(parameter.name.to_owned()), *parameter.values.get(usize::from(index))?)
        }
        Source::Shape => return None,
    };
    Some(Evidence { place, text: text.to_owned(), weight: Some(weight) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_word_is_known_for_one() {
        for word in FUNCTION_WORDS {
            assert!(says_nothing(word) && says_nothing(&word.to_uppercase()), "{word}");
        }
    }

    #[test]
    fn words_that_say_nothing_alone() {
        let speaks = |place: Place, text: &str| Evidence { place, text: text.to_owned(), weight: None }.speaks();
        let prose = Place::Description(0, 1);
        for word in ["a", "The", "of", "s", "if", "to", "in", "de", "la", "et", "x", "42", "3.5", "и", "的"] {
            assert!(!speaks(prose.clone(), word), "{word}");
        }
        for word in ["delete", "id", "to address", "删", "v2"] {
            assert!(speaks(prose.clone(), word), "{word}");
        }
        assert!(speaks(Place::Parameter("to".to_owned()), "to"));
        assert!(!speaks(Place::Parameter("s".to_owned()), "s"));
    }
}
