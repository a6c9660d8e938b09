//! Organisations and their members.

use control::people::{MemberChanged, MemberGiven};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::{ManageMembers, ManageOrganisations, Role};
use store::control::members::Member;

use super::sessions::Made;
use super::{RoleName, Secret};
use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged, whole};

/// An organisation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Organisation")]
pub(crate) struct OrganisationShown {
    id: String,
    /// Its name, as in commands and addresses.
    name: String,
    /// Its name for people.
    title: String,
    /// In milliseconds since 1970.
    created_at: i64,
}

pub(crate) async fn organisations(call: Call) -> Answered<List<OrganisationShown>> {
    let all = call.database().organisations(&call.permit::<ManageOrganisations>()?).await?;
    let show = |one: store::control::instance::Organisation| OrganisationShown {
        id: one.id.to_string(),
        name: one.name,
        title: one.title,
        created_at: one.created_at,
    };
    Ok(whole(all.into_iter().map(show).collect()))
}

/// An organisation to be made, with its first admin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganisation {
    /// Its name: 1 to 40 of a-z, 0-9 and -.
    #[schemars(length(min = 1, max = 40))]
    name: String,
    /// Its name for people.
    #[schemars(length(min = 1, max = 120))]
    title: String,
    /// Who signs in there first.
    admin: FirstAdmin,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

/// The first admin of an organisation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstAdmin {
    /// What the admin signs in with.
    #[schemars(length(min = 1, max = 120))]
    name: String,
    /// The admin's password.
    password: Secret,
}

pub(crate) async fn add_organisation(call: Call, new: NewOrganisation) -> Answered<Made> {
    let admin = (new.admin.name.as_str(), &new.admin.password.0);
    let made = call.api.sign_in.add_organisation(call.actor()?, &new.name, &new.title, admin, &new.reason).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Made { id: made.id.to_string() }).holds(version))
}

/// A member.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub(crate) struct MemberShown {
    id: String,
    /// What they sign in with.
    name: String,
    /// What others read.
    display: String,
    /// What they may do.
    role: RoleName,
    /// Whether they have a password.
    password: bool,
    /// In milliseconds since 1970.
    created_at: i64,
    /// Since when they may do nothing, in milliseconds since 1970.
    disabled_at: Option<i64>,
}

fn show(member: Member) -> MemberShown {
    MemberShown {
        id: member.id.to_string(),
        name: member.name,
        display: member.display,
        role: member.role.into(),
        password: member.password,
        created_at: member.created_at,
        disabled_at: member.disabled_at,
    }
}

pub(crate) async fn members(call: Call) -> Answered<List<MemberShown>> {
    let page = call.page()?;
    let rows = call.database().members(&call.permit::<ManageMembers>()?, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn member(call: Call) -> Answered<MemberShown> {
    let member = call.database().member(&call.permit::<ManageMembers>()?, call.id("member")?).await?;
    let changed = member.changed;
    Ok(Done::of(show(member)).tagged(changed))
}

/// A member to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// What they sign in with: letters, digits and . _ - @ +.
    #[schemars(length(min = 1, max = 120))]
    name: String,
    /// What others read; without it the name.
    #[schemars(length(min = 1, max = 120))]
    display: Option<String>,
    /// What they may do.
    role: RoleName,
    /// Their password; without one they cannot sign in by password.
    password: Option<Secret>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn add(call: Call, new: NewMember) -> Answered<Made> {
    let given = MemberGiven {
        name: &new.name,
        display: new.display.as_deref(),
        role: new.role.into(),
        password: new.password.as_ref().map(|password| &password.0),
    };
    let id = call.api.sign_in.add_member(call.actor()?, &given, &new.reason).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Made { id: id.to_string() }).holds(version))
}

/// What is to be another way with a member.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberPatch {
    /// What others read.
    #[schemars(length(min = 1, max = 120))]
    display: Option<String>,
    /// What they may do.
    role: Option<RoleName>,
    /// A new password. Sessions that stand end.
    password: Option<Secret>,
    /// Whether they may do nothing from now on. Sessions that stand end.
    disabled: Option<bool>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

pub(crate) async fn change(call: Call, patch: MemberPatch) -> Answered<Nothing> {
    let given = MemberChanged {
        display: patch.display.as_deref(),
        role: patch.role.map(Role::from),
        password: patch.password.as_ref().map(|password| &password.0),
        disabled: patch.disabled,
    };
    let (member, seen) = (call.id("member")?, call.seen()?);
    call.api.sign_in.change_member(call.actor()?, member, seen, &given, &patch.reason).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Nothing {}).holds(version))
}
