//! Home, search, and every page that lists: servers, classes, severities, facets, attacks, words, clients, changes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use axum::{Extension, Router};
use catalogue::address::{server_path, tool_path};
use catalogue::pages::census::{Census, Chosen, Field, SEVERITIES};
use catalogue::pages::changes::{DayPage, changes};
use catalogue::pages::lists::{ServerList, ToolList, rows};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use policy::Class;
use risk::Facet;
use risk::patterns::patterns;
use search::{Filter, Kind};
use serde::Deserialize;
use store::catalogue::Shelf;

use super::{Shared, answer};
use crate::asked::{PAGES, Path, Query};
use crate::failure::Failure;
use crate::form::Form;
use crate::pages::attack::AttackPage;
use crate::pages::attacks::Attacks;
use crate::pages::changes::{Changes, DAYS, DayLine, Shown};
use crate::pages::clients::{ClientPage, Clients};
use crate::pages::glossary::{Glossary, TermPage};
use crate::pages::home::Home;
use crate::pages::search::{Asked, FIELDS, SearchPage, Suggestion, folded, read};
use crate::pages::servers::Servers;
use crate::pages::shelf::ShelfPage;
use crate::site::Site;
use crate::texts::{self, CLIENTS, KINDS, TERMS};

/// Entries of one page of what was found.
const FOUND: usize = 50;

/// Pages of what was found that can be seen.
const DEEP: usize = 100;

/// The pages that list.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(home))
        .route("/search/", get(search))
        .route("/servers/", get(servers))
        .route("/class/{word}/", get(class))
        .route("/severity/{word}/", get(severity))
        .route("/facet/{word}/", get(facet))
        .route("/attacks/", get(attacks))
        .route("/attacks/{id}/", get(attack))
        .route("/glossary/", get(glossary))
        .route("/glossary/{word}/", get(term))
        .route("/clients/", get(clients))
        .route("/clients/{word}/", get(client))
        .route("/changes/", get(all_changes))
        .route("/changes/{day}/", get(day))
        .route("/tools/{server}/{tool}/", get(tool))
}

/// The address that is meant by one that nothing has: a section in another case or by another name.
pub(super) fn elsewhere(path: &str) -> Option<String> {
    let (section, rest) = path.strip_prefix('/')?.split_once('/')?;
    let lower = section.to_ascii_lowercase();
    let known = match lower.as_str() {
        "classes" => "class",
        "severities" => "severity",
        "facets" => "facet",
        "attack" => "attacks",
        "client" => "clients",
        "server" => "servers",
        same @ ("s" | "class" | "severity" | "facet" | "attacks" | "servers" | "search" | "glossary" | "clients"
        | "changes" | "stack" | "tools") => same,
        _ => return None,
    };
    (known != section).then(|| format!("/{known}/{rest}"))
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
struct Paged {
    #[serde(default)]
    page: usize,
}

type Asking = (Shared, Extension<Form>, HeaderMap);

async fn home((State(site), Extension(form), headers): Asking) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let newest: Vec<i64> = census.newest().iter().take(5).copied().collect();
        let newest = rows(&site.catalogue, &census, &newest).await?;
        let ever = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let changed = changes(&site.catalogue, &census, site.is_public(), ever, 5, 0).await?;
        Ok(Home::of(&census, newest, changed))
    };
    answer(&site, form, &headers, made.await)
}

/// How a list of servers is narrowed.
#[derive(Debug, Deserialize)]
struct Narrowed {
    transport: Option<String>,
    licence: Option<String>,
    language: Option<String>,
    letter: Option<String>,
    #[serde(default)]
    page: usize,
}

async fn servers((State(site), Extension(form), headers): Asking, Query(asked): Query<Narrowed>) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let chosen = Chosen {
            transport: said(asked.transport),
            licence: said(asked.licence),
            language: said(asked.language),
            letter: asked.letter.and_then(|letter| letter.chars().next()).map(|letter| letter.to_ascii_lowercase()),
        };
        let list = ServerList::of(&site.catalogue, &census, &chosen, asked.page).await?;
        if list.servers.is_empty() && list.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(Servers::of(list, &census, &chosen))
    };
    answer(&site, form, &headers, made.await)
}

