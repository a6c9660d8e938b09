//! Lists of tools that servers show, compared with what is accepted of them.
//!
//! That is done beside the following, in tasks of its own: however long a list is, and whatever stands in it, leases are
//! renewed meanwhile, and one server's list is that server's matter.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use audit::Id;
use gateway::pins::Pinning;
use gateway::server::Server;
use gateway::tools::ToolList;
use risk::pins::Section;
use serde_json::{Value, json};
use store::control::access::{Actor, Role, Who};
use store::control::{BadControl, ControlDatabase};
use tokio::task::JoinSet;

use super::Following;
use super::state::State;
use crate::Instance;

/// The longest name of a tool that is kept; the protocol advises 128 characters. A tool with a longer one is held.
const LONGEST_NAME: usize = 256;

/// Lists that are being compared.
#[derive(Default)]
pub(super) struct Lists {
    under_way: JoinSet<Compared>,
    servers: HashSet<Id>,
    /// Those whose comparing is done, until this replica has seen what came of it.
    done: Vec<Compared>,
}

/// A list, and the version from which on what was accepted of it is in force.
struct Compared {
    fresh: Fresh,
    version: i64,
    failed: Option<String>,
}

/// A list that has not been compared yet.
struct Fresh {
    id: Id,
    organisation: Id,
    server: Arc<Server>,
    list: Arc<ToolList>,
    may_be_first: bool,
}

impl Lists {
    /// Begins what is new, and tells of what is done.
    pub(super) fn turn(&mut self, instance: &Instance, following: &Following, state: &State) {
        while let Some(ended) = self.under_way.try_join_next() {
            match ended {
                Ok(compared) => self.done.push(compared),
                Err(error) => (following.tell)(&format!("a list of tools could not be compared: {error}")),
            }
        }
        let (ready, rest) = std::mem::take(&mut self.done).into_iter().partition(|one| one.version <= state.seen());
        self.done = rest;
        for Compared { fresh, failed, .. } in ready {
            self.servers.remove(&fresh.id);
            if let Some(why) = failed {
                let name = fresh.server.id();
                (following.tell)(&format!(
                    "what server {name} lists cannot be kept, so what is new of it is held: {why}"
                ));
            }
            fresh.server.pins.compared(&fresh.list);
            state.tell_lists(fresh.id);
        }
        for fresh in state.fresh_lists(&self.servers) {
            self.servers.insert(fresh.id);
            let database = instance.database().clone();
            let by = format!("replica {}", following.name);
            self.under_way.spawn(async move {
                match fresh.keep(&database, by).await {
                    Ok(version) => Compared { fresh, version, failed: None },
                    Err(error) => Compared { fresh, version: 0, failed: Some(error.to_string()) },
                }
            });
        }
    }
}

impl Fresh {
    /// Accepts what may be accepted without a person, and keeps what waits. Returns the version at which that holds.
    async fn keep(&self, database: &ControlDatabase, by: String) -> Result<i64, BadControl> {
        let first = if self.may_be_first { kept(&Pinning::first_list(&self.list)) } else { BTreeMap::new() };
        let mut version = 0;
        // A list of which nothing may be accepted is no first list: some servers have none before a login.
        if !first.is_empty() {
            let actor =
                Actor { organisation: self.organisation, first: false, who: Who::Operator(by), role: Role::Admin };
            if let Ok(permit) = actor.permit() {
                version = database.accept_first(permit, self.id, &first).await?.unwrap_or_default();
            }
        }
        let mut waiting = kept(&self.server.pins.waiting(&self.list));
        waiting.retain(|tool, _| !first.contains_key(tool));
        database.definitions_seen(self.id, &waiting).await?;
        Ok(version)
    }
}

impl State {
    /// The lists that somebody waits for and that nobody has compared.
    fn fresh_lists(&self, under_way: &HashSet<Id>) -> Vec<Fresh> {
        let servers = self.servers.iter().filter(|(id, _)| !under_way.contains(id)).filter_map(|(id, reached)| {
            let server = reached.server.as_ref()?;
            let list = server.pins.to_compare()?;
            let form = &reached.form.server;
            let may_be_first = form.settings.accept_first && server.pins.nothing_accepted();
            Some(Fresh { id: *id, organisation: form.organisation, server: Arc::clone(server), list, may_be_first })
        });
        servers.collect()
    }

    /// Tells agents of a server that its list is another one.
    fn tell_lists(&self, server: Id) {
        for policy in self.policies_of(server) {
            policy.touch();
        }
    }
}

/// Pins as the tables keep them. A name that they cannot keep is not accepted, and so held.
fn kept(section: &Section) -> BTreeMap<String, Value> {
    let pin = |(tool, pin): (&String, &risk::pins::Pin)| {
        let mut value = json!({
            "digest": pin.digest,
            "class": pin.class.as_str(),
            "accepted": pin.accepted,
            "by": pin.by,
            "definition": pin.definition,
        });
        if let (Some(set), Some(fields)) = (pin.set, value.as_object_mut()) {
            fields.insert("set".to_owned(), set.as_str().into());
        }
        (tool.clone(), value)
    };
    let keepable = |(tool, _): &(&String, &risk::pins::Pin)| tool.len() <= LONGEST_NAME && !tool.contains('\0');
    section.iter().filter(keepable).map(pin).collect()
}
