//! Conditions that were met before.
//!
//! Nearly every question has the same few: what everybody may see, a kind, a class. Which entries meet them does not
//! change while an index is open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::{DocId, Term};

/// So many are kept; then all are forgotten. One has a bit for each entry: 64 KiB for half a million.
const MOST: usize = 64;

/// The entries that meet a condition, a bit each.
#[derive(Debug)]
pub(crate) struct Met(Vec<u64>);

impl Met {
    /// None of so many.
    pub(crate) fn none(entries: DocId) -> Self {
        Self(vec![0; rows(entries)])
    }

    /// Each of so many.
    pub(crate) fn all(entries: DocId) -> Self {
        Self(vec![u64::MAX; rows(entries)])
    }

    pub(crate) fn add(&mut self, entry: DocId) {
        let place = usize::try_from(entry / 64).ok().and_then(|at| self.0.get_mut(at));
        if let Some(bits) = place {
            *bits |= 1 << (entry % 64);
        }
    }

    pub(crate) fn has(&self, entry: DocId) -> bool {
        let bits = usize::try_from(entry / 64).ok().and_then(|at| self.0.get(at));
        bits.is_some_and(|bits| bits >> (entry % 64) & 1 == 1)
    }

    /// Only entries that meet one of several conditions stay.
    pub(crate) fn keep(&mut self, any: &[Arc<Met>]) {
        for (at, own) in self.0.iter_mut().enumerate() {
            *own &= any.iter().fold(0, |bits, met| bits | met.0.get(at).copied().unwrap_or_default());
        }
    }
}

/// How many numbers of 64 bits hold a bit for each of so many entries.
fn rows(entries: DocId) -> usize {
    usize::try_from(entries.div_ceil(64)).unwrap_or(0)
}

/// What met conditions, by the part of the index and the word.
#[derive(Default)]
pub(crate) struct Conditions(Mutex<HashMap<(usize, Term), Arc<Met>>>);

impl Conditions {
    pub(crate) fn get(&self, part: usize, term: &Term) -> Option<Arc<Met>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(part, term.clone())).map(Arc::clone)
    }

    pub(crate) fn put(&self, part: usize, term: &Term, met: Met) -> Arc<Met> {
        let met = Arc::new(met);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert((part, term.clone()), Arc::clone(&met));
        met
    }
}

#[cfg(test)]
mod tests {
    use tantivy::schema::Field;

    use super::*;

    #[test]
    fn one_of_several_is_enough() {
        let met = |entries: &[u32]| {
            let mut met = Met::none(100);
            entries.iter().for_each(|entry| met.add(*entry));
            Arc::new(met)
        };
        let left = |met: &Met| (0..1_000).filter(|entry| met.has(*entry)).collect::<Vec<_>>();
        let mut all = Met::all(100);
        assert!((0..100).all(|entry| all.has(entry)));
        all.keep(&[met(&[3, 64]), met(&[99])]);
        assert_eq!(left(&all), [3, 64, 99]);
        all.keep(&[met(&[64, 99, 70])]);
        assert_eq!(left(&all), [64, 99]);
        all.keep(&[]);
        assert!(left(&all).is_empty());
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let conditions = Conditions::default();
        for number in 0..1_000 {
            let term = Term::from_field_text(Field::from_field_id(0), &number.to_string());
            assert!(conditions.get(0, &term).is_none());
            conditions.put(0, &term, Met(vec![number]));
            assert_eq!(conditions.get(0, &term).map(|met| met.0.clone()), Some(vec![number]));
            assert!(conditions.get(1, &term).is_none());
        }
        assert!(conditions.0.lock().unwrap().len() <= MOST);
    }
}
