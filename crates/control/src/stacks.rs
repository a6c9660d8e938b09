//! Where grants lead: names put as what they stand for, and policies that fit the servers they are for.

use std::collections::{BTreeMap, BTreeSet};

use audit::Id;
use policy::{Load, rule_id};
use store::control::BadControl;
use store::control::access::{Actor, ReadPolicies, See};
use store::control::grants::Grant;
use store::control::leads::{Leads, Member, Stack};

use crate::{Instance, Refused};

/// The most servers that one grant is for.
const MOST_SERVERS: usize = 100;

/// Where a grant is to lead, by names.
#[derive(Debug)]
pub enum LeadsGiven {
    /// To one server.
    Server(String),
    /// To several, offered as one.
    Stack(StackGiven),
}

impl Default for LeadsGiven {
    fn default() -> Self {
        Self::Stack(StackGiven::default())
    }
}

/// Several servers, by names.
#[derive(Debug, Default)]
pub struct StackGiven {
    /// In the order in which they are listed.
    pub servers: Vec<String>,
    /// Policies on single ones of them.
    pub policies: BTreeMap<String, String>,
    /// Those whose tools keep their own names, where no other has the same.
    pub unprefixed: Vec<String>,
    /// Whether tools are found by searching.
    pub search: bool,
}

/// What is to be another way with a grant for several servers; what is `None` stays.
#[derive(Debug, Default)]
pub struct StackChange {
    /// Its servers, by name. Those that stay keep their policies.
    pub servers: Option<Vec<String>>,
    /// Those whose tools keep their own names.
    pub unprefixed: Option<Vec<String>>,
    /// Whether tools are found by searching.
    pub search: Option<bool>,
}

impl StackChange {
    /// The first of its fields that says something.
    fn field(&self) -> Option<&'static str> {
        let fields = [
            ("/servers", self.servers.is_some()),
            ("/unprefixed", self.unprefixed.is_some()),
            ("/search", self.search.is_some()),
        ];
        fields.into_iter().find_map(|(field, given)| given.then_some(field))
    }
}

impl Instance {
    /// Where names lead.
    pub(crate) async fn leads(&self, actor: &Actor, given: &LeadsGiven) -> Result<Leads, Refused> {
        let given = match given {
            LeadsGiven::Server(name) => return Ok(Leads::Server(self.server_id(actor, name, "/server").await?)),
            LeadsGiven::Stack(given) => given,
        };
        let ids = self.server_ids(actor, &given.servers).await?;
        let unprefixed = self.some_of(actor, &ids, &given.unprefixed).await?;
        let mut policies = BTreeMap::new();
        for (server, policy) in &given.policies {
            let place = format!("/policies/{}", rule_id::escape(server));
            let server = self.server_id(actor, server, &place).await?;
            if !ids.contains(&server) {
                return Err(Refused::invalid(place, "this is none of its `servers`"));
            }
            policies.insert(server, self.policy_at(actor, policy, &place).await?);
        }
        let servers = ids.into_iter().map(|server| Member {
            server,
            policy: policies.get(&server).copied(),
            unprefixed: unprefixed.contains(&server),
        });
        Ok(Leads::Stack(Stack { servers: servers.collect(), search: given.search }))
    }

    /// Where a grant leads when it was changed; `None` where nothing of that is to change.
    pub(crate) async fn led_elsewhere(
        &self,
        actor: &Actor,
        grant: Id,
        change: &StackChange,
    ) -> Result<Option<Leads>, Refused> {
        let Some(field) = change.field() else { return Ok(None) };
        let now_is = self.standing(actor, grant).await?;
        let Leads::Stack(mut stack) = now_is.leads else {
            return Err(Refused::invalid(field, "this grant is for one server: mint one for several"));
        };
        if let Some(names) = &change.servers {
            let ids = self.server_ids(actor, names).await?;
            let stays = |server: Id| stack.servers.iter().find(|member| member.server == server).cloned();
            let fresh = |server| Member { server, policy: None, unprefixed: false };
            stack.servers = ids.into_iter().map(|server| stays(server).unwrap_or_else(|| fresh(server))).collect();
        }
        if let Some(names) = &change.unprefixed {
            let ids: Vec<Id> = stack.servers.iter().map(|member| member.server).collect();
            let unprefixed = self.some_of(actor, &ids, names).await?;
            for member in &mut stack.servers {
                member.unprefixed = unprefixed.contains(&member.server);
            }
        }
        stack.search = change.search.unwrap_or(stack.search);
        let leads = Leads::Stack(stack);
        self.policies_fit(actor, &leads, now_is.policy, "/servers").await?;
        Ok(Some(leads))
    }

