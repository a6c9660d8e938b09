//! Where an instance counts its limits: in a file of the data directory, or in the Redis that its replicas share.

use std::time::Duration;

use gateway::counting::Counting;
use secrecy::SecretString;
use shared::{Counts, Options, Timeout};
use store::control::Place;
use tokio::runtime::{Builder, Runtime};

use crate::args::RedisOptions;
use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The variable with the URL of Redis.
const REDIS: &str = "TOOLGATE_REDIS";

/// How often one looks whether Redis counts, to tell the operator.
const LOOK: Duration = Duration::from_millis(500);

/// Redis, and the thread that talks to it: nothing else keeps it waiting.
pub struct Redis {
    counts: Counts,
    runtime: Runtime,
}

impl Redis {
    /// Begins to reach the Redis that the options name, if they name one. It may be away: then limits that deny meanwhile do.
    ///
    /// # Errors
    /// When the options cannot be used, or leave open how replicas count.
    pub fn open(options: &RedisOptions, place: &Place) -> Result<Option<Self>, Failure> {
        let Some(url) = url(options)? else {
            per_replica(options, place)?;
            return Ok(None);
        };
        if options.limits_per_replica {
            return Err(Failure::Usage(format!("--limits-per-replica, and ${REDIS} is set: which is meant?")));
        }
        let mut given = Options::new(url);
        if let Some(file) = &options.redis_ca {
            given.authority = Some(std::fs::read(file).trying(file.display())?);
        }
        if let Some(prefix) = &options.redis_prefix {
            given.prefix.clone_from(prefix);
        }
        let timeout = options.redis_timeout.and_then(|millis| Timeout::new(Duration::from_millis(millis)));
        given.timeout = timeout.unwrap_or(given.timeout);
        given.unknown = options.redis_lost_counts.map_or(given.unknown, Into::into);
        given.restarts = options.redis_restarts.map_or(given.restarts, Into::into);
        given.replicas = options.redis_replicas.unwrap_or(given.replicas);
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("redis").enable_all().build();
        let runtime = runtime.trying("the runtime of Redis")?;
        let counts = Counts::open(given, runtime.handle()).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Some(Self { counts, runtime }))
    }

    /// What the gateway counts by.
    pub fn counting(&self) -> Counting {
        Counting::Shared(self.counts.clone())
    }

    /// Waits until Redis counts, but not for long; then tells whenever it ceases to, and when it does again.
    pub async fn begin(&self) {
        let reached = async {
            while self.counts.reachable().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(2 * LOOK, reached).await;
        let mut well = tell_change(&self.counts, true);
        let counts = self.counts.clone();
        self.runtime.spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                well = tell_change(&counts, well);
            }
        });
    }

    /// Gives back what ended calls have left to give back, for as long as anybody would wait for that.
    pub fn end(self) {
        self.runtime.block_on(self.counts.given_back(2 * LOOK));
        self.runtime.shutdown_background();
    }
}

fn tell_change(counts: &Counts, well: bool) -> bool {
    match (well, counts.reachable()) {
        (true, Err(down)) => {
            tell!("toolgate: {down}. Calls are denied whose limits do not say otherwise");
            false
        }
        (false, Ok(())) => {
            tell!("toolgate: Redis counts again");
            true
        }
        (well, _) => well,
    }
}

fn url(options: &RedisOptions) -> Result<Option<SecretString>, Failure> {
    let Some(url) = &options.redis else { return Ok(text_variable(REDIS).map(SecretString::from)) };
    let after = url.split_once("://").map_or(url.as_str(), |(_, after)| after);
    if after.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || url.contains("pass=") {
        return Err(Failure::Usage(format!(
            "--redis holds a password, which everybody on this machine can read there: put the URL into ${REDIS}"
        )));
    }
    Ok(Some(SecretString::from(url.clone())))
}

/// Without Redis each replica would count for itself: somebody has to want that.
fn per_replica(options: &RedisOptions, place: &Place) -> Result<(), Failure> {
    if let Some(name) = options.given_beside() {
        return Err(Failure::Usage(format!(
            "{name} says more of a Redis, and none is named: with --redis URL or ${REDIS}"
        )));
    }
    match (place, options.limits_per_replica) {
        (Place::Postgres(_), false) => Err(Failure::Usage(format!(
            "replicas of one database share their limits in Redis: name it with --redis URL or ${REDIS}, or say with --limits-per-replica that each may count for itself"
        ))),
        (Place::Postgres(_), true) => {
            tell!(
                "toolgate: limits count on each replica by itself: with three replicas a limit of 10 lets 30 calls pass"
            );
            Ok(())
        }
        (Place::Embedded(_), true) => Err(Failure::Usage(
            "--limits-per-replica is for replicas over PostgreSQL: without, there is one, and its limits are exact"
                .to_owned(),
        )),
        (Place::Embedded(_), false) => Ok(()),
    }
}
