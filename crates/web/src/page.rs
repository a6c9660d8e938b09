//! A page: one value, shown in three forms.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use maud::Markup;
use serde::Serialize;

use crate::form::Form;
pub use crate::head::{Crumb, Head, Robots};
use crate::layout;
use crate::site::Site;

/// What an address shows. The value itself is its JSON form.
pub trait Page: Serialize {
    /// Its head.
    fn head(&self) -> Head;

    /// What stands between header and footer, from the `h1` on.
    fn body(&self) -> Markup;

    /// The same as Markdown, from the first heading on.
    fn markdown(&self) -> String;
}

/// How long caches may keep a page without asking.
const FRESH: HeaderValue = HeaderValue::from_static("max-age=60");

/// Answers with a page in the form that is asked for.
pub(crate) fn answer(site: &Site, form: Form, asked: &HeaderMap, page: &impl Page) -> Response<Body> {
    let head = page.head();
    let text = match form {
        Form::Html => layout::html(site, &head, &page.body()).into_string(),
        Form::Markdown => page.markdown(),
        Form::Json | Form::Api => match serde_json::to_string_pretty(page) {
            Ok(text) => text + "\n",
            Err(error) => return crate::failure::broken(site, Form::Html, &error.to_string()),
        },
    };
    let mut response = tagged(asked, form.media_type(), text);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    let robots = match head.robots {
        Robots::Index if site.is_public() => None,
        Robots::Follow if site.is_public() => Some("noindex, follow"),
        _ => Some("noindex"),
    };
    if let Some(robots) = robots {
        headers.insert("x-robots-tag", HeaderValue::from_static(robots));
    }
    response
}

/// A text with its tag: whoever has it already is told so.
pub(crate) fn tagged(asked: &HeaderMap, media_type: &'static str, text: String) -> Response<Body> {
    let sum = digest(&SHA256, text.as_bytes());
    let tag: String = sum.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let mut response = Response::new(if same { Body::empty() } else { Body::from(text) });
    if same {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, FRESH);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
