//! A slot as bytes.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–7 | checksum of bytes 8–1023 |
//! | 8–23 | digest of the count |
//! | 24 | what it holds: 1 calendar, 2 rolling, 3 calls in flight; 0: empty |
//! | 28–31 | the window: seconds, or 1–6 for second to month |
//! | 32–47 | maximum of the latest take |
//! | 64– | calendar: start, end, steady end (8 each), used (16); rolling: newest (8), 61 × 12; calls in flight: next epoch (4), number (4), then holder (8), epoch (4), calls (4) of each |
//!
//! Numbers are little-endian; amounts in millionths.

use super::calendar::Calendar;
use super::leases::{Lease, Leases, MAX_HOLDERS};
use super::rolling::Rolling;
use super::{Slot, State};
use crate::{Amount, Window};

/// The bytes of a slot.
pub const SIZE: usize = 1024;

const BODY: usize = 64;
/// Bytes of one sixtieth: 96 bits hold 7 × 10^7 times the largest maximum.
const USE: usize = 12;

/// The bytes are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored count is damaged")]
pub struct Damaged;

impl Slot {
    /// Writes the slot over all of `out`.
    pub fn encode(&self, out: &mut [u8; SIZE]) {
        out.fill(0);
        put(out, 8, &self.digest);
        put(out, 32, &self.max.micros().to_le_bytes());
        let (kind, window) = match &self.state {
            State::Calendar(window, calendar) => {
                put(out, BODY, &calendar.start.to_le_bytes());
                put(out, BODY + 8, &calendar.end.to_le_bytes());
                put(out, BODY + 16, &calendar.steady_end.to_le_bytes());
                put(out, BODY + 24, &calendar.used.to_le_bytes());
                (1, code(*window))
            }
            State::Rolling(rolling) => {
                put(out, BODY, &rolling.newest.to_le_bytes());
                let stored = out.get_mut(BODY + 8..).unwrap_or_default();
                for (place, uses) in stored.chunks_exact_mut(USE).zip(rolling.uses) {
                    let bytes = uses.min((1 << 96) - 1).to_le_bytes();
                    place.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
                }
                (2, rolling.seconds)
            }
            State::Leases(leases) => {
                put(out, BODY, &leases.next_epoch.to_le_bytes());
                let number = u32::try_from(leases.leases.len()).unwrap_or(u32::MAX);
                put(out, BODY + 4, &number.to_le_bytes());
                for (index, lease) in leases.leases.iter().take(MAX_HOLDERS).enumerate() {
                    let at = BODY + 8 + index * 16;
                    put(out, at, &lease.holder.to_le_bytes());
                    put(out, at + 8, &lease.epoch.to_le_bytes());
                    put(out, at + 12, &lease.calls.to_le_bytes());
                }
                (3, 0)
            }
        };
        put(out, 24, &[kind]);
        put(out, 28, &window.to_le_bytes());
        let sum = checksum(out);
        put(out, 0, &sum.to_le_bytes());
    }

    /// Reads a slot; `None` where there is none.
    ///
    /// # Errors
    /// When the bytes are not what [`Slot::encode`] wrote.
    pub fn decode(bytes: &[u8; SIZE]) -> Result<Option<Slot>, Damaged> {
        let sum = u64::from_le_bytes(get(bytes, 0)?);
        let [kind] = get(bytes, 24)?;
        if sum == 0 && kind == 0 && bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if sum != checksum(bytes) {
            return Err(Damaged);
        }
        let window = u32::from_le_bytes(get(bytes, 28)?);
        let state = match kind {
            1 => State::Calendar(
                named(window)?,
                Calendar {
                    start: i64::from_le_bytes(get(bytes, BODY)?),
                    end: i64::from_le_bytes(get(bytes, BODY + 8)?),
                    steady_end: i64::from_le_bytes(get(bytes, BODY + 16)?),
                    used: u128::from_le_bytes(get(bytes, BODY + 24)?),
                },
            ),
            2 => {
                let mut rolling = Rolling::new(window);
                rolling.newest = i64::from_le_bytes(get(bytes, BODY)?);
                let stored = bytes.get(BODY + 8..).unwrap_or_default();
                for (uses, place) in rolling.uses.iter_mut().zip(stored.chunks_exact(USE)) {
                    let mut wide = [0; 16];
                    wide.iter_mut().zip(place).for_each(|(to, from)| *to = *from);
                    *uses = u128::from_le_bytes(wide);
                }
                State::Rolling(rolling)
            }
            3 => {
                let number = usize::try_from(u32::from_le_bytes(get(bytes, BODY + 4)?)).map_err(|_| Damaged)?;
                if number > MAX_HOLDERS {
                    return Err(Damaged);
                }
                let lease = |index: usize| {
                    let at = BODY + 8 + index * 16;
                    Ok(Lease {
                        holder: u64::from_le_bytes(get(bytes, at)?),
                        epoch: u32::from_le_bytes(get(bytes, at + 8)?),
                        calls: u32::from_le_bytes(get(bytes, at + 12)?),
                    })
                };
                let leases = (0..number).map(lease).collect::<Result<_, Damaged>>()?;
                State::Leases(Leases { next_epoch: u32::from_le_bytes(get(bytes, BODY)?), leases })
            }
            _ => return Err(Damaged),
        };
        let max = Amount::sum(u128::from_le_bytes(get(bytes, 32)?));
        Ok(Some(Slot { digest: get(bytes, 8)?, max, state }))
    }

    /// The digest that the bytes of a slot begin with, unchecked: to look for a count quickly.
    #[must_use]
    pub fn peek_digest(bytes: &[u8; SIZE]) -> [u8; 16] {
        get(bytes, 8).unwrap_or_default()
    }
}

fn code(window: Window) -> u32 {
    match window {
        Window::Second => 1,
        Window::Minute => 2,
        Window::Hour => 3,
        Window::Day => 4,
        Window::Week => 5,
        Window::Month => 6,
        Window::Rolling(seconds) => seconds,
    }
}

fn named(code: u32) -> Result<Window, Damaged> {
    Ok(match code {
        1 => Window::Second,
        2 => Window::Minute,
        3 => Window::Hour,
        4 => Window::Day,
        5 => Window::Week,
        6 => Window::Month,
        _ => return Err(Damaged),
    })
}

fn put(out: &mut [u8; SIZE], at: usize, bytes: &[u8]) {
    if let Some(place) = out.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn get<const N: usize>(bytes: &[u8; SIZE], at: usize) -> Result<[u8; N], Damaged> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or(Damaged)
}

/// Tells torn and foreign bytes from whole ones. Four lanes, so that multiplications overlap; each
/// word's place matters, and a single changed bit always changes the sum.
fn checksum(bytes: &[u8; SIZE]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut lanes: [u64; 4] = [1, 2, 3, 4];
    let mut words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default())).skip(1);
    loop {
        for lane in &mut lanes {
            let Some(word) = words.next() else {
                let sum = lanes.iter().fold(0_u64, |sum, lane| (sum.rotate_left(17) ^ lane).wrapping_mul(FACTOR));
                return sum | 1;
            };
            *lane = (*lane ^ word).wrapping_mul(FACTOR).rotate_left(31);
        }
    }
}
