//! What is stopped, and goes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::See;
use store::control::stops::{Stop, Stoppable};

use crate::control_api::call::{Answered, Call, Done, List, Nothing, whole};
use crate::control_api::problem::Problem;

/// What kind of thing is stopped.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stopped {
    Grant,
    Agent,
    Server,
    Everything,
}

/// Something that is stopped.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stop")]
pub(crate) struct StopShown {
    kind: Stopped,
    /// Its id; null for everything.
    object: Option<String>,
    /// Why: agents are told.
    reason: String,
    stopped_by: String,
    /// In milliseconds since 1970.
    stopped_at: i64,
}

fn show(stop: Stop) -> StopShown {
    let (kind, object) = match stop.what {
        Stoppable::Grant(object) => (Stopped::Grant, Some(object.to_string())),
        Stoppable::Agent(object) => (Stopped::Agent, Some(object.to_string())),
        Stoppable::Server(object) => (Stopped::Server, Some(object.to_string())),
        Stoppable::Everything => (Stopped::Everything, None),
    };
    StopShown { kind, object, reason: stop.reason, stopped_by: stop.stopped_by, stopped_at: stop.stopped_at }
}

pub(crate) async fn stops(call: Call) -> Answered<List<StopShown>> {
    let all = call.database().stops(&call.permit::<See>()?).await?;
    Ok(whole(all.into_iter().map(show).collect()))
}

/// What is to be stopped, or to go on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stopping {
    kind: Stopped,
    /// A grant by its id, an agent or a server by id or name; null for everything.
    object: Option<String>,
    /// Why: agents are told.
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

async fn what(call: &Call, named: &Stopping) -> Result<Stoppable, Problem> {
    let see = call.permit::<See>()?;
    match (named.kind, named.object.as_deref()) {
        (Stopped::Everything, None) => Ok(Stoppable::Everything),
        (Stopped::Everything, Some(_)) => Err(Problem::invalid("/object", "everything has no id: leave it out")),
        (_, None) => Err(Problem::invalid("/object", "say which one, or stop everything")),
        (Stopped::Grant, Some(id)) => id.parse().map(Stoppable::Grant).map_err(|_| Problem::missing()),
        (Stopped::Agent, Some(name)) => Ok(Stoppable::Agent(call.database().agent(&see, name).await?.id)),
        (Stopped::Server, Some(name)) => Ok(Stoppable::Server(call.database().server(&see, name).await?.id)),
    }
}

pub(crate) async fn stop(call: Call, named: Stopping) -> Answered<Nothing> {
    let version = call.database().stop(call.permit()?, what(&call, &named).await?, &named.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

pub(crate) async fn resume(call: Call, named: Stopping) -> Answered<Nothing> {
    let version = call.database().resume(call.permit()?, what(&call, &named).await?, &named.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}