async fn class(asking: Asking, Path(word): Path<String>, Query(paged): Query<Paged>) -> Response<Body> {
    shelf(asking, "class", &word, &paged).await
}

async fn severity(asking: Asking, Path(word): Path<String>, Query(paged): Query<Paged>) -> Response<Body> {
    shelf(asking, "severity", &word, &paged).await
}

async fn facet(asking: Asking, Path(word): Path<String>, Query(paged): Query<Paged>) -> Response<Body> {
    shelf(asking, "facet", &word, &paged).await
}

/// What other people call it.
const ALIASES: [(&str, &str); 5] = [
    ("external_communication", "sends_external"),
    ("code_execution", "runs_code"),
    ("credential_access", "touches_credentials"),
    ("delete", "destructive"),
    ("payment", "financial"),
];

async fn shelf((State(site), Extension(form), headers): Asking, of: &str, word: &str, paged: &Paged) -> Response<Body> {
    let made = async {
        let own = word.to_lowercase().replace([' ', '-'], "_");
        let own = ALIASES.into_iter().find(|alias| alias.0 == own).map_or(own.as_str(), |alias| alias.1).to_owned();
        let kind = KINDS.iter().find(|kind| kind.of == of && kind.word == own).ok_or(Failure::NotFound)?;
        if own != word {
            return Err(Failure::Elsewhere(kind.path()));
        }
        let shelf = shelf_of(kind).ok_or(Failure::NotFound)?;
        let census = site.census().await?;
        let list = ToolList::of(&site.catalogue, &census, shelf, paged.page).await?;
        if list.tools.is_empty() && list.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(ShelfPage::of(kind, list, |other| shelf_of(other).map_or(0, |shelf| census.count(shelf))))
    };
    answer(&site, form, &headers, made.await)
}

/// The tools that a text is about.
fn shelf_of(kind: &texts::Kind) -> Option<Shelf> {
    one_of(&kind.of, &kind.word)
}

/// The tools of a class, a severity or a facet.
pub(super) fn one_of(of: &str, word: &str) -> Option<Shelf> {
    match of {
        "class" => Class::ALL.into_iter().find(|one| one.as_str() == word).map(Shelf::Class),
        "severity" => SEVERITIES.into_iter().find(|one| one.as_str() == word).map(Shelf::Severity),
        "facet" => Facet::ALL.into_iter().find(|one| one.as_str() == word).map(Shelf::Facet),
        _ => None,
    }
}

async fn attacks((State(site), Extension(form), headers): Asking) -> Response<Body> {
    answer(&site, form, &headers, Ok(Attacks::all()))
}

async fn attack((State(site), Extension(form), headers): Asking, Path(id): Path<String>) -> Response<Body> {
    let made = async {
        let own = hyphened(&id);
        let pattern = patterns().find(|pattern| pattern.id == own).ok_or(Failure::NotFound)?;
        if own != id {
            return Err(Failure::Elsewhere(format!("/attacks/{own}/")));
        }
        Ok(AttackPage::of(pattern, &*site.census().await?))
    };
    answer(&site, form, &headers, made.await)
}

/// A name as addresses have it.
fn hyphened(word: &str) -> String {
    word.to_lowercase().replace([' ', '_'], "-")
}

async fn glossary((State(site), Extension(form), headers): Asking) -> Response<Body> {
    answer(&site, form, &headers, Ok(Glossary::all()))
}

async fn term((State(site), Extension(form), headers): Asking, Path(word): Path<String>) -> Response<Body> {
    let own = hyphened(&word);
    let made = match TERMS.iter().find(|term| term.word == own) {
        Some(_) if own != word => Err(Failure::Elsewhere(format!("/glossary/{own}/"))),
        Some(term) => Ok(TermPage(term)),
        None => Err(Failure::NotFound),
    };
    answer(&site, form, &headers, made)
}

