//! What is asked, and the query that it becomes.
//!
//! Every word must be found: in the name, which counts most, around it, or in the description. The last
//! word may be the beginning of one; a word that no name holds may be misspelt.

use std::ops::Bound;

use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query as Node, RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::termdict::TermDictionary;
use tantivy::{Searcher, Term};

use crate::BadIndex;
use crate::fields::{Fields, Kind};
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
const TEXT_BEGINS: f32 = 2.0;
const EXACT: f32 = 1_000.0;
const UNORDERED: f32 = 500.0;

type Boxed = Box<dyn Node>;

/// Makes the query.
pub(crate) fn compile(query: &Query, fields: &Fields, searcher: &Searcher) -> Result<Boxed, BadIndex> {
    let mut clauses: Vec<(Occur, Boxed)> = Vec::new();
    let compiler = Compiler { fields, searcher };
    let mut runs = runs(&query.words);
    runs.truncate(WORDS);
    // What ends in a space is a whole word.
    let open = query.words.chars().last().is_some_and(char::is_alphanumeric);
    let last = runs.len().saturating_sub(1);
    for (at, run) in runs.iter().enumerate() {
        clauses.push((Occur::Must, compiler.run(run, open && at == last)?));
    }
    if !runs.is_empty() {
        let whole =
            |field, text: String, worth| (Occur::Should, constant(Box::new(term(field, &text)) as Boxed, worth));
        clauses.push(whole(fields.exact, exact(&query.words), EXACT));
        clauses.push(whole(fields.unordered, unordered(&query.words), UNORDERED));
    }
    for filter in compiler.filters(query) {
        clauses.push((Occur::Must, constant(filter, 0.0)));
    }
    if clauses.is_empty() {
        return Ok(Box::new(AllQuery));
    }
    Ok(Box::new(BooleanQuery::new(clauses)))
}

struct Compiler<'a> {
    fields: &'a Fields,
    searcher: &'a Searcher,
}

fn term(field: Field, text: &str) -> TermQuery {
    TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs)
}

fn constant(node: Boxed, worth: f32) -> Boxed {
    Box::new(ConstScoreQuery::new(node, worth))
}

/// Any of several words of a field, worth the same: one set of entries, where a node a word would be a heap of lists.
fn one_of(field: Field, words: &[String], worth: f32) -> Option<Boxed> {
    let terms = words.iter().map(|word| Term::from_field_text(field, word));
    (!words.is_empty()).then(|| constant(Box::new(TermSetQuery::new(terms)), worth))
}

fn any(nodes: Vec<Boxed>) -> Boxed {
    Box::new(BooleanQuery::union(nodes))
}

