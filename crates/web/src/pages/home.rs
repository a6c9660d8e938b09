//! `/`: what this is, and the way to everything.

use std::fmt::Write;

use catalogue::pages::census::{Census, Day};
use catalogue::pages::changes::Change;
use catalogue::pages::lists::ServerRow;
use maud::{Markup, html};
use policy::Class;
use serde::Serialize;
use serde_json::json;
use store::catalogue::Shelf;

use super::attacks::AttackLine;
use super::{changes, rows};
use crate::head::Head;
use crate::layout::{self, search_box};
use crate::page::Page;
use crate::text::{many, markdown, number, one_line};
use crate::texts::KINDS;

/// What every tool has a page for, in a sentence.
const SAYS: &str =
    "Every tool of every known MCP server: what it does, how risky it is and why, and the policy that controls it.";

/// The home page.
#[derive(Debug, Serialize)]
pub(crate) struct Home {
    /// How many servers are known.
    servers: usize,
    /// How many tools.
    tools: u32,
    /// How many of these do more than read, in percent.
    changing_percent: u32,
    classes: Vec<Tile>,
    /// Servers that are new.
    pub(crate) newest: Vec<ServerRow>,
    /// Definitions that changed.
    pub(crate) changes: Vec<Change>,
    attack: Option<AttackLine>,
    #[serde(skip)]
    latest: Option<Day>,
}

/// A class and how many tools are of it.
#[derive(Debug, Serialize)]
struct Tile {
    word: &'static str,
    gist: &'static str,
    tools: u32,
}

impl Home {
    /// The page over a catalogue.
    pub(crate) fn of(census: &Census, newest: Vec<ServerRow>, changes: Vec<Change>) -> Self {
        let tools = census.tools();
        let reading = census.count(Shelf::Class(Class::Read)) + census.count(Shelf::Class(Class::Unclassified));
        let changing = u64::from(tools.saturating_sub(reading)) * 100 / u64::from(tools.max(1));
        let tile = |class: Class| {
            let kind = KINDS.iter().find(|kind| kind.of == "class" && kind.word == class.as_str())?;
            let tools = census.count(Shelf::Class(class));
            (class != Class::Unclassified || tools > 0).then_some(Tile {
                word: class.as_str(),
                gist: &kind.means,
                tools,
            })
        };
        Self {
            servers: census.servers().len(),
            tools,
            changing_percent: u32::try_from(changing).unwrap_or(100),
            classes: Class::ALL.into_iter().filter_map(tile).collect(),
            newest,
            changes,
            attack: AttackLine::latest(),
            latest: census.days().first().copied(),
        }
    }

    /// How much of all tools that many are.
    fn share(&self, tools: u32) -> Markup {
        let width = u64::from(tools) * 100 / u64::from(self.tools.max(1));
        html! {
            svg class="share" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" { rect width=(width.max(u64::from(tools > 0))) height="1" {} }
        }
    }

    fn servers(&self) -> u64 {
        u64::try_from(self.servers).unwrap_or(u64::MAX)
    }
}

/// The first sentence of a text.
fn first(text: &str) -> String {
    text.split_once(". ").map_or_else(|| text.to_owned(), |(first, _)| format!("{first}."))
}

/// The query for whatever does more than read.
const CHANGING: &str = "/search/?kind=tool&class=write&class=execute&class=destructive&class=financial";

