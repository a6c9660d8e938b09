//! API tokens of programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::ManageMembers;
use store::control::programs::Program;

use super::RoleName;
use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged};

/// An API token, without its text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(crate) struct TokenShown {
    id: String,
    label: String,
    /// What it may do.
    role: RoleName,
    /// Who made it.
    owner: String,
    /// In milliseconds since 1970.
    created_at: i64,
    /// From when on it is refused, in milliseconds since 1970.
    expires_at: Option<i64>,
    /// When it was used last, to the minute, in milliseconds since 1970.
    used_at: Option<i64>,
    /// Since when it is refused, in milliseconds since 1970.
    revoked_at: Option<i64>,
}

fn show(program: Program) -> TokenShown {
    TokenShown {
        id: program.id.to_string(),
        label: program.label,
        role: program.role.into(),
        owner: program.owner,
        created_at: program.created_at,
        expires_at: program.expires_at,
        used_at: program.used_at,
        revoked_at: program.revoked_at,
    }
}

pub(crate) async fn tokens(call: Call) -> Answered<List<TokenShown>> {
    let page = call.page()?;
    let rows = call.database().programs(&call.permit::<ManageMembers>()?, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn token(call: Call) -> Answered<TokenShown> {
    Ok(Done::of(show(call.database().program(&call.permit::<ManageMembers>()?, call.id("token")?).await?)))
}

/// An API token to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// Its label, the only one of its organisation.
    #[schemars(length(min = 1, max = 120))]
    label: String,
    /// What it may do.
    role: RoleName,
    /// From when on it is refused, in milliseconds since 1970.
    #[schemars(range(min = 0))]
    expires_at: Option<i64>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

/// A token that was made just now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    /// The id of what it belongs to.
    pub(crate) id: String,
    /// Its text: it is shown this once.
    pub(crate) token: String,
}

pub(crate) async fn add(call: Call, new: NewToken) -> Answered<Shown> {
    let made = call.api.instance.add_token(call.actor()?, &new.label, new.role.into(), new.expires_at, &new.reason);
    let (id, token) = made.await?;
    let version = call.database().version().await?;
    Ok(Done::of(Shown { id: id.to_string(), token: token.reveal().to_owned() }).holds(version))
}

pub(crate) async fn revoke(call: Call) -> Answered<Nothing> {
    call.database().revoke_program(call.permit()?, call.id("token")?, call.reason()?).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Nothing {}).holds(version))
}
