//! `toolgate.toml`: several servers, their policies, and labelled grants.
//!
//! The file holds no secret: tokens stand in it as digests, or as names of files and variables.

mod declared;
mod grants;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::gateway::Grants;
use gateway::http_front::{FrontConfig, WebOrigin};
use gateway::pins::{Acceptance, PinFiles};
use gateway::policy_file::PolicyCell;
use gateway::server::{Denials, Reach, ServerConfig, TimeLimits};
use gateway::tools::ListBytes;
use policy::{Class, Numbers};
use serde::Deserialize;
use store::control::servers::Transport;
use upstream::http::Endpoint;

use crate::args::{AcceptWord, DurabilityWord, ServeOptions, TlsOptions, TransportWord};
use crate::commands::serve::Plan;
use crate::environment::{Headers, command, data_dir, said_by};
use crate::failure::{Failure, Trying};
use crate::{env_file, listening, pins, policy_watch, retention};

use grants::{GrantTable, Granting, Served};

pub use declared::{
    Declared, DeclaredGrant, DeclaredLeads, DeclaredPolicy, DeclaredReach, DeclaredServer, Origin, TokenPlace,
};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    lock: Option<PathBuf>,
    durability: Option<DurabilityWord>,
    /// For how many days the audit log is kept; else for good.
    keep_days: Option<NonZeroU16>,
    #[serde(default)]
    allow_hosts: Vec<String>,
    #[serde(default)]
    allow_origins: Vec<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    behind_tls_proxy: Vec<IpAddr>,
    #[serde(default)]
    servers: BTreeMap<String, ServerTable>,
    #[serde(default)]
    grants: Vec<GrantTable>,
    /// Where the file lies: relative paths in it begin there.
    #[serde(skip)]
    base: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTable {
    url: Option<String>,
    transport: Option<TransportWord>,
    command: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    env_file: Option<PathBuf>,
    #[serde(default)]
    env_command: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    header_file: Option<PathBuf>,
    #[serde(default)]
    header_command: BTreeMap<String, Vec<String>>,
    policy: Option<PathBuf>,
    numbers: Option<NumbersWord>,
    denials: Option<DenialsWord>,
    #[serde(default)]
    class: HashMap<String, ClassWord>,
    calls_at_once: Option<usize>,
    accept: Option<AcceptWord>,
    #[serde(default)]
    accept_cosmetic: bool,
    #[serde(default)]
    plain_http: bool,
    connect_seconds: Option<u64>,
    first_byte_seconds: Option<u64>,
    idle_seconds: Option<u64>,
    list_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NumbersWord {
    Binary64,
    Exact,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DenialsWord {
    Plain,
    Full,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClassWord {
    Read,
    Write,
    Execute,
    Destructive,
    Financial,
    Unclassified,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).trying(format!("the configuration {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).trying(format!("the configuration {}", path.display()))?;
        config.base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(config)
    }

    /// Looks whether servers and policies can be used, and starts nothing.
    ///
    /// # Errors
    /// The first thing that cannot be used.
    pub fn check(&self) -> Result<(), Failure> {
        self.registered()?;
        let files =
            self.servers.values().map(|table| &table.policy).chain(self.grants.iter().map(|table| &table.policy));
        let of_stacks = self.grants.iter().flat_map(|table| table.policies.values());
        for file in files.flatten().chain(of_stacks) {
            policy_watch::load(&self.base.join(file))?;
        }
        listening::tls(&self.tls(&TlsOptions::default()))?;
        self.origins()?;
        Ok(())
    }

    /// The certificate and the key to listen with: those of the command line, or those of the file.
    fn tls(&self, given: &TlsOptions) -> TlsOptions {
        if given.certificate.is_some() || given.key.is_some() {
            return given.clone();
        }
        let beside = |file: &Option<PathBuf>| file.as_ref().map(|file| self.base.join(file));
        TlsOptions { certificate: beside(&self.tls_cert), key: beside(&self.tls_key) }
    }

    fn origins(&self) -> Result<Vec<WebOrigin>, Failure> {
        let origins = self.allow_origins.iter().map(|origin| WebOrigin::parse(origin));
        origins.collect::<Result<_, _>>().trying("allow_origins")
    }

    /// The servers. No program inherits a variable that holds the credentials of a server or a grant.
    fn registered(&self) -> Result<Vec<(&ServerTable, ServerConfig)>, Failure> {
        let mut hidden: BTreeSet<String> = self.grants.iter().filter_map(|table| table.token_env.clone()).collect();
        let mut tables = Vec::with_capacity(self.servers.len());
        for (id, table) in &self.servers {
            let headers = table.headers(&self.base).trying(format!("server {id}"))?;
            hidden.extend(headers.variables.iter().cloned());
            tables.push((id, table, headers));
        }
        let servers = tables.into_iter().map(|(id, table, headers)| {
            let config = table.server(id, &headers, &hidden, &self.base).trying(format!("server {id}"))?;
            Ok((table, config))
        });
        servers.collect()
    }

    /// Where the pins of its servers lie.
    ///
    /// # Errors
    /// When there is no place for data.
    pub fn pin_files(&self, lock: Option<&Path>, data: Option<&Path>) -> Result<PinFiles, Failure> {
        let data = match (data, &self.data) {
            (Some(dir), _) => dir.to_path_buf(),
            (None, Some(dir)) => self.base.join(dir),
            (None, None) => data_dir(None)?,
        };
        let lock = lock.map(Path::to_path_buf).or_else(|| self.lock.as_ref().map(|file| self.base.join(file)));
        Ok(PinFiles::new(&lock.unwrap_or_else(|| data.join(pins::LOCK)), &data))
    }

    /// The servers, to be asked for their tools and nothing else.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn servers(&self) -> Result<Vec<ServerConfig>, Failure> {
        Ok(self.registered()?.into_iter().map(|(_, config)| config).collect())
    }

    /// Turns the configuration into what is served. The command line's own words win.
    ///
    /// # Errors
    /// When servers, policies or grants cannot be used.
    pub fn plan(self, options: &ServeOptions) -> Result<Plan, Failure> {
        if self.servers.is_empty() {
            return Err(Failure::Usage("the configuration names no server: write [servers.NAME]".to_owned()));
        }
        let policies = Policies { base: self.base.clone(), cells: BTreeMap::new() };
        let mut servers = BTreeMap::new();
        let mut connect = Duration::ZERO;
        let mut pins = Vec::new();
        let files = self.pin_files(options.pins.lock.as_deref(), options.data.dir.as_deref())?;
        for (table, config) in self.registered()? {
            connect = connect.max(config.limits.connect);
            let acceptance = Acceptance {
                first_list: table.accept.or(options.pins.accept).unwrap_or_default() == AcceptWord::First,
                cosmetic: table.accept_cosmetic || options.pins.accept_cosmetic,
            };
            let server = pins::registered(config, files.clone(), acceptance)?;
            pins.push((server.id().to_owned(), Arc::clone(&server.pins)));
            let policy = table.policy.clone();
            servers.insert(server.id().to_owned(), Served { server, policy, bindings: BTreeMap::new() });
        }
        let mut granting = Granting { base: &self.base, policies, servers, labels: BTreeSet::new() };
        let mut tokens = Vec::new();
        let mut anonymous = Vec::new();
        let mut taken = HashSet::new();
        for table in &self.grants {
            let what = format!("grant {}", table.label);
            let lead = granting.lead(table).trying(&what)?;
            match table.digest(&self.base).trying(&what)? {
                // A set: looking through the list for each grant would take time with their square.
                Some(digest) if !taken.insert(digest) => {
                    return Err(Failure::Usage(format!(
                        "{what}: another grant has the same token; each needs its own"
                    )));
                }
                Some(digest) => tokens.push((digest, lead.clone())),
                None if table.anonymous => {}
                None => {
                    return Err(Failure::Usage(format!(
                        "{what}: give it token_digest, token_file or token_env (`toolgate grant new` makes a token)"
                    )));
                }
            }
            if table.anonymous {
                anonymous.push(lead);
            }
        }
        let Granting { policies, servers, .. } = granting;
        let stacked = self.grants.iter().any(GrantTable::is_stack);
        if let Some(label) = &options.anonymous {
            match tokens.iter().find(|(_, lead)| lead.label() == label) {
                Some((_, lead)) => anonymous.push(lead.clone()),
                None => return Err(Failure::Usage(format!("--anonymous={label}: there is no such grant"))),
            }
        }
        let (tls, origins) = (self.tls(&options.tls), self.origins()?);
        let hosts = self.allow_hosts.iter().chain(&options.allow_host);
        let front = FrontConfig {
            hosts: hosts.map(|host| host.to_ascii_lowercase()).collect(),
            proxies: self.behind_tls_proxy.iter().chain(&options.behind_tls_proxy).copied().collect(),
            origins: origins.into_iter().chain(options.allow_origin.iter().cloned()).collect(),
            anonymous: !anonymous.is_empty(),
            connections: options.connections.limits(),
            beside: None,
        };
        Ok(Plan {
            listen: options.listen.or(self.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8040))),
            grants: Grants::new(tokens, anonymous),
            policies: policies.cells.into_values().collect(),
            pins,
            front,
            tls,
            connect,
            paths: stacked
                .then(|| "/mcp/".to_owned())
                .into_iter()
                .chain(servers.keys().map(|id| format!("/mcp/{id}/")))
                .collect(),
            data: options.data.dir.clone().or_else(|| self.data.map(|dir| self.base.join(dir))),
            durability: options.durability.or(self.durability).unwrap_or_default().into(),
            keep: options.keep_days.or(self.keep_days.map(|days| days.get().into())).map(retention::days),
            fresh: None,
        })
    }
}

