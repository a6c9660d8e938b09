//! News between replicas: a topic and its version, published and heard.
//!
//! Redis hands a message to whoever listens at that moment and keeps none. So every message has a number, one more than
//! the last: a gap shows that some were lost, and a look at the last number, once a second, shows that the latest was. Who
//! is told [`Heard::MayHaveMissed`] reads the truth anew, from where it is kept.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::StreamExt;
use quota::StoreDown;
use redis::{FromRedisValue, Msg, Script};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::link::{Failed, Link};
use crate::options::{BadOptions, Options, random};

/// How often the last number is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long listening may take to begin.
const LISTENING: Duration = Duration::from_secs(1);

/// How long to wait before listening is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// How many messages may wait to be heard; beyond that, the listener is told that it has missed some.
const WAITING: usize = 1024;

/// The longest topic, in bytes.
const LONGEST: usize = 512;

/// KEYS 1 the last number, ARGV 1 the channel, 2 the first number, should there be none, 3 the message.
const PUBLISH: &str = "local number = redis.call('EXISTS', KEYS[1]) == 1 and redis.call('INCR', KEYS[1])
if not number then redis.call('SET', KEYS[1], ARGV[2]) number = ARGV[2] end
redis.call('PUBLISH', ARGV[1], string.format('%.0f', number) .. ' ' .. ARGV[3])
return number";

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(PUBLISH));

/// Publishes news, and hears them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct News {
    link: Arc<Link>,
    key: Arc<str>,
    runtime: Handle,
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something has changed, and its version is now this or a later one.
    Changed {
        /// What has changed, as the publisher named it.
        topic: String,
        /// Its version.
        version: u64,
    },
    /// Listening began, was interrupted, or a message was lost: anything may have changed.
    MayHaveMissed,
}

/// News as they come, from when it was made. Dropped, it stops listening.
#[derive(Debug)]
pub struct Hearing {
    heard: mpsc::Receiver<Heard>,
}

impl Hearing {
    /// The next of the news. The first is always [`Heard::MayHaveMissed`], as soon as Redis listens; `None` when the
    /// runtime ends.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

impl News {
    /// Begins to reach Redis, on this runtime.
    ///
    /// # Errors
    /// When the options cannot be used.
    pub fn open(options: Options, runtime: &Handle) -> Result<Self, BadOptions> {
        let key = format!("{}:{{news}}", options.prefix).into();
        let link = Arc::new(Link::open(options, &[PUBLISH], runtime)?);
        Ok(Self { link, key, runtime: runtime.clone() })
    }

    /// Whether Redis can be reached now.
    ///
    /// # Errors
    /// [`StoreDown`] says why not.
    pub fn reachable(&self) -> Result<(), StoreDown> {
        self.link.up().map(drop)
    }

    /// Tells all who listen now that a topic has this version.
    ///
    /// # Errors
    /// [`StoreDown`] when Redis did not answer in time: it is not known whether anybody was told.
    pub async fn publish(&self, topic: &str, version: u64) -> Result<(), StoreDown> {
        if topic.is_empty() || topic.len() > LONGEST {
            return Err(StoreDown { reason: format!("a topic of news has 1 to {LONGEST} bytes") });
        }
        let up = self.link.up()?;
        // Somewhere below 2^52: after a flush, numbers go on elsewhere, which listeners notice.
        let first = random().map_err(|error| StoreDown { reason: error.to_string() })? >> 12;
        for known in [true, false] {
            let mut requests = redis::pipe();
            let command =
                if known { requests.cmd("EVALSHA").arg(SCRIPT.get_hash()) } else { requests.cmd("EVAL").arg(PUBLISH) };
            command.arg(1).arg(&*self.key).arg(&*self.key).arg(first).arg(format!("{version} {topic}"));
            match self.link.ask(&up, &requests, 1).await {
                Ok(_) => return Ok(()),
                Err(Failed::NoScript) => {}
                Err(Failed::Down(down)) => return Err(down),
            }
        }
        Err(self.link.trip(&up, "forgets scripts at once"))
    }

