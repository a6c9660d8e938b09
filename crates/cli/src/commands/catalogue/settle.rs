//! What follows from all entries together, once some of them changed: forks, impostors, the search index.

use catalogue::index::rebuild;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::Catalogue;

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

/// Finds out anew, and makes the index.
pub async fn settle(catalogue: &Catalogue, data: &DataDir) -> Result<Relations, Failure> {
    let (found, ()) = tokio::try_join!(relate(catalogue), index(catalogue, data))?;
    Ok(found)
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
    let _importing = catalogue.importing().trying("the search index")?;
    let (_, tools) = catalogue.size().await.trying("the catalogue")?;
    let bar = ProgressBar::new(tools).with_style(style("search index {wide_bar} {pos} of {len} tools"));
    let made = rebuild(catalogue, &data.search(), &mut |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    made.trying("the search index")
}

/// A style of a bar.
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
