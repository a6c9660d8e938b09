//! What definitions are read into, kept from one to the next.

use std::cell::Cell;

use crate::features::{BUCKETS, Feature, Source, Span};
use crate::tokens::{Splitter, Token};

/// Features of one definition; what a schema of thousands of values adds decides nothing.
const MOST: usize = 700;

thread_local! {
    /// The buffers that no definition is being read into.
    static IDLE: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// What one definition is read into. Each thread keeps its own for the next: to ask for memory, and to
/// clear it, would cost as much as a part of the judgement.
pub(crate) struct Buffers {
    /// So many of these are features; one more can be written, which then does not count.
    features: [Feature; MOST + 1],
    count: usize,
    /// Where they stand: the first is nowhere.
    spans: Vec<Span>,
    /// Which rows are in `features`, a bit each.
    seen: [u64; BUCKETS / 64],
    pub(crate) tokens: Vec<Token>,
    pub(crate) splitter: Splitter,
}

impl Buffers {
    fn new() -> Box<Buffers> {
        Box::new(Buffers {
            features: [Feature { row: 0, span: 0 }; MOST + 1],
            count: 0,
            spans: Vec::new(),
            seen: [0; BUCKETS / 64],
            tokens: Vec::new(),
            splitter: Splitter::new(),
        })
    }

    /// Those of this thread, empty.
    pub(crate) fn of_this_thread() -> Box<Buffers> {
        let mut buffers = IDLE.take().unwrap_or_else(Buffers::new);
        let Buffers { features, count, seen, .. } = &mut *buffers;
        for feature in features.iter().take(std::mem::take(count)) {
            if let Some(word) = seen.get_mut(usize::from(feature.row >> 6)) {
                *word = 0;
            }
        }
        buffers.spans.clear();
        buffers.spans.push(Span { source: Source::Shape, start: 0, end: 0, weight: 0 });
        buffers
    }

    /// Each feature once, where it was seen first.
    pub(crate) fn features(&self) -> &[Feature] {
        self.features.get(..self.count).unwrap_or_default()
    }

    /// What features refer to by number.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The number of a new span; that of nowhere when there are too many.
    pub(crate) fn span(&mut self, span: Span) -> u16 {
        let Ok(number) = u16::try_from(self.spans.len()) else { return 0 };
        self.spans.push(span);
        number
    }

    /// Whether a feature with this row would be added: it was not seen before and there is room.
    pub(crate) fn wants(&self, row: u16) -> bool {
        let word = self.seen.get(usize::from(row >> 6)).copied().unwrap_or(u64::MAX);
        word & (1 << (row & 63)) == 0 && self.count < MOST
    }

    /// Adds a feature if it is [wanted](Buffers::wants) and `known`. It is written in any case, and then counts
    /// or does not: which features are new is nothing that a processor can guess.
    pub(crate) fn add(&mut self, feature: Feature, known: bool) {
        let Some(word) = self.seen.get_mut(usize::from(feature.row >> 6)) else { return };
        let bit = 1 << (feature.row & 63);
        let counts = (*word & bit == 0) & known & (self.count < MOST);
        *word |= u64::from(counts) << (feature.row & 63);
        if let Some(next) = self.features.get_mut(self.count) {
            *next = feature;
        }
        self.count += usize::from(counts);
    }

    /// Adds up what the features of each span weigh.
    pub(crate) fn weigh(&mut self, weight: impl Fn(&Feature) -> i32) {
        for feature in self.features.iter().take(self.count) {
            if let Some(span) = self.spans.get_mut(usize::from(feature.span)) {
                span.weight += weight(feature);
            }
        }
    }

    /// Gives the buffers back to this thread.
    pub(crate) fn keep(self: Box<Self>) {
        IDLE.set(Some(self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(given: &[u16]) -> Vec<u16> {
        let mut buffers = Buffers::of_this_thread();
        for row in given {
            buffers.add(Feature { row: *row, span: 0 }, *row != 9);
        }
        let rows = buffers.features().iter().map(|feature| feature.row).collect();
        buffers.keep();
        rows
    }

    #[test]
    fn each_row_once_and_nothing_of_the_definition_before() {
        assert_eq!(rows(&[7, 70, 7, 9, u16::MAX, 70, 0]), [7, 70, u16::MAX, 0]);
        assert_eq!(rows(&[0, 7, 71]), [0, 7, 71]);
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let many: Vec<u16> = (10..2000).collect();
        assert_eq!(rows(&many).len(), MOST);
        assert_eq!(rows(&many), many[..MOST]);
    }

    #[test]
    fn spans_have_numbers_until_these_end() {
        let mut buffers = Buffers::of_this_thread();
        let span = Span { source: Source::Name, start: 0, end: 1, weight: 0 };
        assert_eq!((buffers.span(span), buffers.span(span)), (1, 2));
        let last = (0..u16::MAX).map(|_| buffers.span(span)).last();
        assert_eq!(last, Some(0));
        assert_eq!(buffers.spans().len(), usize::from(u16::MAX) + 1);
    }
}
