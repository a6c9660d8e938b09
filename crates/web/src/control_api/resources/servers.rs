//! Servers, with secrets that go in and never come out.

use std::collections::BTreeMap;

use control::servers::{ReachGiven, ServerGiven};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::control::access::See;
use store::control::servers::{Reach, Server, Settings, Transport};

use super::Secret;
use super::sessions::Made;
use crate::control_api::call::{Answered, Call, Done, List, Nothing, paged};

/// What a server is trusted with.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Settings")]
pub(crate) struct SettingsGiven {
    /// Whether it keeps every digit of a number; otherwise numbers are judged as binary64.
    exact_numbers: bool,
    /// Whether a denial names the operands that the rule compared.
    full_denials: bool,
    /// Whether its first list is accepted without a person, except tools with a finding at error level.
    accept_first: bool,
    /// Whether changes of nothing but spelling are accepted without a person.
    accept_cosmetic: bool,
    /// Whether it may be asked over http at a public address, where everybody on the way reads what is sent, credentials
    /// included.
    plain_http: bool,
    /// Calls that may be under way at once.
    #[schemars(range(min = 1, max = 10_000))]
    calls_at_once: Option<u32>,
    /// Seconds until a connection stands.
    #[schemars(range(min = 1, max = 86_400))]
    connect_seconds: Option<u32>,
    /// Seconds until an answer begins.
    #[schemars(range(min = 1, max = 86_400))]
    first_byte_seconds: Option<u32>,
    /// Seconds between two pieces of an answer.
    #[schemars(range(min = 1, max = 86_400))]
    idle_seconds: Option<u32>,
    /// Bytes that a list of it may have, all pages together; 8 MiB unless it is set.
    #[schemars(range(min = 1, max = 33_554_432))]
    list_bytes: Option<u32>,
}

impl From<SettingsGiven> for Settings {
    fn from(given: SettingsGiven) -> Self {
        let SettingsGiven { exact_numbers, full_denials, accept_first, accept_cosmetic, calls_at_once, .. } = given;
        let SettingsGiven { connect_seconds, first_byte_seconds, idle_seconds, list_bytes, plain_http, .. } = given;
        Settings {
            exact_numbers,
            full_denials,
            accept_first,
            accept_cosmetic,
            plain_http,
            calls_at_once,
            connect_seconds,
            first_byte_seconds,
            idle_seconds,
            list_bytes,
        }
    }
}

impl From<Settings> for SettingsGiven {
    fn from(kept: Settings) -> Self {
        let Settings { exact_numbers, full_denials, accept_first, accept_cosmetic, calls_at_once, .. } = kept;
        let Settings { connect_seconds, first_byte_seconds, idle_seconds, list_bytes, plain_http, .. } = kept;
        SettingsGiven {
            exact_numbers,
            full_denials,
            accept_first,
            accept_cosmetic,
            plain_http,
            calls_at_once,
            connect_seconds,
            first_byte_seconds,
            idle_seconds,
            list_bytes,
        }
    }
}

/// A transport that need not be found out.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Transport")]
pub(crate) enum TransportName {
    /// HTTP+SSE, the transport of 2024-11-05.
    Sse,
}

impl From<TransportName> for Transport {
    fn from(name: TransportName) -> Self {
        match name {
            TransportName::Sse => Transport::Sse,
        }
    }
}

impl From<Transport> for TransportName {
    fn from(kept: Transport) -> Self {
        match kept {
            Transport::Sse => TransportName::Sse,
        }
    }
}

/// How a server is reached. Values are secrets; null keeps the one that is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum NewReach {
    /// An endpoint.
    Http {
        /// Its address.
        #[schemars(length(min = 1, max = 2048))]
        url: String,
        /// Headers that it is sent.
        #[serde(default)]
        #[schemars(extend("maxProperties" = 100))]
        headers: BTreeMap<String, Option<Secret>>,
        /// How it is spoken to; null, and nothing, have it found out: Streamable HTTP, or HTTP+SSE.
        transport: Option<TransportName>,
    },
    /// A program that speaks on stdin and stdout.
    Child {
        /// The program and its arguments.
        #[schemars(length(min = 1, max = 1000))]
        command: Vec<String>,
        /// Variables that it is given.
        #[serde(default)]
        #[schemars(extend("maxProperties" = 1000))]
        env: BTreeMap<String, Option<Secret>>,
    },
}

