//! `/stack/`: the servers of somebody's agents together. Which they are stands in the address and nowhere else.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use axum::{Extension, Form as Fields, Router};
use catalogue::pages::stack::Stack;
use catalogue::pages::summary::ServerLine;
use catalogue::show::{Meant, meant};
use risk::recommend::Temper;
use serde::Deserialize;
use serde_json::Value;
use store::catalogue::Server;

use super::{Shared, answer};
use crate::asked::{Path, Query, temper};
use crate::chosen::Chosen;
use crate::failure::Failure;
use crate::form::Form;
use crate::page;
use crate::pages::stack::{Adding, StackView, whole};
use crate::parameter::Takes;
use crate::site::Site;

/// The longest form that is read, in bytes.
pub(super) const MAX_FORM: usize = 256 << 10;

/// What is said of a longer one.
pub(super) const LONG: &str = "At most 256 KB are read. Send the part that names the servers.";

/// Servers that are offered for words.
const OFFERED: usize = 12;

/// Adds the pages of stacks.
pub(super) fn routes(router: Router<Arc<Site>>) -> Router<Arc<Site>> {
    router
        .route("/stack/", get(stack).post(paste))
        .route("/stack/report.md", get(report))
        .route("/stack/sbom.cdx.json", get(sbom))
        .route("/stack/findings.sarif", get(sarif))
        .route("/stack/{temper}/{file}", get(file))
}

/// The most servers that an address may say nobody knows.
const UNKNOWN: usize = 1_000;

/// The most characters of the words that are to be added.
const WORDS: usize = 400;

/// What an address says of a stack.
struct Asked<'a> {
    /// Slugs, joined by commas.
    servers: &'a str,
    /// What is to be added: words.
    add: &'a str,
    temper: Temper,
    page: usize,
    /// How many servers of a configuration are not known.
    unknown: usize,
}

impl<'a> Asked<'a> {
    fn read(query: &'a Query) -> Result<Self, Failure> {
        let add = query.one("add")?.unwrap_or_default().trim();
        if !add.is_empty() {
            Takes::Text(WORDS).check_text("add", add)?;
        }
        Ok(Self {
            servers: query.one("s")?.unwrap_or_default(),
            add,
            temper: query.temper()?,
            page: query.page()?,
            unknown: query.number("unknown", (0, UNKNOWN), 0)?,
        })
    }
}

async fn stack(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    query: Query,
) -> Response<Body> {
    let made = async {
        let asked = Asked::read(&query)?;
        let mut chosen = Chosen::of(&site, asked.servers).await?;
        let mut adding = None;
        if !asked.add.is_empty() {
            match offered(&site, asked.add).await? {
                Offered::One(server) => chosen.add(*server),
                Offered::Several(servers) => {
                    adding = Some(Adding { words: asked.add.to_owned(), servers });
                }
            }
        }
        let unknown = asked.unknown.saturating_add(chosen.unknown).min(UNKNOWN);
        if chosen.spelt() != asked.servers || (adding.is_none() && !asked.add.is_empty()) {
            let add = adding.map(|_| asked.add);
            return Ok(Err(elsewhere(form, &chosen.query(), asked.temper, unknown, add)));
        }
        let stack = Stack::of(&site.catalogue, chosen.servers).await?.page(asked.temper, asked.page);
        if stack.tools.is_empty() && stack.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(Ok(StackView { stack, unknown, adding }))
    };
    match made.await {
        Ok(Ok(page)) => answer(&site, form, &headers, Ok(page)),
        Ok(Err(path)) => seen_at(&path),
        Err(failure) => answer::<StackView>(&site, form, &headers, Err(failure)),
    }
}

/// The one address of a stack, in the form that is asked for.
fn elsewhere(form: Form, query: &str, temper: Temper, unknown: usize, add: Option<&str>) -> String {
    let file = form.file();
    let mut parts = Vec::new();
    if !query.is_empty() {
        parts.push(format!("s={query}"));
    }
    if temper != Temper::Balanced {
        parts.push(format!("policy={}", temper.as_str()));
    }
    if unknown > 0 {
        parts.push(format!("unknown={}", unknown.min(UNKNOWN)));
    }
    parts.extend(add.map(|words| format!("add={}", catalogue::address::encoded(words))));
    let joined = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
    format!("/stack/{file}{joined}")
}

