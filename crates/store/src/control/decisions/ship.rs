//! Rows from records: idempotent, a batch a transaction, with the place up to which they go.
//!
//! Here no permit is asked for: a replica ships what belongs to every organisation. Nothing of it is shown to anybody.

use std::collections::BTreeMap;

use audit::{Id, Kind, Record, Target};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use super::{COLUMNS, Decision, Settled, plain};
use crate::control::engine::Engine;
use crate::control::page::id;
use crate::control::{BadControl, ControlDatabase};
use crate::log::{Position, Tail};

/// Rows of one statement.
const AT_ONCE: usize = 32;

/// Rows that are forgotten in one transaction.
const FORGOTTEN: i64 = 1_000;

/// How far a chain was shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// The place.
    pub position: Position,
    /// Whether nothing follows any more.
    pub ended: bool,
}

/// What records say: decisions under grants of organisations, with their outcomes as far as they are among them; and
/// outcomes of earlier decisions.
#[derive(Debug, Default)]
struct Batch {
    decisions: BTreeMap<Id, Decision>,
    outcomes: Vec<(Id, Settled)>,
}

impl Batch {
    fn of(chain: Id, records: &[(Record, String)]) -> Self {
        let mut batch = Self::default();
        for (record, line) in records {
            match record.kind {
                Kind::Decision => {
                    if let Some(decision) = decided(chain, record, line) {
                        batch.decisions.insert(decision.id, decision);
                    }
                }
                Kind::Outcome => {
                    let decision = record.decision.unwrap_or_default();
                    match batch.decisions.get_mut(&decision) {
                        Some(decision) => decision.outcome = Some(settled(record, line)),
                        None => batch.outcomes.push((decision, settled(record, line))),
                    }
                }
                _ => {}
            }
        }
        batch
    }
}

/// The row of a decision; none, where no control plane gave the grant: nobody could be permitted to read it.
fn decided(chain: Id, record: &Record, line: &str) -> Option<Decision> {
    let text = |text: &Option<String>| text.as_deref().map(plain);
    let (kind, name) = match record.target() {
        Target::Tool(name) => (Some("tool"), Some(name)),
        Target::Resource(uri) => (Some("resource"), Some(uri)),
        Target::Prompt(name) => (Some("prompt"), Some(name)),
        Target::None => (None, None),
    };
    Some(Decision {
        id: record.id,
        organisation: record.organisation.as_deref()?.parse().ok()?,
        chain,
        seq: i64::try_from(record.seq).unwrap_or(i64::MAX),
        at: record.time.as_millisecond(),
        grant: plain(record.grant_id.as_deref()?),
        grant_label: plain(record.grant.as_deref().unwrap_or_default()),
        agent: text(&record.agent),
        server: text(&record.server),
        session: text(&record.session),
        method: text(&record.method),
        kind: kind.map(str::to_owned),
        name: name.map(plain),
        effect: record.effect.unwrap_or_default(),
        rule: text(&record.rule),
        policy: text(&record.policy),
        reason: text(&record.reason),
        approval: None,
        line: line.to_owned(),
        outcome: None,
    })
}

fn settled(record: &Record, line: &str) -> Settled {
    Settled {
        ending: record.outcome.unwrap_or_default(),
        at: record.time.as_millisecond(),
        duration_us: record.duration_us.and_then(|micros| i64::try_from(micros).ok()),
        line: line.to_owned(),
    }
}

