//! What the page of a server says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use policy::Class;
use risk::Severity;
use risk::prose::ServerText;
use risk::recommend::Temper;
use serde::Serialize;
use store::BadDatabase;
use store::catalogue::{Catalogue, Package, Server};

use super::kin::{KinPage, kin};
use super::known::{Known, known};
use super::recommended::{Recommended, Rules};
use super::summary::{self, ServerLine, ToolLine};
use crate::address::server_path;
use crate::incidents::{self, Incident};

/// Tools of one page of the table.
pub const ROWS: usize = 100;

/// So many tools have their rules in a policy of which no more is shown.
pub const RULES: usize = 400;

/// The page of a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerPage {
    /// Its name.
    pub name: String,
    /// What it is called in sentences, without "MCP Server".
    pub title: String,
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
    /// Which server it could be taken for, if it is not that.
    pub taken_for: Option<TakenFor>,
    /// What became publicly known of its package: flaws, and harm.
    pub incidents: Vec<&'static Incident>,
    /// What changed, the latest first.
    pub changes: Vec<Changed>,
}

/// Another server that this one could be taken for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TakenFor {
    /// The other, where it is one that may be seen.
    pub original: Option<ServerLine>,
    /// Why.
    pub reason: String,
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
    /// The version that a registry names.
    pub version: Option<String>,
    /// What it wants before it serves.
    pub auth: Option<String>,
    /// What a registry says of it.
    pub listed: Option<&'static str>,
    /// Since when.
    pub listed_since: Option<Timestamp>,
    /// Its publisher or registry has withdrawn it.
    pub withdrawn: bool,
    /// A person says that it is what it claims to be.
    pub verified: bool,
    /// Known from a list of its tools alone.
    pub from_tools: bool,
    /// What the registry of its package says, where it was asked.
    pub published: Option<Published>,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When a source last named it.
    pub last_seen: Timestamp,
}

/// What the registry of a package says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Published {
    /// The newest version.
    pub version: Option<String>,
    /// How many versions there are.
    pub versions: i64,
    /// When the first was published.
    pub first: Option<Timestamp>,
    /// When the last was.
    pub last: Option<Timestamp>,
    /// Who published it.
    pub by: Option<String>,
    /// Why it is better not begun with, where its publisher says so.
    pub deprecated: Option<String>,
    /// When the registry was asked.
    pub asked: Timestamp,
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
    /// The page of a server; `page` of its tools, from 1, and the rules of these. Kin are named as far as `shows` lets them be seen.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(
        catalogue: &Catalogue,
        server: &Server,
        temper: Temper,
        page: usize,
        rules: Rules,
        shows: impl Fn(&Server) -> bool,
    ) -> Result<Self, BadDatabase> {
        let tools = known(catalogue, server).await?;
        let judged: Vec<_> = tools.iter().map(|one| (one.definition(), one.assessment.clone())).collect();
        let text = ServerText::of(&server.name, &judged);
        let page = page.max(1);
        let before = (page - 1).saturating_mul(ROWS);
        let on_page = |at: usize| at.checked_sub(before).is_some_and(|at| at < ROWS);
        let ruled = tools.iter().enumerate().filter(|(at, _)| rules == Rules::Each || *at < RULES || on_page(*at));
        let ruled = ruled.map(|(_, one)| one);
        let policy = (!tools.is_empty()).then(|| Recommended::with_rules_of(ruled, &tools, temper));
        let says = |name: &str| policy.as_ref().map(|policy| policy.says(name)).unwrap_or_default();
        let rows = tools.iter().skip(before).take(ROWS);
        let rows = rows.map(|one| Row { tool: ToolLine::of(server, &one.tool), rule: says(&one.tool.name) }).collect();
        let mut classes = BTreeMap::new();
        for tool in &tools {
            *classes.entry(tool.assessment.class.as_str()).or_default() += 1;
        }
        let taken_for = match catalogue.impostor(server.id).await? {
            Some(found) => {
                let original = match found.original {
                    Some(id) => catalogue.server(id).await?.filter(|other| shows(other)),
                    None => None,
                };
                Some(TakenFor { original: original.as_ref().map(ServerLine::of), reason: found.reason })
            }
            None => None,
        };
        Ok(Self {
            taken_for,
            name: server.name.clone(),
            slug: server.slug.clone(),
            path: server_path(server),
            facts: Facts::of(server, catalogue.package(server.id).await?),
            description: server.description.clone(),
            language: server.language.clone(),
            title: text.name,
            verdict: text.verdict,
            classes,
            total: tools.len(),
            page,
            tools: rows,
            chains: chains(server, &tools),
            kin: kin(catalogue, server, &shows).await?,
            changes: changes(catalogue, server, &tools).await?,
            incidents: incidents::of(server).collect(),
            policy,
        })
    }
}

impl Facts {
    fn of(server: &Server, package: Option<Package>) -> Self {
        Self {
            published: package.map(|package| Published {
                version: package.version,
                versions: package.versions,
                first: package.first_published,
                last: package.last_published,
                by: package.publisher,
                deprecated: package.deprecated,
                asked: package.seen,
            }),
            publisher: server.publisher.clone(),
            repository: server.repository.clone(),
            package: server.package.clone(),
            registry: server.registry.clone(),
            endpoint: server.endpoint.clone(),
            transport: server.transport.clone(),
            licence: server.licence.clone(),
            version: server.version.clone(),
            auth: server.auth.clone(),
            listed: server.listed.map(|(status, _)| status.as_str()),
            listed_since: server.listed.and_then(|(_, since)| since),
            withdrawn: server.tombstoned,
            verified: server.verified,
            from_tools: server.from_tools,
            first_seen: server.first_seen,
            last_seen: server.last_seen,
        }
    }
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
    let mut histories = catalogue.histories(server.id).await?;
    // Only what changed since it was first seen has a past.
    for known in tools.iter().filter(|known| known.tool.changed != known.tool.first_seen) {
        let mut after = known.assessment.class;
        for past in histories.remove(&known.tool.id).unwrap_or_default().into_iter().rev() {
            let line = ToolLine::of(server, &known.tool);
            all.push(Changed { tool: line.name, path: line.path, at: past.until, before: past.class, after });
            after = past.class;
        }
    }
    all.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.tool.cmp(&other.tool)));
    all.truncate(CHANGES);
    Ok(all)
}
