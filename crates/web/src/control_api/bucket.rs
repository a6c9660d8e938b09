//! How often somebody may ask: buckets that fill evenly, in the memory of this process. A replica more is an allowance
//! more; what must be exact over replicas is a limit of a policy, not this.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};

/// Buckets that are remembered at once; then full ones are forgotten.
const MOST: usize = 10_000;

/// How often somebody may ask.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Requests.
    pub requests: u32,
    /// In so many seconds.
    pub seconds: u32,
}

/// All allowances.
#[derive(Debug, Clone, Copy)]
pub struct Allowances {
    /// Of each member and each program.
    pub caller: Allowance,
    /// Of each address that signs in, sets up, or shows what nobody is recognised by.
    pub stranger: Allowance,
}

impl Default for Allowances {
    fn default() -> Self {
        let caller = Allowance { requests: 1_200, seconds: 60 };
        Self { caller, stranger: Allowance { requests: 20, seconds: 60 } }
    }
}

/// Whose bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Caller(String),
    Stranger(String),
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

#[derive(Debug)]
pub(crate) struct Buckets {
    allowances: Allowances,
    buckets: Mutex<HashMap<Whose, Bucket>>,
}

/// What was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    name: &'static str,
    allowance: Allowance,
    left: f64,
    pub(super) granted: bool,
}

impl Allowance {
    fn rate(self) -> f64 {
        f64::from(self.requests) / f64::from(self.seconds.max(1))
    }
}

impl Buckets {
    pub(super) fn new(allowances: Allowances) -> Self {
        Self { allowances, buckets: Mutex::default() }
    }

    /// Takes one request out of a bucket.
    pub(super) fn take(&self, whose: Whose, now: Instant) -> Taken {
        let (name, allowance) = match &whose {
            Whose::Caller(_) => ("caller", self.allowances.caller),
            Whose::Stranger(_) => ("address", self.allowances.stranger),
        };
        let most = f64::from(allowance.requests);
        let filled = |bucket: &Bucket, allowance: Allowance| {
            let since = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.left + since * allowance.rate()).min(f64::from(allowance.requests))
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            let Allowances { caller, stranger } = self.allowances;
            buckets.retain(|whose, bucket| {
                let allowance = if matches!(whose, Whose::Caller(_)) { caller } else { stranger };
                filled(bucket, allowance) < f64::from(allowance.requests)
            });
        }
        let bucket = buckets.entry(whose).or_insert(Bucket { left: most, at: now });
        let left = filled(bucket, allowance);
        let granted = left >= 1.0;
        *bucket = Bucket { left: if granted { left - 1.0 } else { left }, at: now };
        Taken { name, allowance, left: bucket.left, granted }
    }
}

impl Taken {
    /// Until there is room for one more.
    fn wait(&self) -> Duration {
        Duration::from_secs_f64(
            ((1.0 - self.left).max(0.0) / self.allowance.rate().max(f64::MIN_POSITIVE)).min(86_400.0),
        )
    }

    /// Says it in the headers of the IETF's draft, and when to come again.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Allowance { requests, seconds } = self.allowance;
        let full = ((f64::from(requests) - self.left) / self.allowance.rate().max(f64::MIN_POSITIVE)).min(86_400.0);
        let told = [
            ("ratelimit-policy", format!("\"{}\";q={requests};w={seconds}", self.name)),
            ("ratelimit", format!("\"{}\";r={:.0};t={:.0}", self.name, self.left.floor(), full.ceil())),
        ];
        for (name, value) in told {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if !self.granted {
            let seconds = self.wait().as_secs() + 1;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_runs_dry_and_fills_evenly() {
        let caller = Allowance { requests: 2, seconds: 10 };
        let buckets = Buckets::new(Allowances { caller, stranger: caller });
        let ada = || Whose::Caller("ada".to_owned());
        let start = Instant::now();
        let granted = |seconds| buckets.take(ada(), start + Duration::from_secs(seconds)).granted;
        assert_eq!([granted(0), granted(0), granted(0), granted(4)], [true, true, false, false]);
        assert_eq!([granted(5), granted(5), granted(10)], [true, false, true]);
        assert!(buckets.take(Whose::Stranger("ada".to_owned()), start).granted, "a bucket of its own");
    }

    #[test]
    fn it_says_what_is_left_and_when_to_come_again() {
        let caller = Allowance { requests: 2, seconds: 10 };
        let buckets = Buckets::new(Allowances { caller, stranger: caller });
        let mut told = Vec::new();
        let start = Instant::now();
        for _ in 0..3 {
            let mut headers = HeaderMap::new();
            buckets.take(Whose::Caller("ada".to_owned()), start).tell(&mut headers);
            let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            told.push((text("ratelimit").unwrap(), text("retry-after")));
            assert_eq!(text("ratelimit-policy").unwrap(), "\"caller\";q=2;w=10");
        }
        let expected =
            [("\"caller\";r=1;t=5", None), ("\"caller\";r=0;t=10", None), ("\"caller\";r=0;t=10", Some("6"))];
        let expected = expected.map(|(left, after)| (left.to_owned(), after.map(str::to_owned)));
        assert_eq!(told, expected);
    }
}
