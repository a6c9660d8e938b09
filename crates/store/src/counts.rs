//! Counts in one file that any number of processes share, exactly.
//!
//! The file is a hash table of fixed slots. Each operation takes the lock of this process and a
//! short advisory lock of the file, reads the slots it needs, decides, and writes them: a handful
//! of system calls that touch the page cache only. So no unit is ever counted twice or denied while
//! it is free, whoever asks, and a process that is killed leaves the counts as they were. A slot
//! never crosses a page, which the kernel writes whole or not at all when a process dies.
//!
//! What can be lost: when the *machine* loses power, uses of the last second ([`Counters::sync`] is
//! called every second). The audit log names every use, so that they can be added again.
//!
//! A frozen process that holds the lock stops nobody for longer than [`PATIENCE`]: then the counts
//! are *down*, calls are denied by the limits that say so, and after [`PAUSE`] they are tried again.

mod slots;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quota::{Amount, Bucket, Counters, Folded, Full, Held, Kind, Receipt, StoreDown, Take, Taken, Use, fold};
use rustix::fs::{FlockOperation, flock};

use self::slots::{Entry, Header, SLOT, State};
use crate::DataDir;

/// How long a frozen process can keep the others waiting.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// How long the counts are taken for down after that, without trying.
pub const PAUSE: Duration = Duration::from_secs(1);

/// How long a call in flight counts that its process does not speak of any more, in seconds.
const LEASE: i64 = 60;

/// Slots of a new file: 8 MiB, of which a file system with holes stores what is used.
const SLOTS: u64 = 4096;

/// The counts of a data directory.
#[derive(Debug)]
pub struct Ledger {
    directory: PathBuf,
    /// Names this process among those that have calls in flight.
    lessee: u64,
    /// Locked for as long as the process lives, which others can see.
    _alive: File,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Where counts were found: a hint, checked at each use.
    places: HashMap<[u8; 16], u64>,
    down_until: Option<Instant>,
    /// Calls in flight of this process, to speak of them.
    leases: HashMap<[u8; 16], u64>,
}

