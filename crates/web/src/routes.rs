//! Which address shows what.

mod api;
mod badge;
mod lists;
mod machines;
mod stack;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use axum::routing::get;
use axum::{Extension, Router};
use catalogue::address::{encoded, server_path};
use catalogue::pages::recommended::{Recommended, Rules};
use catalogue::pages::server::ServerPage;
use catalogue::pages::tool::ToolPage;
use store::catalogue::Server;
use tower::ServiceExt;

use crate::asked::{Path, Query, temper};
use crate::assets;
use crate::failure::Failure;
use crate::form::Form;
use crate::json;
use crate::page::{self, Page};
use crate::site::Site;

/// What pages may do: nothing but show themselves, with our own style and script.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The pages of a site.
#[derive(Debug, Clone)]
pub struct Web {
    site: Arc<Site>,
    router: Router,
}

impl Web {
    /// The pages of `site`.
    #[must_use]
    pub fn new(site: Site) -> Self {
        let site = Arc::new(site);
        let router = badge::routes(api::routes(Router::new()))
            .route("/s/{publisher}/{server}/", get(server))
            .route("/s/{publisher}/{server}/{tool}/", get(tool))
            .route("/s/{publisher}/{server}/{tool}/definition.json", get(definition))
            .route("/policy/{server}/{file}", get(policy_file))
            .merge(lists::routes())
            .merge(machines::routes());
        let router = stack::routes(router).fallback(nothing).method_not_allowed_fallback(method);
        let router = router.with_state(Arc::clone(&site));
        Self { site, router }
    }

    /// Answers one request. What goes wrong is an answer too.
    pub async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        if !self.is_ours(request.headers()) {
            const WHY: &str = "this Host is not served here; allow it with --allow-host NAME";
            return self.refuse(request.uri(), request.headers(), StatusCode::FORBIDDEN, WHY);
        }
        if let Some(asset) = assets::answer(request.uri().path()) {
            return guarded(asset);
        }
        let place = Place::take(&mut request);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        guarded(if reads { place.told(response) } else { response })
    }

    /// The answer to who asks in a way in which nobody is answered, in the form that was asked for. It says nothing of
    /// the catalogue.
    #[must_use]
    pub fn refuse(&self, uri: &Uri, headers: &HeaderMap, status: StatusCode, why: &'static str) -> Response<Body> {
        let (_, form) = Place::of(uri, headers);
        guarded(Failure::Refused(status, why).answer(&self.site, form))
    }

    /// The guard against DNS rebinding: `Host` must be one of ours.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.to_ascii_lowercase();
        ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str()) || self.site.hosts.contains(&name)
    }
}

/// An answer, with what holds for all of them.
fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Where a request leads.
struct Place {
    /// The path, in the spelling of our sections, without the name of a form.
    path: String,
    /// The file that names the form; empty where nothing does.
    file: String,
    /// The query with its mark; empty where there is none.
    query: String,
    /// Whether the path was spelt otherwise.
    moved: bool,
}

