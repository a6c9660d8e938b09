//! Servers: registered, changed and removed, with secrets that go in and never come out.

use std::collections::BTreeMap;

use audit::Id;
use gateway::server::is_server_id;
use gateway::tools::ListBytes;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use store::control::BadControl;
use store::control::access::{Actor, ManageServers, RunPrograms, See};
use store::control::secrets::Sealed;
use store::control::servers::{Reach, Server, ServerDraft, Settings, Transport};
use upstream::clear;
use upstream::egress::Egress;
use upstream::http::Endpoint;
use upstream::resolve::System;
use vault::Place;

use crate::{Instance, Refused};

/// Calls at once that a server may be allowed.
const MOST_CALLS: u32 = 10_000;

/// Seconds that a server may be given.
const LONGEST: u32 = 24 * 3600;

/// A server as somebody describes it. Each value is a secret; `None` keeps the one that is there.
#[derive(Debug)]
pub struct ServerGiven {
    /// Its name, as in `/mcp/NAME/`.
    pub name: String,
    /// Its name for people; may be empty.
    pub title: String,
    /// How it is reached.
    pub reach: ReachGiven,
    /// What it is trusted with.
    pub settings: Settings,
    /// The name of the policy of grants that have none of their own.
    pub policy: Option<String>,
}

/// How a server is reached, with its secrets.
#[derive(Debug)]
pub enum ReachGiven {
    /// An endpoint.
    Http {
        /// Its address.
        url: String,
        /// Headers that it is sent.
        headers: BTreeMap<String, Option<SecretString>>,
        /// How it is spoken to; found out where nothing is said.
        transport: Option<Transport>,
    },
    /// A program that speaks on stdin and stdout.
    Child {
        /// The program and its arguments.
        command: Vec<String>,
        /// Variables that it is given.
        env: BTreeMap<String, Option<SecretString>>,
    },
}

impl ReachGiven {
    fn secrets(&self) -> (&'static str, &BTreeMap<String, Option<SecretString>>) {
        match self {
            ReachGiven::Http { headers, .. } => ("headers", headers),
            ReachGiven::Child { env, .. } => ("env", env),
        }
    }

    fn kept(&self) -> Reach {
        match self {
            ReachGiven::Http { url, headers, transport } => {
                Reach::Http { url: url.clone(), headers: headers.keys().cloned().collect(), transport: *transport }
            }
            ReachGiven::Child { command, env } => {
                Reach::Child { command: command.clone(), env: env.keys().cloned().collect() }
            }
        }
    }

    /// A program runs as the gateway's own user: that is for those who run the instance.
    fn permitted(&self, actor: &Actor) -> Result<(), Refused> {
        match self {
            ReachGiven::Http { .. } => Ok(()),
            ReachGiven::Child { .. } => Ok(actor.permit::<RunPrograms>().map(drop)?),
        }
    }

    /// What is wrong, at which place.
    fn check(&self) -> Result<(), Refused> {
        match self {
            ReachGiven::Http { url, headers, .. } => {
                let mut endpoint =
                    Endpoint::parse(url).map_err(|error| Refused::invalid("/reach/url", error.to_string()))?;
                for (name, value) in headers {
                    // The value is checked as it is, and what is wrong with it is said without it.
                    let value = value.as_ref().map_or("x", |value| value.expose_secret());
                    let place = format!("/reach/headers/{}", policy::rule_id::escape(name));
                    if HeaderValue::from_str(value).is_err() {
                        return Err(Refused::invalid(place, "the value has characters that a header cannot carry"));
                    }
                    endpoint.add_header(name, "x").map_err(|error| Refused::invalid(place, error.to_string()))?;
                }
                Ok(())
            }
            ReachGiven::Child { command, env } => {
                if command.first().is_none_or(|program| program.is_empty()) {
                    return Err(Refused::invalid("/reach/command", "name the program, then its arguments"));
                }
                if let Some(index) = command.iter().position(|word| word.contains('\0')) {
                    let place = format!("/reach/command/{index}");
                    return Err(Refused::invalid(place, "a NUL character cannot be an argument's"));
                }
                for (name, value) in env {
                    let place = || format!("/reach/env/{}", policy::rule_id::escape(name));
                    if name.is_empty() || name.contains(['=', '\0']) {
                        return Err(Refused::invalid(place(), "the name of a variable is not empty and has no `=`"));
                    }
                    if value.as_ref().is_some_and(|value| value.expose_secret().contains('\0')) {
                        return Err(Refused::invalid(place(), "a NUL character cannot be a variable's"));
                    }
                }
                Ok(())
            }
        }
    }
}

