//! What the audit log says of servers: how many calls, what was stopped, and what observed rules would have stopped.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use audit::{Decided, Effect};
use jiff::Timestamp;
use store::log::lines_since;

use crate::environment::audit_log;
use crate::failure::{Failure, Trying};

/// What became of the calls of one server.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Calls {
    /// All of them: tools, resources and prompts.
    pub all: u64,
    /// Those that were not forwarded.
    pub stopped: u64,
    /// Those that were, and that an observed rule would have stopped.
    pub would: u64,
}

/// So many times, from the first to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// How often.
    pub times: u64,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

impl Times {
    fn once(time: Timestamp) -> Self {
        Self { times: 1, first: time, last: time }
    }

    fn and(&mut self, time: Timestamp) {
        self.times += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }
}

/// A count of times by what it is of.
pub type Tally<K> = BTreeMap<K, Times>;

fn count<K: Ord>(tally: &mut Tally<K>, key: K, time: Timestamp) {
    tally.entry(key).and_modify(|times| times.and(time)).or_insert_with(|| Times::once(time));
}

/// What observed rules would have stopped, and what was called at all.
#[derive(Debug, Default)]
pub struct Watched {
    /// Every call, by its name.
    pub called: Tally<String>,
    /// Calls that a rule would have stopped, by name, effect and rule: under the policy with one digest.
    pub would: Tally<(String, &'static str, String)>,
    /// Calls under that policy.
    pub under_policy: u64,
}

/// The calls of every server since a time.
///
/// # Errors
/// When the audit log cannot be read.
pub fn by_server(data: &Path, since: Timestamp) -> Result<HashMap<String, Calls>, Failure> {
    let mut servers: HashMap<String, Calls> = HashMap::new();
    each(data, since, |decided| {
        let Some(server) = decided.server else { return };
        let calls = servers.entry(server).or_default();
        calls.all += 1;
        calls.stopped += u64::from(decided.effect != Effect::Allow);
        calls.would += u64::from(decided.effect == Effect::Allow && !decided.would.is_empty());
    })?;
    Ok(servers)
}

/// What was called of servers since a time; each is named with the digest of its policy.
///
/// # Errors
/// When the audit log cannot be read.
pub fn watched(data: &Path, since: Timestamp, servers: &[(&str, &str)]) -> Result<Vec<Watched>, Failure> {
    let mut all: Vec<Watched> = servers.iter().map(|_| Watched::default()).collect();
    each(data, since, |decided| {
        for ((server, digest), watched) in servers.iter().zip(&mut all) {
            if decided.server.as_deref() != Some(server) {
                continue;
            }
            count(&mut watched.called, decided.name().to_owned(), decided.time);
            if decided.policy.as_deref() != Some(digest) {
                continue;
            }
            watched.under_policy += 1;
            // A call is stopped once, by the first rule that says so.
            if let (Effect::Allow, Some(would)) = (decided.effect, decided.would.first()) {
                let key = (decided.name().to_owned(), would.effect.as_str(), would.rule.clone().into_owned());
                count(&mut watched.would, key, decided.time);
            }
        }
    })?;
    Ok(all)
}

/// Every decision since a time, in no order. A data directory that is not there has none.
fn each(data: &Path, since: Timestamp, mut each: impl FnMut(Decided)) -> Result<(), Failure> {
    if !data.is_dir() {
        return Ok(());
    }
    let read = lines_since(&audit_log(Some(data))?, since, |line| {
        if let Some(decided) = Decided::read(line).filter(|decided| decided.time >= since) {
            each(decided);
        }
    });
    read.trying(format!("the audit log in {}", data.display()))
}

/// So long before now: `90m`, `1h`, `7d`, or a time.
///
/// # Errors
/// When it is neither.
pub fn since(text: &str) -> Result<Timestamp, Failure> {
    let wrong = || {
        let form = "write how long ago, such as 90m, 1h or 7d, or a time such as 2026-11-21T14:00:00Z";
        Failure::Usage(format!("--since {}: {form}", audit::visible::word(text)))
    };
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().ok().filter(|number| *number >= 0).ok_or_else(wrong)?;
    let length = number.checked_mul(seconds).map(jiff::SignedDuration::from_secs).ok_or_else(wrong)?;
    // Before all clocks is as good as at their beginning.
    Ok(Timestamp::now().checked_sub(length).unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_are_understood() {
        let ago = |text: &str| {
            let then = since(text).unwrap();
            Timestamp::now().duration_since(then).as_secs()
        };
        for (text, seconds) in [("0s", 0), ("90m", 5_400), ("1h", 3_600), ("7d", 604_800), ("2w", 1_209_600)] {
            assert!((seconds..seconds + 60).contains(&ago(text)), "{text}");
        }
        assert_eq!(since("2026-11-21T14:00:00Z").unwrap().to_string(), "2026-11-21T14:00:00Z");
        assert_eq!(since("999999999999999w").map(|_| ()).map_err(|_| ()), Err(()));
        for wrong in ["", "h", "1", "-1h", "1y", "é", "1 h", "yesterday"] {
            assert!(since(wrong).unwrap_err().to_string().contains("90m"), "{wrong}");
        }
    }
}
