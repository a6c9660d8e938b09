//! What was told of held definitions, so that each is told once and a server that changes its
//! definitions all the time fills neither the log nor the memory.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use risk::pins::{Pin, Section};

/// Definitions of one server that are told and recorded singly in a minute; the rest is counted.
pub(super) const SINGLY: usize = 60;

/// Definitions that are remembered after they were held: one that comes and goes is told once.
const REMEMBERED: usize = 1_000;

const MINUTE: Duration = Duration::from_secs(60);

/// The held definitions of one server that were told, by their digests, which cover their names.
#[derive(Default)]
pub(super) struct Told {
    held: HashSet<String>,
    before: VecDeque<String>,
    /// When this minute began, and how many were told in it.
    minute: Option<(Instant, usize)>,
}

/// Held definitions that nobody was told of yet.
pub(super) struct News {
    /// To be told and recorded one by one.
    pub singly: Vec<(String, Pin)>,
    /// How many more there are.
    pub beyond: usize,
}

impl Told {
    /// Takes what is held from now on, and gives what of it is new.
    pub(super) fn news(&mut self, held: Section, now: Instant) -> News {
        let digests: HashSet<String> = held.values().map(|pin| pin.digest.clone()).collect();
        let mut fresh: Vec<(String, Pin)> = {
            let before: HashSet<&String> = self.before.iter().collect();
            let known = |pin: &Pin| self.held.contains(&pin.digest) || before.contains(&pin.digest);
            held.into_iter().filter(|(_, pin)| !known(pin)).collect()
        };
        self.before.retain(|digest| !digests.contains(digest));
        self.before.extend(std::mem::take(&mut self.held).into_iter().filter(|digest| !digests.contains(digest)));
        self.before.drain(..self.before.len().saturating_sub(REMEMBERED));
        self.held = digests;
        let all = fresh.len();
        fresh.truncate(self.take(all, now));
        News { beyond: all - fresh.len(), singly: fresh }
    }

    /// How many of so many may be told singly.
    fn take(&mut self, wanted: usize, now: Instant) -> usize {
        let (begun, told) = match self.minute {
            Some((begun, told)) if now.saturating_duration_since(begun) < MINUTE => (begun, told),
            _ => (now, 0),
        };
        let granted = wanted.min(SINGLY.saturating_sub(told));
        self.minute = Some((begun, told + granted));
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Class;

    fn held(numbers: std::ops::Range<usize>) -> Section {
        let one = |number: usize| {
            let pin = Pin {
                digest: format!("sha256:{number}"),
                class: Class::Write,
                set: None,
                accepted: String::new(),
                by: String::new(),
                definition: "{}".to_owned(),
            };
            (format!("tool {number}"), pin)
        };
        numbers.map(one).collect()
    }

    #[test]
    fn each_is_told_once_and_so_many_a_minute() {
        let mut told = Told::default();
        let begun = Instant::now();
        let mut news = |numbers, seconds| {
            let news = told.news(held(numbers), begun + Duration::from_secs(seconds));
            (news.singly.len(), news.beyond)
        };
        assert_eq!(news(0..50, 0), (50, 0));
        assert_eq!(news(0..50, 1), (0, 0), "nothing new");
        assert_eq!(news(50..51, 2), (1, 0));
        assert_eq!(news(0..50, 3), (0, 0), "they were told a moment ago");
        assert_eq!(news(100..200, 4), (9, 91));
        assert_eq!(news(100..200, 61), (0, 0), "what was counted is not told later");
        assert_eq!(news(200..300, 61), (60, 40));
    }

    #[test]
    fn a_server_that_changes_all_the_time_takes_no_memory() {
        let mut told = Told::default();
        for turn in 0..200 {
            told.news(held(turn * 50..turn * 50 + 50), Instant::now());
            assert!(told.held.len() == 50 && told.before.len() <= REMEMBERED);
        }
    }
}
