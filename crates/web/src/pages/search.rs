//! `/search/?q=…`: what was found.

use std::fmt::Write;

use catalogue::pages::summary::{ServerLine, ToolLine};
use maud::{Markup, html};
use serde::Serialize;

use crate::failure::Failure;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::site::Site;
use crate::text::{markdown, shown};

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct SearchPage {
    /// What was asked.
    pub(crate) words: String,
    /// How many there are in all.
    pub(crate) total: usize,
    /// Those of this page.
    pub(crate) found: Vec<Line>,
}

/// Something that was found.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A server.
    Server(ServerLine),
    /// A tool.
    Tool(ToolLine),
}

/// The lines of what a question finds, and how many there are in all.
pub(crate) async fn lines(site: &Site, query: search::Query) -> Result<(usize, Vec<Line>), Failure> {
    let hits = site.search(query)?;
    let mut found = Vec::with_capacity(hits.hits.len());
    for hit in &hits.hits {
        match hit.kind {
            search::Kind::Server => {
                let server = site.catalogue.server(hit.id).await?;
                found.extend(server.map(|server| Line::Server(ServerLine::of(&server))));
            }
            search::Kind::Tool => {
                let shown = site.catalogue.shown(hit.id).await?;
                found.extend(shown.map(|shown| Line::Tool(ToolLine::of(&shown.server, &shown.tool))));
            }
        }
    }
    Ok((hits.total.unwrap_or(found.len()), found))
}

impl Page for SearchPage {
    fn head(&self) -> Head {
        let words = shown(&self.words, 40);
        Head {
            title: if words.is_empty() { "Search".to_owned() } else { format!("{words} – search") },
            description: "Servers and tools by name, publisher and what they do.".to_owned(),
            path: "/search/".to_owned(),
            robots: Robots::Follow,
            crumbs: vec![Crumb::new("Catalogue", "/")],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "Search" }
            (layout::search_box(&self.words))
            p role="status" { (self.total) " found" }
            ol class="results" {
                @for line in &self.found {
                    li {
                        @match line {
                            Line::Server(server) => { a href=(server.path) { (shown(&server.name, 100)) } },
                            Line::Tool(tool) => {
                                a href=(tool.path) { code { (shown(&tool.name, 100)) } } " "
                                (layout::severity(tool.severity)) " " (layout::class(tool.class))
                                p { (shown(&tool.description, 200)) }
                            },
                        }
                    }
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!("# Search: {}\n\n{} found\n\n", markdown(&self.words), self.total);
        for line in &self.found {
            let (name, path) = match line {
                Line::Server(server) => (&server.name, &server.path),
                Line::Tool(tool) => (&tool.name, &tool.path),
            };
            let _ = writeln!(text, "- [{}]({path}index.md)", markdown(name));
        }
        text
    }
}
