//! The lists of the pages, for programs: the same order, the same pages.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use catalogue::pages::census::Chosen;
use catalogue::pages::changes::Since;
use catalogue::pages::lists::{ROWS, ServerList, ServerRow, ToolList};
use catalogue::pages::summary::ToolLine;
use serde::{Deserialize, Serialize};
use store::catalogue::Shelf;

use super::super::lists::{one_of, since};
use super::super::{Shared, known};
use super::answer;
use crate::asked::Query;
use crate::failure::Failure;

/// How the list of servers is narrowed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Servers {
    transport: Option<String>,
    licence: Option<String>,
    language: Option<String>,
    letter: Option<char>,
    #[serde(default)]
    page: usize,
}

/// A page of a list.
#[derive(Debug, Serialize)]
struct Listed<T> {
    /// How many there are.
    total: usize,
    /// Which page this is, from 1.
    page: usize,
    /// The next page, where there is one.
    next: Option<usize>,
    /// What stands on this page.
    #[serde(flatten)]
    rows: T,
}

#[derive(Debug, Serialize)]
struct ServerRows {
    servers: Vec<ServerRow>,
}

#[derive(Debug, Serialize)]
struct ToolRows {
    tools: Vec<ToolLine>,
}

impl<T> Listed<T> {
    /// A page; one behind the last is none.
    fn of(total: usize, page: usize, rows: T) -> Result<Self, Failure> {
        let pages = total.div_ceil(ROWS).max(1);
        if page > pages {
            return Err(Failure::NotFound);
        }
        Ok(Self { total, page, next: Some(page + 1).filter(|next| *next <= pages), rows })
    }
}

pub(super) async fn servers(State(site): Shared, headers: HeaderMap, Query(asked): Query<Servers>) -> Response<Body> {
    let made = async {
        let chosen = Chosen {
            transport: asked.transport,
            licence: asked.licence,
            language: asked.language,
            letter: asked.letter.map(|letter| letter.to_ascii_lowercase()),
        };
        let list = ServerList::of(&site.catalogue, &*site.census().await?, &chosen, asked.page).await?;
        Listed::of(list.total, list.page, ServerRows { servers: list.servers })
    };
    answer(&headers, made.await)
}

/// Which tools are listed: those of one class, one severity or one facet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tools {
    class: Option<String>,
    severity: Option<String>,
    facet: Option<String>,
    #[serde(default)]
    page: usize,
}

impl Tools {
    fn shelf(&self) -> Result<Shelf, Failure> {
        let asked = [("class", &self.class), ("severity", &self.severity), ("facet", &self.facet)];
        let mut asked = asked.into_iter().filter_map(|(of, word)| Some((of, word.as_ref()?)));
        match (asked.next(), asked.next()) {
            (Some((of, word)), None) => {
                one_of(of, word).ok_or_else(|| Failure::Unclear(format!("there is no such {of}")))
            }
            _ => Err(Failure::Unclear(
                "name one class, one severity or one facet; /api/v1/catalogue/search takes several".to_owned(),
            )),
        }
    }
}

pub(super) async fn tools(State(site): Shared, headers: HeaderMap, Query(asked): Query<Tools>) -> Response<Body> {
    let made = async {
        let shelf = asked.shelf()?;
        let list = ToolList::of(&site.catalogue, &*site.census().await?, shelf, asked.page).await?;
        let total = usize::try_from(list.total).unwrap_or(usize::MAX);
        Listed::of(total, list.page, ToolRows { tools: list.tools })
    };
    answer(&headers, made.await)
}

/// Since when, and of which server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    since: String,
    server: Option<String>,
    #[serde(default)]
    page: usize,
}

pub(super) async fn changes(State(site): Shared, headers: HeaderMap, Query(asked): Query<Changes>) -> Response<Body> {
    let made = async {
        let from = since(&asked.since)?;
        let server = match &asked.server {
            Some(slug) => Some(known(&site, slug).await?),
            None => None,
        };
        let census = site.census().await?;
        let made = Since::of(&site.catalogue, &census, site.is_public(), from, server.as_ref(), asked.page).await?;
        if made.page > 1 && made.is_empty() { Err(Failure::NotFound) } else { Ok(made) }
    };
    answer(&headers, made.await)
}