    /// A grant that is not revoked.
    pub(crate) async fn standing(&self, actor: &Actor, grant: Id) -> Result<Grant, Refused> {
        let found = self.database.grant(&actor.permit::<See>()?, grant).await?;
        match found.revoked_at {
            None => Ok(found),
            Some(_) => Err(BadControl::Missing("grant").into()),
        }
    }

    /// Whether the policies of a grant are for the servers that it leads to: one for several names them, and one for a
    /// single server cannot stand for several, where its patterns would mean the same names on each.
    pub(crate) async fn policies_fit(
        &self,
        actor: &Actor,
        leads: &Leads,
        policy: Option<Id>,
        place: &str,
    ) -> Result<(), Refused> {
        let members = leads.members();
        let see = actor.permit::<See>()?;
        let mut under_it = Vec::new();
        for Member { server, policy: own, .. } in &members {
            let name = self.database.server(&see, &server.to_string()).await?.name;
            match own {
                None => under_it.push(name),
                Some(own) => {
                    let place = format!("/policies/{}", rule_id::escape(&name));
                    self.spans(actor, *own, &[name], false, &place).await?;
                }
            }
        }
        match policy {
            Some(policy) if !under_it.is_empty() => {
                self.spans(actor, policy, &under_it, members.len() > 1, place).await
            }
            _ => Ok(()),
        }
    }

    /// Whether a policy is for these servers, as it is in force, or as it is written where no version is.
    pub(crate) async fn spans(
        &self,
        actor: &Actor,
        policy: Id,
        servers: &[String],
        several: bool,
        place: &str,
    ) -> Result<(), Refused> {
        let kept = self.database.policy(&actor.permit::<See>()?, &policy.to_string()).await?;
        let version = kept.published.unwrap_or(kept.latest);
        let kept = self.database.policy_version(&actor.permit::<ReadPolicies>()?, policy, version).await?;
        // What is none for this version of Toolgate says so when it is put in force.
        let Some(policy) = policy::load(&kept.document, Load { comments_allowed: true }).policy else { return Ok(()) };
        match policy.servers() {
            Some(spanned) => match servers.iter().find(|server| !spanned.iter().any(|name| **name == **server)) {
                Some(server) => Err(Refused::invalid(
                    place,
                    format!("`servers` of this policy does not name {server}: add it there"),
                )),
                None => Ok(()),
            },
            None if several => {
                let names = servers.iter().map(|server| format!("\"{server}\"")).collect::<Vec<_>>().join(", ");
                let how = format!("a policy for several servers names them, as `\"servers\": [{names}]`");
                Err(Refused::invalid(place, format!("{how}; policies for single servers stand in `policies`")))
            }
            None => Ok(()),
        }
    }

    /// A server of the organisation, by name or id.
    pub(crate) async fn server_id(&self, actor: &Actor, name: &str, place: &str) -> Result<Id, Refused> {
        match self.database.server(&actor.permit::<See>()?, name).await {
            Err(BadControl::Missing(_)) => {
                Err(Refused::invalid(place, "there is no server of this name: `server list` names them"))
            }
            server => Ok(server?.id),
        }
    }

    async fn server_ids(&self, actor: &Actor, names: &[String]) -> Result<Vec<Id>, Refused> {
        if !(1..=MOST_SERVERS).contains(&names.len()) {
            return Err(Refused::invalid("/servers", format!("it names 1 to {MOST_SERVERS} servers")));
        }
        let (mut ids, mut known) = (Vec::new(), BTreeSet::new());
        for (index, name) in names.iter().enumerate() {
            let place = format!("/servers/{index}");
            let server = self.server_id(actor, name, &place).await?;
            if !known.insert(server) {
                return Err(Refused::invalid(place, "this server is named twice"));
            }
            ids.push(server);
        }
        Ok(ids)
    }

    /// Those of some servers that keep the names of their tools.
    async fn some_of(&self, actor: &Actor, servers: &[Id], names: &[String]) -> Result<BTreeSet<Id>, Refused> {
        let mut some = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let place = format!("/unprefixed/{index}");
            let server = self.server_id(actor, name, &place).await?;
            if !servers.contains(&server) {
                return Err(Refused::invalid(place, "this is none of its `servers`"));
            }
            some.insert(server);
        }
        Ok(some)
    }
}
