//! `/s/<publisher>/<server>/`: a server, its tools, and the policy for all of them.

mod facts;

use std::fmt::Write;

use catalogue::address::encoded;
use catalogue::incidents::{Incident, Kind};
use catalogue::pages::kin::{KinPage, Standing};
use catalogue::pages::recommended::Recommended;
use catalogue::pages::server::{ROWS, RULES, ServerPage};
use catalogue::start::{command, shell};
use maud::{Markup, html};
use serde_json::json as object;

use self::facts::{facts, named};
use crate::head::{Crumb, Head, Robots};
use crate::json;
use crate::layout;
use crate::page::Page;
use crate::text::{code, many, markdown, one_line, shown};

/// The most characters of a foreign description in a table.
const GIST: usize = 100;

/// The most bytes of a policy on the page; a longer one is cut, with a link to the whole.
const POLICY: usize = 4 << 10;

/// The tempers, and what each does.
pub(super) const TEMPERS: [(&str, &str, &str); 3] = [
    ("observe", "Observe", "Nothing is stopped; what the balanced rules would stop is recorded."),
    ("balanced", "Balanced", "Reading is free, changes are limited, deletions and payments wait for a person."),
    ("locked-down", "Locked down", "Changes wait for a person; what is worse does not exist for the agent."),
];

