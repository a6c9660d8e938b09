//! Grants: minted, changed, rotated, revoked. A token is shown to whoever asked for it, once.

use std::collections::BTreeMap;

use control::grants::GrantGiven;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::See;
use store::control::grants::{Grant, GrantPatch};

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
    /// The id of the server that it leads to.
    server: String,
    /// The id of the agent that holds it.
    agent: String,
    /// The id of its policy; without one that of its server.
    policy: Option<String>,
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
    GrantShown {
        id: grant.id.to_string(),
        label: grant.label,
        server: grant.server.to_string(),
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
    /// Its label, the only one of its server.
    #[schemars(length(min = 1, max = 120))]
    label: String,
    /// The server that it leads to, by name.
    server: String,
    /// Who holds it, by name; an agent of this name is made where there is none.
    #[schemars(length(min = 1, max = 120))]
    agent: String,
    /// Its policy, by name; without one that of its server.
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

pub(crate) async fn mint(call: Call, new: NewGrant) -> Answered<Shown> {
    let NewGrant { label, server, agent, policy, owner, tags, networks, expires_at, reason } = new;
    let given = GrantGiven { label, server, agent, policy, owner, tags, networks, expires_at };
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
    };
    let (grant, seen) = (call.id("grant")?, call.seen()?);
    let version = call.api.instance.change_grant(call.actor()?, grant, seen, &given, &patch.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

/// Which policy a grant is to have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attaching {
    /// The policy, by name; null leaves the grant with that of its server.
    policy: Option<String>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn attach(call: Call, to: Attaching) -> Answered<Nothing> {
    // Whether there is such a grant comes before what is to become of it.
    let grant = call.database().grant(&call.permit::<See>()?, call.id("grant")?).await?.id;
    let version = call.api.instance.attach(call.actor()?, grant, to.policy.as_deref(), &to.reason).await?;
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
