//! What a call asks of the script, and what its answer means.

use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quota::{Amount, Bucket, CountId, Folded, Full, Held, Kind, Receipt, StoreDown, Take, Window};

use super::answer::{self, Answer};
use super::script::{Invocation, TAKE};
use super::{Counts, LEASE, generation_text, keys, micros_text, timestamp};
use crate::link::{Up, enough};
use crate::options::Unknown;

/// How often a window is asked for that Redis's clock is in.
const ATTEMPTS: usize = 3;

/// What the script is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Take,
    Look,
}

/// What came of asking.
pub(super) enum Reached {
    Fits { generation: u64, buckets: Vec<Bucket>, would: Vec<usize> },
    Full(Full),
}

/// What a call asks of its counts.
pub(super) struct Asked<'a> {
    pub(super) mode: Mode,
    /// All of them or none.
    pub(super) enforced: &'a [Folded<'a>],
    /// Each by itself.
    pub(super) observed: &'a [Take],
    /// Each by itself, if the call is not made.
    pub(super) attempts: &'a [Take],
    /// The number of the call.
    pub(super) call: i64,
    /// A time in place of Redis's own.
    pub(super) at: Option<Timestamp>,
}

/// One of these counts.
struct Count<'a> {
    id: &'a CountId,
    kind: Kind,
    window: Option<Window>,
    zone: &'a TimeZone,
    max: Amount,
    amount: Amount,
}

impl Asked<'_> {
    fn counts(&self) -> impl Iterator<Item = Count<'_>> {
        let enforced = self.enforced.iter().map(|take| Count {
            id: take.id,
            kind: take.kind,
            window: take.window,
            zone: take.zone,
            max: take.max,
            amount: take.amount,
        });
        enforced.chain(self.observed.iter().chain(self.attempts).map(|take| Count {
            id: &take.id,
            kind: take.kind,
            window: take.window,
            zone: &take.zone,
            max: take.max,
            amount: take.amount,
        }))
    }
}

impl Counts {
    pub(super) async fn ask(&self, asked: &Asked<'_>) -> Result<Reached, StoreDown> {
        let link = &self.shared.link;
        let up = link.up()?;
        let options = link.options();
        let deadline = Instant::now() + options.timeout.get();
        let believed = asked.at.map_or_else(|| link.time(), |at| at.as_microsecond());
        let takes = asked.enforced;
        let mut times: Vec<i64> = vec![believed; asked.counts().count()];
        for _ in 0..ATTEMPTS {
            let invocation = self.taking(asked, &times, &up)?;
            let replicas = (asked.mode == Mode::Take && options.replicas > 0).then_some(options.replicas);
            let (answer, copies) = self.answer(&up, &invocation, replicas, deadline).await?;
            let answer = Answer::parse(answer, takes.len())?;
            if asked.at.is_none() {
                link.learn(answer.now());
            }
            if let (Answer::Fits { generation, buckets, .. }, Some(copies)) = (&answer, copies)
                && let Err(what) = enough(copies, options)
            {
                // Nothing is forwarded, so nothing was used.
                self.give_back_later(taken(asked, buckets).of_generation(*generation));
                return Err(link.trip(&up, &what));
            }
            match answer {
                Answer::Edges { times: others, .. } if others.len() == times.len() => times = others,
                Answer::Edges { .. } => return Err(answer::unreadable()),
                Answer::Fits { generation, buckets, would, .. } => {
                    return Ok(Reached::Fits { generation, buckets, would });
                }
                Answer::Full { now, place, used, fields } => {
                    let take = takes.get(place).ok_or_else(answer::unreadable)?;
                    let frees_at = answer::frees_at(take, &fields, timestamp(now));
                    return Ok(Reached::Full(Full { index: take.strictest, used, max: take.max, frees_at }));
                }
                Answer::Unknown { now, since, place } => {
                    let take = takes.get(place).ok_or_else(answer::unreadable)?;
                    return Err(lost(options.unknown, take, timestamp(now), since));
                }
            }
        }
        Err(StoreDown { reason: "Redis's clock jumps from one window to another; look after its time".to_owned() })
    }

