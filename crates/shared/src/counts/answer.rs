//! What the script answers, read strictly.

use jiff::Timestamp;
use quota::{Amount, BUCKETS, Bucket, CountId, Folded, Kind, Slot, StoreDown, Use};
use redis::{FromRedisValue, Value};

/// A time that never comes: the counts are known when somebody says so.
pub(super) const UNCONFIRMED: i64 = 9_000_000_000_000_000;

/// An answer; times in microseconds.
pub(super) enum Answer {
    Fits { now: i64, generation: u64, buckets: Vec<Bucket>, would: Vec<usize> },
    Full { now: i64, place: usize, used: Amount, fields: Vec<String> },
    Unknown { now: i64, since: i64, place: usize },
    Edges { now: i64, times: Vec<i64> },
}

impl Answer {
    /// The answer to a call that asked so many counts.
    pub(super) fn parse(value: Value, enforced: usize) -> Result<Self, StoreDown> {
        let words = Vec::<String>::from_redis_value(value).map_err(|_| unreadable())?;
        Self::from_words(&words, enforced).ok_or_else(unreadable)
    }

    fn from_words(words: &[String], enforced: usize) -> Option<Self> {
        let number = |word: &String| word.parse::<i64>().ok();
        // Lua counts from 1.
        let place = |word: &String| word.parse::<usize>().ok()?.checked_sub(1);
        let (kind, rest) = words.split_first()?;
        let (now, rest) = rest.split_first()?;
        let now = number(now)?;
        match (kind.as_str(), rest) {
            ("ok", [generation, places @ ..]) => {
                let generation = u64::from_str_radix(generation, 16).ok()?;
                let (buckets, would) = places.split_at_checked(enforced)?;
                let buckets = buckets.iter().map(|bucket| number(bucket).map(Bucket)).collect::<Option<_>>()?;
                let would = would.iter().map(place).collect::<Option<_>>()?;
                Some(Self::Fits { now, generation, buckets, would })
            }
            ("full", [_, at, used, fields @ ..]) => {
                let used = Amount::from_micros(used.parse().ok()?)?;
                Some(Self::Full { now, place: place(at)?, used, fields: fields.to_vec() })
            }
            ("unknown", [since, at]) => Some(Self::Unknown { now, since: number(since)?, place: place(at)? }),
            ("edges", times) => Some(Self::Edges { now, times: times.iter().map(number).collect::<Option<_>>()? }),
            _ => None,
        }
    }

    /// Redis's time.
    pub(super) fn now(&self) -> i64 {
        match self {
            Self::Fits { now, .. } | Self::Full { now, .. } | Self::Unknown { now, .. } | Self::Edges { now, .. } => {
                *now
            }
        }
    }
}

/// The one answer, of this type.
pub(super) fn read<T: FromRedisValue>(answers: Vec<Value>) -> Result<T, StoreDown> {
    let answer = answers.into_iter().next().ok_or_else(unreadable)?;
    T::from_redis_value(answer).map_err(|_| unreadable())
}

/// An answer that is none.
pub(super) fn unreadable() -> StoreDown {
    StoreDown { reason: "Redis gives an answer that cannot be read; is something else between it and us?".to_owned() }
}

/// When a full count frees.
pub(super) fn frees_at(take: &Folded<'_>, fields: &[String], now: Timestamp) -> Option<Timestamp> {
    let window = take.window.filter(|_| take.kind == Kind::Quota)?;
    slot(fields).frees_at(window, take.zone, now, take.amount, take.max)
}

/// A count as it is shown, unless it is zero or no count.
pub(super) fn shown(id: &str, fields: &[String], now: Timestamp) -> Option<Use> {
    let max = Amount::from_micros(slot(fields).max).unwrap_or_default();
    let (used, frees_at) = match CountId::parse(id) {
        Some((_, window, zone)) => {
            let slot = slot(fields);
            (slot.used(window, &zone, now).0, slot.frees_at(window, &zone, now, max, max))
        }
        None => {
            let calls = pairs(fields).filter(|(field, ends)| {
                let ends = ends.parse().ok().and_then(|ends| Timestamp::from_microsecond(ends).ok());
                *field != "m" && ends.is_some_and(|ends| ends > now)
            });
            let calls = u128::try_from(calls.count()).ok()?;
            (Amount::from_micros(calls * Amount::ONE.micros())?, None)
        }
    };
    (!used.is_zero()).then(|| Use { id: id.to_owned(), used, max, frees_at })
}

fn pairs(fields: &[String]) -> impl Iterator<Item = (&str, &str)> {
    fields.chunks_exact(2).filter_map(|pair| Some((pair.first()?.as_str(), pair.last()?.as_str())))
}

/// The hash of a use's count.
fn slot(fields: &[String]) -> Slot {
    let (mut latest, mut max) = (i64::MIN, 0);
    let mut buckets = [(i64::MIN, 0); BUCKETS];
    for (field, value) in pairs(fields) {
        match field {
            "l" => latest = value.parse::<i64>().map_or(i64::MIN, |micros| micros.saturating_mul(1000)),
            "m" => max = value.parse().unwrap_or_default(),
            number => {
                let (Ok(number), Ok(used)) = (number.parse::<i64>(), value.parse()) else { continue };
                let place = usize::try_from(number.rem_euclid(61)).ok().and_then(|place| buckets.get_mut(place));
                if let Some(place) = place.filter(|place| place.0 < number) {
                    *place = (number, used);
                }
            }
        }
    }
    Slot::stored(buckets, latest, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_answers_are_read() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (text, whole) in [
            ("ok 1 00000000000000ff 28 29", true),
            ("ok 1 00000000000000ff 28 29 1", true),
            ("ok 1 00000000000000ff 28 29 0", false),
            ("ok 1 00000000000000ff 28", false),
            ("ok 1 zz 28", false),
            ("ok 1 ff x", false),
            ("ok", false),
            ("full 1 ff 1 1000000 l 5", true),
            ("full 1 ff 0 1000000", false),
            ("full 1 ff 1 -1", false),
            ("unknown 1 2 1", true),
            ("unknown 1 2", false),
            ("edges 1 5 6", true),
            ("edges 1 5 x", false),
            ("maybe 1", false),
        ] {
            assert_eq!(Answer::from_words(&words(text), 2).is_some(), whole, "{text}");
        }
    }
}
