//! The counts while the file's lock is held: found, judged, taken and given back.
//!
//! What was read of the file stays known, and is true again in the next turn if nobody else wrote
//! in between. Every change is in the file before the call goes on.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use quota::{Amount, Bucket, CountId, Folded, Full, Kind};
use smallvec::SmallVec;

use super::header::Header;
use super::slots::{self, Entry, State};

/// How long a call in flight counts that its process does not speak of any more, in seconds.
const LEASE: i64 = 60;

/// How many counts stay known: about 2 KiB each.
const KNOWN: usize = 512;

/// Calls of this process that one count holds now.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: CountId,
    pub(super) calls: u64,
}

/// The table, for as long as the lock is held.
pub(super) struct Table<'a> {
    pub(super) file: &'a File,
    pub(super) header: &'a mut Header,
    pub(super) entries: &'a mut HashMap<[u8; 16], Entry>,
    pub(super) changed: &'a mut bool,
    pub(super) directory: &'a Path,
    /// This process.
    pub(super) lessee: u64,
    /// Calls in flight of this process, by count.
    pub(super) flights: &'a mut HashMap<[u8; 16], Flight>,
}

impl Table<'_> {
    /// Makes a count known; a fresh one if there is none.
    fn learn(&mut self, take: &Folded<'_>) -> io::Result<()> {
        let key = slots::key(take.id);
        if self.entries.get(&take.id.digest()).is_some_and(|entry| entry.key == key) {
            return Ok(());
        }
        let (_, entry) = slots::probe(self.file, self.header, &take.id.digest(), &key)?;
        self.entries.insert(take.id.digest(), entry.unwrap_or_else(|| Entry::fresh(take, key)));
        Ok(())
    }

    /// Makes a count known that was taken before; `None` if the file has forgotten it.
    fn learn_again(&mut self, id: &CountId) -> io::Result<Option<&mut Entry>> {
        let key = slots::key(id);
        let digest = id.digest();
        if self.entries.get(&digest).is_none_or(|entry| entry.key != key) {
            let (_, entry) = slots::probe(self.file, self.header, &digest, &key)?;
            let Some(entry) = entry else { return Ok(None) };
            self.make_room(1);
            self.entries.insert(digest, entry);
        }
        Ok(self.entries.get_mut(&digest))
    }

    /// Forgets what is known rather than know ever more.
    fn make_room(&mut self, counts: usize) {
        if self.entries.len() + counts > KNOWN {
            self.entries.clear();
        }
    }

    fn entry(&mut self, digest: &[u8; 16]) -> io::Result<&mut Entry> {
        self.entries.get_mut(digest).ok_or_else(|| io::Error::other("a call has too many limits"))
    }

    /// To be called before anything is written: whoever knows the file must learn that it changes.
    fn will_change(&mut self) -> io::Result<()> {
        if !*self.changed {
            self.header.changes += 1;
            self.header.write(self.file)?;
            *self.changed = true;
        }
        Ok(())
    }

    /// Puts a whole count into the file, at a place of its own if it has none.
    fn put(&mut self, digest: &[u8; 16]) -> io::Result<()> {
        let Some(entry) = self.entries.get_mut(digest) else { return Ok(()) };
        match entry.place {
            Some(place) => entry.write(self.file, place),
            None => {
                let (place, _) = slots::probe(self.file, self.header, digest, &entry.key)?;
                // First, so that a process which dies in between leaves a table that is fuller than it
                // seems to nobody.
                self.header.used += 1;
                self.header.write(self.file)?;
                entry.write(self.file, place)
            }
        }
    }

    /// Puts one bucket of a count into the file.
    fn put_bucket(&mut self, digest: &[u8; 16], bucket: Bucket) -> io::Result<()> {
        match self.entries.get_mut(digest) {
            Some(entry) if entry.place.is_some() => entry.write_bucket(self.file, bucket),
            _ => self.put(digest),
        }
    }

    /// The first take that does not fit.
    pub(super) fn obstacle(&mut self, takes: &[Folded<'_>], now: Timestamp) -> io::Result<Option<Full>> {
        self.make_room(takes.len());
        for take in takes {
            self.learn(take)?;
        }
        let (directory, lessee) = (self.directory, self.lessee);
        for take in takes {
            let entry = self.entry(&take.id.digest())?;
            let full = |used, frees_at| Full { index: take.strictest, used, max: take.max, frees_at };
            if take.kind == Kind::Concurrency || take.window.is_none() {
                let most = take.max.micros() / Amount::ONE.micros();
                let calls = in_flight(entry, directory, lessee, now, most);
                if calls >= most {
                    let used = Amount::from_micros(calls * Amount::ONE.micros()).unwrap_or_default();
                    return Ok(Some(full(used, None)));
                }
            } else if let (State::Uses(slot), Some(window)) = (&entry.state, take.window)
                && !slot.fits(window, take.zone, now, take.amount, take.max)
            {
                let frees = slot.frees_at(window, take.zone, now, take.amount, take.max);
                return Ok(Some(full(slot.used(window, take.zone, now).0, frees)));
            }
        }
        Ok(None)
    }

    pub(super) fn take(
        &mut self,
        takes: &[Folded<'_>],
        now: Timestamp,
    ) -> io::Result<Result<SmallVec<[Bucket; 2]>, Full>> {
        if let Some(full) = self.obstacle(takes, now)? {
            return Ok(Err(full));
        }
        self.will_change()?;
        let mut buckets = SmallVec::new();
        for take in takes {
            match self.take_one(take, now) {
                Ok(bucket) => buckets.push(bucket),
                Err(error) => {
                    // All or nothing: what was taken before goes back, as far as the file can be written.
                    for (taken, bucket) in takes.iter().zip(&buckets) {
                        let _ = self.give_back(taken.id, taken.kind, *bucket, taken.amount);
                    }
                    return Err(error);
                }
            }
        }
        Ok(Ok(buckets))
    }

    fn take_one(&mut self, take: &Folded<'_>, now: Timestamp) -> io::Result<Bucket> {
        let (digest, lessee) = (take.id.digest(), self.lessee);
        match (&mut self.entry(&digest)?.state, take.window) {
            (State::Uses(slot), Some(window)) => {
                let bucket = slot.add(window, take.zone, now, take.amount, take.max);
                self.put_bucket(&digest, bucket)?;
                Ok(bucket)
            }
            (State::InFlight(leases), _) => {
                slots::lease(leases, lessee, now.as_second())
                    .ok_or_else(|| io::Error::other("too many processes have calls in flight"))?;
                self.put(&digest)?;
                self.flights.entry(digest).or_insert_with(|| Flight { id: take.id.clone(), calls: 0 }).calls += 1;
                Ok(Bucket(0))
            }
            _ => Err(io::Error::other("a count has changed its kind")),
        }
    }

    pub(super) fn give_back(&mut self, id: &CountId, kind: Kind, bucket: Bucket, amount: Amount) -> io::Result<()> {
        let (digest, lessee) = (id.digest(), self.lessee);
        if kind == Kind::Concurrency
            && let Some(flight) = self.flights.get_mut(&digest)
        {
            flight.calls = flight.calls.saturating_sub(1);
        }
        let Some(entry) = self.learn_again(id)? else { return Ok(()) };
        match &mut entry.state {
            State::Uses(slot) => {
                slot.give_back(bucket, amount);
                self.will_change()?;
                self.put_bucket(&digest, bucket)
            }
            State::InFlight(leases) => {
                slots::release(leases, lessee);
                self.will_change()?;
                self.put(&digest)
            }
        }
    }

    /// Forgets the uses of a count, by the name under which it stands in the file.
    pub(super) fn reset(&mut self, key: &str) -> io::Result<bool> {
        let mut found = None;
        slots::each(self.file, self.header, |_, entry| {
            if entry.key == key {
                found = Some(entry);
            }
        })?;
        let Some(read) = found else { return Ok(false) };
        let digest = read.digest;
        // What is known here knows the latest time better than the file does.
        if self.entries.get(&digest).is_none_or(|known| known.key != key) {
            self.make_room(1);
            self.entries.insert(digest, read);
        }
        let State::Uses(slot) = &mut self.entry(&digest)?.state else { return Ok(false) };
        if !slot.clear() {
            return Ok(false);
        }
        self.will_change()?;
        self.put(&digest)?;
        Ok(true)
    }

    /// Counts uses that were lost, as far as their windows still run.
    pub(super) fn add_again(&mut self, take: &Folded<'_>, at: Timestamp) -> io::Result<()> {
        self.learn(take)?;
        self.will_change()?;
        let digest = take.id.digest();
        if let (State::Uses(slot), Some(window)) = (&mut self.entry(&digest)?.state, take.window) {
            // The log does not say what the maximum was.
            let max = Amount::from_micros(slot.max).unwrap_or_default();
            let bucket = slot.add(window, take.zone, at, take.amount, max);
            self.put_bucket(&digest, bucket)?;
        }
        Ok(())
    }

    /// Speaks again of this process's calls in flight.
    pub(super) fn heartbeat(&mut self, id: &CountId, now: Timestamp) -> io::Result<()> {
        let lessee = self.lessee;
        let Some(entry) = self.learn_again(id)? else { return Ok(()) };
        if let State::InFlight(leases) = &mut entry.state {
            leases
                .iter_mut()
                .filter(|lease| lease.lessee == lessee)
                .for_each(|lease| lease.heartbeat = now.as_second());
        }
        self.will_change()?;
        self.put(&id.digest())
    }
}

/// Calls in flight, without those of processes that are gone or have been silent for a minute.
pub(super) fn in_flight(entry: &mut Entry, directory: &Path, lessee: u64, now: Timestamp, full: u128) -> u128 {
    let State::InFlight(leases) = &mut entry.state else { return 0 };
    leases.retain(|lease| lease.heartbeat.saturating_add(LEASE) > now.as_second() || lease.lessee == lessee);
    let count = |leases: &[slots::Lease]| leases.iter().map(|lease| u128::from(lease.calls)).sum::<u128>();
    if count(leases) >= full {
        // Only when it matters: has somebody died who did not say so?
        leases.retain(|lease| lease.lessee == lessee || super::lives(directory, lease.lessee));
    }
    count(leases)
}
