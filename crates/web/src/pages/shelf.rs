//! `/class/…/`, `/severity/…/`, `/facet/…/`: what it means, how it is decided, the policy for it, and every tool.

use std::fmt::Write;

use catalogue::pages::lists::{ROWS, ToolList};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::{Value, json};

use super::rows;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::text::{many, markdown, number, one_line, shown};
use crate::texts::{KINDS, Kind};

/// The page of a class, a severity or a facet.
#[derive(Debug, Serialize)]
pub(crate) struct ShelfPage {
    #[serde(flatten)]
    says: Says,
    /// The tools.
    #[serde(flatten)]
    pub(crate) list: ToolList,
    #[serde(skip)]
    kind: &'static Kind,
    /// The others of its kind.
    neighbours: Vec<Neighbour>,
}

#[derive(Debug, Serialize)]
struct Says {
    of: &'static str,
    word: &'static str,
    title: &'static str,
    definition: &'static str,
    how_we_decide: &'static [String],
    advice: &'static str,
    policy: Value,
    questions: &'static [(String, String)],
}

/// Another class, severity or facet.
#[derive(Debug, Serialize)]
pub(crate) struct Neighbour {
    /// Its heading.
    pub(crate) title: &'static str,
    /// Its page.
    pub(crate) path: String,
    /// How many tools it has.
    pub(crate) tools: u32,
}

impl ShelfPage {
    /// The page; `count` says how many tools another one of the kind has.
    pub(crate) fn of(kind: &'static Kind, list: ToolList, count: impl Fn(&Kind) -> u32) -> Self {
        let others = KINDS.iter().filter(|other| other.of == kind.of && other.word != kind.word);
        let says = Says {
            of: &kind.of,
            word: &kind.word,
            title: &kind.title,
            definition: &kind.means,
            how_we_decide: &kind.decide,
            advice: &kind.advice,
            policy: kind.document(),
            questions: &kind.questions,
        };
        let neighbours =
            others.map(|other| Neighbour { title: &other.title, path: other.path(), tools: count(other) }).collect();
        Self { says, list, kind, neighbours }
    }

    fn pages(&self) -> usize {
        usize::try_from(self.list.total).unwrap_or(usize::MAX).div_ceil(ROWS).max(1)
    }

    fn counted(&self) -> String {
        let tools = many(self.list.total, "tool", "tools");
        format!("{tools} of {}", many(self.list.servers, "server", "servers"))
    }

    /// The first page says everything; the others are lists.
    fn text(&self) -> Markup {
        let kind = self.kind;
        html! {
            p class="lead" { (layout::prose(&kind.means)) }
            p { strong { (self.counted()) } @if self.list.total > 0 { ": " a href="#tools" { "all of them" } "." } }
            section {
                h2 id="decide" { "How we decide" }
                ul { @for rule in &kind.decide { li { (layout::prose(rule)) } } }
                p class="small" { "Each tool's page quotes the words that decided. " a href="/glossary/evidence/" { "No evidence, no class" } "." }
            }
            section {
                h2 id="policy" { "A policy for it" }
                p { (layout::prose(&kind.advice)) }
                (layout::snippet("policy-text", kind.policy.trim()))
                div class="wide" tabindex="0" role="region" aria-label="What the policy does" {
                    table {
                        caption { "What the policy does: the tests that it brings, which " code { "toolgate policy test" } " runs" }
                        thead { tr { th scope="col" { "A call" } th scope="col" { "What comes of it" } } }
                        tbody { @for (call, outcome) in kind.calls() { tr { th scope="row" { code { (call) } } td { (outcome) } } } }
                    }
                }
            }
            section {
                h2 id="questions" { "Questions" }
                @for (question, answer) in &kind.questions { details { summary { (question) } p { (layout::prose(answer)) } } }
            }
            @if !self.list.top.is_empty() {
                section {
                    h2 id="top" { "Servers with the most of them" }
                    ol { @for top in &self.list.top { li { a href=(top.server.path) { (shown(&top.server.name, 80)) } " " span class="by" { (number(top.count)) } } } }
                }
            }
        }
    }
}

impl Page for ShelfPage {
    fn head(&self) -> Head {
        let first = self.kind.path();
        let (path, title) = match self.list.page {
            1 => (first, self.kind.title.clone()),
            page => (format!("{first}?page={page}"), shown(&format!("{}, page {page}", self.kind.title), 49)),
        };
        let questions = self.kind.questions.iter().map(|(question, answer)| {
            json!({ "@type": "Question", "name": question, "acceptedAnswer": { "@type": "Answer", "text": answer } })
        });
        let mut graph = vec![json!({
            "@type": "CollectionPage",
            "name": self.kind.title,
            "description": self.kind.gist,
            "mainEntity": { "@type": "ItemList", "numberOfItems": self.list.total,
                "itemListElement": self.list.tools.iter().take(20).enumerate().map(|(at, tool)|
                    json!({ "@type": "ListItem", "position": at + 1, "url": tool.path })).collect::<Vec<_>>() },
        })];
        if self.list.page == 1 {
            graph.push(json!({ "@type": "FAQPage", "mainEntity": questions.collect::<Vec<_>>() }));
        }
        Head {
            title,
            description: self.kind.gist.clone(),
            path,
            robots: if self.list.page > 3 { Robots::Follow } else { Robots::Index },
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph,
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { (self.kind.title) @if self.list.page > 1 { ", page " (self.list.page) } }
            @if self.list.page == 1 { (self.text()) } @else { p { (self.kind.gist) " " a href=(self.kind.path()) { "How we decide, and a policy" } "." } }
            section {
                h2 id="tools" { "All of them" }
                @if self.list.tools.is_empty() { p class="empty" { "No tool of the catalogue is here." } }
                @else {
                    (rows::tools(&format!("{}, by the name of the server", self.counted()), &self.list.tools))
                    (layout::pager(&self.kind.path(), self.list.page, self.pages()))
                }
            }
            section {
                h2 id="neighbours" { "Beside it" }
                ul class="chips" { @for other in &self.neighbours { li { a class="chip" href=(other.path) { (other.title) " " (number(other.tools)) } } } }
            }
        }
    }

    fn markdown(&self) -> String {
        let kind = self.kind;
        let mut text = format!("# {}\n\n{}\n\n{}.\n", kind.title, kind.means, self.counted());
        if self.list.page == 1 {
            text.push_str("\n## How we decide\n\n");
            for rule in &kind.decide {
                let _ = writeln!(text, "- {rule}");
            }
            let _ = write!(text, "\n## A policy for it\n\n{}\n\n```json\n{}\n```\n\n", kind.advice, kind.policy.trim());
            for (call, outcome) in kind.calls() {
                let _ = writeln!(text, "- `{call}`: {outcome}");
            }
            text.push_str("\n## Questions\n");
            for (question, answer) in &kind.questions {
                let _ = write!(text, "\n**{question}** {answer}\n");
            }
            text.push_str("\n## Servers with the most of them\n\n");
            for top in &self.list.top {
                let name = markdown(&one_line(&top.server.name, 100));
                let _ = writeln!(text, "- [{name}]({}index.md): {}", top.server.path, top.count);
            }
        }
        let _ = write!(text, "\n## All of them, page {} of {}\n\n", self.list.page, self.pages());
        rows::tools_markdown(&mut text, &self.list.tools);
        text
    }
}
