//! The stations of a request: who asks, how often, whether they may, what they sent, whether it came before; then it is
//! done, and answered when it holds everywhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use control::confirm;
use serde_json::{Map, Value, json};
use store::control::access::{Actor, Who};

use super::bucket::{Taken, Whose};
use super::call::{Call, Raw};
use super::export::Export;
use super::keys::{self, Kept, Turn};
use super::problem::{Kind, Problem};
use super::recognise::{Shown, recognise};
use super::route::{Access, Route};
use super::{Api, address, check};

/// The longest body, in bytes.
const LONGEST: usize = 1024 * 1024;

/// How long a body may take.
const READING: Duration = Duration::from_secs(30);

/// How long an answer waits for replicas: the longest lease, and a little more.
const WAIT: Duration = Duration::from_secs(610);

/// Answers one request.
pub(super) async fn answer(api: Arc<Api>, routes: Arc<Vec<Route>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let asked = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    let head = parts.method == Method::HEAD;
    let Some(route) = routes.iter().find(|route| route.method == asked).cloned() else {
        let methods: Vec<_> = routes.iter().map(|route| route.method.as_str()).collect();
        let methods = methods.join(", ");
        let mut response = Problem::new(Kind::Method, format!("this address has {methods}")).response();
        set(&mut response, header::ALLOW, &methods);
        return guarded(response, None);
    };
    let mut taken = None;
    let asked = format!("{} {}", parts.method, parts.uri.path());
    let made = stations(&api, route, parts, body, &mut taken).await;
    if let Err(Problem { cause: Some(cause), .. }) = &made {
        api.instance.tell(&format!("{asked} was not done: {cause}"));
    }
    let mut response = made.unwrap_or_else(|problem| problem.response());
    if head {
        *response.body_mut() = Body::empty();
    }
    guarded(response, taken)
}

fn guarded(mut response: Response<Body>, taken: Option<Taken>) -> Response<Body> {
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if let Some(taken) = taken {
        taken.tell(response.headers_mut());
    }
    response
}

async fn stations(
    api: &Arc<Api>,
    route: Route,
    mut parts: Parts,
    body: Body,
    taken: &mut Option<Taken>,
) -> Result<Response<Body>, Problem> {
    let shown = Shown::of(&parts.headers);
    let asks = who(api, &route, &parts, shown.as_ref(), taken).await?;
    let path = address::path(&mut parts).await?;
    let query = address::query(&parts, &route)?;
    let seen = seen(&route, &parts)?;
    let has_body = api.schemas.request(&route).is_some();
    let body = read(api, &route, &parts, body).await?;
    // The body may have taken its time: what counts is who they are now.
    let asks = match asks {
        Some(_) if has_body => Some(allowed(&route, recognise(api, &parts, shown.as_ref()).await?)?),
        asks => asks,
    };
    let call = Call { api: Arc::clone(api), asks, token: shown, path, query, seen };
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(shown_as(&parts, route.status, (route.handler)(call, body).await?));
    }
    let key = match &call.asks {
        Some(actor) if route.method == Method::POST => keys::key(&parts.headers)?.map(|key| (actor.clone(), key)),
        _ => None,
    };
    // What was begun is brought to its end, even if nobody waits for the answer any more.
    let doing = tokio::spawn(done(Arc::clone(api), route, parts, call, body, key));
    doing.await.unwrap_or_else(|_| Err(Problem::broken()))
}

/// Who asks, if they may, and not too often.
async fn who(
    api: &Api,
    route: &Route,
    parts: &Parts,
    shown: Option<&Shown>,
    taken: &mut Option<Taken>,
) -> Result<Option<Actor>, Problem> {
    let stranger = || Whose::Stranger(address::peer(parts));
    let mut take = |whose| {
        let took = taken.insert(api.buckets.take(whose, Instant::now()));
        match took.granted {
            true => Ok(()),
            false => Err(Problem::new(Kind::TooMany, "wait as long as Retry-After says, then go on slower")),
        }
    };
    // Whatever somebody's role is: nobody changes what stands in a file.
    let changeable = || match api.file.as_ref().filter(|_| route.keeps()) {
        Some(file) => Err(Problem::declared(file)),
        // What such a process decides and counts lies in its data directory alone.
        None if api.file.is_some() && route.of_tables_alone() => Err(Problem::elsewhere()),
        None => Ok(()),
    };
    match route.access {
        Access::Anybody => return Ok(None),
        Access::Strangers => {
            take(stranger())?;
            return changeable().map(|()| None);
        }
        Access::Right { .. } => {}
    }
    let actor = match recognise(api, parts, shown).await {
        Ok(actor) => actor,
        Err(problem) => {
            take(stranger())?;
            return Err(problem);
        }
    };
    let id = match &actor.who {
        Who::Member { id, .. } | Who::Program { id, .. } => id.to_string(),
        Who::Operator(user) => user.clone(),
    };
    take(Whose::Caller(id))?;
    changeable()?;
    allowed(route, actor).map(Some)
}

/// Whoever asks, if they may.
fn allowed(route: &Route, actor: Actor) -> Result<Actor, Problem> {
    if let Access::Right { what, roles, instance } = route.access
        && !route.access.allows(actor.role, actor.first)
    {
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let of = if instance { " of the instance's first organisation" } else { "" };
        let why = format!("as {} you may not {what}: that takes {}{of}", actor.role, names.join(" or "));
        return Err(Problem::new(Kind::Forbidden, why));
    }
    Ok(actor)
}

