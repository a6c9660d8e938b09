//! Asking a registry over HTTPS: patiently, and only for what was meant.

use std::time::Duration;

use ::http::header::{ACCEPT, LOCATION, RETRY_AFTER};
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use upstream::http::{Answer, BadEndpoint, Client as Http, Endpoint, NoTrust, SendError};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a registry may think before it begins to answer, and how long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest page, in bytes.
const PAGE: usize = 16 << 20;

/// How often one page is asked for.
const ATTEMPTS: u32 = 5;

/// How often where nobody could be reached.
const CONNECTIONS: u32 = 2;

/// The first wait between two attempts; each is twice the one before.
const BACK_OFF: Duration = Duration::from_millis(500);

/// The longest that a registry may ask to wait.
const LONGEST: Duration = Duration::from_secs(60);

/// How many redirects within the registry are followed.
const REDIRECTS: u32 = 3;

/// Why a registry gave no page.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] BadEndpoint),
    /// No certificate could be trusted.
    #[error(transparent)]
    Trust(#[from] NoTrust),
    /// An address that may be read and changed on the way.
    #[error("a registry is asked over https; http is for this machine itself (127.0.0.1, ::1, localhost) alone")]
    Plain,
    /// The address holds what only its pages may have.
    #[error("the address of a registry has no `?` and no `#`: write https://registry.example.com")]
    Query,
    /// Nobody answered.
    #[error("{}", .0.advised())]
    Unreachable(#[from] SendError),
    /// It does not want to be asked now.
    #[error("it asks to wait for {0} seconds; run it again then, and it goes on where it stood")]
    Wait(u64),
    /// It refused.
    #[error("it answers with status {0}")]
    Status(StatusCode),
    /// It sends elsewhere.
    #[error("it redirects to another host ({0}), which is not followed; name that with --registry if it is meant")]
    Redirected(String),
    /// It redirects for ever.
    #[error("it redirects again and again")]
    Circle,
    /// An answer that is too large, or never ends.
    #[error("its answer is {0}")]
    Body(&'static str),
    /// The answer broke off.
    #[error("its answer broke off: {0}")]
    Broken(String),
}

/// A registry.
#[derive(Debug)]
pub(crate) struct Registry {
    http: Http,
    base: Endpoint,
    /// What stands before `/v0.1`.
    path: String,
}

impl Registry {
    /// The registry at an address.
    pub(crate) fn at(address: &str) -> Result<Self, NoPage> {
        let base = Endpoint::parse(address)?;
        let uri = base.uri();
        if uri.query().is_some() || address.contains('#') {
            return Err(NoPage::Query);
        }
        if uri.scheme_str() != Some("https") && !is_loopback(uri) {
            return Err(NoPage::Plain);
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { http: Http::new(CONNECT)?, base, path })
    }

    /// The registry's own host, in one spelling.
    pub(super) fn host(&self) -> String {
        self.base.uri().authority().map(|authority| authority.as_str().to_lowercase()).unwrap_or_default()
    }

    /// Asks for a page, again and again where that may help.
    pub(super) async fn page(&self, query: &[(&str, &str)]) -> Result<Vec<u8>, NoPage> {
        let words: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.get(&format!("/v0.1/servers?{}", words.join("&"))).await
    }

    /// Asks for what stands at a path below the registry's address.
    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>, NoPage> {
        let mut target = format!("{}{path}", self.path);
        let (mut attempt, mut redirects, mut wait) = (1, 0, BACK_OFF);
        loop {
            let (failed, asked) = match self.once(&target).await {
                Ok(Got::Page(bytes)) => return Ok(bytes),
                Ok(Got::Elsewhere(_)) if redirects == REDIRECTS => return Err(NoPage::Circle),
                Ok(Got::Elsewhere(other)) => {
                    redirects += 1;
                    target = other;
                    continue;
                }
                Ok(Got::Later(status, asked)) => (NoPage::Status(status), asked),
                Err(error @ (NoPage::Unreachable(_) | NoPage::Broken(_))) => (error, None),
                Err(error) => return Err(error),
            };
            let most = match failed {
                NoPage::Unreachable(SendError::NotSent(_) | SendError::Certificate(_)) => CONNECTIONS,
                _ => ATTEMPTS,
            };
            if attempt >= most {
                return Err(failed);
            }
            if let Some(asked) = asked.filter(|asked| *asked > LONGEST) {
                return Err(NoPage::Wait(asked.as_secs()));
            }
            tokio::time::sleep(asked.unwrap_or(wait)).await;
            attempt += 1;
            wait = wait.saturating_mul(2);
        }
    }

    async fn once(&self, target: &str) -> Result<Got, NoPage> {
        let endpoint = self.base.at(target)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.http.send(&endpoint, Method::GET, headers, None, Some(PATIENCE)).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(Got::Page(body(answer).await?));
        }
        let header = |name| answer.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if status.is_redirection() {
            return self.redirected(header(LOCATION).unwrap_or_default()).map(Got::Elsewhere);
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Ok(Got::Later(status, header(RETRY_AFTER).and_then(|text| later(text, Timestamp::now()))));
        }
        Err(NoPage::Status(status))
    }

    /// Where a redirect leads, if that is the same registry.
    fn redirected(&self, location: &str) -> Result<String, NoPage> {
        let shown = || audit::visible::word(location);
        let uri: Uri = location.parse().map_err(|_| NoPage::Redirected(shown()))?;
        let own = self.base.uri();
        let same = match uri.authority() {
            None => location.starts_with('/') && !location.starts_with("//"),
            Some(authority) => {
                uri.scheme() == own.scheme()
                    && own.authority().is_some_and(|own| own.as_str().eq_ignore_ascii_case(authority.as_str()))
            }
        };
        let target = uri.path_and_query().map(ToString::to_string);
        target.filter(|_| same).ok_or_else(|| NoPage::Redirected(shown()))
    }
}

/// What came of one request.
enum Got {
    Page(Vec<u8>),
    Elsewhere(String),
    Later(StatusCode, Option<Duration>),
}

async fn body(answer: Response<Answer>) -> Result<Vec<u8>, NoPage> {
    let whole = Limited::new(answer.into_body(), PAGE).collect();
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(NoPage::Body("larger than 16 MiB")),
        Ok(Err(error)) => Err(NoPage::Broken(error.to_string())),
        Err(_) => Err(NoPage::Body("not at its end after 30 seconds")),
    }
}

