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

/// Places of one holder, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    of: Arc<Bounded<K>>,
    holder: K,
    count: usize,
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
        let mut place = self.none_of(holder);
        place.grow_to(1)?;
        Ok(place)
    }

    /// No place yet, of a holder who will have some.
    pub(crate) fn none_of(self: &Arc<Self>, holder: K) -> Place<K> {
        Place { of: Arc::clone(self), holder, count: 0 }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken<K>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more is taken than there is, by this holder or by all.
    pub(crate) fn is_over(&self, holder: &K) -> bool {
        let taken = self.lock();
        taken.all > self.all || taken.by_holder.get(holder).is_some_and(|of_holder| *of_holder > self.each)
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.lock().all
    }
}

impl<K: Eq + Hash + Clone> Place<K> {
    /// How many it is.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Makes it so many, if it is fewer.
    ///
    /// # Errors
    /// [`Full`], and it stays what it was.
    pub(crate) fn grow_to(&mut self, count: usize) -> Result<(), Full> {
        let more = count.saturating_sub(self.count);
        if more == 0 {
            return Ok(());
        }
        let mut taken = self.of.lock();
        if taken.all.saturating_add(more) > self.of.all {
            return Err(Full::All(self.of.all));
        }
        let of_holder = taken.by_holder.get(&self.holder).copied().unwrap_or_default();
        if of_holder.saturating_add(more) > self.of.each {
            return Err(Full::Each(self.of.each));
        }
        taken.by_holder.insert(self.holder.clone(), of_holder + more);
        taken.all += more;
        self.count = count;
        Ok(())
    }

    /// The same whatever the bounds are: what is there is counted.
    pub(crate) fn grow_anyway_to(&mut self, count: usize) {
        let more = count.saturating_sub(self.count);
        if more > 0 {
            let mut taken = self.of.lock();
            *taken.by_holder.entry(self.holder.clone()).or_default() += more;
            taken.all += more;
            self.count = count;
        }
    }
}

impl<K: Eq + Hash> Place<K> {
    /// Gives back all but so many.
    pub(crate) fn shrink_to(&mut self, count: usize) {
        let less = self.count.saturating_sub(count);
        if less == 0 {
            return;
        }
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(less);
        if let Some(of_holder) = taken.by_holder.get_mut(&self.holder) {
            *of_holder = of_holder.saturating_sub(less);
            // Whoever holds nothing leaves nothing behind.
            if *of_holder == 0 {
                taken.by_holder.remove(&self.holder);
            }
        }
        self.count = count;
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.shrink_to(0);
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

    #[test]
    fn places_grow_all_at_once_or_not_at_all_and_what_is_there_is_counted() {
        let places = Bounded::new(4, 6);
        let mut one = places.none_of("a");
        assert_eq!(one.grow_to(5), Err(Full::Each(4)));
        assert_eq!((one.count(), places.taken()), (0, 0));
        one.grow_to(4).unwrap();
        let mut other = places.none_of("b");
        assert_eq!(other.grow_to(3), Err(Full::All(6)));
        other.grow_anyway_to(3);
        assert_eq!(places.taken(), 7);
        one.shrink_to(2);
        assert_eq!(one.grow_to(4), Err(Full::All(6)));
        other.shrink_to(1);
        one.grow_to(4).unwrap();
        drop((one, other));
        assert!(places.taken() == 0 && places.taken.lock().unwrap().by_holder.is_empty());
    }
}
