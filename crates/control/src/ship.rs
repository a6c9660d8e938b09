//! Brings the decisions of this replica's segments into the tables, behind the calls and never before them.
//!
//! The segments are what was recorded; the rows are derived from them. So a database that is away delays nothing: what
//! was decided meanwhile is shipped when it is back, and what a process has left behind that died is shipped by the
//! next one of the same data directory. What is older than one keeps is removed at both places.

mod keep;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use audit::Id;
use store::control::BadControl;
use store::log::{self, Chain, Position, Tail};
use tokio::sync::watch;

use self::keep::Keeper;

use crate::Instance;
use crate::follow::Tell;

/// How often one looks for new records.
const LOOK: Duration = Duration::from_millis(250);

/// Records of one transaction: changes wait for it no longer than they would feel.
const BATCH: usize = 1_024;

/// How long a step may take before the database counts as silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a replica ships from.
#[derive(Clone)]
pub struct Shipping {
    /// Where its chains lie.
    pub audit: PathBuf,
    /// For how long decisions are kept, in the tables and in segments; `None`: for good.
    pub keep: Option<Duration>,
    /// Where sentences for the operator go.
    pub tell: Tell,
}

/// Ships one data directory's chains.
pub struct Shipper {
    instance: Instance,
    shipping: Shipping,
    keeper: Keeper,
    /// The right to ship this directory, once it is ours.
    lock: Option<File>,
    /// Chains that have ended and are shipped, and chains that do not fit together.
    done: HashSet<Id>,
    /// Where a chain was read anew because what followed did not fit.
    again: HashMap<Id, u32>,
    lost: bool,
}

