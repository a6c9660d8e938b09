//! What entries are worth under a plan.
//!
//! The lists of common words are long, and a question that is being typed stands for dozens of them: they are gone
//! through one after the other, and what each entry is worth is added up in one row of numbers. That costs the same for each
//! entry of a list, whatever the other lists hold.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::query::Bm25Weight;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, Searcher, SegmentReader, Term};

use crate::BadIndex;
use crate::query::{List, Node, Plan};

/// What each entry is worth; nought for what was not found.
type Worths = Vec<f32>;

/// The entries of one part of the index under a plan.
pub(crate) struct Weighing<'a> {
    /// The index.
    pub(crate) searcher: &'a Searcher,
    /// The part.
    pub(crate) part: &'a SegmentReader,
}

impl Weighing<'_> {
    /// What each entry is worth.
    pub(crate) fn worths(&self, plan: &Plan) -> Result<Worths, BadIndex> {
        let mut worths = match plan.must.is_empty() {
            true => vec![1.0; self.entries()],
            false => self.all(&plan.must)?,
        };
        for list in &plan.beside {
            // What counts beside the rest finds nothing by itself.
            self.list(
                list,
                |worth, more| {
                    if *worth > 0.0 {
                        *worth += more
                    }
                },
                &mut worths,
            )?;
        }
        for filter in &plan.filters {
            let mut met = vec![0.0; self.entries()];
            for term in filter {
                let list = List { term: term.clone(), worth: 1.0, relevance: 0.0 };
                self.list(&list, |worth, more| *worth = more, &mut met)?;
            }
            keep(&mut worths, |entry| met.get(entry).is_some_and(|met| *met > 0.0));
        }
        if let Some(since) = plan.since {
            let changed = self.part.fast_fields().i64("changed")?;
            let at = |entry| changed.first(DocId::try_from(entry).unwrap_or(DocId::MAX));
            keep(&mut worths, |entry| at(entry).is_some_and(|at| at >= since));
        }
        Ok(worths)
    }

    fn entries(&self) -> usize {
        usize::try_from(self.part.max_doc()).unwrap_or(0)
    }

    fn node(&self, node: &Node) -> Result<Worths, BadIndex> {
        match node {
            Node::Lists(lists) => {
                let mut worths = vec![0.0; self.entries()];
                for list in lists {
                    self.list(list, |worth, more| *worth += more, &mut worths)?;
                }
                Ok(worths)
            }
            Node::All(nodes) => self.all(nodes),
            Node::Any(nodes) => {
                let mut worths = vec![0.0; self.entries()];
                for node in nodes {
                    for (worth, more) in worths.iter_mut().zip(self.node(node)?) {
                        *worth += more;
                    }
                }
                Ok(worths)
            }
        }
    }

    fn all(&self, nodes: &[Node]) -> Result<Worths, BadIndex> {
        let Some((first, rest)) = nodes.split_first() else { return Ok(vec![0.0; self.entries()]) };
        let mut worths = self.node(first)?;
        for node in rest {
            if worths.iter().all(|worth| *worth <= 0.0) {
                break;
            }
            for (worth, more) in worths.iter_mut().zip(self.node(node)?) {
                *worth = if *worth > 0.0 && more > 0.0 { *worth + more } else { 0.0 };
            }
        }
        Ok(worths)
    }

    /// Goes through a list.
    fn list(&self, list: &List, put: impl Fn(&mut f32, f32), worths: &mut Worths) -> Result<(), BadIndex> {
        let List { term, worth, relevance } = list;
        let index = self.part.inverted_index(term.field())?;
        let Some(info) = index.get_term_info(term)? else { return Ok(()) };
        let relevant = *relevance > 0.0;
        let option = if relevant { IndexRecordOption::WithFreqs } else { IndexRecordOption::Basic };
        let mut postings = index.read_block_postings_from_terminfo(&info, option)?;
        let weight = if relevant { Some(self.weight(term)?) } else { None };
        let lengths = match relevant {
            true => Some(self.part.get_fieldnorms_reader(term.field())?),
            false => None,
        };
        while !postings.docs().is_empty() {
            match (&weight, &lengths) {
                (Some(weight), Some(lengths)) => {
                    for (entry, often) in postings.docs().iter().zip(postings.freqs()) {
                        let more = weight.score(lengths.fieldnorm_id(*entry), *often);
                        at(worths, *entry, |known| put(known, worth + relevance * more));
                    }
                }
                _ => {
                    for entry in postings.docs() {
                        at(worths, *entry, |known| put(known, *worth));
                    }
                }
            }
            postings.advance();
        }
        Ok(())
    }

    /// How much a word says, by how rare it is: over the whole index.
    fn weight(&self, term: &Term) -> Result<Bm25Weight, BadIndex> {
        Ok(Bm25Weight::for_terms(self.searcher, std::slice::from_ref(term))?)
    }
}

fn at(worths: &mut Worths, entry: DocId, change: impl FnOnce(&mut f32)) {
    if let Some(worth) = usize::try_from(entry).ok().and_then(|entry| worths.get_mut(entry)) {
        change(worth);
    }
}

fn keep(worths: &mut Worths, met: impl Fn(usize) -> bool) {
    for (entry, worth) in worths.iter_mut().enumerate() {
        if *worth > 0.0 && !met(entry) {
            *worth = 0.0;
        }
    }
}

/// An entry that is worth something: the better one is greater, of equals the one that was added first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// What it is worth.
    pub(crate) worth: f32,
    /// The part of the index.
    pub(crate) part: usize,
    /// Its number there.
    pub(crate) entry: DocId,
}

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let worth = self.worth.total_cmp(&other.worth);
        worth.then_with(|| (other.part, other.entry).cmp(&(self.part, self.entry)))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The best entries, so many of them, and how many there are in all.
#[derive(Debug)]
pub(crate) struct Best {
    most: usize,
    best: BinaryHeap<Reverse<Place>>,
    /// How many were found.
    pub(crate) found: usize,
}

impl Best {
    /// None yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, best: BinaryHeap::new(), found: 0 }
    }

    /// Those of a part of the index beside those before.
    pub(crate) fn add(&mut self, part: usize, worths: &[f32]) {
        for (entry, worth) in (0..).zip(worths) {
            if *worth <= 0.0 {
                continue;
            }
            self.found += 1;
            let place = Place { worth: *worth, part, entry };
            if self.best.len() < self.most {
                self.best.push(Reverse(place));
            } else if let Some(mut least) = self.best.peek_mut()
                && least.0 < place
            {
                *least = Reverse(place);
            }
        }
    }

    /// They, the best first.
    pub(crate) fn places(self) -> impl Iterator<Item = Place> {
        self.best.into_sorted_vec().into_iter().map(|Reverse(place)| place)
    }
}
