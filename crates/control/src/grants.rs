//! Grants: minted, rotated, revoked. A token is shown to whoever asked for it, once.

use std::collections::BTreeMap;

use audit::Id;
use policy::text::cidr::Block;
use store::control::access::{Actor, ManageGrants, See, WritePolicies};
use store::control::agents::Holder;
use store::control::grants::{GrantPatch, NewGrant};
use store::control::leads::Leads;
use vault::token::{Token, TokenKind};

use crate::servers::taken;
use crate::stacks::{LeadsChange, LeadsGiven};
use crate::{Instance, Refused};

/// The longest that an old token may go on beside a new one, in milliseconds: 30 days.
const LONGEST_OVERLAP: i64 = 30 * 86_400_000;

/// A grant as somebody describes it.
#[derive(Debug, Default)]
pub struct GrantGiven {
    /// Its label, the only one at each of its servers.
    pub label: String,
    /// Where it leads.
    pub leads: LeadsGiven,
    /// Who holds it, by name; an agent of this name is made where there is none.
    pub agent: String,
    /// Its policy, by name; without one that of its server. Where it leads to several, one that spans them.
    pub policy: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What policies may read of it.
    pub tags: BTreeMap<String, String>,
    /// The networks from which it may be used.
    pub networks: Vec<String>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// A grant that was minted.
#[derive(Debug)]
pub struct Minted {
    /// Its id.
    pub grant: Id,
    /// Its token: this is the only time that it is there.
    pub token: Token,
    /// The version of the instance at which it holds.
    pub version: i64,
}

impl GrantGiven {
    async fn check(&self, instance: &Instance) -> Result<(), Refused> {
        label("/label", &self.label)?;
        label("/agent", &self.agent)?;
        said(instance, self.owner.as_deref(), Some(&self.tags), Some(&self.networks), self.expires_at).await
    }
}

/// Checks what may be said of a grant anew.
async fn said(
    instance: &Instance,
    owner: Option<&str>,
    tags: Option<&BTreeMap<String, String>>,
    networks: Option<&[String]>,
    expires_at: Option<i64>,
) -> Result<(), Refused> {
    if let Some(owner) = owner {
        label("/owner", owner)?;
    }
    for (name, value) in tags.into_iter().flatten() {
        let place = format!("/tags/{}", policy::rule_id::escape(name));
        label(&place, name)?;
        label(&place, value)?;
    }
    for (index, network) in networks.into_iter().flatten().enumerate() {
        Block::parse(network).map_err(|why| Refused::invalid(format!("/networks/{index}"), why))?;
    }
    match expires_at {
        Some(at) if at <= instance.database.now().await? => {
            Err(Refused::invalid("/expires_at", "that time is over: the grant could never be used"))
        }
        _ => Ok(()),
    }
}

impl Instance {
    /// Mints a grant.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn mint(&self, actor: &Actor, given: &GrantGiven, reason: &str) -> Result<Minted, Refused> {
        let permit = actor.permit::<ManageGrants>()?;
        given.check(self).await?;
        let leads = self.leads(actor, &given.leads).await?;
        let policy = self.policy_id(actor, given.policy.as_deref()).await?;
        self.policies_fit(actor, &leads, policy, "/policy").await?;
        let agent = Holder::Named { name: &given.agent, owner: given.owner.as_deref() };
        let token = fresh()?;
        let hash = self.hash_key.hash(&token).to_string();
        let new = NewGrant {
            label: &given.label,
            leads: &leads,
            agent,
            policy,
            owner: given.owner.as_deref(),
            tags: &given.tags,
            networks: &given.networks,
            expires_at: given.expires_at,
            hash: &hash,
        };
        let added = self.database.add_grant(permit, &new, reason).await.map_err(Refused::from);
        let (grant, version) = taken(added, "/label", "another grant on one of its servers has this label")?;
        Ok(Minted { grant, token, version })
    }

