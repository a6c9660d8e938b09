//! Counts that all replicas share, taken in one script.
//!
//! A count is a hash in Redis: what each bucket holds, the latest time that was seen, the last maximum. The arithmetic
//! is that of [`quota::Slot`], and the same table of cases runs against both. The script takes all counts
//! of a call or none, by Redis's clock, so it does not matter what a replica believes the time to be. Calendars are
//! no matter for Lua: a replica sends the window that it believes to be the present one and the next, and sends again in
//! the rare case that Redis's clock is in neither.
//!
//! Keys of one call carry the tag of its organisation, `{…}`, and so lie in one slot of a cluster.

mod answer;
mod asking;
mod keys;
mod known;
mod script;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quota::{Bucket, CountId, Full, Kind, Receipt, StoreDown, Take, Taken, Use, fold};
use redis::FromRedisValue;
use tokio::runtime::Handle;

use self::asking::{Asked, Mode, Reached, held};
use self::keys::Keys;
pub use self::known::Known;
use self::script::{ALL, GIVE_BACK, Invocation, KNOWN, RENEW};
use crate::link::{Failed, Link, Up};
use crate::options::{BadOptions, Options, random};

/// How long a call in flight counts without a sign of life of its replica.
pub const LEASE: Duration = Duration::from_secs(60);

/// How long a call in flight's key stays beyond its lease, and a use's beyond its window.
const MARGIN: Duration = Duration::from_secs(3600);

/// How long giving back is tried again while Redis is away; then the units stay taken.
const GIVING_BACK: Duration = Duration::from_secs(60);

/// How long Redis remembers what was given back: well beyond [`GIVING_BACK`].
const REMEMBERED: Duration = Duration::from_secs(600);

/// How many receipts may wait for a Redis that is away.
const WAITING: usize = 10_000;

/// How long reading every count may take.
const READING: Duration = Duration::from_secs(10);

/// What is asked beside the counts that a call cannot be made without. Each is taken by itself, for good, if it fits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Taken where the call is made.
    pub observed: &'a [Take],
    /// Taken where it is not, because a count is full.
    pub attempts: &'a [Take],
}

/// Counts in Redis. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Counts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    keys: Keys,
    runtime: Handle,
    /// Names this replica among those that have calls in flight.
    lessee: u64,
    /// Names its calls.
    next: AtomicI64,
    in_flight: Mutex<HashSet<(i64, CountId)>>,
    waiting: AtomicUsize,
}

impl Counts {
    /// Begins to reach Redis, on this runtime, which must outlive the counts. Redis may be away: then
    /// the counts are down until it is there.
    ///
    /// # Errors
    /// When the options cannot be used.
    pub fn open(options: Options, runtime: &Handle) -> Result<Self, BadOptions> {
        let keys = Keys::new(&options.prefix);
        let shared = Shared {
            link: Link::open(options, ALL, runtime)?,
            keys,
            runtime: runtime.clone(),
            lessee: random()?,
            next: AtomicI64::new(0),
            in_flight: Mutex::default(),
            waiting: AtomicUsize::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether Redis counts now.
    ///
    /// # Errors
    /// [`StoreDown`] says why it does not.
    pub fn reachable(&self) -> Result<(), StoreDown> {
        self.shared.link.up().map(drop)
    }

    /// Takes everything or nothing, in one round trip but for the edge of a calendar window.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis did not answer in time, or what it counts is not known to be all: the call must
    /// not be made. Where Redis took the units and its answer was lost, they stay taken.
    pub async fn take(&self, takes: &[Take]) -> Result<Taken, StoreDown> {
        self.take_at(takes, None).await
    }

    /// Whether everything would fit: the first that would not.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn look(&self, takes: &[Take]) -> Result<Option<Full>, StoreDown> {
        self.look_at(takes, Beside::default(), None).await
    }

    /// [`take`](Self::take), and in the same round trip what goes [beside](Beside) it; the places of the observed ones
    /// that are full are returned.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn take_with(&self, takes: &[Take], beside: Beside<'_>) -> Result<(Taken, Vec<usize>), StoreDown> {
        self.take_with_at(takes, beside, None).await
    }

