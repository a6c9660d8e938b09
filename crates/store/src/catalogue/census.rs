//! What is counted over the whole catalogue: one pass over servers and one over an index of tools, neither of
//! which looks at a definition.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use policy::Class;
use risk::{Facet, Severity};
use sqlx::Row;

use super::lists::judged;
use super::rows::{class, facets, severity, time, visibility, yes};
use super::{Catalogue, Visibility};
use crate::BadDatabase;

/// A server, as far as lists are ordered and filtered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// The name for people.
    pub name: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// The licence.
    pub licence: Option<String>,
    /// The language of its description.
    pub language: Option<String>,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// Its tools are those of another server, which is the original.
    pub is_copy: bool,
}

/// Tools of one server that are judged alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The server.
    pub server: i64,
    /// Their class.
    pub class: Class,
    /// Their severity.
    pub severity: Severity,
    /// Their facets.
    pub facets: Vec<Facet>,
    /// When the last of them changed.
    pub changed: Timestamp,
    /// How many there are.
    pub count: u32,
}

/// Definitions of one server that changed on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedOn {
    /// The day, counted from the first of 1970.
    pub day: i64,
    /// The server.
    pub server: i64,
    /// How many changed.
    pub count: u32,
}

impl Catalogue {
    /// What is another word after each import and each word of a person: whoever has counted under it need not count again.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn stamp(&self) -> Result<String, BadDatabase> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS runs, COALESCE(SUM(position), 0) AS lines, COALESCE(MAX(finished), 0) AS finished,
                 (SELECT COALESCE(MAX(id), 0) FROM overrides) AS overrides
             FROM import_runs",
        )
        .fetch_one(&self.database.readers)
        .await?;
        let number = |name| row.try_get::<i64, _>(name);
        Ok(format!("{}.{}.{}.{}", number("runs")?, number("lines")?, number("finished")?, number("overrides")?))
    }

    /// The licences of all servers, as they were written, the commonest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn licences(&self) -> Result<Vec<String>, BadDatabase> {
        self.words(
            "SELECT licence AS word, COUNT(*) AS servers FROM servers GROUP BY licence ORDER BY servers DESC, word",
        )
        .await
    }

    /// The languages that all servers are described in, the commonest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn languages(&self) -> Result<Vec<String>, BadDatabase> {
        self.words(
            "SELECT language AS word, COUNT(*) AS servers FROM servers GROUP BY language ORDER BY servers DESC, word",
        )
        .await
    }

    async fn words(&self, statement: &'static str) -> Result<Vec<String>, BadDatabase> {
        let rows = sqlx::query(statement).fetch_all(&self.database.readers).await?;
        let words = rows.iter().map(|row| Ok(row.try_get::<Option<String>, _>("word")?));
        words.filter_map(Result::transpose).collect()
    }

    /// Every server that has not been withdrawn or hidden, in the order of its name.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn listed(&self) -> Result<Vec<Listed>, BadDatabase> {
        let mut rows = sqlx::query(
            "SELECT s.id, s.name, COALESCE(s.said_visibility, s.visibility) AS visibility, s.transport, s.licence,
                 s.language, s.first_seen,
                 CASE WHEN f.original IS NOT NULL AND f.original <> s.id THEN 1 ELSE 0 END AS is_copy
             FROM servers_said s LEFT JOIN forks f ON f.server = s.id
             WHERE s.tombstoned = 0 AND COALESCE(s.said_hidden, '') <> 'yes' ORDER BY LOWER(s.name), s.id",
        )
        .fetch(&self.database.readers);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(Listed {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                visibility: visibility(row.try_get("visibility")?)?,
                transport: row.try_get("transport")?,
                licence: row.try_get("licence")?,
                language: row.try_get("language")?,
                first_seen: time(row.try_get("first_seen")?)?,
                is_copy: row.try_get::<i64, _>("is_copy")? != 0,
            });
        }
        Ok(all)
    }

    /// How many tools of which kind each server has, in the order of the servers' numbers.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn tallies(&self) -> Result<Vec<Tally>, BadDatabase> {
        let mut rows = sqlx::query(
            "SELECT server, class, severity_fine, facets, MAX(changed) AS changed, COUNT(*) AS count
             FROM tools GROUP BY server, class, severity_fine, facets",
        )
        .fetch(&self.database.readers);
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(Tally {
                server: row.try_get("server")?,
                class: class(row.try_get("class")?)?,
                severity: severity(row.try_get("severity_fine")?)?,
                facets: facets(row.try_get("facets")?)?,
                changed: time(row.try_get("changed")?)?,
                count: number(row.try_get("count")?),
            });
        }
        drop(rows);
        self.tell_otherwise(&mut all).await?;
        Ok(all)
    }

    /// Counts those tools otherwise of which people say otherwise: they are few, and the index knows nothing of them.
    async fn tell_otherwise(&self, all: &mut Vec<Tally>) -> Result<(), BadDatabase> {
        let said = sqlx::query(
            "SELECT server, class, severity_fine, facets, changed, said_class, said_hidden FROM tools_said
             WHERE id IN (SELECT t.id FROM overrides o JOIN tools t ON t.server = o.server AND t.name = o.tool)",
        )
        .fetch_all(&self.database.readers)
        .await?;
        for row in &said {
            let server: i64 = row.try_get("server")?;
            let own = (class(row.try_get("class")?)?, severity(row.try_get("severity_fine")?)?);
            let facets = facets(row.try_get("facets")?)?;
            let changed = time(row.try_get("changed")?)?;
            let at = |all: &[Tally], kind: (Class, Severity)| {
                all.iter()
                    .position(|one| one.server == server && (one.class, one.severity) == kind && one.facets == facets)
            };
            if let Some(one) = at(all, own).and_then(|at| all.get_mut(at)) {
                one.count = one.count.saturating_sub(1);
            }
            if yes(row, "said_hidden")? {
                continue;
            }
            let (class, severity) = judged(row)?;
            match at(all, (class, severity)).and_then(|at| all.get_mut(at)) {
                Some(one) => one.count = one.count.saturating_add(1),
                None => all.push(Tally { server, class, severity, facets: facets.clone(), changed, count: 1 }),
            }
        }
        all.retain(|one| one.count > 0);
        all.sort_by_key(|one| one.server);
        Ok(())
    }

    /// On which days how many definitions of which server changed.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn days_of_change(&self) -> Result<Vec<ChangedOn>, BadDatabase> {
        let rows = sqlx::query(
            "SELECT h.until / 86400000000 AS day, t.server AS server, COUNT(*) AS count
             FROM tool_history h JOIN tools t ON t.id = h.tool GROUP BY h.until / 86400000000, t.server",
        )
        .fetch_all(&self.database.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let count = number(row.try_get("count")?);
                Ok(ChangedOn { day: row.try_get("day")?, server: row.try_get("server")?, count })
            })
            .collect()
    }
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