/// Whether a server may be where its URL leads. Where that is may change: it is judged again whenever it is dialled.
async fn may_be_there(given: &ServerGiven, egress: &Egress) -> Result<(), Refused> {
    let ReachGiven::Http { url, .. } = &given.reach else { return Ok(()) };
    let wrong = |error: String| Refused::invalid("/reach/url", error);
    let endpoint = Endpoint::parse(url).map_err(|error| wrong(error.to_string()))?;
    egress.judge(endpoint.uri(), &System).await.map_err(|forbidden| wrong(forbidden.to_string()))?;
    match given.settings.plain_http || !clear::now(endpoint.uri(), &System).await {
        true => Ok(()),
        false => Err(wrong(clear::WHY.to_owned())),
    }
}

impl ServerGiven {
    fn check(&self) -> Result<(), Refused> {
        if !is_server_id(&self.name) {
            return Err(Refused::invalid("/name", "a server's name is 1 to 40 of a-z, 0-9 and -"));
        }
        if self.title.chars().count() > 200 || self.title.chars().any(char::is_control) {
            return Err(Refused::invalid("/title", "a title has up to 200 characters, all on one line"));
        }
        let settings = &self.settings;
        if settings.calls_at_once.is_some_and(|calls| !(1..=MOST_CALLS).contains(&calls)) {
            return Err(Refused::invalid("/settings/calls_at_once", format!("it is from 1 to {MOST_CALLS}")));
        }
        if settings.list_bytes.is_some_and(|bytes| usize::try_from(bytes).ok().and_then(ListBytes::new).is_none()) {
            let (least, most) = (ListBytes::RANGE.start(), ListBytes::RANGE.end());
            return Err(Refused::invalid("/settings/list_bytes", format!("it is from {least} to {most}")));
        }
        let times = [
            ("connect_seconds", settings.connect_seconds),
            ("first_byte_seconds", settings.first_byte_seconds),
            ("idle_seconds", settings.idle_seconds),
        ];
        for (name, seconds) in times {
            if seconds.is_some_and(|seconds| !(1..=LONGEST).contains(&seconds)) {
                return Err(Refused::invalid(
                    format!("/settings/{name}"),
                    format!("it is from 1 to {LONGEST} seconds"),
                ));
            }
        }
        self.reach.check()
    }
}

impl Instance {
    /// The place of a server's secret.
    pub(crate) fn unseal(&self, server: &Server, sealed: &Sealed) -> Result<SecretString, Refused> {
        let (organisation, object) = (server.organisation.to_string(), server.id.to_string());
        let place = sealed_for(&organisation, &object, &sealed.field);
        let kept =
            sealed.sealed.parse().map_err(|error: vault::sealed::NotSealed| Refused::Vault(error.to_string()))?;
        let bytes = self.vault().open(&place, &kept).map_err(|error| Refused::Vault(error.to_string()))?;
        let text = std::str::from_utf8(bytes.expose_secret())
            .map_err(|_| Refused::Vault(format!("{place} is no text: set it anew")))?;
        Ok(SecretString::from(text))
    }

    fn seal(
        &self,
        organisation: Id,
        server: Id,
        secrets: &BTreeMap<String, Option<SecretString>>,
    ) -> Result<Vec<Sealed>, Refused> {
        let (organisation, object) = (organisation.to_string(), server.to_string());
        let given = secrets.iter().filter_map(|(field, value)| value.as_ref().map(|value| (field, value)));
        given
            .map(|(field, value)| {
                let place = sealed_for(&organisation, &object, field);
                let sealed = self.vault().seal(&place, value.expose_secret().as_bytes())?;
                Ok(Sealed { field: field.clone(), sealed: sealed.to_string() })
            })
            .collect()
    }

