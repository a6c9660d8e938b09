//! What is asked, and which lists of the index that means.
//!
//! Every word must be found: in the name, which counts most, around it, or in the description. The last
//! word may be the beginning of one; a word that no name holds may be misspelt.

use tantivy::schema::Field;
use tantivy::termdict::TermDictionary;
use tantivy::{Searcher, Term};

use crate::BadIndex;
use crate::fields::{Fields, Kind};
use crate::like::Like;
use crate::words::{Run, exact, runs, unordered};

/// A condition that an entry must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The field: `class`, `severity`, `facet`, `transport`, `licence`, `standing`, `language`, `visibility`.
    pub field: String,
    /// Its value. Of several filters of one field one must be met; of several fields each.
    pub value: String,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Words, as they were typed.
    pub words: String,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Conditions.
    pub filters: Vec<Filter>,
    /// Only what changed since, in microseconds since 1970.
    pub changed_since: Option<i64>,
    /// The first so many are left out.
    pub offset: usize,
    /// At most so many are given.
    pub limit: usize,
    /// Whether to count all that is found, which costs a look at each.
    pub count: bool,
}

/// The most words of a question; what is behind them is not read.
const WORDS: usize = 12;

/// The most words of the index that one word that was typed can stand for.
const EXPANSIONS: usize = 24;

/// The most words that are looked at for that.
const LOOKED_AT: usize = 4_000;

/// What a word is worth where it is found; the rest is relevance, at most about 15 a word.
const NAME: f32 = 40.0;
const AROUND: f32 = 15.0;
const NAME_BEGINS: f32 = 20.0;
const NAME_MISSPELT: f32 = 8.0;
const EXACT: f32 = 1_000.0;
const UNORDERED: f32 = 500.0;

/// Where the names of so many entries go on from a word that is being typed, nothing in it is misspelt.
const COMMON: u32 = 20;

/// What so many descriptions say is no mistake; and where so many names go on from a word, nobody sees entries of which only the
/// description does.
const PLENTY: u32 = 1_000;

/// What the description is worth where a word goes on that was begun, beside its relevance for the whole word.
const TEXT_BEGINS: f32 = 0.5;

/// A question, in words of the index.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What must be found, all of it.
    pub(crate) must: Vec<Node>,
    /// What counts where it is found beside that.
    pub(crate) beside: Vec<List>,
    /// Conditions: of each one word must be there.
    pub(crate) filters: Vec<Vec<Term>>,
    /// Only what changed since.
    pub(crate) since: Option<i64>,
}

impl Plan {
    /// The same where it does not matter what an entry is worth: the lists are gone through without a look at how often
    /// and in how long a text a word stands.
    pub(crate) fn unweighed(mut self) -> Self {
        self.beside.clear();
        self.must.iter_mut().for_each(Node::unweigh);
        self
    }
}

/// A part of a question.
#[derive(Debug)]
pub(crate) enum Node {
    /// One of several lists; what an entry is worth in each is added up.
    Lists(Vec<List>),
    /// Each of several parts.
    All(Vec<Node>),
    /// One of several parts.
    Any(Vec<Node>),
}

impl Node {
    fn unweigh(&mut self) {
        match self {
            Node::Lists(lists) => lists.iter_mut().for_each(|list| (list.worth, list.relevance) = (1.0, 0.0)),
            Node::All(nodes) | Node::Any(nodes) => nodes.iter_mut().for_each(Node::unweigh),
        }
    }
}

/// The entries that have a word in a field.
#[derive(Debug)]
pub(crate) struct List {
    /// The field and the word.
    pub(crate) term: Term,
    /// What each is worth.
    pub(crate) worth: f32,
    /// What its relevance is multiplied with and added; nought where it does not matter.
    pub(crate) relevance: f32,
}

impl List {
    fn flat(field: Field, word: &str, worth: f32) -> Self {
        Self { term: Term::from_field_text(field, word), worth, relevance: 0.0 }
    }

