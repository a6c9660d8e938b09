//! Things of which only so many may be there at once: of one kind, and in all.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Places that are counted for each of their holders and in all.
#[derive(Debug)]
pub(crate) struct Bounded<K: Eq + Hash> {
    each: usize,
    all: usize,
    taken: Mutex<Taken<K>>,
}

#[derive(Debug)]
struct Taken<K> {
    by_holder: HashMap<K, usize>,
    all: usize,
}

/// There is no place left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// For this holder, who has so many.
    Each(usize),
    /// For anybody: so many are taken.
    All(usize),
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    of: Arc<Bounded<K>>,
    holder: K,
}

impl<K: Eq + Hash + Clone> Bounded<K> {
    /// At most `each` for one holder, and `all` for all of them.
    pub(crate) fn new(each: usize, all: usize) -> Arc<Self> {
        Arc::new(Self { each, all, taken: Mutex::new(Taken { by_holder: HashMap::new(), all: 0 }) })
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Full`], and nothing is taken.
    pub(crate) fn take(self: &Arc<Self>, holder: K) -> Result<Place<K>, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.all {
            return Err(Full::All(self.all));
        }
        let of_holder = taken.by_holder.entry(holder.clone()).or_default();
        if *of_holder >= self.each {
            return Err(Full::Each(self.each));
        }
        *of_holder += 1;
        taken.all += 1;
        Ok(Place { of: Arc::clone(self), holder })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_holder) = taken.by_holder.get_mut(&self.holder) {
            *of_holder = of_holder.saturating_sub(1);
            // Whoever holds nothing leaves nothing behind.
            if *of_holder == 0 {
                taken.by_holder.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_and_all_are_bounded_and_places_come_back() {
        let places = Bounded::new(2, 3);
        let [one, two] = [(); 2].map(|()| places.take("a").unwrap());
        assert_eq!(places.take("a").unwrap_err(), Full::Each(2));
        let three = places.take("b").unwrap();
        assert_eq!(places.take("c").unwrap_err(), Full::All(3));
        assert_eq!(places.taken(), 3);
        drop(one);
        let four = places.take("c").unwrap();
        assert_eq!(places.take("a").unwrap_err(), Full::All(3));
        drop((two, three, four));
        assert_eq!(places.taken(), 0);
        assert!(places.taken.lock().unwrap().by_holder.is_empty());
    }
}
