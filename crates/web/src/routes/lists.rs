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
use jiff::Timestamp;
use jiff::civil::Date;
use policy::Class;
use risk::Facet;
use risk::patterns::patterns;
use store::catalogue::Shelf;

use super::{Shared, answer};
use crate::asked::{Path, Query};
use crate::failure::Failure;
use crate::form::Form;
use crate::pages::attack::AttackPage;
use crate::pages::attacks::Attacks;
use crate::pages::changes::{Changes, DAYS, DayLine, Shown};
use crate::pages::clients::{ClientPage, Clients};
use crate::pages::glossary::{Glossary, TermPage};
use crate::pages::home::Home;
use crate::pages::search::{SearchPage, Suggestion};
use crate::pages::servers::Servers;
use crate::pages::shelf::ShelfPage;
use crate::question::{Asked, Part, known};
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

/// The servers that are asked for.
pub(super) fn chosen(census: &Census, query: &Query) -> Result<Chosen, Failure> {
    let letter = query.value("letter")?.and_then(|letter| letter.chars().next());
    let mut chosen = Chosen { letter: letter.map(|letter| letter.to_ascii_lowercase()), ..Chosen::default() };
    for field in Field::ALL {
        if let Some(value) = query.one(field.as_str())? {
            known(census, field.as_str(), value)?;
            *chosen.field(field) = Some(value.to_owned());
        }
    }
    Ok(chosen)
}

async fn servers((State(site), Extension(form), headers): Asking, query: Query) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let chosen = chosen(&census, &query)?;
        let list = ServerList::of(&site.catalogue, &census, &chosen, query.page()?).await?;
        if list.servers.is_empty() && list.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(Servers::of(list, &census, &chosen))
    };
    answer(&site, form, &headers, made.await)
}

async fn class(asking: Asking, Path(word): Path<String>, query: Query) -> Response<Body> {
    shelf(asking, "class", &word, &query).await
}

async fn severity(asking: Asking, Path(word): Path<String>, query: Query) -> Response<Body> {
    shelf(asking, "severity", &word, &query).await
}

async fn facet(asking: Asking, Path(word): Path<String>, query: Query) -> Response<Body> {
    shelf(asking, "facet", &word, &query).await
}

/// What other people call it.
const ALIASES: [(&str, &str); 5] = [
    ("external_communication", "sends_external"),
    ("code_execution", "runs_code"),
    ("credential_access", "touches_credentials"),
    ("delete", "destructive"),
    ("payment", "financial"),
];

async fn shelf((State(site), Extension(form), headers): Asking, of: &str, word: &str, query: &Query) -> Response<Body> {
    let made = async {
        let own = word.to_lowercase().replace([' ', '-'], "_");
        let own = ALIASES.into_iter().find(|alias| alias.0 == own).map_or(own.as_str(), |alias| alias.1).to_owned();
        let kind = KINDS.iter().find(|kind| kind.of == of && kind.word == own).ok_or(Failure::NotFound)?;
        if own != word {
            return Err(Failure::Elsewhere(kind.path()));
        }
        let shelf = shelf_of(kind).ok_or(Failure::NotFound)?;
        let census = site.census().await?;
        let list = ToolList::of(&site.catalogue, &census, shelf, query.page()?).await?;
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

async fn all_changes((State(site), Extension(form), headers): Asking, query: Query) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let page = query.page()?;
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

async fn day((State(site), Extension(form), headers): Asking, Path(day): Path<String>, query: Query) -> Response<Body> {
    let made = async {
        let date: Date = day.parse().map_err(|_| Failure::NotFound)?;
        if date.to_string() != day {
            return Err(Failure::Elsewhere(format!("/changes/{date}/")));
        }
        let census = site.census().await?;
        let page = DayPage::of(&site.catalogue, &census, site.is_public(), date, query.page()?).await?;
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

async fn search((State(site), Extension(form), headers): Asking, query: Query) -> Response<Body> {
    let made = async {
        let asked = Asked::read(&site, &query).await?;
        let page = query.page()?;
        let limit = query.number("limit", (1, FOUND), FOUND)?;
        if page > DEEP {
            return Err(Failure::NotFound);
        }
        let found = found(&site, asked, page, limit).await?;
        if page > found.pages { Err(Failure::NotFound) } else { Ok(found) }
    };
    answer(&site, form, &headers, made.await)
}

async fn found(site: &Site, asked: Asked, page: usize, limit: usize) -> Result<SearchPage, Failure> {
    let answered = asked.answered(site, Part { offset: (page - 1) * limit, limit, whole: false }).await?;
    let census = site.census().await?;
    let total = answered.total;
    let suggestions = if total == 0 { suggestions(site, &asked)? } else { Vec::new() };
    Ok(SearchPage {
        pages: total.div_ceil(limit).clamp(1, DEEP),
        common: common(&census),
        asked,
        total,
        page,
        found: answered.found,
        suggestions,
    })
}

/// Questions like one that finds nothing: without what narrows it, and word by word.
fn suggestions(site: &Site, asked: &Asked) -> Result<Vec<Suggestion>, Failure> {
    let mut others: Vec<(String, Asked)> = Vec::new();
    if !asked.filters.is_empty() && !asked.words.is_empty() {
        let without = Asked { filters: Vec::new(), ..asked.clone() };
        others.push((format!("{} without anything that narrows it", asked.words), without));
    }
    let words: Vec<&str> = asked.words.split_whitespace().take(6).collect();
    if words.len() > 1 {
        others.extend(words.into_iter().map(|word| {
            let alone = Asked { words: word.to_owned(), ..asked.clone() };
            (format!("{word} alone"), alone)
        }));
    }
    let mut all = Vec::new();
    for (text, other) in others {
        let total = other.count(site)?;
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
