//! Whether a server is one that can keep counts.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Value};
use tokio::time::timeout;

use super::{said, silent};
use crate::options::{Options, Restarts};

/// What a server says of itself.
pub(super) struct Server {
    /// Names this life of its process.
    pub(super) run: String,
    /// Its clock, in microseconds.
    pub(super) time: i64,
    /// Whether counts that another life left are all that was taken.
    pub(super) trusted: bool,
}

/// Asks a server for its state, and writes a key: a server that can be read but not written would
/// let the breaker close for nothing.
pub(super) async fn inspect(connection: &MultiplexedConnection, options: &Options) -> Result<Server, String> {
    let mut connection = connection.clone();
    let mut requests = redis::pipe();
    requests.cmd("INFO").cmd("TIME");
    requests.cmd("SET").arg(format!("{}:probe", options.prefix)).arg(1).arg("PX").arg(60_000);
    let count = if options.replicas > 0 {
        requests.cmd("WAIT").arg(options.replicas).arg(options.waiting().as_millis().to_string());
        4
    } else {
        3
    };
    let limit = options.timeout.get();
    let answers = timeout(limit, connection.send_packed_commands(&requests, 0, count)).await;
    let answers = answers.map_err(|_| silent(limit))?.map_err(|error| said(&error))?;
    let answers: Vec<Value> =
        answers.into_iter().map(Value::extract_error).collect::<Result<_, _>>().map_err(|error| said(&error))?;
    let mut answers = answers.into_iter();
    let (Some(info), Some(time), Some(_)) = (answers.next(), answers.next(), answers.next()) else {
        return Err("gives fewer answers than it was asked".to_owned());
    };
    answers.next().map_or(Ok(()), |replicas| enough(replicas, options))?;
    let text = String::from_redis_value(info).map_err(|_| "does not say what it is (`INFO`)".to_owned())?;
    let (seconds, micros) =
        <(i64, i64)>::from_redis_value(time).map_err(|_| "does not say what time it is".to_owned())?;
    let time = seconds.saturating_mul(1_000_000).saturating_add(micros);
    judge(&text, time, options.restarts)
}

/// Whether as many replicas as the options ask for have what was written.
pub(crate) fn enough(answer: Value, options: &Options) -> Result<(), String> {
    let replicas = i64::from_redis_value(answer).map_err(|_| "does not say how many replicas it has".to_owned())?;
    if replicas < i64::from(options.replicas) {
        let wanted = options.replicas;
        return Err(format!("has {replicas} replicas that keep up, and each count must be on {wanted}"));
    }
    Ok(())
}

fn judge(info: &str, time: i64, restarts: Restarts) -> Result<Server, String> {
    let facts: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    if fact("role") != "master" {
        return Err("is a read-only replica".to_owned());
    }
    // Any other policy forgets counts, which gives quota back.
    let (most, policy) = (fact("maxmemory"), fact("maxmemory_policy"));
    if most != "0" && policy != "noeviction" {
        return Err(format!("forgets keys when memory is short (set `maxmemory-policy noeviction`; it is `{policy}`)"));
    }
    let run = fact("run_id");
    if run.is_empty() {
        return Err("does not say which run of it this is (`run_id` of `INFO`)".to_owned());
    }
    let promoted = !fact("master_replid2").bytes().all(|byte| byte == b'0');
    let trusted = match restarts {
        Restarts::Trusted => true,
        Restarts::Distrusted => false,
        Restarts::WithLog => fact("aof_enabled") == "1" && !promoted,
    };
    Ok(Server { run: run.to_owned(), time, trusted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(changes: &[(&str, &str)]) -> String {
        let usual = [
            ("run_id", "abc"),
            ("role", "master"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "noeviction"),
            ("aof_enabled", "0"),
            ("master_replid2", "0000000000"),
        ];
        let line = |(name, value): &(&str, &str)| {
            let changed = changes.iter().find(|(other, _)| other == name).map_or(*value, |(_, value)| *value);
            format!("{name}:{changed}\r\n")
        };
        usual.iter().map(line).collect()
    }

    #[test]
    fn only_a_server_that_keeps_counts_is_taken() {
        for (changes, refused) in [
            (vec![], None),
            (vec![("role", "slave")], Some("read-only replica")),
            (vec![("maxmemory", "1000"), ("maxmemory_policy", "allkeys-lru")], Some("allkeys-lru")),
            (vec![("maxmemory", "1000"), ("maxmemory_policy", "volatile-ttl")], Some("volatile-ttl")),
            (vec![("maxmemory", "1000")], None),
            (vec![("run_id", "")], Some("run_id")),
        ] {
            let told = judge(&info(&changes), 0, Restarts::WithLog).err();
            assert_eq!(told.is_some(), refused.is_some(), "{changes:?}: {told:?}");
            assert!(told.unwrap_or_default().contains(refused.unwrap_or_default()), "{changes:?}");
        }
    }

    #[test]
    fn a_restart_is_trusted_by_what_the_server_keeps() {
        for (changes, restarts, trusted) in [
            (vec![], Restarts::WithLog, false),
            (vec![("aof_enabled", "1")], Restarts::WithLog, true),
            (vec![("aof_enabled", "1"), ("master_replid2", "00a1")], Restarts::WithLog, false),
            (vec![("aof_enabled", "1")], Restarts::Distrusted, false),
            (vec![], Restarts::Trusted, true),
        ] {
            let server = judge(&info(&changes), 0, restarts).map(|server| server.trusted);
            assert_eq!(server, Ok(trusted), "{changes:?} {restarts:?}");
        }
    }
}