    fn relevant(field: Field, word: &str, worth: f32, relevance: f32) -> Self {
        Self { term: Term::from_field_text(field, word), worth, relevance }
    }
}

/// Makes the plan.
pub(crate) fn plan(query: &Query, fields: &Fields, searcher: &Searcher) -> Result<Plan, BadIndex> {
    let mut runs = runs(&query.words);
    runs.truncate(WORDS);
    // What is said twice must be found once.
    let said = runs.clone();
    let mut at = 0;
    runs.retain(|run| {
        at += 1;
        !said.iter().skip(at).any(|later| later == run)
    });
    let planner = Planner { fields, searcher, alone: matches!(runs.as_slice(), [Run::Word(_)]) };
    // What ends in a space is a whole word.
    let open = query.words.chars().last().is_some_and(char::is_alphanumeric);
    let last = runs.len().saturating_sub(1);
    let must =
        runs.iter().enumerate().map(|(at, run)| planner.run(run, open && at == last)).collect::<Result<_, _>>()?;
    let mut beside = Vec::new();
    if !runs.is_empty() {
        beside.push(List::flat(fields.exact, &exact(&query.words), EXACT));
        beside.push(List::flat(fields.unordered, &unordered(&query.words), UNORDERED));
    }
    Ok(Plan { must, beside, filters: planner.filters(query), since: query.changed_since })
}

struct Planner<'a> {
    fields: &'a Fields,
    searcher: &'a Searcher,
    /// Whether one word is asked for.
    alone: bool,
}

