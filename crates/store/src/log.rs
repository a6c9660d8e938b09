//! The audit log: one hash chain a process, in segment files under `<data>/audit/<chain>/`.
//!
//! A record is in the file when [`AuditLog::append`] returns (with [`Durability::Strict`]: on
//! disk), so that what is forwarded afterwards cannot be missing. When a record cannot be written
//! the caller gets [`AuditDown`] and must not forward; nothing half-written stays, the chain goes
//! on as soon as writing works again.
//!
//! Chains are only ever read by others, never written: a chain whose process was killed stays as
//! it is. [`verify()`] says what it finds there, [`Cursor`] reads all chains in the order of time.

mod batch;
mod cursor;
mod disk;
mod draft;
mod heads;
mod lines;
mod predecessor;
mod prune;
mod segments;
mod since;
mod sink;
mod tail;
mod uses;
mod verify;
mod writer;

pub mod ids;

pub use batch::Commit;
pub use cursor::{Begin, Cursor, Entry};
pub use disk::Disk;
pub use heads::keep_head;
pub use prune::{Pruned, prune};
pub use segments::{Chain, chains};
pub use since::lines_since;
pub use tail::{Position, Tail, chain_start, segment_start, shipping, tail};
pub use uses::uses_since;
pub use verify::{Asked, ChainState, Report, State, verify, verify_signed};

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use audit::{Event, Head, Id, SigningKey};
use jiff::Timestamp;

use self::batch::Batch;
use self::disk::Files;
use self::draft::Draft;
use self::sink::Sink;
use self::writer::Writer;

/// How long a disk may take for records that somebody waits for, before it counts as silent: whoever waits is told within a
/// second.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is in the file: it survives the death of the process, not a loss of power.
    #[default]
    Buffered,
    /// When it is on disk. Appends that come together share one `fdatasync`.
    Strict,
}

/// How the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When a record counts as written.
    pub durability: Durability,
    /// A segment that has this many bytes is followed by another one.
    pub rotate_bytes: u64,
    /// A segment of this age is followed by another one, with the next record.
    pub rotate_age: Duration,
}

impl Default for Options {
    /// Buffered, 64 MiB, a day.
    fn default() -> Options {
        Options {
            durability: Durability::Buffered,
            rotate_bytes: 64 << 20,
            rotate_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Signs a chain as it grows: behind the first record of each segment, before the end, and in between as often as is
/// said here.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The key.
    pub key: Arc<SigningKey>,
    /// At least every so many records.
    pub every_records: u64,
    /// At the latest after so long, if [`AuditLog::flush`] is called as often as it says.
    pub every: Duration,
}

impl Signer {
    /// Every 1,000 records and every 10 seconds.
    pub fn new(key: Arc<SigningKey>) -> Signer {
        Signer { key, every_records: 1_000, every: Duration::from_secs(10) }
    }
}

/// The log could not take the record; nothing may be forwarded on its strength.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the audit log cannot be written: {reason}")]
pub struct AuditDown {
    reason: Arc<str>,
    full: bool,
}

/// How much a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Bytes of records that are not written yet.
    pub waiting: u64,
    /// Bytes in the present segment, those that wait with them.
    pub segment: u64,
    /// Records in the chain.
    pub records: u64,
}

/// The chain of this process. Cheap to share behind an `Arc`; all methods take `&self`.
pub struct AuditLog {
    chain: Id,
    path: PathBuf,
    shared: Arc<Shared>,
    writer: Option<Writer>,
    /// Held as long as the process lives: tells readers that the chain may grow.
    _running: Option<File>,
}

/// What appenders and the writer thread share.
struct Shared {
    state: Mutex<LogState>,
    /// Wakes the writer thread.
    wake: std::sync::Condvar,
}

struct LogState {
    draft: Draft,
    /// Where drafts go; with the writer thread when durability is strict.
    sink: Option<Sink>,
    /// What those wait for whose records are in the draft.
    batch: Arc<Batch>,
    /// Whether the draft is to be written at once rather than with the next record.
    wanted: bool,
    /// Since when the writer thread waits for the disk.
    writing: Option<Instant>,
    /// Whether the end of the process was recorded, or is about to be.
    stopped: bool,
    /// Whether the writer thread is to end.
    closing: bool,
}

impl AuditLog {
    /// Begins a chain of its own under `audit`, the directory that holds all chains, which is
    /// created if need be (mode 0700). Nothing is written before the first record.
    ///
    /// # Errors
    /// When the directories cannot be made or written.
    pub fn open(audit: &Path, options: Options) -> io::Result<AuditLog> {
        AuditLog::begin(audit, options, None)
    }

