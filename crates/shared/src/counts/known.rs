//! Since when counts are known, and when what was lost before is waited out.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use quota::{StoreDown, Window};

use super::answer::UNCONFIRMED;
use super::{Counts, LEASE, answer, keys, timestamp};
use crate::options::Unknown;

/// What is known of what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All of it.
    All,
    /// What was counted since then: before that some may have been lost.
    Since(Timestamp),
    /// Nothing, until somebody confirms it.
    Unconfirmed,
}

impl Known {
    /// From when on a limit counts again that waits at `now`; `None` where it does not wait. Calls in flight have no window.
    /// Where it is not known, that is the end of time.
    pub fn counts_from(self, window: Option<Window>, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let since = match self {
            Self::All => return None,
            Self::Unconfirmed => return Some(Timestamp::MAX),
            Self::Since(since) => since,
        };
        let after =
            |span: SignedDuration| Some(since.checked_add(span).unwrap_or(Timestamp::MAX)).filter(|at| *at > now);
        match window {
            None => after(SignedDuration::try_from(LEASE).unwrap_or(SignedDuration::MAX)),
            // The part of the window in which it happened, and the 60 after it.
            Some(Window::Rolling(seconds)) => after(SignedDuration::from_millis(i64::from(seconds) * 1000 * 62 / 60)),
            Some(window) => match window.calendar(zone, now) {
                Some((begin, end)) => (since > begin).then_some(end),
                None => Some(Timestamp::MAX),
            },
        }
    }
}

impl Counts {
    /// Since when the counts of an organisation are known. Asking changes nothing.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis cannot be reached.
    pub async fn known_since(&self, organisation: &str) -> Result<Known, StoreDown> {
        let up = self.shared.link.up()?;
        let mut requests = redis::pipe();
        let generation = self.shared.keys.generation(&keys::tag_of(organisation));
        requests.cmd("HMGET").arg(generation).arg("id").arg("since").arg("run");
        let answers = self.shared.link.ask(&up, &requests, 1).await.map_err(|failed| self.reason(&up, failed))?;
        let (id, since, run): (Option<String>, Option<String>, Option<String>) = answer::read(answers)?;
        let trusted = up.trusted || run.is_some_and(|run| run == up.run.to_string());
        let since: i64 = match since.filter(|_| id.is_some() && trusted) {
            Some(since) => since.parse().map_err(|_| answer::unreadable())?,
            // Whoever counts next begins anew.
            None if self.shared.link.options().unknown == Unknown::Confirm => UNCONFIRMED,
            None => self.shared.link.time(),
        };
        Ok(match since {
            0 => Known::All,
            UNCONFIRMED.. => Known::Unconfirmed,
            since => Known::Since(timestamp(since)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_waited_out() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (lost, utc) = (at("2026-03-10T12:00:00Z"), TimeZone::UTC);
        let cases = [
            (None, "2026-03-10T12:00:59Z", Some("2026-03-10T12:01:00Z")),
            (None, "2026-03-10T12:01:00Z", None),
            (Some(Window::Rolling(3600)), "2026-03-10T13:00:00Z", Some("2026-03-10T13:02:00Z")),
            (Some(Window::Rolling(3600)), "2026-03-10T13:02:00Z", None),
            (Some(Window::Day), "2026-03-10T13:00:00Z", Some("2026-03-11T00:00:00Z")),
            (Some(Window::Day), "2026-03-11T00:00:00Z", None),
            (Some(Window::Month), "2026-03-31T00:00:00Z", Some("2026-04-01T00:00:00Z")),
            (Some(Window::Hour), "2026-03-10T12:00:00Z", None),
        ];
        for (window, now, again) in cases {
            assert_eq!(Known::Since(lost).counts_from(window, &utc, at(now)), again.map(at), "{window:?} {now}");
            assert_eq!(Known::All.counts_from(window, &utc, at(now)), None);
            assert_eq!(Known::Unconfirmed.counts_from(window, &utc, at(now)), Some(Timestamp::MAX));
        }
    }
}
