//! How often something took how long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Times, counted by bounds.
#[derive(Debug)]
pub struct Histogram {
    /// In microseconds, rising.
    bounds: &'static [u64],
    /// One more than bounds: the last is for what is longer than all.
    counts: Box<[AtomicU64]>,
    /// In microseconds.
    sum: AtomicU64,
}

impl Histogram {
    /// None yet.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// Counts one time.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = self.bounds.iter().position(|bound| micros <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Bounds in seconds, each with how many took no longer; then how many there were, and their sum in seconds. All
    /// from one look, so that the last bucket and the total agree.
    pub(super) fn read(&self) -> (Vec<(String, u64)>, u64, f64) {
        let mut below = 0;
        let counts = self.counts.iter().map(|count| {
            below += count.load(Ordering::Relaxed);
            below
        });
        let counts: Vec<u64> = counts.collect();
        let bounds = self.bounds.iter().map(|micros| seconds(*micros).to_string());
        let bounds = bounds.chain(std::iter::once("+Inf".to_owned()));
        (bounds.zip(counts).collect(), below, seconds(self.sum.load(Ordering::Relaxed)))
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_below_their_bounds() {
        let histogram = Histogram::new(&[1_000, 20_000]);
        for micros in [1, 1_000, 1_001, 20_000, 20_001, 5_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let (buckets, total, sum) = histogram.read();
        let expected = [("0.001", 2), ("0.02", 4), ("+Inf", 6)];
        assert_eq!(buckets, expected.map(|(bound, count)| (bound.to_owned(), count)));
        assert_eq!(total, 6);
        assert!((sum - 5.042_003).abs() < 1e-9, "{sum}");
    }
}