    /// The same, with checkpoints.
    ///
    /// # Errors
    /// As [`open`](AuditLog::open).
    pub fn signed(audit: &Path, options: Options, signer: Signer) -> io::Result<AuditLog> {
        AuditLog::begin(audit, options, Some(signer))
    }

    fn begin(audit: &Path, options: Options, signer: Option<Signer>) -> io::Result<AuditLog> {
        let chain = ids::next();
        let (path, running) = segments::create_chain(audit, chain)?;
        let strict = options.durability == Durability::Strict;
        let files = Files::new(path.clone(), strict);
        let draft = Draft::new(chain, options, predecessor::find(audit, chain), signer);
        AuditLog::with(chain, path, Some(running), Box::new(files), draft, strict)
    }

    /// A chain on a disk of the caller's making, to see how one fails.
    ///
    /// # Errors
    /// When the writer thread of strict durability cannot be started.
    pub fn on_disk(disk: Box<dyn Disk>, options: Options) -> io::Result<AuditLog> {
        let chain = ids::next();
        let strict = options.durability == Durability::Strict;
        AuditLog::with(chain, PathBuf::new(), None, disk, Draft::new(chain, options, None, None), strict)
    }

    fn with(
        chain: Id,
        path: PathBuf,
        running: Option<File>,
        disk: Box<dyn Disk>,
        draft: Draft,
        strict: bool,
    ) -> io::Result<AuditLog> {
        let sink = Sink::new(disk);
        let (kept, moved) = if strict { (None, Some(sink)) } else { (Some(sink), None) };
        let state = LogState {
            draft,
            sink: kept,
            batch: Arc::default(),
            wanted: false,
            writing: None,
            stopped: false,
            closing: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), wake: std::sync::Condvar::new() });
        let writer = moved.map(|sink| Writer::start(Arc::clone(&shared), sink)).transpose()?;
        Ok(AuditLog { chain, path, shared, writer, _running: running })
    }

    /// The identifier of this chain, which is the name of its directory.
    pub fn chain(&self) -> Id {
        self.chain
    }

    /// The directory of this chain.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hash and number of the last record. With strict durability it may still be on its way to
    /// the disk.
    pub fn head(&self) -> (Head, u64) {
        let state = self.shared.lock();
        (state.draft.head(), state.draft.seq())
    }

    /// Writes a record and waits until it counts as written. With strict durability that takes as
    /// long as the disk; from asynchronous code use [`submit`](AuditLog::submit).
    ///
    /// # Errors
    /// [`AuditDown`] when it could not be written; it is not in the log then.
    pub fn append(&self, event: &Event<'_>) -> Result<(), AuditDown> {
        self.submit(event).wait()
    }

    /// Writes a record: the answer is there at once when durability is buffered, and to be
    /// awaited when it is strict. Nothing is lost when it is not awaited.
    pub fn submit(&self, event: &Event<'_>) -> Commit {
        let mut state = self.shared.lock();
        if state.stopped {
            return Commit::done(Err(AuditDown::closed()));
        }
        // What nobody can write now would only pile up.
        if state.writing.is_some_and(|since| since.elapsed() > PATIENCE) {
            state.draft.drop_one();
            return Commit::done(Err(AuditDown::silent()));
        }
        // Within the lock, so that times rise along the chain as the clock does.
        let now = Timestamp::now();
        state.draft.prepare(now);
        if matches!(event, Event::Stop(_)) {
            state.draft.sign(now);
        }
        let mark = state.draft.mark();
        state.draft.add(event, now);
        state.stopped = matches!(event, Event::Stop(_));
        if state.sink.is_none() {
            state.wanted = true;
            self.shared.wake.notify_one();
            return Commit::waiting(Arc::clone(&state.batch));
        }
        let written = state.write();
        if written.is_err() {
            state.draft.back_to(mark);
        }
        Commit::done(written)
    }

    /// Takes a record that may wait: it is written together with the next one, or by
    /// [`flush`](AuditLog::flush). While the log is down up to 1 MiB of such records is kept;
    /// what does not fit is dropped, and its number recorded once writing works again.
    pub fn append_later(&self, event: &Event<'_>) {
        let mut state = self.shared.lock();
        if !state.stopped {
            state.draft.add_later(event, Timestamp::now());
        }
    }

    /// Writes what waits. To be called from a timer, at least every 100 ms; costs nothing when
    /// nothing waits.
    pub fn flush(&self) -> Commit {
        let mut state = self.shared.lock();
        if !state.stopped {
            state.draft.sign_in_time(Timestamp::now());
        }
        if state.draft.is_empty() {
            return Commit::done(Ok(()));
        }
        if state.sink.is_none() {
            state.wanted = true;
            self.shared.wake.notify_one();
            return Commit::waiting(Arc::clone(&state.batch));
        }
        Commit::done(state.write())
    }

    /// How much it holds, for whoever watches.
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        let bytes = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        Load { waiting: bytes(state.draft.bytes().len()), segment: state.draft.size(), records: state.draft.seq() }
    }

    /// Records that the process ends, after everything that waits. Nothing can be appended after
    /// it, whether that worked or not.
    ///
    /// # Errors
    /// [`AuditDown`] when it could not be written: the chain then looks as after a crash.
    pub fn stop(&self, reason: Option<&str>) -> Result<(), AuditDown> {
        self.append(&Event::Stop(audit::Stop { reason }))
    }
}