impl Compiler<'_> {
    /// One run of the question.
    fn run(&self, run: &Run, open: bool) -> Result<Boxed, BadIndex> {
        match run {
            Run::Word(word) => self.word(word, open),
            Run::Humps { whole, parts } => {
                let last = parts.len().saturating_sub(1);
                let parts = parts.iter().enumerate().map(|(at, part)| self.word(part, open && at == last));
                let parts = BooleanQuery::intersection(parts.collect::<Result<_, _>>()?);
                Ok(any(vec![self.word(whole, open)?, Box::new(parts)]))
            }
            Run::Pairs(pairs) => {
                // One character alone is the beginning of pairs.
                let alone = pairs.iter().all(|pair| pair.chars().count() == 1);
                let pairs = pairs.iter().map(|pair| self.word(pair, alone));
                Ok(Box::new(BooleanQuery::intersection(pairs.collect::<Result<_, _>>()?)))
            }
        }
    }

    /// One word, wherever it may stand.
    fn word(&self, word: &str, open: bool) -> Result<Boxed, BadIndex> {
        let fields = self.fields;
        let mut nodes: Vec<Boxed> = vec![
            constant(Box::new(term(fields.name, word)), NAME),
            Box::new(term(fields.name, word)),
            // All parts of a name, typed as one.
            constant(Box::new(term(fields.exact, word)), NAME),
            constant(Box::new(term(fields.around, word)), AROUND),
            Box::new(term(fields.text, word)),
        ];
        let known = [fields.name, fields.exact, fields.around]
            .into_iter()
            .try_fold(false, |known, field| Ok::<_, BadIndex>(known || self.count(field, word)? > 0))?;
        if open {
            for (field, worth) in
                [(fields.name, NAME_BEGINS), (fields.around, AROUND / 2.0), (fields.text, TEXT_BEGINS)]
            {
                nodes.extend(one_of(field, &self.beginning(field, word)?, worth));
            }
        }
        let distance = match word.chars().count() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if !known && distance > 0 && word.chars().any(char::is_alphabetic) {
            for (field, worth) in [(fields.name, NAME_MISSPELT), (fields.around, NAME_MISSPELT / 2.0)] {
                nodes.extend(one_of(field, &self.like(field, word, distance, open)?, worth));
            }
        }
        Ok(any(nodes))
    }

    fn count(&self, field: Field, word: &str) -> Result<u64, BadIndex> {
        Ok(self.searcher.doc_freq(&Term::from_field_text(field, word))?)
    }

    /// The commonest words that begin so and go on.
    fn beginning(&self, field: Field, start: &str) -> Result<Vec<String>, BadIndex> {
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

    /// The commonest words that differ by so many letters; of a word that is not ended, the beginnings.
    fn like(&self, field: Field, word: &str, distance: u8, open: bool) -> Result<Vec<String>, BadIndex> {
        let term = Term::from_field_text(field, word);
        let query = match open {
            true => FuzzyTermQuery::new_prefix(term, distance, true),
            false => FuzzyTermQuery::new(term, distance, true),
        };
        let mut found = Vec::new();
        // The first letter is seldom wrong, and words with another are seldom meant.
        let mut first = [0; 4];
        let first = word.chars().next().unwrap_or_default().encode_utf8(&mut first).as_bytes();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut words = inverted.terms().search(query.automaton()?).into_stream()?;
            let mut seen = Vec::new();
            while words.advance() && seen.len() < LOOKED_AT {
                let far = u32::from(!words.key().starts_with(first)) * 4;
                seen.push((words.value().doc_freq >> far, words.term_ord()));
            }
            found.extend(commonest_of(inverted.terms(), seen)?);
        }
        Ok(commonest(found))
    }

    /// A node for each field that filters.
    fn filters(&self, query: &Query) -> Vec<Boxed> {
        let mut nodes: Vec<Boxed> = Vec::new();
        let one = |field: &str, value: &str| {
            let word = format!("{field}:{}", value.to_lowercase());
            Box::new(TermQuery::new(Term::from_field_text(self.fields.filter, &word), IndexRecordOption::Basic))
                as Boxed
        };
        if let Some(kind) = query.kind {
            nodes.push(one("kind", kind.as_str()));
        }
        let mut done: Vec<&str> = Vec::new();
        for filter in &query.filters {
            if !done.contains(&filter.field.as_str()) {
                done.push(&filter.field);
                let same = query.filters.iter().filter(|other| other.field == filter.field);
                nodes.push(any(same.map(|same| one(&same.field, &same.value)).collect()));
            }
        }
        if let Some(since) = query.changed_since {
            let from = Bound::Included(Term::from_field_i64(self.fields.changed, since));
            nodes.push(Box::new(RangeQuery::new(from, Bound::Unbounded)));
        }
        nodes
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

fn commonest(mut found: Vec<(u32, String)>) -> Vec<String> {
    found.sort_by(|(one, left), (other, right)| other.cmp(one).then_with(|| left.cmp(right)));
    found.dedup_by(|one, other| one.1 == other.1);
    found.truncate(EXPANSIONS);
    found.into_iter().map(|(_, word)| word).collect()
}