async fn clients((State(site), Extension(form), headers): Asking) -> Response<Body> {
    answer(&site, form, &headers, Ok(Clients::all()))
}

async fn client((State(site), Extension(form), headers): Asking, Path(word): Path<String>) -> Response<Body> {
    let own = hyphened(&word);
    let made = match CLIENTS.iter().find(|client| client.word == own) {
        Some(_) if own != word => Err(Failure::Elsewhere(format!("/clients/{own}/"))),
        Some(client) => Ok(ClientPage(client)),
        None => Err(Failure::NotFound),
    };
    answer(&site, form, &headers, made)
}

async fn all_changes((State(site), Extension(form), headers): Asking, Query(paged): Query<Paged>) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let page = paged.page.max(1);
        let skip = (page - 1).saturating_mul(DAYS);
        let days: Vec<DayLine> = census.days().iter().skip(skip).take(DAYS).map(DayLine::of).collect();
        if days.is_empty() && page > 1 {
            return Err(Failure::NotFound);
        }
        let ever = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let latest = match page {
            1 => changes(&site.catalogue, &census, site.is_public(), ever, 30, 0).await?,
            _ => Vec::new(),
        };
        Ok(Changes { total: census.days().len(), page, days, latest })
    };
    answer(&site, form, &headers, made.await)
}

async fn day(
    (State(site), Extension(form), headers): Asking,
    Path(day): Path<String>,
    Query(paged): Query<Paged>,
) -> Response<Body> {
    let made = async {
        let date: Date = day.parse().map_err(|_| Failure::NotFound)?;
        if date.to_string() != day {
            return Err(Failure::Elsewhere(format!("/changes/{date}/")));
        }
        let census = site.census().await?;
        let page = DayPage::of(&site.catalogue, &census, site.is_public(), date, paged.page).await?;
        page.filter(|page| page.page <= page.pages()).map(Shown).ok_or(Failure::NotFound)
    };
    answer(&site, form, &headers, made.await)
}

/// `/tools/<server>/<tool>`, as other catalogues have it: leads to our page.
async fn tool(
    State(site): Shared,
    Extension(form): Extension<Form>,
    Path((server, tool)): Path<(String, String)>,
) -> Response<Body> {
    let failure = match meant(&site, &server, &tool).await {
        Ok(path) => Failure::Elsewhere(path),
        Err(failure) => failure,
    };
    failure.answer(&site, form)
}

async fn meant(site: &Site, server: &str, tool: &str) -> Result<String, Failure> {
    let server = super::known(site, server).await?;
    let tools = site.catalogue.tools_of(server.id).await?;
    let like = |name: &str| name.to_lowercase().replace('-', "_");
    let found = tools.iter().find(|one| one.name == tool);
    let found = found.or_else(|| tools.iter().find(|one| like(&one.name) == like(tool)));
    Ok(found.map_or_else(|| server_path(&server), |found| tool_path(&server, &found.name)))
}

