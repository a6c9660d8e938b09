//! How long decisions are kept: what is older goes from the tables and from this replica's segments, beside the shipping,
//! which never waits for it.

use std::sync::Arc;
use std::time::Duration;

use audit::SigningKey;
use jiff::Timestamp;
use store::log;
use tokio::sync::watch;

use super::{NotShipped, PATIENCE, Shipping, blocking};
use crate::Instance;

/// How often what is too old is looked for.
const TIDY: Duration = Duration::from_secs(3_600);

/// How soon it is tried again where it failed.
const AGAIN: Duration = Duration::from_secs(60);

/// Removes what is too old.
#[derive(Clone)]
pub(super) struct Keeper {
    instance: Instance,
    shipping: Shipping,
    key: Arc<SigningKey>,
}

impl Keeper {
    pub(super) fn new(instance: Instance, shipping: Shipping) -> Self {
        let key = instance.signing_key();
        Self { instance, shipping, key }
    }

    /// Removes what is too old for as long as it is polled, once an hour, and while all was shipped: what is in no table
    /// yet stays in its segment however old it is. What goes wrong is told once.
    pub(super) async fn run(&mut self, mut all_shipped: watch::Receiver<bool>) {
        let Some(keep) = self.shipping.keep else { return };
        let mut told = false;
        while all_shipped.wait_for(|all| *all).await.is_ok() {
            let pause = match self.tidy().await {
                Ok(()) => {
                    told = false;
                    TIDY
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        let days = keep.as_secs() / (24 * 60 * 60);
                        (self.shipping.tell)(&format!(
                            "decisions of more than {days} days ago cannot be removed at present ({error}); that is tried again, and holds up nothing else"
                        ));
                    }
                    AGAIN
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Removes it now.
    pub(super) async fn tidy(&self) -> Result<(), NotShipped> {
        let Some(keep) = self.shipping.keep else { return Ok(()) };
        let before = Timestamp::now().checked_sub(keep).unwrap_or(Timestamp::MIN);
        loop {
            let forgetting = self.instance.database.forget_decisions(before.as_millisecond());
            let silent = || NotShipped::Io(std::io::Error::other("the database does not answer"));
            if !tokio::time::timeout(PATIENCE, forgetting).await.map_err(|_| silent())?? {
                break;
            }
        }
        let (audit, key) = (self.shipping.audit.clone(), Arc::clone(&self.key));
        let pruned = blocking(move || log::prune(&audit, before, &key)).await?;
        for chain in pruned.kept {
            (self.shipping.tell)(&format!(
                "old segments of chain {chain} of the audit log are kept: it is not in order, or cannot be changed; `toolgate audit verify` says more"
            ));
        }
        Ok(())
    }
}
