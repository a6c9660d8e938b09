//! What registries say of servers, and how far they are read.
//!
//! A file fills what is empty. A registry is asked again and again: what it says holds, what it said
//! before and says no more goes, and what others said stays.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Row, Sqlite, Transaction};

use super::rows::{Status, time};
use super::servers::{self, ServerEntry, Written};
use super::{Catalogue, Visibility};
use crate::BadDatabase;
use crate::database::{json, text};

/// What a registry says of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// What the server says of itself.
    pub description: Option<String>,
    /// The language of that.
    pub language: Option<String>,
    /// The latest version.
    pub version: Option<String>,
    /// The repository.
    pub repository: Option<String>,
    /// Where the package is published, and its name.
    pub package: Option<(String, String)>,
    /// The remote endpoint.
    pub endpoint: Option<String>,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// What it wants before it serves.
    pub auth: Option<String>,
    /// Whether it is offered.
    pub status: Option<Status>,
    /// Since when, in microseconds since 1970.
    pub since: Option<i64>,
}

impl Said {
    /// What holds, now that a registry says this, has said `before`, and `now` stands in the row.
    #[must_use]
    pub fn over(&self, now: &Said, before: &Said) -> Said {
        fn one<T: Clone + PartialEq>(says: &Option<T>, now: &Option<T>, before: &Option<T>) -> Option<T> {
            says.clone().or_else(|| now.clone().filter(|_| now != before))
        }
        let description = one(&self.description, &now.description, &before.description);
        let language = match description == self.description {
            true => self.language.clone(),
            false => now.language.clone(),
        };
        Said {
            language,
            description,
            version: one(&self.version, &now.version, &before.version),
            repository: one(&self.repository, &now.repository, &before.repository),
            package: one(&self.package, &now.package, &before.package),
            endpoint: one(&self.endpoint, &now.endpoint, &before.endpoint),
            transport: one(&self.transport, &now.transport, &before.transport),
            auth: one(&self.auth, &now.auth, &before.auth),
            status: self.status,
            since: self.since,
        }
    }
}

/// A server as a registry lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The server, as an import knows one.
    pub entry: ServerEntry,
    /// What the registry says of it.
    pub said: Said,
}

/// What became of the entries of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListingCounts {
    /// Servers that were not known.
    pub new: u64,
    /// Servers of which the registry says something else now.
    pub changed: u64,
    /// Servers of which it says the same.
    pub same: u64,
    /// Servers that were withdrawn.
    pub withdrawn: u64,
    /// Servers that were withdrawn, and are offered again.
    pub returned: u64,
    /// Entries of versions that are not the latest.
    pub older: u64,
    /// Entries that could not be read.
    pub broken: u64,
}

impl ListingCounts {
    /// Whether the catalogue is another than before.
    #[must_use]
    pub fn any_changed(&self) -> bool {
        self.new + self.changed + self.withdrawn + self.returned > 0
    }
}

/// A run over the pages of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The registry.
    pub address: String,
    /// Only what changed since then is asked for.
    pub since: Option<Timestamp>,
    /// When the run began.
    pub started: Timestamp,
    /// The page that comes next; none for the first.
    pub cursor: Option<String>,
    /// The newest change that was seen.
    pub seen: Option<Timestamp>,
    /// What became of the entries so far.
    pub counts: ListingCounts,
}

/// A page of a registry.
#[derive(Debug, Clone, Default)]
pub struct ListedPage {
    /// Servers.
    pub listings: Vec<Listing>,
    /// What was counted beside them.
    pub older: u64,
    /// What could not be read.
    pub broken: u64,
    /// The newest change on it.
    pub seen: Option<Timestamp>,
    /// The page after it.
    pub next: Option<String>,
}

const KNOWN: &str = "\
SELECT s.description, s.language, s.version, s.repository, s.package, s.registry, s.endpoint, s.transport, s.auth,
    s.registry_status, s.registry_since, s.tombstoned, r.said