    /// Registers a server.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add_server(&self, actor: &Actor, given: &ServerGiven, reason: &str) -> Result<Id, Refused> {
        let permit = actor.permit::<ManageServers>()?;
        given.check()?;
        given.reach.permitted(actor)?;
        may_be_there(given, &self.egress).await?;
        let (kind, secrets) = given.reach.secrets();
        if let Some((name, _)) = secrets.iter().find(|(_, value)| value.is_none()) {
            let place = format!("/reach/{kind}/{}", policy::rule_id::escape(name));
            return Err(Refused::invalid(place, "a new server has no value that could be kept: give one"));
        }
        let policy = self.policy_id(actor, given.policy.as_deref()).await?;
        let reach = given.reach.kept();
        let draft =
            ServerDraft { name: &given.name, title: &given.title, reach: &reach, settings: &given.settings, policy };
        let seal = |server| self.seal(permit.organisation(), server, secrets);
        taken(self.database.add_server(permit, &draft, seal, reason).await, "/name", "another server has this name")
    }

    /// Writes a server anew, if it still is what it was at version `seen`. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change_server(
        &self,
        actor: &Actor,
        wanted: &str,
        seen: i64,
        given: &ServerGiven,
        reason: &str,
    ) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageServers>()?;
        let before = self.database.server(&actor.permit::<See>()?, wanted).await?;
        let server = before.id;
        given.check()?;
        given.reach.permitted(actor)?;
        may_be_there(given, &self.egress).await?;
        let (kind, secrets) = given.reach.secrets();
        if let Some((name, _)) = secrets.iter().find(|(_, value)| value.is_none())
            && !same_recipient(&before.reach, &given.reach)
        {
            // Who may say where a server is could else have its secrets sent to themselves.
            let place = format!("/reach/{kind}/{}", policy::rule_id::escape(name));
            let why = "this is another place than the value was given for: give the value again, for this one";
            return Err(Refused::invalid(place, why));
        }
        let there = self.database.secret_names(&actor.permit::<See>()?, server).await?;
        let unknown = |name: &String| !there.iter().any(|(there, _)| there == name);
        if let Some((name, _)) = secrets.iter().find(|(name, value)| value.is_none() && unknown(name)) {
            let place = format!("/reach/{kind}/{}", policy::rule_id::escape(name));
            return Err(Refused::invalid(place, "there is no value that could be kept: give one"));
        }
        let policy = self.policy_id(actor, given.policy.as_deref()).await?;
        let reach = given.reach.kept();
        let draft =
            ServerDraft { name: &given.name, title: &given.title, reach: &reach, settings: &given.settings, policy };
        let sealed = self.seal(permit.organisation(), server, secrets)?;
        let changed = self.database.change_server(permit, server, seen, &draft, &sealed, reason).await;
        taken(changed.map_err(Refused::from), "/name", "another server has this name")
    }

    /// Removes a server; grants for it alone are revoked, those for several lose it. Returns the version at which it holds.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn remove_server(&self, actor: &Actor, wanted: &str, reason: &str) -> Result<i64, Refused> {
        let permit = actor.permit::<ManageServers>()?;
        let server = self.database.server(&actor.permit::<See>()?, wanted).await?.id;
        Ok(self.database.remove_server(permit, server, reason).await?)
    }

    /// A policy of the organisation, by name or id.
    pub(crate) async fn policy_id(&self, actor: &Actor, name: Option<&str>) -> Result<Option<Id>, Refused> {
        match name {
            Some(name) => self.policy_at(actor, name, "/policy").await.map(Some),
            None => Ok(None),
        }
    }

    /// The same, named at a place.
    pub(crate) async fn policy_at(&self, actor: &Actor, name: &str, place: &str) -> Result<Id, Refused> {
        match self.database.policy(&actor.permit::<See>()?, name).await {
            Ok(policy) => Ok(policy.id),
            Err(BadControl::Missing(_)) => {
                Err(Refused::invalid(place, "there is no policy of this name: `policy list` names them"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether secrets go to whom they were given for: the same host by the same scheme and port, or a program of whoever may
/// run programs anyway.
fn same_recipient(before: &Reach, given: &ReachGiven) -> bool {
    match (before, given) {
        (Reach::Http { url: before, .. }, ReachGiven::Http { url, .. }) => {
            match (Endpoint::parse(before), Endpoint::parse(url)) {
                (Ok(before), Ok(given)) => {
                    let (before, given) = (before.uri(), given.uri());
                    before.scheme() == given.scheme() && before.authority() == given.authority()
                }
                _ => false,
            }
        }
        (Reach::Child { .. }, ReachGiven::Child { .. }) => true,
        _ => false,
    }
}

pub(crate) fn sealed_for<'a>(organisation: &'a str, object: &'a str, field: &'a str) -> Place<'a> {
    Place { organisation: Some(organisation), kind: "server", object, field }
}

/// Names the place of what must be the only one and is not.
pub(crate) fn taken<T>(result: Result<T, Refused>, place: &str, why: &str) -> Result<T, Refused> {
    match result {
        Err(Refused::Store(BadControl::Taken(_))) => Err(Refused::invalid(place, why)),
        other => other,
    }
}
