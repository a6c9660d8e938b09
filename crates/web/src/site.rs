//! What is served, and to whom.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use catalogue::pages::census::Census;
use catalogue::pages::family::Families;
use search::{Found, Index, Query};
use store::catalogue::{Catalogue, Server, Visibility};

use crate::counts::Counts;
use crate::failure::Failure;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever is at the machine, or a member: sees all.
    Members,
    /// Everybody: sees what is public.
    Everybody,
}

/// A catalogue that is served.
#[derive(Debug)]
pub struct Site {
    /// The store.
    pub(crate) catalogue: Catalogue,
    /// Where the search index lies.
    folder: PathBuf,
    index: ArcSwapOption<(PathBuf, Index)>,
    counts: Counts,
    /// The tools of servers whose pages were asked for last.
    pub(crate) families: Families,
    /// Who looks.
    pub(crate) audience: Audience,
    /// The beginning of absolute addresses, without a slash at the end; empty where nobody said it.
    pub(crate) base: String,
    /// Host names under which it may be asked, beside those of loopback; in lower case.
    pub(crate) hosts: Vec<String>,
}

impl Site {
    /// A site over a catalogue and the folder of its index. `base` is the beginning of its public addresses, such as
    /// `https://tools.example.com`.
    #[must_use]
    pub fn new(catalogue: Catalogue, index: &Path, audience: Audience, base: &str, hosts: Vec<String>) -> Self {
        Self {
            catalogue,
            folder: index.to_owned(),
            index: ArcSwapOption::empty(),
            counts: Counts::default(),
            families: Families::default(),
            audience,
            base: base.trim_end_matches('/').to_owned(),
            hosts,
        }
    }

    /// Whether everybody may see it, search engines too.
    pub(crate) fn is_public(&self) -> bool {
        self.audience == Audience::Everybody
    }

    /// Whether the audience may see an entry.
    pub(crate) fn shows(&self, server: &Server) -> bool {
        self.audience == Audience::Members || server.visibility == Visibility::Public
    }

    /// A path as an absolute address, where the base is known.
    pub(crate) fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What is counted over all that the audience may see.
    pub(crate) async fn census(&self) -> Result<Arc<Census>, Failure> {
        Ok(self.counts.current(&self.catalogue, self.is_public()).await?)
    }

    /// Answers a question from the newest index. Only what the audience may see is found.
    pub(crate) fn search(&self, query: Query) -> Result<Found, Failure> {
        Ok(self.index()?.1.search(&self.for_audience(query))?)
    }

    /// How many entries a question finds, of those that the audience may see.
    pub(crate) fn count(&self, query: Query) -> Result<usize, Failure> {
        Ok(self.index()?.1.count(&self.for_audience(query))?)
    }

    fn for_audience(&self, mut query: Query) -> Query {
        if self.is_public() {
            query.filters.push(search::Filter { field: "visibility".to_owned(), value: "public".to_owned() });
        }
        query
    }

    /// The index that is in use; another import may have made a newer one.
    fn index(&self) -> Result<Arc<(PathBuf, Index)>, Failure> {
        let current = search::current(&self.folder)?;
        if let Some(open) = self.index.load_full().filter(|open| open.0 == current) {
            return Ok(open);
        }
        let opened = Arc::new((current, Index::open(&self.folder)?));
        self.index.store(Some(Arc::clone(&opened)));
        Ok(opened)
    }
}
