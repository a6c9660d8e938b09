//! Runs of imports: what is written is written together with how far the run has come, so that a run
//! that was killed goes on where it stood.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::servers::{ServerEntry, Written};
use super::tools::ToolEntry;
use super::{Catalogue, Override, Package, PastEntry, Standing, facts, meeting, packages, servers};
use crate::BadDatabase;
use crate::database::{json, text};

/// What became of the lines of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Servers that were not known.
    pub servers_new: u64,
    /// Servers that lines filled with what was not known of them.
    pub servers_filled: u64,
    /// Lines of servers that said nothing new.
    pub servers_same: u64,
    /// Lines of servers that had the identity of another line before them.
    pub servers_merged: u64,
    /// Servers that are known from lists of tools alone.
    pub servers_from_tools: u64,
    /// Tools that were not known.
    pub tools_new: u64,
    /// Tools whose definition is another than before.
    pub tools_changed: u64,
    /// Tools that are judged otherwise than before.
    pub tools_rejudged: u64,
    /// Tools of which nothing changed.
    pub tools_same: u64,
    /// Lines for a tool that another line of the run has given.
    pub tools_doubled: u64,
    /// Servers that were private and stay so, though a line is for everybody: of them more is known than a name.
    #[serde(default)]
    pub kept_private: u64,
    /// What another catalogue knew of servers and tools beside their entries: what they were, what people said.
    pub facts_new: u64,
    /// What was refused, by the reason.
    pub refused: BTreeMap<String, u64>,
    /// Lines that could not be read.
    pub broken: u64,
}

impl Counts {
    /// Whether the catalogue is another than before.
    #[must_use]
    pub fn changed(&self) -> bool {
        let counts = [
            self.servers_new,
            self.servers_filled,
            self.tools_new,
            self.tools_changed,
            self.tools_rejudged,
            self.facts_new,
        ];
        counts.iter().any(|count| *count > 0)
    }

    /// Adds what importers count.
    fn add_importers(&mut self, other: &Counts) {
        self.servers_merged += other.servers_merged;
        self.servers_from_tools += other.servers_from_tools;
        self.broken += other.broken;
        self.kept_private += other.kept_private;
        for (reason, count) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
    }
}

/// A run of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// Lines that are done.
    pub position: u64,
    /// What became of them.
    pub counts: Counts,
}

/// What is written at once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Servers, each before its tools.
    pub servers: Vec<ServerEntry>,
    /// Tools.
    pub tools: Vec<ToolEntry>,
    /// Lines that these, and what was refused beside them, stood in.
    pub lines: u64,
    /// What tools were before, as another catalogue knows it.
    pub past: Vec<PastEntry>,
    /// What people said to another catalogue.
    pub said: Vec<Override>,
    /// How servers stand, as another catalogue knows it.
    pub standings: Vec<Standing>,
    /// What registries say of packages. What is newer holds.
    pub packages: Vec<Package>,
    /// What the importer counted itself: merged, refused, broken.
    pub counted: Counts,
}

impl Catalogue {
    /// Begins a run of a source, or takes up one that did not end.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn begin_run(&self, source: &str, now: Timestamp) -> Result<Run, BadDatabase> {
        let mut transaction = self.database.begin().await?;
        let open = sqlx::query("SELECT id, position, counts FROM import_runs WHERE source = $1 AND finished IS NULL")
            .bind(source)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = open {
            let position: i64 = row.try_get("position")?;
            let counts = json("the counts of a run", row.try_get("counts")?)?;
            return Ok(Run { id: row.try_get("id")?, position: u64::try_from(position).unwrap_or(0), counts });
        }
        let row = sqlx::query("INSERT INTO import_runs (source, started) VALUES ($1, $2) RETURNING id")
            .bind(source)
            .bind(now.as_microsecond())
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Run { id: row.try_get("id")?, position: 0, counts: Counts::default() })
    }

    /// Writes a batch and how far the run has come: both, or neither.
    ///
    /// # Errors
    /// [`BadDatabase`], in which case nothing of the batch is written.
    pub async fn write(&self, run: &mut Run, batch: &Batch, now: Timestamp) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        let mut counts = run.counts.clone();
        counts.add_importers(&batch.counted);
        for written in servers::write(&mut transaction, &batch.servers, now).await? {
            let count = match written {
                Written::New => &mut counts.servers_new,
                Written::Filled => &mut counts.servers_filled,
                Written::Same => &mut counts.servers_same,
            };
            *count += 1;
        }
        meeting::write(&mut transaction, &batch.tools, run.id, now, &mut counts).await?;
        for past in &batch.past {
            counts.facts_new += u64::from(facts::write_past(&mut transaction, past).await?);
        }
        for said in &batch.said {
            counts.facts_new += u64::from(facts::write_said(&mut transaction, said).await?);
        }
        for standing in &batch.standings {
            counts.facts_new += u64::from(facts::write_standing(&mut transaction, standing).await?);
        }
        for package in &batch.packages {
            counts.facts_new += u64::from(packages::write(&mut transaction, package).await?);
        }
        let position = run.position.saturating_add(batch.lines);
        sqlx::query("UPDATE import_runs SET position = $2, counts = $3 WHERE id = $1")
            .bind(run.id)
            .bind(i64::try_from(position).unwrap_or(i64::MAX))
            .bind(text(&counts)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        run.position = position;
        run.counts = counts;
        Ok(())
    }

    /// How many runs there are, of files or registries, whose source does not begin with this word.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn other_runs(&self, word: &str) -> Result<u64, BadDatabase> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM import_runs WHERE source NOT LIKE $1 || ' %')
                 + (SELECT COUNT(*) FROM registries WHERE newest IS NOT NULL OR cursor IS NOT NULL) AS others",
        )
        .bind(word)
        .fetch_one(&self.database.readers)
        .await?;
        Ok(u64::try_from(row.try_get::<i64, _>("others")?).unwrap_or(0))
    }

    /// Ends a run: the next one of the same source begins at the beginning.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn end_run(&self, run: &Run, now: Timestamp) -> Result<(), BadDatabase> {
        let mut transaction = self.database.begin().await?;
        sqlx::query("UPDATE import_runs SET finished = $2 WHERE id = $1")
            .bind(run.id)
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
