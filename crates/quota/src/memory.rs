//! Counts in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use smallvec::SmallVec;

use crate::{
    Amount, Bucket, CountId, Counters, Full, Held, Kind, Receipt, Slot, StoreDown, Take, Taken, Use, Window, fold,
};

/// The in-process form of the store: exact, and gone with the process.
#[derive(Debug, Default)]
pub struct Memory {
    counts: Mutex<HashMap<CountId, Count>>,
}

#[derive(Debug)]
enum Count {
    Uses { slot: Box<Slot>, window: Window, zone: TimeZone },
    InFlight { calls: u128, max: u128 },
}

impl Memory {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CountId, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first take that does not fit.
fn obstacle(counts: &HashMap<CountId, Count>, takes: &[Take], now: Timestamp) -> Option<Full> {
    let empty = Slot::default();
    fold(takes).into_iter().find_map(|take| {
        let full = |used, frees_at| Some(Full { index: take.strictest, used, max: take.max, frees_at });
        match (take.kind, take.window) {
            (Kind::Quota, Some(window)) => {
                let slot = match counts.get(take.id) {
                    Some(Count::Uses { slot, .. }) => slot,
                    _ => &empty,
                };
                if slot.fits(window, take.zone, now, take.amount, take.max) {
                    return None;
                }
                full(slot.used(window, take.zone, now).0, slot.frees_at(window, take.zone, now, take.amount, take.max))
            }
            _ => {
                let calls = match counts.get(take.id) {
                    Some(Count::InFlight { calls, .. }) => *calls,
                    _ => 0,
                };
                if calls + Amount::ONE.micros() <= take.max.micros() {
                    return None;
                }
                full(Amount::from_micros(calls).unwrap_or_default(), None)
            }
        }
    })
}

impl Counters for Memory {
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown> {
        let mut counts = self.lock();
        if let Some(full) = obstacle(&counts, takes, now) {
            return Ok(Taken::Full(full));
        }
        let mut held = SmallVec::new();
        for take in fold(takes) {
            let bucket = match (take.kind, take.window) {
                (Kind::Quota, Some(window)) => {
                    let count = counts.entry(take.id.clone()).or_insert_with(|| Count::Uses {
                        slot: Box::default(),
                        window,
                        zone: take.zone.clone(),
                    });
                    match count {
                        Count::Uses { slot, .. } => slot.add(window, take.zone, now, take.amount, take.max),
                        Count::InFlight { .. } => Bucket(0),
                    }
                }
                _ => {
                    let count = counts.entry(take.id.clone()).or_insert(Count::InFlight { calls: 0, max: 0 });
                    if let Count::InFlight { calls, max } = count {
                        *calls += Amount::ONE.micros();
                        *max = take.max.micros();
                    }
                    Bucket(0)
                }
            };
            held.push(Held {
                indices: take.indices,
                id: take.id.clone(),
                kind: take.kind,
                bucket,
                amount: take.amount,
            });
        }
        Ok(Taken::Granted(Receipt::new(held)))
    }

    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown> {
        Ok(obstacle(&self.lock(), takes, now))
    }

    fn give_back(&self, receipt: Receipt, _now: Timestamp) -> Result<(), StoreDown> {
        let mut counts = self.lock();
        for held in receipt.into_held() {
            match counts.get_mut(&held.id) {
                Some(Count::Uses { slot, .. }) => slot.give_back(held.bucket, held.amount),
                Some(Count::InFlight { calls, .. }) => *calls = calls.saturating_sub(Amount::ONE.micros()),
                None => {}
            }
        }
        Ok(())
    }

    fn reset(&self, id: &str) -> Result<bool, StoreDown> {
        let mut counts = self.lock();
        match counts.iter_mut().find(|(known, _)| known.text() == id) {
            Some((_, Count::Uses { slot, .. })) => Ok(slot.clear()),
            _ => Ok(false),
        }
    }

    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown> {
        let counts = self.lock();
        let mut uses: Vec<Use> = counts
            .iter()
            .map(|(id, count)| match count {
                Count::Uses { slot, window, zone } => Use {
                    id: id.text().to_owned(),
                    used: slot.used(*window, zone, now).0,
                    max: Amount::from_micros(slot.max).unwrap_or_default(),
                    frees_at: slot.frees_at(
                        *window,
                        zone,
                        now,
                        Amount::from_micros(slot.max).unwrap_or_default(),
                        Amount::from_micros(slot.max).unwrap_or_default(),
                    ),
                },
                Count::InFlight { calls, max } => Use {
                    id: id.text().to_owned(),
                    used: Amount::from_micros(*calls).unwrap_or_default(),
                    max: Amount::from_micros(*max).unwrap_or_default(),
                    frees_at: None,
                },
            })
            .filter(|used| !used.used.is_zero())
            .collect();
        uses.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(uses)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn does_what_every_form_must() {
        crate::conformance::cases(&|| Box::new(super::Memory::default()));
    }
}
