//! The grants of a `toolgate.toml`: for one server, or for several that are offered as one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::grant::{Binding, Grant, Lead, TokenDigest};
use gateway::server::Server;
use gateway::stack::{Member, Stack};
use gateway::terms::{Switch, Terms};
use jiff::Timestamp;
use policy::GrantFacts;
use policy::text::cidr::Block;
use serde::Deserialize;

use super::Policies;
use crate::failure::Failure;
use crate::token::Token;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantTable {
    pub(super) label: String,
    /// The server that it is for.
    pub(super) server: Option<String>,
    /// Or those that it is for together, at `/mcp/`.
    #[serde(default)]
    pub(super) servers: Vec<String>,
    /// Of these, the ones whose tools keep their own names where no other has the same.
    #[serde(default)]
    pub(super) unprefixed: Vec<String>,
    /// Whether tools are found by searching instead of listing them all.
    #[serde(default)]
    pub(super) search: bool,
    /// Who holds it; else an agent of its label.
    pub(super) agent: Option<String>,
    pub(super) policy: Option<PathBuf>,
    /// Policies on single servers of several.
    #[serde(default)]
    pub(super) policies: BTreeMap<String, PathBuf>,
    token_digest: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) token_env: Option<String>,
    #[serde(default)]
    pub(super) anonymous: bool,
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// Networks from which it may be used; none means from anywhere.
    #[serde(default)]
    pub(super) networks: Vec<String>,
    /// From when on it is refused.
    pub(super) expires_at: Option<Timestamp>,
}

/// A server of the file, and what grants have made of it so far.
pub(super) struct Served {
    pub(super) server: Arc<Server>,
    pub(super) policy: Option<PathBuf>,
    /// By file of the policy.
    pub(super) bindings: BTreeMap<PathBuf, Arc<Binding>>,
}

/// Makes grants of tables.
pub(super) struct Granting<'a> {
    pub(super) base: &'a Path,
    pub(super) policies: Policies,
    pub(super) servers: BTreeMap<String, Served>,
    /// Which server has a grant of which label.
    pub(super) labels: BTreeSet<(String, String)>,
}

impl GrantTable {
    /// Whether it is for several servers.
    pub(super) fn is_stack(&self) -> bool {
        self.server.is_none()
    }

    /// The servers that it is for.
    pub(super) fn reaches(&self) -> Result<Vec<&str>, String> {
        let stack_only = [
            (!self.policies.is_empty(), "policies"),
            (!self.unprefixed.is_empty(), "unprefixed"),
            (self.search, "search"),
        ];
        match (&self.server, self.servers.as_slice()) {
            (Some(_), [_, ..]) => Err("give it either `server` or `servers`".to_owned()),
            (None, []) => Err("give it a `server`, or several as `servers = [\"…\", \"…\"]`".to_owned()),
            (Some(server), []) => match stack_only.iter().find(|(given, _)| *given) {
                Some((_, name)) => Err(format!("`{name}` is for a grant with `servers`")),
                None => Ok(vec![server]),
            },
            (None, servers) => {
                let mut known = BTreeSet::new();
                if let Some(twice) = servers.iter().find(|server| !known.insert(server.as_str())) {
                    return Err(format!("servers: {twice} is named twice"));
                }
                let named = [("unprefixed", self.unprefixed.iter().collect::<Vec<_>>())];
                let named = named.into_iter().chain([("policies", self.policies.keys().collect())]);
                for (field, named) in named {
                    if let Some(other) = named.iter().find(|server| !known.contains(server.as_str())) {
                        return Err(format!("{field}: {other} is none of its servers"));
                    }
                }
                Ok(servers.iter().map(String::as_str).collect())
            }
        }
    }

    /// The policy on one of its servers, if the file says one for this grant.
    pub(super) fn policy_on(&self, server: &str) -> Option<&PathBuf> {
        self.policies.get(server).or(self.policy.as_ref())
    }

    fn facts(&self) -> GrantFacts {
        GrantFacts {
            label: self.label.clone(),
            agent_label: self.agent.clone().unwrap_or_else(|| self.label.clone()),
            owner: self.owner.clone(),
            tags: self.tags.clone(),
        }
    }

