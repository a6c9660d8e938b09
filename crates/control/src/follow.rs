//! A replica: keeps a gateway to what was decided, and serves under a lease.
//!
//! It looks for a new version many times a second, puts what has changed in force, and only then says so. While it
//! cannot look, it does not renew its lease; when that runs out, the gateway forwards nothing. Whoever publishes or
//! revokes waits for both ([`confirm`](crate::confirm)), so what was answered holds everywhere.

mod grants;
mod lists;
mod servers;
mod state;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::Id;
use gateway::gateway::Gateway;
use store::control::BadControl;
use store::log::ids;

use crate::Instance;
use lists::Lists;
use state::State;

/// How often one looks for a new version: what is stopped is stopped within a second, with room to spare.
const LOOK: Duration = Duration::from_millis(100);

/// How often the times of use are written.
const USED_EVERY: Duration = Duration::from_secs(60);

/// How long a lease lasts, unless the operator says otherwise.
pub const LEASE: Duration = Duration::from_secs(5);

/// The shortest lease.
pub const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// The longest lease.
pub const LONGEST_LEASE: Duration = Duration::from_secs(600);

/// Receives a sentence for the operator.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// How a replica follows.
#[derive(Clone)]
pub struct Following {
    /// Its name for people, such as that of its machine.
    pub name: String,
    /// How long it serves without having heard from the database; from [`SHORTEST_LEASE`] to [`LONGEST_LEASE`]. A short
    /// one makes a change hold sooner while a replica is cut off, a long one serves on through longer outages.
    pub lease: Duration,
    /// Variables of its own environment that no program of a server inherits.
    pub hidden: Vec<OsString>,
    /// Where sentences for the operator go.
    pub tell: Tell,
}

/// A replica.
pub struct Replica {
    instance: Instance,
    id: Id,
    following: Following,
    state: State,
    gateway: Arc<Gateway>,
    lists: Lists,
    acknowledged: i64,
    renewed: Option<Instant>,
    used: Instant,
    /// Whether organisations may have come whose counts nobody has begun.
    uncounted: bool,
    lost: bool,
}

impl Replica {
    /// A replica that serves nothing yet.
    pub fn new(instance: Instance, gateway: Arc<Gateway>, following: Following) -> Self {
        let state = State::new(&instance, following.hidden.clone(), Arc::clone(&following.tell));
        let used = Instant::now();
        let lists = Lists::default();
        let id = ids::next();
        Self {
            instance,
            id,
            following,
            state,
            gateway,
            lists,
            acknowledged: 0,
            renewed: None,
            used,
            uncounted: true,
            lost: false,
        }
    }

    /// Puts in force what was decided up to now, and takes a lease: from then on the gateway serves.
    ///
    /// # Errors
    /// [`BadControl`]: it serves until its last lease ends.
    pub async fn step(&mut self) -> Result<(), BadControl> {
        let database = self.instance.database.clone();
        if self.uncounted {
            self.uncounted = !self.instance.begin_counts(self.gateway.counting()).await?;
        }
        self.state.follow_keys();
        // The lease counts from before the question: it never ends later here than there.
        let asked = Instant::now();
        if !self.state.has(database.version().await?) {
            let delta = self.state.news().await?;
            // What is stopped is stopped first, and what goes on goes on last: under what is in force by then.
            let grants = self.state.take(delta);
            // Counts begin before anything is counted.
            self.uncounted = !self.instance.begin_counts(self.gateway.counting()).await?;
            self.gateway.replace_grants(grants);
            self.state.resume();
        }
        if self.acknowledged != self.state.seen() {
            database.applied(self.id, self.state.seen()).await?;
            self.acknowledged = self.state.seen();
        }
        let due = self.renewed.is_none_or(|renewed| renewed.elapsed() >= self.following.lease / 3);
        if due {
            let lasts = i64::try_from(self.following.lease.as_millis()).unwrap_or(i64::MAX);
            let renewed = database.renew_lease(self.id, &self.following.name, lasts, self.state.seen()).await?;
            // Where something has changed in between, the next look comes first.
            if renewed.is_some() {
                self.gateway.lease().hold_until(asked + self.following.lease);
                self.renewed = Some(asked);
            }
        }
        self.lists.turn(&self.instance, &self.following, &self.state);
        if self.used.elapsed() >= USED_EVERY {
            self.used = Instant::now();
            database.grants_used(&self.state.used()).await?;
        }
        Ok(())
    }

    /// Follows for as long as it is polled. What goes wrong is told once, and tried again.
    pub async fn run(&mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            // A database that is silent is as good as away.
            let step = tokio::time::timeout(self.following.lease, self.step()).await;
            let failed = match step {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("the control plane's database does not answer".to_owned()),
            };
            self.report(failed);
        }
    }

    fn report(&mut self, failed: Option<String>) {
        match (failed, std::mem::take(&mut self.lost)) {
            (None, true) => (self.following.tell)("the control plane is back: calls are forwarded again"),
            (Some(why), already) => {
                self.lost = true;
                if !already {
                    let rest = "calls go on until the lease ends, then nothing is forwarded until it is back";
                    (self.following.tell)(&format!("the control plane cannot be followed ({why}); {rest}"));
                }
            }
            (None, false) => {}
        }
    }

    /// Serves no more: the lease is given back, so that nobody waits for it.
    ///
    /// # Errors
    /// [`BadControl`]: then others wait until it has run out.
    pub async fn leave(&mut self) -> Result<(), BadControl> {
        self.gateway.lease().hold_until(Instant::now());
        self.instance.database.grants_used(&self.state.used()).await?;
        self.instance.database.end_lease(self.id).await
    }
}