impl Page for ServerPage {
    fn head(&self) -> Head {
        let by = self.facts.publisher.as_deref().map(|publisher| format!(" by {publisher}")).unwrap_or_default();
        let copy = self.kin.as_ref().is_some_and(|kin| kin.is == Standing::Copy);
        let path = match self.page {
            1 => self.path.clone(),
            page => format!("{}?page={page}", self.path),
        };
        Head {
            title: shown(&format!("{}{by}: tools and risk", self.title), 60),
            description: shown(&self.verdict, 155),
            path,
            robots: if self.total == 0 || copy || self.facts.withdrawn || self.taken_for.is_some() {
                Robots::Follow
            } else {
                Robots::Index
            },
            crumbs: vec![Crumb::new("Catalogue", "/"), Crumb::new("Servers", "/servers/")],
            graph: vec![object!({
                "@type": "TechArticle",
                "headline": shown(&self.name, 100),
                "description": self.verdict,
                "dateModified": self.facts.last_seen.to_string(),
                "about": {
                    "@type": "SoftwareApplication",
                    "name": shown(&self.name, 100),
                    "applicationCategory": "MCP server",
                    "codeRepository": self.facts.repository,
                    "license": self.facts.licence,
                },
            })],
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { (shown(&self.title, 120)) }
            p class="lead" { (self.verdict) }
            (facts(&self.facts))
            @if let Some(description) = &self.description {
                figure {
                    blockquote lang=[self.language.as_deref()] { p { (shown(description, 1000)) } }
                    figcaption { "What the server says of itself" }
                }
            }
            @if self.facts.withdrawn {
                p class="note" {
                    "This server was withdrawn" @if let Some(since) = self.facts.listed_since { " on " (layout::day(since)) }
                    ": the registry that named it does not offer it any more. What is known of it stays here for those who still run it."
                }
            } @else if self.facts.listed == Some("deprecated") {
                p class="note" { "The registry says that nobody should begin to use this server." }
            }
            @if let Some(other) = &self.taken_for {
                p class="note" {
                    strong { "This could be taken for another server. " }
                    (shown(&other.reason, 300)) ". "
                    @if let Some(original) = &other.original { a href=(original.path) { (shown(&original.name, 80)) } }
                }
            }
            (incidents(&self.incidents))
            @if let Some(kin) = &self.kin { (related(kin)) }
            @if self.total > 0 { (self.table()) }
            @if let Some(policy) = &self.policy { (self.policy(policy)) }
            @if !self.chains.is_empty() {
                section {
                    h2 id="together" { "What its tools can do together" }
                    ul class="cards" {
                        @for chain in &self.chains {
                            li class="card" {
                                h3 { a href={ "/attacks/" (chain.pattern) "/" } { (chain.title) } }
                                p { (layout::severity(chain.severity)) }
                                p { (layout::prose(&chain.why)) }
                                p class="small" { (layout::prose(chain.remedy)) }
                            }
                        }
                    }
                }
            }
            p { a href={ "/stack/?s=" (encoded(&self.slug)) } { "See what it makes possible together with your other servers" } }
            (self.steps())
            (self.history())
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n", markdown(&self.name), self.verdict);
        for (name, value) in named(&self.facts) {
            let _ = writeln!(text, "- {name}: {}", markdown(&value));
        }
        if let Some(description) = &self.description {
            let _ = write!(text, "\n> {}\n", markdown(&one_line(description, 1000)));
        }
        if self.facts.withdrawn {
            text.push_str("\nThis server was withdrawn by the registry that named it.\n");
        }
        if let Some(other) = &self.taken_for {
            let _ = write!(text, "\nThis could be taken for another server: {}.\n", markdown(&other.reason));
        }
        if !self.incidents.is_empty() {
            text.push_str("\n## What happened\n\n");
        }
        for incident in &self.incidents {
            let links = incident.links.join(", ");
            let _ = writeln!(text, "- {}: {}. {} ({links})", incident.month, incident.title, incident.says);
        }
        if let Some(kin) = &self.kin {
            let _ = write!(text, "\n{}\n", standing(kin));
        }
        if self.total > 0 {
            text.push_str("\n## Tools\n\n| tool | severity | class | recommended rule |\n| --- | --- | --- | --- |\n");
            for row in &self.tools {
                let tool = &row.tool;
                let _ = writeln!(
                    text,
                    "| [{}]({}index.md) | {} | {} | {} |",
                    code(&tool.name),
                    tool.path,
                    tool.severity.as_str(),
                    tool.class.as_str(),
                    row.rule
                );
            }
        }
        if let Some(policy) = &self.policy {
            let document = json::lines(&policy.document);
            let _ = write!(text, "\n## Recommended policy ({})\n\n```json\n{document}\n```\n", policy.temper);
        }
        if !self.chains.is_empty() {
            text.push_str("\n## What its tools can do together\n\n");
            for chain in &self.chains {
                let _ = writeln!(text, "- [{}](/attacks/{}/index.md): {}", chain.title, chain.pattern, chain.why);
            }
        }
        text
    }
}

impl ServerPageParts for ServerPage {
    fn table(&self) -> Markup {
        let pages = self.total.div_ceil(ROWS);
        html! {
            section {
                h2 id="tools" { "Tools" }
                div class="wide" tabindex="0" role="region" aria-labelledby="tools" {
                    table {
                        thead {
                            tr { th scope="col" { "Tool" } th scope="col" { "Severity" } th scope="col" { "Class" } th scope="col" { "Rule" } }
                        }
                        tbody {
                            @for row in &self.tools {
                                tr {
                                    th scope="row" {
                                        a href=(row.tool.path.strip_prefix(self.path.as_str()).unwrap_or(&row.tool.path)) { (layout::name(&row.tool.name)) }
                                        @if !row.tool.description.is_empty() { p { (shown(&row.tool.description, GIST)) } }
                                    }
                                    td { (layout::level(row.tool.severity)) }
                                    td { (row.tool.class.as_str()) }
                                    td { (row.rule) }
                                }
                            }
                        }
                    }
                }
                (layout::pager(&self.path, self.page, pages))
            }
        }
    }

    fn policy(&self, policy: &Recommended) -> Markup {
        let document = json::beginning(&policy.document, POLICY);
        let file = format!("/policy/{}/{}.json", self.slug, policy.temper);
        let does = TEMPERS.iter().find(|(temper, ..)| *temper == policy.temper).map_or("", |(.., does)| does);
        html! {
            section {
                h2 id="policy" { "A policy for the whole server" }
                ul class="chips" {
                    @for (temper, name, _) in TEMPERS {
                        li {
                            @if temper == policy.temper { span class="chip" aria-current="true" { (name) } }
                            @else { a class="chip" href={ (self.path) "?policy=" (temper) "#policy" } { (name) } }
                        }
                    }
                }
                p { (does) " What no rule names is denied, tools that the server gains later too." }
                @if document.len() <= POLICY && self.total <= RULES {
                    (layout::snippet("server-policy", &document))
                } @else {
                    p { "The document has a rule for each of " (many(self.total, "tool", "tools")) ": " a href=(file) { "the whole of it" } "." }
                    (layout::snippet("server-policy", &layout::cut(&document, POLICY)))
                }
                p class="small" { a href=(file) download { "Download " (policy.temper) ".json" } }
                @if !policy.unnamed.is_empty() {
                    p class="small" { (many(policy.unnamed.len(), "tool has a name that no policy can hold; it stays denied.", "tools have names that no policy can hold; they stay denied.")) }
                }
            }
        }
    }

