//! `/search/?q=…`: what was found, and links that narrow it.

use std::fmt::Write;

use maud::{Markup, html};
use serde::Serialize;

use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::parameter::Takes;
use crate::question::{Asked, FIELDS, Found, Line, WORDS};
use crate::text::{many, markdown, one_line, shown};

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

impl SearchPage {
    fn offers(&self) -> Vec<(&'static str, &'static str, Vec<String>)> {
        let value = |field: &str| match (field, Takes::of(field)) {
            ("since", _) => ["7d", "30d"].map(str::to_owned).to_vec(),
            (_, Some(Takes::Word(words))) => words.into_iter().map(str::to_owned).collect(),
            _ => self.common.iter().find(|one| one.0 == field).map(|one| one.1.clone()).unwrap_or_default(),
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
                input id="words" type="search" name="q" value=(self.asked.words) maxlength=(WORDS) autocomplete="off" spellcheck="false";
                @for (field, value) in &self.asked.filters { input type="hidden" name=(field) value=(value); }
                @if self.asked.apart { input type="hidden" name="copies" value="apart"; }
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
            p role="status" {
                (many(self.total, "entry", "entries")) " found"
                @if self.asked.apart || self.found.iter().any(|found| found.copies > 0) {
                    @let other = Asked { apart: !self.asked.apart, ..self.asked.clone() };
                    ". " a href=(other.path()) rel="nofollow" {
                        @if self.asked.apart { "Put copies with what they are copies of" } @else { "Show copies apart" }
                    }
                }
            }
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
        let total = many(self.total, "entry", "entries");
        let mut text = format!("# Search: {}\n\n{total} found", markdown(&self.asked.words));
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
