//! What entries are worth under a plan.
//!
//! The lists of common words are long, and a question that is being typed stands for dozens of them: they are gone
//! through one after the other, and what each entry is worth is added up in one row of numbers. That costs the same for each
//! entry of a list, whatever the other lists hold.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::postings::Postings as _;
use tantivy::query::Bm25Weight;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::BadIndex;
use crate::conditions::{Conditions, Met, keep};
use crate::query::{List, Node, Plan};

/// What each entry is worth; nought for what was not found.
type Worths = Vec<f32>;

/// A list that is so many times longer than what is looked up in it is not gone through: to find a place in it
/// costs about as much as to go through a block.
const SEEK: usize = 32;

/// The entries of one part of the index under a plan.
pub(crate) struct Weighing<'a> {
    /// The index.
    pub(crate) searcher: &'a Searcher,
    /// The number of the part.
    pub(crate) number: usize,
    /// The part.
    pub(crate) part: &'a SegmentReader,
    /// What met conditions before.
    pub(crate) known: &'a Conditions,
}

impl Weighing<'_> {
    /// What each entry is worth.
    pub(crate) fn worths(&self, plan: &Plan) -> Result<Worths, BadIndex> {
        let mut worths = match plan.must.is_empty() {
            true => vec![1.0; self.entries()],
            false => self.all(&plan.must, None)?,
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
            let met = filter.iter().map(|term| self.met(term)).collect::<Result<Vec<_>, _>>()?;
            keep(&met, &mut worths);
        }
        if let Some(since) = plan.since {
            let changed = self.part.fast_fields().i64("changed")?;
            let found: Vec<DocId> = worthy(&worths).map(|(entry, _)| entry).collect();
            for entry in found.into_iter().filter(|entry| changed.first(*entry).is_none_or(|at| at < since)) {
                at(&mut worths, entry, |worth| *worth = 0.0);
            }
        }
        Ok(worths)
    }

    fn entries(&self) -> usize {
        usize::try_from(self.part.max_doc()).unwrap_or(0)
    }

    /// What each entry is worth; where only those of `among` matter, the others may be nought.
    fn node(&self, node: &Node, among: Option<&[DocId]>) -> Result<Worths, BadIndex> {
        match node {
            Node::Lists(lists) => {
                let mut worths = vec![0.0; self.entries()];
                for list in lists {
                    match among {
                        Some(among) if self.length(list)? > among.len() * SEEK => {
                            self.look_up(list, among, &mut worths)?;
                        }
                        _ => self.list(list, |worth, more| *worth += more, &mut worths)?,
                    }
                }
                Ok(worths)
            }
            Node::All(nodes) => self.all(nodes, among),
            Node::Any(nodes) => {
                let mut worths = vec![0.0; self.entries()];
                for node in nodes {
                    for (worth, more) in worths.iter_mut().zip(self.node(node, among)?) {
                        *worth += more;
                    }
                }
                Ok(worths)
            }
        }
    }

    /// What must all be found: the rarest first, and then only what is left.
    fn all(&self, nodes: &[Node], among: Option<&[DocId]>) -> Result<Worths, BadIndex> {
        let mut nodes: Vec<(usize, &Node)> =
            nodes.iter().map(|node| Ok((self.size(node)?, node))).collect::<Result<_, BadIndex>>()?;
        nodes.sort_by_key(|(size, _)| *size);
        let mut nodes = nodes.into_iter().map(|(_, node)| node);
        let Some(first) = nodes.next() else { return Ok(vec![0.0; self.entries()]) };
        let mut worths = self.node(first, among)?;
        for node in nodes {
            let left: Vec<DocId> = worthy(&worths).map(|(entry, _)| entry).collect();
            if left.is_empty() {
                break;
            }
            for (worth, more) in worths.iter_mut().zip(self.node(node, Some(&left))?) {
                *worth = if *worth > 0.0 && more > 0.0 { *worth + more } else { 0.0 };
            }
        }
        Ok(worths)
    }

    /// How many entries the lists of a part of the question have, together.
    fn size(&self, node: &Node) -> Result<usize, BadIndex> {
        match node {
            Node::Lists(lists) => lists.iter().map(|list| self.length(list)).sum(),
            Node::All(nodes) => {
                nodes.iter().map(|node| self.size(node)).try_fold(usize::MAX, |least, size| Ok(least.min(size?)))
            }
            Node::Any(nodes) => nodes.iter().map(|node| self.size(node)).sum(),
        }
    }

    fn length(&self, list: &List) -> Result<usize, BadIndex> {
        let index = self.part.inverted_index(list.term.field())?;
        let count = index.get_term_info(&list.term)?.map_or(0, |info| info.doc_freq);
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Which entries meet a condition.
    fn met(&self, term: &Term) -> Result<Arc<Met>, BadIndex> {
        if let Some(met) = self.known.get(self.number, term) {
            return Ok(met);
        }
        let mut met = Met(vec![0; self.entries().div_ceil(64)]);
        let index = self.part.inverted_index(term.field())?;
        if let Some(info) = index.get_term_info(term)? {
            let mut postings = index.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                postings.docs().iter().for_each(|entry| met.add(*entry));
                postings.advance();
            }
        }
        Ok(self.known.put(self.number, term, met))
    }

    /// Looks few entries up in a long list.
    fn look_up(&self, list: &List, among: &[DocId], worths: &mut Worths) -> Result<(), BadIndex> {
        let List { term, worth, relevance } = list;
        let index = self.part.inverted_index(term.field())?;
        let Some(info) = index.get_term_info(term)? else { return Ok(()) };
        let relevant = *relevance > 0.0;
        let option = if relevant { IndexRecordOption::WithFreqs } else { IndexRecordOption::Basic };
        let mut postings = index.read_postings_from_terminfo(&info, option)?;
        let weight = if relevant { Some(self.weight(term)?) } else { None };
        let lengths = if relevant { Some(self.part.get_fieldnorms_reader(term.field())?) } else { None };
        for entry in among {
            // It never goes back, and stands on an entry behind one that it does not have.
            let here = if postings.doc() < *entry { postings.seek(*entry) } else { postings.doc() };
            if here == TERMINATED {
                break;
            }
            if here == *entry {
                let more = match (&weight, &lengths) {
                    (Some(weight), Some(lengths)) => {
                        relevance * weight.score(lengths.fieldnorm_id(here), postings.term_freq())
                    }
                    _ => 0.0,
                };
                at(worths, here, |known| *known += worth + more);
            }
        }
        Ok(())
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

/// The entries that are worth something, with that.
pub(crate) fn worthy(worths: &[f32]) -> impl Iterator<Item = (DocId, f32)> + '_ {
    /// So many are looked at at once: most are worth nothing, and a row of noughts is seen as one.
    const ROW: usize = 64;
    let rows = (0..).step_by(ROW).zip(worths.chunks(ROW));
    let some = rows.filter(|(_, row)| row.iter().fold(0, |bits, worth| bits | worth.to_bits()) != 0);
    some.flat_map(|(from, row)| (from..).zip(row))
        .filter(|(_, worth)| **worth > 0.0)
        .map(|(entry, worth)| (entry, *worth))
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
    /// What the next one must be worth more than.
    least: f32,
    /// How many were found.
    pub(crate) found: usize,
}

impl Best {
    /// None yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, best: BinaryHeap::new(), least: 0.0, found: 0 }
    }

    /// Those of a part of the index beside those before.
    pub(crate) fn add(&mut self, part: usize, worths: &[f32]) {
        for (entry, worth) in worthy(worths) {
            self.found += 1;
            if worth <= self.least {
                continue;
            }
            self.best.push(Reverse(Place { worth, part, entry }));
            if self.best.len() > self.most {
                self.best.pop();
            }
            // Of equals, those that were added first stay.
            if self.best.len() == self.most {
                self.least = self.best.peek().map_or(0.0, |Reverse(least)| least.worth);
            }
        }
    }

    /// They, the best first.
    pub(crate) fn places(self) -> impl Iterator<Item = Place> {
        self.best.into_sorted_vec().into_iter().map(|Reverse(place)| place)
    }
}
