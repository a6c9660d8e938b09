//! What definitions are read into, kept from one to the next.

use std::cell::Cell;

use crate::features::{BUCKETS, Feature};
use crate::tokens::{Splitter, Token};

/// Features of one definition; what a schema of thousands of values adds decides nothing.
const MOST: usize = 700;

thread_local! {
    /// The buffers that no definition is being read into.
    static IDLE: Cell<Buffers> = const { Cell::new(Buffers::none()) };
}

/// What one definition is read into. Each thread keeps its own for the next: to ask for memory, and to
/// clear it, would cost as much as a part of the judgement.
pub(crate) struct Buffers {
    features: Vec<Feature>,
    /// Which rows are in `features`, a bit each.
    seen: Vec<u64>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) splitter: Splitter,
}

impl Buffers {
    const fn none() -> Buffers {
        Buffers { features: Vec::new(), seen: Vec::new(), tokens: Vec::new(), splitter: Splitter::new() }
    }

    /// Those of this thread, empty.
    pub(crate) fn of_this_thread() -> Buffers {
        let mut buffers = IDLE.replace(Buffers::none());
        buffers.seen.resize(BUCKETS / 64, 0);
        for feature in buffers.features.drain(..) {
            if let Some(word) = buffers.seen.get_mut(usize::from(feature.row >> 6)) {
                *word = 0;
            }
        }
        buffers
    }

    /// Each feature once, where it was seen first.
    pub(crate) fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Adds a feature, if its row was not seen before and there is room.
    pub(crate) fn add(&mut self, feature: Feature) {
        let bit = 1 << (feature.row & 63);
        let Some(word) = self.seen.get_mut(usize::from(feature.row >> 6)) else { return };
        if *word & bit == 0 && self.features.len() < MOST {
            *word |= bit;
            self.features.push(feature);
        }
    }

    /// Gives the buffers back to this thread.
    pub(crate) fn keep(&mut self) {
        IDLE.set(std::mem::replace(self, Buffers::none()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Source;

    fn rows(given: &[u16]) -> Vec<u16> {
        let mut buffers = Buffers::of_this_thread();
        given.iter().for_each(|row| buffers.add(Feature { row: *row, source: Source::Name, start: 0, end: 1 }));
        let rows = buffers.features().iter().map(|feature| feature.row).collect();
        buffers.keep();
        rows
    }

    #[test]
    fn each_row_once_and_nothing_of_the_definition_before() {
        assert_eq!(rows(&[7, 70, 7, u16::MAX, 70, 0]), [7, 70, u16::MAX, 0]);
        assert_eq!(rows(&[0, 7, 71]), [0, 7, 71]);
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let many: Vec<u16> = (0..2000).collect();
        assert_eq!(rows(&many).len(), MOST);
        assert_eq!(rows(&many), many[..MOST]);
    }
}
