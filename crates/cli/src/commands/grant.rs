//! `toolgate grant`: tokens for toolgate.toml, and the grants of an instance.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::access::patched;
use crate::api::shown::{self, text, time_or};
use crate::api::{self, Api, encoded, grant_of};
use crate::args::{GrantCommand, GrantSetOptions, MintOptions};
use crate::failure::Failure;
use crate::output::{say, tell};
use crate::token::Token;
use crate::when::ahead;

/// Runs a command about grants.
pub fn grant(command: &GrantCommand) -> Result<ExitCode, Failure> {
    match command {
        GrantCommand::New { json } => new(*json)?,
        GrantCommand::List { server, unused, api } => {
            let asked = api::api(&api.place)?;
            let path = match (server, unused) {
                (Some(server), _) => format!("/api/v1/grants?server={}", encoded(server)),
                (None, Some(days)) => format!("/api/v1/grants?unused={days}"),
                (None, None) => "/api/v1/grants".to_owned(),
            };
            let all = asked.pages(&path)?;
            let none = match unused {
                Some(days) => format!("There is no grant that nobody has used for {days} days."),
                None => "There is no grant.".to_owned(),
            };
            let names = if api.json { Names::default() } else { Names::read(&asked)? };
            let head = ["GRANT", "SERVERS", "AGENT", "POLICY", "OWNER", "USED", "ENDS", "ID"];
            shown::list(all, api.json, &head, |one| names.row(one), &none)?;
        }
        GrantCommand::Show { grant, api } => {
            let asked = api::api(&api.place)?;
            let found = asked.get(&path(&asked, grant)?)?.body;
            shown::document(&found)?;
        }
        GrantCommand::Mint(options) => mint(options)?,
        GrantCommand::Set(options) => set(options)?,
        GrantCommand::Attach { grant, policy, server_policy: _, at, why, api } => {
            let asked = api::api(&api.place)?;
            let body = json!({ "policy": policy, "server": at, "reason": why.reason });
            let done = asked.post(&format!("{}/attach", path(&asked, grant)?), &body)?.body;
            let policy = policy.as_deref().unwrap_or("the policy of its server");
            let at = at.as_ref().map(|server| format!(" at {server}")).unwrap_or_default();
            shown::done(&done, api.json, &format!("{grant} is under {policy}{at}."))?;
        }
        GrantCommand::Rotate { grant, overlap, why, api } => {
            let asked = api::api(&api.place)?;
            let body = json!({ "overlap_seconds": overlap, "reason": why.reason });
            let made = asked.post(&format!("{}/rotate", path(&asked, grant)?), &body)?.body;
            let old = match overlap {
                0 => "the old one is refused from now on".to_owned(),
                seconds => format!("the old one goes on for {seconds} seconds"),
            };
            shown::token(&made, api.json, &format!("the new token of {grant}, shown this once; {old}:"))?;
        }
        GrantCommand::Revoke { grant, why, api } => {
            let asked = api::api(&api.place)?;
            let done = asked.remove(&path(&asked, grant)?, &why.reason)?.body;
            shown::done(&done, api.json, &format!("{grant} is revoked."))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a token. It is not kept anywhere.
fn new(json: bool) -> Result<(), Failure> {
    let token = Token::fresh()?;
    if json {
        return say!("{}", json!({ "token": token.reveal(), "digest": token.digest().to_string() }));
    }
    say!("token   {}", token.reveal())?;
    say!("digest  {}", token.digest())?;
    tell!("Give the token to the agent, and the digest to toolgate.toml as `token_digest`.");
    Ok(())
}

fn path(api: &Api, grant: &str) -> Result<String, Failure> {
    Ok(format!("/api/v1/grants/{}", grant_of(api, grant)?))
}

fn mint(options: &MintOptions) -> Result<(), Failure> {
    let mut body = Map::new();
    let label = match (options.grant.split_once('/'), options.server.as_slice()) {
        (Some((server, label)), []) => {
            body.insert("server".to_owned(), json!(server));
            label
        }
        (None, []) => {
            let how = "write the server and the grant's label as SERVER/LABEL, or name several with --server";
            return Err(Failure::Usage(how.to_owned()));
        }
        (named, servers) => {
            body.insert("servers".to_owned(), json!(servers));
            body.insert("policies".to_owned(), json!(pairs(&options.policy_at, POLICY_AT)?));
            body.insert("unprefixed".to_owned(), json!(options.unprefixed));
            body.insert("search".to_owned(), json!(options.search));
            match named {
                None => &options.grant,
                Some((server, label)) if servers.iter().any(|one| one == server) => label,
                Some(_) => {
                    let how =
                        "with --server write its label alone, without `/`: it is known as SERVER/LABEL at each server";
                    return Err(Failure::Usage(format!("{}: {how}", audit::visible::word(&options.grant))));
                }
            }
        }
    };
    let known = match options.server.first() {
        Some(first) => format!("{first}/{label}"),
        None => options.grant.clone(),
    };
    body.insert("label".to_owned(), json!(label));
    body.insert("agent".to_owned(), json!(options.agent));
    for (name, value) in [("policy", &options.policy), ("owner", &options.owner)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    body.insert("tags".to_owned(), json!(pairs(&options.tag, TAG)?));
    body.insert("networks".to_owned(), json!(options.network));
    if let Some(expires) = &options.expires {
        body.insert("expires_at".to_owned(), json!(ahead(expires)?));
    }
    body.insert("reason".to_owned(), json!(options.why.reason));
    let made = api::api(&options.api.place)?.post("/api/v1/grants", &Value::Object(body))?.body;
    let ends = match &options.expires {
        Some(_) => "",
        None => "; it never ends (--expires says otherwise)",
    };
    shown::token(&made, options.api.json, &format!("the token of {known}, shown this once{ends}:"))
}

fn set(options: &GrantSetOptions) -> Result<(), Failure> {
    let mut body = Map::new();
    if let Some(owner) = &options.owner {
        body.insert(
            "owner".to_owned(),
            Some(owner).filter(|owner| !owner.is_empty()).map_or(Value::Null, |it| json!(it)),
        );
    }
    if options.no_tags || !options.tag.is_empty() {
        body.insert("tags".to_owned(), json!(pairs(&options.tag, TAG)?));
    }
    if options.anywhere || !options.network.is_empty() {
        body.insert("networks".to_owned(), json!(options.network));
    }
    if let Some(expires) = &options.expires {
        let at = if expires == "never" { Value::Null } else { json!(ahead(expires)?) };
        body.insert("expires_at".to_owned(), at);
    }
    if !options.server.is_empty() {
        body.insert("servers".to_owned(), json!(options.server));
    }
    if let Some(policy) = &options.policy {
        body.insert("policy".to_owned(), json!(Some(policy).filter(|policy| !policy.is_empty())));
    }
    if !options.policy_at.is_empty() {
        let at = pairs(&options.policy_at, POLICY_AT)?;
        let at: BTreeMap<&str, Option<&str>> =
            at.into_iter().map(|(server, policy)| (server, Some(policy).filter(|policy| !policy.is_empty()))).collect();
        body.insert("policies".to_owned(), json!(at));
    }
    if options.all_prefixed || !options.unprefixed.is_empty() {
        body.insert("unprefixed".to_owned(), json!(options.unprefixed));
    }
    if let Some(search) = options.search {
        body.insert("search".to_owned(), json!(search));
    }
    if body.is_empty() {
        return Err(Failure::Usage(
            "say what is to change: --owner, --tag, --network, --expires, --policy, --server".to_owned(),
        ));
    }
    body.insert("reason".to_owned(), json!(options.why.reason));
    let api = api::api(&options.api.place)?;
    let done = patched(&api, &path(&api, &options.grant)?, &Value::Object(body))?;
    shown::done(&done, options.api.json, &format!("{} is changed.", options.grant))
}

/// How a policy at one server is written.
const POLICY_AT: &str = "--policy-at is written SERVER=POLICY";

/// How a tag is written.
const TAG: &str = "--tag is written NAME=VALUE";

fn pairs<'a>(words: &'a [String], how: &str) -> Result<BTreeMap<&'a str, &'a str>, Failure> {
    let mut pairs = BTreeMap::new();
    for word in words {
        let parts = word.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = parts.ok_or_else(|| Failure::Usage(how.to_owned()))?;
        if pairs.insert(name, value).is_some() {
            return Err(Failure::Usage(format!("{how}, once for each: {name} is there twice")));
        }
    }
    Ok(pairs)
}

/// So many policies on single servers are named in a list.
const MOST_NAMED: usize = 3;

/// What ids stand for.
#[derive(Default)]
struct Names {
    servers: BTreeMap<String, String>,
    agents: BTreeMap<String, String>,
    policies: BTreeMap<String, String>,
}

impl Names {
    fn read(api: &Api) -> Result<Self, Failure> {
        let names = |path: &str| -> Result<BTreeMap<String, String>, Failure> {
            let all = api.pages(path)?;
            Ok(all.iter().map(|one| (text(one, "id").to_owned(), text(one, "name").to_owned())).collect())
        };
        let (servers, agents) = (names("/api/v1/servers")?, names("/api/v1/agents")?);
        Ok(Self { servers, agents, policies: names("/api/v1/policies")? })
    }

    /// Its policy, and those on single servers.
    fn policy(&self, grant: &Value) -> String {
        let name = |names: &BTreeMap<String, String>, id: &str| names.get(id).map_or(id, String::as_str).to_owned();
        let policies = grant.get("policies").and_then(Value::as_object);
        let own = policies.into_iter().flatten().filter_map(|(server, policy)| Some((server, policy.as_str()?)));
        let mut own: Vec<String> = own
            .map(|(server, policy)| format!("{}: {}", name(&self.servers, server), name(&self.policies, policy)))
            .collect();
        own.sort_unstable();
        let servers = grant.get("servers").and_then(Value::as_array).map_or(0, Vec::len);
        let others = match text(grant, "policy") {
            _ if own.len() == servers && servers > 0 => None,
            "" => Some("of its server".to_owned()),
            policy => Some(name(&self.policies, policy)),
        };
        let more = own.len().saturating_sub(MOST_NAMED);
        own.truncate(MOST_NAMED);
        own.extend((more > 0).then(|| format!("and {more} more")));
        others.into_iter().chain(own).collect::<Vec<_>>().join(", ")
    }

    fn row(&self, grant: &Value) -> Vec<String> {
        let name = |names: &BTreeMap<String, String>, id: &str| names.get(id).map_or(id, String::as_str).to_owned();
        let servers = grant.get("servers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let servers: Vec<String> = servers.map(|id| name(&self.servers, id)).collect();
        // It is known by its label at any of its servers.
        let first = servers.first().map_or("", String::as_str);
        vec![
            format!("{first}/{}", text(grant, "label")),
            servers.join(", "),
            name(&self.agents, text(grant, "agent")),
            self.policy(grant),
            text(grant, "owner").to_owned(),
            time_or(grant, "used_at", "never"),
            time_or(grant, "expires_at", "never"),
            text(grant, "id").to_owned(),
        ]
    }
}
