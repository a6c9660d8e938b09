//! What a replica has seen, and the grants that follow from it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use audit::Id;
use gateway::gateway::Grants;
use gateway::grant::Binding;
use gateway::policy_file::{PolicyCell, compile};
use store::control::BadControl;
use store::control::live::{Delta, LivePolicy, LiveStop};
use store::control::stops::Stoppable;

use vault::Vault;

use super::Tell;
use super::grants::{Held, hashing};
use super::servers::Reached;
use crate::Instance;

/// Everything that calls are judged by.
pub(super) struct State {
    pub(super) instance: Instance,
    pub(super) hidden: Vec<OsString>,
    pub(super) tell: Tell,
    seen: i64,
    /// Where all of it is to be read: the version since which what is gone is to be read too, `None` for no gone one.
    all: Option<Option<i64>>,
    /// The keys with which all of it was read.
    vault: Arc<Vault>,
    pub(super) organisations: HashMap<Id, Arc<str>>,
    pub(super) agents: HashMap<Id, String>,
    policies: HashMap<Id, Option<Arc<PolicyCell>>>,
    pub(super) servers: HashMap<Id, Reached>,
    pub(super) grants: HashMap<Id, Held>,
    stops: HashMap<(Id, Stoppable), String>,
    bindings: HashMap<(Id, Option<Id>), Arc<Binding>>,
}

impl State {
    pub(super) fn new(instance: &Instance, hidden: Vec<OsString>, tell: Tell) -> Self {
        Self {
            instance: instance.clone(),
            hidden,
            tell,
            seen: 0,
            all: Some(None),
            vault: instance.vault(),
            organisations: HashMap::new(),
            agents: HashMap::new(),
            policies: HashMap::new(),
            servers: HashMap::new(),
            grants: HashMap::new(),
            stops: HashMap::new(),
            bindings: HashMap::new(),
        }
    }

    /// The version up to which everything is in here.
    pub(super) fn seen(&self) -> i64 {
        self.seen
    }

    /// With other master keys everything is read again: a secret that did not open may now.
    pub(super) fn follow_keys(&mut self) {
        let now = self.instance.vault();
        if !Arc::ptr_eq(&self.vault, &now) {
            self.vault = now;
            // Where nothing was read before, nothing that is gone is in here.
            self.all.get_or_insert(Some(self.seen));
        }
    }

    /// Whether a version says what is in here already.
    pub(super) fn has(&self, version: i64) -> bool {
        self.all.is_none() && self.seen == version
    }

    /// What is to be taken.
    ///
    /// # Errors
    /// [`BadControl`].
    pub(super) async fn news(&self) -> Result<Delta, BadControl> {
        match self.all {
            Some(gone) => self.instance.database.everything(gone).await,
            None => self.instance.database.changes_since(self.seen).await,
        }
    }

    /// Takes what has changed, and gives the grants that hold from now on. Calls under way of what is stopped or
    /// revoked are told.
    pub(super) fn take(&mut self, delta: Delta) -> Grants {
        self.seen = delta.version;
        self.all = None;
        // Those that were revoked before have been told.
        self.grants.retain(|_, held| held.grant.revoked_at.is_none());
        let organisations = delta.organisations.into_iter();
        self.organisations = organisations.map(|(id, _)| (id, Arc::from(id.to_string()))).collect();
        self.agents.extend(delta.agents.into_iter().map(|agent| (agent.id, agent.name)));
        for policy in delta.policies {
            self.policy(policy);
        }
        for server in delta.servers {
            self.server(server);
        }
        for LiveStop { organisation, what, reason } in delta.stops {
            match reason {
                Some(reason) => drop(self.stops.insert((organisation, what), reason)),
                None => drop(self.stops.remove(&(organisation, what))),
            }
        }
        for grant in delta.grants {
            self.grant(grant);
        }
        self.stop();
        self.forget_old_bindings();
        let (mut by_token, mut closed) = (HashMap::new(), HashMap::new());
        let held: Vec<Id> = self.grants.keys().copied().collect();
        for id in held {
            self.admit(id, &mut by_token, &mut closed);
        }
        Grants::controlled(hashing(&self.instance), by_token).closed(closed)
    }