    /// Changes what is said of a grant, its servers and their policies at once, if it still is what it was at version `seen`.
    /// Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change_grant(
        &self,
        actor: &Actor,
        grant: Id,
        seen: i64,
        patch: &GrantPatch<'_>,
        leads: &LeadsChange,
        reason: &str,
    ) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageGrants>()?;
        said(self, patch.owner.flatten(), patch.tags, patch.networks, patch.expires_at.flatten()).await?;
        let (leads, policy) = self.led_elsewhere(actor, grant, leads).await?;
        let patch = GrantPatch { leads: leads.as_ref(), policy, ..*patch };
        let changed = self.database.change_grant(permit, grant, seen, &patch, reason).await.map_err(Refused::from);
        taken(changed, "/servers", "another grant on one of these servers has this label")
    }

    /// Makes an agent.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add_agent(
        &self,
        actor: &Actor,
        name: &str,
        owner: Option<&str>,
        description: &str,
        reason: &str,
    ) -> Result<Id, Refused> {
        let permit = actor.permit::<ManageGrants>()?;
        label("/name", name)?;
        if let Some(owner) = owner {
            label("/owner", owner)?;
        }
        let added = self.database.add_agent(permit, name, owner, description, reason).await;
        taken(added.map_err(Refused::from), "/name", "another agent has this name")
    }

    /// Gives a grant another token; the old one goes on for `overlap` milliseconds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn rotate(&self, actor: &Actor, grant: Id, overlap: i64, reason: &str) -> Result<Minted, Refused> {
        let permit = actor.permit::<ManageGrants>()?;
        if !(0..=LONGEST_OVERLAP).contains(&overlap) {
            return Err(Refused::invalid("/overlap_seconds", "the old token may go on for up to 30 days"));
        }
        let token = fresh()?;
        let hash = self.hash_key.hash(&token).to_string();
        let version = self.database.rotate_grant(permit, grant, &hash, overlap, reason).await?;
        Ok(Minted { grant, token, version })
    }

    /// Revokes a grant, for good. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn revoke(&self, actor: &Actor, grant: Id, reason: &str) -> Result<i64, Refused> {
        Ok(self.database.revoke_grant(actor.permit()?, grant, reason).await?)
    }

    /// Attaches a policy to a grant; `None` leaves it with that of its server. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn attach(&self, actor: &Actor, grant: Id, policy: Option<&str>, reason: &str) -> Result<i64, Refused> {
        let permit = actor.permit::<WritePolicies>()?;
        let policy = self.policy_id(actor, policy).await?;
        let leads = self.standing(actor, grant).await?.leads;
        self.policies_fit(actor, &leads, policy, "/policy").await?;
        Ok(self.database.attach(permit, grant, None, policy, reason).await?)
    }

    /// Attaches a policy to a grant for several servers, on one of them alone; `None` leaves that one with the policy of the
    /// grant, or of the server. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn attach_on(
        &self,
        actor: &Actor,
        grant: Id,
        server: &str,
        policy: Option<&str>,
        reason: &str,
    ) -> Result<i64, Refused> {
        let permit = actor.permit::<WritePolicies>()?;
        let policy = self.policy_id(actor, policy).await?;
        let now_is = self.standing(actor, grant).await?;
        let on = self.server_id(actor, server, "/server").await?;
        let Leads::Stack(mut stack) = now_is.leads else {
            return Err(Refused::invalid("/server", "this grant is for one server: leave it out"));
        };
        let Some(member) = stack.servers.iter_mut().find(|member| member.server == on) else {
            return Err(Refused::invalid("/server", "this grant does not lead to this server"));
        };
        member.policy = policy;
        match policy {
            Some(policy) => {
                let name = self.database.server(&actor.permit::<See>()?, &on.to_string()).await?.name;
                self.spans(actor, policy, &[name], false, "/policy").await?;
            }
            None => self.policies_fit(actor, &Leads::Stack(stack), now_is.policy, "/policy").await?,
        }
        Ok(self.database.attach(permit, grant, Some(on), policy, reason).await?)
    }
}

fn fresh() -> Result<Token, Refused> {
    Token::fresh(TokenKind::Grant).map_err(|error| Refused::Vault(error.to_string()))
}

/// What stands in one line of a log or a table.
pub(crate) fn label(place: &str, text: &str) -> Result<(), Refused> {
    if (1..=120).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text {
        return Ok(());
    }
    Err(Refused::invalid(place, "it has 1 to 120 characters on one line, without space around them"))
}
