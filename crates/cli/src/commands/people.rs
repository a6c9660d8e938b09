//! `toolgate org|member|token`: who may do something at an instance.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::access::{new_password, patched};
use crate::api::shown::{self, text, time_or};
use crate::api::{self, member_of, token_of};
use crate::args::{MemberCommand, OrgCommand, TokenCommand};
use crate::failure::Failure;
use crate::when::ahead;

/// Runs a command about organisations.
pub fn org(command: &OrgCommand) -> Result<ExitCode, Failure> {
    match command {
        OrgCommand::List { api } => {
            let all = api::api(&api.place)?.list("/api/v1/organisations")?;
            let row = |one: &Value| {
                vec![text(one, "name").to_owned(), text(one, "title").to_owned(), time_or(one, "created_at", "")]
            };
            shown::list(all, api.json, &["NAME", "TITLE", "MADE"], row, "There is no organisation.")?;
        }
        OrgCommand::Add { name, title, admin, password_file, why, api } => {
            let asked = api::api(&api.place)?;
            let password = new_password(password_file.as_deref(), admin)?;
            let title = title.as_ref().unwrap_or(name);
            let body = json!({ "name": name, "title": title, "reason": why.reason,
                "admin": { "name": admin, "password": password.expose() } });
            let made = asked.post("/api/v1/organisations", &body)?.body;
            let sentence = format!("{name} is made; {admin} signs in with `toolgate login --organisation {name}`.");
            shown::done(&made, api.json, &sentence)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command about members.
pub fn member(command: &MemberCommand) -> Result<ExitCode, Failure> {
    match command {
        MemberCommand::List { api } => {
            let all = api::api(&api.place)?.pages("/api/v1/members")?;
            let row = |one: &Value| {
                let state = match one.get("password").and_then(Value::as_bool) {
                    _ if !one.get("disabled_at").is_none_or(Value::is_null) => "disabled",
                    Some(false) => "no password",
                    _ => "",
                };
                vec![
                    text(one, "name").to_owned(),
                    text(one, "role").to_owned(),
                    text(one, "display").to_owned(),
                    state.to_owned(),
                ]
            };
            shown::list(all, api.json, &["NAME", "ROLE", "DISPLAYED AS", ""], row, "There is no member.")?;
        }
        MemberCommand::Add { name, role, display, password_file, no_password, why, api } => {
            let asked = api::api(&api.place)?;
            let mut body = Map::new();
            body.insert("name".to_owned(), json!(name));
            body.insert("role".to_owned(), json!(role.as_str()));
            body.insert("reason".to_owned(), json!(why.reason));
            if let Some(display) = display {
                body.insert("display".to_owned(), json!(display));
            }
            if !no_password {
                let password = new_password(password_file.as_deref(), name)?;
                body.insert("password".to_owned(), json!(password.expose()));
            }
            let made = asked.post("/api/v1/members", &Value::Object(body))?.body;
            shown::done(&made, api.json, &format!("{name} is made, as {}.", role.as_str()))?;
        }
        MemberCommand::Set { member, role, display, password, password_file, disable, enable, why, api } => {
            let asked = api::api(&api.place)?;
            let mut body = Map::new();
            if let Some(role) = role {
                body.insert("role".to_owned(), json!(role.as_str()));
            }
            if let Some(display) = display {
                body.insert("display".to_owned(), json!(display));
            }
            if *disable || *enable {
                body.insert("disabled".to_owned(), json!(disable));
            }
            let id = member_of(&asked, member)?;
            if *password || password_file.is_some() {
                let password = new_password(password_file.as_deref(), member)?;
                body.insert("password".to_owned(), json!(password.expose()));
            }
            if body.is_empty() {
                return Err(Failure::Usage(
                    "say what is to change: --role, --display, --password, --disable".to_owned(),
                ));
            }
            body.insert("reason".to_owned(), json!(why.reason));
            let done = patched(&asked, &format!("/api/v1/members/{id}"), &Value::Object(body))?;
            shown::done(&done, api.json, &format!("{member} is changed."))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a command about API tokens.
pub fn token(command: &TokenCommand) -> Result<ExitCode, Failure> {
    match command {
        TokenCommand::List { api } => {
            let all = api::api(&api.place)?.pages("/api/v1/tokens")?;
            let row = |one: &Value| {
                let ends = match shown::time(one, "revoked_at") {
                    Some(at) => format!("revoked {at}"),
                    None => time_or(one, "expires_at", "never"),
                };
                vec![
                    text(one, "label").to_owned(),
                    text(one, "role").to_owned(),
                    text(one, "owner").to_owned(),
                    time_or(one, "used_at", "never"),
                    ends,
                ]
            };
            shown::list(all, api.json, &["LABEL", "ROLE", "MADE BY", "USED", "ENDS"], row, "There is no API token.")?;
        }
        TokenCommand::Add { label, role, expires, why, api } => {
            let expires = expires.as_deref().map(ahead).transpose()?;
            let body = json!({ "label": label, "role": role.as_str(), "expires_at": expires, "reason": why.reason });
            let made = api::api(&api.place)?.post("/api/v1/tokens", &body)?.body;
            shown::token(
                &made,
                api.json,
                &format!("the API token {label}, as {}; it is shown this once:", role.as_str()),
            )?;
        }
        TokenCommand::Revoke { token, why, api } => {
            let asked = api::api(&api.place)?;
            let id = token_of(&asked, token)?;
            let done = asked.remove(&format!("/api/v1/tokens/{id}"), &why.reason)?.body;
            shown::done(&done, api.json, &format!("{token} is revoked."))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
