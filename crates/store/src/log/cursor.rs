//! All chains read as one log, in the order of time, and on as they grow.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use audit::{Id, Record};
use jiff::Timestamp;

use super::lines::ChainLines;
use super::segments::{self, Chain};

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the oldest record.
    Oldest,
    /// With the first record at this time or later.
    Since(Timestamp),
    /// Behind the newest record.
    Newest,
}

/// A record, and the line it was read from.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The chain that it belongs to.
    pub chain: Id,
    /// The line as it stands in the file, without its line feed: JSON in which everything that a
    /// reader could not see is escaped.
    pub line: String,
    /// What it says.
    pub record: Record,
}

/// Reads all chains below a directory. [`next`](Cursor::next) gives records in the order of their
/// times (as far as the chains' clocks agree) until it has given all there are; asked again later
/// it gives those that came since, of new chains too. Open files: one for each chain that was
/// written at the time being read.
pub struct Cursor {
    audit: PathBuf,
    since: Option<Timestamp>,
    /// Chains that began later than what is being read, oldest first.
    waiting: BTreeMap<Id, Chain>,
    reading: BTreeMap<Id, ChainLines>,
    /// Chains that were seen; those of them that are neither waiting nor read are at their end.
    seen: HashSet<Id>,
    /// The next record of each chain that has one.
    heap: BinaryHeap<Reverse<Next>>,
    line: Vec<u8>,
    damaged: u64,
}

struct Next(Entry);

impl Cursor {
    /// Begins to read the chains below `audit`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(audit: &Path, begin: Begin) -> io::Result<Cursor> {
        let mut cursor = Cursor {
            audit: audit.to_owned(),
            since: if let Begin::Since(since) = begin { Some(since) } else { None },
            waiting: BTreeMap::new(),
            reading: BTreeMap::new(),
            seen: HashSet::new(),
            heap: BinaryHeap::new(),
            line: Vec::new(),
            damaged: 0,
        };
        if begin == Begin::Newest {
            for chain in segments::chains(audit)? {
                cursor.seen.insert(chain.id);
                if chain.is_running() {
                    let mut lines = ChainLines::new(chain.path, 1);
                    lines.skip_to_end()?;
                    cursor.reading.insert(chain.id, lines);
                }
            }
        }
        Ok(cursor)
    }

    /// The next record; `None` when there is none at present.
    ///
    /// # Errors
    /// When a file cannot be read.
    #[expect(clippy::should_implement_trait, reason = "an iterator is over once it gave none; this goes on")]
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        if self.heap.is_empty() {
            self.look_around()?;
        }
        while let Some(chain) = self.due() {
            self.begin(chain)?;
        }
        let Some(Reverse(Next(entry))) = self.heap.pop() else {
            return Ok(None);
        };
        self.refill(entry.chain)?;
        Ok(Some(entry))
    }

    /// How many lines were passed over because they are no records. If there are any, the log was
    /// tampered with: [`verify`](super::verify()) says where.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Sees what grew and what is new.
    fn look_around(&mut self) -> io::Result<()> {
        for id in self.reading.keys().copied().collect::<Vec<_>>() {
            self.refill(id)?;
        }
        for id in segments::chain_ids(&self.audit)? {
            if !self.seen.insert(id) {
                continue;
            }
            let path = self.audit.join(id.to_string());
            let segments = segments::segment_numbers(&path)?;
            self.waiting.insert(id, Chain { id, path, segments });
        }
        Ok(())
    }

    /// A chain that may have a record before all those at hand.
    fn due(&mut self) -> Option<Chain> {
        let (id, _) = self.waiting.first_key_value()?;
        let reached = self.heap.peek().map(|Reverse(Next(entry))| entry.record.time.as_millisecond());
        let begun = i64::try_from(id.millis()).unwrap_or(i64::MAX);
        if reached.is_some_and(|reached| begun > reached) {
            return None;
        }
        self.waiting.pop_first().map(|(_, chain)| chain)
    }

    fn begin(&mut self, chain: Chain) -> io::Result<()> {
        let first = match self.since {
            Some(since) => first_segment_since(&chain, since),
            None => chain.segments.first().copied(),
        };
        // A chain without segments gets its first one with its first record.
        let first = first.or(chain.segments.is_empty().then_some(1));
        // Nothing new in it, but there may be.
        let growing = || chain.segments.last().copied().filter(|_| chain.is_running());
        let Some(first) = first.or_else(growing) else {
            return Ok(());
        };
        self.reading.insert(chain.id, ChainLines::new(chain.path, first));
        self.refill(chain.id)
    }

    /// Puts the next record of a chain on the heap, or lets the chain go if it is at its end.
    fn refill(&mut self, id: Id) -> io::Result<()> {
        let Some(lines) = self.reading.get_mut(&id) else {
            return Ok(());
        };
        let mut ended = false;
        loop {
            if lines.read(&mut self.line)? {
                let Ok(record) = Record::decode(&self.line) else {
                    self.damaged += 1;
                    continue;
                };
                if self.since.is_some_and(|since| record.time < since) {
                    continue;
                }
                let line = String::from_utf8_lossy(&self.line).into_owned();
                self.heap.push(Reverse(Next(Entry { chain: id, line, record })));
                return Ok(());
            }
            if ended {
                self.reading.remove(&id);
                return Ok(());
            }
            if segments::is_running(lines.path()) {
                return Ok(());
            }
            // It may have written and ended since it was read: once more, now that it has ended.
            ended = true;
        }
    }
}

/// The first segment of a chain that can hold a record of `since` or later: all before it were
/// last written before. `None` when there is none.
pub(super) fn first_segment_since(chain: &Chain, since: Timestamp) -> Option<u32> {
    // Clocks of files are coarse and a record is stamped before it is written.
    let earliest = since.checked_sub(jiff::SignedDuration::from_secs(2)).unwrap_or(since);
    let written = |number: u32| {
        let modified = std::fs::metadata(chain.segment(number)).ok()?.modified().ok()?;
        Timestamp::try_from(modified).ok()
    };
    chain.segments.iter().copied().find(|number| written(*number).is_none_or(|time| time >= earliest))
}

impl Next {
    fn key(&self) -> (Timestamp, Id, u64) {
        (self.0.record.time, self.0.chain, self.0.record.seq)
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Next) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Next) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Next) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