/// Whether an address is one of this machine itself.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host.eq_ignore_ascii_case("localhost") || address
}

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// How long a `Retry-After` asks to wait: seconds, or the time of a day.
fn later(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(at.as_second().saturating_sub(now.as_second())).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_asked_over_https_or_on_this_machine() {
        let table = [
            ("https://registry.example.com", true),
            ("https://example.com/api/", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://registry.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("https://u:p@example.com", false),
            ("https://example.com/?x=1", false),
            ("registry.example.com", false),
        ];
        for (address, good) in table {
            assert_eq!(Registry::at(address).is_ok(), good, "{address}");
        }
    }

    #[test]
    fn redirects_stay_where_they_are() {
        let registry = Registry::at("https://registry.example.com").unwrap();
        for (location, wanted) in [
            ("/v0.1/other?limit=1", Some("/v0.1/other?limit=1")),
            ("https://REGISTRY.example.com/x", Some("/x")),
            ("http://registry.example.com/x", None),
            ("https://registry.example.com.evil.example/x", None),
            ("//evil.example/x", None),
            ("", None),
        ] {
            assert_eq!(registry.redirected(location).ok().as_deref(), wanted, "{location}");
        }
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_time() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(later(text, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(encoded("a.b/c:1.0+x é"), "a.b%2Fc%3A1.0%2Bx%20%C3%A9");
    }
}
