//! The wait until every replica does what was decided, so that an answer can say that it holds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use store::control::live::behind;
use store::control::{BadControl, ControlDatabase};

/// How often one looks whether replicas have followed.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until every replica that may serve has followed up to `version`, or may serve no more: its lease has run
/// out. So the wait is never longer than a lease. Returns the names of those that were lost on the way.
///
/// # Errors
/// [`BadControl`]: whether it holds everywhere is not known.
pub async fn everywhere(database: &ControlDatabase, version: i64) -> Result<BTreeSet<String>, BadControl> {
    let mut waited_for = BTreeSet::new();
    loop {
        let replicas = database.replicas().await?;
        let waiting = behind(&replicas, version);
        if waiting.is_empty() {
            let here = |name: &String| replicas.iter().any(|replica| replica.name == *name);
            return Ok(waited_for.into_iter().filter(|name| !here(name)).collect());
        }
        waited_for.extend(waiting.into_iter().map(str::to_owned));
        tokio::time::sleep_until((Instant::now() + LOOK).into()).await;
    }
}
