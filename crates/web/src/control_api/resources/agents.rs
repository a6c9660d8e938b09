//! Agents: programs with an owner, which hold grants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::See;
use store::control::agents::Agent;

use super::sessions::Made;
use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged};

/// An agent.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
pub(crate) struct AgentShown {
    id: String,
    /// Its name: policies read it.
    name: String,
    /// Who answers for it.
    owner: Option<String>,
    /// What it is for.
    description: String,
    /// In milliseconds since 1970.
    created_at: i64,
}

fn show(agent: Agent) -> AgentShown {
    AgentShown {
        id: agent.id.to_string(),
        name: agent.name,
        owner: agent.owner,
        description: agent.description,
        created_at: agent.created_at,
    }
}

pub(crate) async fn agents(call: Call) -> Answered<List<AgentShown>> {
    let page = call.page()?;
    let rows = call.database().agents(&call.permit::<See>()?, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn agent(call: Call) -> Answered<AgentShown> {
    let agent = call.database().agent(&call.permit::<See>()?, call.path("agent")?).await?;
    let changed = agent.changed;
    Ok(Done::of(show(agent)).tagged(changed))
}

/// An agent to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAgent {
    /// Its name, the only one of its organisation.
    #[schemars(length(min = 1, max = 120))]
    name: String,
    /// Who answers for it.
    #[schemars(length(min = 1, max = 120))]
    owner: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    description: String,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn add(call: Call, new: NewAgent) -> Answered<Made> {
    let api = &call.api.instance;
    let id = api.add_agent(call.actor()?, &new.name, new.owner.as_deref(), &new.description, &new.reason).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Made { id: id.to_string() }).holds(version))
}

pub(crate) async fn remove(call: Call) -> Answered<Nothing> {
    let agent = call.database().agent(&call.permit::<See>()?, call.path("agent")?).await?;
    let version = call.database().remove_agent(call.permit()?, agent.id, call.reason()?).await?;
    Ok(Done::of(Nothing {}).holds(version))
}
