//! Who asks: by a token in a header, or by the cookie of a session.

use std::fmt;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use secrecy::{ExposeSecret, SecretString};
use store::control::access::Actor;

use super::Api;
use super::problem::{Kind, Problem};

/// The cookie of a session. Its name has browsers refuse it for other hosts, other paths and plain HTTP.
const COOKIE: &str = "__Host-toolgate";

/// A header that no form and no link of another site can send.
const OURS: &str = "toolgate-request";

/// What somebody has shown.
pub(crate) struct Shown {
    token: SecretString,
    by_cookie: bool,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

impl Shown {
    /// What the headers show.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            let token = SecretString::from(token.trim());
            return scheme.eq_ignore_ascii_case("bearer").then_some(Self { token, by_cookie: false });
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut ours = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        Some(Self { token: SecretString::from(ours.next()?), by_cookie: true })
    }

    pub(crate) fn reveal(&self) -> &str {
        self.token.expose_secret()
    }
}

/// The cookie that begins a session in a browser.
pub(crate) fn cookie(token: &str) -> String {
    format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// The one that ends it.
pub(crate) fn no_cookie() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// Who shows it.
pub(super) async fn recognise(api: &Api, parts: &Parts, shown: Option<&Shown>) -> Result<Actor, Problem> {
    let shown = shown.ok_or_else(Problem::unknown)?;
    let actor = api.instance.recognise(shown.reveal()).await?.ok_or_else(Problem::unknown)?;
    // A browser sends a cookie along with what other sites ask of it.
    if shown.by_cookie && parts.method != Method::GET && !from_here(&parts.headers) {
        let how = "a change by cookie takes an `Origin` that is this host, or a header `Toolgate-Request: 1`";
        return Err(Problem::new(Kind::CrossSite, how));
    }
    Ok(actor)
}

/// Whether no other site can have sent it.
fn from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match text(header::ORIGIN.as_str()) {
        Some(origin) => {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some() && host == text(header::HOST.as_str())
        }
        None => headers.contains_key(OURS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_is_shown() {
        let shown = |all| Shown::of(&headers(all)).map(|shown| (shown.reveal().to_owned(), shown.by_cookie));
        assert_eq!(shown(&[("authorization", "Bearer tgp_1")]), Some(("tgp_1".to_owned(), false)));
        assert_eq!(shown(&[("authorization", "bearer  tgp_1 ")]), Some(("tgp_1".to_owned(), false)));
        assert_eq!(shown(&[("cookie", "a=b; __Host-toolgate=tgx_1")]), Some(("tgx_1".to_owned(), true)));
        assert_eq!(shown(&[("authorization", "Basic eA=="), ("cookie", "__Host-toolgate=tgx_1")]), None);
        assert_eq!(shown(&[("cookie", "toolgate=tgx_1")]), None);
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn another_site_cannot_have_sent_it() {
        let cases: [(&[(&str, &str)], bool); 6] = [
            (&[("host", "a.example"), ("origin", "https://a.example")], true),
            (&[("host", "a.example"), ("origin", "https://b.example")], false),
            (&[("host", "a.example"), ("origin", "null"), ("toolgate-request", "1")], false),
            (&[("host", "a.example"), ("origin", "https://b.example"), ("toolgate-request", "1")], false),
            (&[("host", "a.example"), ("toolgate-request", "1")], true),
            (&[("host", "a.example")], false),
        ];
        for (sent, ours) in cases {
            let sent: HeaderMap = sent
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(from_here(&sent), ours, "{sent:?}");
        }
    }
}
