//! What follows from all entries together, once some of them changed: forks, impostors, the search index.

use catalogue::index::{rebuild, refresh};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use store::catalogue::{Catalogue, Importing};
use store::{BadDatabase, DataDir};

use crate::failure::{Failure, Trying};
use crate::output::say;

/// What was found among the servers.
pub struct Relations {
    /// Servers that have the tools of another publisher's.
    pub forks: usize,
    /// Those of them of which the original is known.
    pub decided: usize,
    /// Servers that could be taken for another.
    pub impostors: usize,
}

impl Relations {
    /// As JSON.
    pub fn as_json(&self) -> Value {
        json!({ "servers": self.forks, "with_known_original": self.decided })
    }

    /// In words; what was not found is not named.
    pub fn say(&self) -> Result<(), Failure> {
        if self.forks > 0 {
            let who = if self.forks == 1 { "1 server has".to_owned() } else { format!("{} servers have", self.forks) };
            say!("{who} the tools of another publisher's; the original is known for {}", self.decided)?;
        }
        if self.impostors > 0 {
            let what = if self.impostors == 1 { "1 server".to_owned() } else { format!("{} servers", self.impostors) };
            say!("{what} could be taken for another; `toolgate catalogue show` says why")?;
        }
        Ok(())
    }
}

/// A change of the catalogue, from before it is written until searches find it. Nobody else writes meanwhile; one that is
/// killed leaves behind that the index is older than the catalogue.
pub struct Change<'a> {
    catalogue: &'a Catalogue,
    data: &'a DataDir,
    right: Importing,
    /// The index was older before already.
    stale: bool,
}

impl<'a> Change<'a> {
    /// Begins one.
    pub fn begin(catalogue: &'a Catalogue, data: &'a DataDir) -> Result<Self, Failure> {
        Self::by(catalogue.importing().trying("the catalogue")?, catalogue, data)
    }

    /// Begins one, for who has the right to.
    pub fn by(right: Importing, catalogue: &'a Catalogue, data: &'a DataDir) -> Result<Self, Failure> {
        let stale = search::is_stale(&data.search());
        search::mark_stale(&data.search()).trying("the search index")?;
        Ok(Self { catalogue, data, right, stale })
    }

    /// The right to write.
    pub fn right(&self) -> &Importing {
        &self.right
    }

    /// Ends it. Where something changed, it is found out anew which servers belong together, and the index is made anew.
    pub async fn settle(self, changed: bool) -> Result<Option<Relations>, Failure> {
        if !changed && !self.stale {
            search::mark_fresh(&self.data.search()).trying("the search index")?;
            return Ok(None);
        }
        // Where nothing was put in, the catalogue still begins when it is first asked.
        if !changed && self.catalogue.size().await.trying("the catalogue")? == (0, 0) {
            return Ok(None);
        }
        let (found, ()) = tokio::try_join!(relate(self.catalogue), index(self.catalogue, self.data))?;
        Ok(Some(found))
    }

    /// Ends one of a single server, or of a tool of it: the rest of the index stays. Servers are compared where `apart`
    /// says that the change may tell them apart, and where a change before this one was not ended.
    pub async fn settle_one(self, server: i64, tool: Option<&str>, apart: bool) -> Result<(), Failure> {
        if apart || self.stale {
            relate(self.catalogue).await?;
        }
        let refreshed = match self.stale {
            false => refresh(self.catalogue, &self.data.search(), server, tool).await.is_ok(),
            true => false,
        };
        if refreshed { Ok(()) } else { index(self.catalogue, self.data).await }
    }
}

/// Finds out anew which servers belong together; the index knows nothing of that.
pub async fn relate(catalogue: &Catalogue) -> Result<Relations, Failure> {
    // What two publishers offer is told apart when all of it is known.
    let forks = catalogue::forks::forks(&catalogue.kin().await.trying("the catalogue")?);
    catalogue.write_forks(&forks).await.trying("the catalogue")?;
    let faces = catalogue.faces().await.trying("the catalogue")?;
    let mut impostors = catalogue::impostors::impostors(&faces);
    let packages = catalogue.packages().await.trying("the catalogue")?;
    for one in catalogue::impostors::mismatched(&faces, &packages) {
        // What is flagged by its name already says more.
        if !impostors.iter().any(|known| known.server == one.server) {
            impostors.push(one);
        }
    }
    catalogue.write_impostors(&impostors).await.trying("the catalogue")?;
    let decided = forks.iter().filter(|fork| fork.original.is_some()).count();
    Ok(Relations { forks: forks.len(), decided, impostors: impostors.len() })
}

async fn index(catalogue: &Catalogue, data: &DataDir) -> Result<(), Failure> {
    let (_, tools) = catalogue.size().await.trying("the catalogue")?;
    let bar = ProgressBar::new(tools).with_style(style("search index {wide_bar} {pos} of {len} tools"));
    let made = rebuild(catalogue, &data.search(), &mut |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    made.trying("the search index")
}

/// What to say where searches do not find all that the catalogue holds; and whether that ends by itself.
pub fn behind(data: &DataDir) -> Option<(String, bool)> {
    if !search::is_stale(&data.search()) {
        return None;
    }
    Some(match Importing::take(data) {
        Err(BadDatabase::Busy(pid)) => {
            let pid = pid.map(|pid| format!(" ({pid})")).unwrap_or_default();
            let says = format!("another process{pid} is writing into the catalogue; until it has ended, searches find what was there before");
            (says, true)
        }
        _ => (
            "the search index is older than the catalogue, since an import or another change of it did not end: `toolgate catalogue index` makes it anew, and so does the same import when it is started again".to_owned(),
            false,
        ),
    })
}

/// A style of a bar.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