/// Sends a browser to the page of what it asked for or sent.
fn seen_at(path: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(path) {
        Ok(path) => drop(response.headers_mut().insert(header::LOCATION, path)),
        Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

/// What words may mean.
enum Offered {
    One(Box<Server>),
    Several(Vec<ServerLine>),
}

async fn offered(site: &Site, words: &str) -> Result<Offered, Failure> {
    let mut named = match meant(&site.catalogue, words).await? {
        Meant::Server(server) | Meant::NoSuchTool(server) => vec![*server],
        Meant::Tool(shown) => vec![shown.server],
        Meant::Several(servers) => servers,
        Meant::Unknown => Vec::new(),
    };
    named.retain(|server| site.shows(server));
    if named.len() == 1
        && let Some(one) = named.pop()
    {
        return Ok(Offered::One(Box::new(one)));
    }
    if named.is_empty() {
        let query = search::Query {
            words: words.to_owned(),
            kind: Some(search::Kind::Server),
            limit: OFFERED,
            ..search::Query::default()
        };
        for hit in &site.search(query)?.hits {
            named.extend(site.catalogue.server(hit.id).await?.filter(|server| site.shows(server)));
        }
    }
    Ok(Offered::Several(named.iter().take(OFFERED).map(ServerLine::of).collect()))
}

/// What the form for a configuration holds.
#[derive(Debug, Deserialize)]
struct Pasted {
    config: String,
    /// The servers that were chosen before.
    #[serde(default)]
    s: String,
}

/// Takes what names servers from a configuration, and forgets the rest.
async fn paste(State(site): Shared, Extension(form): Extension<Form>, request: Request) -> Response<Body> {
    let made = async {
        let (head, body) = request.into_parts();
        let long = |_| Failure::TooLong(LONG.to_owned());
        let body = to_bytes(body, MAX_FORM).await.map_err(long)?;
        let request = Request::from_parts(head, Body::from(body));
        let unclear = |why: &str| Failure::Unclear(why.to_owned());
        let sent = Fields::<Pasted>::from_request(request, &()).await;
        let Fields(sent) =
            sent.map_err(|_| unclear("A form with the field `config` is read here, and nothing else."))?;
        let mut chosen = Chosen::of(&site, &sent.s).await?;
        chosen.unknown = 0;
        chosen.add_pasted(&site, &sent.config).await?;
        Ok::<_, Failure>(elsewhere(Form::Html, &chosen.query(), Temper::Balanced, chosen.unknown, None))
    };
    match made.await {
        Ok(path) => seen_at(&path),
        Err(failure) => failure.answer(&site, form),
    }
}

/// The stack of an address.
async fn of(site: &Site, asked: &Asked<'_>) -> Result<Stack, Failure> {
    let chosen = Chosen::of(site, asked.servers).await?;
    if chosen.servers.is_empty() {
        return Err(Failure::Unclear("The address names no server: /stack/ says how a stack is made.".to_owned()));
    }
    Ok(Stack::of(&site.catalogue, chosen.servers).await?)
}

async fn report(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    query: Query,
) -> Response<Body> {
    let made = async {
        let asked = Asked::read(&query)?;
        Ok(whole(&of(&site, &asked).await?, asked.temper))
    };
    saved(&site, form, &headers, made.await, "text/markdown; charset=utf-8", "stack-report.md")
}

async fn sbom(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    query: Query,
) -> Response<Body> {
    let made = async { printed(&of(&site, &Asked::read(&query)?).await?.sbom()) };
    saved(&site, form, &headers, made.await, "application/vnd.cyclonedx+json; version=1.6", "stack.cdx.json")
}

async fn sarif(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    query: Query,
) -> Response<Body> {
    let made = async { printed(&of(&site, &Asked::read(&query)?).await?.sarif()) };
    saved(&site, form, &headers, made.await, "application/sarif+json", "stack.sarif")
}

/// `/stack/<temper>/toolgate.toml`, and the policies that it names beside it.
async fn file(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((word, file)): Path<(String, String)>,
    query: Query,
) -> Response<Body> {
    let Some(temper) = temper(&word) else { return Failure::NotFound.answer(&site, form) };
    if file == "toolgate.toml" {
        let made = async { Ok(of(&site, &Asked::read(&query)?).await?.config(temper)) };
        return saved(&site, form, &headers, made.await, "application/toml", "toolgate.toml");
    }
    let made = async {
        let id = file.strip_suffix(".json").ok_or(Failure::NotFound)?;
        let stack = of(&site, &Asked::read(&query)?).await?;
        printed(&stack.policy(id, temper).ok_or(Failure::NotFound)?)
    };
    let made = made.await;
    // A policy that exists has a plain name.
    let name = if made.is_ok() { file } else { String::new() };
    saved(&site, form, &headers, made, "application/json", &name)
}

fn printed(document: &Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document);
    Ok(text.map_err(|error| Failure::Broken(error.to_string()))? + "\n")
}

/// A file to be saved under a name.
fn saved(
    site: &Site,
    form: Form,
    asked: &HeaderMap,
    made: Result<String, Failure>,
    media_type: &'static str,
    name: &str,
) -> Response<Body> {
    let text = match made {
        Ok(text) => text,
        Err(failure) => return failure.answer(site, form),
    };
    let mut response = page::tagged(asked, media_type, text);
    if let Ok(place) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, place);
    }
    if !site.is_public() {
        response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    }
    response
}