FROM servers s LEFT JOIN registry_entries r ON r.server = s.id WHERE s.id = $1";

const PRIVATE: &str = "\
SELECT s.id FROM servers s
WHERE s.id = $1 AND s.visibility = 'private' AND EXISTS (SELECT 1 FROM tools t WHERE t.server = s.id)";

const REPLACE: &str = "\
UPDATE servers SET description = $2, language = $3, version = $4, repository = $5, package = $6, registry = $7,
    endpoint = $8, transport = $9, auth = $10, registry_status = $11, registry_since = $12, tombstoned = $13
WHERE id = $1";

const KEEP: &str = "\
INSERT INTO registry_entries (server, said) VALUES ($1, $2) ON CONFLICT (server) DO UPDATE SET said = excluded.said";

/// Writes one listing, and counts what became of it.
async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    listing: &Listing,
    counts: &mut ListingCounts,
    now: Timestamp,
) -> Result<(), BadDatabase> {
    let id = listing.entry.id;
    // Somebody's private list of tools does not become public because a registry names the server.
    let kept = sqlx::query(PRIVATE).bind(id).fetch_optional(&mut **transaction).await?.is_some();
    let visibility = if kept { Visibility::Private } else { listing.entry.visibility };
    let entry = ServerEntry { visibility, ..listing.entry.clone() };
    let written = servers::write(transaction, &[entry], now).await?;
    let written = written.first().copied().unwrap_or(Written::Same);
    let row = sqlx::query(KNOWN).bind(id).fetch_one(&mut **transaction).await?;
    let before: Said = match row.try_get::<Option<&str>, _>("said")? {
        Some(said) => json("what a registry said", said)?,
        None => Said::default(),
    };
    let registry: Option<String> = row.try_get("registry")?;
    let status: Option<&str> = row.try_get("registry_status")?;
    let stands = Said {
        description: row.try_get("description")?,
        language: row.try_get("language")?,
        version: row.try_get("version")?,
        repository: row.try_get("repository")?,
        package: registry.zip(row.try_get("package")?),
        endpoint: row.try_get("endpoint")?,
        transport: row.try_get("transport")?,
        auth: row.try_get("auth")?,
        status: status.and_then(Status::of),
        since: row.try_get("registry_since")?,
    };
    let was_gone = row.try_get::<i64, _>("tombstoned")? != 0;
    let holds = listing.said.over(&stands, &before);
    let gone = holds.status == Some(Status::Deleted);
    if holds != stands || gone != was_gone {
        let (registry, package) = holds.package.clone().unzip();
        sqlx::query(REPLACE)
            .bind(id)
            .bind(&holds.description)
            .bind(&holds.language)
            .bind(&holds.version)
            .bind(&holds.repository)
            .bind(package)
            .bind(registry)
            .bind(&holds.endpoint)
            .bind(&holds.transport)
            .bind(&holds.auth)
            .bind(holds.status.map(Status::as_str))
            .bind(holds.since)
            .bind(i64::from(gone))
            .execute(&mut **transaction)
            .await?;
    }
    if listing.said != before {
        sqlx::query(KEEP).bind(id).bind(text(&listing.said)?).execute(&mut **transaction).await?;
    }
    let count = match (gone, was_gone) {
        _ if written == Written::New => &mut counts.new,
        (true, false) => &mut counts.withdrawn,
        (false, true) => &mut counts.returned,
        _ if holds != stands || written == Written::Filled => &mut counts.changed,
        _ => &mut counts.same,
    };
    *count += 1;
    Ok(())
}

