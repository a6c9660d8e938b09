//! The bytes of the counts: slots of fixed size behind the header.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quota::{Amount, BUCKETS, Bucket, CountId, Folded, Kind, Slot, Use, Window};

use super::header::Header;

/// Bytes of a slot. Two fill a page, so no slot crosses one.
pub(super) const SLOT: u64 = 2048;

/// The most bytes of an identity that a slot holds; longer ones end in their SHA-256.
const KEY: usize = 480;

/// The most bytes of a time zone's name.
const ZONE: usize = 48;

/// Bytes before the buckets: tags, lengths, digest, latest time, maximum.
const BUCKETS_AT: u64 = 56;

/// Where the latest time and the maximum begin.
const LATEST_AT: u64 = 32;

/// Bytes of a bucket: its number and what it holds.
const BUCKET: u64 = 24;

/// One count.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) digest: [u8; 16],
    pub(super) key: String,
    pub(super) state: State,
    /// Where it stands in the file, if it does yet.
    pub(super) place: Option<u64>,
    /// The latest time and the maximum as they stand in the file.
    stored: (i64, u128),
    window: Option<Window>,
    zone: String,
    max: u128,
}

/// What a slot counts.
#[derive(Debug)]
pub(super) enum State {
    Uses(Box<Slot>),
    InFlight(Vec<Lease>),
}

/// Calls in flight of one process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) lessee: u64,
    pub(super) calls: u64,
    /// When it last spoke of them, in seconds.
    pub(super) heartbeat: i64,
}

/// The name under which a count stands in the file.
pub(super) fn key(id: &CountId) -> Cow<'_, str> {
    let text = id.text();
    if text.len() <= KEY {
        return Cow::Borrowed(text);
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut key: String = text.chars().take(100).collect();
    key.push('…');
    digest.as_ref().iter().for_each(|byte| key.push_str(&format!("{byte:02x}")));
    Cow::Owned(key)
}

/// Finds a count, or the place where it may be put.
pub(super) fn probe(file: &File, header: &Header, digest: &[u8; 16], key: &str) -> io::Result<(u64, Option<Entry>)> {
    let (first, _) = digest.split_at(8);
    let start = u64::from_le_bytes(first.try_into().unwrap_or_default()) % header.slots;
    for step in 0..header.slots {
        let place = (start + step) % header.slots;
        match Entry::read(file, place)? {
            None => return Ok((place, None)),
            Some(entry) if entry.digest == *digest && entry.key == key => return Ok((place, Some(entry))),
            Some(_) => {}
        }
    }
    Err(io::Error::other("the table is full"))
}

/// Shows every count. All places are looked at: the number of counts in the header may be older than
/// the counts after a loss of power.
pub(super) fn each(file: &File, header: &Header, mut show: impl FnMut(u64, Entry)) -> io::Result<()> {
    const AT_ONCE: u64 = 64;
    let mut bytes = Vec::new();
    for first in (0..header.slots).step_by(64) {
        let places = AT_ONCE.min(header.slots - first);
        bytes.resize(usize::try_from(places * SLOT).map_err(|_| damaged("its size makes no sense"))?, 0);
        file.read_exact_at(&mut bytes, (first + 2) * SLOT).map_err(|error| damaged(&error.to_string()))?;
        for (place, slot) in (first..).zip(bytes.chunks_exact(2048)) {
            if let Some(entry) = Entry::parse(slot, place)? {
                show(place, entry);
            }
        }
    }
    Ok(())
}

