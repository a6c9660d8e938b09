//! Definitions that meet the tools that are known: what changes, written for many at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

use super::import::Counts;
use super::tools::ToolEntry;
use crate::BadDatabase;
use crate::database::text;

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

/// Rows of one statement.
const ROWS: usize = 200;

const KNOWN: &str = "\
SELECT t.id, t.server, t.name, t.digest, t.class, t.severity, t.severity_fine, t.facets, t.evidence, t.seen_run,
    t.first_seen, t.changed, CASE WHEN t.input_schema IS NULL THEN 0 ELSE 1 END AS had_schema
FROM json_each($1) j JOIN tools t ON t.server = j.value ->> 0 AND t.name = j.value ->> 1";

const WRITE: &str = "\
INSERT INTO tools (server, name, title, description, input_schema, annotations, digest, class, severity, severity_fine,
    facets, confidence, evidence, first_seen, changed, seen_run) ";

const REPLACE: &str = "\
 ON CONFLICT (server, name) DO UPDATE SET title = excluded.title, description = excluded.description,
    input_schema = excluded.input_schema, annotations = excluded.annotations, digest = excluded.digest,
    class = excluded.class, severity = excluded.severity, severity_fine = excluded.severity_fine,
    facets = excluded.facets, confidence = excluded.confidence, evidence = excluded.evidence,
    changed = excluded.changed, seen_run = excluded.seen_run";

const SEEN: &str = "UPDATE tools SET seen_run = $2 WHERE id IN (SELECT value FROM json_each($1))";

const PAST: &str = "INSERT INTO tool_history (tool, digest, class, until) ";

/// A judgement as it stands in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Words {
    class: String,
    severity: String,
    severity_fine: String,
    facets: String,
    evidence: String,
}

impl Words {
    fn of(entry: &ToolEntry) -> Result<Self, BadDatabase> {
        let judged = &entry.judged;
        Ok(Self {
            class: judged.class.as_str().to_owned(),
            severity: judged.severity.as_str().to_owned(),
            severity_fine: judged.severity_fine.as_str().to_owned(),
            facets: text(&judged.facets.iter().map(|facet| facet.as_str()).collect::<Vec<_>>())?,
            evidence: text(&judged.evidence)?,
        })
    }
}

/// A tool as it stands: in the database, or after the entries of the batch so far.
struct Held<'a> {
    /// Its number, where the database has it.
    id: Option<i64>,
    /// The entry that is to be written in its place.
    entry: Option<&'a ToolEntry>,
    digest: Vec<u8>,
    judged: Words,
    has_schema: bool,
    /// This run has seen it.
    this_run: bool,
    first_seen: i64,
    changed: i64,
}

impl<'a> Held<'a> {
    fn new(entry: &'a ToolEntry, judged: Words, now: i64) -> Self {
        Self {
            id: None,
            entry: Some(entry),
            digest: entry.digest.to_vec(),
            judged,
            has_schema: entry.input_schema.is_some(),
            this_run: true,
            first_seen: now,
            changed: now,
        }
    }

    fn of(row: &SqliteRow, run: i64) -> Result<Self, BadDatabase> {
        Ok(Self {
            id: Some(row.try_get("id")?),
            entry: None,
            digest: row.try_get("digest")?,
            judged: Words {
                class: row.try_get("class")?,
                severity: row.try_get("severity")?,
                severity_fine: row.try_get("severity_fine")?,
                facets: row.try_get("facets")?,
                evidence: row.try_get("evidence")?,
            },
            has_schema: row.try_get::<i64, _>("had_schema")? != 0,
            this_run: row.try_get::<i64, _>("seen_run")? == run,
            first_seen: row.try_get("first_seen")?,
            changed: row.try_get("changed")?,
        })
    }

    fn meets(&self, entry: &ToolEntry, judged: &Words) -> Change {
        let meeting = Meeting {
            same: self.digest == entry.digest,
            judged_same: self.judged == *judged,
            this_run: self.this_run,
            had_schema: self.has_schema,
            has_schema: entry.input_schema.is_some(),
        };
        meeting.change()
    }
}

/// A definition that gives way: the tool, the digest, the class.
type Past = (i64, Vec<u8>, String);

