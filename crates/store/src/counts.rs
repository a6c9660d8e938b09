//! Counts in one file that any number of processes share, exactly.
//!
//! The file is a hash table of fixed slots. Whoever counts holds the lock of this process and an
//! advisory lock of the file, knows or reads the slots it needs, decides, and writes what changed: a
//! few system calls that touch the page cache only. So no unit is ever counted twice or denied while
//! it is free, whoever asks, and a process that is killed leaves the counts as they were. What is
//! written never crosses a page, which the kernel writes whole or not at all when a process dies.
//!
//! A process that counts all the time, and alone, keeps the file's lock for a [turn](turn) of two
//! milliseconds.
//!
//! When the *machine* loses power, the file may lack the uses since it was synced last
//! ([`Counters::sync`] is called every second). They are in the audit log, and [`Ledger::recover`]
//! counts them again.
//!
//! A frozen process that holds the lock stops nobody for longer than [`PATIENCE`]: then the counts
//! are *down*, and calls are denied by the limits that say so, until the lock is to be had again.

mod header;
mod recovery;
mod slots;
mod table;
mod turn;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use quota::{Amount, CountId, Counters, Full, Held, Receipt, StoreDown, Take, Taken, Use, fold};
use rustix::fs::{FlockOperation, flock};

use self::header::Header;
use self::slots::{SLOT, State};
use self::table::Table;
use self::turn::{Shared, Turns};
use crate::DataDir;

/// How long a frozen process can keep the others waiting.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// Slots of a new file: 8 MiB, of which a file system with holes stores what is used.
const SLOTS: u64 = 4096;

/// The counts of a data directory.
#[derive(Debug)]
pub struct Ledger {
    directory: Arc<Path>,
    /// Names this process among those that have calls in flight.
    lessee: u64,
    /// Locked for as long as the process lives, which others can see.
    _alive: File,
    shared: Arc<Shared>,
    /// Ends turns that nobody else ends.
    keeper: Option<JoinHandle<()>>,
    /// The number of changes that was synced last.
    synced: AtomicU64,
}

impl Ledger {
    /// Opens the counts, or makes an empty file.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(data: &DataDir) -> io::Result<Self> {
        let directory: Arc<Path> = data.directory("counts")?.into();
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let lessee = u64::from_le_bytes(bytes) | 1;
        remove_remains(&directory)?;
        // Locked before it has its name, so that nobody takes it for a dead one's.
        let draft = directory.join(format!("new-{lessee:016x}"));
        let alive_file = File::options().write(true).create_new(true).mode(0o600).open(&draft)?;
        flock(&alive_file, FlockOperation::NonBlockingLockExclusive)?;
        fs::rename(draft, alive(&directory, lessee))?;
        let shared = Arc::new(Shared::new(Turns::new(open_file(&directory)?, Arc::clone(&directory), lessee)));
        let keeper = turn::keeper(Arc::clone(&shared))?;
        Ok(Self { directory, lessee, _alive: alive_file, shared, keeper: Some(keeper), synced: AtomicU64::new(0) })
    }

    /// Runs `act` while no other process can, and nobody else of this one.
    fn exclusively<T>(&self, act: impl FnOnce(&mut Table<'_>) -> io::Result<T>) -> Result<T, StoreDown> {
        let mut turns = self.shared.lock();
        let done = turns.exclusively(act);
        self.shared.wake_keeper(&turns);
        done.map_err(|reason| StoreDown { reason })
    }
}

/// Where a process shows that it lives.
fn alive(directory: &Path, lessee: u64) -> PathBuf {
    directory.join(format!("alive-{lessee:016x}"))
}

/// Removes what killed processes left: signs of life that nobody holds, and drafts.
fn remove_remains(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let draft = name.starts_with("ledger.") || name.starts_with("new-");
        // Somebody may be about to lock or to rename a young draft.
        let young = || {
            let age = entry.metadata().and_then(|data| data.modified()).map(|at| at.elapsed().unwrap_or_default());
            age.is_ok_and(|age| age < Duration::from_secs(60))
        };
        let dead =
            || File::open(entry.path()).is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_ok());
        if (name.starts_with("alive-") && dead()) || (draft && !young() && dead()) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Whether another process counts here.
fn has_company(directory: &Path, lessee: u64) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return true };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let other = name.to_string_lossy().strip_prefix("alive-").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        other.is_some_and(|other| other != lessee && lives(directory, other))
    })
}

/// Whether the process still has the lock of its file.
fn lives(directory: &Path, lessee: u64) -> bool {
    match File::open(alive(directory, lessee)) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(keeper) = self.keeper.take() {
            // It ends by itself; a panic of it is nobody's business any more.
            let _ = keeper.join();
        }
        let _ = fs::remove_file(alive(&self.directory, self.lessee));
    }
}

fn open_file(directory: &Path) -> io::Result<File> {
    let path = directory.join("ledger");
    loop {
        match File::options().read(true).write(true).open(&path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let draft = directory.join(format!("ledger.{}", crate::log::ids::next()));
                let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
                // An empty file lacks nothing that was used before it was made.
                Header { synced: Timestamp::now().as_millisecond(), ..Header::fresh(SLOTS) }.write(&file)?;
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
        self.exclusively(|table| table.obstacle(&takes, now))
    }

    fn give_back(&self, receipt: Receipt, _now: Timestamp) -> Result<(), StoreDown> {
        let held = receipt.into_held();
        self.exclusively(|table| {
            held.iter().try_for_each(|held| table.give_back(&held.id, held.kind, held.bucket, held.amount))
        })
    }

    fn reset(&self, id: &str) -> Result<bool, StoreDown> {
        self.exclusively(|table| table.reset(id))
    }

    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown> {
        self.exclusively(|table| {
            let mut uses = Vec::new();
            slots::each(table.file, table.header, |_, mut entry| {
                let used = match &entry.state {
                    State::Uses(slot) => entry.window().map(|window| slot.used(window, &entry.zone(), now).0),
                    State::InFlight(_) => {
                        let calls = table::in_flight(&mut entry, table.directory, table.lessee, now, 0);
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
        let held: Vec<CountId> = self.shared.lock().in_flight();
        // A heartbeat that is missed lapses in a minute; the next one is due in ten seconds.
        let _ = self.exclusively(|table| held.iter().try_for_each(|id| table.heartbeat(id, now)));
    }

    fn sync(&self) {
        // A copy of the handle, so that nobody waits for the disk.
        let now = Timestamp::now().as_millisecond();
        let mut synced = self.synced.load(Ordering::Relaxed);
        let Ok(Some(file)) = self.exclusively(|table| table.unsynced(&mut synced)) else { return };
        if file.sync_data().is_ok() {
            // On disk with the next sync: what is counted again after a loss of power may then be a
            // second's uses too many, never too few.
            self.synced.store(synced, Ordering::Relaxed);
            let _ = self.exclusively(|table| table.synced(now));
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
