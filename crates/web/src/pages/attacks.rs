//! `/attacks/`: every pattern, by what it belongs to.

use std::fmt::Write;

use maud::{Markup, html};
use risk::patterns::{Group, Pattern, patterns};
use serde::Serialize;
use serde_json::json;

use crate::head::{Crumb, Head};
use crate::layout;
use crate::page::Page;

/// The list of attack patterns.
#[derive(Debug, Serialize)]
pub(crate) struct Attacks {
    attacks: Vec<AttackLine>,
}

/// A pattern in a line.
#[derive(Debug, Serialize)]
pub(crate) struct AttackLine {
    id: &'static str,
    title: &'static str,
    group: &'static str,
    severity: &'static str,
    status: &'static str,
    summary: &'static str,
    path: String,
    latest: Option<&'static str>,
    #[serde(skip)]
    pattern: &'static Pattern,
}

impl AttackLine {
    /// Of a pattern.
    pub(crate) fn of(pattern: &'static Pattern) -> Self {
        Self {
            id: pattern.id,
            title: pattern.title,
            group: pattern.group.title(),
            severity: pattern.severity.as_str(),
            status: pattern.status().as_str(),
            summary: pattern.summary,
            path: path(pattern),
            latest: pattern.incidents.iter().map(|incident| incident.date).max(),
            pattern,
        }
    }

    /// The one of which the latest case is known.
    pub(crate) fn latest() -> Option<Self> {
        patterns().map(Self::of).filter(|line| line.latest.is_some()).max_by_key(|line| line.latest)
    }

    /// The card of the pattern.
    pub(crate) fn card(&self) -> Markup {
        html! {
            h3 { a href=(self.path) { (self.title) } }
            p { (layout::severity(self.pattern.severity)) " " span class="chip" { (self.status) } }
            p { (layout::prose(self.summary)) }
        }
    }

    /// The line in Markdown.
    pub(crate) fn markdown(&self) -> String {
        format!("[{}]({}index.md), {}, {}: {}", self.title, self.path, self.severity, self.status, self.summary)
    }

    /// The date of the latest case.
    pub(crate) fn date(&self) -> Option<&'static str> {
        self.latest
    }
}

/// The path of a pattern's page.
pub(crate) fn path(pattern: &Pattern) -> String {
    format!("/attacks/{}/", pattern.id)
}

impl Attacks {
    /// All of them.
    pub(crate) fn all() -> Self {
        Self { attacks: patterns().map(AttackLine::of).collect() }
    }
}

impl Page for Attacks {
    fn head(&self) -> Head {
        Head {
            title: "Attacks on agents and their tools".to_owned(),
            description: format!(
                "{} ways in which agents and MCP servers are attacked or fail: how each works, what has happened, and the tested policy that breaks it.",
                self.attacks.len()
            ),
            path: "/attacks/".to_owned(),
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph: vec![json!({
                "@type": "CollectionPage",
                "name": "Attacks on agents and their tools",
                "mainEntity": { "@type": "ItemList", "numberOfItems": self.attacks.len(),
                    "itemListElement": self.attacks.iter().enumerate().map(|(at, line)|
                        json!({ "@type": "ListItem", "position": at + 1, "name": line.title, "url": line.path }))
                        .collect::<Vec<_>>() },
            })],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "Attacks on agents and their tools" }
            p class="lead" { (self.attacks.len()) " ways in which agents are attacked, or fail by themselves: how each works, what has happened, what breaks it, and what remains." }
            p { "Each rule on these pages is tested with a call that it stops and one that still works. " em { "Verified" } " has happened to somebody; " em { "demonstrated" } " was shown by researchers, or was a hole in a product; " em { "partial" } " has no public case here." }
            @for group in Group::ALL {
                section {
                    h2 id=(format!("{group:?}").to_ascii_lowercase()) { (group.title()) }
                    ul class="cards" {
                        @for line in self.attacks.iter().filter(|line| line.pattern.group == group) { li class="card" { (line.card()) } }
                    }
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = "# Attacks on agents and their tools\n".to_owned();
        for group in Group::ALL {
            let _ = write!(text, "\n## {}\n\n", group.title());
            for line in self.attacks.iter().filter(|line| line.pattern.group == group) {
                let _ = writeln!(text, "- {}", line.markdown());
            }
        }
        text
    }
}
