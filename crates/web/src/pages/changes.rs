//! `/changes/` and `/changes/<day>/`: servers that are new, and definitions that gave way to others.

use std::fmt::Write;

use catalogue::pages::census::Day;
use catalogue::pages::changes::{Change, DayPage};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use super::rows;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::text::{many, markdown, number, one_line, shown};

/// Days of one page of the list.
pub(crate) const DAYS: usize = 50;

/// The days on which something changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// How many there are.
    pub(crate) total: usize,
    /// Which page this is, from 1.
    pub(crate) page: usize,
    /// The days of this page.
    pub(crate) days: Vec<DayLine>,
    /// The latest changes.
    pub(crate) latest: Vec<Change>,
}

/// A day.
#[derive(Debug, Serialize)]
pub(crate) struct DayLine {
    date: String,
    path: String,
    new_servers: u32,
    changed_definitions: u32,
}

impl DayLine {
    /// Of what is counted.
    pub(crate) fn of(day: &Day) -> Self {
        Self {
            date: day.date.to_string(),
            path: format!("/changes/{}/", day.date),
            new_servers: day.servers,
            changed_definitions: day.definitions,
        }
    }
}

/// How much is new and how much changed, in words.
fn counted(servers: u32, definitions: u32) -> String {
    let of = |count: u32, one, several| many(count, one, several);
    let servers = of(servers, "new server", "new servers");
    format!("{servers}, {}", of(definitions, "changed definition", "changed definitions"))
}

/// Definitions that changed, as a list.
pub(crate) fn list(changes: &[Change]) -> Markup {
    html! {
        ul {
            @for change in changes {
                li {
                    (layout::day(change.at)) ": " a href=(change.path) { code { (shown(&change.tool, 80)) } } " of " (shown(&change.server, 60))
                    @if change.before == change.after { " has another definition, and is still " (change.after.as_str()) }
                    @else { " went from " strong { (change.before.as_str()) } " to " strong { (change.after.as_str()) } }
                }
            }
        }
    }
}

/// What became of a definition that changed, in words.
pub(crate) fn became(change: &Change) -> String {
    match (change.before.as_str(), change.after.as_str()) {
        (before, after) if before == after => format!("another definition, still {after}"),
        (before, after) => format!("{before} → {after}"),
    }
}

fn list_markdown(text: &mut String, changes: &[Change]) {
    for change in changes {
        let _ = writeln!(
            text,
            "- {}: [{}]({}index.md) of {}: {}",
            change.at.strftime("%Y-%m-%d"),
            markdown(&one_line(&change.tool, 100)),
            change.path,
            markdown(&one_line(&change.server, 60)),
            became(change)
        );
    }
}

impl Page for Changes {
    fn head(&self) -> Head {
        Head {
            title: if self.page == 1 { "What changed".to_owned() } else { format!("What changed, page {}", self.page) },
            description: "New MCP servers, and tools whose definition is another than before: day by day, with the class before and after.".to_owned(),
            path: if self.page == 1 { "/changes/".to_owned() } else { format!("/changes/?page={}", self.page) },
            robots: if self.page > 3 { Robots::Follow } else { Robots::Index },
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph: vec![json!({ "@type": "CollectionPage", "name": "What changed", "mainEntity": { "@type": "ItemList",
                "itemListElement": self.days.iter().enumerate().map(|(at, day)|
                    json!({ "@type": "ListItem", "position": at + 1, "name": day.date, "url": day.path })).collect::<Vec<_>>() } })],
            feed: Some("/changes/feed.atom".to_owned()),
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { "What changed" }
            p class="lead" { "Servers that are new, and tools whose definition is another than before. A changed definition is what " a href="/glossary/rug-pull/" { "a rug pull" } " looks like from outside; mostly it is a new version." }
            p { a href="/changes/feed.atom" { "Follow it as a feed" } }
            @if !self.latest.is_empty() { section { h2 id="latest" { "The latest definitions" } (list(&self.latest)) } }
            section {
                h2 id="days" { "Day by day" }
                @if self.days.is_empty() { p { "Nothing has been imported yet." } }
                @else {
                    div class="wide" tabindex="0" role="region" aria-labelledby="days" {
                        table {
                            caption { "Days on which something changed, in UTC" }
                            thead { tr { th scope="col" { "Day" } th scope="col" class="number" { "New servers" } th scope="col" class="number" { "Changed definitions" } } }
                            tbody { @for day in &self.days { tr { th scope="row" { a href=(day.path) { (day.date) } } td class="number" data-label="New servers:" { (number(day.new_servers)) } td class="number" data-label="Changed definitions:" { (number(day.changed_definitions)) } } } }
                        }
                    }
                    (layout::pager("/changes/", self.page, self.total.div_ceil(DAYS)))
                }
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = "# What changed\n\n".to_owned();
        list_markdown(&mut text, &self.latest);
        text.push_str("\n## Day by day\n\n");
        for day in &self.days {
            let _ = writeln!(
                text,
                "- [{}]({}index.md): {}",
                day.date,
                day.path,
                counted(day.new_servers, day.changed_definitions)
            );
        }
        text
    }
}

/// The page of a day.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Shown(pub(crate) DayPage);

impl Shown {
    fn path(&self) -> String {
        format!("/changes/{}/", self.0.date)
    }
}

impl Page for Shown {
    fn head(&self) -> Head {
        let day = &self.0;
        let path = self.path();
        Head {
            title: format!("What changed on {}", day.date),
            description: format!(
                "MCP servers and their tools on {}: {}.",
                day.date,
                counted(day.new_servers, day.changed_definitions)
            ),
            path: if day.page == 1 { path } else { format!("{path}?page={}", day.page) },
            robots: if day.page > 3 { Robots::Follow } else { Robots::Index },
            crumbs: vec![Crumb::new("Catalogue", "/"), Crumb::new("Changes", "/changes/")],
            feed: Some("/changes/feed.atom".to_owned()),
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let day = &self.0;
        html! {
            h1 { "What changed on " (day.date) }
            p class="lead" { (counted(day.new_servers, day.changed_definitions)) "." }
            @if !day.definitions.is_empty() { section { h2 id="definitions" { "Changed definitions" } (list(&day.definitions)) } }
            @if !day.servers.is_empty() { section { h2 id="servers" { "New servers" } (rows::servers("New servers, by name", &day.servers)) } }
            (layout::pager(&self.path(), day.page, day.pages()))
        }
    }

    fn markdown(&self) -> String {
        let day = &self.0;
        let mut text = format!("# What changed on {}\n\n", day.date);
        list_markdown(&mut text, &day.definitions);
        text.push_str("\n## New servers\n\n");
        rows::servers_markdown(&mut text, &day.servers);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::Class;

    #[test]
    fn a_change_says_what_it_changed() {
        let change = |before, after| Change {
            tool: "send".to_owned(),
            path: "/s/a/b/send/".to_owned(),
            server: "b".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            before,
            after,
        };
        assert_eq!(became(&change(Class::Write, Class::Destructive)), "write → destructive");
        let same = became(&change(Class::Destructive, Class::Destructive));
        assert_eq!(same, "another definition, still destructive");
        let told = [(0, 0), (1, 1), (2, 1_234)].map(|(servers, definitions)| counted(servers, definitions));
        assert_eq!(
            told,
            [
                "0 new servers, 0 changed definitions",
                "1 new server, 1 changed definition",
                "2 new servers, 1,234 changed definitions"
            ]
        );
    }
}
