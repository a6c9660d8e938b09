//! Takes of one count within one call.

use crate::{Amount, Take};

/// A count's one take within a call.
#[derive(Clone, Copy, Debug)]
pub struct Folded<'a> {
    /// The first take of the count, with its place.
    pub index: usize,
    /// The take whose maximum is the smallest, by its place: the one that denies.
    pub strictest: usize,
    /// The first take of the count.
    pub take: &'a Take,
    /// The smallest maximum.
    pub max: Amount,
    /// The largest amount.
    pub amount: Amount,
}

/// Makes one take of all takes of a count, in the order of their first.
#[must_use]
pub fn fold(takes: &[Take]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded<'_>> = Vec::with_capacity(takes.len());
    for (index, take) in takes.iter().enumerate() {
        // Calls have a handful of limits: looking through them is faster than hashing.
        match folded.iter_mut().find(|one| one.take.id == take.id) {
            None => folded.push(Folded { index, strictest: index, take, max: take.max, amount: take.amount }),
            Some(one) => {
                if take.max < one.max {
                    one.max = take.max;
                    one.strictest = index;
                }
                one.amount = one.amount.max(take.amount);
            }
        }
    }
    folded
}
