//! What is searched, and what was found: the same question and the same answer for pages, programs and agents.

use std::collections::{HashMap, HashSet};

use catalogue::address::encoded;
use catalogue::copies::{Sighting, apart, folded};
use catalogue::pages::census::{Census, Chosen, Field};
use catalogue::pages::summary::{ServerLine, ToolLine};
use catalogue::since::since;
use jiff::Timestamp;
use search::{Filter, Kind};
use serde::Serialize;
use store::catalogue::{Brief, Server};

use crate::asked::Query;
use crate::failure::Failure;
use crate::parameter::Takes;
use crate::site::Site;
use crate::text::code;

/// What is asked, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// The words.
    pub(crate) words: String,
    /// What must hold: field and value.
    pub(crate) filters: Vec<(String, String)>,
    /// Whether copies stand apart from what they are copies of.
    #[serde(skip)]
    pub(crate) apart: bool,
}

/// The fields that filter, and their names for people.
pub(crate) const FIELDS: [(&str, &str); 10] = [
    ("kind", "Kind"),
    ("class", "Class"),
    ("severity", "Severity"),
    ("facet", "Facet"),
    ("transport", "Transport"),
    ("licence", "Licence"),
    ("standing", "Standing"),
    ("language", "Language"),
    ("publisher", "Publisher"),
    ("since", "Changed"),
];

/// The most characters of the words.
pub(crate) const WORDS: usize = 400;

/// The most conditions.
const CONDITIONS: usize = 20;

/// Values that are named where another was asked for.
const NAMED: usize = 12;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    /// How many there are in all, copies among them.
    pub(crate) total: usize,
    /// Those that were asked for.
    pub(crate) found: Vec<Found>,
}

/// Something that was found, and what is the same elsewhere.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    /// What it is.
    #[serde(flatten)]
    pub(crate) line: Line,
    /// How many servers with the same tools have it too, of those that were found beside it.
    pub(crate) copies: usize,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A server.
    Server(ServerLine),
    /// A tool.
    Tool(ToolLine),
}

/// Which of what is found, and how much of it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// So many are left out before.
    pub(crate) offset: usize,
    /// At most so many are looked at; copies among them.
    pub(crate) limit: usize,
    /// Whether descriptions are whole.
    pub(crate) whole: bool,
}

impl Asked {
    /// Reads a question from an address.
    pub(crate) async fn read(site: &Site, query: &Query) -> Result<Self, Failure> {
        let words = query.one("q")?.unwrap_or_default().trim_start();
        if !words.is_empty() {
            Takes::Text(WORDS).check_text("q", words)?;
        }
        let mut asked = Self { words: words.to_owned(), ..Self::default() };
        for once in ["kind", "since"] {
            query.one(once)?;
        }
        for (field, value) in query.pairs().filter(|pair| FIELDS.iter().any(|known| known.0 == pair.0)) {
            asked.narrow(site, field, value).await?;
        }
        asked.apart = query.value("copies")? == Some("apart");
        Ok(asked)
    }

    /// Adds a condition, if there is such a value.
    pub(crate) async fn narrow(&mut self, site: &Site, field: &str, value: &str) -> Result<(), Failure> {
        match Takes::of(field) {
            Some(takes) => takes.check_text(field, value)?,
            None => known(&*site.census().await?, field, value)?,
        }
        let condition = (field.to_owned(), value.to_owned());
        if !self.filters.contains(&condition) {
            self.filters.push(condition);
        }
        if self.filters.len() > CONDITIONS {
            return Err(Failure::Unclear(format!("A search is narrowed by at most {CONDITIONS} values.")));
        }
        Ok(())
    }

    /// The address of the question.
    pub(crate) fn path(&self) -> String {
        let words = std::iter::once(("q", self.words.as_str())).filter(|(_, words)| !words.is_empty());
        let filters = self.filters.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        let apart = self.apart.then_some(("copies", "apart"));
        let parts: Vec<String> =
            words.chain(filters).chain(apart).map(|(field, value)| format!("{field}={}", encoded(value))).collect();
        if parts.is_empty() { "/search/".to_owned() } else { format!("/search/?{}", parts.join("&")) }
    }

    /// The same question, with a filter more or, where it is there, less.
    pub(crate) fn turned(&self, field: &str, value: &str) -> Self {
        let mut other = self.clone();
        let before = other.filters.len();
        other.filters.retain(|one| !(one.0 == field && one.1 == value));
        if other.filters.len() == before {
            // Since when, and which kind, are said once.
            if matches!(field, "since" | "kind") {
                other.filters.retain(|one| one.0 != field);
            }
            other.filters.push((field.to_owned(), value.to_owned()));
        }
        other
    }

