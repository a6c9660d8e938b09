//! The front for agents that speak Streamable HTTP: who asks, where, and may they?

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::Notify;
use upstream::http::Client;

use crate::body::{Body, Counted};
use crate::connections::{ConnectionLimits, Connections, NoPlace, Seat};
use crate::gateway::Gateway;
use crate::listen::{MAX_HEAD, MAX_HEADERS};
use crate::phase::Phase;
use crate::refusal::{self, Refusal};

pub use child::Children;
pub(crate) use converse::is_sound;
pub use cors::{BadOrigin, Origins, WebOrigin};
pub(crate) use said::Said;
pub(crate) use stream::TOOLS_CHANGED;
pub(crate) use translate::Translation;

mod admit;
mod answer;
mod batch;
mod bridge;
mod child;
mod converse;
mod cors;
mod outlet;
mod post;
mod said;
mod stack;
mod stream;
mod translate;

/// The longest message of an agent, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// What an operator says of the listening side.
#[derive(Debug, Clone, Default)]
pub struct FrontConfig {
    /// Host names under which the gateway is asked, beside loopback's; lower case, without port.
    pub hosts: HashSet<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// Whether requests without a token act under a grant of the server.
    pub anonymous: bool,
    /// Origins whose pages may use what is served at `/mcp`.
    pub origins: Origins,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// What answers at every other address than `/mcp`.
    pub beside: Option<Arc<dyn Beside>>,
}

/// What answers beside MCP, where the operator wants that: pages for people. It has no part in any decision, and
/// does its work on threads of its own, so that no call waits for it.
pub trait Beside: std::fmt::Debug + Send + Sync {
    /// Whether a path is answered on connections that are left when agents have taken all others: those of whoever
    /// governs them.
    fn is_api(&self, path: &str) -> bool;

