//! Registries that speak the protocol of the official one: their servers come into the catalogue, and
//! what changes there changes here.
//!
//! A registry proves one thing: that whoever listed a server owns its name. So an entry is the server that
//! has its name; a repository that it names counts only where the owner of the repository goes by the
//! name's own words, and an endpoint only in the name's domain.

mod answer;
mod client;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use store::BadDatabase;
use store::catalogue::{Catalogue, Importing, ListedPage, Listing, Reading, Status, Visibility};

use self::answer::{Listed, Page, listed};
pub use self::client::NoPage;
use self::client::Registry;
pub(crate) use self::client::Registry as Source;
use crate::identity::Identity;
use crate::publisher::{akin, hosts};
use crate::resolve::Resolver;

/// The official registry.
pub const OFFICIAL: &str = "https://registry.modelcontextprotocol.io";

/// What names the entries that it was heard to list. Nothing else may be called so.
pub(crate) const OFFICIAL_SOURCE: &str = "official registry";

/// Entries of a page.
const LIMIT: &str = "100";

/// More pages than any registry has.
const PAGES: u32 = 10_000;

/// The next run asks from so much before the newest change: what changed while this one ran, and what
/// was still being written then, is listed again rather than missed.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// What is heard of a run while it goes on.
#[derive(Debug)]
pub enum News<'a> {
    /// The run goes on where an earlier one stood, with so many entries done.
    Resumed(u64),
    /// So many entries are written.
    Progress(u64),
    /// An entry could not be read, and was skipped.
    Broken(&'a str),
}

/// Why a run ended early. What was written until then stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum BadSync {
    /// No page.
    #[error(transparent)]
    Page(#[from] NoPage),
    /// The page is none.
    #[error("its answer is no page of a registry ({0}); --registry takes the address before /v0.1/servers")]
    NoRegistry(String),
    /// A page comes again.
    #[error("it gives the same page again and again")]
    Circle,
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
}

/// Reads a registry, or what changed in it since it was read last.
///
/// # Errors
/// [`BadSync`].
pub async fn sync(
    catalogue: &Catalogue,
    _right: &Importing,
    address: &str,
    full: bool,
    now: Timestamp,
    news: &mut (dyn FnMut(News<'_>) + Send),
) -> Result<Reading, BadSync> {
    let registry = Registry::at(address)?;
    let address = address.trim_end_matches('/');
    let official = address == OFFICIAL;
    let source = if official { OFFICIAL_SOURCE.to_owned() } else { format!("registry {}", registry.host()) };
    let mut reading = catalogue.begin_reading(address, full, now).await?;
    let mut resumed = reading.cursor.is_some();
    if resumed {
        news(News::Resumed(done(&reading)));
    }
    let mut resolver = Resolver::new(catalogue.known_servers().await?);
    let mut cursors: HashSet<String> = reading.cursor.iter().cloned().collect();
    for _ in 0..PAGES {
        let bytes = match ask(&registry, &reading).await {
            // A registry may have forgotten a cursor that it gave yesterday.
            Err(NoPage::Status(status)) if resumed && status.is_client_error() => {
                catalogue.rewind(&mut reading).await?;
                cursors.clear();
                resumed = false;
                continue;
            }
            other => other?,
        };
        resumed = false;
        let page: Page = serde_json::from_slice(&bytes).map_err(|error| BadSync::NoRegistry(error.to_string()))?;
        let next = page.next().map(str::to_owned);
        if next.as_ref().is_some_and(|next| !cursors.insert(next.clone())) {
            return Err(BadSync::Circle);
        }
        let mut listings = ListedPage { next, ..ListedPage::default() };
        for entry in page.servers {
            match listed(entry, &source) {
                Ok(entry) => put(entry, &mut resolver, &mut listings),
                Err(why) => {
                    listings.broken += 1;
                    news(News::Broken(&why));
                }
            }
        }
        catalogue.write_page(&mut reading, &listings, now, newest).await?;
        news(News::Progress(done(&reading)));
        if reading.cursor.is_none() {
            return Ok(reading);
        }
    }
    Err(BadSync::Circle)
}

async fn ask(registry: &Registry, reading: &Reading) -> Result<Vec<u8>, NoPage> {
    let since = reading.since.map(|since| since.to_string());
    let mut query = vec![("limit", LIMIT), ("version", "latest")];
    query.extend(since.as_deref().map(|since| ("updated_since", since)));
    query.extend(reading.cursor.as_deref().map(|cursor| ("cursor", cursor)));
    registry.page(&query).await
}

/// Entries of the run so far.
fn done(reading: &Reading) -> u64 {
    let counts = &reading.counts;
    counts.new + counts.changed + counts.same + counts.withdrawn + counts.returned + counts.older + counts.broken
}

/// From when the next run asks.
fn newest(reading: &Reading) -> Option<Timestamp> {
    reading.seen.map(|seen| seen.min(reading.started).saturating_sub(OVERLAP).unwrap_or(seen))
}

/// Finds the server of an entry.
fn put(entry: Listed, resolver: &mut Resolver, page: &mut ListedPage) {
    let Listed { mut described, said, latest, updated } = entry;
    page.seen = page.seen.max(updated);
    if !latest {
        page.older += 1;
        return;
    }
    let name = described.name.clone();
    described.identities.retain(|identity| match identity {
        Identity::Repository { place, .. } => place.split('/').nth(1).is_some_and(|owner| akin(&name, owner)),
        Identity::Endpoint(url) => hosts(&name, url.split('/').next().unwrap_or_default()),
        _ => true,
    });
    let found = resolver.find_listed(&described);
    // What was withdrawn before anybody here knew it needs no row.
    if found.is_none() && said.status == Some(Status::Deleted) {
        page.older += 1;
        return;
    }
    let resolved = resolver.resolve_as(found, &described);
    let entry = resolved.entry(described, Visibility::Public, false);
    page.listings.push(Listing { entry, said });
}
