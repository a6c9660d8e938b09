//! The counts of the whole catalogue, taken once for each state of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use catalogue::pages::census::Census;
use store::BadDatabase;
use store::catalogue::Catalogue;
use tokio::sync::Mutex;

/// How long counts are given away without a look at whether the catalogue is another.
const FRESH: Duration = Duration::from_secs(5);

/// Counts that are kept.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    kept: ArcSwapOption<Kept>,
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Kept {
    census: Arc<Census>,
    stamp: String,
    looked: Instant,
}

impl Counts {
    /// The counts as they are now, or were some seconds ago. One request at a time counts anew; the others get the
    /// counts from before meanwhile, where there are any.
    pub(crate) async fn current(&self, catalogue: &Catalogue, public_only: bool) -> Result<Arc<Census>, BadDatabase> {
        let kept = self.kept.load_full();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.looked.elapsed() < FRESH) {
            return Ok(Arc::clone(&kept.census));
        }
        let _turn = match (self.turn.try_lock(), &kept) {
            (Ok(turn), _) => turn,
            (Err(_), Some(kept)) => return Ok(Arc::clone(&kept.census)),
            (Err(_), None) => self.turn.lock().await,
        };
        let kept = self.kept.load_full();
        let stamp = catalogue.stamp().await?;
        let census = match kept.filter(|kept| kept.stamp == stamp) {
            Some(kept) => Arc::clone(&kept.census),
            None => Arc::new(Census::take(catalogue, public_only).await?),
        };
        self.kept.store(Some(Arc::new(Kept { census: Arc::clone(&census), stamp, looked: Instant::now() })));
        Ok(census)
    }
}