    pub(crate) fn has(&self, field: &str, value: &str) -> bool {
        self.filters.iter().any(|one| one.0 == field && one.1 == value)
    }

    /// The question as the index takes it.
    fn query(&self, offset: usize, limit: usize) -> search::Query {
        let mut query =
            search::Query { words: self.words.clone(), offset, limit, count: true, ..search::Query::default() };
        for (field, value) in &self.filters {
            match field.as_str() {
                "kind" => query.kind = [Kind::Server, Kind::Tool].into_iter().find(|kind| kind.as_str() == value),
                "since" => {
                    query.changed_since = since(value, Timestamp::now()).ok().map(Timestamp::as_microsecond);
                }
                _ => query.filters.push(Filter { field: field.clone(), value: value.clone() }),
            }
        }
        query
    }

    /// How many there are.
    pub(crate) fn count(&self, site: &Site) -> Result<usize, Failure> {
        site.count(self.query(0, 0))
    }

    /// What is found.
    pub(crate) async fn answered(&self, site: &Site, part: Part) -> Result<Answered, Failure> {
        let hits = site.search(self.query(part.offset, part.limit))?;
        let lines = read(site, &hits.hits, part.whole).await?;
        let total = hits.total.unwrap_or(lines.len());
        let found = if self.apart { apart(lines) } else { folded(&site.catalogue, lines).await? };
        let found = found.into_iter().map(|one| Found { line: one.shown, copies: one.copies }).collect();
        Ok(Answered { total, found })
    }
}

/// Refuses a value of a field that no server of the catalogue has.
pub(crate) fn known(census: &Census, field: &str, value: &str) -> Result<(), Failure> {
    let Some(of) = Field::ALL.into_iter().find(|known| known.as_str() == field) else {
        return Err(Failure::Unclear(format!("`{field}` narrows nothing.")));
    };
    if census.has(of, value) {
        return Ok(());
    }
    let all = census.values(of, &Chosen::default(), usize::MAX);
    let named: Vec<String> = all.iter().take(NAMED).map(|(word, _)| code(word)).collect();
    let more = all.len().saturating_sub(named.len());
    Err(Failure::Unclear(match (named.is_empty(), more) {
        (true, _) => format!("`{field}` narrows nothing: no server of this catalogue says it."),
        (false, 0) => format!("`{field}` must be what a server of this catalogue has: {}.", named.join(", ")),
        (false, more) => {
            format!(
                "`{field}` must be what a server of this catalogue has: {} or one of {more} others.",
                named.join(", ")
            )
        }
    }))
}

/// The lines of what was found, read at once, each with the id of its server. The index may be older than
/// the word of who may see what.
async fn read(site: &Site, hits: &[search::Hit], whole: bool) -> Result<Vec<Sighting<Line>>, Failure> {
    let of = |kind: Kind| -> Vec<i64> { hits.iter().filter(|hit| hit.kind == kind).map(|hit| hit.id).collect() };
    let tools: HashMap<i64, Brief> =
        site.catalogue.briefs(&of(Kind::Tool)).await?.into_iter().map(|tool| (tool.id, tool)).collect();
    let ids: HashSet<i64> = of(Kind::Server).into_iter().chain(tools.values().map(|tool| tool.server)).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let servers: HashMap<i64, Server> = site
        .catalogue
        .servers_of(&ids)
        .await?
        .into_iter()
        .filter(|server| site.shows(server))
        .map(|server| (server.id, server))
        .collect();
    let line = |hit: &search::Hit| match hit.kind {
        Kind::Server => {
            let server = servers.get(&hit.id)?;
            let line = if whole { ServerLine::of(server) } else { ServerLine::brief_of(server) };
            Some(Sighting { server: hit.id, tool: None, shown: Line::Server(line) })
        }
        Kind::Tool => {
            let tool = tools.get(&hit.id)?.clone();
            let server = servers.get(&tool.server)?;
            let name = tool.name.clone();
            let line = if whole { ToolLine::of_whole(server, tool) } else { ToolLine::of_brief(server, tool) };
            Some(Sighting { server: server.id, tool: Some(name), shown: Line::Tool(line) })
        }
    };
    Ok(hits.iter().filter_map(line).collect())
}
