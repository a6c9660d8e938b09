//! Where grants lead: names put as what they stand for, and policies that fit the servers they are for.

use std::collections::{BTreeMap, BTreeSet};

use audit::Id;
use policy::{Load, rule_id};
use store::control::BadControl;
use store::control::access::{Actor, ReadPolicies, See, WritePolicies};
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

/// What is to be another way with where a grant leads, and under which policies; what is `None` stays. All but `policy` is of
/// grants for several servers.
#[derive(Debug, Default)]
pub struct LeadsChange {
    /// Its policy, by name; `None` in it leaves the grant with that of its server.
    pub policy: Option<Option<String>>,
    /// Its servers, by name. Those that stay keep their policies.
    pub servers: Option<Vec<String>>,
    /// Policies on single ones of its servers, by name; `None` leaves that one with the policy of the grant, or of the server.
    pub policies: BTreeMap<String, Option<String>>,
    /// Those whose tools keep their own names.
    pub unprefixed: Option<Vec<String>>,
    /// Whether tools are found by searching.
    pub search: Option<bool>,
}

impl LeadsChange {
    /// The first of its fields that says something of several servers.
    fn of_several(&self) -> Option<&'static str> {
        let fields = [
            ("/servers", self.servers.is_some()),
            ("/policies", !self.policies.is_empty()),
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
        let policies = given.policies.iter().map(|(server, policy)| (server, Some(policy)));
        let policies = self.policies_on(actor, &ids, policies).await?;
        let servers = ids.into_iter().map(|server| Member {
            server,
            policy: policies.get(&server).copied().flatten(),
            unprefixed: unprefixed.contains(&server),
        });
        Ok(Leads::Stack(Stack { servers: servers.collect(), search: given.search }))
    }

    /// Where a grant leads when it was changed, and its policy; `None` where nothing of that is to change.
    pub(crate) async fn led_elsewhere(
        &self,
        actor: &Actor,
        grant: Id,
        change: &LeadsChange,
    ) -> Result<(Option<Leads>, Option<Option<Id>>), Refused> {
        let of_several = change.of_several();
        if of_several.is_none() && change.policy.is_none() {
            return Ok((None, None));
        }
        if change.policy.is_some() || !change.policies.is_empty() {
            actor.permit::<WritePolicies>()?;
        }
        let now_is = self.standing(actor, grant).await?;
        let policy = match &change.policy {
            Some(name) => Some(self.policy_id(actor, name.as_deref()).await?),
            None => None,
        };
        let leads = match (of_several, now_is.leads) {
            (None, leads) => leads,
            (Some(field), Leads::Server(_)) => {
                return Err(Refused::invalid(field, "this grant is for one server: mint one for several"));
            }
            (Some(_), Leads::Stack(stack)) => Leads::Stack(self.stack_changed(actor, stack, change).await?),
        };
        let place = if change.policy.is_some() { "/policy" } else { "/servers" };
        self.policies_fit(actor, &leads, policy.unwrap_or(now_is.policy), place).await?;
        Ok((of_several.map(|_| leads), policy))
    }

    async fn stack_changed(&self, actor: &Actor, mut stack: Stack, change: &LeadsChange) -> Result<Stack, Refused> {
        if let Some(names) = &change.servers {
            let ids = self.server_ids(actor, names).await?;
            let stays = |server: Id| stack.servers.iter().find(|member| member.server == server).cloned();
            let fresh = |server| Member { server, policy: None, unprefixed: false };
            stack.servers = ids.into_iter().map(|server| stays(server).unwrap_or_else(|| fresh(server))).collect();
        }
        let ids: Vec<Id> = stack.servers.iter().map(|member| member.server).collect();
        let policies = change.policies.iter().map(|(server, policy)| (server, policy.as_ref()));
        let policies = self.policies_on(actor, &ids, policies).await?;
        for member in &mut stack.servers {
            member.policy = policies.get(&member.server).copied().unwrap_or(member.policy);
        }
        if let Some(names) = &change.unprefixed {
            let unprefixed = self.some_of(actor, &ids, names).await?;
            for member in &mut stack.servers {
                member.unprefixed = unprefixed.contains(&member.server);
            }
        }
        stack.search = change.search.unwrap_or(stack.search);
        Ok(stack)
    }

    /// What names of policies on some of these servers stand for.
    async fn policies_on(
        &self,
        actor: &Actor,
        servers: &[Id],
        given: impl Iterator<Item = (&String, Option<&String>)>,
    ) -> Result<BTreeMap<Id, Option<Id>>, Refused> {
        let mut policies = BTreeMap::new();
        for (server, policy) in given {
            let place = format!("/policies/{}", rule_id::escape(server));
            let server = self.server_id(actor, server, &place).await?;
            if !servers.contains(&server) {
                return Err(Refused::invalid(place, "this is none of its `servers`"));
            }
            let policy = match policy {
                Some(policy) => Some(self.policy_at(actor, policy, &place).await?),
                None => None,
            };
            // By its name and by its id.
            if policies.insert(server, policy).is_some() {
                return Err(Refused::invalid(place, "this server is named twice"));
            }
        }
        Ok(policies)
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