    /// Answers a request that was addressed to one of the gateway's hosts.
    fn answer(&self, request: Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>>;

    /// Answers one that was not, and says no more than why: nothing of what is held here.
    fn refuse(
        &self,
        head: http::request::Parts,
        status: StatusCode,
        why: &'static str,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>>;
}

/// The address that a request beside MCP came from: the peer's, or what a trusted proxy says. An extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The front of one worker: the shared gateway and this worker's own connections upstream.
#[derive(Clone)]
pub struct Front {
    /// The shared state.
    pub gateway: Arc<Gateway>,
    /// What the operator says.
    pub config: Arc<FrontConfig>,
    /// This worker's pool.
    pub client: Client,
    /// Told when the connection that this answers on must end, whatever is still to be written to it.
    pub hang_up: Arc<Notify>,
    /// The place of that connection.
    pub(crate) seat: Arc<Seat>,
}

/// Where a request leads.
enum Place<'a> {
    /// `/mcp`: all that the grant leads to.
    All,
    /// `/mcp/<server>`.
    Server(&'a str),
}

impl Front {
    /// The front for an agent that has no connection here: it stands before what every agent's messages go through, and
    /// nothing is listened on.
    pub(crate) fn alone(gateway: Arc<Gateway>, client: Client) -> Option<Self> {
        let config = FrontConfig::default();
        let seat = Connections::new(config.connections).seat(Ipv4Addr::LOCALHOST.into(), false).ok()?;
        Some(Self { gateway, config: Arc::new(config), client, hang_up: Arc::default(), seat })
    }

    /// Answers one request. Nothing of it can fail: what goes wrong is an answer too.
    pub async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Body> {
        if let Err((why, client)) = self.room(peer, &request) {
            self.gateway.refused().count(why.counted_as(), Some(client));
            return closing(not_forwarded(&no_room(why)));
        }
        if let Err(refusal) = Self::head_fits(&request) {
            return closing(plain(&refusal));
        }
        if self.config.origins.is_empty() || place(request.uri().path()).is_none() {
            return self.route(peer, request, false).await;
        }
        let origin = self.config.origins.of(request.headers());
        Box::pin(async {
            let answer = self.route(peer, request, origin.is_some()).await;
            cors::mark(answer, origin)
        })
        .await
    }

    /// Whether the head of a request is as short as it must be, or what is wrong with it.
    fn head_fits(request: &Request<Incoming>) -> Result<(), Refusal> {
        let (fields, uri) =
            (request.headers(), request.uri().path_and_query().map_or(0, |target| target.as_str().len()));
        let bytes = fields.iter().fold(uri, |bytes, (name, value)| bytes + name.as_str().len() + value.len() + 4);
        let text = if fields.len() > MAX_HEADERS {
            format!("a request has {MAX_HEADERS} header fields at most, and this one has {}", fields.len())
        } else if bytes > MAX_HEAD {
            format!("the head of a request has {MAX_HEAD} bytes at most, and this one has {bytes}")
        } else {
            return Ok(());
        };
        Err(json_refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &text))
    }

    /// Whether this connection has a place for this request.
    fn room(&self, peer: IpAddr, request: &Request<Incoming>) -> Result<(), (NoPlace, IpAddr)> {
        let path = request.uri().path();
        if self.seat.is_reserved()
            && !matches!(path, "/healthz" | "/readyz")
            && !self.config.beside.as_ref().is_some_and(|beside| beside.is_api(path))
        {
            return Err((NoPlace::InAll, peer.to_canonical()));
        }
        if self.config.proxies.contains(&peer.to_canonical()) {
            let client = self.client_ip(peer, request.headers());
            self.seat.stands_for(client).map_err(|why| (why, client))?;
        }
        Ok(())
    }

    /// Answers one request; `named` if a page sends it whose origin may.
    async fn route(&self, peer: IpAddr, mut request: Request<Incoming>, named: bool) -> Response<Body> {
        let beside = self.config.beside.as_ref().filter(|_| place(request.uri().path()).is_none());
        match (self.addressed_to_us(request.headers(), named), beside) {
            (Ok(()), _) if asks(&request, "/healthz") => return json(StatusCode::OK, "{\"status\":\"ok\"}"),
            (Ok(()), _) if asks(&request, "/readyz") => return self.ready(),
            (Ok(()), None) => {}
            (Ok(()), Some(beside)) => {
                let client = ClientAddress(self.client_ip(peer, request.headers()));
                request.extensions_mut().insert(client);
                return beside.answer(request).await;
            }
            (Err((status, why)), None) => return closing(plain(&json_refusal(status, why))),
            (Err((status, why)), Some(beside)) => {
                return closing(beside.refuse(request.into_parts().0, status, why).await);
            }
        }
        let (head, body) = request.into_parts();
        if named && cors::is_preflight(&head.method, &head.headers) {
            return cors::preflight(&head.headers);
        }
        let Some(place) = place(head.uri.path()) else {
            return closing(plain(&json_refusal(
                StatusCode::NOT_FOUND,
                "there is nothing here; MCP is served at /mcp",
            )));
        };
        if !matches!(head.method, Method::POST | Method::GET | Method::DELETE) || head.headers.contains_key(UPGRADE) {
            let mut answer = plain(&json_refusal(StatusCode::METHOD_NOT_ALLOWED, "use POST, GET or DELETE"));
            answer.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
            return closing(answer);
        }
        let client_ip = self.client_ip(peer, &head.headers);
        let admitted = match self.admit(&place, &head.headers, client_ip) {
            Ok(admitted) => admitted,
            Err(why) => return Box::pin(self.turn_away(why, client_ip)).await,
        };
        let grant = admitted.lead.grants().next().map(Arc::clone);
        let answer = match head.method {
            Method::POST => self.post(admitted, head.headers, body).await,
            Method::GET => Box::pin(self.get(admitted, &head.headers)).await,
            _ => Box::pin(self.delete(admitted, &head.headers)).await,
        };
        let Some(grant) = grant else { return answer };
        let counted = answer.extensions().get::<Counted>().copied();
        answer.map(|body| body.counting(self.gateway.returning(), &grant, counted))
    }

    /// The guard against DNS rebinding and cross-site requests: `Host` must be one of ours, and
    /// so must be the host of an `Origin` that is not named.
    fn addressed_to_us(&self, headers: &HeaderMap, named: bool) -> Result<(), (StatusCode, &'static str)> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err((StatusCode::BAD_REQUEST, "exactly one Host header is needed"));
        };
        if !host.to_str().is_ok_and(|host| self.is_ours(host)) {
            return Err((StatusCode::FORBIDDEN, "this Host is not served here; allow it with --allow-host NAME"));
        }
        for origin in headers.get_all(ORIGIN).iter().filter(|_| !named) {
            let ours = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            if !ours.is_some_and(|(_, host)| self.is_ours(host)) {
                return Err((
                    StatusCode::FORBIDDEN,
                    "requests of this Origin are not served; allow it with --allow-origin ORIGIN, or its host with --allow-host NAME",
                ));
            }
        }
        Ok(())
    }

