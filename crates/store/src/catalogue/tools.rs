//! Tools: their definitions, what they can do, and what they were.

use jiff::Timestamp;
use policy::Class;
use sqlx::{Row, Sqlite, Transaction};

use super::rows::{class, time};
use super::{Catalogue, Judgement};
use crate::BadDatabase;
use crate::database::text;

/// A definition of a tool, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolEntry {
    /// Its server.
    pub server: i64,
    /// Its name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it says of itself.
    pub description: String,
    /// The schema of its arguments, as JSON.
    pub input_schema: Option<String>,
    /// What the server claims of it, as JSON.
    pub annotations: Option<String>,
    /// SHA-256 of the definition in canonical form.
    pub digest: [u8; 32],
    /// What it can do.
    pub judged: Judgement,
}

/// What a tool was before.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The digest of its definition.
    pub digest: Vec<u8>,
    /// Its class.
    pub class: Class,
    /// Until when.
    pub until: Timestamp,
}

/// What a definition changes about a tool that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it is the same, word by word.
    Same,
    /// Another entry of this run has said it already, or says more: nothing changes.
    Doubled,
    /// Another entry of this run said less: this one takes its place, and nothing is history.
    Fuller,
    /// The definition is another than before.
    Changed,
    /// The definition is the same, and is judged otherwise now.
    Rejudged,
}

/// What decides over a definition that meets a known tool.
#[derive(Debug, Clone, Copy)]
struct Meeting {
    /// The digests are equal.
    same: bool,
    /// So are the judgements.
    judged_same: bool,
    /// The known definition was written in this run.
    this_run: bool,
    /// The known definition has a schema.
    had_schema: bool,
    /// The new one has.
    has_schema: bool,
}

impl Meeting {
    /// An import gives the same result however often it is repeated: of several entries for one tool
    /// the first with a schema holds, else the first.
    fn change(self) -> Change {
        match self {
            Self { same: true, judged_same: true, .. } => Change::Same,
            Self { same: true, .. } => Change::Rejudged,
            Self { had_schema: true, has_schema: false, .. } => Change::Doubled,
            Self { this_run: true, had_schema: false, has_schema: true, .. } => Change::Fuller,
            Self { this_run: true, .. } => Change::Doubled,
            _ => Change::Changed,
        }
    }
}

const INSERT: &str = "\
INSERT INTO tools (server, name, title, description, input_schema, annotations, digest, class, severity, severity_fine,
    facets, confidence, evidence, first_seen, changed, seen_run)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)
ON CONFLICT (server, name) DO NOTHING";

const KNOWN: &str = "\
SELECT id, digest, class, severity, severity_fine, facets, confidence, evidence, seen_run,
    CASE WHEN input_schema IS NULL THEN 0 ELSE 1 END AS had_schema
FROM tools WHERE server = $1 AND name = $2";

const REPLACE: &str = "\
UPDATE tools SET title = $2, description = $3, input_schema = $4, annotations = $5, digest = $6, class = $7,
    severity = $8, severity_fine = $9, facets = $10, confidence = $11, evidence = $12,
    changed = COALESCE($13, changed), seen_run = $14
WHERE id = $1";

const SEEN: &str = "UPDATE tools SET seen_run = $2 WHERE id = $1";

const PAST: &str = "INSERT INTO tool_history (tool, digest, class, until) VALUES ($1, $2, $3, $4)";