/// Writes definitions in their order, and counts what became of them.
pub(super) async fn write(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[ToolEntry],
    run: i64,
    now: Timestamp,
    counts: &mut Counts,
) -> Result<(), BadDatabase> {
    if entries.is_empty() {
        return Ok(());
    }
    let now = now.as_microsecond();
    let mut held = known(transaction, entries, run).await?;
    // The tools that are to be written, in the order of their lines: so they are numbered.
    let mut touched: Vec<(i64, &str)> = Vec::with_capacity(entries.len());
    let mut seen: Vec<i64> = Vec::new();
    let mut past: Vec<Past> = Vec::new();
    for entry in entries {
        let judged = Words::of(entry)?;
        let key = (entry.server, entry.name.as_str());
        let held = match held.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Held::new(entry, judged, now));
                touched.push(key);
                counts.tools_new += 1;
                continue;
            }
            Entry::Occupied(place) => place.into_mut(),
        };
        let change = held.meets(entry, &judged);
        let count = match change {
            Change::Changed => &mut counts.tools_changed,
            Change::Rejudged => &mut counts.tools_rejudged,
            Change::Same => &mut counts.tools_same,
            Change::Doubled | Change::Fuller => &mut counts.tools_doubled,
        };
        *count += 1;
        match change {
            Change::Doubled => {}
            Change::Same => {
                held.this_run = true;
                seen.extend(held.id.filter(|_| held.entry.is_none()));
            }
            Change::Fuller | Change::Changed | Change::Rejudged => {
                if held.entry.is_none() {
                    touched.push(key);
                }
                if let Some(id) = held.id.filter(|_| change != Change::Fuller) {
                    past.push((id, held.digest.clone(), held.judged.class.clone()));
                }
                let (id, first_seen) = (held.id, held.first_seen);
                let changed = if change == Change::Changed { now } else { held.changed };
                *held = Held { id, first_seen, changed, ..Held::new(entry, judged, now) };
            }
        }
    }
    let rows: Vec<&Held<'_>> = touched.iter().filter_map(|key| held.get(key)).collect();
    put(transaction, &rows, run).await?;
    put_past(transaction, &past, now).await?;
    if !seen.is_empty() {
        sqlx::query(SEEN).bind(text(&seen)?).bind(run).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// The tools that the database has of these.
async fn known<'a>(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &'a [ToolEntry],
    run: i64,
) -> Result<HashMap<(i64, &'a str), Held<'a>>, BadDatabase> {
    let names: HashMap<(i64, &str), &'a str> =
        entries.iter().map(|entry| ((entry.server, entry.name.as_str()), entry.name.as_str())).collect();
    let asked: Vec<&(i64, &str)> = names.keys().collect();
    let rows = sqlx::query(KNOWN).bind(text(&asked)?).fetch_all(&mut **transaction).await?;
    let mut held = HashMap::with_capacity(entries.len());
    for row in &rows {
        let server: i64 = row.try_get("server")?;
        if let Some(name) = names.get(&(server, row.try_get::<&str, _>("name")?)) {
            held.insert((server, *name), Held::of(row, run)?);
        }
    }
    Ok(held)
}

async fn put(transaction: &mut Transaction<'static, Sqlite>, rows: &[&Held<'_>], run: i64) -> Result<(), BadDatabase> {
    for part in rows.chunks(ROWS) {
        let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(WRITE);
        let entries = part.iter().filter_map(|held| Some((*held, held.entry?)));
        statement.push_values(entries, |mut row, (held, entry)| {
            let judged = &held.judged;
            row.push_bind(entry.server)
                .push_bind(entry.name.as_str())
                .push_bind(entry.title.as_deref())
                .push_bind(entry.description.as_str())
                .push_bind(entry.input_schema.as_deref())
                .push_bind(entry.annotations.as_deref())
                .push_bind(entry.digest.as_slice())
                .push_bind(judged.class.as_str())
                .push_bind(judged.severity.as_str())
                .push_bind(judged.severity_fine.as_str())
                .push_bind(judged.facets.as_str())
                .push_bind(entry.judged.confidence)
                .push_bind(judged.evidence.as_str())
                .push_bind(held.first_seen)
                .push_bind(held.changed)
                .push_bind(run);
        });
        statement.push(REPLACE);
        statement.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

async fn put_past(transaction: &mut Transaction<'static, Sqlite>, past: &[Past], now: i64) -> Result<(), BadDatabase> {
    for part in past.chunks(ROWS) {
        let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(PAST);
        statement.push_values(part, |mut row, (tool, digest, class)| {
            row.push_bind(*tool).push_bind(digest.as_slice()).push_bind(class.as_str()).push_bind(now);
        });
        statement.build().execute(&mut **transaction).await?;
    }
    Ok(())
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
