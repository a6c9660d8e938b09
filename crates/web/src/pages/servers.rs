//! `/servers/`: every server, in the order of its name, narrowed by links.

use catalogue::address::encoded;
use catalogue::pages::census::{Census, Chosen, Field};
use catalogue::pages::lists::{ROWS, ServerList};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use super::rows;
use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::page::Page;
use crate::text::{many, number, one_line, sentence, shown};

/// Values of a field that are offered.
const OFFERED: usize = 8;

/// The list of servers.
#[derive(Debug, Serialize)]
pub(crate) struct Servers {
    /// The page of the list.
    #[serde(flatten)]
    pub(crate) list: ServerList,
    /// What narrows it.
    pub(crate) narrowed: Vec<(&'static str, String)>,
    /// What could narrow it further.
    #[serde(skip)]
    pub(crate) offers: Vec<Offer>,
}

/// Values of a field by which a list can be narrowed.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The name of the field.
    name: &'static str,
    /// Value, path and how many have it.
    values: Vec<(String, String, usize)>,
}

impl Servers {
    /// The page of a list.
    pub(crate) fn of(list: ServerList, census: &Census, chosen: &Chosen) -> Self {
        let narrowed = fields(chosen).into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
        let offers = Field::ALL.into_iter().map(|field| offer(field, census, chosen)).collect();
        Self { list, narrowed, offers }
    }

    fn path(&self) -> String {
        query(&self.narrowed)
    }

    fn pages(&self) -> usize {
        self.list.total.div_ceil(ROWS).max(1)
    }
}

/// The fields by which the list is narrowed.
fn fields(chosen: &Chosen) -> [(&'static str, Option<String>); 4] {
    [
        ("letter", chosen.letter.map(String::from)),
        ("transport", chosen.transport.clone()),
        ("licence", chosen.licence.clone()),
        ("language", chosen.language.clone()),
    ]
}

fn path_of(chosen: &Chosen) -> String {
    let set: Vec<_> = fields(chosen).into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    query(&set)
}

fn query(set: &[(&'static str, String)]) -> String {
    let words: Vec<String> = set.iter().map(|(field, value)| format!("{field}={}", encoded(value))).collect();
    if words.is_empty() { "/servers/".to_owned() } else { format!("/servers/?{}", words.join("&")) }
}

fn offer(field: Field, census: &Census, chosen: &Chosen) -> Offer {
    let mut without = chosen.clone();
    let set = without.field(field).take();
    let values = census.values(field, &without, OFFERED).into_iter();
    let others = values.filter(|(value, _)| set.as_ref().is_none_or(|set| !set.eq_ignore_ascii_case(value)));
    let values = others.map(|(value, count)| {
        let mut with = without.clone();
        *with.field(field) = Some(value.to_owned());
        (value.to_owned(), path_of(&with), count)
    });
    Offer { name: field.as_str(), values: values.collect() }
}

impl Page for Servers {
    fn head(&self) -> Head {
        let path = match (self.list.page, self.path()) {
            (1, path) => path,
            (page, path) if path.contains('?') => format!("{path}&page={page}"),
            (page, path) => format!("{path}?page={page}"),
        };
        let narrow: Vec<String> = self.narrowed.iter().map(|(_, value)| one_line(value, 20)).collect();
        let of = if narrow.is_empty() { String::new() } else { format!(": {}", narrow.join(", ")) };
        let page = if self.list.page > 1 { format!(", page {}", self.list.page) } else { String::new() };
        let deep = self.list.page > 3 || self.narrowed.len() > 1 || self.list.total == 0;
        Head {
            title: shown(&format!("MCP servers{of}{page}"), 49),
            description: format!(
                "{} with what their tools can do: counted by class, with the severity of the worst.",
                many(self.list.total, "MCP server", "MCP servers")
            ),
            path,
            robots: if deep { Robots::Follow } else { Robots::Index },
            crumbs: vec![Crumb::new("Catalogue", "/")],
            graph: vec![json!({
                "@type": "CollectionPage",
                "name": "MCP servers",
                "mainEntity": { "@type": "ItemList", "numberOfItems": self.list.total,
                    "itemListElement": self.list.servers.iter().take(20).enumerate().map(|(at, row)|
                        json!({ "@type": "ListItem", "position": at + 1, "url": row.server.path })).collect::<Vec<_>>() },
            })],
            feed: Some("/changes/feed.atom".to_owned()),
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        let count = many(self.list.total, "server", "servers");
        html! {
            h1 { "MCP servers" }
            p class="lead" { (count) ", in the order of their names. Each has a page with its tools, what they can do, and a policy for all of them." }
            @if !self.narrowed.is_empty() {
                p class="chips" {
                    @for (field, value) in &self.narrowed {
                        @let rest: Vec<_> = self.narrowed.iter().filter(|one| one.0 != *field).cloned().collect();
                        a class="chip" href=(query(&rest)) { (field) ": " (shown(value, 40)) " " span aria-hidden="true" { "×" } span class="unseen" { " remove" } }
                    }
                }
            }
            nav aria-label="First letter" {
                ul class="letters" {
                    @for letter in ('a'..='z').chain(['0']) {
                        li { a href={ "/servers/?letter=" (letter) } { @if letter == '0' { "other" } @else { (letter.to_ascii_uppercase()) } } }
                    }
                }
            }
            @for offer in self.offers.iter().filter(|offer| !offer.values.is_empty()) {
                p class="offer" {
                    span class="by" { (sentence(offer.name)) ": " }
                    @for (at, (value, path, count)) in offer.values.iter().enumerate() {
                        @if at > 0 { " · " }
                        a href=(path) { (shown(value, 40)) } " " span class="by" { (number(u64::try_from(*count).unwrap_or(0))) }
                    }
                }
            }
            @if self.list.servers.is_empty() {
                div class="empty" { p { "No server is like that. " a href="/servers/" { "See all of them" } "." } }
            } @else {
                (rows::servers(&count, &self.list.servers))
                (layout::pager(&self.path(), self.list.page, self.pages()))
            }
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# MCP servers\n\n{}; page {} of {}.\n\n",
            many(self.list.total, "server", "servers"),
            self.list.page,
            self.pages()
        );
        rows::servers_markdown(&mut text, &self.list.servers);
        text
    }
}
