//! Identifiers for events: ULIDs that rise within a process.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use audit::Id;

/// The last one that was given out.
static LAST: Mutex<u128> = Mutex::new(0);

/// A new identifier: the present time and 80 random bits; within one millisecond (and while the
/// clock runs back) the last one plus one. Chance is asked for once a millisecond at most.
pub fn next() -> Id {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = since.as_millis() & ((1 << 48) - 1);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = if millis > *last >> 80 { millis << 80 | chance(*last) } else { last.wrapping_add(1) };
    Id::from_bits(*last)
}

/// 80 random bits. Identifiers are no secrets: without a source of chance the last ones, moved on
/// by the process id, still tell events apart.
fn chance(last: u128) -> u128 {
    const MASK: u128 = (1 << 80) - 1;
    let mut bytes = [0; 16];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u128::from_le_bytes(bytes) & MASK,
        Err(_) => last.wrapping_add(u128::from(std::process::id()) << 40 | 1) & MASK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rise_and_differ_across_threads() {
        let threads: Vec<_> =
            (0..8).map(|_| std::thread::spawn(|| (0..5000).map(|_| next()).collect::<Vec<_>>())).collect();
        let mut all = Vec::new();
        for thread in threads {
            let ids = thread.join().unwrap();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
            all.extend(ids);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }
}