impl Page for Home {
    fn head(&self) -> Head {
        Head {
            title: "What can your agents' tools do? · Toolgate".to_owned(),
            description: SAYS.to_owned(),
            path: "/".to_owned(),
            graph: vec![
                json!({ "@type": "WebSite", "name": "Toolgate", "url": "/", "potentialAction": {
                    "@type": "SearchAction", "target": "/search/?q={search_term_string}",
                    "query-input": "required name=search_term_string" } }),
                json!({ "@type": "Dataset", "name": "MCP servers and their tools, judged", "description": SAYS, "url": "/",
                    "dateModified": self.latest.map(|day| day.date.to_string()),
                    "distribution": [{ "@type": "DataDownload", "encodingFormat": "application/json", "contentUrl": "/servers/index.json" }] }),
            ],
            feed: Some("/changes/feed.atom".to_owned()),
            searches: true,
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            div class="hero" {
                h1 { "What can your agents’ tools do?" }
                p class="lead" { (SAYS) }
                (search_box(""))
                p { "Or put the servers together that you run, and " a href="/stack/" { "see everything that your agents can call" } "." }
                ul class="numbers" {
                    li { a href="/servers/" { strong { (number(self.servers())) } @if self.servers == 1 { " server" } @else { " servers" } } }
                    li { a href="/search/?kind=tool" { strong { (number(self.tools)) } @if self.tools == 1 { " tool" } @else { " tools" } } }
                    li { a href=(CHANGING) { strong { (self.changing_percent) " %" } " of them do more than read" } }
                }
            }
            section {
                h2 id="classes" { "By what a call does at its worst" }
                ul class="cards tight" {
                    @for tile in &self.classes {
                        li class="card" {
                            h3 { a href={ "/class/" (tile.word) "/" } { (crate::text::sentence(tile.word)) } " " span class="by" { (number(tile.tools)) } }
                            (self.share(tile.tools))
                            p class="small" { (first(tile.gist)) }
                        }
                    }
                }
            }
            @if !self.changes.is_empty() || !self.newest.is_empty() {
                section {
                    h2 id="changes" { "What changed" }
                    @if !self.changes.is_empty() { (changes::list(&self.changes)) }
                    @if !self.newest.is_empty() { (rows::servers("The newest servers", &self.newest)) }
                    p { a href="/changes/" { "Everything that changed" } ", also as a " a href="/changes/feed.atom" { "feed" } }
                }
            }
            @if let Some(attack) = &self.attack {
                section {
                    h2 id="attack" { "An attack to know" }
                    div class="card" {
                        (attack.card())
                        @if let Some(date) = attack.date() { p class="small" { "The latest case that we know is of " time datetime=(date) { (date) } ". " a href="/attacks/" { "All attack patterns" } } }
                    }
                }
            }
            section {
                h2 id="how" { "How it works" }
                ol {
                    li { "See what a server can do, and take a policy from that: " (layout::snippet("scan", "toolgate scan --policy balanced -- npx -y @modelcontextprotocol/server-filesystem /tmp/work > policy.json")) }
                    li { "Put the gateway in front of it, in " a href="/clients/" { "your client's file" } ": " (layout::snippet("run", "toolgate run --policy policy.json -- npx -y @modelcontextprotocol/server-filesystem /tmp/work")) }
                    li { "See every call and the rule that decided it: " (layout::snippet("logs", "toolgate logs")) }
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# What can your agents' tools do?\n\n{SAYS}\n\n- [{}](/servers/index.md)\n- {}, {} % of which do more than read; search: `/search/index.md?q=WORDS`\n",
            many(self.servers, "server", "servers"),
            many(self.tools, "tool", "tools"),
            self.changing_percent
        );
        for tile in &self.classes {
            let _ = writeln!(text, "- [{}](/class/{}/index.md): {}", tile.word, tile.word, tile.tools);
        }
        text.push_str("- [Attacks](/attacks/index.md)\n- [Glossary](/glossary/index.md)\n- [Clients](/clients/index.md)\n- [Changes](/changes/index.md)\n");
        if let Some(attack) = &self.attack {
            let _ = write!(text, "\n## An attack to know\n\n{}\n", attack.markdown());
        }
        if !self.newest.is_empty() {
            text.push_str("\n## The newest servers\n\n");
            for row in &self.newest {
                let name = markdown(&one_line(&row.server.name, 100));
                let _ = writeln!(text, "- [{name}]({}index.md)", row.server.path);
            }
        }
        text
    }
}
