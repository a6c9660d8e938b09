//! Servers as a replica reaches them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use gateway::pins::Pinning;
use gateway::server::{Denials, Reach, Server, ServerConfig, TimeLimits};
use gateway::tools::ListBytes;
use policy::{Class, Numbers};
use risk::pins::{Pin, Section};
use secrecy::ExposeSecret;
use store::control::live::LiveServer;
use store::control::pins::Pinned;
use store::control::servers::{Reach as Kept, ToolOverride, Transport};
use upstream::child::Command;
use upstream::http::Endpoint;

use super::state::State;
use crate::Refused;

/// A server, as far as it can be reached.
pub(super) struct Reached {
    /// `None` where it cannot be reached.
    pub(super) server: Option<Arc<Server>>,
    /// Why it cannot be reached: a sentence for agents.
    pub(super) broken: Option<String>,
    /// The policy of grants that have none of their own.
    pub(super) policy: Option<audit::Id>,
    /// As it was read, without its pins: what is the same goes on as it is, with what is known of its tools.
    pub(super) form: LiveServer,
}

impl State {
    pub(super) fn server(&mut self, mut live: LiveServer) {
        let (id, policy) = (live.server.id, live.server.policy);
        let section = section(&std::mem::take(&mut live.pins));
        if live.server.gone_at.is_some() {
            self.servers.remove(&id);
            return;
        }
        if let Some(reached) = self.servers.get_mut(&id)
            && let Some(server) = &reached.server
            && same(&reached.form, &live)
        {
            server.pins.follow(section);
            reached.policy = policy;
            return;
        }
        let reached = match self.config(&live) {
            Ok(config) => {
                let server = Server::pinned(config, Pinning::followed(section));
                Reached { server: Some(server), broken: None, policy, form: live }
            }
            Err(why) => {
                let name = &live.server.name;
                (self.tell)(&format!("server {name} cannot be reached: {why}"));
                let broken = format!("The gateway cannot reach {name}: its operator has been told why.");
                Reached { server: None, broken: Some(broken), policy, form: live }
            }
        };
        self.servers.insert(id, reached);
    }

    fn config(&self, live: &LiveServer) -> Result<ServerConfig, Refused> {
        let settings = &live.server.settings;
        let mut secrets = HashMap::new();
        for sealed in &live.sealed {
            secrets.insert(sealed.field.as_str(), self.instance.unseal(&live.server, sealed)?);
        }
        let secret = |name: &String| {
            let missing = || Refused::Vault(format!("the value of {name} is not there: set it anew"));
            secrets.get(name.as_str()).ok_or_else(missing)
        };
        let reach = match &live.server.reach {
            Kept::Http { url, headers, transport } => {
                let wrong = |error: upstream::http::BadEndpoint| Refused::invalid("/reach", error.to_string());
                let mut endpoint = Endpoint::parse(url).map_err(wrong)?.within(self.instance.egress.clone());
                if !settings.plain_http {
                    endpoint = endpoint.never_in_clear();
                }
                for name in headers {
                    endpoint.add_header(name, secret(name)?.expose_secret()).map_err(wrong)?;
                }
                match transport {
                    Some(Transport::Sse) => Reach::Sse(endpoint),
                    None => Reach::Http(endpoint),
                }
            }
            Kept::Child { command, env } => {
                let Some((program, args)) = command.split_first() else {
                    return Err(Refused::invalid("/reach/command", "no program is named"));
                };
                let mut variables = Vec::new();
                for name in env {
                    variables.push((OsString::from(name), OsString::from(secret(name)?.expose_secret())));
                }
                Reach::Child(Command {
                    program: OsString::from(program),
                    args: args.iter().map(OsString::from).collect(),
                    env: variables,
                    env_remove: self.hidden.clone(),
                    cwd: None,
                })
            }
        };
        let default = TimeLimits::default();
        let seconds = |given: Option<u32>, default| given.map_or(default, |given| Duration::from_secs(given.into()));
        Ok(ServerConfig {
            id: live.server.name.clone(),
            reach,
            numbers: if settings.exact_numbers { Numbers::Exact } else { Numbers::Binary64 },
            denials: if settings.full_denials { Denials::Full } else { Denials::Plain },
            classes: live.overrides.iter().filter_map(class).collect(),
            limits: TimeLimits {
                connect: seconds(settings.connect_seconds, default.connect),
                first_byte: seconds(settings.first_byte_seconds, default.first_byte),
                idle: seconds(settings.idle_seconds, default.idle),
            },
            calls_at_once: settings.calls_at_once.and_then(|calls| usize::try_from(calls).ok()),
            list_bytes: settings
                .list_bytes
                .and_then(|bytes| ListBytes::new(usize::try_from(bytes).ok()?))
                .unwrap_or_default(),
        })
    }
}

fn class(said: &ToolOverride) -> Option<(String, Class)> {
    Some((said.tool.clone(), said.class.as_deref()?.parse().ok()?))
}

/// Whether nothing differs that a running server was made from.
fn same(one: &LiveServer, other: &LiveServer) -> bool {
    let (was, is) = (&one.server, &other.server);
    (&was.name, &was.reach, &was.settings) == (&is.name, &is.reach, &is.settings)
        && one.sealed == other.sealed
        && one.overrides == other.overrides
}

/// What is accepted; `None` where nothing is yet.
fn section(pins: &[Pinned]) -> Option<Section> {
    if pins.is_empty() {
        return None;
    }
    let pin = |pinned: &Pinned| {
        let pin: Pin = serde_json::from_value(pinned.accepted.clone()?).ok()?;
        Some((pinned.tool.clone(), pin))
    };
    // What cannot be read is not accepted.
    Some(pins.iter().filter_map(pin).collect())
}
