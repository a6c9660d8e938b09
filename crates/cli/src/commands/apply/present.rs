//! What an instance has now, by the names that a file knows.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Api;
use crate::api::shown::text;
use crate::failure::Failure;

/// What there is.
pub struct Present {
    /// Policies by name.
    pub policies: BTreeMap<String, Value>,
    /// Servers by name.
    pub servers: BTreeMap<String, Value>,
    /// Names of agents, by id.
    pub agents: BTreeMap<String, String>,
    /// Grants that stand, by server and label.
    pub grants: BTreeMap<(String, String), Value>,
}

impl Present {
    /// The name of a policy, by its id.
    pub fn policy_name(&self, id: &str) -> Option<&str> {
        self.policies.iter().find(|(_, policy)| text(policy, "id") == id).map(|(name, _)| name.as_str())
    }
}

/// Reads it.
///
/// # Errors
/// When it is not answered.
pub fn read(api: &Api) -> Result<Present, Failure> {
    let named = |path: &str| -> Result<BTreeMap<String, Value>, Failure> {
        Ok(api.pages(path)?.into_iter().map(|one| (text(&one, "name").to_owned(), one)).collect())
    };
    let (policies, servers) = (named("/api/v1/policies")?, named("/api/v1/servers")?);
    let agents = named("/api/v1/agents")?.into_iter().map(|(name, one)| (text(&one, "id").to_owned(), name)).collect();
    let by_id: BTreeMap<&str, &str> = servers.iter().map(|(name, one)| (text(one, "id"), name.as_str())).collect();
    let mut grants = BTreeMap::new();
    for grant in api.pages("/api/v1/grants")? {
        // A server that was made meanwhile is none that was compared.
        let Some(server) = by_id.get(text(&grant, "server")) else { continue };
        grants.insert(((*server).to_owned(), text(&grant, "label").to_owned()), grant);
    }
    Ok(Present { policies, servers, agents, grants })
}
