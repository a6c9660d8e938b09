//! `/api/v1/catalogue/…`: the catalogue for programs. `assets/openapi.json` describes it, and a test holds the
//! answers against that.

mod lists;
mod stack;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::{any, get, post};
use catalogue::pages::recommended::Rules;
use catalogue::pages::server::ServerPage;
use catalogue::pages::tool::ToolPage;
use risk::recommend::Temper;
use serde::Serialize;

use super::{Shared, known};
use crate::asked::{Path, Query};
use crate::failure::Failure;
use crate::page::tagged;
use crate::question::{Answered, Asked, FIELDS, Part};
use crate::site::Site;

/// The description of these addresses.
pub(crate) const OPENAPI: &str = include_str!("../../assets/openapi.json");

/// Entries of one answer, unless it is asked for fewer.
const LIMIT: usize = 100;

/// The last entry of a list that can be asked for.
const DEEPEST: usize = 10_000;

/// The addresses.
pub(super) fn routes(router: Router<Arc<Site>>) -> Router<Arc<Site>> {
    router
        .route("/api/v1/catalogue/openapi.json", get(openapi))
        .route("/api/v1/catalogue/search", get(search))
        .route("/api/v1/catalogue/servers", get(lists::servers))
        .route("/api/v1/catalogue/tools", get(lists::tools))
        .route("/api/v1/catalogue/changes", get(lists::changes))
        .route("/api/v1/catalogue/stack", post(stack::stack))
        .route("/api/v1/catalogue/servers/{server}", get(server))
        .route("/api/v1/catalogue/servers/{server}/tools/{tool}", get(tool))
        .route("/api/", any(nothing))
        .route("/api/{*rest}", any(nothing))
}

/// An answer, or what is wrong.
fn answer<T: Serialize>(asked: &HeaderMap, made: Result<T, Failure>) -> Response<Body> {
    let made = made.and_then(|value| serde_json::to_string(&value).map_err(|error| Failure::Broken(error.to_string())));
    match made {
        Ok(text) => tagged(asked, "application/json", text),
        Err(failure) => failure.problem(),
    }
}

async fn nothing() -> Response<Body> {
    Failure::NotFound.problem()
}

async fn openapi(headers: HeaderMap) -> Response<Body> {
    tagged(&headers, "application/json", OPENAPI.to_owned())
}

/// What was found.
#[derive(Debug, Serialize)]
struct Searched {
    next: Option<usize>,
    #[serde(flatten)]
    answered: Answered,
}

async fn search(State(site): Shared, headers: HeaderMap, query: Query) -> Response<Body> {
    let made = async {
        let names: Vec<&str> = FIELDS.iter().map(|field| field.0).collect();
        query.only(&[&["q"], names.as_slice(), &["copies", "limit", "offset"]].concat())?;
        let asked = Asked::read(&site, &query).await?;
        let limit = query.number("limit", (1, LIMIT), LIMIT)?;
        let offset = query.number("offset", (0, DEEPEST), 0)?;
        let answered = asked.answered(&site, Part { offset, limit, whole: true }).await?;
        let next = Some(offset + limit).filter(|next| *next < answered.total.min(DEEPEST));
        Ok(Searched { next, answered })
    };
    answer(&headers, made.await)
}

async fn server(State(site): Shared, headers: HeaderMap, Path(slug): Path<String>, query: Query) -> Response<Body> {
    let made = async {
        query.only(&[])?;
        let server = known(&site, &slug).await?;
        let shows = |other: &store::catalogue::Server| site.shows(other);
        Ok(ServerPage::of(&site.catalogue, &server, Temper::Balanced, 1, Rules::Each, shows).await?)
    };
    answer(&headers, made.await)
}

async fn tool(
    State(site): Shared,
    headers: HeaderMap,
    Path((slug, name)): Path<(String, String)>,
    query: Query,
) -> Response<Body> {
    let made = async {
        query.only(&[])?;
        let server = known(&site, &slug).await?;
        let page = ToolPage::of(&site.catalogue, &site.families, &server, &name, |other| site.shows(other)).await?;
        page.ok_or(Failure::NotFound)
    };
    answer(&headers, made.await)
}
