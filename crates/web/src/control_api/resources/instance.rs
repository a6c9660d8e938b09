//! The instance: its version, its replicas, its admin events, and the description of these addresses.

use std::sync::{Arc, LazyLock};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::control::access::{ReadAdminEvents, SeeReplicas};
use store::control::events::{AdminEvent, EventFilter};
use store::control::page::Page;

use crate::control_api::call::{Answered, Call, Done, List, paged, whole};
use crate::control_api::export::{AT_ONCE, Entry, Export, Format};
use crate::control_api::openapi;
use crate::control_api::problem::Problem;

/// What answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Version {
    /// The version of Toolgate.
    toolgate: String,
    /// The version of the instance: it grows with every change.
    instance: i64,
}

pub(crate) async fn version(call: Call) -> Answered<Version> {
    let instance = call.database().version().await?;
    Ok(Done::of(Version { toolgate: env!("CARGO_PKG_VERSION").to_owned(), instance }))
}

pub(crate) async fn description(_: Call) -> Answered<Value> {
    // Nobody need be recognised to ask, so nothing is worked out for them.
    static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);
    Ok(Done::of(DOCUMENT.clone()))
}

/// A replica whose lease stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Replica")]
pub(crate) struct ReplicaShown {
    id: String,
    name: String,
    /// In milliseconds since 1970.
    started_at: i64,
    /// Until when it may serve without asking again, in milliseconds since 1970.
    lease_until: i64,
    /// The version of the instance that it follows.
    applied: i64,
}

pub(crate) async fn replicas(call: Call) -> Answered<List<ReplicaShown>> {
    call.permit::<SeeReplicas>()?;
    let all = call.database().replicas().await?;
    let show = |one: store::control::live::Replica| ReplicaShown {
        id: one.id.to_string(),
        name: one.name,
        started_at: one.started_at,
        lease_until: one.lease_until,
        applied: one.applied,
    };
    Ok(whole(all.into_iter().map(show).collect()))
}

/// Something that somebody did.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdminEvent")]
pub(crate) struct EventShown {
    id: String,
    /// In milliseconds since 1970.
    at: i64,
    /// Who, such as `member:ada`.
    actor: String,
    /// What, such as `grant.revoke`.
    action: String,
    kind: String,
    /// The id of the object.
    object: String,
    /// Its name at that time.
    name: String,
    /// What else there is to say.
    detail: Value,
    /// Why, in the words of who did it.
    reason: String,
}

fn show(event: AdminEvent) -> EventShown {
    EventShown {
        id: event.id.to_string(),
        at: event.at,
        actor: event.actor,
        action: event.action,
        kind: event.kind,
        object: event.object.to_string(),
        name: event.name,
        detail: event.detail,
        reason: event.reason,
    }
}

fn asked(call: &Call) -> Result<EventFilter, Problem> {
    let object = call.asked("object").map(str::parse).transpose();
    Ok(EventFilter {
        since: call.number("since")?,
        until: call.number("until")?,
        actor: call.asked("actor").map(str::to_owned),
        action: call.asked("action").map(str::to_owned),
        object: object.map_err(|_| Problem::parameter("object", "it is the id of an object"))?,
    })
}

pub(crate) async fn events(call: Call) -> Answered<List<EventShown>> {
    let (filter, page) = (asked(&call)?, call.page()?);
    let rows = call.database().admin_events(&call.permit::<ReadAdminEvents>()?, &filter, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

impl Entry for EventShown {
    const COLUMNS: &'static [&'static str] =
        &["id", "at", "actor", "action", "kind", "object", "name", "detail", "reason"];
}

pub(crate) async fn export(call: Call) -> Result<Export, Problem> {
    let (format, filter) = (Format::of(&call)?, asked(&call)?);
    call.permit::<ReadAdminEvents>()?;
    let call = Arc::new(call);
    let reading = Arc::clone(&call);
    Export::of(&call, format, move |after| {
        let (call, filter) = (Arc::clone(&reading), filter.clone());
        Box::pin(async move {
            let page = Page { after, limit: AT_ONCE };
            let rows = call.database().admin_events(&call.permit::<ReadAdminEvents>()?, &filter, page).await?;
            let full = rows.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
            let next = rows.last().filter(|_| full).map(|row| row.id);
            Ok((rows.into_iter().map(show).collect(), next))
        })
    })
    .await
}