    fn policy(&mut self, live: LivePolicy) {
        if live.gone {
            self.policies.remove(&live.id);
            return;
        }
        let Some((version, document)) = live.published else {
            self.policies.insert(live.id, None);
            return;
        };
        match compile(document) {
            Ok((in_force, _)) => match self.policies.get(&live.id) {
                Some(Some(cell)) => drop(cell.replace(in_force)),
                _ => {
                    // There is no file; its name stands where messages name one.
                    let name = PathBuf::from(&live.name);
                    self.policies.insert(live.id, Some(PolicyCell::new(name, in_force)));
                }
            },
            Err(rejected) => {
                let first = rejected.diagnostics.first().map(|first| first.message.clone()).unwrap_or_default();
                let rest = "grants that have it may call nothing until a version that it knows is published";
                (self.tell)(&format!(
                    "version {version} of policy {} is none for this version of Toolgate ({first}); {rest}",
                    live.name
                ));
                self.policies.insert(live.id, None);
            }
        }
    }

    /// The server and the policy of a grant, shared by all that have both.
    pub(super) fn binding(&mut self, server: Id, policy: Option<Id>) -> Option<Arc<Binding>> {
        let reached = self.servers.get(&server)?.server.as_ref()?;
        let cell = policy.and_then(|policy| self.policies.get(&policy).cloned().flatten());
        let binding = self.bindings.entry((server, policy));
        Some(Arc::clone(binding.or_insert_with(|| Binding::new(Arc::clone(reached), cell))))
    }

    /// What was worked out for a server and a policy stays as long as both do.
    fn forget_old_bindings(&mut self) {
        let (servers, policies) = (&self.servers, &self.policies);
        self.bindings.retain(|(server, policy), binding| {
            let reached = servers.get(server).and_then(|reached| reached.server.as_ref());
            let cell = policy.and_then(|policy| policies.get(&policy)).and_then(Option::as_ref);
            let same_cell = match (cell, &binding.policy) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (None, None) => true,
                _ => false,
            };
            same_cell && reached.is_some_and(|reached| Arc::ptr_eq(reached, &binding.server))
        });
    }

    /// The policies under which a server is used.
    pub(super) fn policies_of(&self, server: Id) -> Vec<Arc<PolicyCell>> {
        let of_server = self.bindings.iter().filter(|((bound, _), _)| *bound == server);
        of_server.filter_map(|(_, binding)| binding.policy.clone()).collect()
    }

    /// Whether a policy is written for several servers.
    pub(super) fn spans(&self, policy: Id) -> bool {
        self.policies.get(&policy).and_then(Option::as_ref).is_some_and(|cell| cell.now().policy.servers().is_some())
    }

    /// Stops what was stopped or revoked.
    fn stop(&self) {
        for held in self.grants.values() {
            for (server, switch) in &held.switches {
                match self.why_stopped(held, *server) {
                    // The same reason again would end what has just begun.
                    Some(reason) if switch.stopped().is_some_and(|stopped| *stopped == reason) => {}
                    Some(reason) => switch.stop(&reason),
                    None => {}
                }
            }
        }
    }

    /// Lets go on what is no longer stopped.
    pub(super) fn resume(&self) {
        for held in self.grants.values() {
            let stopped = held.switches.iter().filter(|(_, switch)| switch.stopped().is_some());
            for (_, switch) in stopped.filter(|(server, _)| self.why_stopped(held, **server).is_none()) {
                switch.resume();
            }
        }
    }

    fn why_stopped(&self, held: &Held, server: Id) -> Option<String> {
        let grant = &held.grant;
        if grant.revoked_at.is_some() {
            return Some("This grant was revoked.".to_owned());
        }
        let scopes = [
            (Stoppable::Everything, "Everything"),
            (Stoppable::Server(server), "This server"),
            (Stoppable::Agent(grant.agent), "This agent"),
            (Stoppable::Grant(grant.id), "This grant"),
        ];
        let stopped = scopes.into_iter().find_map(|(what, name)| {
            let reason = self.stops.get(&(grant.organisation, what))?;
            let colon = if reason.is_empty() { "" } else { ": " };
            Some(format!("{name} was stopped by an operator{colon}{}.", reason.trim_end_matches('.')))
        });
        stopped.or_else(|| self.servers.get(&server).and_then(|reached| reached.broken.clone()))
    }
}