/// Policies by file: one that several grants name is read and watched once.
struct Policies {
    base: PathBuf,
    cells: BTreeMap<PathBuf, (Arc<PolicyCell>, Vec<String>)>,
}

impl Policies {
    fn get(&mut self, file: &Path, server: &str) -> Result<Arc<PolicyCell>, Failure> {
        let path = self.base.join(file);
        if !self.cells.contains_key(&path) {
            let cell = policy_watch::load(&path)?;
            self.cells.insert(path.clone(), (cell, Vec::new()));
        }
        match self.cells.get_mut(&path) {
            Some((cell, servers)) => {
                if !servers.iter().any(|id| id == server) {
                    servers.push(server.to_owned());
                }
                Ok(Arc::clone(cell))
            }
            None => Err(Failure::Usage(format!("{} cannot be used", path.display()))),
        }
    }
}

impl ServerTable {
    fn headers(&self, base: &Path) -> Result<Headers, Failure> {
        let mut headers = Headers::default();
        for (name, value) in &self.headers {
            headers.add(&format!("{name}: {value}"))?;
        }
        if let Some(file) = &self.header_file {
            headers.add_file(&base.join(file))?;
        }
        for (name, words) in &self.header_command {
            let value = said_by(words, base).trying(format!("header_command.{name}"))?;
            headers.headers.push((name.clone(), value));
        }
        Ok(headers)
    }

