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
pub(crate) struct Met(pub(crate) Vec<u64>);

impl Met {
    pub(crate) fn add(&mut self, entry: DocId) {
        let place = usize::try_from(entry / 64).ok().and_then(|at| self.0.get_mut(at));
        if let Some(bits) = place {
            *bits |= 1 << (entry % 64);
        }
    }
}

/// Only entries that meet one of several conditions stay worth anything.
pub(crate) fn keep(any: &[Arc<Met>], worths: &mut [f32]) {
    for (at, worths) in worths.chunks_mut(64).enumerate() {
        let bits = any.iter().fold(0, |bits, met| bits | met.0.get(at).copied().unwrap_or_default());
        match bits {
            0 => worths.fill(0.0),
            u64::MAX => {}
            bits => {
                for (nth, worth) in worths.iter_mut().enumerate() {
                    if bits >> nth & 1 == 0 {
                        *worth = 0.0;
                    }
                }
            }
        }
    }
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
            let mut met = Met(vec![0; 2]);
            entries.iter().for_each(|entry| met.add(*entry));
            Arc::new(met)
        };
        let mut worths = vec![1.0; 100];
        keep(&[met(&[3, 64]), met(&[99])], &mut worths);
        let left: Vec<usize> = (0..100).filter(|at| worths[*at] > 0.0).collect();
        assert_eq!(left, [3, 64, 99]);
        keep(&[], &mut worths);
        assert!(worths.iter().all(|worth| *worth == 0.0));
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