impl ControlDatabase {
    /// How far each of these chains was shipped.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn shipped(&self, chain: Id) -> Result<Option<Shipped>, BadControl> {
        let row: Option<(i64, i64, i64, String, i64)> =
            sqlx::query_as("SELECT segment, place, seq, head, ended FROM shipped WHERE chain = $1")
                .bind(chain.to_string())
                .fetch_optional(self.readers())
                .await?;
        let Some((segment, place, seq, head, ended)) = row else { return Ok(None) };
        let bad = || BadControl::Value("the place in a chain");
        let position = Position {
            segment: u32::try_from(segment).map_err(|_| bad())?,
            offset: u64::try_from(place).map_err(|_| bad())?,
            seq: u64::try_from(seq).map_err(|_| bad())?,
            head: head.parse().map_err(|_| bad())?,
        };
        Ok(Some(Shipped { position, ended: ended != 0 }))
    }

    /// Keeps what a chain's records say, and how far one has come. What is there already stays as it is.
    ///
    /// # Errors
    /// [`BadControl`]: then nothing was kept, and the place is the one before.
    pub async fn ship(&self, chain: Id, tail: &Tail, ended: bool) -> Result<(), BadControl> {
        let batch = Batch::of(chain, &tail.records);
        let mut rows = batch.decisions.into_values();
        let mut transaction = self.begin().await?;
        while rows.len() > 0 {
            let rows: Vec<Decision> = rows.by_ref().take(AT_ONCE).collect();
            insert(self.engine(), &mut transaction, rows).await?;
        }
        for (decision, settled) in batch.outcomes {
            let update = sqlx::query(
                "UPDATE decision SET outcome = $3, outcome_at = $4, duration_us = $5, outcome_line = $6
                 WHERE id = $1 AND chain = $2 AND outcome IS NULL",
            );
            let update = update.bind(decision.to_string()).bind(chain.to_string());
            outcome(update, Some(settled)).execute(&mut *transaction).await?;
        }
        keep_place(&mut transaction, chain, tail.position, ended).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets what was shipped of a chain behind a place, to ship it anew from there.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn ship_again(&self, chain: Id, from: Position) -> Result<(), BadControl> {
        let seq = i64::try_from(from.seq).unwrap_or(i64::MAX);
        let mut transaction = self.begin().await?;
        // No decision of a chain is older than the chain, and its id says so too: no other index is needed.
        let delete = sqlx::query("DELETE FROM decision WHERE id > $1 AND chain = $1 AND seq > $2");
        delete.bind(chain.to_string()).bind(seq).execute(&mut *transaction).await?;
        keep_place(&mut transaction, chain, from, false).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets decisions of before a time, in milliseconds since 1970, as their ids tell it; a part of them at a time, so
    /// that no change waits for long. Returns whether there are more.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn forget_decisions(&self, before: i64) -> Result<bool, BadControl> {
        let delete = sqlx::query("DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE id < $1 LIMIT $2)");
        let gone = delete.bind(Id::first_at(before).to_string()).bind(FORGOTTEN).execute(self.writer()).await?;
        Ok(gone.rows_affected() >= u64::try_from(FORGOTTEN).unwrap_or(u64::MAX))
    }

    /// The chains of which something was shipped.
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn shipped_chains(&self) -> Result<Vec<Id>, BadControl> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT chain FROM shipped ORDER BY chain").fetch_all(self.readers()).await?;
        rows.into_iter().map(|(chain,)| id(&chain)).collect()
    }
}

async fn insert(engine: Engine, connection: &mut AnyConnection, rows: Vec<Decision>) -> Result<(), BadControl> {
    let width = COLUMNS.split(',').count();
    let tuple = |row: usize| {
        let place = |column| match engine {
            // With names, each value would be looked up among all of them.
            Engine::Sqlite => "?".to_owned(),
            Engine::Postgres => format!("${}", row * width + column),
        };
        format!("({})", (1..=width).map(place).collect::<Vec<_>>().join(", "))
    };
    let tuples: Vec<String> = (0..rows.len()).map(tuple).collect();
    let sql = format!(
        "INSERT INTO decision ({COLUMNS}) VALUES {}
         ON CONFLICT (id) DO UPDATE SET outcome = COALESCE(decision.outcome, excluded.outcome),
             outcome_at = COALESCE(decision.outcome_at, excluded.outcome_at),
             duration_us = COALESCE(decision.duration_us, excluded.duration_us),
             outcome_line = COALESCE(decision.outcome_line, excluded.outcome_line)
         WHERE decision.chain = excluded.chain",
        tuples.join(", ")
    );
    let query = rows.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, row| {
        let query = query.bind(row.id.to_string()).bind(row.organisation.to_string()).bind(row.chain.to_string());
        let query = query.bind(row.seq).bind(row.at).bind(row.grant).bind(row.grant_label).bind(row.agent);
        let query = query.bind(row.server).bind(row.session).bind(row.method).bind(row.kind).bind(row.name);
        let query = query.bind(row.effect.as_str()).bind(row.rule).bind(row.policy).bind(row.reason);
        outcome(query.bind(row.approval).bind(row.line), row.outcome)
    });
    query.execute(connection).await?;
    Ok(())
}

type Statement<'q> = Query<'q, Any, sqlx::any::AnyArguments>;

fn outcome(query: Statement<'_>, settled: Option<Settled>) -> Statement<'_> {
    let (ending, at, duration, line) = match settled {
        Some(Settled { ending, at, duration_us, line }) => {
            (Some(ending.as_str().to_owned()), Some(at), duration_us, Some(line))
        }
        None => (None, None, None, None),
    };
    query.bind(ending).bind(at).bind(duration).bind(line)
}

async fn keep_place(
    connection: &mut AnyConnection,
    chain: Id,
    position: Position,
    ended: bool,
) -> Result<(), BadControl> {
    let upsert = sqlx::query(
        "INSERT INTO shipped (chain, segment, place, seq, head, ended) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (chain) DO UPDATE SET segment = excluded.segment, place = excluded.place, seq = excluded.seq,
             head = excluded.head, ended = excluded.ended",
    );
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let upsert = upsert.bind(chain.to_string()).bind(i64::from(position.segment)).bind(number(position.offset));
    let upsert = upsert.bind(number(position.seq)).bind(position.head.to_string()).bind(i64::from(ended));
    upsert.execute(connection).await?;
    Ok(())
}
