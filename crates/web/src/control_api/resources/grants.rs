//! Grants: minted, changed, rotated, revoked. A token is shown to whoever asked for it, once.

use std::collections::BTreeMap;

use control::grants::GrantGiven;
use control::stacks::{LeadsChange, LeadsGiven, StackGiven};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::See;
use store::control::grants::{Grant, GrantPatch};
use store::control::leads::{Leads, Member};

use super::given;
use super::tokens::Shown;
use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged};
use crate::control_api::problem::Problem;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// A grant, without its token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grant")]
pub(crate) struct GrantShown {
    id: String,
    label: String,
    /// The id of the server that it leads to; null for a grant for several.
    server: Option<String>,
    /// The ids of the servers that it leads to, in the order in which they are listed.
    servers: Vec<String>,
    /// The id of the agent that holds it.
    agent: String,
    /// The id of its policy; without one that of its server. Of a grant for several, the policy that spans them.
    policy: Option<String>,
    /// Policies on single ones of several servers: the id of each policy by that of the server.
    policies: BTreeMap<String, String>,
    /// The ids of those of several servers whose tools keep their own names, where no other has the same.
    unprefixed: Vec<String>,
    /// Whether the tools of several servers are found by searching.
    search: bool,
    /// Who answers for it.
    owner: Option<String>,
    /// What policies may read of it.
    tags: BTreeMap<String, String>,
    /// The networks from which it may be used; none means from anywhere.
    networks: Vec<String>,
    /// In milliseconds since 1970.
    created_at: i64,
    /// From when on it is refused, in milliseconds since 1970; null means never.
    expires_at: Option<i64>,
    /// When it was used last, to the minute, in milliseconds since 1970.
    used_at: Option<i64>,
    /// Since when it is refused, in milliseconds since 1970.
    revoked_at: Option<i64>,
}

fn show(grant: Grant) -> GrantShown {
    let members = grant.leads.members();
    let own = |member: &Member| Some((member.server.to_string(), member.policy?.to_string()));
    let unprefixed = members.iter().filter(|member| member.unprefixed);
    let (server, search) = match &grant.leads {
        Leads::Server(server) => (Some(server.to_string()), false),
        Leads::Stack(stack) => (None, stack.search),
    };
    GrantShown {
        id: grant.id.to_string(),
        label: grant.label,
        server,
        servers: members.iter().map(|member| member.server.to_string()).collect(),
        policies: members.iter().filter_map(own).collect(),
        unprefixed: unprefixed.map(|member| member.server.to_string()).collect(),
        search,
        agent: grant.agent.to_string(),
        policy: grant.policy.map(|policy| policy.to_string()),
        owner: grant.owner,
        tags: grant.tags,
        networks: grant.networks,
        created_at: grant.created_at,
        expires_at: grant.expires_at,
        used_at: grant.used_at,
        revoked_at: grant.revoked_at,
    }
}

