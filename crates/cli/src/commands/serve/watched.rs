//! What a gateway shows of itself: numbers at an address of their own, traces to a collector.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::connections::ConnectionLimits;
use gateway::gateway::Gateway;
use gateway::listen::{self, Unread};
use gateway::measures::{Exposition, Kind, render};
use gateway::spans::Exporter;
use gateway::tls::Tls;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use upstream::http::{Client, Endpoint};

use super::process;
use crate::args::WatchOptions;
use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::listening;
use crate::output::tell;

/// Connections at once: a few that ask for numbers, and no more; a quarter of them of one address.
const CONNECTIONS: usize = 32;

/// How long a connection to the collector may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// What watches a gateway while it serves.
pub struct Watched {
    metrics: Option<JoinHandle<()>>,
    exporter: Option<Exporter>,
}

impl Watched {
    /// Starts to watch, within the present runtime. Numbers are served with TLS where agents are.
    ///
    /// # Errors
    /// When the address is taken, or the collector's URL is none.
    pub fn start(
        options: &WatchOptions,
        hosts: &HashSet<String>,
        tls: Option<&Arc<Tls>>,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Failure> {
        let exporter = collector(options)?.map(|(endpoint, service)| {
            let client = Client::new(CONNECT).trying("the HTTP client")?;
            let (spans, exporter) =
                Exporter::start(client, endpoint, service, Arc::new(|text| tell!("toolgate: {text}")));
            gateway.keep_spans(spans);
            Ok::<_, Failure>(exporter)
        });
        let exporter = exporter.transpose()?;
        let metrics = options.metrics_listen.map(|address| listen(address, hosts.clone(), tls, gateway)).transpose()?;
        Ok(Self { metrics, exporter })
    }

    /// Stops showing numbers and sends the traces that wait.
    pub async fn finish(self) {
        if let Some(metrics) = self.metrics {
            metrics.abort();
        }
        if let Some(exporter) = self.exporter {
            exporter.finish().await;
        }
    }
}

/// Where traces go, and under which name.
fn collector(options: &WatchOptions) -> Result<Option<(Endpoint, String)>, Failure> {
    let below = |base: &str| format!("{}/v1/traces", base.trim_end_matches('/'));
    let url = match &options.otlp {
        Some(base) => Some(below(base)),
        None => text_variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .or_else(|| text_variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| below(&base))),
    };
    let Some(url) = url else { return Ok(None) };
    let mut endpoint = Endpoint::parse(&url).map_err(|error| Failure::Usage(format!("the collector: {error}")))?;
    if endpoint.uri().query().is_some() {
        let how = "a key belongs into a header, by $OTEL_EXPORTER_OTLP_HEADERS";
        return Err(Failure::Usage(format!(
            "the collector's URL has a query, which would be shown in messages: {how}"
        )));
    }
    let headers =
        text_variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| text_variable("OTEL_EXPORTER_OTLP_HEADERS"));
    for pair in headers.iter().flat_map(|all| all.split(',')).filter(|pair| !pair.trim().is_empty()) {
        // The value may be a key, so what is wrong is said without it.
        let wrong =
            || Failure::Usage("$OTEL_EXPORTER_OTLP_HEADERS is a list of NAME=VALUE, with commas between".into());
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let value = decoded(value.trim()).ok_or_else(wrong)?;
        endpoint.add_header(name, &value).map_err(|error| Failure::Usage(format!("the collector: {error}")))?;
    }
    Ok(Some((endpoint, text_variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "toolgate".to_owned()))))
}

/// Percent signs undone, as the variable's values are written.
fn decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

fn listen(
    address: SocketAddr,
    hosts: HashSet<String>,
    tls: Option<&Arc<Tls>>,
    gateway: &Arc<Gateway>,
) -> Result<JoinHandle<()>, Failure> {
    let listener = StdListener::bind(address).trying(format!("listening at {address} for metrics"))?;
    let address = listener.local_addr().trying("the address of metrics")?;
    listener.set_nonblocking(true).trying("the address of metrics")?;
    let listener = TcpListener::from_std(listener).trying("the address of metrics")?;
    tell!("metrics {}://{address}/metrics", listening::scheme(tls));
    let (gateway, started) = (Arc::clone(gateway), Timestamp::now());
    let asked = Arc::new(move |request: Result<Request<Bytes>, Box<Unread>>| match request {
        Ok(request) => answer(&request, &gateway, &hosts, started),
        Err(unread) => plain(unread.status, unread.why),
    });
    let ask = move |request| std::future::ready(asked(request));
    let limits = ConnectionLimits { in_all: CONNECTIONS, of_an_address: Some(CONNECTIONS / 4) };
    Ok(tokio::spawn(listen::pages(listener, tls.cloned(), limits, ask, std::future::pending())))
}

/// Whether a request is addressed to an address, to this machine, or to a name that the operator knows: a page whose name
/// was made to lead here is not.
fn named_by(request: &Request<Bytes>, hosts: &HashSet<String>) -> bool {
    let mut named = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (named.next().and_then(|host| host.to_str().ok()), named.next()) else { return false };
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name == "localhost" || name.parse::<IpAddr>().is_ok() || hosts.contains(&name)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer
}

fn answer(
    request: &Request<Bytes>,
    gateway: &Gateway,
    hosts: &HashSet<String>,
    started: Timestamp,
) -> Response<Full<Bytes>> {
    // A page of the web that a browser shows must not read them, whatever name leads here.
    if request.headers().get("sec-fetch-site").is_some_and(|site| site != "none") {
        return plain(StatusCode::FORBIDDEN, "numbers are not for pages of the web\n");
    }
    if !named_by(request, hosts) {
        return plain(StatusCode::FORBIDDEN, "this Host is not served here; allow it with --allow-host NAME\n");
    }
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "numbers are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let mut answer = Response::new(Full::new(Bytes::from(numbers(gateway, started))));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Exposition::CONTENT_TYPE));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// All numbers: of the gateway, then of the process.
fn numbers(gateway: &Gateway, started: Timestamp) -> String {
    let mut text = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.family("toolgate_build_info", Kind::Gauge, "Which version runs; always 1.").sample(&version, 1);
    render(gateway, &mut text);
    process::render(started, &mut text);
    text.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_headers_may_be_written_with_percent_signs() {
        for (text, expected) in [
            ("Bearer%20abc", Some("Bearer abc")),
            ("plain", Some("plain")),
            ("%C3%A9", Some("é")),
            ("", Some("")),
            ("%2", None),
            ("%zz", None),
            ("%FF", None),
        ] {
            assert_eq!(decoded(text).as_deref(), expected, "{text}");
        }
    }
}
