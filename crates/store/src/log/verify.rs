//! Checks everything that lies in a data directory, with nothing but the files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use audit::{After, ChainReport, Fingerprint, Head, Id, Record, Verifier};

use super::heads::Heads;
use super::lines::Lines;
use super::prune;
use super::segments::{self, Chain};

/// What was found in a data directory's log.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// Every chain, oldest first, those with it that are missing.
    pub chains: Vec<ChainState>,
    /// Stands for all records of all chains; worth keeping elsewhere.
    pub head: Head,
    /// How many records are in order.
    pub records: u64,
    /// The line of the file `heads` that does not fit the lines before it: it was altered.
    pub heads_broken: Option<u64>,
    /// What became of the head that was asked for.
    pub asked: Option<Asked>,
}

/// A chain, and whether its process is alive.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ChainState {
    /// How the process stands.
    pub state: State,
    /// What is known of the chain.
    #[serde(flatten)]
    pub report: ChainReport,
}

/// How the process of a chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is alive: the chain may grow, its last allowed requests may be under way.
    Running,
    /// It said that it ends.
    Stopped,
    /// It ended without saying so.
    Crashed,
    /// Nothing of it is left, and the instance has signed that it was removed.
    Removed,
}

/// A head that somebody kept, and whether the log ever had it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Asked {
    /// The head.
    pub head: Head,
    /// Whether everything that it stands for is there.
    pub reached: bool,
    /// If it is the hash of one record: that record's chain and number.
    pub record: Option<(Id, u64)>,
}

/// Checks all chains below `audit`, and with `head` whether the log once had that head: an
/// overall head that [`keep_head`](super::keep_head) kept, the present one, or the hash of any
/// record. A chain whose end was cut off is found by a head from after it, and by every head that
/// was kept.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(audit: &Path, head: Option<Head>) -> io::Result<Report> {
    verify_signed(audit, head, None)
}

/// The same, where only signatures of `trusted` keys count, and every chain has to have one. Without trusted keys each
/// chain may be signed by any one key, and the report says by which.
///
/// # Errors
/// When a file cannot be read.
pub fn verify_signed(audit: &Path, head: Option<Head>, trusted: Option<&BTreeSet<Fingerprint>>) -> io::Result<Report> {
    let heads = Heads::read(audit, head)?;
    let mut known = heads.known.clone();
    for after in segments::chains(audit)?.iter().filter_map(first_record) {
        known.entry(after.chain).or_default().entry(after.seq).or_insert(after.head);
    }
    // Anew: a chain that one of them names may have been made since.
    let chains = segments::chains(audit)?;
    let mut asked = head.map(|head| Asked { head, reached: heads.found, record: None });
    let mut states = Vec::new();
    for chain in &chains {
        let known = known.remove(&chain.id).unwrap_or_default();
        states.push(check(chain, verifier(chain.id, known, trusted), &mut asked)?);
    }
    for (chain, known) in known {
        let state = State::Crashed;
        states.push(ChainState { state, report: verifier(chain, known, None).finish() });
    }
    states.sort_by_key(|state| state.report.chain);
    let mut report = Report {
        records: states.iter().map(|state| state.report.kept()).sum(),
        chains: states,
        head: Head::EMPTY,
        heads_broken: heads.broken,
        asked,
    };
    report.head = heads.next(report.reached()).1;
    let present = report.head;
    if let Some(asked) = &mut report.asked {
        asked.reached |= asked.head == present;
    }
    Ok(report)
}

impl Report {
    /// Whether nothing was tampered with, and the head that was asked for was reached. Crashes
    /// are no tampering.
    pub fn is_intact(&self) -> bool {
        self.heads_broken.is_none()
            && self.chains.iter().all(|chain| chain.report.finding.is_none())
            && self.asked.is_none_or(|asked| asked.reached)
    }

    /// How far each chain has come.
    pub(super) fn reached(&self) -> impl Iterator<Item = (Id, u64, &Head)> {
        let reports = self.chains.iter().map(|chain| &chain.report);
        reports.map(|report| (report.chain, report.records, &report.head))
    }
}

fn verifier(chain: Id, known: BTreeMap<u64, Head>, trusted: Option<&BTreeSet<Fingerprint>>) -> Verifier {
    let mut verifier = Verifier::new(chain);
    if let Some(trusted) = trusted {
        verifier.trust(trusted.clone());
    }
    known.into_iter().for_each(|(seq, head)| verifier.expect(seq, head));
    verifier
}

/// The chain that was there before this one, as its first record says it. Whether that record is
/// in order comes out when its chain is checked.
fn first_record(chain: &Chain) -> Option<After> {
    if let Some(Ok(beginning)) = prune::read(&chain.path).ok()? {
        return beginning.after;
    }
    let mut lines = Lines::open(&chain.segment(1)).ok()?;
    Record::decode(lines.next().ok()??).ok()?.after
}

/// What the files of one chain say of it.
pub(super) fn check_alone(chain: &Chain) -> io::Result<ChainReport> {
    Ok(check(chain, Verifier::new(chain.id), &mut None)?.report)
}

fn check(chain: &Chain, mut verifier: Verifier, asked: &mut Option<Asked>) -> io::Result<ChainState> {
    // Asked before reading: what is cut off in the file of a process that has ended stays so.
    let running = chain.is_running();
    let mut segments = segments::segment_numbers(&chain.path)?;
    let mut removed = false;
    if let Some(beginning) = prune::read(&chain.path)? {
        if let Ok(beginning) = &beginning {
            // What was signed away may still be there for a while.
            segments.retain(|number| *number >= beginning.segment);
            removed = segments.is_empty();
        }
        verifier.begin_with(beginning);
    }
    for (index, number) in segments.iter().enumerate() {
        if !verifier.begin(*number) {
            break;
        }
        let mut lines = Lines::open(&chain.segment(*number))?;
        while let Some(line) = lines.next()? {
            if !verifier.line(line) {
                break;
            }
            if let Some(asked) = asked
                && asked.head == verifier.head()
            {
                asked.reached = true;
                asked.record = Some((chain.id, verifier.seq()));
            }
        }
        let last = index + 1 == segments.len();
        if !verifier.is_broken() {
            verifier.end(lines.tail(), last);
        }
    }
    let mut report = verifier.finish();
    let state = match (running, report.stopped) {
        (_, true) => State::Stopped,
        (true, false) => State::Running,
        (false, false) if removed => State::Removed,
        (false, false) => State::Crashed,
    };
    if state == State::Running {
        // It is being written.
        report.crash = None;
    }
    Ok(ChainState { state, report })
}
