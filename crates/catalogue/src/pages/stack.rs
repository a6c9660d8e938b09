//! Several servers as one stack: everything that agents could call with them, and what one server's tools
//! make possible with another's.

mod bundle;
mod documents;
mod flows;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use policy::Class;
use risk::patterns::Member as Playing;
use risk::recommend::Temper;
use risk::{Facet, Severity};
use serde::Serialize;
use serde_json::Value;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

pub use self::bundle::Way;
pub use self::flows::{Alike, Flow, Named, Step, Who};
use super::known::{Known, known};
use super::recommended::Recommended;
use super::server::Row;
use super::summary::{self, ToolLine};
use crate::address::{encoded, server_path};

/// The most servers of a stack.
pub const SERVERS: usize = 24;

/// The most tools of a stack.
pub const TOOLS: usize = 2000;

/// Tools of one page: fewer than elsewhere, for much else stands beside them.
pub const ROWS: usize = 60;

/// The bytes of a definition that are taken for one token.
const BYTES_OF_A_TOKEN: usize = 4;

/// Servers that agents use together.
#[derive(Debug, Clone)]
pub struct Stack {
    members: Vec<Member>,
    /// Servers beyond the most.
    left_out: usize,
    /// Tools beyond the most.
    cut: usize,
}

/// A server of a stack.
#[derive(Debug, Clone)]
struct Member {
    server: Server,
    /// What it is called here: its name, or its slug where another has the same name.
    label: String,
    /// Its name in `toolgate.toml`, and of its policy.
    id: String,
    tools: Vec<Known>,
}

/// The page of a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackPage {
    /// The path of this page, with the servers.
    pub path: String,
    /// The servers, as the query names them: slugs, joined by commas.
    pub query: String,
    /// How strict the policies are.
    pub temper: &'static str,
    /// What agents could do with it, in a sentence.
    pub verdict: String,
    /// The servers, in the order given.
    pub servers: Vec<ServerRow>,
    /// Servers beyond the most, which are not looked at.
    pub servers_left_out: usize,
    /// Tools beyond the most, which are not looked at.
    pub tools_left_out: usize,
    /// How many tools there are.
    pub total: usize,
    /// How many of each class.
    pub classes: BTreeMap<&'static str, usize>,
    /// How many of each severity.
    pub severities: BTreeMap<&'static str, usize>,
    /// How many with each facet.
    pub facets: BTreeMap<&'static str, usize>,
    /// What all definitions cost before any is used, in tokens: an estimate, four bytes of canonical JSON for one.
    pub tokens: usize,
    /// Which page of the tools this is, from 1.
    pub page: usize,
    /// The tools, the riskiest first.
    pub tools: Vec<Row>,
    /// What tools of several servers could do together, the worst first.
    pub flows: Vec<Flow>,
    /// Names that are taken for each other, and texts that speak of another server's tools.
    pub alike: Vec<Alike>,
    /// The stack for `toolgate serve --config`.
    pub config: String,
}

/// A server of a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerRow {
    /// What it is called here.
    pub name: String,
    /// The name in addresses and on the command line.
    pub slug: String,
    /// The path of its page.
    pub path: String,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Its name in `toolgate.toml`, and of its policy.
    pub id: String,
    /// How many tools it has.
    pub tools: usize,
    /// The severity of the worst of them.
    #[serde(serialize_with = "worst")]
    pub worst: Option<Severity>,
    /// What its definitions cost, in tokens.
    pub tokens: usize,
    /// How the gateway reaches it.
    pub way: Way,
    /// The query without it.
    pub others: String,
    /// Its recommended policy.
    pub policy: Recommended,
}

