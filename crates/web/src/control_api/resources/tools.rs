//! What people say of a server's tools: overrides, and definitions that wait and are accepted.

use std::collections::BTreeMap;

use control::tools::definition_digest;
use policy::facts::Class;
use policy::rule_id::escape;
use risk::Facet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::control::access::See;

use crate::control_api::call::{Answered, Call, Done, List, Nothing, whole};
use crate::control_api::problem::Problem;

/// What a tool does, at the worst.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Class")]
pub(crate) enum ClassName {
    Read,
    Write,
    Execute,
    Destructive,
    Financial,
    Unclassified,
}

impl From<ClassName> for Class {
    fn from(name: ClassName) -> Self {
        match name {
            ClassName::Read => Class::Read,
            ClassName::Write => Class::Write,
            ClassName::Execute => Class::Execute,
            ClassName::Destructive => Class::Destructive,
            ClassName::Financial => Class::Financial,
            ClassName::Unclassified => Class::Unclassified,
        }
    }
}

/// What was said of a tool.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Override")]
pub(crate) struct OverrideShown {
    tool: String,
    /// The class it has.
    class: Option<String>,
    /// Facets, by name, that it has or has not.
    facets: BTreeMap<String, bool>,
    reason: String,
    /// Who said so.
    set_by: String,
    /// In milliseconds since 1970.
    set_at: i64,
}

pub(crate) async fn overrides(call: Call) -> Answered<List<OverrideShown>> {
    let see = call.permit::<See>()?;
    let server = call.database().server(&see, call.path("server")?).await?.id;
    let all = call.database().overrides(&see, server).await?;
    let show = |said: store::control::servers::ToolOverride| OverrideShown {
        tool: said.tool,
        class: said.class,
        facets: said.facets,
        reason: said.reason,
        set_by: said.set_by,
        set_at: said.set_at,
    };
    Ok(whole(all.into_iter().map(show).collect()))
}

/// What is to be said of a tool against its own words; neither class nor facets takes it back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    /// The tool.
    #[schemars(length(min = 1, max = 256))]
    tool: String,
    /// The class it has.
    class: Option<ClassName>,
    /// Facets, by name, that it has or has not.
    #[serde(default)]
    facets: BTreeMap<String, bool>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn set_override(call: Call, said: Override) -> Answered<Nothing> {
    let unknown = |name: &&String| !Facet::ALL.iter().any(|facet| facet.as_str() == name.as_str());
    if let Some(name) = said.facets.keys().find(unknown) {
        let all: Vec<_> = Facet::ALL.iter().map(|facet| facet.as_str()).collect();
        let why = format!("there is no such facet; there are {}", all.join(", "));
        return Err(Problem::invalid(format!("/facets/{}", escape(name)), why));
    }
    let (server, class) = (call.path("server")?, said.class.map(Class::from));
    let set = call.api.instance.set_override(call.actor()?, server, &said.tool, class, &said.facets, &said.reason);
    let version = set.await?;
    Ok(Done::of(Nothing {}).holds(version))
}

/// What is pinned of a tool.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pin")]
pub(crate) struct PinShown {
    tool: String,
    /// The definition that counts.
    accepted: Option<Value>,
    /// The definition that the server shows and that waits.
    waiting: Option<Value>,
    /// By what the waiting one is named when it is accepted.
    digest: Option<String>,
    /// Who accepted the one that counts.
    accepted_by: Option<String>,
    /// In milliseconds since 1970.
    accepted_at: Option<i64>,
}

pub(crate) async fn pins(call: Call) -> Answered<List<PinShown>> {
    let see = call.permit::<See>()?;
    let waiting = match call.asked("waiting") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::parameter("waiting", "it is true or false")),
    };
    let server = call.database().server(&see, call.path("server")?).await?.id;
    let all = call.database().pins(&see, server).await?;
    let show = |pin: store::control::pins::Pinned| PinShown {
        tool: pin.tool,
        digest: pin.seen.as_ref().map(definition_digest),
        accepted: pin.accepted,
        waiting: pin.seen,
        accepted_by: pin.accepted_by,
        accepted_at: pin.accepted_at,
    };
    Ok(whole(all.into_iter().map(show).filter(|pin| !waiting || pin.waiting.is_some()).collect()))
}

/// Definitions that somebody has read and accepts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepting {
    /// By tool, the digest of the definition that waits and was read.
    #[serde(default)]
    accept: BTreeMap<String, String>,
    /// Tools that are to be forgotten.
    #[serde(default)]
    gone: Vec<String>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn accept(call: Call, read: Accepting) -> Answered<Nothing> {
    if read.accept.is_empty() && read.gone.is_empty() {
        return Err(Problem::invalid("/accept", "name a tool to accept, or one in `gone` to forget"));
    }
    let server = call.path("server")?;
    let version = call.api.instance.accept(call.actor()?, server, &read.accept, &read.gone, &read.reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}