pub(crate) async fn grants(call: Call) -> Answered<List<GrantShown>> {
    let (page, see, unused) = (call.page()?, call.permit::<See>()?, call.number("unused")?);
    let rows = match (call.asked("server"), unused) {
        (Some(_), Some(_)) => return Err(Problem::parameter("unused", "ask for one server or for unused grants")),
        (None, Some(days)) => {
            let before = call.database().now().await?.saturating_sub(days.saturating_mul(DAY));
            call.database().unused_grants(&see, before, page).await?
        }
        (None, None) => call.database().grants(&see, None, page).await?,
        (Some(name), None) => {
            let server = call.database().server(&see, name).await?.id;
            call.database().grants(&see, Some(server), page).await?
        }
    };
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn grant(call: Call) -> Answered<GrantShown> {
    let grant = call.database().grant(&call.permit::<See>()?, call.id("grant")?).await?;
    let changed = grant.changed;
    Ok(Done::of(show(grant)).tagged(changed))
}

/// A grant to be minted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrant {
    /// Its label, the only one at each of its servers.
    #[schemars(length(min = 1, max = 120))]
    label: String,
    /// The server that it leads to, by name. Give either this or `servers`.
    server: Option<String>,
    /// Several servers that it leads to together, by name, in the order in which they are listed.
    #[schemars(length(min = 1, max = 100))]
    servers: Option<Vec<String>>,
    /// Of several servers: policies on single ones, the name of each policy by that of the server.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    policies: BTreeMap<String, String>,
    /// Of several servers: those whose tools keep their own names, where no other has the same.
    #[serde(default)]
    #[schemars(length(max = 100))]
    unprefixed: Vec<String>,
    /// Of several servers: whether their tools are found by searching.
    #[serde(default)]
    search: bool,
    /// Who holds it, by name; an agent of this name is made where there is none.
    #[schemars(length(min = 1, max = 120))]
    agent: String,
    /// Its policy, by name; without one that of its server. For several servers, one that spans them.
    policy: Option<String>,
    /// Who answers for it.
    #[schemars(length(min = 1, max = 120))]
    owner: Option<String>,
    /// What policies may read of it.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    tags: BTreeMap<String, String>,
    /// The networks from which it may be used, such as 10.0.0.0/8; none means from anywhere.
    #[serde(default)]
    #[schemars(length(max = 100))]
    networks: Vec<String>,
    /// From when on it is refused, in milliseconds since 1970; null means never.
    #[schemars(range(min = 0))]
    expires_at: Option<i64>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

impl NewGrant {
    fn leads(&self) -> Result<LeadsGiven, Problem> {
        let of_several = [
            ("/policies", !self.policies.is_empty()),
            ("/unprefixed", !self.unprefixed.is_empty()),
            ("/search", self.search),
        ];
        match (&self.server, &self.servers) {
            (Some(_), Some(_)) => Err(Problem::invalid("/servers", "give either `server` or `servers`")),
            (None, None) => Err(Problem::invalid("/server", "this field is missing, and must be given; or `servers`")),
            (Some(server), None) => match of_several.iter().find(|(_, given)| *given) {
                Some((field, _)) => Err(Problem::invalid(*field, "it is for a grant with `servers`")),
                None => Ok(LeadsGiven::Server(server.clone())),
            },
            (None, Some(servers)) => Ok(LeadsGiven::Stack(StackGiven {
                servers: servers.clone(),
                policies: self.policies.clone(),
                unprefixed: self.unprefixed.clone(),
                search: self.search,
            })),
        }
    }
}

pub(crate) async fn mint(call: Call, new: NewGrant) -> Answered<Shown> {
    let leads = new.leads()?;
    let NewGrant { label, agent, policy, owner, tags, networks, expires_at, reason, .. } = new;
    let given = GrantGiven { label, leads, agent, policy, owner, tags, networks, expires_at };
    let minted = call.api.instance.mint(call.actor()?, &given, &reason).await?;
    let shown = Shown { id: minted.grant.to_string(), token: minted.token.reveal().to_owned() };
    Ok(Done::of(shown).holds(minted.version))
}

/// What is to be another way with a grant; what is absent stays, null takes away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    /// Who answers for it.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    owner: Option<Option<String>>,
    /// What policies may read of it.
    #[schemars(extend("maxProperties" = 100))]
    tags: Option<BTreeMap<String, String>>,
    /// The networks from which it may be used.
    #[schemars(length(max = 100))]
    networks: Option<Vec<String>>,
    /// From when on it is refused, in milliseconds since 1970.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<i64>")]
    expires_at: Option<Option<i64>>,
    /// Its policy, by name; null leaves it with that of its server. Of a grant for several servers, one that spans them.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    policy: Option<Option<String>>,
    /// Of a grant for several servers: all of them, by name. Those that stay keep their policies; another one has the policy
    /// that `policies` names for it, else that of the grant, else its own.
    #[schemars(length(min = 1, max = 100))]
    servers: Option<Vec<String>>,
    /// Of a grant for several servers: policies on single ones, the name of each policy by that of the server. Null leaves
    /// that server with the policy of the grant, or its own; one that is not named keeps what it has.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    policies: BTreeMap<String, Option<String>>,
    /// Of a grant for several servers: those whose tools keep their own names.
    #[schemars(length(max = 100))]
    unprefixed: Option<Vec<String>>,
    /// Of a grant for several servers: whether tools are found by searching.
    search: Option<bool>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn change(call: Call, patch: Patch) -> Answered<Nothing> {
    let given = GrantPatch {
        owner: patch.owner.as_ref().map(Option::as_deref),
        tags: patch.tags.as_ref(),
        networks: patch.networks.as_deref(),
        expires_at: patch.expires_at,
        ..GrantPatch::default()
    };
    let leads = LeadsChange {
        policy: patch.policy,
        servers: patch.servers,
        policies: patch.policies,
        unprefixed: patch.unprefixed,
        search: patch.search,
    };
    let (grant, seen) = (call.id("grant")?, call.seen()?);
    let version = call.api.instance.change_grant(call.actor()?, grant, seen, &given, &leads, &patch.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

/// Which policy a grant is to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attaching {
    /// The policy, by name; null leaves the grant with that of its server.
    policy: Option<String>,
    /// Of a grant for several servers: the one, by name, on which alone it is to have this policy. Else it is the one that
    /// spans them.
    server: Option<String>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn attach(call: Call, to: Attaching) -> Answered<Nothing> {
    // Whether there is such a grant comes before what is to become of it.
    let grant = call.database().grant(&call.permit::<See>()?, call.id("grant")?).await?.id;
    let (instance, actor, policy) = (&call.api.instance, call.actor()?, to.policy.as_deref());
    let version = match &to.server {
        Some(server) => instance.attach_on(actor, grant, server, policy, &to.reason).await?,
        None => instance.attach(actor, grant, policy, &to.reason).await?,
    };
    Ok(Done::of(Nothing {}).holds(version))
}

/// Another token for a grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotating {
    /// How long the old token goes on, in seconds: up to 30 days.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2_592_000))]
    overlap_seconds: i64,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn rotate(call: Call, how: Rotating) -> Answered<Shown> {
    let (grant, overlap) = (call.id("grant")?, how.overlap_seconds.saturating_mul(1_000));
    let minted = call.api.instance.rotate(call.actor()?, grant, overlap, &how.reason).await?;
    let shown = Shown { id: minted.grant.to_string(), token: minted.token.reveal().to_owned() };
    Ok(Done::of(shown).holds(minted.version))
}

pub(crate) async fn revoke(call: Call) -> Answered<Nothing> {
    let version = call.api.instance.revoke(call.actor()?, call.id("grant")?, call.reason()?).await?;
    Ok(Done::of(Nothing {}).holds(version))
}