    fn is_ours(&self, authority: &str) -> bool {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
                    return false;
                }
                host
            }
            _ => authority,
        };
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| host.eq_ignore_ascii_case(local))
            || (!self.config.hosts.is_empty() && self.config.hosts.contains(&host.to_ascii_lowercase()))
    }

    /// The agent's address: the peer's, or what a trusted proxy says. Of a list only the last
    /// entry that is no trusted proxy was written by somebody who can be believed.
    fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.config.proxies.contains(&peer) {
            return peer;
        }
        let said: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for entry in said.iter().rev() {
            match entry.trim().parse::<IpAddr>() {
                Ok(address) if self.config.proxies.contains(&address.to_canonical()) => {}
                Ok(address) => return address.to_canonical(),
                Err(_) => return peer,
            }
        }
        peer
    }

    /// Whether calls would be forwarded now: a load balancer sends them elsewhere while not.
    fn ready(&self) -> Response<Body> {
        let why = if self.gateway.asked_whether_ready() > Phase::Serving {
            "{\"status\":\"not ready\",\"reason\":\"the gateway is being stopped\"}"
        } else if !self.gateway.lease().holds() {
            "{\"status\":\"not ready\",\"reason\":\"the control plane cannot be reached\"}"
        } else {
            return json(StatusCode::OK, "{\"status\":\"ready\"}");
        };
        json(StatusCode::SERVICE_UNAVAILABLE, why)
    }
}

/// Whether somebody asks how this worker is: supervisors and load balancers, without a token. It tells them nothing else.
fn asks(request: &Request<Incoming>, path: &str) -> bool {
    request.uri().path() == path && matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Which server a path means. There is one spelling with and one without a slash at the end.
fn place(path: &str) -> Option<Place<'_>> {
    match path {
        "/mcp" | "/mcp/" => Some(Place::All),
        _ => {
            let id = path.strip_prefix("/mcp/")?;
            let id = id.strip_suffix('/').unwrap_or(id);
            crate::server::is_server_id(id).then_some(Place::Server(id))
        }
    }
}

/// Why a body is not even read.
fn unreadable_kind(headers: &HeaderMap) -> Option<Refusal> {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let json = match (kinds.next().map(HeaderValue::to_str), kinds.next()) {
        (Some(Ok(kind)), None) => is_json(kind),
        _ => false,
    };
    if !json {
        return Some(json_refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"));
    }
    headers.contains_key(CONTENT_ENCODING).then(|| {
        json_refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed requests are not read; send it without Content-Encoding",
        )
    })
}

fn is_json(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
}

/// A refusal before any message was read: a JSON-RPC error without a known id.
fn json_refusal(status: StatusCode, text: &str) -> Refusal {
    refusal::error("null", refusal::code::INVALID_REQUEST, text, status.as_u16())
}

/// A refusal as an HTTP answer.
fn plain(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, refusal.body.clone())
}

/// A refusal of what was not forwarded: if it is for the time being, it says when to ask again. Nothing else must, because
/// programs obey that by themselves.
fn not_forwarded(refusal: &Refusal) -> Response<Body> {
    let mut answer = plain(refusal);
    if matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}

/// What whoever has no place is told.
fn no_room(why: NoPlace) -> Refusal {
    match why {
        NoPlace::OfAddress => json_refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "this address has as many requests under way here as it may have; ask again when one has ended",
        ),
        NoPlace::InAll => json_refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "this gateway has as many connections as it takes; ask again later",
        ),
    }
}

/// The same answer, after which the connection ends: where a request could not be read as one,
/// what stands behind it on the connection is nobody's request.
fn closing(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A JSON answer.
fn json(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut answer = Response::new(Body::whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_a_place() {
        assert!(matches!(place("/mcp"), Some(Place::All)));
        assert!(matches!(place("/mcp/"), Some(Place::All)));
        assert!(matches!(place("/mcp/files"), Some(Place::Server("files"))));
        assert!(matches!(place("/mcp/files/"), Some(Place::Server("files"))));
        for other in ["/", "//mcp", "/mcp//", "/mcp/files//", "/mcp/../mcp", "/MCP", "/mcp/Files", "/mcp/%66iles"] {
            assert!(place(other).is_none(), "{other}");
        }
    }

    #[test]
    fn json_in_utf_8_only() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/json, text/plain",
            "application/json; charset=utf-16",
            "application/json; x",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