    /// [`look`](Self::look) for a call that is not made, and in the same round trip its attempts are taken, each by
    /// itself.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn look_with(&self, takes: &[Take], attempts: &[Take]) -> Result<Option<Full>, StoreDown> {
        self.look_at(takes, Beside { observed: &[], attempts }, None).await
    }

    async fn take_at(&self, takes: &[Take], at: Option<Timestamp>) -> Result<Taken, StoreDown> {
        self.take_with_at(takes, Beside::default(), at).await.map(|(taken, _)| taken)
    }

    async fn take_with_at(
        &self,
        takes: &[Take],
        beside: Beside<'_>,
        at: Option<Timestamp>,
    ) -> Result<(Taken, Vec<usize>), StoreDown> {
        let Beside { observed, attempts } = beside;
        if takes.is_empty() && observed.is_empty() {
            return Ok((Taken::Granted(Receipt::default()), Vec::new()));
        }
        let folded = fold(takes);
        let asked = Asked { mode: Mode::Take, enforced: &folded, observed, attempts, call: self.next_call(), at };
        match self.ask(&asked).await? {
            Reached::Fits { generation, buckets, would } => {
                let mut under_way = self.in_flight();
                let held = folded.iter().zip(buckets).map(|(take, bucket)| {
                    let bucket = if take.kind == Kind::Concurrency {
                        under_way.insert((asked.call, take.id.clone()));
                        Bucket(asked.call)
                    } else {
                        bucket
                    };
                    held(take, bucket)
                });
                Ok((Taken::Granted(Receipt::new(held.collect()).of_generation(generation)), would))
            }
            Reached::Full(full) => Ok((Taken::Full(full), Vec::new())),
        }
    }

    async fn look_at(
        &self,
        takes: &[Take],
        beside: Beside<'_>,
        at: Option<Timestamp>,
    ) -> Result<Option<Full>, StoreDown> {
        let Beside { observed, attempts } = beside;
        if takes.is_empty() && attempts.is_empty() {
            return Ok(None);
        }
        let folded = fold(takes);
        let asked = Asked { mode: Mode::Look, enforced: &folded, observed, attempts, call: self.next_call(), at };
        match self.ask(&asked).await? {
            Reached::Fits { .. } => Ok(None),
            Reached::Full(full) => Ok(Some(full)),
        }
    }

    /// Gives back what was taken, once, even where an answer is lost and it is asked again.
    ///
    /// # Errors
    /// [`StoreDown`]: the units stay taken.
    pub async fn give_back(&self, receipt: Receipt) -> Result<(), StoreDown> {
        let Some(invocation) = self.giving_back(receipt)? else { return Ok(()) };
        self.invoke_now(&invocation).await.map(drop)
    }

    /// Gives back what was taken, as soon as Redis is there; after a minute in vain the units stay taken. Nobody waits
    /// for it.
    pub fn give_back_later(&self, receipt: Receipt) {
        let Ok(Some(invocation)) = self.giving_back(receipt) else { return };
        if self.shared.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let counts = self.clone();
        self.shared.runtime.spawn(async move {
            let until = Instant::now() + GIVING_BACK;
            let mut pause = Duration::from_millis(50);
            while counts.invoke_now(&invocation).await.is_err() && Instant::now() < until {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            counts.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Waits for a take that nobody waits for any more, and gives back what it has taken.
    pub fn give_back_when_taken(&self, taking: impl Future<Output = Result<Taken, StoreDown>> + Send + 'static) {
        let counts = self.clone();
        self.shared.runtime.spawn(async move {
            // Where its answer is lost, the units stay taken.
            if let Ok(Taken::Granted(receipt)) = taking.await {
                counts.give_back_later(receipt);
            }
        });
    }

    /// Waits until nothing is left to give back, but no longer than this.
    pub async fn given_back(&self, within: Duration) {
        let until = Instant::now() + within;
        while self.shared.waiting.load(Ordering::Relaxed) > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What gives a receipt back; its mark makes that happen once.
    fn giving_back(&self, receipt: Receipt) -> Result<Option<Invocation>, StoreDown> {
        let generation = receipt.generation();
        let held = receipt.into_held();
        let Some(first) = held.first() else { return Ok(None) };
        let keys = &self.shared.keys;
        let tag = keys::tag(first.id.text());
        let mark = random().map_err(|error| StoreDown { reason: error.to_string() })?;
        let mut invocation = Invocation::new(&GIVE_BACK);
        invocation.key(keys.generation(&tag)).key(keys.given_back(&tag, mark));
        invocation.arg(generation_text(generation)).arg(REMEMBERED.as_millis().to_string());
        let mut under_way = self.in_flight();
        for held in held {
            invocation.key(keys.count(&tag, held.id.text()));
            let kind = if held.kind == Kind::Concurrency { "f" } else { "q" };
            let field = self.field(held.bucket.0);
            invocation.arg(kind).arg(held.bucket.0.to_string()).arg(held.amount.micros().to_string()).arg(field);
            if held.kind == Kind::Concurrency {
                under_way.remove(&(held.bucket.0, held.id));
            }
        }
        Ok(Some(invocation))
    }

    /// Every count that is not zero, of all organisations.
    ///
    /// # Errors
    /// [`StoreDown`] when they cannot be read.
    pub async fn snapshot(&self) -> Result<Vec<Use>, StoreDown> {
        self.snapshot_at(&self.shared.keys.every_count(), None).await
    }

    /// Every count of an organisation that is not zero.
    ///
    /// # Errors
    /// [`StoreDown`] when they cannot be read.
    pub async fn snapshot_of(&self, organisation: &str) -> Result<Vec<Use>, StoreDown> {
        let mut uses = self.snapshot_at(&self.shared.keys.counts_of(&keys::tag_of(organisation)), None).await?;
        // Two organisations may share a tag.
        uses.retain(|used| quota::is_of(&used.id, organisation));
        Ok(uses)
    }

    async fn snapshot_at(&self, matching: &str, at: Option<Timestamp>) -> Result<Vec<Use>, StoreDown> {
        let link = &self.shared.link;
        let up = link.up()?;
        let until = Instant::now() + READING;
        let now = at.unwrap_or_else(|| timestamp(link.time()));
        let (mut uses, mut cursor) = (Vec::new(), "0".to_owned());
        loop {
            let mut scan = redis::pipe();
            scan.cmd("SCAN").arg(&cursor).arg("MATCH").arg(matching).arg("COUNT").arg(1000);
            let answer = self.read(&up, &scan, 1, until).await?;
            let (next, keys): (String, Vec<String>) = answer::read(answer)?;
            if !keys.is_empty() {
                let mut hashes = redis::pipe();
                for key in &keys {
                    hashes.cmd("HGETALL").arg(key);
                }
                let answers = self.read(&up, &hashes, keys.len(), until).await?;
                for (key, answer) in keys.iter().zip(answers) {
                    let fields = Vec::<String>::from_redis_value(answer).map_err(|_| answer::unreadable())?;
                    uses.extend(self.shared.keys.identity(key).and_then(|id| answer::shown(id, &fields, now)));
                }
            }
            if next == "0" {
                break;
            }
            cursor = next;
        }
        uses.sort_by(|one: &Use, other| one.id.cmp(&other.id));
        // A key may be seen twice while Redis moves its table.
        uses.dedup_by(|one, other| one.id == other.id);
        Ok(uses)
    }

    async fn read(
        &self,
        up: &Up,
        requests: &redis::Pipeline,
        count: usize,
        until: Instant,
    ) -> Result<Vec<redis::Value>, StoreDown> {
        let left = until.saturating_duration_since(Instant::now());
        let answers = self.shared.link.ask_within(up, requests, count, left).await;
        answers.map_err(|failed| self.reason(up, failed))
    }

    /// To be called every ten seconds: calls in flight of this replica stay counted, and a Redis that has begun to
    /// forget is noticed.
    pub async fn heartbeat(&self) {
        self.heartbeat_at(None).await;
    }

    async fn heartbeat_at(&self, at: Option<Timestamp>) {
        self.shared.link.inspect().await;
        let mut calls: Vec<(String, String, String)> = self
            .in_flight()
            .iter()
            .map(|(call, id)| {
                let tag = keys::tag(id.text());
                let key = self.shared.keys.count(&tag, id.text());
                (tag, key, self.field(*call))
            })
            .collect();
        calls.sort_unstable();
        for organisation in calls.chunk_by(|one, other| one.0 == other.0) {
            for some in organisation.chunks(500) {
                let mut invocation = Invocation::new(&RENEW);
                invocation.arg(micros_text(at)).arg(LEASE.as_micros().to_string());
                invocation.arg((LEASE + MARGIN).as_millis().to_string());
                for (_, key, field) in some {
                    invocation.key(key.clone()).arg(field.clone());
                }
                // A heartbeat that is missed lapses in a minute; the next one is due in ten seconds.
                if self.invoke_now(&invocation).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Says that nothing of a new organisation was ever counted. To be called once, when it is made, and *after* it was
    /// written down that it is called: said again, after Redis has lost its counts, it would give quota back. An
    /// organisation of which it is never said waits out its windows first. Tells whether this changed anything.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis cannot be reached.
    pub async fn begin(&self, organisation: &str) -> Result<bool, StoreDown> {
        self.known("begin", organisation).await
    }

    /// Somebody's word that counting may go on from what Redis has now, whatever it may have lost. Tells whether
    /// anything was awaited.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis cannot be reached.
    pub async fn confirm(&self, organisation: &str) -> Result<bool, StoreDown> {
        self.known("confirm", organisation).await
    }

    async fn known(&self, what: &str, organisation: &str) -> Result<bool, StoreDown> {
        let up = self.shared.link.up()?;
        let mut invocation = Invocation::new(&KNOWN);
        invocation.key(self.shared.keys.generation(&keys::tag_of(organisation)));
        invocation.arg(what.to_owned()).arg(fresh_generation()?).arg(up.run.to_string());
        Ok(self.invoke(&up, &invocation).await? == 1)
    }

    /// Forgets what is used of a count, by its identity as [`snapshot`](Self::snapshot) shows it. Tells whether
    /// anything was.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis cannot be reached.
    pub async fn reset(&self, id: &str) -> Result<bool, StoreDown> {
        let up = self.shared.link.up()?;
        let mut requests = redis::pipe();
        requests.cmd("DEL").arg(self.shared.keys.count(&keys::tag(id), id));
        let answers = self.shared.link.ask(&up, &requests, 1).await.map_err(|failed| self.reason(&up, failed))?;
        Ok(answer::read::<i64>(answers)? == 1)
    }

    /// The script's answer, whether or not Redis knew the script, and how many replicas have what was written.
    async fn answer(
        &self,
        up: &Up,
        invocation: &Invocation,
        replicas: Option<u8>,
        deadline: Instant,
    ) -> Result<(redis::Value, Option<redis::Value>), StoreDown> {
        let link = &self.shared.link;
        for known in [true, false] {
            let mut requests = redis::pipe();
            invocation.write(&mut requests, known);
            if let Some(replicas) = replicas {
                requests.cmd("WAIT").arg(replicas).arg(link.options().waiting().as_millis().to_string());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match link.ask_within(up, &requests, 1 + usize::from(replicas.is_some()), left).await {
                Ok(answers) => {
                    let mut answers = answers.into_iter();
                    let answer = answers.next().ok_or_else(answer::unreadable)?;
                    return Ok((answer, answers.next()));
                }
                Err(Failed::NoScript) if known => {}
                Err(failed) => return Err(self.reason(up, failed)),
            }
        }
        Err(answer::unreadable())
    }

    async fn invoke_now(&self, invocation: &Invocation) -> Result<i64, StoreDown> {
        self.invoke(&self.shared.link.up()?, invocation).await
    }

    async fn invoke(&self, up: &Up, invocation: &Invocation) -> Result<i64, StoreDown> {
        let deadline = Instant::now() + self.shared.link.options().timeout.get();
        let (answer, _) = self.answer(up, invocation, None, deadline).await?;
        i64::from_redis_value(answer).map_err(|_| answer::unreadable())
    }

    fn reason(&self, up: &Up, failed: Failed) -> StoreDown {
        match failed {
            Failed::Down(down) => down,
            Failed::NoScript => self.shared.link.trip(up, "forgets scripts at once"),
        }
    }

    fn in_flight(&self) -> std::sync::MutexGuard<'_, HashSet<(i64, CountId)>> {
        self.shared.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_call(&self) -> i64 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The name of a call in flight.
    fn field(&self, call: i64) -> String {
        format!("{:016x}.{call}", self.shared.lessee)
    }
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

fn micros_text(at: Option<Timestamp>) -> String {
    at.map(|at| at.as_microsecond().to_string()).unwrap_or_default()
}

fn generation_text(generation: u64) -> String {
    format!("{generation:016x}")
}

/// The name of a generation that may begin with this request.
fn fresh_generation() -> Result<String, StoreDown> {
    random().map(generation_text).map_err(|error| StoreDown { reason: error.to_string() })
}
