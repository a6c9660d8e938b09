//! Sessions that the gateway holds at legacy servers for agents that have none.
//!
//! Sessions differ by what the agent is able to answer, because a legacy server hears of that once, and by the policy,
//! which takes some of it away. Where a server may ask or log in the middle of a call, nothing on its side says whose
//! call that is: there a session serves one request at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::caller::Caller;
use crate::seal::Session;

/// How long sessions that nobody uses are held: each may be a process.
const IDLE: Duration = Duration::from_secs(300);

/// How long nobody has used what gives way to another kind of agent.
const YIELDS: Duration = Duration::from_secs(10);

/// Sessions that one kind of agent under one grant may have at a server at once.
const MOST_AT_ONCE: usize = 16;

/// Kinds of agents under one grant: what they say of themselves is theirs to choose.
const KINDS_OF_A_GRANT: usize = 16;

/// Notifications that a slow listener may be behind.
const BEHIND: usize = 256;

/// For whom sessions are held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) server: String,
    /// Tells a server from the one that has taken its id.
    pub(super) address: usize,
    pub(super) grant: String,
    pub(super) policy: String,
    pub(super) capabilities: String,
}

/// One session at a server.
pub(super) struct Held {
    /// As whom it was opened.
    pub(super) opener: Option<Caller>,
    /// The session, where the server keeps any.
    pub(super) session: Option<Session>,
    pub(super) revision: Option<mcp::revision::Revision>,
    /// The server's answer to `initialize`, without what the policy hides.
    pub(super) initialized: String,
    /// The log level that was asked for last.
    pub(super) level: Mutex<Option<String>>,
    /// Resources that listeners watch in it, and how many do. Locked for as long as the server is told.
    pub(super) watched: tokio::sync::Mutex<HashMap<String, usize>>,
    users: Mutex<Users>,
}

struct Users {
    count: usize,
    alone: bool,
    /// When the last one left.
    since: Instant,
}

impl Held {
    pub(super) fn new(
        opener: Option<Caller>,
        session: Option<Session>,
        revision: Option<mcp::revision::Revision>,
        initialized: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            opener,
            session,
            revision,
            initialized,
            level: Mutex::default(),
            watched: tokio::sync::Mutex::default(),
            users: Mutex::new(Users { count: 0, alone: false, since: Instant::now() }),
        })
    }

    fn is_idle(&self, limit: Duration) -> bool {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.count == 0 && users.since.elapsed() >= limit
    }

    fn take(self: &Arc<Self>, alone: bool) -> Option<Lease> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.alone || (alone && users.count > 0) {
            return None;
        }
        users.count += 1;
        users.alone = alone;
        Some(Lease { held: Arc::clone(self), alone })
    }
}

/// The use of a session, until it is dropped.
pub(super) struct Lease {
    pub(super) held: Arc<Held>,
    alone: bool,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut users = self.held.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.count = users.count.saturating_sub(1);
        users.since = Instant::now();
        if self.alone {
            users.alone = false;
        }
    }
}

/// The sessions of one kind of agent.
pub(super) struct Pool {
    held: Mutex<Vec<Arc<Held>>>,
    /// Held while a session is opened: who comes meanwhile may find it useful too.
    pub(super) opening: tokio::sync::Mutex<()>,
    /// Held by the listener that reads what servers say unasked.
    pub(super) pump: tokio::sync::Mutex<()>,
    /// Where what belongs to no request is told.
    pub(super) hub: broadcast::Sender<Arc<str>>,
    touched: Mutex<Instant>,
    numbers: AtomicU64,
}

impl Pool {
    fn new() -> Self {
        Self {
            held: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            pump: tokio::sync::Mutex::default(),
            hub: broadcast::Sender::new(BEHIND),
            touched: Mutex::new(Instant::now()),
            numbers: AtomicU64::new(1),
        }
    }