    fn taking(&self, asked: &Asked<'_>, times: &[i64], up: &Up) -> Result<Invocation, StoreDown> {
        let first = asked.counts().next().ok_or_else(answer::unreadable)?;
        let (keys, tag) = (&self.shared.keys, keys::tag(first.id.text()));
        let mut invocation = Invocation::new(&TAKE);
        invocation.key(keys.generation(&tag));
        invocation.arg(if asked.mode == Mode::Take { "take" } else { "look" }).arg(micros_text(asked.at));
        // Each call's own, so that no two generations are called the same.
        let fresh = generation_text(self.shared.lessee.wrapping_add(asked.call.cast_unsigned()));
        invocation.arg(up.run.to_string()).arg(fresh).arg(if up.trusted { "1" } else { "0" });
        invocation.arg(if self.shared.link.options().unknown == Unknown::WaitOut { "wait" } else { "confirm" });
        invocation.arg(self.field(asked.call)).arg(LEASE.as_micros().to_string());
        invocation.arg(asked.enforced.len().to_string()).arg(asked.observed.len().to_string());
        for (count, time) in asked.counts().zip(times) {
            if keys::tag(count.id.text()) != tag {
                return Err(StoreDown { reason: "the limits of one call belong to several organisations".to_owned() });
            }
            invocation.key(keys.count(&tag, count.id.text()));
            let (kind, numbers) = match (count.kind, count.window) {
                (Kind::Concurrency, _) | (_, None) => ("f", [0; 3]),
                (_, Some(Window::Rolling(seconds))) => ("r", [i64::from(seconds.max(1)), 0, 0]),
                (_, Some(window)) => ("c", edges(window, count.zone, *time).ok_or_else(beyond)?),
            };
            invocation.arg(kind);
            for number in numbers {
                invocation.arg(number.to_string());
            }
            let amount = if kind == "f" { Amount::ONE } else { count.amount };
            invocation.arg(count.max.micros().to_string()).arg(amount.micros().to_string());
        }
        Ok(invocation)
    }
}

pub(super) fn held(take: &Folded<'_>, bucket: Bucket) -> Held {
    Held { indices: take.indices.clone(), id: take.id.clone(), kind: take.kind, bucket, amount: take.amount }
}

/// The units of a take that must not stand.
fn taken(asked: &Asked<'_>, buckets: &[Bucket]) -> Receipt {
    let units = asked.enforced.iter().zip(buckets).map(|(take, bucket)| {
        let bucket = if take.kind == Kind::Concurrency { Bucket(asked.call) } else { *bucket };
        held(take, bucket)
    });
    Receipt::new(units.collect())
}

/// Begin and end of the calendar window around a time, and the end of the one after it, in seconds.
fn edges(window: Window, zone: &TimeZone, micros: i64) -> Option<[i64; 3]> {
    let (begin, end) = window.calendar(zone, Timestamp::from_microsecond(micros).ok()?)?;
    let (_, next) = window.calendar(zone, end)?;
    Some([begin.as_second(), end.as_second(), next.as_second()])
}

fn beyond() -> StoreDown {
    StoreDown { reason: "Redis's clock shows a time beyond the calendar; set it".to_owned() }
}

/// Counts that are not known to be all, in words.
fn lost(unknown: Unknown, take: &Folded<'_>, now: Timestamp, since: i64) -> StoreDown {
    let confirm = "somebody who may set limits can confirm the counts (`toolgate limits confirm`)";
    if unknown == Unknown::Confirm || since >= answer::UNCONFIRMED {
        return StoreDown { reason: format!("Redis has lost counts, and {confirm}") };
    }
    let since = timestamp(since);
    let again = match (take.kind, take.window) {
        (Kind::Concurrency, _) | (_, None) => jiff::SignedDuration::try_from(LEASE).ok().and_then(|lease| {
            let at = since.checked_add(lease).ok()?;
            Some((at, "calls in flight".to_owned()))
        }),
        (_, Some(window @ Window::Rolling(seconds))) => {
            // The part of the window in which it happened, and the 60 after it.
            let span = jiff::SignedDuration::from_millis(i64::from(seconds) * 1000 * 62 / 60);
            since.checked_add(span).ok().map(|at| (at, format!("limits per {window}")))
        }
        (_, Some(window)) => window.calendar(take.zone, now).map(|(_, end)| (end, format!("limits per {window}"))),
    };
    let when = again.map(|(at, what)| {
        let at = at.round(jiff::Unit::Second).unwrap_or(at);
        format!("; {what} count again from {at}")
    });
    StoreDown { reason: format!("Redis has lost counts{}, or {confirm}", when.unwrap_or_default()) }
}
