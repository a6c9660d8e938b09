//! What entries are worth under a plan.
//!
//! The lists of common words are long, and a question that is being typed stands for dozens of them. Of the part of the
//! question that fewest entries have, they are gone through one after the other, and what each entry is worth is added up in
//! one row of numbers: that costs the same for each entry of a list, whatever the other lists hold. What the other parts are worth is
//! then looked up for the entries that are left.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, Postings as _};
use tantivy::query::Bm25Weight;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::BadIndex;
use crate::conditions::{Conditions, Met};
use crate::query::{List, Node, Plan};

/// A list that is so many times longer than what is looked up in it is not gone through: to find a place in it
/// costs about as much as to go through a block.
const SEEK: usize = 32;

/// Entries that were found, in their order, with what they are worth.
pub(crate) type Found = Vec<(DocId, f32)>;

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

/// How well a word fits an entry, by how often and in how long a text it stands there.
struct Relevance {
    weight: Bm25Weight,
    lengths: FieldNormReader,
    times: f32,
}

impl Relevance {
    fn of(&self, entry: DocId, often: u32) -> f32 {
        self.times * self.weight.score(self.lengths.fieldnorm_id(entry), often)
    }
}

impl Weighing<'_> {
    /// What is found.
    pub(crate) fn found(&self, plan: &Plan) -> Result<Found, BadIndex> {
        let allowed = self.allowed(&plan.filters)?;
        let mut found = match plan.must.is_empty() {
            true => (0..self.part.max_doc()).filter(|entry| allowed.has(*entry)).map(|entry| (entry, 1.0)).collect(),
            false => self.all(&plan.must, &allowed)?,
        };
        if let Some(since) = plan.since {
            let changed = self.part.fast_fields().i64("changed")?;
            found.retain(|(entry, _)| changed.first(*entry).is_some_and(|at| at >= since));
        }
        // What counts beside the rest finds nothing by itself.
        let entries = entries(&found);
        for list in &plan.beside {
            let mut more = vec![0.0; entries.len()];
            self.look_up(list, &entries, &mut more)?;
            found.iter_mut().zip(more).for_each(|((_, worth), more)| *worth += more);
        }
        Ok(found)
    }

    /// The entries that meet all conditions.
    fn allowed(&self, filters: &[Vec<Term>]) -> Result<Met, BadIndex> {
        let mut allowed = Met::all(self.part.max_doc());
        for filter in filters {
            let met = filter.iter().map(|term| self.met(term)).collect::<Result<Vec<_>, _>>()?;
            allowed.keep(&met);
        }
        Ok(allowed)
    }

    /// What must all be found: the rarest first, and then only what is left.
    fn all(&self, nodes: &[Node], allowed: &Met) -> Result<Found, BadIndex> {
        let mut nodes = self.rarest_first(nodes)?.into_iter();
        let Some(first) = nodes.next() else { return Ok(Vec::new()) };
        let mut found = self.node(first, allowed)?;
        for node in nodes {
            let more = self.among(node, &entries(&found))?;
            found = found
                .into_iter()
                .zip(more)
                .filter(|(_, more)| *more > 0.0)
                .map(|((entry, worth), more)| (entry, worth + more))
                .collect();
        }
        Ok(found)
    }

    /// What a part of the question finds, and what it is worth.
    fn node(&self, node: &Node, allowed: &Met) -> Result<Found, BadIndex> {
        let worths = match node {
            Node::All(nodes) => return self.all(nodes, allowed),
            Node::Lists(lists) => self.row(lists)?,
            Node::Any(nodes) => {
                let mut worths = self.row(&[])?;
                for node in nodes {
                    for (entry, more) in self.node(node, allowed)? {
                        at(&mut worths, entry, |worth| *worth += more);
                    }
                }
                worths
            }
        };
        Ok(worthy(&worths).filter(|(entry, _)| allowed.has(*entry)).collect())
    }

    /// What lists are worth for every entry.
    fn row(&self, lists: &[List]) -> Result<Vec<f32>, BadIndex> {
        let mut worths = vec![0.0; self.entries()];
        lists.iter().try_for_each(|list| self.go_through(list, &mut worths))?;
        Ok(worths)
    }

    fn entries(&self) -> usize {
        usize::try_from(self.part.max_doc()).unwrap_or(0)
    }

    /// What a part of the question is worth for each of these entries, in their order; nought where it is not found.
    fn among(&self, node: &Node, entries: &[DocId]) -> Result<Vec<f32>, BadIndex> {
        let mut worths = vec![0.0; entries.len()];
        match node {
            // To look many up in many lists costs more than to go through these.
            Node::Lists(lists) if entries.len().saturating_mul(lists.len()) > self.entries() => {
                let row = self.row(lists)?;
                for (worth, entry) in worths.iter_mut().zip(entries) {
                    *worth = usize::try_from(*entry).ok().and_then(|at| row.get(at)).copied().unwrap_or(0.0);
                }
            }
            Node::Lists(lists) => lists.iter().try_for_each(|list| self.look_up(list, entries, &mut worths))?,
            Node::Any(nodes) => {
                for node in nodes {
                    for (worth, more) in worths.iter_mut().zip(self.among(node, entries)?) {
                        *worth += more;
                    }
                }
            }
            Node::All(nodes) => {
                let mut left: Vec<(usize, f32)> = (0..entries.len()).map(|place| (place, 0.0)).collect();
                for node in self.rarest_first(nodes)? {
                    let these: Vec<DocId> = left.iter().filter_map(|(place, _)| entries.get(*place).copied()).collect();
                    let more = self.among(node, &these)?;
                    left = left
                        .into_iter()
                        .zip(more)
                        .filter(|(_, more)| *more > 0.0)
                        .map(|((place, worth), more)| (place, worth + more))
                        .collect();
                }
                for (place, worth) in left {
                    if let Some(own) = worths.get_mut(place) {
                        *own = worth;
                    }
                }
            }
        }
        Ok(worths)
    }

    fn rarest_first<'n>(&self, nodes: &'n [Node]) -> Result<Vec<&'n Node>, BadIndex> {
        let mut sized: Vec<(usize, &Node)> =
            nodes.iter().map(|node| Ok((self.size(node)?, node))).collect::<Result<_, BadIndex>>()?;
        sized.sort_by_key(|(size, _)| *size);
        Ok(sized.into_iter().map(|(_, node)| node).collect())
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
        let mut met = Met::none(self.part.max_doc());
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

    /// Adds what a list is worth for each of these entries.
    fn look_up(&self, list: &List, entries: &[DocId], worths: &mut [f32]) -> Result<(), BadIndex> {
        let index = self.part.inverted_index(list.term.field())?;
        let Some(info) = index.get_term_info(&list.term)? else { return Ok(()) };
        let (relevance, option) = self.relevance(list)?;
        let worth = |entry, often| list.worth + relevance.as_ref().map_or(0.0, |relevance| relevance.of(entry, often));
        let mut wanted = entries.iter().zip(worths).peekable();
        if usize::try_from(info.doc_freq).unwrap_or(usize::MAX) / SEEK > entries.len() {
            let mut postings = index.read_postings_from_terminfo(&info, option)?;
            for (entry, own) in wanted {
                // It never goes back, and stands on an entry behind one that it does not have.
                let here = if postings.doc() < *entry { postings.seek(*entry) } else { postings.doc() };
                if here == TERMINATED {
                    break;
                }
                if here == *entry {
                    *own += worth(here, postings.term_freq());
                }
            }
            return Ok(());
        }
        let mut postings = index.read_block_postings_from_terminfo(&info, option)?;
        while !postings.docs().is_empty() && wanted.peek().is_some() {
            for (place, here) in postings.docs().iter().enumerate() {
                while wanted.next_if(|(entry, _)| **entry < *here).is_some() {}
                if let Some((entry, own)) = wanted.next_if(|(entry, _)| **entry == *here) {
                    *own += worth(*entry, often(&postings, place));
                }
            }
            postings.advance();
        }
        Ok(())
    }

    /// Adds what a list is worth for each of its entries.
    fn go_through(&self, list: &List, worths: &mut [f32]) -> Result<(), BadIndex> {
        let index = self.part.inverted_index(list.term.field())?;
        let Some(info) = index.get_term_info(&list.term)? else { return Ok(()) };
        let (relevance, option) = self.relevance(list)?;
        let mut postings = index.read_block_postings_from_terminfo(&info, option)?;
        while !postings.docs().is_empty() {
            match &relevance {
                Some(relevance) => {
                    for (entry, often) in postings.docs().iter().zip(postings.freqs()) {
                        at(worths, *entry, |own| *own += list.worth + relevance.of(*entry, *often));
                    }
                }
                None => postings.docs().iter().for_each(|entry| at(worths, *entry, |own| *own += list.worth)),
            }
            postings.advance();
        }
        Ok(())
    }

    /// How relevance is told, where it matters, and what must be read for that.
    fn relevance(&self, list: &List) -> Result<(Option<Relevance>, IndexRecordOption), BadIndex> {
        if list.relevance <= 0.0 {
            return Ok((None, IndexRecordOption::Basic));
        }
        // How much a word says, by how rare it is: over the whole index.
        let weight = Bm25Weight::for_terms(self.searcher, std::slice::from_ref(&list.term))?;
        let lengths = self.part.get_fieldnorms_reader(list.term.field())?;
        Ok((Some(Relevance { weight, lengths, times: list.relevance }), IndexRecordOption::WithFreqs))
    }
}

/// How often a word stands in an entry of a block.
fn often(postings: &BlockSegmentPostings, place: usize) -> u32 {
    postings.freqs().get(place).copied().unwrap_or(1)
}

fn entries(found: &Found) -> Vec<DocId> {
    found.iter().map(|(entry, _)| *entry).collect()
}

fn at(worths: &mut [f32], entry: DocId, change: impl FnOnce(&mut f32)) {
    if let Some(worth) = usize::try_from(entry).ok().and_then(|entry| worths.get_mut(entry)) {
        change(worth);
    }
}

/// The entries that are worth something, with that.
fn worthy(worths: &[f32]) -> impl Iterator<Item = (DocId, f32)> + '_ {
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
    pub(crate) fn add(&mut self, part: usize, found: Found) {
        self.found += found.len();
        for (entry, worth) in found {
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