/// Makes a table with room for four times the counts that have not run out, in a file that takes the
/// old one's name. The caller holds the old one's lock, and holds the new one's afterwards. Whoever
/// waits for the old one's lock finds that the name stands for another file.
pub(super) fn grow(directory: &Path, old: &File, header: &Header, now: Timestamp) -> io::Result<File> {
    let draft = directory.join(format!("ledger.{}", crate::log::ids::next()));
    let new = File::options().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
    rustix::fs::flock(&new, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
    let mut live = Vec::new();
    each(old, header, |_, entry| {
        if entry.is_live(now) {
            live.push(entry);
        }
    })?;
    let needed = u64::try_from(live.len()).unwrap_or(u64::MAX).saturating_mul(4);
    let slots = header.slots.max(needed.next_power_of_two());
    let mut grown = Header { slots, used: 0, changes: header.changes + 1, ..header.clone() };
    new.set_len((grown.slots + 2) * SLOT)?;
    for entry in &mut live {
        let (place, _) = probe(&new, &grown, &entry.digest, &entry.key)?;
        entry.write(&new, place)?;
        grown.used += 1;
    }
    grown.write(&new)?;
    new.sync_all()?;
    fs::rename(&draft, directory.join("ledger"))?;
    Ok(new)
}

/// Counts one more call of this process; `None` when too many processes have some.
pub(super) fn lease(leases: &mut Vec<Lease>, lessee: u64, now: i64) -> Option<()> {
    if let Some(lease) = leases.iter_mut().find(|lease| lease.lessee == lessee) {
        lease.calls += 1;
        lease.heartbeat = now;
        return Some(());
    }
    (leases.len() < BUCKETS).then(|| leases.push(Lease { lessee, calls: 1, heartbeat: now }))
}

/// One call of this process has ended.
pub(super) fn release(leases: &mut Vec<Lease>, lessee: u64) {
    if let Some(lease) = leases.iter_mut().find(|lease| lease.lessee == lessee) {
        lease.calls = lease.calls.saturating_sub(1);
    }
    leases.retain(|lease| lease.calls > 0);
}

impl Entry {
    pub(super) fn fresh(take: &Folded<'_>, key: Cow<'_, str>) -> Self {
        let flight = take.kind == Kind::Concurrency || take.window.is_none();
        Self {
            digest: take.id.digest(),
            key: key.into_owned(),
            state: if flight { State::InFlight(Vec::new()) } else { State::Uses(Box::default()) },
            place: None,
            stored: (i64::MIN, 0),
            window: take.window.filter(|_| !flight),
            zone: take.zone.iana_name().unwrap_or("UTC").chars().take(ZONE).collect(),
            max: take.max.micros(),
        }
    }

    pub(super) fn window(&self) -> Option<Window> {
        self.window
    }

    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    pub(super) fn shown(&self, used: Amount, now: Timestamp) -> Use {
        let (max, frees_at) = match (&self.state, self.window) {
            (State::Uses(slot), Some(window)) => {
                let max = Amount::from_micros(slot.max).unwrap_or_default();
                (max, slot.frees_at(window, &self.zone(), now, max, max))
            }
            _ => (Amount::from_micros(self.max).unwrap_or_default(), None),
        };
        Use { id: self.key.clone(), used, max, frees_at }
    }

    fn is_live(&self, now: Timestamp) -> bool {
        match (&self.state, self.window) {
            (State::Uses(slot), Some(window)) => !slot.used(window, &self.zone(), now).0.is_zero(),
            (State::InFlight(leases), _) => !leases.is_empty(),
            _ => false,
        }
    }

    /// The count at a place, if there is one.
    pub(super) fn read(file: &File, place: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; 2048];
        // The first two places hold the header.
        file.read_exact_at(&mut bytes, (place + 2) * SLOT).map_err(|error| damaged(&error.to_string()))?;
        Self::parse(&bytes, place)
    }

    fn parse(bytes: &[u8], place: u64) -> io::Result<Option<Self>> {
        let mut reader = Reader(bytes);
        let [kind, tag, ..] = reader.take::<4>()?;
        if kind == 0 {
            return Ok(None);
        }
        let seconds = reader.u32()?;
        let (key_length, zone_length) = (reader.u32()?, reader.u32()?);
        let digest = reader.take::<16>()?;
        let latest = reader.i64()?;
        let max = reader.u128()?;
        let mut buckets = [(0_i64, 0_u128); BUCKETS];
        for bucket in &mut buckets {
            *bucket = (reader.i64()?, reader.u128()?);
        }
        let zone = reader.text(zone_length)?;
        let key = reader.text(key_length)?;
        let (state, window) = if kind == 2 {
            let leases = buckets
                .iter()
                .filter(|(_, packed)| *packed != 0)
                .map(|(heartbeat, packed)| Lease {
                    lessee: u64::try_from(packed >> 64).unwrap_or(0),
                    calls: u64::try_from(packed & u128::from(u64::MAX)).unwrap_or(0),
                    heartbeat: *heartbeat,
                })
                .collect();
            (State::InFlight(leases), None)
        } else {
            let window = untag(tag, seconds).ok_or_else(|| damaged("a count has an unknown window"))?;
            (State::Uses(Box::new(Slot::stored(buckets, latest, max))), Some(window))
        };
        Ok(Some(Self { digest, key, state, place: Some(place), stored: (latest, max), window, zone, max }))
    }

    /// Puts the count at its place.
    pub(super) fn write(&mut self, file: &File, place: u64) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(2048);
        let (tag, seconds) = self.window.map_or((0, 0), tag);
        let empty = [(0_i64, 0_u128); BUCKETS];
        let (kind, latest, max, buckets) = match &self.state {
            State::Uses(slot) => (1, slot.latest, slot.max, slot.buckets),
            State::InFlight(leases) => {
                let mut buckets = empty;
                for (bucket, lease) in buckets.iter_mut().zip(leases) {
                    *bucket = (lease.heartbeat, u128::from(lease.lessee) << 64 | u128::from(lease.calls));
                }
                (2, 0, self.max, buckets)
            }
        };
        bytes.extend_from_slice(&[kind, tag, 0, 0]);
        bytes.extend_from_slice(&seconds.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.key.len()).unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.zone.len()).unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&self.digest);
        bytes.extend_from_slice(&latest.to_le_bytes());
        bytes.extend_from_slice(&max.to_le_bytes());
        for (number, used) in &buckets {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&used.to_le_bytes());
        }
        bytes.extend_from_slice(self.zone.as_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        if bytes.len() > 2048 {
            return Err(io::Error::other("the name of a count is too long"));
        }
        file.write_all_at(&bytes, (place + 2) * SLOT)?;
        self.place = Some(place);
        self.stored = (latest, max);
        Ok(())
    }

    /// Puts down what one bucket holds now, of a count that has its place. One small write is whole
    /// or not there when a process dies.
    pub(super) fn write_bucket(&mut self, file: &File, bucket: Bucket) -> io::Result<()> {
        let (Some(place), State::Uses(slot)) = (self.place, &self.state) else {
            return Err(io::Error::other("a count has no place"));
        };
        let Some((index, used)) = slot.bucket(bucket) else { return Ok(()) };
        let start = (place + 2) * SLOT;
        let mut bytes = [0; 24];
        let (number, rest) = bytes.split_at_mut(8);
        number.copy_from_slice(&bucket.0.to_le_bytes());
        rest.copy_from_slice(&used.to_le_bytes());
        file.write_all_at(&bytes, start + BUCKETS_AT + BUCKET * u64::try_from(index).unwrap_or(0))?;
        // The latest time matters when the clock is set back, the maximum when it is shown: once a
        // second is enough.
        let (latest, max) = self.stored;
        if slot.latest.saturating_sub(latest) >= 1_000_000_000 || slot.max != max {
            let (number, rest) = bytes.split_at_mut(8);
            number.copy_from_slice(&slot.latest.to_le_bytes());
            rest.copy_from_slice(&slot.max.to_le_bytes());
            file.write_all_at(&bytes, start + LATEST_AT)?;
            self.stored = (slot.latest, slot.max);
        }
        Ok(())
    }
}

