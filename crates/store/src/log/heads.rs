//! Heads that were given out, and what they stand for: `<audit>/heads`.
//!
//! The overall head stands for the heads of all chains at one time. The chains grow on, so that
//! it can be found again only if it is known which heads those were: they are kept as lines
//! `<chain> <number> <hash>`, closed by `= <head>`, which is SHA-256 over the head before and
//! these lines. Only chains that grew since are listed. Whoever alters the file makes the heads
//! that were given out disappear, and cannot make them stand for something else.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use audit::{Head, Id};

use super::Report;

/// Name of the file.
const NAME: &str = "heads";

/// Every head that was kept.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The last one.
    pub(super) last: Head,
    /// What all of them say: hashes by chain and number.
    pub(super) known: BTreeMap<Id, BTreeMap<u64, Head>>,
    /// Bytes up to the end of the last one.
    good: u64,
    /// The line at which the file stops making sense.
    pub(super) broken: Option<u64>,
    /// Whether the one that was looked for is among them.
    pub(super) found: bool,
}

impl Heads {
    /// Reads those kept under `audit`, looking for one of them.
    pub(super) fn read(audit: &Path, wanted: Option<Head>) -> io::Result<Heads> {
        match File::open(audit.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Heads::default()),
            file => Heads::parse(&mut file?, wanted),
        }
    }

    fn parse(file: &mut File, wanted: Option<Head>) -> io::Result<Heads> {
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut heads = Heads::default();
        let (mut block, mut claims) = (Vec::new(), Vec::new());
        let mut offset = 0;
        for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
            offset += line.len();
            // Without its line feed it was cut off by a crash, and never given out.
            let Some(content) = line.strip_suffix(b"\n") else {
                break;
            };
            let content = std::str::from_utf8(content).unwrap_or_default();
            if let Some(closing) = content.strip_prefix("= ") {
                let head = heads.last.then(&[&block]);
                if head.to_string() != closing {
                    heads.broken = Some(number);
                    break;
                }
                heads.close(head, wanted, std::mem::take(&mut claims));
                heads.good = u64::try_from(offset).unwrap_or(u64::MAX);
                block.clear();
            } else if let Some(claim) = parse_claim(content) {
                claims.push(claim);
                block.extend_from_slice(line);
            } else {
                heads.broken = Some(number);
                break;
            }
        }
        Ok(heads)
    }

    fn close(&mut self, head: Head, wanted: Option<Head>, claims: Vec<(Id, u64, Head)>) {
        self.last = head;
        self.found |= wanted == Some(head);
        for (chain, seq, hash) in claims {
            self.known.entry(chain).or_default().insert(seq, hash);
        }
    }

    /// The lines to be added for chains that have come this far, and the head that they make.
    pub(super) fn next<'r>(&self, reached: impl Iterator<Item = (Id, u64, &'r Head)>) -> (String, Head) {
        let mut block = String::new();
        for (chain, seq, head) in reached {
            let before = self.known.get(&chain).and_then(BTreeMap::last_key_value);
            if seq > before.map_or(0, |(seq, _)| *seq) {
                block.push_str(&format!("{chain} {seq} {head}\n"));
            }
        }
        let head = if block.is_empty() { self.last } else { self.last.then(&[block.as_bytes()]) };
        (block, head)
    }
}

fn parse_claim(line: &str) -> Option<(Id, u64, Head)> {
    let mut words = line.split(' ');
    let claim = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(claim)
}

/// Keeps the overall head of a report that found nothing wrong, and returns it: from now on it
/// can be asked for, and every later [`verify`](super::verify()) misses what it stands for. When
/// another process kept one since, the head returned is another one than the report's.
///
/// # Errors
/// When the report found something wrong, or the file cannot be written (a copy that may only be
/// read, say): then the report's head is good for as long as no chain grows.
pub fn keep_head(audit: &Path, report: &Report) -> io::Result<Head> {
    if !report.is_intact() {
        return Err(io::Error::other("the log is not intact: its head is not kept"));
    }
    if report.chains.is_empty() {
        return Ok(report.head);
    }
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(audit.join(NAME))?;
    file.lock()?;
    let heads = Heads::parse(&mut file, None)?;
    if let Some(line) = heads.broken {
        return Err(io::Error::other(format!("line {line} of `{NAME}` does not fit the lines before it")));
    }
    let (block, head) = heads.next(report.reached());
    if !block.is_empty() {
        // Behind the last head may stand the beginning of one that was never given out.
        file.set_len(heads.good)?;
        file.seek(io::SeekFrom::Start(heads.good))?;
        file.write_all(format!("{block}= {head}\n").as_bytes())?;
        file.sync_data()?;
    }
    Ok(head)
}