impl Catalogue {
    /// Begins a run over a registry, or takes up one that did not end. `full` asks for everything again;
    /// without it, for what changed since the newest change that was seen.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn begin_reading(&self, address: &str, full: bool, now: Timestamp) -> Result<Reading, BadDatabase> {
        let mut transaction = self.database.begin().await?;
        let row = sqlx::query("SELECT newest, started, since, cursor, seen, counts FROM registries WHERE address = $1")
            .bind(address)
            .fetch_optional(&mut *transaction)
            .await?;
        let mut newest: Option<i64> = None;
        if let Some(row) = row {
            newest = row.try_get("newest")?;
            let since: Option<i64> = row.try_get("since")?;
            // A run for everything serves whoever wants everything, and whoever wants less.
            if let Some(started) = row.try_get::<Option<i64>, _>("started")?
                && (since.is_none() || !full)
            {
                return Ok(Reading {
                    address: address.to_owned(),
                    since: since.map(time).transpose()?,
                    started: time(started)?,
                    cursor: row.try_get("cursor")?,
                    seen: row.try_get::<Option<i64>, _>("seen")?.map(time).transpose()?,
                    counts: json("the counts of a run", row.try_get("counts")?)?,
                });
            }
        }
        let since = newest.filter(|_| !full);
        sqlx::query(
            "INSERT INTO registries (address, started, since) VALUES ($1, $2, $3)
             ON CONFLICT (address) DO UPDATE SET started = $2, since = $3, cursor = NULL, seen = NULL, counts = '{}'",
        )
        .bind(address)
        .bind(now.as_microsecond())
        .bind(since)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Reading {
            address: address.to_owned(),
            since: since.map(time).transpose()?,
            started: now,
            cursor: None,
            seen: None,
            counts: ListingCounts::default(),
        })
    }

    /// Writes a page, and which one comes next: both, or neither. A page without a next one ends the run, and
    /// `newest` is what the next run asks from.
    ///
    /// # Errors
    /// [`BadDatabase`], in which case nothing of the page is written.
    pub async fn write_page(
        &self,
        reading: &mut Reading,
        page: &ListedPage,
        now: Timestamp,
        newest: impl FnOnce(&Reading) -> Option<Timestamp>,
    ) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        let mut after = reading.clone();
        after.counts.older += page.older;
        after.counts.broken += page.broken;
        after.seen = after.seen.max(page.seen);
        after.cursor.clone_from(&page.next);
        for listing in &page.listings {
            write(&mut transaction, listing, &mut after.counts, now).await?;
        }
        let seen = after.seen.map(Timestamp::as_microsecond);
        if page.next.is_some() {
            sqlx::query("UPDATE registries SET cursor = $2, seen = $3, counts = $4 WHERE address = $1")
                .bind(&after.address)
                .bind(&after.cursor)
                .bind(seen)
                .bind(text(&after.counts)?)
                .execute(&mut *transaction)
                .await?;
        } else {
            sqlx::query(
                "UPDATE registries SET newest = COALESCE($2, newest), started = NULL, since = NULL, cursor = NULL,
                     seen = NULL, counts = '{}'
                 WHERE address = $1",
            )
            .bind(&after.address)
            .bind(newest(&after).map(Timestamp::as_microsecond))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        *reading = after;
        Ok(())
    }

    /// Forgets which page comes next: the run begins at its first page again.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn rewind(&self, reading: &mut Reading) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("UPDATE registries SET cursor = NULL WHERE address = $1")
            .bind(&reading.address)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        reading.cursor = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(description: &str, version: &str) -> Said {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Said { description: some(description), version: some(version), ..Said::default() }
    }

    #[test]
    fn a_registry_replaces_its_own_word_and_no_other() {
        // What it says, what stands, what it said before, what holds.
        let table = [
            (said("new", "2"), said("old", "1"), said("old", "1"), said("new", "2")),
            (said("new", "2"), said("from a file", ""), said("", ""), said("new", "2")),
            (said("", "2"), said("from a file", "1"), said("", "1"), said("from a file", "2")),
            (said("", ""), said("old", "1"), said("old", "1"), said("", "")),
            (said("", ""), said("from a file", "1"), said("old", "1"), said("from a file", "")),
        ];
        for (number, (says, stands, before, holds)) in table.into_iter().enumerate() {
            assert_eq!(says.over(&stands, &before), holds, "row {number}");
        }
    }
}