/// Why nothing was shipped.
#[derive(Debug, thiserror::Error)]
pub enum NotShipped {
    /// The tables.
    #[error(transparent)]
    Control(#[from] BadControl),
    /// The segments.
    #[error("the audit log's segments: {0}")]
    Io(#[from] io::Error),
}

impl Shipper {
    /// Ships nothing yet.
    pub fn new(instance: Instance, shipping: Shipping) -> Self {
        let keeper = Keeper::new(instance.clone(), shipping.clone());
        let (done, again) = (HashSet::new(), HashMap::new());
        Self { instance, shipping, keeper, lock: None, done, again, lost: false }
    }

    /// Ships what there is, a batch of each chain, and returns whether there was more than that.
    ///
    /// # Errors
    /// [`NotShipped`]: what was not shipped is next time.
    pub async fn step(&mut self) -> Result<bool, NotShipped> {
        if !self.may_ship().await? {
            return Ok(false);
        }
        let (audit, done) = (self.shipping.audit.clone(), self.done.clone());
        let chains = blocking(move || {
            let all = log::chains(&audit)?.into_iter().filter(|chain| !done.contains(&chain.id));
            // Asked before reading: what has ended then is whole.
            Ok(all.map(|chain| (chain.is_running(), chain)).collect::<Vec<_>>())
        })
        .await?;
        let (mut more, mut unread) = (false, None);
        for (running, chain) in chains {
            match self.ship(chain, running).await {
                Ok(there_is) => more |= there_is,
                // What cannot be read of one chain holds up no other.
                Err(NotShipped::Io(error)) => unread = Some(error),
                Err(error) => return Err(error),
            }
        }
        match unread.filter(|_| !more) {
            Some(error) => Err(error.into()),
            None => Ok(more),
        }
    }

    /// Whether this process is the one that ships the directory.
    async fn may_ship(&mut self) -> Result<bool, NotShipped> {
        if self.lock.is_none() {
            let audit = self.shipping.audit.clone();
            self.lock = blocking(move || log::shipping(&audit)).await?;
        }
        Ok(self.lock.is_some())
    }

    /// Ships until nothing is left. For whoever makes the rows anew, or ends.
    ///
    /// # Errors
    /// [`NotShipped`].
    pub async fn catch_up(&mut self) -> Result<(), NotShipped> {
        while self.step().await? {}
        Ok(())
    }

    /// Makes the rows of this directory's chains anew from their segments. Rows of records whose segments were removed
    /// stay. Another process that ships the directory is left to it.
    ///
    /// # Errors
    /// [`NotShipped`]: rows that are missing then are made by the next steps.
    pub async fn rebuild(&mut self) -> Result<(), NotShipped> {
        if !self.may_ship().await? {
            return Ok(());
        }
        let audit = self.shipping.audit.clone();
        let starts = blocking(move || {
            let all = log::chains(&audit)?.into_iter();
            all.map(|chain| Ok((chain.id, log::chain_start(&chain.path)?))).collect::<io::Result<Vec<_>>>()
        })
        .await?;
        for (chain, start) in starts {
            if let Some(start) = start {
                self.instance.database.ship_again(chain, start).await?;
            }
            self.done.remove(&chain);
        }
        self.catch_up().await
    }

    async fn ship(&mut self, chain: Chain, running: bool) -> Result<bool, NotShipped> {
        let database = self.instance.database.clone();
        let from = match database.shipped(chain.id).await? {
            Some(shipped) if shipped.ended => {
                self.done.insert(chain.id);
                return Ok(false);
            }
            Some(shipped) => shipped.position,
            None => Position::default(),
        };
        let (id, path) = (chain.id, chain.path.clone());
        let tail = blocking(move || log::tail(&path, from, BATCH)).await?;
        let more = tail.records.len() >= BATCH;
        let ended = !running && !more && !tail.broken;
        if tail.position != from || ended {
            database.ship(id, &tail, ended).await?;
        }
        if tail.broken {
            return self.read_anew(&chain, &tail).await;
        }
        if ended {
            self.done.insert(id);
        }
        Ok(more)
    }

    /// What follows does not fit what was read. A disk that failed may have taken records back: once, the segment is
    /// read from its beginning.
    async fn read_anew(&mut self, chain: &Chain, tail: &Tail) -> Result<bool, NotShipped> {
        let segment = tail.position.segment;
        let path = chain.path.clone();
        let start = blocking(move || log::segment_start(&path, segment)).await?;
        match start.filter(|_| self.again.insert(chain.id, segment) != Some(segment)) {
            Some(start) => {
                self.instance.database.ship_again(chain.id, start).await?;
                Ok(true)
            }
            None => {
                self.done.insert(chain.id);
                (self.shipping.tell)(&format!(
                    "the audit log was tampered with: chain {}, segment {segment}, behind record {}; what follows there is not shown among the decisions: `toolgate audit verify` says more",
                    chain.id, tail.position.seq
                ));
                Ok(false)
            }
        }
    }

    /// Removes what is too old, where it is said for how long it is kept; after all was shipped, by the process that ships.
    ///
    /// # Errors
    /// [`NotShipped`]: it is removed the next time.
    pub async fn tidy(&mut self) -> Result<(), NotShipped> {
        match self.lock {
            Some(_) => self.keeper.tidy().await,
            None => Ok(()),
        }
    }

    /// Ships for as long as it is polled, and removes beside that what is too old: that may take its time. What goes wrong is
    /// told once, and tried again.
    pub async fn run(&mut self) {
        let (all_shipped, seen) = watch::channel(false);
        let mut keeper = self.keeper.clone();
        tokio::join!(self.ship_on(&all_shipped), keeper.run(seen));
    }

    async fn ship_on(&mut self, all_shipped: &watch::Sender<bool>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let (more, failed) = match tokio::time::timeout(PATIENCE, self.step()).await {
                Ok(Ok(more)) => (more, None),
                Ok(Err(error)) => (false, Some(error.to_string())),
                Err(_) => (false, Some("the database does not answer".to_owned())),
            };
            all_shipped.send_replace(!more && failed.is_none() && self.lock.is_some());
            self.report(failed);
            if !more {
                look.tick().await;
            }
        }
    }

    fn report(&mut self, failed: Option<String>) {
        match (failed, std::mem::take(&mut self.lost)) {
            (None, true) => (self.shipping.tell)("decisions are shown again up to the present"),
            (Some(why), already) => {
                self.lost = true;
                if !already {
                    let rest = "they are recorded in the audit log as before, and shown later";
                    (self.shipping.tell)(&format!("decisions cannot be shown at present ({why}); {rest}"));
                }
            }
            (None, false) => {}
        }
    }
}

/// Files take their time, which is nobody else's.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, NotShipped> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| io::Error::other("the work was given up"))??)
}