async fn search(
    (State(site), Extension(form), headers): Asking,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response<Body> {
    let made = async {
        let mut asked = Asked::default();
        let (mut page, mut limit) = (1, FOUND);
        for (field, value) in pairs {
            match field.as_str() {
                "q" => asked.words = value.trim_start().chars().take(200).collect(),
                "page" => page = number(&value)?.max(1),
                "limit" => limit = number(&value)?.clamp(1, FOUND),
                _ if value.is_empty() => {}
                _ if FIELDS.iter().any(|known| known.0 == field) && asked.filters.len() < 20 => {
                    asked.filters.push((field, value));
                }
                _ => {}
            }
        }
        asked.filters.dedup();
        if page > DEEP {
            return Err(Failure::NotFound);
        }
        let found = found(&site, asked, page, limit).await?;
        if page > found.pages { Err(Failure::NotFound) } else { Ok(found) }
    };
    answer(&site, form, &headers, made.await)
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse().map_err(|_| Failure::Unclear(PAGES.to_owned()))
}

/// The question as the index takes it.
fn query(asked: &Asked, limit: usize, offset: usize) -> Result<search::Query, Failure> {
    let mut query =
        search::Query { words: asked.words.clone(), offset, limit, count: true, ..search::Query::default() };
    for (field, value) in &asked.filters {
        match field.as_str() {
            "kind" => query.kind = [Kind::Server, Kind::Tool].into_iter().find(|kind| kind.as_str() == value),
            "since" => query.changed_since = Some(since(value)?.as_microsecond()),
            _ => query.filters.push(Filter { field: field.clone(), value: value.clone() }),
        }
    }
    Ok(query)
}

/// `7d`, a day, or a time.
pub(crate) fn since(value: &str) -> Result<Timestamp, Failure> {
    let unclear = || Failure::Unclear("Say since when as a day, 2026-11-01, or as a number of days, 7d.".to_owned());
    if let Some(days) = value.strip_suffix('d') {
        let days: i64 = days.parse().map_err(|_| unclear())?;
        let span = SignedDuration::from_hours(days.clamp(0, 100_000) * 24);
        return Timestamp::now().checked_sub(span).map_err(|_| unclear());
    }
    if let Ok(time) = value.parse() {
        return Ok(time);
    }
    let date: Date = value.parse().map_err(|_| unclear())?;
    catalogue::pages::census::bounds(date).map(|bounds| bounds.0).ok_or_else(unclear)
}

async fn found(site: &Site, asked: Asked, page: usize, limit: usize) -> Result<SearchPage, Failure> {
    let hits = site.search(query(&asked, limit, (page - 1) * limit)?)?;
    let census = site.census().await?;
    let found = folded(site, read(site, &hits.hits, false).await?).await?;
    let total = hits.total.unwrap_or(found.len());
    let suggestions = if total == 0 { suggestions(site, &asked)? } else { Vec::new() };
    Ok(SearchPage {
        pages: total.div_ceil(limit).clamp(1, DEEP),
        common: common(&census),
        asked,
        total,
        page,
        found,
        suggestions,
    })
}

/// Questions like one that finds nothing: without what narrows it, and word by word.
fn suggestions(site: &Site, asked: &Asked) -> Result<Vec<Suggestion>, Failure> {
    let mut others: Vec<(String, Asked)> = Vec::new();
    if !asked.filters.is_empty() && !asked.words.is_empty() {
        let without = Asked { words: asked.words.clone(), filters: Vec::new() };
        others.push((format!("{} without anything that narrows it", asked.words), without));
    }
    let words: Vec<&str> = asked.words.split_whitespace().take(6).collect();
    if words.len() > 1 {
        others.extend(words.into_iter().map(|word| {
            let alone = Asked { words: word.to_owned(), filters: asked.filters.clone() };
            (format!("{word} alone"), alone)
        }));
    }
    let mut all = Vec::new();
    for (text, other) in others {
        let total = site.search(query(&other, 1, 0)?)?.total.unwrap_or(0);
        if total > 0 {
            all.push(Suggestion { text, path: other.path(), total });
        }
    }
    Ok(all)
}

/// The values that most servers have.
fn common(census: &Census) -> Vec<(&'static str, Vec<String>)> {
    let most = |field| census.values(field, &Chosen::default(), 6);
    let lower = |field| most(field).into_iter().map(|(value, _)| value.to_lowercase()).collect();
    Field::ALL.into_iter().map(|field| (field.as_str(), lower(field))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_lead_to_ours() {
        assert_eq!(elsewhere("/Class/Write/").as_deref(), Some("/class/Write/"));
        assert_eq!(elsewhere("/attack/mcp-rug-pull/").as_deref(), Some("/attacks/mcp-rug-pull/"));
        assert_eq!(elsewhere("/class/nothing/"), None);
        assert_eq!(elsewhere("/nothing/"), None);
        assert_eq!(hyphened("Rug_Pull"), "rug-pull");
    }

    #[test]
    fn every_text_has_a_shelf() {
        assert!(KINDS.iter().all(|kind| shelf_of(kind).is_some()));
    }
}
