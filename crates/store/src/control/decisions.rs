//! The decisions of all replicas, as their segments tell them: derived rows, which can be made anew.
//!
//! Whoever ships a chain ([`ship`]) writes rows and the place up to which they go in one transaction, so that a
//! repetition after a crash changes nothing. Reading takes a [`Permit`], as everywhere.

pub mod ship;

use audit::{Effect, Ending, Id};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::access::{Permit, See};
use super::page::{LONGEST, id, json};
use super::{BadControl, ControlDatabase};

/// The columns, in the order in which they are written and read.
const COLUMNS: &str = "id, organisation, chain, seq, at, access_grant, grant_label, agent, server, session, method, kind, \
     name, effect, rule, policy, reason, approval, line, outcome, outcome_at, duration_us, outcome_line";

/// A decision, and what became of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id, which the agent was told too.
    pub id: Id,
    /// The organisation of the grant.
    pub organisation: Id,
    /// The chain that holds its record: that of one process of one replica.
    pub chain: Id,
    /// The record's number in the chain.
    pub seq: i64,
    /// In milliseconds since 1970, by the replica's clock.
    pub at: i64,
    /// The grant's id.
    pub grant: String,
    /// The grant's label at that time.
    pub grant_label: String,
    /// The agent's name at that time.
    pub agent: Option<String>,
    /// The server's name at that time.
    pub server: Option<String>,
    /// A short hash of the session's id.
    pub session: Option<String>,
    /// The JSON-RPC method.
    pub method: Option<String>,
    /// What it was about: `tool`, `resource` or `prompt`.
    pub kind: Option<String>,
    /// The name of the tool or prompt, the URI of the resource.
    pub name: Option<String>,
    /// What was decided.
    pub effect: Effect,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The digest of the policy in force.
    pub policy: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The approval that was asked for.
    pub approval: Option<String>,
    /// The record as it stands in the segment.
    pub line: String,
    /// What became of the call, once that is known.
    pub outcome: Option<Settled>,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How it ended.
    pub ending: Ending,
    /// When, in milliseconds since 1970, by the replica's clock.
    pub at: i64,
    /// From the decision to the end of the answer, in microseconds.
    pub duration_us: Option<i64>,
    /// The record as it stands in the segment.
    pub line: String,
}

/// Which decisions are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// Under this grant, by id or label.
    pub grant: Option<String>,
    /// On the server of this name.
    pub server: Option<String>,
    /// About the tool, resource or prompt of this name.
    pub tool: Option<String>,
    /// With this effect.
    pub effect: Option<Effect>,
    /// By this rule.
    pub rule: Option<String>,
    /// Not before, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Asked for under this approval.
    pub approval: Option<String>,
}

/// A place in the list of decisions: behind the one of this time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its time.
    pub at: i64,
    /// Its id.
    pub id: Id,
}

/// A value of a statement.
enum Value {
    Text(String),
    Number(i64),
}

/// A statement that grows by what is asked for.
struct Asking {
    sql: String,
    values: Vec<Value>,
}

impl Asking {
    fn and(&mut self, condition: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            self.sql.push_str(&format!(" AND {condition} ${}", self.values.len()));
        }
    }

    async fn all(self, database: &ControlDatabase) -> Result<Vec<Decision>, BadControl> {
        // Nothing of it is from outside: conditions are written below, values are bound.
        let query = self.values.into_iter().fold(sqlx::query(AssertSqlSafe(self.sql)), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        });
        query.fetch_all(database.readers()).await?.iter().map(decision).collect()
    }
}

impl ControlDatabase {
    /// Decisions of the permit's organisation, the newest first, at most `limit` (up to [`LONGEST`]).
    ///
    /// # Errors
    /// [`BadControl`].
    pub async fn decisions(
        &self,
        permit: &Permit<'_, See>,
        filter: &DecisionFilter,
        behind: Option<Behind>,
        limit: u32,
    ) -> Result<Vec<Decision>, BadControl> {
        let text = |value: &Option<String>| value.as_deref().map(|text| Value::Text(plain(text)));
        let mut asking = of_organisation(permit);
        let is_id = filter.grant.as_deref().is_some_and(|grant| grant.parse::<Id>().is_ok());
        asking.and(if is_id { "access_grant =" } else { "grant_label =" }, text(&filter.grant));
        asking.and("server =", text(&filter.server));
        asking.and("name =", text(&filter.tool));
        asking.and("effect =", filter.effect.map(|effect| Value::Text(effect.as_str().to_owned())));
        if filter.effect.is_some_and(|effect| effect != Effect::Allow) {
            // What is not forwarded has an index of its own, which is found by this.
            asking.sql.push_str(" AND effect <> 'allow'");
        }
        asking.and("rule =", text(&filter.rule));
        asking.and("approval =", text(&filter.approval));
        asking.and("at >=", filter.since.map(Value::Number));
        asking.and("at <", filter.until.map(Value::Number));
        if let Some(Behind { at, id }) = behind {
            asking.and("at <=", Some(Value::Number(at)));
            asking.values.extend([Value::Number(at), Value::Text(id.to_string())]);
            let last = asking.values.len();
            asking.sql.push_str(&format!(" AND (at < ${} OR id < ${last})", last.saturating_sub(1)));
        }
        asking.values.push(Value::Number(i64::from(limit.clamp(1, LONGEST))));
        asking.sql.push_str(&format!(" ORDER BY at DESC, id DESC LIMIT ${}", asking.values.len()));
        asking.all(self).await
    }

    /// One decision of the permit's organisation.
    ///
    /// # Errors
    /// [`BadControl`]; [`BadControl::Missing`] where it is another's or none.
    pub async fn decision(&self, permit: &Permit<'_, See>, decision: Id) -> Result<Decision, BadControl> {
        let mut asking = of_organisation(permit);
        asking.and("id =", Some(Value::Text(decision.to_string())));
        asking.all(self).await?.pop().ok_or(BadControl::Missing("decision"))
    }
}

fn of_organisation(permit: &Permit<'_, See>) -> Asking {
    let sql = format!("SELECT {COLUMNS} FROM decision WHERE organisation = $1");
    Asking { sql, values: vec![Value::Text(permit.organisation().to_string())] }
}

/// A text as both engines keep it: PostgreSQL knows no U+0000.
fn plain(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

fn decision(row: &AnyRow) -> Result<Decision, BadControl> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let some = |column: &str| row.try_get::<Option<String>, _>(column);
    let word = |text: String| serde_json::Value::String(text).to_string();
    let ending = some("outcome")?.map(|ending| json("an outcome", &word(ending))).transpose()?;
    let outcome = match (ending, row.try_get::<Option<i64>, _>("outcome_at")?, some("outcome_line")?) {
        (Some(ending), Some(at), Some(line)) => {
            Some(Settled { ending, at, duration_us: row.try_get("duration_us")?, line })
        }
        _ => None,
    };
    Ok(Decision {
        id: id(&text("id")?)?,
        organisation: id(&text("organisation")?)?,
        chain: id(&text("chain")?)?,
        seq: row.try_get("seq")?,
        at: row.try_get("at")?,
        grant: text("access_grant")?,
        grant_label: text("grant_label")?,
        agent: some("agent")?,
        server: some("server")?,
        session: some("session")?,
        method: some("method")?,
        kind: some("kind")?,
        name: some("name")?,
        effect: json("an effect", &word(text("effect")?))?,
        rule: some("rule")?,
        policy: some("policy")?,
        reason: some("reason")?,
        approval: some("approval")?,
        line: text("line")?,
        outcome,
    })
}