    fn server(
        &self,
        id: &str,
        headers: &Headers,
        hidden: &BTreeSet<String>,
        base: &Path,
    ) -> Result<ServerConfig, String> {
        if !gateway::server::is_server_id(id) {
            return Err("a server's name is 1 to 40 of a-z, 0-9 and -".to_owned());
        }
        let reach = match (&self.url, &self.command) {
            (Some(url), None) => {
                let mut endpoint = Endpoint::parse(url).map_err(|error| error.to_string())?;
                if !self.plain_http && upstream::clear::by_name(endpoint.uri()) {
                    return Err(format!("url: {}", upstream::clear::WHY));
                }
                headers.apply(&mut endpoint).map_err(|failure| failure.to_string())?;
                match self.transport.and_then(TransportWord::said) {
                    Some(Transport::Sse) => Reach::Sse(endpoint),
                    None => Reach::Http(endpoint),
                }
            }
            (None, Some(_)) if self.transport.and_then(TransportWord::said).is_some() => {
                return Err("`transport` is for a `url`".to_owned());
            }
            (None, Some(_)) if !headers.headers.is_empty() => {
                return Err(
                    "`headers`, `header_file` and `header_command` are for a `url`; a program gets its secrets by `env`, `env_file` or `env_command`".to_owned()
                );
            }
            (None, Some(words)) => {
                let words: Vec<OsString> = words.iter().map(OsString::from).collect();
                let mut env = Vec::new();
                for (name, value) in &self.env {
                    let (value, _) =
                        crate::environment::expand(value).map_err(|error| format!("env.{name}: {error}"))?;
                    env.push((OsString::from(name), OsString::from(value)));
                }
                if let Some(file) = &self.env_file {
                    let variables = env_file::read(&base.join(file)).map_err(|why| format!("env_file: {why}"))?;
                    env.extend(variables.iter().map(|(name, value)| (name.into(), value.expose().into())));
                }
                for (name, words) in &self.env_command {
                    let value = said_by(words, base).map_err(|why| format!("env_command.{name}: {why}"))?;
                    env.push((OsString::from(name), OsString::from(value.expose())));
                }
                Reach::Child(command(&words, env, hidden).map_err(|failure| failure.to_string())?)
            }
            _ => return Err("give it either `url` or `command`".to_owned()),
        };
        let list_bytes = match self.list_bytes {
            None => ListBytes::default(),
            Some(given) => usize::try_from(given).ok().and_then(ListBytes::new).ok_or_else(|| {
                let (least, most) = (ListBytes::RANGE.start(), ListBytes::RANGE.end());
                format!("list_bytes is from {least} to {most}, and not {given}")
            })?,
        };
        let default = TimeLimits::default();
        let seconds = |given: Option<u64>, default: Duration| given.map_or(default, Duration::from_secs);
        Ok(ServerConfig {
            id: id.to_owned(),
            reach,
            numbers: match self.numbers {
                Some(NumbersWord::Exact) => Numbers::Exact,
                Some(NumbersWord::Binary64) | None => Numbers::Binary64,
            },
            denials: match self.denials {
                Some(DenialsWord::Full) => Denials::Full,
                Some(DenialsWord::Plain) | None => Denials::Plain,
            },
            classes: self.class.iter().map(|(tool, class)| (tool.clone(), class.class())).collect(),
            limits: TimeLimits {
                connect: seconds(self.connect_seconds, default.connect),
                first_byte: seconds(self.first_byte_seconds, default.first_byte),
                idle: seconds(self.idle_seconds, default.idle),
            },
            calls_at_once: self.calls_at_once,
            list_bytes,
        })
    }
}

impl ClassWord {
    fn class(self) -> Class {
        match self {
            Self::Read => Class::Read,
            Self::Write => Class::Write,
            Self::Execute => Class::Execute,
            Self::Destructive => Class::Destructive,
            Self::Financial => Class::Financial,
            Self::Unclassified => Class::Unclassified,
        }
    }
}