    /// Begins to listen.
    #[must_use]
    pub fn listen(&self) -> Hearing {
        let (tell, heard) = mpsc::channel(WAITING);
        let news = self.clone();
        self.runtime.spawn(async move {
            let mut ear = Ear { tell, last: None, missed: true };
            while !ear.tell.is_closed() {
                news.hear(&mut ear).await;
                ear.missed = true;
                tokio::time::sleep(PAUSE).await;
            }
        });
        Hearing { heard }
    }

    /// Listens until that is interrupted, or nobody wants to hear any more.
    async fn hear(&self, ear: &mut Ear) {
        let subscribing = async {
            let mut channel = self.link.client().get_async_pubsub().await?;
            channel.subscribe(&*self.key).await?;
            Ok::<_, redis::RedisError>(channel)
        };
        let Ok(Ok(channel)) = timeout(LISTENING, subscribing).await else { return };
        // From here on Redis passes on what is published: what was published before is what may have been missed.
        ear.last = None;
        let mut messages = channel.into_on_message();
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen: Option<i64> = None;
        ear.tell_missed();
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => ear.hear(&message),
                    None => return,
                },
                _ = looks.tick() => {
                    ear.tell_missed();
                    // What was the last number a second ago has arrived by now, or is lost.
                    if let (Some(last), Some(seen)) = (ear.last, seen) && !comes_after(last, seen) {
                        return;
                    }
                    let number = tokio::select! {
                        number = self.number() => number,
                        () = ear.tell.closed() => return,
                    };
                    if let Some(number) = number {
                        ear.last.get_or_insert(number);
                        seen = Some(number);
                    }
                },
                () = ear.tell.closed() => return,
            }
        }
    }

    /// The number of the last message, if Redis can be asked.
    async fn number(&self) -> Option<i64> {
        let up = self.link.up().ok()?;
        let mut requests = redis::pipe();
        requests.cmd("GET").arg(&*self.key);
        let answers = self.link.ask(&up, &requests, 1).await.ok()?;
        Option::<i64>::from_redis_value(answers.into_iter().next()?).ok().map(Option::unwrap_or_default)
    }
}

/// Whether a number is another or one that was given after it. Numbers begin anywhere below 2^52, so those of two lives of
/// the counter do not lie close together.
fn comes_after(number: i64, other: i64) -> bool {
    (0..=i64::from(u32::MAX)).contains(&number.saturating_sub(other))
}

/// One who listens.
struct Ear {
    tell: mpsc::Sender<Heard>,
    /// The number of the last message, once one is known.
    last: Option<i64>,
    /// Whether it has still to be told that it may have missed something.
    missed: bool,
}

impl Ear {
    fn hear(&mut self, message: &Msg) {
        let text = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
        let mut words = text.splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<i64>().ok());
        let (Some(number), Some(version)) = (number(), number().and_then(|version| u64::try_from(version).ok())) else {
            return self.miss();
        };
        match self.last {
            // It was on its way while the last number was looked at.
            Some(last) if comes_after(last, number) => {}
            Some(last) if last.checked_add(1) != Some(number) => {
                self.miss();
                self.last = Some(number);
            }
            _ => self.last = Some(number),
        }
        let topic = words.next().unwrap_or_default().to_owned();
        self.tell_missed();
        if self.missed || self.tell.try_send(Heard::Changed { topic, version }).is_err() {
            self.missed = true;
        }
    }

    fn miss(&mut self) {
        self.missed = true;
        self.tell_missed();
    }

    /// Tells it as soon as there is room.
    fn tell_missed(&mut self) {
        if self.missed {
            self.missed = self.tell.try_send(Heard::MayHaveMissed).is_err();
        }
    }
}