impl Stack {
    /// The stack of these servers, in their order, as far as it may go.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(catalogue: &Catalogue, servers: Vec<Server>) -> Result<Self, BadDatabase> {
        let mut stack = Self { left_out: servers.len().saturating_sub(SERVERS), members: Vec::new(), cut: 0 };
        let mut room = TOOLS;
        let mut ids = BTreeSet::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for server in &servers {
            *names.entry(server.name.clone()).or_default() += 1;
        }
        for server in servers.into_iter().take(SERVERS) {
            let mut tools = known(catalogue, &server).await?;
            stack.cut += tools.len().saturating_sub(room);
            tools.truncate(room);
            room -= tools.len();
            let alone = names.get(&server.name) == Some(&1);
            let label = if alone { server.name.clone() } else { server.slug.clone() };
            stack.members.push(Member { id: bundle::id(&server.slug, &mut ids), server, label, tools });
        }
        Ok(stack)
    }

    /// The page of it; `page` of the tools, from 1.
    #[must_use]
    pub fn page(&self, temper: Temper, page: usize) -> StackPage {
        let page = page.max(1);
        self.view(temper, page, ROWS)
    }

    /// All of it on one page.
    #[must_use]
    pub fn whole(&self, temper: Temper) -> StackPage {
        self.view(temper, 1, TOOLS)
    }

    fn view(&self, temper: Temper, page: usize, rows: usize) -> StackPage {
        let slugs: Vec<&str> = self.members.iter().map(|member| member.server.slug.as_str()).collect();
        let query = query(slugs.iter().copied());
        let servers: Vec<ServerRow> = self.members.iter().map(|member| member.row(&slugs, temper)).collect();
        let policies: BTreeMap<&str, &Recommended> =
            servers.iter().map(|row| (row.slug.as_str(), &row.policy)).collect();
        let says = |slug: &str, tool: &str| policies.get(slug).map(|policy| policy.says(tool)).unwrap_or_default();
        let all = self.riskiest();
        let shown = all.iter().skip((page - 1).saturating_mul(rows)).take(rows).map(|(member, tool)| {
            let line = ToolLine { server: member.label.clone(), ..ToolLine::of(&member.server, &tool.tool) };
            Row { rule: says(&member.server.slug, &tool.tool.name), tool: line }
        });
        let tools = shown.collect();
        let mut counts = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
        let [classes, severities, facets] = &mut counts;
        for (_, tool) in &all {
            *classes.entry(tool.assessment.class.as_str()).or_default() += 1;
            *severities.entry(tool.assessment.severity_fine.as_str()).or_default() += 1;
            for facet in &tool.assessment.facets {
                *facets.entry(facet.as_str()).or_default() += 1;
            }
        }
        let flows = self.flows();
        let [classes, severities, facets] = counts;
        StackPage {
            path: if query.is_empty() { "/stack/".to_owned() } else { format!("/stack/?s={query}") },
            query,
            temper: temper.as_str(),
            verdict: self.verdict(&flows),
            tokens: servers.iter().map(|row| row.tokens).sum(),
            servers,
            servers_left_out: self.left_out,
            tools_left_out: self.cut,
            total: all.len(),
            classes,
            severities,
            facets,
            page,
            tools,
            flows,
            alike: self.alike(),
            config: self.config(temper),
        }
    }

    /// The policy file of a server, by its name in `toolgate.toml`.
    #[must_use]
    pub fn policy(&self, id: &str, temper: Temper) -> Option<Value> {
        let member = self.members.iter().find(|member| member.id == id)?;
        Some(Recommended::of(&member.tools, temper).document)
    }

    /// Every tool with its server, the riskiest first.
    fn riskiest(&self) -> Vec<(&Member, &Known)> {
        let mut all: Vec<(&Member, &Known)> =
            self.members.iter().flat_map(|member| member.tools.iter().map(move |tool| (member, tool))).collect();
        all.sort_by_key(|(_, tool)| {
            let class = match tool.assessment.class {
                Class::Financial => 0,
                Class::Destructive => 1,
                Class::Execute => 2,
                Class::Unclassified => 3,
                Class::Write => 4,
                Class::Read => 5,
            };
            (Reverse(tool.assessment.severity_fine), class, Reverse(tool.assessment.facets.len()))
        });
        all
    }

    /// The tools as patterns take them.
    fn playing(&self) -> Vec<Playing<'_>> {
        self.members.iter().flat_map(|member| member.tools.iter().map(|tool| tool.member(&member.label))).collect()
    }

    fn labelled(&self, label: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.label == label)
    }

    fn verdict(&self, flows: &[Flow]) -> String {
        if self.members.is_empty() {
            return "Choose the servers that your agents use, and see everything that they can do together.".to_owned();
        }
        let tools = || self.members.iter().flat_map(|member| &member.tools);
        let of = |class: Class| tools().filter(|tool| tool.assessment.class == class).count();
        let with = |facet: Facet| tools().filter(|tool| tool.assessment.facets.contains(&facet)).count();
        let mut text = format!(
            "With {} your agents can call {}",
            counted(self.members.len(), "server", "servers"),
            counted(tools().count(), "tool", "tools")
        );
        let parts = [
            (of(Class::Destructive), "delete for good"),
            (of(Class::Financial), "move money"),
            (of(Class::Execute), "execute"),
            (with(Facet::SendsExternal), "can send data outside"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
        if !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&parts.join(", "));
        }
        let silent = self.members.iter().filter(|member| member.tools.is_empty()).count();
        if silent > 0 {
            text.push_str(&format!("; nobody has shown us the tools of {silent} of the servers"));
        }
        match flows.len() {
            0 if self.members.len() > 1 => text.push_str(". No attack that we know needs tools of several of them"),
            0 => {}
            1 => text.push_str(". One attack could lead from server to server"),
            several => text.push_str(&format!(". {several} attacks could lead from server to server")),
        }
        text.push('.');
        text
    }
}

impl Member {
    fn row(&self, slugs: &[&str], temper: Temper) -> ServerRow {
        let slug = self.server.slug.as_str();
        ServerRow {
            name: self.label.clone(),
            slug: slug.to_owned(),
            path: server_path(&self.server),
            publisher: self.server.publisher.clone(),
            id: self.id.clone(),
            tools: self.tools.len(),
            worst: self.tools.iter().map(|tool| tool.assessment.severity_fine).max(),
            tokens: self.tools.iter().map(Known::bytes).sum::<usize>().div_ceil(BYTES_OF_A_TOKEN),
            way: Way::of(&self.server),
            others: query(slugs.iter().copied().filter(|other| *other != slug)),
            policy: Recommended::of(&self.tools, temper),
        }
    }
}

/// Slugs as the query of a stack names them.
pub fn query<'a>(slugs: impl Iterator<Item = &'a str>) -> String {
    slugs.map(encoded).collect::<Vec<_>>().join(",")
}

/// `1 server`, `2 servers`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn worst<S: serde::Serializer>(severity: &Option<Severity>, to: S) -> Result<S::Ok, S::Error> {
    match severity {
        Some(severity) => summary::severity(severity, to),
        None => to.serialize_none(),
    }
}
