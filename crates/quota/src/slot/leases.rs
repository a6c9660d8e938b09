//! Calls in flight, by who makes them.

use super::Holders;
use crate::Amount;

/// How many holders may have calls of one count in flight at once.
pub const MAX_HOLDERS: usize = 56;

/// Calls in flight of one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who makes them.
    pub holder: u64,
    /// Tells this entry from an earlier one of the same holder.
    pub epoch: u32,
    /// How many.
    pub calls: u32,
}

/// Calls in flight. What a holder has in flight lapses with the holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    pub(super) next_epoch: u32,
    pub(super) leases: Vec<Lease>,
}

impl Leases {
    pub(super) fn used(&self) -> Amount {
        self.leases.iter().fold(Amount::ZERO, |sum, lease| sum.plus(Amount::from(lease.calls)))
    }

    /// Forgets the calls of holders that are gone.
    pub(super) fn drop_lapsed(&mut self, holders: &mut dyn Holders) {
        let own = holders.own();
        self.leases.retain(|lease| lease.holder == own || holders.is_alive(lease.holder));
    }

    pub(super) fn take(&mut self, amount: Amount, max: Amount, holders: &mut dyn Holders) -> Result<(u64, u32), Amount> {
        let calls = whole(amount);
        let own = holders.own();
        let crowded = |leases: &Leases| {
            let known = leases.leases.iter().any(|lease| lease.holder == own);
            leases.used().plus(Amount::from(calls)) > max || (!known && leases.leases.len() >= MAX_HOLDERS)
        };
        if crowded(self) {
            self.drop_lapsed(holders);
            if crowded(self) {
                return Err(self.used());
            }
        }
        if let Some(lease) = self.leases.iter_mut().find(|lease| lease.holder == own) {
            lease.calls = lease.calls.saturating_add(calls);
            return Ok((own, lease.epoch));
        }
        let epoch = self.next_epoch;
        self.next_epoch = self.next_epoch.wrapping_add(1);
        self.leases.push(Lease { holder: own, epoch, calls });
        Ok((own, epoch))
    }

    pub(super) fn give_back(&mut self, holder: u64, epoch: u32, amount: Amount) -> bool {
        let calls = whole(amount);
        let mut changed = false;
        self.leases.retain_mut(|lease| {
            if lease.holder != holder || lease.epoch != epoch {
                return true;
            }
            changed = true;
            lease.calls = lease.calls.saturating_sub(calls);
            lease.calls > 0
        });
        changed
    }
}

/// Whole calls, rounded up.
fn whole(amount: Amount) -> u32 {
    u32::try_from(amount.micros().div_ceil(Amount::ONE.micros())).unwrap_or(u32::MAX)
}
