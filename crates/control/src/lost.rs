//! Counts that were lost, and which limits wait for that, until when.

use std::collections::BTreeMap;

use gateway::counting::Known;
use jiff::Timestamp;
use policy::Load;
use store::control::access::{Actor, See};

use crate::{Instance, Refused};

/// Counts of an organisation that were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What was counted before this is not known; `None`: limits wait until somebody confirms what there is.
    pub since: Option<Timestamp>,
    /// The windows of limits of published policies that wait, as they are called in the list of uses, and from when on each
    /// counts again; `None`: when somebody confirms.
    pub waiting: BTreeMap<String, Option<Timestamp>>,
}

impl Instance {
    /// What was lost of the organisation's counts, while any limit of its published policies waits for that.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn lost_counts(&self, actor: &Actor) -> Result<Option<Lost>, Refused> {
        let permit = actor.permit::<See>()?;
        let known = self.counting()?.known(&permit.organisation().to_string()).await?;
        if known == Known::All {
            return Ok(None);
        }
        let now = Timestamp::now();
        let mut waiting = BTreeMap::new();
        for document in self.database.published_documents(&permit).await? {
            let Some(policy) = policy::load(&document, Load { comments_allowed: true }).policy else { continue };
            for limit in policy.limits() {
                let Some(again) = known.counts_from(limit.window, &limit.zone, now) else { continue };
                let window = match limit.window {
                    None => "in flight".to_owned(),
                    Some(window @ quota::Window::Rolling(_)) => window.to_string(),
                    Some(window) => format!("{window} in {}", limit.zone.iana_name().unwrap_or("UTC")),
                };
                waiting.insert(window, Some(again).filter(|again| *again < Timestamp::MAX));
            }
        }
        let since = match known {
            Known::Since(since) => Some(since),
            Known::All | Known::Unconfirmed => None,
        };
        Ok((!waiting.is_empty()).then_some(Lost { since, waiting }))
    }
}
