//! Turns: how long one process keeps the file's lock.
//!
//! A call now and then takes the lock, counts and gives it back. A process that counts all the time
//! would spend most of its counting on that, so it keeps the lock for a turn, unless another process
//! counts in the same directory: then everybody gives it back after each call.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quota::CountId;
use rustix::fs::{FlockOperation, flock};

use super::PATIENCE;
use super::header::{self, Header};
use super::slots::{self, Entry};
use super::table::{Flight, Table};

/// The longest turn: what a process that begins to count beside a busy one may wait, once.
pub(super) const TURN: Duration = Duration::from_millis(2);

/// How long after somebody had to wait nobody keeps the lock, in milliseconds.
const SHARED: i64 = 2_000;

/// What the threads of a process share of the counts.
#[derive(Debug)]
pub(super) struct Shared {
    turns: Mutex<Turns>,
    wake: Condvar,
}

/// This process's use of the file.
#[derive(Debug)]
pub(super) struct Turns {
    file: File,
    directory: Arc<Path>,
    lessee: u64,
    /// The header and the counts as this process knows them: true in a turn, and in the next one if
    /// the number of changes is still the same.
    header: Header,
    entries: HashMap<[u8; 16], Entry>,
    /// Whether something was written in this turn.
    changed: bool,
    /// Since when the lock is held.
    begun: Option<Instant>,
    /// Whether nobody had to wait for the file lately, and no other process counts here.
    alone: bool,
    /// When it was looked for company last, and whether there was some.
    company: Option<(Instant, bool)>,
    last_use: Option<Instant>,
    /// Whether the lock could not be had the last time.
    down: bool,
    flights: HashMap<[u8; 16], Flight>,
    /// Whether the keeper looks after this turn already.
    watched: bool,
    closing: bool,
}

impl Shared {
    pub(super) fn new(turns: Turns) -> Self {
        Self { turns: Mutex::new(turns), wake: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the keeper look after a turn that goes on.
    pub(super) fn wake_keeper(&self, turns: &Turns) {
        if turns.begun.is_some() && !turns.watched {
            self.wake.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }
}

/// Ends turns after which no call comes that would.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn keeper(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("counts".to_owned()).spawn(move || {
        let mut turns = shared.lock();
        while !turns.closing {
            let Some(begun) = turns.begun else {
                turns.watched = false;
                turns = shared.wake.wait(turns).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            turns.watched = true;
            let left = TURN.saturating_sub(begun.elapsed());
            if left.is_zero() {
                turns.end();
            } else {
                drop(turns);
                thread::sleep(left);
                turns = shared.lock();
            }
        }
        turns.end();
    })
}

impl Turns {
    pub(super) fn new(file: File, directory: Arc<Path>, lessee: u64) -> Self {
        Self {
            file,
            directory,
            lessee,
            header: Header::fresh(0),
            entries: HashMap::new(),
            changed: false,
            begun: None,
            alone: false,
            company: None,
            last_use: None,
            down: false,
            flights: HashMap::new(),
            watched: false,
            closing: false,
        }
    }

    /// Calls in flight of this process.
    pub(super) fn in_flight(&mut self) -> Vec<CountId> {
        self.flights.retain(|_, flight| flight.calls > 0);
        self.flights.values().map(|flight| flight.id.clone()).collect()
    }

    /// Runs `act` while the file's lock is held.
    pub(super) fn exclusively<T>(&mut self, act: impl FnOnce(&mut Table<'_>) -> io::Result<T>) -> Result<T, String> {
        let now = Instant::now();
        let busy = self.last_use.replace(now).is_some_and(|last| now.duration_since(last) < TURN);
        let done = self.in_turn(now, act);
        let goes_on = busy && self.alone && self.begun.is_some_and(|begun| now.duration_since(begun) < TURN);
        if done.is_err() {
            // What is known may be more than what was written.
            self.entries.clear();
            self.header = Header::fresh(0);
        }
        if done.is_err() || !goes_on {
            self.end();
        }
        self.down = done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        done.map_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                "another process holds their lock and does not go on".to_owned()
            } else {
                format!("{}: {error}", self.directory.join("ledger").display())
            }
        })
    }

    fn in_turn<T>(&mut self, now: Instant, act: impl FnOnce(&mut Table<'_>) -> io::Result<T>) -> io::Result<T> {
        if self.begun.is_none() {
            // Who holds the lock for long is not waited for again by every call.
            wait_for(&self.file, if self.down { TURN * 2 } else { PATIENCE })?;
            self.begun = Some(now);
            self.begin(now)?;
        }
        act(&mut Table {
            file: &self.file,
            header: &mut self.header,
            entries: &mut self.entries,
            changed: &mut self.changed,
            directory: &self.directory,
            lessee: self.lessee,
            flights: &mut self.flights,
        })
    }

    /// The lock is held: what has the file become meanwhile?
    fn begin(&mut self, now: Instant) -> io::Result<()> {
        // The table may have grown into another file while this one was open, or was moved away.
        while !is_at(&self.file, &self.directory.join("ledger"))? {
            let next = super::open_file(&self.directory)?;
            wait_for(&next, PATIENCE)?;
            self.file = next;
            self.entries.clear();
        }
        let (mut header, waited) = Header::read(&self.file)?;
        if header.used >= header.slots / 4 * 3 {
            self.file = slots::grow(&self.directory, &self.file, &header, Timestamp::now())?;
            self.entries.clear();
            (header, _) = Header::read(&self.file)?;
        }
        if header.changes != self.header.changes {
            self.entries.clear();
        }
        self.header = header;
        self.changed = false;
        self.alone = Timestamp::now().as_millisecond().saturating_sub(waited) > SHARED && !self.has_company(now);
        Ok(())
    }

    /// Whether another process counts here, as of the last second.
    fn has_company(&mut self, now: Instant) -> bool {
        match self.company {
            Some((at, company)) if now.duration_since(at) < Duration::from_secs(1) => company,
            _ => {
                let company = super::has_company(&self.directory, self.lessee);
                self.company = Some((now, company));
                company
            }
        }
    }

    fn end(&mut self) {
        if self.begun.take().is_some() {
            // The kernel gives the lock back with the file in any case.
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
    }
}

/// Whether this is the file of that name still.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes the file's lock, or gives up with `WouldBlock`. It is held for microseconds or for a turn,
/// so turning in place comes first.
fn wait_for(file: &File, patience: Duration) -> io::Result<()> {
    let mut begun = None;
    let mut tries = 0_u32;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(error.into()),
        }
        let since = *begun.get_or_insert_with(|| {
            header::say_waiting(file, Timestamp::now().as_millisecond());
            Instant::now()
        });
        if since.elapsed() >= patience {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        tries += 1;
        if tries < 20 {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_micros(50));
        }
    }
}
