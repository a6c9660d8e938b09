//! How long the audit log is kept, where no instance keeps it: `serve --config`, `serve --policy` and `run`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit::{Id, SigningKey};
use jiff::Timestamp;
use store::log;

use crate::output::tell;

/// How often what is too old is looked for.
const TIDY: Duration = Duration::from_secs(3_600);

/// So many days.
pub fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 24 * 60 * 60)
}

/// Removes segments that are older than this, for as long as it is polled: now, and once an hour. Of several processes that
/// share a data directory one does it at a time.
pub async fn keep(audit: PathBuf, keep: Duration, key: Arc<SigningKey>) {
    let mut tidy = tokio::time::interval(TIDY);
    let mut told: HashSet<Id> = HashSet::new();
    let mut failing = false;
    loop {
        tidy.tick().await;
        let before = Timestamp::now().checked_sub(keep).unwrap_or(Timestamp::MIN);
        let (audit, key) = (audit.clone(), Arc::clone(&key));
        // The disk may take its time; calls do not wait for it.
        let pruned = tokio::task::spawn_blocking(move || log::prune(&audit, before, &key)).await;
        match pruned {
            Ok(Ok(pruned)) => {
                failing = false;
                for chain in pruned.kept.into_iter().filter(|chain| told.insert(*chain)) {
                    tell!(
                        "toolgate: old segments of chain {chain} of the audit log are kept: it is not in order, or cannot be changed; `toolgate audit verify` says more"
                    );
                }
            }
            Ok(Err(error)) => {
                if !std::mem::replace(&mut failing, true) {
                    tell!(
                        "toolgate: old segments of the audit log cannot be removed at present ({error}); that is tried again"
                    );
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use audit::{Event, Start};
    use store::log::{AuditLog, Options, Signer, chains, verify};

    use super::*;

    #[tokio::test]
    async fn what_is_too_old_goes_and_what_is_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let data = store::DataDir::open(folder.path()).unwrap();
        let (key, audit) = (Arc::new(store::keys::signing_key(&data).unwrap().0), data.audit());
        let log = || {
            let log = AuditLog::signed(&audit, Options::default(), Signer::new(Arc::clone(&key))).unwrap();
            let start = Start { version: "0", command: "serve", pid: 1, durability: "buffered" };
            log.append(&Event::Start(start)).unwrap();
            log
        };
        drop(log());
        let running = log();
        let segments = || chains(&audit).unwrap().iter().map(|chain| chain.segments.len()).collect::<Vec<_>>();
        assert_eq!(segments(), [1, 1]);
        let gone = async {
            while segments() != [0, 1] {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = keep(audit.clone(), Duration::ZERO, Arc::clone(&key)) => panic!("it ended"),
            gone = tokio::time::timeout(Duration::from_secs(60), gone) => gone.unwrap(),
        }
        assert!(verify(&audit, None).unwrap().is_intact());
        drop(running);
    }
}