/// Writes one definition; `None` for a tool that was not known.
pub(crate) async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    entry: &ToolEntry,
    run: i64,
    now: Timestamp,
) -> Result<Option<Change>, BadDatabase> {
    let judged = &entry.judged;
    let facets = text(&judged.facets.iter().map(|facet| facet.as_str()).collect::<Vec<_>>())?;
    let evidence = text(&judged.evidence)?;
    let inserted = sqlx::query(INSERT)
        .bind(entry.server)
        .bind(&entry.name)
        .bind(&entry.title)
        .bind(&entry.description)
        .bind(&entry.input_schema)
        .bind(&entry.annotations)
        .bind(entry.digest.as_slice())
        .bind(judged.class.as_str())
        .bind(judged.severity.as_str())
        .bind(judged.severity_fine.as_str())
        .bind(&facets)
        .bind(judged.confidence)
        .bind(&evidence)
        .bind(now.as_microsecond())
        .bind(run)
        .execute(&mut **transaction)
        .await?;
    if inserted.rows_affected() > 0 {
        return Ok(None);
    }
    let row = sqlx::query(KNOWN).bind(entry.server).bind(&entry.name).fetch_one(&mut **transaction).await?;
    let id: i64 = row.try_get("id")?;
    let digest: Vec<u8> = row.try_get("digest")?;
    let word = |name| row.try_get::<String, _>(name);
    let was = word("class")?;
    let meeting = Meeting {
        same: digest == entry.digest,
        judged_same: was == judged.class.as_str()
            && word("severity")? == judged.severity.as_str()
            && word("severity_fine")? == judged.severity_fine.as_str()
            && word("facets")? == facets
            && word("evidence")? == evidence,
        this_run: row.try_get::<i64, _>("seen_run")? == run,
        had_schema: row.try_get::<i64, _>("had_schema")? != 0,
        has_schema: entry.input_schema.is_some(),
    };
    let change = meeting.change();
    match change {
        Change::Doubled => {}
        Change::Same => {
            sqlx::query(SEEN).bind(id).bind(run).execute(&mut **transaction).await?;
        }
        Change::Fuller | Change::Changed | Change::Rejudged => {
            if change != Change::Fuller {
                let past = sqlx::query(PAST).bind(id).bind(&digest).bind(&was).bind(now.as_microsecond());
                past.execute(&mut **transaction).await?;
            }
            let changed = (change == Change::Changed).then(|| now.as_microsecond());
            sqlx::query(REPLACE)
                .bind(id)
                .bind(&entry.title)
                .bind(&entry.description)
                .bind(&entry.input_schema)
                .bind(&entry.annotations)
                .bind(entry.digest.as_slice())
                .bind(judged.class.as_str())
                .bind(judged.severity.as_str())
                .bind(judged.severity_fine.as_str())
                .bind(&facets)
                .bind(judged.confidence)
                .bind(&evidence)
                .bind(changed)
                .bind(run)
                .execute(&mut **transaction)
                .await?;
        }
    }
    Ok(Some(change))
}

impl Catalogue {
    /// What a tool was before, the newest first.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn history(&self, tool: i64) -> Result<Vec<Past>, BadDatabase> {
        let rows = sqlx::query("SELECT digest, class, until FROM tool_history WHERE tool = $1 ORDER BY until DESC")
            .bind(tool)
            .fetch_all(&self.database.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let until = time(row.try_get("until")?)?;
                Ok(Past { digest: row.try_get("digest")?, class: class(row.try_get("class")?)?, until })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_entries_for_one_tool_the_first_with_a_schema_holds() {
        let of = |same, this_run, had_schema, has_schema| {
            Meeting { same, judged_same: true, this_run, had_schema, has_schema }.change()
        };
        let table = [
            (of(true, false, true, true), Change::Same),
            (of(true, true, false, false), Change::Same),
            (of(false, false, false, false), Change::Changed),
            (of(false, false, true, true), Change::Changed),
            (of(false, false, false, true), Change::Changed),
            // A file that knows no schemas says nothing about them.
            (of(false, false, true, false), Change::Doubled),
            (of(false, true, false, true), Change::Fuller),
            (of(false, true, true, true), Change::Doubled),
            (of(false, true, false, false), Change::Doubled),
        ];
        for (number, (found, wanted)) in table.into_iter().enumerate() {
            assert_eq!(found, wanted, "row {number}");
        }
        let judged = Meeting { same: true, judged_same: false, this_run: true, had_schema: true, has_schema: true };
        assert_eq!(judged.change(), Change::Rejudged);
    }
}