/// The version that `If-Match` names, where the route asks for one.
fn seen(route: &Route, parts: &Parts) -> Result<Option<i64>, Problem> {
    if !route.matched {
        return Ok(None);
    }
    let Some(value) = parts.headers.get(header::IF_MATCH) else {
        let how =
            "read the object first, and send its ETag back as If-Match: so nothing that somebody else did is lost";
        return Err(Problem::new(Kind::Unmatched, how));
    };
    let number = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    let how = "it is the ETag of one version, as GET answers it, such as \"17\"";
    number.map(Some).ok_or_else(|| Problem::header("If-Match", how))
}

/// The body, if it is what the route takes.
async fn read(api: &Api, route: &Route, parts: &Parts, body: Body) -> Result<Vec<u8>, Problem> {
    let Some(schema) = api.schemas.request(route) else {
        // One that nobody wants is not waited for.
        return match body.is_end_stream() {
            true => Ok(Vec::new()),
            false => Err(Problem::new(Kind::Unreadable, "this request has no body: send none")),
        };
    };
    let Ok(read) = tokio::time::timeout(READING, to_bytes(body, LONGEST)).await else {
        let why = format!("the body did not come within {} seconds", READING.as_secs());
        return Err(Problem::new(Kind::Unreadable, why));
    };
    let Ok(bytes) = read else {
        return Err(Problem::new(Kind::TooLong, format!("a body has at most {LONGEST} bytes: send less at once")));
    };
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::MediaType, "send JSON, with the header Content-Type: application/json"));
    }
    // The error would name a key that occurs twice; a place is enough.
    let sent = mcp::json::parse_bytes(&bytes).map_err(|error| match error.kind {
        mcp::json::ErrorKind::DuplicateKey(_) => {
            let why = format!("the body has a key twice, at byte {}: which one counts is not guessed at", error.offset);
            Problem::new(Kind::Unreadable, why)
        }
        _ => Problem::new(Kind::Unreadable, format!("the body is no JSON: look at byte {}", error.offset)),
    })?;
    check::check(&api.schemas.named, schema, &sent, "").map_err(|wrong| Problem::invalid(wrong.pointer, wrong.why))?;
    Ok(bytes.to_vec())
}

/// Does a change once, and answers when it holds everywhere.
async fn done(
    api: Arc<Api>,
    route: Route,
    parts: Parts,
    call: Call,
    body: Vec<u8>,
    key: Option<(Actor, String)>,
) -> Result<Response<Body>, Problem> {
    if let Some((actor, key)) = &key
        && let Turn::Again(kept) = keys::begin(&api, actor, key, &keys::digest(&parts, &body)).await?
    {
        let mut response = json_answer(kept.status, &kept.body);
        set(&mut response, HeaderName::from_static("idempotent-replayed"), "true");
        return Ok(response);
    }
    let mut raw = match (route.handler)(call, body).await {
        Ok(raw) => raw,
        Err(problem) => {
            // Nothing has happened, so the request may come again. Where that is not sure, the key stays taken.
            if let Some((actor, key)) = key.as_ref().filter(|_| problem.kind.row().0 < 500) {
                api.instance.drop_request(actor, key).await?;
            }
            return Err(problem);
        }
    };
    if let (Some(version), Some(fields)) = (raw.version, raw.value.as_object_mut()) {
        let lost = confirmed(&api, version).await;
        fields.insert("holds".to_owned(), json!({ "version": version, "lost": lost }));
    }
    if let Some((actor, key)) = &key {
        let kept = Kept { status: route.status, body: std::mem::take(&mut raw.value) };
        let text = serde_json::to_string(&kept).map_err(|_| Problem::broken())?;
        api.instance.end_request(actor, key, &text).await?;
        raw.value = kept.body;
    }
    Ok(shown_as(&parts, route.status, raw))
}

/// The replicas that were lost while one waited; `None` where it is not known whether it holds everywhere.
async fn confirmed(api: &Api, version: i64) -> Option<BTreeSet<String>> {
    tokio::time::timeout(WAIT, confirm::everywhere(api.instance.database(), version)).await.ok()?.ok()
}

fn json_answer(status: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

fn shown_as(parts: &Parts, status: u16, raw: Raw) -> Response<Body> {
    if let Some(Export { format, body }) = raw.export {
        let mut response = Response::new(body);
        set(&mut response, header::CONTENT_TYPE, format.media());
        return response;
    }
    let tag = raw.changed.map(|changed| format!("\"{changed}\""));
    let known = parts.headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let same = |tag: &String| known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut response = match tag.as_ref().filter(|tag| same(tag)) {
        Some(_) => {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        }
        None => json_answer(status, &raw.value),
    };
    if let Some(tag) = tag {
        set(&mut response, header::ETAG, &tag);
    }
    if let Some(cookie) = raw.cookie {
        set(&mut response, header::SET_COOKIE, &cookie);
    }
    if let Some(next) = raw.value.get("next").and_then(Value::as_str) {
        set(&mut response, header::LINK, &format!("<{}>; rel=\"next\"", next_page(parts, next)));
    }
    response
}

/// The address of the next page: this one, with another cursor.
fn next_page(parts: &Parts, next: &str) -> String {
    let others = parts.uri.query().unwrap_or_default().split('&');
    let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")).map(|pair| format!("{pair}&"));
    format!("{}?{}cursor={next}", parts.uri.path(), others.collect::<String>())
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// What the answer of a change says beside what it shows.
pub(super) fn holds() -> Map<String, Value> {
    let about = "The version of the instance at which the change holds, and replicas that were lost while one waited: they serve nothing until they are back. `lost` is null where the wait was given up and it is not known.";
    let schema = json!({ "type": "object", "description": about, "required": ["version", "lost"], "properties": {
        "version": { "type": "integer" },
        "lost": { "type": ["array", "null"], "items": { "type": "string" } },
    } });
    Map::from_iter([("holds".to_owned(), schema)])
}
