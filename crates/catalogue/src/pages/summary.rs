//! A server or a tool in a line: as lists and search show it.

use policy::Class;
use risk::{Facet, Severity};
use serde::Serialize;
use store::catalogue::{Brief, Server, Tool};

use crate::address::{server_path, tool_path};

/// A server in a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServerLine {
    /// Its name.
    pub name: String,
    /// The path of its page.
    pub path: String,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// What it says of itself: text from outside.
    pub description: Option<String>,
    /// The language of that, where it is known.
    pub language: Option<String>,
}

impl ServerLine {
    /// Of a row.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        Self {
            name: server.name.clone(),
            path: server_path(server),
            publisher: server.publisher.clone(),
            description: server.description.clone(),
            language: server.language.clone(),
        }
    }

    /// Of a row of a list; the description is cut.
    #[must_use]
    pub fn brief_of(server: &Server) -> Self {
        let line = Self::of(server);
        Self { description: line.description.map(|text| gist(&text)), ..line }
    }
}

/// A tool in a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolLine {
    /// Its name.
    pub name: String,
    /// The path of its page.
    pub path: String,
    /// The name of its server.
    pub server: String,
    /// What it says of itself: text from outside.
    pub description: String,
    /// Its class.
    #[serde(serialize_with = "class")]
    pub class: Class,
    /// Its severity.
    #[serde(serialize_with = "severity")]
    pub severity: Severity,
    /// What else is dangerous about it.
    #[serde(serialize_with = "facets")]
    pub facets: Vec<Facet>,
}

impl ToolLine {
    /// Of the rows of a tool and its server.
    #[must_use]
    pub fn of(server: &Server, tool: &Tool) -> Self {
        Self {
            name: tool.name.clone(),
            path: tool_path(server, &tool.name),
            server: server.name.clone(),
            description: tool.description.clone(),
            class: tool.judged.class,
            severity: tool.judged.severity_fine,
            facets: tool.judged.facets.clone(),
        }
    }

    /// Of the rows of a list; the description is cut.
    #[must_use]
    pub fn of_brief(server: &Server, mut tool: Brief) -> Self {
        tool.description = gist(&tool.description);
        Self::of_whole(server, tool)
    }

    /// Of the rows of a list, with the whole description.
    #[must_use]
    pub fn of_whole(server: &Server, tool: Brief) -> Self {
        Self {
            path: tool_path(server, &tool.name),
            server: server.name.clone(),
            description: tool.description,
            name: tool.name,
            class: tool.class,
            severity: tool.severity,
            facets: tool.facets,
        }
    }
}

/// The most characters of a description in a list.
const GIST: usize = 200;

/// The beginning of a text.
pub(crate) fn gist(text: &str) -> String {
    let mut letters = text.chars();
    let mut cut: String = letters.by_ref().take(GIST).collect();
    if letters.next().is_some() {
        cut.push('…');
    }
    cut
}

pub(crate) fn class<S: serde::Serializer>(class: &Class, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(class.as_str())
}

pub(crate) fn severity<S: serde::Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(severity.as_str())
}

pub(crate) fn facets<S: serde::Serializer>(facets: &[Facet], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(facets.iter().map(|facet| facet.as_str()))
}