    fn steps(&self) -> Markup {
        let command = match (&self.facts.endpoint, &self.facts.package, self.facts.registry.as_deref()) {
            (Some(endpoint), ..) => format!("--upstream {}", shell(endpoint)),
            (None, Some(package), registry) if let Some(words) = command(registry, package) => {
                format!("-- {}", words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" "))
            }
            _ => "-- COMMAND THAT STARTS THE SERVER".to_owned(),
        };
        html! {
            @if self.policy.is_some() {
                section {
                    h2 id="use" { "Put it behind the gateway" }
                    ol {
                        li { "Save the policy as " code { "policy.json" } " and look at what it does: " code { "toolgate policy check policy.json" } }
                        li {
                            "In your agent's configuration, replace the server's command by this:"
                            (layout::snippet("run", &format!("toolgate run --policy policy.json {}", shown(&command, 300))))
                        }
                        li { "See every decision: " code { "toolgate logs" } }
                    }
                }
            }
        }
    }

    fn history(&self) -> Markup {
        html! {
            section {
                h2 id="history" { "History" }
                @if self.changes.is_empty() {
                    p { "No definition of this server has changed since " (layout::day(self.facts.first_seen)) ", when it was first seen." }
                } @else {
                    ul {
                        @for change in &self.changes {
                            li {
                                (layout::day(change.at)) ": " a href=(change.path) { code { (shown(&change.tool, 100)) } }
                                @if change.before == change.after { " has another definition" }
                                @else { " went from " (change.before.as_str()) " to " (change.after.as_str()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Sections of the page.
trait ServerPageParts {
    fn table(&self) -> Markup;
    fn policy(&self, policy: &Recommended) -> Markup;
    fn steps(&self) -> Markup;
    fn history(&self) -> Markup;
}

/// What became publicly known, with where it is described.
fn incidents(incidents: &[&Incident]) -> Markup {
    html! {
        @if !incidents.is_empty() {
            section {
                h2 id="incidents" { "What happened" }
                ul class="cards" {
                    @for incident in incidents {
                        li class="card" {
                            h3 { (incident.title) }
                            p class="small" {
                                (incident.month) ", "
                                @match incident.kind { Kind::Flaw => "a flaw", Kind::Malice => "harm that was meant" }
                            }
                            p { (incident.says) }
                            p class="small" {
                                @for (at, link) in incident.links.iter().enumerate() {
                                    @if at > 0 { " · " }
                                    a href=(link) rel="nofollow noopener" { (link.rsplit('/').next().unwrap_or(link)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What it is among its kin, in a sentence.
fn standing(kin: &KinPage) -> String {
    let count = kin.others.len() + kin.more + usize::from(kin.original.is_some());
    let servers = if count == 1 { "One other server has".to_owned() } else { format!("{count} other servers have") };
    match kin.is {
        Standing::Original => format!("{servers} the same tools; this is the original: {}.", kin.reason),
        Standing::Copy => format!("{servers} the same tools, and this is not the original: {}.", kin.reason),
        Standing::Undecided => format!("{servers} the same tools; which came first is {}.", kin.reason),
    }
}

fn related(kin: &KinPage) -> Markup {
    html! {
        div class="note" {
            p { (standing(kin)) }
            @if let Some(original) = &kin.original {
                p { "The original: " a href=(original.path) { (shown(&original.name, 100)) } @if let Some(by) = &original.publisher { " by " (shown(by, 60)) } }
            }
            @if !kin.others.is_empty() {
                details {
                    summary { "Servers with the same tools" }
                    ul { @for other in &kin.others { li { a href=(other.path) { (shown(&other.name, 100)) } @if let Some(by) = &other.publisher { " by " (shown(by, 60)) } } } }
                    @if kin.more > 0 { p { "and " (kin.more) " more" } }
                }
            }
        }
    }
}
