//! What the page of a server says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use policy::Class;
use risk::recommend::Temper;
use risk::{Facet, Severity};
use serde::Serialize;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use super::kin::{KinPage, kin};
use super::known::{Known, known};
use super::recommended::Recommended;
use super::summary::{self, ToolLine};
use crate::address::server_path;

/// Tools of one page of the table.
pub const ROWS: usize = 100;

/// The page of a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerPage {
    /// Its name.
    pub name: String,
    /// The name in addresses and on the command line.
    pub slug: String,
    /// The path of this page.
    pub path: String,
    /// What is known of it.
    pub facts: Facts,
    /// What it says of itself: text from outside.
    pub description: Option<String>,
    /// The language of that.
    pub language: Option<String>,
    /// What its tools can do, in a sentence.
    pub verdict: String,
    /// How many tools there are of each class.
    pub classes: BTreeMap<&'static str, usize>,
    /// How many tools there are.
    pub total: usize,
    /// Which page of the tools this is, from 1.
    pub page: usize,
    /// Its tools, by class from the most severe.
    pub tools: Vec<Row>,
    /// The recommended policy.
    pub policy: Option<Recommended>,
    /// What its tools could do together.
    pub chains: Vec<Chain>,
    /// Servers with the same tools.
    pub kin: Option<KinPage>,
    /// What changed, the latest first.
    pub changes: Vec<Changed>,
}

/// What is known of a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Its repository.
    pub repository: Option<String>,
    /// Its package.
    pub package: Option<String>,
    /// Where that is published.
    pub registry: Option<String>,
    /// Its endpoint.
    pub endpoint: Option<String>,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// Its licence.
    pub licence: Option<String>,
    /// Known from a list of its tools alone.
    pub from_tools: bool,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When a source last named it.
    pub last_seen: Timestamp,
}

/// A tool in the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The tool.
    #[serde(flatten)]
    pub tool: ToolLine,
    /// What the recommended policy says of it.
    pub rule: String,
}

/// What tools could do together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chain {
    /// The attack.
    pub pattern: &'static str,
    /// Its name.
    pub title: &'static str,
    /// How bad it is.
    #[serde(serialize_with = "summary::severity")]
    pub severity: Severity,
    /// Why it is possible here.
    pub why: String,
    /// What helps.
    pub remedy: &'static str,
}

/// A definition that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// The tool.
    pub tool: String,
    /// The path of its page.
    pub path: String,
    /// When.
    pub at: Timestamp,
    /// The class before.
    #[serde(serialize_with = "summary::class")]
    pub before: Class,
    /// The class since then.
    #[serde(serialize_with = "summary::class")]
    pub after: Class,
}

/// Changes that are named.
const CHANGES: usize = 20;

impl ServerPage {
    /// The page of a server; `page` of its tools, from 1. Kin are named as far as `shows` lets them be seen.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(
        catalogue: &Catalogue,
        server: &Server,
        temper: Temper,
        page: usize,
        shows: impl Fn(&Server) -> bool,
    ) -> Result<Self, BadDatabase> {
        let tools = known(catalogue, server).await?;
        let policy = (!tools.is_empty()).then(|| Recommended::of(&tools, temper));
        let says = |name: &str| policy.as_ref().map(|policy| policy.says(name)).unwrap_or_default();
        let page = page.max(1);
        let rows = tools.iter().skip((page - 1).saturating_mul(ROWS)).take(ROWS);
        let rows = rows.map(|one| Row { tool: ToolLine::of(server, &one.tool), rule: says(&one.tool.name) }).collect();
        let mut classes = BTreeMap::new();
        for tool in &tools {
            *classes.entry(tool.assessment.class.as_str()).or_default() += 1;
        }
        Ok(Self {
            name: server.name.clone(),
            slug: server.slug.clone(),
            path: server_path(server),
            facts: Facts::of(server),
            description: server.description.clone(),
            language: server.language.clone(),
            verdict: verdict(&tools),
            classes,
            total: tools.len(),
            page,
            tools: rows,
            chains: chains(server, &tools),
            kin: kin(catalogue, server, shows).await?,
            changes: changes(catalogue, server, &tools).await?,
            policy,
        })
    }
}

impl Facts {
    fn of(server: &Server) -> Self {
        Self {
            publisher: server.publisher.clone(),
            repository: server.repository.clone(),
            package: server.package.clone(),
            registry: server.registry.clone(),
            endpoint: server.endpoint.clone(),
            transport: server.transport.clone(),
            licence: server.licence.clone(),
            from_tools: server.from_tools,
            first_seen: server.first_seen,
            last_seen: server.last_seen,
        }
    }
}

/// What the tools can do, in a sentence: `12 tools: 7 read, 4 write, 1 destructive; 2 can send data outside.`
fn verdict(tools: &[Known]) -> String {
    if tools.is_empty() {
        return "Nobody has shown us the tools of this server yet, so nothing is known of what it can do.".to_owned();
    }
    let of_class = |class: Class| tools.iter().filter(|tool| tool.assessment.class == class).count();
    let with = |facet: Facet| tools.iter().filter(|tool| tool.assessment.facets.contains(&facet)).count();
    let classes = [
        (Class::Read, "read"),
        (Class::Write, "write"),
        (Class::Execute, "execute"),
        (Class::Destructive, "delete for good"),
        (Class::Financial, "move money"),
        (Class::Unclassified, "unclassified"),
    ];
    let counted: Vec<String> = classes
        .iter()
        .map(|(class, word)| (of_class(*class), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let noun = if tools.len() == 1 { "tool" } else { "tools" };
    let mut text = format!("{} {noun}: {}", tools.len(), counted.join(", "));
    let sends = with(Facet::SendsExternal);
    if sends > 0 {
        text.push_str(&format!("; {sends} can send data outside"));
    }
    let irreversible = tools.iter().any(|tool| {
        tool.assessment.facets.contains(&Facet::Irreversible) || tool.assessment.class == Class::Destructive
    });
    if !irreversible && of_class(Class::Financial) == 0 && of_class(Class::Unclassified) == 0 {
        text.push_str("; nothing in their definitions is irreversible");
    }
    text.push('.');
    text
}

/// What the tools could do together, the worst first.
fn chains(server: &Server, tools: &[Known]) -> Vec<Chain> {
    let members: Vec<_> = tools.iter().map(|tool| tool.member(&server.name)).collect();
    risk::patterns::chains(&members)
        .into_iter()
        .map(|found| Chain {
            pattern: found.rule,
            title: found.title,
            severity: found.severity,
            remedy: found.remedy,
            why: found.why,
        })
        .collect()
}

async fn changes(catalogue: &Catalogue, server: &Server, tools: &[Known]) -> Result<Vec<Changed>, BadDatabase> {
    let mut all = Vec::new();
    // Only what changed since it was first seen has a past.
    for known in tools.iter().filter(|known| known.tool.changed != known.tool.first_seen) {
        let mut after = known.assessment.class;
        for past in catalogue.history(known.tool.id).await? {
            let line = ToolLine::of(server, &known.tool);
            all.push(Changed { tool: line.name, path: line.path, at: past.until, before: past.class, after });
            after = past.class;
        }
    }
    all.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.tool.cmp(&other.tool)));
    all.truncate(CHANGES);
    Ok(all)
}
