//! Uses of counts as the records tell them, so that counts can be rebuilt.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::event::{Count, Kind};
use crate::{Id, Record};

/// What was used of one count within one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The latest use within that second: a count that is rebuilt frees no earlier than the one
    /// that was lost.
    pub time: Timestamp,
    /// The sum, in millionths, less what was given back.
    pub amount: u128,
}

/// Sums up uses by the identity of the count and the second. Requests whose outcome is not known
/// count: nothing is given back that was not recorded as given back. Left out are leases for
/// calls in flight and uses that passed uncounted.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    since: Option<Timestamp>,
    counts: BTreeMap<String, BTreeMap<i64, Use>>,
    /// Decisions that may still be given back, and the second they were counted in.
    open: HashMap<Id, i64>,
}

impl Uses {
    /// Uses at `since` and later; what was used before is passed over, and its refunds too.
    pub fn since(since: Timestamp) -> Uses {
        Uses { since: Some(since), ..Uses::default() }
    }

    /// Adds a record. Records of one chain have to come in their order.
    pub fn add(&mut self, record: &Record) {
        match record.kind {
            Kind::Decision => self.take(record),
            Kind::Outcome => {
                let decision = record.decision.unwrap_or_default();
                if let Some(second) = self.open.remove(&decision) {
                    record.refunded.iter().for_each(|count| self.give_back(count, second));
                }
            }
            _ => {}
        }
    }

    /// The identities of counts with their uses, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = Use>)> {
        self.counts.iter().map(|(id, uses)| (id.as_str(), uses.values().copied()))
    }

    /// The sum of one count's uses from `since` on, in millionths.
    pub fn total(&self, id: &str, since: Timestamp) -> u128 {
        let uses = self.counts.get(id).into_iter().flat_map(BTreeMap::values);
        uses.filter(|one| one.time >= since).map(|one| one.amount).sum()
    }

    fn take(&mut self, record: &Record) {
        if self.since.is_some_and(|since| record.time < since) {
            return;
        }
        let second = record.time.as_second();
        let mut taken = false;
        for count in record.counts.iter().filter(|count| is_use(count)) {
            taken = true;
            if !self.counts.contains_key(count.id.as_ref()) {
                self.counts.insert(count.id.clone().into_owned(), BTreeMap::new());
            }
            if let Some(uses) = self.counts.get_mut(count.id.as_ref()) {
                let one = uses.entry(second).or_insert(Use { time: record.time, amount: 0 });
                one.time = one.time.max(record.time);
                one.amount = one.amount.saturating_add(count.amount);
            }
        }
        if taken {
            self.open.insert(record.id, second);
        }
    }

    fn give_back(&mut self, count: &Count<'_>, second: i64) {
        let Some(uses) = self.counts.get_mut(count.id.as_ref()).filter(|_| is_use(count)) else {
            return;
        };
        if let Some(one) = uses.get_mut(&second) {
            one.amount = one.amount.saturating_sub(count.amount);
        }
    }
}

fn is_use(count: &Count<'_>) -> bool {
    !count.concurrency && !count.uncounted
}