impl Place {
    /// What is decided before any page is asked: which form a request wants, and whether the address has another
    /// spelling.
    fn take(request: &mut Request<Body>) -> Self {
        let (place, form) = Self::of(request.uri(), request.headers());
        if let Ok(uri) = format!("{}{}", place.path, place.query).parse::<Uri>() {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(form);
        place
    }

    fn of(uri: &Uri, headers: &HeaderMap) -> (Self, Form) {
        let asked = uri.path();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let ours = |path: String| lists::elsewhere(&path).unwrap_or(path);
        let (form, file, mut path) = match Form::of_path(asked) {
            Some((Form::Html, folder)) => (Form::Html, "", ours(folder.to_owned())),
            Some((form, folder)) => (form, asked.strip_prefix(folder).unwrap_or_default(), ours(folder.to_owned())),
            None => (Form::of_headers(headers), "", ours(asked.to_owned())),
        };
        let form = match path.rsplit_once('.') {
            _ if path == "/api" || path.starts_with("/api/") => Form::Api,
            // What goes wrong with a file is said in its form.
            Some((_, "json")) if is_file(&path) => Form::Json,
            Some((_, "md")) if is_file(&path) => Form::Markdown,
            _ => form,
        };
        // What ends in no slash, and is no file, is the folder of that name.
        if !path.ends_with('/') && !is_file(&path) {
            path = ours(path + "/");
        }
        let moved = format!("{path}{file}") != asked;
        (Self { file: file.to_owned(), path, query, moved }, form)
    }

    /// The answer to who asked: where the page has another address, that is told at once and for good.
    fn told(self, response: Response<Body>) -> Response<Body> {
        let rest = format!("{}{}", self.file, self.query);
        if response.status() == StatusCode::MOVED_PERMANENTLY {
            let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            // A folder has the same forms there as here.
            return match to.filter(|to| to.ends_with('/')).map(|to| format!("{to}{rest}")) {
                Some(to) => moved(&to),
                None => response,
            };
        }
        let is_there = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        if self.moved && is_there { moved(&format!("{}{rest}", self.path)) } else { response }
    }
}

/// Whether an address is that of a file, not of a folder.
fn is_file(path: &str) -> bool {
    const ROOT: [&str; 3] = ["/robots.txt", "/llms.txt", "/favicon.ico"];
    const BELOW: [&str; 5] = ["/api/", "/badge/", "/policy/", "/sitemap", "/stack/"];
    const NAMED: [&str; 3] = [".atom", "/definition.json", "/llms.txt"];
    ROOT.contains(&path)
        || BELOW.iter().any(|folder| path.starts_with(folder))
        || NAMED.iter().any(|name| path.ends_with(name))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// The answer to another spelling of an address.
pub(crate) fn moved(to: &str) -> Response<Body> {
    let mut response = plain(StatusCode::MOVED_PERMANENTLY, "");
    // A path that begins with two slashes would lead to another host.
    let to = format!("/{}", to.trim_start_matches('/'));
    match HeaderValue::from_str(&to) {
        Ok(to) => drop(response.headers_mut().insert(header::LOCATION, to)),
        Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

type Shared = State<Arc<Site>>;

/// A page or why there is none, as an answer.
fn answer<P: Page>(site: &Site, form: Form, asked: &HeaderMap, made: Result<P, Failure>) -> Response<Body> {
    match made {
        Ok(page) => page::answer(site, form, asked, &page),
        Err(failure) => failure.answer(site, form),
    }
}

async fn nothing(State(site): Shared, Extension(form): Extension<Form>) -> Response<Body> {
    Failure::NotFound.answer(&site, form)
}

async fn method(State(site): Shared, Extension(form): Extension<Form>) -> Response<Body> {
    Failure::Method.answer(&site, form)
}

async fn server(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((publisher, slug)): Path<(String, String)>,
    query: Query,
) -> Response<Body> {
    let made = async {
        let server = known(&site, &slug).await?;
        let path = server_path(&server);
        if path != format!("/s/{}/{}/", encoded(&publisher), encoded(&slug)) {
            return Err(Failure::Elsewhere(path));
        }
        let (temper, page) = (query.temper()?, query.page()?);
        let rules = if form == Form::Html { Rules::Shown } else { Rules::Each };
        let page = ServerPage::of(&site.catalogue, &server, temper, page, rules, |other| site.shows(other)).await?;
        if page.tools.is_empty() && page.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(page)
    };
    answer(&site, form, &headers, made.await)
}

/// The page of a tool, if this is its address.
async fn tool_page(site: &Site, path: &[&str; 3]) -> Result<ToolPage, Failure> {
    let [publisher, slug, name] = *path;
    let server = known(site, slug).await?;
    let page = ToolPage::of(&site.catalogue, &site.families, &server, name, |other| site.shows(other)).await?;
    let page = page.ok_or(Failure::NotFound)?;
    if server_path(&server) != format!("/s/{}/{}/", encoded(publisher), encoded(slug)) || page.tool.name != name {
        return Err(Failure::Elsewhere(page.tool.path));
    }
    Ok(page)
}

async fn tool(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((publisher, slug, name)): Path<(String, String, String)>,
) -> Response<Body> {
    let made = tool_page(&site, &[&publisher, &slug, &name]).await;
    answer(&site, form, &headers, made)
}

/// The definition of a tool as its server lists it.
async fn definition(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((publisher, slug, name)): Path<(String, String, String)>,
) -> Response<Body> {
    match tool_page(&site, &[&publisher, &slug, &name]).await {
        Ok(page) => {
            let text = serde_json::to_string_pretty(&page.definition()).unwrap_or_default() + "\n";
            page::tagged(&headers, "application/json", text)
        }
        Err(failure) => failure.answer(&site, form),
    }
}

/// `/policy/<server>/<temper>.json`: the recommended policy as a file.
async fn policy_file(
    State(site): Shared,
    Extension(form): Extension<Form>,
    headers: HeaderMap,
    Path((slug, file)): Path<(String, String)>,
) -> Response<Body> {
    let made = async {
        let temper = file.strip_suffix(".json").and_then(temper).ok_or(Failure::NotFound)?;
        let server = known(&site, &slug).await?;
        let tools = catalogue::pages::known::known(&site.catalogue, &server).await?;
        Ok::<_, Failure>(Recommended::of(&tools, temper).document)
    };
    match made.await {
        Ok(document) => {
            let text = json::lines(&document) + "\n";
            page::tagged(&headers, "application/json", text)
        }
        Err(failure) => failure.answer(&site, form),
    }
}

/// The server of a slug, in any spelling, that the audience may see.
async fn known(site: &Site, slug: &str) -> Result<Server, Failure> {
    let all = site.catalogue.servers_named(slug).await?;
    all.into_iter().find(|server| site.shows(server)).ok_or(Failure::NotFound)
}