    /// From where and until when it may be used on a server, where the file says so.
    fn terms(&self, server: &str) -> Result<Option<Terms>, String> {
        if self.networks.is_empty() && self.expires_at.is_none() {
            return Ok(None);
        }
        let networks: Result<Vec<Block>, String> = self.networks.iter().map(|text| Block::parse(text)).collect();
        // What it has used counts on, whether or not the file says so.
        Ok(Some(Terms {
            id: format!("{server}/{}", self.label),
            counted: format!("{server}/{}", self.label),
            // No server is called `+`: it stands for all that a policy spans.
            spanned: format!("+/{}", self.label),
            server: server.to_owned(),
            agent: self.agent.clone().unwrap_or_else(|| self.label.clone()),
            policy: None,
            networks: networks.map_err(|why| format!("networks: {why}"))?,
            expires_at: self.expires_at,
            switch: Arc::new(Switch::default()),
            used: Arc::default(),
        }))
    }

    pub(super) fn digest(&self, base: &Path) -> Result<Option<TokenDigest>, String> {
        let given = [self.token_digest.is_some(), self.token_file.is_some(), self.token_env.is_some()];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err("give it one of token_digest, token_file and token_env".to_owned());
        }
        let digest = if let Some(text) = &self.token_digest {
            let wrong =
                || "token_digest is `sha256:` and 64 hexadecimal digits, as `toolgate grant new` prints it".to_owned();
            Some(TokenDigest::parse(text).ok_or_else(wrong)?)
        } else if let Some(path) = &self.token_file {
            Some(Token::from_file(&base.join(path)).map_err(|failure| failure.to_string())?.digest())
        } else if let Some(name) = &self.token_env {
            match Token::from_variable(name).map_err(|failure| failure.to_string())? {
                Some(token) => Some(token.digest()),
                None => return Err(format!("the environment variable `{name}` is not set")),
            }
        } else {
            None
        };
        Ok(digest)
    }
}

impl Granting<'_> {
    /// What the token of a table leads to.
    pub(super) fn lead(&mut self, table: &GrantTable) -> Result<Lead, Failure> {
        let usage = Failure::Usage;
        let reaches = table.reaches().map_err(usage)?;
        let mut members = Vec::with_capacity(reaches.len());
        for id in &reaches {
            if !self.labels.insert(((*id).to_owned(), table.label.clone())) {
                return Err(usage(format!("two grants of server {id} have this label")));
            }
            let binding = self.binding(table, id, &reaches)?;
            let terms = table.terms(id).map_err(usage)?;
            let grant = Arc::new(Grant { terms, ..Grant::local(table.facts(), binding) });
            members.push(Member { grant, unprefixed: table.unprefixed.iter().any(|server| server == id) });
        }
        match members.pop() {
            Some(only) if !table.is_stack() => Ok(Lead::Server(only.grant)),
            last => Ok(Lead::Stack(Stack::new(members.into_iter().chain(last).collect(), table.search))),
        }
    }

    /// A server under the policy that the grant has there.
    fn binding(&mut self, table: &GrantTable, id: &str, reaches: &[&str]) -> Result<Arc<Binding>, Failure> {
        let Some(served) = self.servers.get_mut(id) else {
            return Err(Failure::Usage(format!("there is no [servers.{id}]")));
        };
        let file = table.policy_on(id).or(served.policy.as_ref()).cloned();
        let Some(file) = file else { return Ok(Binding::new(Arc::clone(&served.server), None)) };
        let cell = self.policies.get(&file, id)?;
        // A policy for several servers that leaves one of them out is a mistake, and so is one for a single server that
        // stands for several: its patterns would mean the same names on each.
        let name = self.base.join(&file);
        match cell.now().policy.servers() {
            Some(spanned) if !spanned.iter().any(|server| **server == *id) => {
                return Err(Failure::Usage(format!("{}: `servers` does not name {id}", name.display())));
            }
            None if reaches.len() > 1 && !table.policies.contains_key(id) && table.policy.is_some() => {
                return Err(Failure::Usage(format!(
                    "{}: a policy for several servers names them, as `\"servers\": [{}]`; policies for single servers stand in `policies`",
                    name.display(),
                    reaches.iter().map(|server| format!("\"{server}\"")).collect::<Vec<_>>().join(", "),
                )));
            }
            _ => {}
        }
        let made = || Binding::new(Arc::clone(&served.server), Some(cell));
        Ok(Arc::clone(served.bindings.entry(file).or_insert_with(made)))
    }
}
