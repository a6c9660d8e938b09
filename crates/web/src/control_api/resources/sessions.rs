//! Setting up, signing in and out, and who one is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::access::{See, Who};

use super::{RoleName, Secret};
use crate::control_api::call::{Answered, Call, Done, Nothing};
use crate::control_api::problem::{Kind, Problem};
use crate::control_api::recognise::{cookie, no_cookie};

/// The first admin of a new instance.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// The setup token that the first start printed.
    token: Secret,
    /// What the admin signs in with.
    #[schemars(length(min = 1, max = 120))]
    name: String,
    /// The admin's password.
    password: Secret,
}

/// Something that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) id: String,
}

pub(crate) async fn set_up(call: Call, setup: Setup) -> Answered<Made> {
    use secrecy::ExposeSecret;
    let made = call.api.sign_in.set_up(setup.token.0.expose_secret(), &setup.name, &setup.password.0).await?;
    let how = "the setup token is not good, or was used: `toolgate serve` prints a new one while there is no admin";
    let id = made.ok_or_else(|| Problem::new(Kind::Credentials, how))?.to_string();
    Ok(Done::of(Made { id }))
}

/// Signing in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningIn {
    /// The organisation, by name; `default` unless said.
    #[serde(default = "first")]
    #[schemars(length(min = 1, max = 40))]
    organisation: String,
    /// The member's name.
    #[schemars(length(min = 1, max = 120))]
    name: String,
    /// The member's password.
    password: Secret,
    /// Whether the session's token comes as a cookie for a browser, and not in the answer.
    #[serde(default)]
    cookie: bool,
}

fn first() -> String {
    "default".to_owned()
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    /// What is sent as `Authorization: Bearer` for 12 hours; null where it came as a cookie. It is shown this once.
    token: Option<String>,
}

pub(crate) async fn sign_in(call: Call, given: SigningIn) -> Answered<Session> {
    let token = call.api.sign_in.sign_in(&given.organisation, &given.name, &given.password.0).await?;
    let how = "the organisation, the name or the password is wrong, or this member is disabled";
    let token = token.ok_or_else(|| Problem::new(Kind::Credentials, how))?;
    Ok(match given.cookie {
        true => Done::of(Session { token: None }).cookie(cookie(token.reveal())),
        false => Done::of(Session { token: Some(token.reveal().to_owned()) }),
    })
}

pub(crate) async fn sign_out(call: Call) -> Answered<Nothing> {
    let Who::Member { .. } = call.actor()?.who else {
        let how = "an API token is no session: it is revoked with DELETE /api/v1/tokens/{token}";
        return Err(Problem::new(Kind::Conflict, how));
    };
    if let Some(shown) = &call.token {
        call.api.instance.sign_out(shown.reveal()).await?;
    }
    Ok(Done::of(Nothing {}).cookie(no_cookie()))
}

/// Who asks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Me {
    /// As admin events name it, such as `member:ada`.
    actor: String,
    /// The id of the member or the token.
    id: Option<String>,
    /// What may be done.
    role: RoleName,
    /// Where.
    organisation: Own,
    /// Whether this is the first organisation, whose admins run the instance.
    first: bool,
}

/// One's own organisation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Own {
    id: String,
    name: String,
    title: String,
}

pub(crate) async fn me(call: Call) -> Answered<Me> {
    let actor = call.actor()?;
    let own = call.database().own_organisation(&call.permit::<See>()?).await?;
    let id = match &actor.who {
        Who::Member { id, .. } | Who::Program { id, .. } => Some(id.to_string()),
        Who::Operator(_) => None,
    };
    Ok(Done::of(Me {
        actor: actor.who.to_string(),
        id,
        role: actor.role.into(),
        organisation: Own { id: own.id.to_string(), name: own.name, title: own.title },
        first: actor.first,
    }))
}