impl Ledger {
    /// Opens the counts, or makes an empty file.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(data: &DataDir) -> io::Result<Self> {
        let directory = data.directory("counts")?;
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let lessee = u64::from_le_bytes(bytes) | 1;
        let alive =
            File::options().write(true).create(true).truncate(false).mode(0o600).open(alive(&directory, lessee))?;
        flock(&alive, FlockOperation::NonBlockingLockExclusive)?;
        let file = open_file(&directory)?;
        let inner = Inner { file, places: HashMap::new(), down_until: None, leases: HashMap::new() };
        Ok(Self { directory, lessee, _alive: alive, inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` while no other process can, and nobody else of this one.
    fn exclusively<T>(&self, act: impl FnOnce(&mut Table<'_>) -> io::Result<T>) -> Result<T, StoreDown> {
        let mut inner = self.lock();
        if inner.down_until.is_some_and(|until| Instant::now() < until) {
            return Err(down("another process holds their lock and does not go on; it is tried again within a second"));
        }
        inner.down_until = None;
        let done = self.locked(&mut inner, act);
        match done {
            Ok(value) => Ok(value),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                inner.down_until = Some(Instant::now() + PAUSE);
                Err(down("another process holds their lock and does not go on"))
            }
            Err(error) => Err(down(&format!("{}: {error}", self.directory.join("ledger").display()))),
        }
    }

    fn locked<T>(&self, inner: &mut Inner, act: impl FnOnce(&mut Table<'_>) -> io::Result<T>) -> io::Result<T> {
        wait_for(&inner.file)?;
        let mut header = match Header::read(&inner.file) {
            Ok(header) => header,
            Err(error) => {
                let _ = flock(&inner.file, FlockOperation::Unlock);
                return Err(error);
            }
        };
        // The table has grown into another file while this one was open.
        while header.moved {
            let next = open_file(&self.directory)?;
            inner.file = next;
            inner.places.clear();
            wait_for(&inner.file)?;
            header = Header::read(&inner.file)?;
        }
        if header.used >= header.slots / 4 * 3 {
            inner.file = slots::grow(&self.directory, &inner.file, &header, Timestamp::now())?;
            inner.places.clear();
            header = Header::read(&inner.file)?;
        }
        let mut table = Table { inner, header, directory: &self.directory, lessee: self.lessee };
        let done = act(&mut table);
        let _ = flock(&table.inner.file, FlockOperation::Unlock);
        done
    }
}

/// Where a process shows that it lives.
fn alive(directory: &Path, lessee: u64) -> PathBuf {
    directory.join(format!("alive-{lessee:016x}"))
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let _ = fs::remove_file(alive(&self.directory, self.lessee));
    }
}

fn down(reason: &str) -> StoreDown {
    StoreDown { reason: reason.to_owned() }
}

fn open_file(directory: &Path) -> io::Result<File> {
    let path = directory.join("ledger");
    loop {
        match File::options().read(true).write(true).open(&path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let draft = directory.join(format!("ledger.{}", crate::log::ids::next()));
                let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
                Header::fresh(SLOTS).write(&file)?;
                file.set_len((SLOTS + 2) * SLOT)?;
                file.sync_all()?;
                let placed = fs::hard_link(&draft, &path);
                fs::remove_file(&draft)?;
                match placed {
                    // Another process was faster.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Takes the file's lock, or gives up with `WouldBlock`. The lock is held for microseconds, so
/// turning in place comes first.
fn wait_for(file: &File) -> io::Result<()> {
    let begun = Instant::now();
    let mut tries = 0_u32;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < PATIENCE => {
                tries += 1;
                if tries < 20 {
                    std::thread::yield_now();
                } else {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A count's place, and what stands there.
type Found = (u64, Entry);

/// The table, while it is locked.
struct Table<'a> {
    inner: &'a mut Inner,
    header: Header,
    directory: &'a Path,
    lessee: u64,
}

impl Table<'_> {
    /// The entry of a count and its place; a fresh one if there is none.
    fn find(&mut self, take: &Folded<'_>) -> io::Result<(u64, Entry)> {
        let key = slots::key(take.id);
        if let Some(place) = self.inner.places.get(&take.id.digest()).copied()
            && let Some(entry) = Entry::read(&self.inner.file, place)?
            && entry.key == key
        {
            return Ok((place, entry));
        }
        let (place, entry) = slots::probe(&self.inner.file, &self.header, &take.id.digest(), &key)?;
        self.inner.places.insert(take.id.digest(), place);
        Ok((place, entry.unwrap_or_else(|| Entry::fresh(take, key))))
    }

    fn write(&mut self, place: u64, entry: &mut Entry) -> io::Result<()> {
        let fresh = std::mem::replace(&mut entry.fresh, false);
        entry.write(&self.inner.file, place)?;
        if fresh {
            self.header.used += 1;
            self.header.write(&self.inner.file)?;
        }
        Ok(())
    }

    /// Calls in flight, without those of processes that are gone or have been silent for a minute.
    fn in_flight(&self, entry: &mut Entry, now: Timestamp, full: u128) -> u128 {
        let State::InFlight(leases) = &mut entry.state else { return 0 };
        leases.retain(|lease| lease.heartbeat.saturating_add(LEASE) > now.as_second() || lease.lessee == self.lessee);
        let count = |leases: &[slots::Lease]| leases.iter().map(|lease| u128::from(lease.calls)).sum::<u128>();
        if count(leases) >= full {
            // Only when it matters: has somebody died who did not say so?
            leases.retain(|lease| lease.lessee == self.lessee || lives(self.directory, lease.lessee));
        }
        count(leases)
    }

    fn obstacle(&mut self, takes: &[Folded<'_>], now: Timestamp) -> io::Result<(Option<Full>, Vec<Found>)> {
        let mut found = Vec::with_capacity(takes.len());
        for take in takes {
            let (place, mut entry) = self.find(take)?;
            let full = |used, frees_at| Full { index: take.strictest, used, max: take.max, frees_at };
            if take.kind == Kind::Concurrency || take.window.is_none() {
                let most = take.max.micros() / Amount::ONE.micros();
                let calls = self.in_flight(&mut entry, now, most);
                if calls >= most {
                    let used = Amount::from_micros(calls * Amount::ONE.micros()).unwrap_or_default();
                    return Ok((Some(full(used, None)), found));
                }
            } else if let (State::Uses(slot), Some(window)) = (&entry.state, take.window)
                && !slot.fits(window, take.zone, now, take.amount, take.max)
            {
                let frees = slot.frees_at(window, take.zone, now, take.amount, take.max);
                return Ok((Some(full(slot.used(window, take.zone, now).0, frees)), found));
            }
            found.push((place, entry));
        }
        Ok((None, found))
    }

    fn take(&mut self, takes: &[Folded<'_>], now: Timestamp) -> io::Result<Result<Vec<Bucket>, Full>> {
        let (obstacle, found) = self.obstacle(takes, now)?;
        if let Some(full) = obstacle {
            return Ok(Err(full));
        }
        let mut buckets = Vec::with_capacity(takes.len());
        for (take, (mut place, mut entry)) in takes.iter().zip(found) {
            if entry.fresh {
                // Two new counts of one call may have been given the same free place.
                (place, _) = slots::probe(&self.inner.file, &self.header, &take.id.digest(), &entry.key)?;
                self.inner.places.insert(take.id.digest(), place);
            }
            let bucket = match (&mut entry.state, take.window) {
                (State::Uses(slot), Some(window)) => slot.add(window, take.zone, now, take.amount, take.max),
                (State::InFlight(leases), _) => {
                    slots::lease(leases, self.lessee, now.as_second())
                        .ok_or_else(|| io::Error::other("too many processes have calls in flight"))?;
                    *self.inner.leases.entry(take.id.digest()).or_default() += 1;
                    Bucket(0)
                }
                _ => return Err(io::Error::other("a count has changed its kind")),
            };
            self.write(place, &mut entry)?;
            buckets.push(bucket);
        }
        Ok(Ok(buckets))
    }

    fn give_back(&mut self, held: &Held) -> io::Result<()> {
        let key = slots::key(&held.id);
        let (place, entry) = slots::probe(&self.inner.file, &self.header, &held.id.digest(), &key)?;
        let Some(mut entry) = entry else { return Ok(()) };
        match &mut entry.state {
            State::Uses(slot) => slot.give_back(held.bucket, held.amount),
            State::InFlight(leases) => {
                slots::release(leases, self.lessee);
                if let Some(calls) = self.inner.leases.get_mut(&held.id.digest()) {
                    *calls = calls.saturating_sub(1);
                }
            }
        }
        self.write(place, &mut entry)
    }
}

/// Whether the process still has the lock of its file.
fn lives(directory: &Path, lessee: u64) -> bool {
    match File::open(alive(directory, lessee)) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

impl Counters for Ledger {
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown> {
        let takes = fold(takes);
        match self.exclusively(|table| table.take(&takes, now))? {
            Err(full) => Ok(Taken::Full(full)),
            Ok(buckets) => {
                let held = takes.into_iter().zip(buckets).map(|(take, bucket)| Held {
                    indices: take.indices,
                    id: take.id.clone(),
                    kind: take.kind,
                    bucket,
                    amount: take.amount,
                });
                Ok(Taken::Granted(Receipt::new(held.collect())))
            }
        }
    }

    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown> {
        let takes = fold(takes);
        self.exclusively(|table| table.obstacle(&takes, now).map(|(full, _)| full))
    }

    fn give_back(&self, receipt: Receipt, _now: Timestamp) -> Result<(), StoreDown> {
        let held = receipt.into_held();
        self.exclusively(|table| held.iter().try_for_each(|held| table.give_back(held)))
    }

    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown> {
        self.exclusively(|table| {
            let mut uses = Vec::new();
            slots::each(&table.inner.file, &table.header, |_, mut entry| {
                let used = match &entry.state {
                    State::Uses(slot) => entry.window().map(|window| slot.used(window, &entry.zone(), now).0),
                    State::InFlight(_) => {
                        let calls = table.in_flight(&mut entry, now, 0);
                        Amount::from_micros(calls * Amount::ONE.micros())
                    }
                };
                if let Some(used) = used.filter(|used| !used.is_zero()) {
                    uses.push(entry.shown(used, now));
                }
            })?;
            uses.sort_by(|one: &Use, other| one.id.cmp(&other.id));
            Ok(uses)
        })
    }

    fn heartbeat(&self, now: Timestamp) {
        let held: Vec<[u8; 16]> = {
            let mut inner = self.lock();
            inner.leases.retain(|_, calls| *calls > 0);
            inner.leases.keys().copied().collect()
        };
        // A heartbeat that is missed lapses in a minute; the next one is due in ten seconds.
        let _ = self.exclusively(|table| {
            held.iter().try_for_each(|digest| {
                let Some(place) = table.inner.places.get(digest).copied() else { return Ok(()) };
                let Some(mut entry) = Entry::read(&table.inner.file, place)? else { return Ok(()) };
                if let State::InFlight(leases) = &mut entry.state {
                    leases
                        .iter_mut()
                        .filter(|lease| lease.lessee == table.lessee)
                        .for_each(|lease| lease.heartbeat = now.as_second());
                }
                entry.write(&table.inner.file, place)
            })
        });
    }

    fn sync(&self) {
        // A copy of the handle, so that nobody waits for the disk.
        let file = self.lock().file.try_clone();
        if let Ok(file) = file {
            let _ = file.sync_data();
        }
    }
}

/// Makes the counts unreachable for every other process until the value is dropped: to see what
/// they do then.
#[derive(Debug)]
pub struct Frozen(#[expect(dead_code, reason = "the lock goes with the handle")] File);

impl Frozen {
    /// Takes the lock and keeps it.
    ///
    /// # Errors
    /// When somebody else holds it.
    pub fn new(data: &DataDir) -> io::Result<Self> {
        let file = open_file(&data.directory("counts")?)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self(file))
    }
}

/// Writes bytes at a place of the file.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}
