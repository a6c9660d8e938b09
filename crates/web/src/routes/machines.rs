//! What programs read: `robots.txt`, maps of the site, `llms.txt`, the feed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::routing::get;
use axum::{Extension, Router};
use catalogue::address::{encoded, server_path, tool_path};
use catalogue::pages::census::{Census, Counted};
use catalogue::pages::changes::changes;
use catalogue::pages::lists::rows;
use jiff::Timestamp;
use risk::patterns::patterns;
use store::catalogue::Server;

use super::{Shared, known, moved};
use crate::asked::Path;
use crate::assets::ICON;
use crate::failure::Failure;
use crate::feeds::{self, Entry};
use crate::form::Form;
use crate::page::tagged;
use crate::site::Site;
use crate::texts::{CLIENTS, KINDS, TERMS};

/// Tools of one map; a map may name 50,000.
const MAPPED: usize = 10_000;

/// What programs read.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/{file}", get(file))
        .route("/changes/feed.atom", get(atom))
        .route("/s/{publisher}/{server}/llms.txt", get(of_server))
}

type Made = Result<(&'static str, String), Failure>;

const PLAIN: &str = "text/plain; charset=utf-8";
const XML: &str = "application/xml";

fn given(site: &Site, form: Form, headers: &HeaderMap, made: Made) -> Response<Body> {
    match made {
        Ok((media_type, text)) => {
            let mut response = tagged(headers, media_type, text);
            if !site.is_public() {
                response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
            }
            response
        }
        Err(failure) => failure.answer(site, form),
    }
}

async fn file(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Response<Body> {
    let made = match file.as_str() {
        "robots.txt" => Ok((PLAIN, feeds::robots(&site))),
        "llms.txt" => site.census().await.map(|census| (PLAIN, feeds::llms(&site, &census))),
        "favicon.ico" => {
            let mut response = moved(&ICON.path);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
            return response;
        }
        other => map(&site, other).await.map(|text| (XML, text)),
    };
    given(&site, form, &headers, made)
}

/// `sitemap.xml`, `sitemap-<kind>-<n>.xml`. Only a site for everybody, that knows its own address, has them.
async fn map(site: &Site, file: &str) -> Result<String, Failure> {
    let name = file.strip_prefix("sitemap").and_then(|rest| rest.strip_suffix(".xml")).ok_or(Failure::NotFound)?;
    if !site.is_public() || site.base.is_empty() {
        return Err(Failure::NotFound);
    }
    let census = site.census().await?;
    let pieces = pieces(&census);
    if name.is_empty() {
        let last = |piece: &[&Counted]| piece.iter().map(|server| server.changed).max();
        let mut files = vec![("sitemap-pages-1.xml".to_owned(), last(&census.servers().iter().collect::<Vec<_>>()))];
        for kind in ["servers", "tools"] {
            let numbered = (1..).zip(&pieces);
            files.extend(numbered.map(|(number, piece)| (format!("sitemap-{kind}-{number}.xml"), last(piece))));
        }
        return Ok(feeds::sitemaps(site, &files));
    }
    let (kind, number) = name.strip_prefix('-').and_then(|rest| rest.rsplit_once('-')).ok_or(Failure::NotFound)?;
    let number: usize = number.parse().map_err(|_| Failure::NotFound)?;
    if kind == "pages" && number == 1 {
        return Ok(feeds::sitemap(site, &pages(&census)));
    }
    let piece = number.checked_sub(1).and_then(|at| pieces.get(at)).ok_or(Failure::NotFound)?;
    let ids: Vec<i64> = piece.iter().map(|server| server.id).collect();
    let servers: Vec<Server> =
        site.catalogue.servers_of(&ids).await?.into_iter().filter(|server| site.shows(server)).collect();
    let all: Vec<(String, Option<Timestamp>)> = match kind {
        "servers" => {
            let changed = |server: &Server| census.server(server.id).map(|counted| counted.changed);
            servers.iter().map(|server| (server_path(server), changed(server))).collect()
        }
        "tools" => {
            let tools = site.catalogue.mapped(&ids).await?;
            let by_id: std::collections::HashMap<i64, &Server> =
                servers.iter().map(|server| (server.id, server)).collect();
            let path = |tool: &store::catalogue::Mapped| Some(tool_path(by_id.get(&tool.server)?, &tool.name));
            let mut all: Vec<_> = tools.iter().filter_map(|tool| Some((path(tool)?, Some(tool.changed)))).collect();
            all.sort();
            all
        }
        _ => return Err(Failure::NotFound),
    };
    Ok(feeds::sitemap(site, &all))
}

/// The servers that are worth a search engine's time, cut so that no map has too many tools.
fn pieces(census: &Census) -> Vec<Vec<&Counted>> {
    let mut all: Vec<Vec<&Counted>> = Vec::new();
    let mut tools = MAPPED;
    for server in census.servers().iter().filter(|server| server.tools > 0 && !server.is_copy) {
        let own = usize::try_from(server.tools).unwrap_or(MAPPED);
        if tools + own > MAPPED {
            all.push(Vec::new());
            tools = 0;
        }
        tools += own;
        if let Some(last) = all.last_mut() {
            last.push(server);
        }
    }
    all
}

/// The pages that are neither of a server nor of a tool.
fn pages(census: &Census) -> Vec<(String, Option<Timestamp>)> {
    let last = census.servers().iter().map(|server| server.changed).max();
    let mut all: Vec<(String, Option<Timestamp>)> =
        ["/", "/servers/", "/changes/"].into_iter().map(|path| (path.to_owned(), last)).collect();
    all.extend(KINDS.iter().map(|kind| (kind.path(), last)));
    all.extend(["/attacks/", "/glossary/", "/clients/"].map(|path| (path.to_owned(), None)));
    all.extend(patterns().map(|pattern| (format!("/attacks/{}/", pattern.id), None)));
    all.extend(TERMS.iter().map(|term| (format!("/glossary/{}/", term.word), None)));
    all.extend(CLIENTS.iter().map(|client| (format!("/clients/{}/", client.word), None)));
    all.extend(census.days().iter().map(|day| (format!("/changes/{}/", day.date), None)));
    all
}

async fn of_server(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((publisher, slug)): Path<(String, String)>,
) -> Response<Body> {
    let made = async {
        let server = known(&site, &slug).await?;
        let path = server_path(&server);
        if path != format!("/s/{}/{}/", encoded(&publisher), encoded(&slug)) {
            return Err(Failure::Elsewhere(format!("{path}llms.txt")));
        }
        let tools = site.catalogue.tools_of(server.id).await?;
        Ok((PLAIN, feeds::llms_of(&site, &server, &tools)))
    };
    given(&site, form, &headers, made.await)
}

async fn atom(State(site): Shared, Extension(form): Extension<Form>, headers: HeaderMap) -> Response<Body> {
    let made = async {
        let census = site.census().await?;
        let ever = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let changed = changes(&site.catalogue, &census, site.is_public(), ever, 50, 0).await?;
        let mut entries: Vec<Entry> = changed.iter().map(Entry::of_change).collect();
        for row in rows(&site.catalogue, &census, census.newest()).await?.iter().zip(census.newest()) {
            let at = census.server(*row.1).map_or(Timestamp::UNIX_EPOCH, |server| server.first_seen);
            entries.push(Entry::of_server(row.0, at));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        Ok(("application/atom+xml", feeds::atom(&site, &entries)))
    };
    given(&site, form, &headers, made.await)
}
