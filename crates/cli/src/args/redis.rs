//! What `serve` takes to count limits in Redis.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::{Restarts, Unknown};

/// Options of Redis.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Options of Redis, where the replicas of an instance share their limits")]
pub struct RedisOptions {
    /// The Redis or Valkey in which limits are counted, without a password; else $TOOLGATE_REDIS
    #[arg(long, value_name = "URL", conflicts_with = "limits_per_replica")]
    pub redis: Option<String>,
    /// The certificate authority of Redis, as PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub redis_ca: Option<PathBuf>,
    /// How every key there begins [default: toolgate]
    #[arg(long, value_name = "PREFIX")]
    pub redis_prefix: Option<String>,
    /// The most that one round trip may take [default: 250]
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(10..=1000))]
    pub redis_timeout: Option<u64>,
    /// What limits need when Redis has lost their counts [default: wait-out]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub redis_lost_counts: Option<LostWord>,
    /// After which restarts of Redis its counts are taken for whole [default: with-log]
    #[arg(long, value_name = "WHICH", value_enum)]
    pub redis_restarts: Option<RestartsWord>,
    /// How many replicas of Redis must have a use before the call is forwarded [default: 0]
    #[arg(long, value_name = "NUMBER")]
    pub redis_replicas: Option<u8>,
    /// Each replica counts for itself, so a limit of 10 lets 10 calls pass on each
    #[arg(long)]
    pub limits_per_replica: bool,
}

/// What limits need when their counts were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LostWord {
    /// Each limit is down until what may have been lost has left its window
    WaitOut,
    /// Every limit is down until somebody confirms the counts
    Confirm,
}

impl From<LostWord> for Unknown {
    fn from(word: LostWord) -> Self {
        match word {
            LostWord::WaitOut => Self::WaitOut,
            LostWord::Confirm => Self::Confirm,
        }
    }
}

/// After which restarts counts are taken for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RestartsWord {
    /// Those of a server that keeps an append-only file and was not promoted
    WithLog,
    /// All
    Trusted,
    /// None
    Distrusted,
}

impl From<RestartsWord> for Restarts {
    fn from(word: RestartsWord) -> Self {
        match word {
            RestartsWord::WithLog => Self::WithLog,
            RestartsWord::Trusted => Self::Trusted,
            RestartsWord::Distrusted => Self::Distrusted,
        }
    }
}

impl RedisOptions {
    /// The first of them that was given: they mean nothing elsewhere.
    pub fn given(&self) -> Option<&'static str> {
        let own = [("--redis", self.redis.is_some()), ("--limits-per-replica", self.limits_per_replica)];
        own.into_iter().find_map(|(name, given)| given.then_some(name)).or_else(|| self.given_beside())
    }

    /// The first that says more of a Redis.
    pub fn given_beside(&self) -> Option<&'static str> {
        let all = [
            ("--redis-ca", self.redis_ca.is_some()),
            ("--redis-prefix", self.redis_prefix.is_some()),
            ("--redis-timeout", self.redis_timeout.is_some()),
            ("--redis-lost-counts", self.redis_lost_counts.is_some()),
            ("--redis-restarts", self.redis_restarts.is_some()),
            ("--redis-replicas", self.redis_replicas.is_some()),
        ];
        all.into_iter().find_map(|(name, given)| given.then_some(name))
    }
}