    /// A raw id that no other request at these sessions has.
    pub(super) fn next_id(&self) -> String {
        format!("\"tg-{}\"", self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// A session to be used, alone or beside others, if one is free. The oldest comes first: what a server remembers of
    /// a session is found again.
    pub(super) fn find(&self, alone: bool) -> Option<Lease> {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.all().iter().find_map(|held| held.take(alone))
    }

    /// Whether there may be one more.
    pub(super) fn has_room(&self) -> bool {
        self.all().len() < MOST_AT_ONCE
    }

    pub(super) fn add(&self, held: Arc<Held>, alone: bool) -> Option<Lease> {
        let lease = held.take(alone);
        self.all().push(held);
        lease
    }

    /// The server knows it no more.
    pub(super) fn forget(&self, gone: &Arc<Held>) {
        self.all().retain(|held| !Arc::ptr_eq(held, gone));
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the sessions that nobody has used for so long.
    fn idle(&self, limit: Duration) -> Vec<Arc<Held>> {
        self.all().extract_if(.., |held| held.is_idle(limit)).collect()
    }

    /// When somebody has asked for a session last.
    fn last_asked(&self) -> Instant {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has used its sessions for a while, so that they may be ended for others.
    fn gives_way(&self) -> bool {
        self.last_asked().elapsed() >= YIELDS && self.all().iter().all(|held| held.is_idle(YIELDS))
    }

    /// Whether nobody has come for long, and no session is left.
    fn is_over(&self) -> bool {
        let unused = self.last_asked().elapsed() >= IDLE;
        unused && self.hub.receiver_count() == 0 && self.all().is_empty()
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Pools {
    all: Mutex<HashMap<Key, Arc<Pool>>>,
    /// Sessions of kinds that have made room, until they are ended.
    over: Mutex<Vec<Arc<Held>>>,
}

impl Pools {
    /// The sessions of one kind of agent; `None` if its grant has too many kinds.
    pub(super) fn of(&self, key: Key) -> Option<Arc<Pool>> {
        let mut all = self.lock();
        if let Some(pool) = all.get(&key) {
            return Some(Arc::clone(pool));
        }
        let kin = |other: &&Key| other.grant == key.grant && other.server == key.server;
        if all.keys().filter(kin).count() >= KINDS_OF_A_GRANT {
            // One that nobody uses makes room: an edited policy leaves such behind, which nobody will ever use; else the one that
            // nobody has used for longest.
            let unused = all.iter().filter(|(other, pool)| kin(other) && Arc::strong_count(pool) == 1);
            let unused = unused.filter(|(other, pool)| other.policy != key.policy || pool.gives_way());
            let first = unused.min_by_key(|(other, pool)| (other.policy == key.policy, pool.last_asked()));
            let first = first.map(|(other, _)| other.clone());
            if let Some(pool) = all.remove(&first?) {
                self.over.lock().unwrap_or_else(PoisonError::into_inner).append(&mut pool.all());
            }
        }
        let pool = Arc::new(Pool::new());
        all.insert(key, Arc::clone(&pool));
        Some(pool)
    }

    /// Takes the sessions that nobody has used for long, to be ended.
    pub(super) fn sweep(&self) -> Vec<Arc<Held>> {
        let mut over = std::mem::take(&mut *self.over.lock().unwrap_or_else(PoisonError::into_inner));
        self.lock().retain(|_, pool| {
            over.append(&mut pool.idle(IDLE));
            // Whoever has it now may be about to open a session.
            Arc::strong_count(pool) > 1 || !pool.is_over()
        });
        over
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Pool>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Arc<Held> {
        Held::new(None, None, None, "{}".to_owned())
    }

    #[test]
    fn who_may_be_asked_has_a_session_alone() {
        let pool = Pool::new();
        assert!(pool.find(false).is_none());
        let shared = pool.add(held(), false).unwrap();
        assert!(pool.find(true).is_none(), "somebody is there");
        let beside = pool.find(false).unwrap();
        drop((shared, beside));
        let alone = pool.find(true).unwrap();
        assert!(pool.find(false).is_none() && pool.find(true).is_none());
        drop(alone);
        assert!(pool.find(true).is_some());
    }

    #[test]
    fn only_what_nobody_uses_is_idle() {
        let pool = Pool::new();
        let (used, unused) = (pool.add(held(), true).unwrap(), pool.add(held(), true).unwrap());
        let other = Arc::clone(&unused.held);
        drop(unused);
        assert!(pool.idle(Duration::from_secs(60)).is_empty(), "it was used just now");
        let over = pool.idle(Duration::ZERO);
        assert!(over.len() == 1 && Arc::ptr_eq(&over[0], &other));
        assert!(pool.find(true).is_none(), "the other one is in use");
        drop(used);
        assert_eq!(pool.idle(Duration::ZERO).len(), 1);
    }

    #[test]
    fn a_grant_has_so_many_kinds() {
        let key = |policy: &str, kind: usize| Key {
            server: "s".to_owned(),
            address: 1,
            grant: "g".to_owned(),
            policy: policy.to_owned(),
            capabilities: kind.to_string(),
        };
        let pools = Pools::default();
        for kind in 0..KINDS_OF_A_GRANT {
            assert!(pools.of(key("old", kind)).is_some());
        }
        assert!(pools.of(key("old", KINDS_OF_A_GRANT)).is_none());
        drop(pools.of(key("old", 0)).unwrap().add(held(), false));
        for kind in 0..KINDS_OF_A_GRANT {
            assert!(pools.of(key("new", kind)).is_some(), "sessions under a policy that was replaced make room");
        }
        assert_eq!(pools.sweep().len(), 1, "and are ended");
    }

    #[test]
    fn the_kind_that_nobody_has_used_for_longest_gives_way() {
        let key = |kind: usize| Key {
            server: "s".to_owned(),
            address: 1,
            grant: "g".to_owned(),
            policy: "p".to_owned(),
            capabilities: kind.to_string(),
        };
        let pools = Pools::default();
        for kind in 0..KINDS_OF_A_GRANT {
            let ago = |seconds: usize| {
                let ago = Duration::from_secs(1) * u32::try_from(seconds).unwrap();
                Instant::now().checked_sub(ago).unwrap()
            };
            let pool = pools.of(key(kind)).unwrap();
            let lease = pool.add(held(), false).unwrap();
            let one = Arc::clone(&lease.held);
            if kind == 1 {
                // It is used all the time.
                std::mem::forget(lease);
            } else {
                drop(lease);
                one.users.lock().unwrap().since = ago(100 - kind);
            }
            *pool.touched.lock().unwrap() = ago(if kind == 0 { 1 } else { 100 - kind });
        }
        let listed = |kind: usize| pools.lock().contains_key(&key(kind));
        assert!(pools.of(key(100)).is_some());
        assert!(listed(0) && listed(1) && !listed(2), "one that was used just now stays, and one that is in use");
        assert!(pools.of(key(101)).is_some() && !listed(3));
        assert_eq!(pools.sweep().len(), 2, "and its sessions are ended");
    }
}
