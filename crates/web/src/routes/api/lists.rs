//! The lists of the pages, for programs: the same order, the same pages.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use catalogue::pages::changes::Since;
use catalogue::pages::lists::{ROWS, ServerList, ServerRow, ToolList};
use catalogue::pages::summary::ToolLine;
use catalogue::since::SINCE;
use serde::Serialize;
use store::catalogue::Shelf;

use super::super::lists::{chosen, one_of};
use super::super::{Shared, known};
use super::answer;
use crate::asked::Query;
use crate::failure::Failure;

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

pub(super) async fn servers(State(site): Shared, headers: HeaderMap, query: Query) -> Response<Body> {
    let made = async {
        query.only(&["letter", "transport", "licence", "language", "page"])?;
        let census = site.census().await?;
        let list = ServerList::of(&site.catalogue, &census, &chosen(&census, &query)?, query.page()?).await?;
        Listed::of(list.total, list.page, ServerRows { servers: list.servers })
    };
    answer(&headers, made.await)
}

/// Which tools are listed: those of one class, one severity or one facet.
fn shelf(query: &Query) -> Result<Shelf, Failure> {
    let mut asked = Vec::new();
    for of in ["class", "severity", "facet"] {
        asked.extend(query.value(of)?.and_then(|word| one_of(of, word)));
    }
    match asked.as_slice() {
        [one] => Ok(*one),
        _ => Err(Failure::Unclear(
            "Name one `class`, one `severity` or one `facet`; /api/v1/catalogue/search takes several.".to_owned(),
        )),
    }
}

pub(super) async fn tools(State(site): Shared, headers: HeaderMap, query: Query) -> Response<Body> {
    let made = async {
        query.only(&["class", "severity", "facet", "page"])?;
        let shelf = shelf(&query)?;
        let list = ToolList::of(&site.catalogue, &*site.census().await?, shelf, query.page()?).await?;
        let total = usize::try_from(list.total).unwrap_or(usize::MAX);
        Listed::of(total, list.page, ToolRows { tools: list.tools })
    };
    answer(&headers, made.await)
}

pub(super) async fn changes(State(site): Shared, headers: HeaderMap, query: Query) -> Response<Body> {
    let made = async {
        query.only(&["since", "server", "page"])?;
        let missing = || Failure::Unclear(format!("`since` is missing; it must be {SINCE}."));
        let (from, page) = (query.since()?.ok_or_else(missing)?, query.page()?);
        let server = match query.one("server")? {
            Some(slug) => Some(known(&site, slug).await?),
            None => None,
        };
        let census = site.census().await?;
        let made = Since::of(&site.catalogue, &census, site.is_public(), from, server.as_ref(), page).await?;
        if made.page > 1 && made.is_empty() { Err(Failure::NotFound) } else { Ok(made) }
    };
    answer(&headers, made.await)
}
