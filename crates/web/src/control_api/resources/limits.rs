//! What is used of limits, and how that ends sooner.

use std::collections::HashMap;

use control::lost::Lost;
use jiff::Timestamp;
use quota::{Named, Use};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::control_api::call::{Answered, Call, Done, Nothing};
use crate::control_api::problem::Problem;

/// A count of which something is used.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LimitUse")]
pub(crate) struct UseShown {
    /// Which count, as `reset` takes it.
    id: String,
    /// The counter of the policy that it counts for; null where the id is too long to tell.
    counter: Option<String>,
    /// Whose uses it counts.
    scopes: Vec<Scope>,
    /// The span of time: `day in Europe/Berlin`, `60 s`, or `in flight`.
    window: Option<String>,
    /// Whether the limit is only observed: it denies nothing.
    observed: bool,
    /// What is used, a decimal number.
    used: String,
    /// The most that may be used, as it was asked for last; null where nobody has asked since.
    max: Option<String>,
    /// When all of it will have freed, in milliseconds since 1970; null where that is not known.
    frees_at: Option<i64>,
}

/// Whose uses are counted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LimitScope")]
struct Scope {
    /// `grant`, `agent`, `session`, `server`, `organisation` or `tool`; before them the `policy`, where the count is its own.
    kind: String,
    /// Its id; of a tool the server's id, a slash, and the tool's name; of a grant for several, counted at one of them, the
    /// server's id, a slash, and the grant's.
    id: String,
    /// What it is called; null for sessions, and for what nobody knows any more.
    name: Option<String>,
}

fn scope((kind, id): (String, String), names: &HashMap<String, String>) -> Scope {
    let name = match (kind.as_str(), id.split_once('/')) {
        ("tool", Some((server, tool))) => names.get(server).map(|server| format!("{server}/{tool}")),
        // Of a grant for several servers, at one of them.
        ("grant", Some((server, grant))) => {
            names.get(server).zip(names.get(grant)).map(|(server, label)| format!("{server}/{label}"))
        }
        _ => names.get(&id).cloned(),
    };
    Scope { kind, id, name }
}

fn show(one: Use, names: &HashMap<String, String>) -> UseShown {
    let named = Named::read(&one.id);
    let observed = named.as_ref().is_some_and(|named| named.counter.starts_with("observed:"));
    let counter = |named: &Named| named.counter.trim_start_matches("observed:").to_owned();
    UseShown {
        counter: named.as_ref().map(counter),
        window: named.as_ref().map(|named| named.window.clone()),
        scopes: named.into_iter().flat_map(|named| named.scopes).map(|one| scope(one, names)).collect(),
        observed,
        used: one.used.to_string(),
        max: (!one.max.is_zero()).then(|| one.max.to_string()),
        frees_at: one.frees_at.map(|at| at.as_millisecond()),
        id: one.id,
    }
}

/// Limits that wait because counts were lost: what was used of them is not known, so their calls are denied.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LostCounts")]
pub(crate) struct LostShown {
    /// What was counted before this is lost, in milliseconds since 1970; null where limits wait until somebody confirms.
    since: Option<i64>,
    /// Windows of limits that wait.
    waiting: Vec<WaitingShown>,
}

/// Limits of one window that wait.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WaitingLimits")]
struct WaitingShown {
    /// The window, as a use names it.
    window: String,
    /// From when on they count again, in milliseconds since 1970; null: when somebody confirms the counts.
    counts_from: Option<i64>,
}

/// What is used, and what is waited for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LimitUses")]
pub(crate) struct UsesShown {
    /// The entries, by their ids.
    items: Vec<UseShown>,
    /// What `cursor` gives the next page; null where this is the last.
    next: Option<String>,
    /// Counts that were lost, while any limit waits for that; else null. `limits/confirm` ends it sooner.
    lost: Option<LostShown>,
}

fn lost(lost: Lost) -> LostShown {
    let millis = |at: Timestamp| at.as_millisecond();
    let waiting = lost.waiting.into_iter();
    let waiting = waiting.map(|(window, again)| WaitingShown { window, counts_from: again.map(millis) });
    LostShown { since: lost.since.map(millis), waiting: waiting.collect() }
}

pub(crate) async fn uses(call: Call) -> Answered<UsesShown> {
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let after = call.asked("cursor").map(place).transpose()?;
    let mut uses = call.api.instance.uses(call.actor()?).await?;
    uses.sort_by(|one, other| one.id.cmp(&other.id));
    uses.retain(|one| after.as_ref().is_none_or(|after| one.id > *after));
    let more = uses.len() > limit;
    uses.truncate(limit);
    let next = uses.last().filter(|_| more).map(|last| cursor(&last.id));
    let names = call.database().names(&call.permit()?).await?;
    let lost = call.api.instance.lost_counts(call.actor()?).await?.map(lost);
    Ok(Done::of(UsesShown { items: uses.into_iter().map(|one| show(one, &names)).collect(), next, lost }))
}

/// Where a page ended: the last count's id, in digits that stand in any address.
fn cursor(id: &str) -> String {
    id.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn place(cursor: &str) -> Result<String, Problem> {
    let wrong = || Problem::parameter("cursor", "it is what a page before gave as `next`");
    let digits: Option<Vec<u32>> = cursor.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or_else(wrong)?;
    let bytes: Option<Vec<u8>> = digits.chunks_exact(2).map(byte).collect();
    String::from_utf8(bytes.ok_or_else(wrong)?).map_err(|_| wrong())
}

fn byte(pair: &[u32]) -> Option<u8> {
    let [high, low] = pair else { return None };
    u8::try_from(high * 16 + low).ok()
}

/// A count that is to begin anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resetting {
    /// Which count: its `id` in the list.
    #[schemars(length(min = 1, max = 4000))]
    id: String,
    /// Why, for the admin events.
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

pub(crate) async fn reset(call: Call, which: Resetting) -> Answered<Nothing> {
    let version = call.api.instance.reset_count(call.actor()?, &which.id, &which.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

/// Counts that may have been lost, and go on from what there is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirming {
    /// Why, for the admin events.
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Confirmed {
    /// Whether any limit had waited for it.
    waited: bool,
}

pub(crate) async fn confirm(call: Call, why: Confirming) -> Answered<Confirmed> {
    let (version, waited) = call.api.instance.confirm_counts(call.actor()?, &why.reason).await?;
    Ok(Done::of(Confirmed { waited }).holds(version))
}