fn secrets(given: BTreeMap<String, Option<Secret>>) -> BTreeMap<String, Option<SecretString>> {
    given.into_iter().map(|(name, value)| (name, value.map(|value| value.0))).collect()
}

impl From<NewReach> for ReachGiven {
    fn from(given: NewReach) -> Self {
        match given {
            NewReach::Http { url, headers, transport } => {
                ReachGiven::Http { url, headers: secrets(headers), transport: transport.map(Into::into) }
            }
            NewReach::Child { command, env } => ReachGiven::Child { command, env: secrets(env) },
        }
    }
}

/// A server as somebody describes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServer {
    /// Its name, as in `/mcp/NAME/`: 1 to 40 of a-z, 0-9 and -.
    #[schemars(length(min = 1, max = 40))]
    name: String,
    /// Its name for people.
    #[serde(default)]
    #[schemars(length(max = 200))]
    title: String,
    /// How it is reached.
    reach: NewReach,
    /// What it is trusted with.
    #[serde(default)]
    settings: SettingsGiven,
    /// The policy of grants that have none of their own, by name.
    policy: Option<String>,
    /// Why, for the admin events.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    reason: String,
}

impl NewServer {
    fn given(self) -> (ServerGiven, String) {
        let Self { name, title, reach, settings, policy, reason } = self;
        (ServerGiven { name, title, reach: reach.into(), settings: settings.into(), policy }, reason)
    }
}

/// How a server is reached, with the names of its secrets.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(rename = "Reach")]
pub(crate) enum ReachShown {
    /// An endpoint.
    Http {
        /// Its address.
        url: String,
        /// Names of the headers that it is sent.
        headers: Vec<String>,
        /// How it is spoken to; null where that is found out.
        transport: Option<TransportName>,
    },
    /// A program that speaks on stdin and stdout.
    Child {
        /// The program and its arguments.
        command: Vec<String>,
        /// Names of the variables that it is given.
        env: Vec<String>,
    },
}

/// A server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Server")]
pub(crate) struct ServerShown {
    id: String,
    name: String,
    title: String,
    reach: ReachShown,
    settings: SettingsGiven,
    /// The id of the policy of grants that have none of their own.
    policy: Option<String>,
    /// In milliseconds since 1970.
    created_at: i64,
}

fn show(server: Server) -> ServerShown {
    let reach = match server.reach {
        Reach::Http { url, headers, transport } => {
            ReachShown::Http { url, headers, transport: transport.map(Into::into) }
        }
        Reach::Child { command, env } => ReachShown::Child { command, env },
    };
    ServerShown {
        id: server.id.to_string(),
        name: server.name,
        title: server.title,
        reach,
        settings: server.settings.into(),
        policy: server.policy.map(|policy| policy.to_string()),
        created_at: server.created_at,
    }
}

pub(crate) async fn servers(call: Call) -> Answered<List<ServerShown>> {
    let page = call.page()?;
    let rows = call.database().servers(&call.permit::<See>()?, page).await?;
    Ok(paged(page, rows, |row| row.id, show))
}

pub(crate) async fn server(call: Call) -> Answered<ServerShown> {
    let server = call.database().server(&call.permit::<See>()?, call.path("server")?).await?;
    let changed = server.changed;
    Ok(Done::of(show(server)).tagged(changed))
}

pub(crate) async fn add(call: Call, new: NewServer) -> Answered<Made> {
    let (given, reason) = new.given();
    let id = call.api.instance.add_server(call.actor()?, &given, &reason).await?;
    let version = call.database().version().await?;
    Ok(Done::of(Made { id: id.to_string() }).holds(version))
}

pub(crate) async fn change(call: Call, new: NewServer) -> Answered<Nothing> {
    let (given, reason) = new.given();
    let (server, seen) = (call.path("server")?, call.seen()?);
    let version = call.api.instance.change_server(call.actor()?, server, seen, &given, &reason).await?;
    Ok(Done::of(Nothing {}).holds(version))
}

pub(crate) async fn remove(call: Call) -> Answered<Nothing> {
    let version = call.api.instance.remove_server(call.actor()?, call.path("server")?, call.reason()?).await?;
    Ok(Done::of(Nothing {}).holds(version))
}
