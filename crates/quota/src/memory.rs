//! Counts of one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::slot::{Alone, Slot};
use crate::{Counters, Folded, Full, Hold, Moment, Receipt, StoreDown, Take, Taken, Use, fold};

/// Counts of one process, gone with it. Never down.
///
/// Goes by the caller's clock. Holds about a kilobyte a count; counts that are no longer used are
/// forgotten as others come.
#[derive(Debug, Default)]
pub struct Memory {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    slots: HashMap<[u8; 16], Kept>,
    /// When there are more, unused ones are looked for.
    sweep_at: usize,
}

#[derive(Debug)]
struct Kept {
    text: Arc<str>,
    slot: Box<Slot>,
}

const FIRST_SWEEP: usize = 256;

impl Memory {
    /// No use of anything.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Each change is one assignment, so that what a panicking thread leaves behind is whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// The slots after the takes, or the one that does not fit.
    fn try_all(&self, folded: &[Folded<'_>], moment: Moment) -> Result<(Vec<Slot>, Vec<Hold>), Full> {
        let mut slots = Vec::with_capacity(folded.len());
        let mut holds = Vec::with_capacity(folded.len());
        for one in folded {
            let digest = one.take.id.digest();
            let mut slot = match self.slots.get(&digest) {
                Some(kept) => kept.slot.as_ref().clone(),
                None => Slot::for_take(one.take),
            };
            let mark = slot.take(one, moment, &mut Alone).map_err(|refusal| Full {
                index: one.strictest,
                used: refusal.used,
                max: one.max,
                frees_at: refusal.frees_at,
            })?;
            slots.push(slot);
            holds.push(Hold { index: one.index, digest, mark, amount: one.amount });
        }
        Ok((slots, holds))
    }

    fn sweep(&mut self, moment: Moment) {
        if self.slots.len() > self.sweep_at.max(FIRST_SWEEP) {
            self.slots.retain(|_, kept| !kept.slot.is_idle(moment));
            self.sweep_at = self.slots.len().saturating_mul(2);
        }
    }
}

impl Counters for Memory {
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown> {
        let (moment, folded) = (Moment::at(now), fold(takes));
        let mut counts = self.counts();
        let (slots, holds) = match counts.try_all(&folded, moment) {
            Ok(taken) => taken,
            Err(full) => return Ok(Taken::Full(full)),
        };
        for (slot, one) in slots.into_iter().zip(&folded) {
            match counts.slots.get_mut(&slot.digest()) {
                Some(kept) => *kept.slot = slot,
                None => {
                    let kept = Kept { text: one.take.id.shared_text(), slot: Box::new(slot) };
                    counts.slots.insert(one.take.id.digest(), kept);
                }
            }
        }
        counts.sweep(moment);
        Ok(Taken::Granted(Receipt::new(holds)))
    }

    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown> {
        Ok(self.counts().try_all(&fold(takes), Moment::at(now)).err())
    }

    fn give_back(&self, receipt: Receipt, _now: Timestamp) -> Result<(), StoreDown> {
        let mut counts = self.counts();
        for hold in receipt.into_holds() {
            if let Some(kept) = counts.slots.get_mut(&hold.digest) {
                kept.slot.give_back(hold.mark, hold.amount);
            }
        }
        Ok(())
    }

    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown> {
        let moment = Moment::at(now);
        let mut uses: Vec<Use> = Vec::new();
        for kept in self.counts().slots.values_mut() {
            let (used, frees_at) = kept.slot.used(moment, &mut Alone);
            if used > crate::Amount::ZERO {
                let id = Arc::clone(&kept.text);
                uses.push(Use { id, used, max: kept.slot.max(), window: kept.slot.window(), frees_at });
            }
        }
        uses.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(uses)
    }
}
