//! `toolgate agent`: programs with an owner, which hold grants at an instance.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::api::shown::{self, text, time_or};
use crate::api::{self, agent_of};
use crate::args::AgentCommand;
use crate::failure::Failure;

/// Runs a command about agents.
pub fn agent(command: &AgentCommand) -> Result<ExitCode, Failure> {
    match command {
        AgentCommand::List { api } => {
            let all = api::api(&api.place)?.pages("/api/v1/agents")?;
            let row = |one: &Value| {
                vec![
                    text(one, "name").to_owned(),
                    text(one, "owner").to_owned(),
                    time_or(one, "created_at", ""),
                    text(one, "description").to_owned(),
                ]
            };
            shown::list(all, api.json, &["NAME", "OWNER", "MADE", "WHAT FOR"], row, "There is no agent.")?;
        }
        AgentCommand::Add { name, owner, description, why, api } => {
            let mut body = Map::new();
            body.insert("name".to_owned(), json!(name));
            body.insert("description".to_owned(), json!(description));
            body.insert("reason".to_owned(), json!(why.reason));
            if let Some(owner) = owner {
                body.insert("owner".to_owned(), json!(owner));
            }
            let made = api::api(&api.place)?.post("/api/v1/agents", &Value::Object(body))?.body;
            shown::done(&made, api.json, &format!("{name} is made."))?;
        }
        AgentCommand::Remove { agent, why, api } => {
            let done = api::api(&api.place)?.remove(&agent_of(agent), &why.reason)?.body;
            shown::done(&done, api.json, &format!("{agent} is removed, and its grants are revoked."))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
