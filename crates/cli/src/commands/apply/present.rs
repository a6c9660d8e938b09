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
    /// Grants that stand, by server and label: one for several servers is there under each of them.
    pub grants: BTreeMap<(String, String), Value>,
}

impl Present {
    /// The name of a policy, by its id.
    pub fn policy_name(&self, id: &str) -> Option<&str> {
        self.policies.iter().find(|(_, policy)| text(policy, "id") == id).map(|(name, _)| name.as_str())
    }

    /// The names of the servers whose ids stand in a field of a grant, in their order.
    pub fn server_names<'a>(&'a self, grant: &'a Value, field: &str) -> Vec<&'a str> {
        let ids = grant.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let name = |id: &'a str| {
            let found = self.servers.iter().find(|(_, server)| text(server, "id") == id);
            found.map_or(id, |(name, _)| name.as_str())
        };
        ids.map(name).collect()
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
        for id in grant.get("servers").and_then(Value::as_array).into_iter().flatten() {
            // A server that was made meanwhile is none that was compared.
            let Some(server) = id.as_str().and_then(|id| by_id.get(id)) else { continue };
            grants.insert(((*server).to_owned(), text(&grant, "label").to_owned()), grant.clone());
        }
    }
    Ok(Present { policies, servers, agents, grants })
}