impl Planner<'_> {
    /// One run of the question.
    fn run(&self, run: &Run, open: bool) -> Result<Node, BadIndex> {
        match run {
            Run::Word(word) => self.word(word, open),
            Run::Humps { whole, parts } => {
                let last = parts.len().saturating_sub(1);
                let parts = parts.iter().enumerate().map(|(at, part)| self.word(part, open && at == last));
                let parts = Node::All(parts.collect::<Result<_, _>>()?);
                Ok(Node::Any(vec![self.word(whole, open)?, parts]))
            }
            Run::Pairs(pairs) => {
                // One character alone is the beginning of pairs.
                let alone = pairs.iter().all(|pair| pair.chars().count() == 1);
                let pairs = pairs.iter().map(|pair| self.word(pair, alone));
                Ok(Node::All(pairs.collect::<Result<_, _>>()?))
            }
        }
    }

    /// One word, wherever it may stand.
    fn word(&self, word: &str, open: bool) -> Result<Node, BadIndex> {
        let fields = self.fields;
        let mut lists = vec![
            List::relevant(fields.name, word, NAME, 1.0),
            // All parts of a name, typed as one.
            List::flat(fields.exact, word, NAME),
            List::flat(fields.around, word, AROUND),
            List::relevant(fields.text, word, 0.0, 1.0),
        ];
        let mut known = [fields.name, fields.exact, fields.around]
            .into_iter()
            .try_fold(false, |known, field| Ok::<_, BadIndex>(known || self.count(field, word)? > 0))?;
        known = known || self.count(fields.text, word)? >= u64::from(PLENTY);
        if open {
            let mut begun = 0_u32;
            for (field, worth) in [(fields.name, NAME_BEGINS), (fields.around, AROUND / 2.0)] {
                for (count, longer) in self.beginning(field, word)? {
                    begun = begun.saturating_add(count);
                    lists.push(List::flat(field, &longer, worth));
                }
            }
            known |= begun >= COMMON;
            let unseen = begun >= PLENTY && (self.alone || word.chars().count() < 3);
            if !unseen {
                let longer = self.beginning(fields.text, word)?;
                lists.extend(longer.iter().map(|(_, longer)| List::relevant(fields.text, longer, 0.0, TEXT_BEGINS)));
            }
        }
        let mistakes = match word.chars().count() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if !known && mistakes > 0 && word.chars().any(char::is_alphabetic) {
            let like = Like::new(word, mistakes, open);
            for (field, worth) in [(fields.name, NAME_MISSPELT), (fields.around, NAME_MISSPELT / 2.0)] {
                if let Some(like) = &like {
                    let found = self.like(field, word, like)?;
                    lists.extend(found.iter().map(|(_, like)| List::flat(field, like, worth)));
                }
            }
        }
        Ok(Node::Lists(lists))
    }

    fn count(&self, field: Field, word: &str) -> Result<u64, BadIndex> {
        Ok(self.searcher.doc_freq(&Term::from_field_text(field, word))?)
    }

    /// The commonest words that begin so and go on, with how many entries have each.
    fn beginning(&self, field: Field, start: &str) -> Result<Vec<(u32, String)>, BadIndex> {
        let mut found = Vec::new();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut words = inverted.terms().range().gt(start).into_stream()?;
            let mut seen = Vec::new();
            while words.advance() {
                if !words.key().starts_with(start.as_bytes()) || seen.len() >= LOOKED_AT {
                    break;
                }
                seen.push((words.value().doc_freq, words.term_ord()));
            }
            found.extend(commonest_of(inverted.terms(), seen)?);
        }
        Ok(commonest(found))
    }

    /// The commonest words that are spelt nearly like one.
    fn like(&self, field: Field, word: &str, like: &Like) -> Result<Vec<(u32, String)>, BadIndex> {
        let mut found = Vec::new();
        // The first letter is seldom wrong, and words with another are seldom meant.
        let mut first = [0; 4];
        let first = word.chars().next().unwrap_or_default().encode_utf8(&mut first).as_bytes();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut words = inverted.terms().search(like).into_stream()?;
            let mut seen = Vec::new();
            while words.advance() && seen.len() < LOOKED_AT {
                let far = u32::from(!words.key().starts_with(first)) * 4;
                seen.push((words.value().doc_freq >> far, words.term_ord()));
            }
            found.extend(commonest_of(inverted.terms(), seen)?);
        }
        Ok(commonest(found))
    }

    /// The words of each field that filters.
    fn filters(&self, query: &Query) -> Vec<Vec<Term>> {
        let one = |field: &str, value: &str| {
            Term::from_field_text(self.fields.filter, &format!("{field}:{}", value.to_lowercase()))
        };
        let mut all: Vec<Vec<Term>> = query.kind.iter().map(|kind| vec![one("kind", kind.as_str())]).collect();
        let mut done: Vec<&str> = Vec::new();
        for filter in &query.filters {
            if !done.contains(&filter.field.as_str()) {
                done.push(&filter.field);
                let same = query.filters.iter().filter(|other| other.field == filter.field);
                all.push(same.map(|same| one(&same.field, &same.value)).collect());
            }
        }
        all
    }
}

/// The commonest words of one part of the index: only these are read.
fn commonest_of(words: &TermDictionary, mut seen: Vec<(u32, u64)>) -> Result<Vec<(u32, String)>, BadIndex> {
    // Numbers of words are in the order of the alphabet.
    seen.sort_unstable_by(|(one, left), (other, right)| other.cmp(one).then_with(|| left.cmp(right)));
    seen.truncate(EXPANSIONS);
    let mut found = Vec::with_capacity(seen.len());
    let mut word = Vec::new();
    for (count, number) in seen {
        if words.ord_to_term(number, &mut word)? {
            found.push((count, String::from_utf8_lossy(&word).into_owned()));
        }
    }
    Ok(found)
}

fn commonest(mut found: Vec<(u32, String)>) -> Vec<(u32, String)> {
    found.sort_by(|(one, left), (other, right)| other.cmp(one).then_with(|| left.cmp(right)));
    found.dedup_by(|one, other| one.1 == other.1);
    found.truncate(EXPANSIONS);
    found
}
