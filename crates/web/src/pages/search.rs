//! `/search/?q=…`: what was found, and links that narrow it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use catalogue::address::encoded;
use catalogue::pages::summary::{ServerLine, ToolLine};
use maud::{Markup, html};
use policy::Class;
use risk::Facet;
use search::Kind;
use serde::Serialize;
use store::catalogue::{Brief, Server};

use crate::failure::Failure;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::site::Site;
use crate::text::{many, markdown, one_line, shown};

/// What is asked, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// The words.
    pub(crate) words: String,
    /// What must hold: field and value.
    pub(crate) filters: Vec<(String, String)>,
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

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct SearchPage {
    /// What was asked.
    #[serde(flatten)]
    pub(crate) asked: Asked,
    /// How many there are in all.
    pub(crate) total: usize,
    /// Which page this is, from 1.
    pub(crate) page: usize,
    /// How many pages can be seen.
    pub(crate) pages: usize,
    /// Those of this page.
    pub(crate) found: Vec<Found>,
    /// Other questions, where nothing was found.
    pub(crate) suggestions: Vec<Suggestion>,
    /// Values of fields that others have: transports, licences, languages.
    #[serde(skip)]
    pub(crate) common: Vec<(&'static str, Vec<String>)>,
}

/// Another question.
#[derive(Debug, Serialize)]
pub(crate) struct Suggestion {
    /// What it is.
    pub(crate) text: String,
    /// Where it is answered.
    pub(crate) path: String,
    /// How many that finds.
    pub(crate) total: usize,
}

/// Something that was found, and what is the same elsewhere.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    /// What it is.
    #[serde(flatten)]
    pub(crate) line: Line,
    /// How many servers with the same tools have it too, of those that stand on this page.
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

/// The lines of what a question finds, with whole descriptions, and how many there are in all.
pub(crate) async fn lines(site: &Site, query: search::Query) -> Result<(usize, Vec<Line>), Failure> {
    let hits = site.search(query)?;
    let found = read(site, &hits.hits, true).await?;
    Ok((hits.total.unwrap_or(found.len()), found.into_iter().map(|(_, line)| line).collect()))
}

/// The lines of what was found, read at once, each with the id of its server. The index may be older than
/// the word of who may see what.
pub(crate) async fn read(site: &Site, hits: &[search::Hit], whole: bool) -> Result<Vec<(i64, Line)>, Failure> {
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
    let line = |hit: &search::Hit| match (hit.kind, whole) {
        (Kind::Server, true) => servers.get(&hit.id).map(|server| (hit.id, Line::Server(ServerLine::of(server)))),
        (Kind::Server, false) => {
            servers.get(&hit.id).map(|server| (hit.id, Line::Server(ServerLine::brief_of(server))))
        }
        (Kind::Tool, _) => {
            let tool = tools.get(&hit.id)?.clone();
            let server = servers.get(&tool.server)?;
            let line = if whole { ToolLine::of_whole(server, tool) } else { ToolLine::of_brief(server, tool) };
            Some((server.id, Line::Tool(line)))
        }
    };
    Ok(hits.iter().filter_map(line).collect())
}

/// What copies have stands with what their original has, where both were found.
pub(crate) async fn folded(site: &Site, lines: Vec<(i64, Line)>) -> Result<Vec<Found>, Failure> {
    let ids: Vec<i64> = lines.iter().map(|(server, _)| *server).collect();
    let originals = site.catalogue.originals(&ids).await?;
    let mut found: Vec<Found> = Vec::new();
    let mut places: HashMap<(i64, Option<String>), usize> = HashMap::new();
    for (server, line) in lines {
        let original = originals.get(&server).copied().unwrap_or(server);
        let tool = match &line {
            Line::Server(_) => None,
            Line::Tool(tool) => Some(tool.name.clone()),
        };
        match places.entry((original, tool)) {
            Entry::Occupied(place) => {
                if let Some(first) = found.get_mut(*place.get()) {
                    first.copies += 1;
                    if server == original {
                        first.line = line;
                    }
                }
            }
            Entry::Vacant(place) => {
                place.insert(found.len());
                found.push(Found { line, copies: 0 });
            }
        }
    }
    Ok(found)
}

impl Asked {
    /// The address of the question.
    pub(crate) fn path(&self) -> String {
        let words = std::iter::once(("q", self.words.as_str())).filter(|(_, words)| !words.is_empty());
        let filters = self.filters.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        let parts: Vec<String> =
            words.chain(filters).map(|(field, value)| format!("{field}={}", encoded(value))).collect();
        if parts.is_empty() { "/search/".to_owned() } else { format!("/search/?{}", parts.join("&")) }
    }

    /// The same question, with a filter more or, where it is there, less.
    fn turned(&self, field: &str, value: &str) -> Self {
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

    fn has(&self, field: &str, value: &str) -> bool {
        self.filters.iter().any(|one| one.0 == field && one.1 == value)
    }
}

impl SearchPage {
    fn offers(&self) -> Vec<(&'static str, &'static str, Vec<String>)> {
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        let facets: Vec<&str> = Facet::ALL.iter().map(|facet| facet.as_str()).collect();
        let classes: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
        let value = |field: &str| match field {
            "kind" => words(&["tool", "server"]),
            "class" => words(&classes),
            "severity" => words(&["low", "medium", "high", "critical"]),
            "facet" => words(&facets),
            "standing" => words(&["official", "community"]),
            "since" => words(&["7d", "30d"]),
            other => self.common.iter().find(|one| one.0 == other).map(|one| one.1.clone()).unwrap_or_default(),
        };
        FIELDS.into_iter().map(|(field, name)| (field, name, value(field))).collect()
    }
}

/// A value as people read it.
fn label(field: &str, value: &str) -> String {
    match (field, value) {
        ("since", "7d") => "in the last 7 days".to_owned(),
        ("since", "30d") => "in the last 30 days".to_owned(),
        ("since", day) => format!("since {}", shown(day, 30)),
        ("facet", value) => shown(value, 40).replace('_', " "),
        (_, value) => shown(value, 40),
    }
}

impl Page for SearchPage {
    fn head(&self) -> Head {
        let words = shown(&self.asked.words, 40);
        Head {
            title: if words.is_empty() { "Search".to_owned() } else { format!("{words} – search") },
            description: "Servers and tools by name, publisher and what they do.".to_owned(),
            path: match (self.page, self.asked.path()) {
                (1, path) => path,
                (page, path) if path.contains('?') => format!("{path}&page={page}"),
                (page, path) => format!("{path}?page={page}"),
            },
            robots: Robots::Follow,
            crumbs: vec![Crumb::new("Catalogue", "/")],
            searches: true,
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "Search" }
            form class="search" action="/search/" method="get" role="search" {
                label class="unseen" for="words" { "Search servers and tools" }
                input id="words" type="search" name="q" value=(self.asked.words) autocomplete="off" spellcheck="false";
                @for (field, value) in &self.asked.filters { input type="hidden" name=(field) value=(value); }
                button type="submit" { "Search" }
            }
            @if !self.asked.filters.is_empty() {
                ul class="chips" aria-label="What must hold" {
                    @for (field, value) in &self.asked.filters {
                        li { a class="chip" href=(self.asked.turned(field, value).path()) { (field) ": " (label(field, value)) " " span aria-hidden="true" { "×" } span class="unseen" { " remove" } } }
                    }
                }
            }
            details open[self.asked.words.is_empty() && self.asked.filters.is_empty()] {
                summary { "Narrow it" }
                @for (field, name, values) in self.offers().iter().filter(|offer| !offer.2.is_empty()) {
                    p class="offer" {
                        span class="by" { (name) ": " }
                        @for (at, value) in values.iter().filter(|value| !self.asked.has(field, value)).enumerate() {
                            @if at > 0 { " · " }
                            a href=(self.asked.turned(field, value).path()) rel="nofollow" { (label(field, value)) }
                        }
                    }
                }
            }
            p role="status" { (many(self.total, "entry", "entries")) " found" }
            @if self.found.is_empty() { (self.nothing()) }
            ol class="results" {
                @for found in &self.found {
                    li {
                        @match &found.line {
                            Line::Server(server) => {
                                a href=(server.path) { (shown(&server.name, 80)) } " " span class="chip" { "server" }
                                @if let Some(by) = &server.publisher { " " span class="by" { "by " (shown(by, 40)) } }
                                @if let Some(description) = &server.description { p lang=[server.language.as_deref()] { (shown(description, 140)) } }
                            },
                            Line::Tool(tool) => {
                                a href=(tool.path) { code { (shown(&tool.name, 80)) } } " "
                                (layout::level(tool.severity)) " " (layout::class(tool.class)) " "
                                span class="by" { "of " (shown(&tool.server, 60)) }
                                @if !tool.description.is_empty() { p { (shown(&tool.description, 140)) } }
                            },
                        }
                        @if found.copies > 0 { p class="small" { "and " (many(found.copies, "copy", "copies")) " under other publishers" } }
                    }
                }
            }
            (layout::pager(&self.asked.path(), self.page, self.pages))
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!("# Search: {}\n\n{} found", markdown(&self.asked.words), self.total);
        for (field, value) in &self.asked.filters {
            let _ = write!(text, ", {field}: {}", markdown(value));
        }
        text.push_str("\n\n");
        for found in &self.found {
            let copies = if found.copies > 0 {
                format!(", and {}", many(found.copies, "copy", "copies"))
            } else {
                String::new()
            };
            let _ = match &found.line {
                Line::Server(server) => {
                    writeln!(text, "- [{}]({}index.md){copies}", markdown(&one_line(&server.name, 100)), server.path)
                }
                Line::Tool(tool) => writeln!(
                    text,
                    "- [{}]({}index.md) of {}: {}, {}{copies}",
                    markdown(&one_line(&tool.name, 100)),
                    tool.path,
                    markdown(&one_line(&tool.server, 60)),
                    tool.class.as_str(),
                    tool.severity.as_str()
                ),
            };
        }
        text
    }
}

impl SearchPage {
    fn nothing(&self) -> Markup {
        html! {
            div class="empty" {
            p { "Nothing here has all of that. Every word must be found: in a name, in what stands around it, or in a description." }
            @if !self.suggestions.is_empty() {
                ul { @for one in &self.suggestions { li { a href=(one.path) { (shown(&one.text, 60)) } ": " (many(one.total, "entry", "entries")) } } }
            }
            p { "A server that is missing here can be looked at where it runs: " code { "toolgate scan -- COMMAND" } "." }
            }
        }
    }
}
