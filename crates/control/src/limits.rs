//! Counts of limits: begun once, shown, reset and confirmed.

use gateway::counting::{Counting, NotReset};
use quota::{StoreDown, Use};
use store::control::BadControl;
use store::control::access::{Actor, ManageLimits, See};

use crate::{Instance, Refused};

impl Instance {
    /// The same instance, with the counts that its people may see and reset.
    #[must_use]
    pub fn with_counting(self, counting: Counting) -> Self {
        Self { counting: Some(counting), ..self }
    }

    /// Says of each new organisation that nothing of it was ever counted: once, and after it was written down. Where the
    /// counts cannot be reached, or this process ends in between, its limits wait out their windows instead. Tells whether
    /// nothing is left to say.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn begin_counts(&self, counting: &Counting) -> Result<bool, BadControl> {
        let waiting = self.database.not_counted().await?;
        for organisation in &waiting {
            if counting.reachable().is_err() {
                return Ok(false);
            }
            if self.database.begin_counts(*organisation).await?
                && let Counting::Shared(counts) = counting
            {
                // Said and not heard, it is never said again.
                let _ = counts.begin(&organisation.to_string()).await;
            }
        }
        Ok(true)
    }

    /// What is used of the limits of the organisation.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn uses(&self, actor: &Actor) -> Result<Vec<Use>, Refused> {
        let permit = actor.permit::<See>()?;
        Ok(self.counting()?.snapshot(&permit.organisation().to_string()).await?)
    }

    /// Forgets what is used of a count. It is written down first: what is not recorded is not done.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn reset_count(&self, actor: &Actor, count: &str, reason: &str) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageLimits>()?;
        let (counting, organisation) = (self.counting()?, permit.organisation().to_string());
        let uses = counting.snapshot(&organisation).await?;
        let Some(used) = uses.iter().find(|used| used.id == count) else {
            return Err(BadControl::Missing("count").into());
        };
        let resettable = quota::Named::read(count).is_none_or(|named| named.window != "in flight");
        if !resettable {
            return Err(Refused::invalid("/id", NotReset::InFlight.to_string()));
        }
        let version = self.database.note_reset(permit, count, &used.used.to_string(), reason).await?;
        match counting.reset(&organisation, count).await {
            // Somebody was faster, or its window has ended.
            Ok(()) | Err(NotReset::Unused) => Ok(version),
            Err(NotReset::InFlight) => Err(Refused::invalid("/id", NotReset::InFlight.to_string())),
            Err(NotReset::Down(down)) => Err(down.into()),
        }
    }

    /// Somebody's word that counting may go on from what the store has, whatever it may have lost. It is written down
    /// first. Tells the version, and whether anything had waited for it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn confirm_counts(&self, actor: &Actor, reason: &str) -> Result<(i64, bool), Refused> {
        let permit = actor.permit::<ManageLimits>()?;
        let organisation = permit.organisation().to_string();
        let counting = self.counting()?;
        counting.reachable()?;
        let version = self.database.note_confirmed(permit, reason).await?;
        let waited = match counting {
            Counting::Here(_) => false,
            Counting::Shared(counts) => counts.confirm(&organisation).await?,
        };
        Ok((version, waited))
    }

    pub(crate) fn counting(&self) -> Result<&Counting, StoreDown> {
        let nothing = || StoreDown { reason: "this process counts nothing; ask one that serves agents".to_owned() };
        self.counting.as_ref().ok_or_else(nothing)
    }
}
