//! The tools of a server as its other tools' pages speak of them, kept from one page to the next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use risk::prose::Names;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use super::known::{Known, siblings};

/// The tools of a server, with no more of each than says which of them belong together.
#[derive(Debug)]
pub struct Family {
    /// The tools, the most severe first.
    pub tools: Vec<Known>,
    /// What their names say.
    pub names: Arc<Names>,
}

impl Family {
    /// Reads those of a server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn read(catalogue: &Catalogue, server: &Server) -> Result<Self, BadDatabase> {
        let tools = siblings(catalogue, server).await?;
        let judged: Vec<_> = tools.iter().map(|one| (one.definition(), one.assessment.clone())).collect();
        let names = Arc::new(Names::of(&server.name, &judged));
        Ok(Self { tools, names })
    }
}

/// How many tools are kept at most, but for a server that has more: about a kibibyte each.
const TOOLS: usize = 10_000;

/// Families that were read last. Who reads one page of a server reads the next, and a server may have thousands of
/// tools; what is kept holds as long as the catalogue says that nothing has changed.
#[derive(Debug, Default)]
pub struct Families {
    kept: Mutex<VecDeque<Kept>>,
}

#[derive(Debug)]
struct Kept {
    server: i64,
    name: String,
    stamp: String,
    family: Arc<Family>,
}

impl Families {
    /// The family of a server.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(&self, catalogue: &Catalogue, server: &Server) -> Result<Arc<Family>, BadDatabase> {
        let stamp = catalogue.stamp().await?;
        if let Some(family) = self.known(server, &stamp) {
            return Ok(family);
        }
        // The stamp is older than what is read: at worst this is read once more.
        let family = Arc::new(Family::read(catalogue, server).await?);
        self.keep(Kept { server: server.id, name: server.name.clone(), stamp, family: Arc::clone(&family) });
        Ok(family)
    }

    fn known(&self, server: &Server, stamp: &str) -> Option<Arc<Family>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|one| one.server == server.id)?;
        let one = kept.remove(at).filter(|one| one.stamp == stamp && one.name == server.name)?;
        let family = Arc::clone(&one.family);
        kept.push_front(one);
        Some(family)
    }

    fn keep(&self, family: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.server != family.server);
        kept.push_front(family);
        let mut room = TOOLS;
        let fit = kept.iter().take_while(|one| {
            let rest = room.checked_sub(one.family.tools.len().max(1));
            room = rest.unwrap_or_default();
            rest.is_some()
        });
        let fit = fit.count().max(1);
        kept.truncate(fit);
    }
}