impl AuditLog {
    /// Gives a chain up in which nothing could be written: its directory goes, unless something stands there.
    pub fn give_up(self) {
        let path = self.path.clone();
        drop(self);
        let empty = |entry: &std::fs::DirEntry| entry.metadata().is_ok_and(|data| data.len() == 0);
        if std::fs::read_dir(&path).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| empty(&entry))))
        {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

impl Drop for AuditLog {
    /// Writes what waits. Whoever wants the chain to say that it ended calls
    /// [`stop`](AuditLog::stop) before.
    fn drop(&mut self) {
        if let Err(down) = self.flush().wait() {
            // Nobody is left to be told; the chain shows these requests as unknown.
            drop(down);
        }
        if let Some(writer) = self.writer.take() {
            writer.end(&self.shared);
        }
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, LogState> {
        // Whoever panicked left a draft that no write was reported for: it can be written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogState {
    /// Writes the draft in the caller's thread.
    fn write(&mut self) -> Result<(), AuditDown> {
        let Some(sink) = &mut self.sink else {
            return Ok(());
        };
        match sink.write(self.draft.bytes(), self.draft.opens(), false) {
            Ok(()) => self.draft.written(),
            Err(error) => {
                self.draft.refused();
                return Err(error.into());
            }
        }
        Ok(())
    }
}

impl AuditDown {
    /// Whether the disk is full (or a quota or size limit is reached).
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// The disk has not answered for longer than [`PATIENCE`].
    pub fn silent() -> AuditDown {
        let reason = "the disk that holds the data directory does not answer within 0.8 s";
        AuditDown { reason: reason.into(), full: false }
    }

    fn closed() -> AuditDown {
        AuditDown { reason: "it was closed because the process ends".into(), full: false }
    }
}

impl From<io::Error> for AuditDown {
    fn from(error: io::Error) -> AuditDown {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let full = matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge);
        let remedy = if full { "; free space on the disk that holds the data directory" } else { "" };
        AuditDown { reason: format!("{error}{remedy}").into(), full }
    }
}