fn tag(window: Window) -> (u8, u32) {
    match window {
        Window::Second => (1, 0),
        Window::Minute => (2, 0),
        Window::Hour => (3, 0),
        Window::Day => (4, 0),
        Window::Week => (5, 0),
        Window::Month => (6, 0),
        Window::Rolling(seconds) => (7, seconds),
    }
}

fn untag(tag: u8, seconds: u32) -> Option<Window> {
    Some(match tag {
        1 => Window::Second,
        2 => Window::Minute,
        3 => Window::Hour,
        4 => Window::Day,
        5 => Window::Week,
        6 => Window::Month,
        7 => Window::Rolling(seconds),
        _ => return None,
    })
}

pub(super) fn damaged(why: &str) -> io::Error {
    io::Error::other(format!(
        "the file is damaged ({why}); end all processes and move it away, and counts begin at zero"
    ))
}

/// Reads little-endian numbers one after the other.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn u32(&mut self) -> io::Result<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> io::Result<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> io::Result<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn u128(&mut self) -> io::Result<u128> {
        self.take().map(u128::from_le_bytes)
    }

    fn text(&mut self, length: u32) -> io::Result<String> {
        let length = usize::try_from(length).map_err(|_| damaged("a name is too long"))?;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("a name is too long"))?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| damaged("a name is no text"))
    }
}
