//! Policies: checked, kept as versions, and published with a reason.

use policy::Diagnostic;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::control::access::{ReadPolicies, See};
use store::control::policies::{Policy, PolicyVersion, Under};

use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged, whole};
use crate::control_api::problem::{Kind, Problem, diagnostic};

/// A policy, without what it says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Policy")]
pub(crate) struct PolicyShown {
    id: String,
    name: String,
    /// What it is for.
    description: String,
    /// The number of the version in force.
    published: Option<i64>,
    /// The number of the newest version.
    latest: i64,
    /// In milliseconds since 1970.
    created_at: i64,
}

fn show(policy: Policy) -> PolicyShown {
    PolicyShown {
        id: policy.id.to_string(),
        name: policy.name,
        description: policy.description,
        published: policy.published,
        latest: policy.latest,
        created_at: policy.created_at,
    }
}

pub(crate) async fn policies(call: Call) -> Answered<List<PolicyShown>> {
    let page = call.page()?;
    let rows = call.database().policies(&call.permit::<See>()?, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn policy(call: Call) -> Answered<PolicyShown> {
    let policy = call.database().policy(&call.permit::<See>()?, call.path("policy")?).await?;
    let changed = policy.changed;
    Ok(Done::of(show(policy)).tagged(changed))
}

/// A document to be looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checking {
    /// The policy, as text.
    document: String,
}

/// What there is to say of a document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verdict {
    /// Whether it could be kept.
    valid: bool,
    /// What is wrong with it, and what to do.
    diagnostics: Vec<Value>,
}

pub(crate) async fn check(call: Call, given: Checking) -> Answered<Verdict> {
    let shown = |found: &[Diagnostic]| found.iter().map(diagnostic).collect();
    match call.api.instance.check_policy(call.actor()?, &given.document) {
        Ok(warnings) => Ok(Done::of(Verdict { valid: true, diagnostics: shown(&warnings) })),
        Err(control::Refused::Policy(errors)) => Ok(Done::of(Verdict { valid: false, diagnostics: shown(&errors) })),
        Err(error) => Err(error.into()),
    }
}

/// A policy to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    /// Its name: 1 to 40 of a-z, 0-9 and -.
    #[schemars(length(min = 1, max = 40))]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    description: String,
    /// What it says, as text.
    document: String,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

/// A version that is kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Kept {
    /// The policy's id.
    id: String,
    /// The number of the version. It is not in force before it is published.
    policy_version: i64,
    /// What there is to warn of.
    diagnostics: Vec<Value>,
}

pub(crate) async fn add(call: Call, new: NewPolicy) -> Answered<Kept> {
    let api = &call.api.instance;
    let made = api.add_policy(call.actor()?, &new.name, &new.description, &new.document, &new.reason);
    let (id, warnings) = made.await?;
    let version = call.database().version().await?;
    let diagnostics = warnings.iter().map(diagnostic).collect();
    Ok(Done::of(Kept { id: id.to_string(), policy_version: 1, diagnostics }).holds(version))
}

/// Another version of a policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// What it says, as text.
    document: String,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn edit(call: Call, new: Edit) -> Answered<Kept> {
    let policy = call.database().policy(&call.permit::<See>()?, call.path("policy")?).await?;
    if policy.changed != call.seen()? {
        return Err(Problem::new(Kind::Stale, "somebody has changed this policy since it was read: read it again"));
    }
    // Whoever edits between this and that makes another latest version, and is not overtaken.
    let edited = call.api.instance.edit_policy(call.actor()?, &policy.name, policy.latest, &new.document, &new.reason);
    let (number, warnings) = edited.await?;
    let version = call.database().version().await?;
    let diagnostics = warnings.iter().map(diagnostic).collect();
    Ok(Done::of(Kept { id: policy.id.to_string(), policy_version: number, diagnostics }).holds(version))
}

/// Which version is to be in force.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publishing {
    /// The number of the version: the newest, or an older one again.
    #[schemars(range(min = 1))]
    version: i64,
    /// Why: whoever reads the history will want to know.
    #[schemars(length(min = 1, max = 1000))]
    reason: String,
}

/// A server of a grant at which nothing is allowed, since `servers` of the grant's policy leaves it out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Closed {
    /// The id of the grant.
    grant: String,
    /// Its label.
    label: String,
    /// The name of the server.
    server: String,
}

async fn closed(call: &Call, version: i64) -> Result<Vec<Closed>, Problem> {
    let left_out = call.api.instance.left_out(call.actor()?, call.path("policy")?, version).await?;
    let shown = |one: Under| Closed { grant: one.grant.to_string(), label: one.label, server: one.server };
    Ok(left_out.into_iter().map(shown).collect())
}

/// A version is in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Published {
    /// Servers of grants that are under this policy and that it does not name, so that nothing is allowed there.
    closes: Vec<Closed>,
}

pub(crate) async fn publish(call: Call, given: Publishing) -> Answered<Published> {
    let name = call.path("policy")?;
    let version = call.api.instance.publish(call.actor()?, name, given.version, &given.reason).await?;
    Ok(Done::of(Published { closes: closed(&call, given.version).await? }).holds(version))
}

pub(crate) async fn remove(call: Call) -> Answered<Nothing> {
    let policy = call.database().policy(&call.permit::<See>()?, call.path("policy")?).await?;
    let version = call.database().remove_policy(call.permit()?, policy.id, call.reason()?).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

/// A version of a policy.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub(crate) struct VersionShown {
    /// Its number, from 1.
    version: i64,
    /// SHA-256 of the document, in hexadecimal digits.
    digest: String,
    /// Who wrote it.
    author: String,
    /// In milliseconds since 1970.
    created_at: i64,
    /// What it says; null in a list.
    document: Option<String>,
    /// Servers of grants that are under this policy and that this version does not name: nothing is allowed there while it
    /// is in force. Null in a list.
    closes: Option<Vec<Closed>>,
}

fn show_version(version: PolicyVersion, closes: Option<Vec<Closed>>) -> VersionShown {
    VersionShown {
        version: version.version,
        digest: version.digest,
        author: version.author,
        created_at: version.created_at,
        document: closes.is_some().then_some(version.document),
        closes,
    }
}

pub(crate) async fn versions(call: Call) -> Answered<List<VersionShown>> {
    let policy = call.database().policy(&call.permit::<See>()?, call.path("policy")?).await?;
    let all = call.database().policy_versions(&call.permit::<ReadPolicies>()?, policy.id).await?;
    Ok(whole(all.into_iter().map(|version| show_version(version, None)).collect()))
}

pub(crate) async fn version(call: Call) -> Answered<VersionShown> {
    let number = call.path("version")?.parse().map_err(|_| Problem::missing())?;
    let version = call.api.instance.policy_document(call.actor()?, call.path("policy")?, number).await?;
    let closes = closed(&call, number).await?;
    Ok(Done::of(show_version(version, Some(closes))))
}

/// A version was put in force.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Publication")]
pub(crate) struct PublicationShown {
    version: i64,
    /// In milliseconds since 1970.
    published_at: i64,
    published_by: String,
    reason: String,
}

pub(crate) async fn publications(call: Call) -> Answered<List<PublicationShown>> {
    let policy = call.database().policy(&call.permit::<See>()?, call.path("policy")?).await?;
    let all = call.database().publications(&call.permit::<ReadPolicies>()?, policy.id).await?;
    let show = |one: store::control::policies::Publication| PublicationShown {
        version: one.version,
        published_at: one.published_at,
        published_by: one.published_by,
        reason: one.reason,
    };
    Ok(whole(all.into_iter().map(show).collect()))
}
