//! Proof of what was taken.

use crate::Amount;
use crate::slot::Mark;

/// What was taken, and from which windows; the one way to give it back, and only once.
#[derive(Debug, Default)]
#[must_use = "units that are not to be given back are kept by dropping the receipt"]
pub struct Receipt {
    holds: Vec<Hold>,
}

/// One count's part of a receipt.
#[derive(Debug)]
pub struct Hold {
    /// The place of the take in the call.
    pub index: usize,
    /// The count.
    pub digest: [u8; 16],
    /// Where in the count.
    pub mark: Mark,
    /// How much.
    pub amount: Amount,
}

impl Receipt {
    /// For forms of `Counters`: a receipt of what they took.
    pub fn new(holds: Vec<Hold>) -> Receipt {
        Receipt { holds }
    }

    /// For forms of `Counters`: what to give back.
    #[must_use]
    pub fn into_holds(self) -> Vec<Hold> {
        self.holds
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// Parts what belongs to the takes that `belongs` names by their place from the rest. Takes of
    /// one count were taken once; they go by the first of them.
    pub fn split(self, belongs: impl Fn(usize) -> bool) -> (Receipt, Receipt) {
        let (part, rest) = self.holds.into_iter().partition(|hold| belongs(hold.index));
        (Receipt::new(part), Receipt::new(rest))
    }

    /// Puts two receipts together.
    pub fn join(mut self, mut other: Receipt) -> Receipt {
        self.holds.append(&mut other.holds);
        self
    }
}
