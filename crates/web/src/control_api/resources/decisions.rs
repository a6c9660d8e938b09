//! What was decided, by every replica.

use std::sync::Arc;

use audit::Effect;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::control::access::{ReadAdminEvents, See};
use store::control::decisions::{Behind, Decision, DecisionFilter};

use crate::control_api::call::{Answered, Call, Done, List};
use crate::control_api::export::{AT_ONCE, Entry, Export, Format};
use crate::control_api::problem::Problem;

/// A decision, and what became of the call. No value of an argument is part of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
pub(crate) struct DecisionShown {
    /// The agent was told it too.
    id: String,
    /// In milliseconds since 1970, by the replica's clock.
    at: i64,
    /// The grant's id.
    grant: String,
    /// The grant's label at that time.
    grant_label: String,
    /// The agent's name at that time.
    agent: Option<String>,
    /// The server's name at that time.
    server: Option<String>,
    /// A short hash of the session's id.
    session: Option<String>,
    /// The JSON-RPC method.
    method: Option<String>,
    /// What it was about: `tool`, `resource` or `prompt`.
    kind: Option<String>,
    /// The name of the tool or prompt, the URI of the resource.
    tool: Option<String>,
    /// `allow`, `deny`, `hide` or `ask`.
    effect: &'static str,
    /// The rule that decided.
    rule: Option<String>,
    /// The digest of the policy in force.
    policy: Option<String>,
    /// The reason that was given.
    reason: Option<String>,
    /// The approval that was asked for.
    approval: Option<String>,
    /// What became of the call; null where it was not forwarded, is under way, or nobody knows.
    outcome: Option<&'static str>,
    /// From the decision to the end of the answer, in microseconds.
    duration_us: Option<i64>,
    /// The chain of the audit log that holds its record: that of one process of one replica.
    chain: String,
    /// The record's number there.
    seq: i64,
    /// The record as it stands in the chain, for auditors; null for others.
    record: Option<Value>,
    /// The outcome's record, likewise.
    outcome_record: Option<Value>,
}

impl Entry for DecisionShown {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "at",
        "grant",
        "grant_label",
        "agent",
        "server",
        "session",
        "method",
        "kind",
        "tool",
        "effect",
        "rule",
        "policy",
        "reason",
        "approval",
        "outcome",
        "duration_us",
        "chain",
        "seq",
    ];
}

fn show(decision: Decision, records: bool) -> DecisionShown {
    let record = |line: &str| serde_json::from_str(line).ok().filter(|_| records);
    let outcome = decision.outcome.as_ref();
    DecisionShown {
        id: decision.id.to_string(),
        at: decision.at,
        outcome: outcome.map(|outcome| outcome.ending.as_str()),
        duration_us: outcome.and_then(|outcome| outcome.duration_us),
        record: record(&decision.line),
        outcome_record: outcome.and_then(|outcome| record(&outcome.line)),
        grant: decision.grant,
        grant_label: decision.grant_label,
        agent: decision.agent,
        server: decision.server,
        session: decision.session,
        method: decision.method,
        kind: decision.kind,
        tool: decision.name,
        effect: decision.effect.as_str(),
        rule: decision.rule,
        policy: decision.policy,
        reason: decision.reason,
        approval: decision.approval,
        chain: decision.chain.to_string(),
        seq: decision.seq,
    }
}

/// Whether records are shown as they stand: they name the addresses of agents too.
fn records(call: &Call) -> Result<bool, Problem> {
    Ok(call.actor()?.permit::<ReadAdminEvents>().is_ok())
}

fn asked(call: &Call) -> Result<DecisionFilter, Problem> {
    let text = |name| call.asked(name).map(str::to_owned);
    let effect = match call.asked("effect") {
        None => None,
        Some("allow") => Some(Effect::Allow),
        Some("deny") => Some(Effect::Deny),
        Some("hide") => Some(Effect::Hide),
        Some("ask") => Some(Effect::Ask),
        Some(_) => return Err(Problem::parameter("effect", "it is `allow`, `deny`, `hide` or `ask`")),
    };
    Ok(DecisionFilter {
        grant: text("grant"),
        server: text("server"),
        tool: text("tool"),
        effect,
        rule: text("rule"),
        since: call.number("since")?,
        until: call.number("until")?,
        approval: text("approval"),
    })
}

/// The place that a page before gave: a time and an id.
fn behind(call: &Call) -> Result<Option<Behind>, Problem> {
    let Some(text) = call.asked("cursor") else { return Ok(None) };
    let parts = text.split_once('.').and_then(|(at, id)| Some(Behind { at: at.parse().ok()?, id: id.parse().ok()? }));
    parts.map(Some).ok_or_else(|| Problem::parameter("cursor", "it is what a page before gave as `next`"))
}

pub(crate) async fn decisions(call: Call) -> Answered<List<DecisionShown>> {
    let (filter, behind, limit, records) = (asked(&call)?, behind(&call)?, call.limit()?, records(&call)?);
    let mut rows = call.database().decisions(&call.permit::<See>()?, &filter, behind, limit + 1).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| format!("{}.{}", row.at, row.id));
    Ok(Done::of(List { items: rows.into_iter().map(|row| show(row, records)).collect(), next }))
}

pub(crate) async fn decision(call: Call) -> Answered<DecisionShown> {
    let records = records(&call)?;
    let row = call.database().decision(&call.permit::<See>()?, call.id("decision")?).await?;
    Ok(Done::of(show(row, records)))
}

pub(crate) async fn export(call: Call) -> Result<Export, Problem> {
    let (format, filter, records) = (Format::of(&call)?, asked(&call)?, records(&call)?);
    let call = Arc::new(call);
    let reading = Arc::clone(&call);
    Export::of(&call, format, move |behind| {
        let (call, filter) = (Arc::clone(&reading), filter.clone());
        Box::pin(async move {
            let rows = call.database().decisions(&call.permit::<See>()?, &filter, behind, AT_ONCE).await?;
            let full = rows.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
            let next = rows.last().filter(|_| full).map(|row| Behind { at: row.at, id: row.id });
            Ok((rows.into_iter().map(|row| show(row, records)).collect(), next))
        })
    })
    .await
}
