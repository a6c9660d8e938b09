//! What is shown where there is no page.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use serde::Serialize;

use crate::form::Form;
use crate::head::{Head, Robots};
use crate::page::{self, Page};
use crate::site::Site;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Nothing has this address.
    #[error("there is nothing at this address")]
    NotFound,
    /// What is meant has another address.
    #[error("it is at {0}")]
    Elsewhere(String),
    /// What was asked cannot be understood.
    #[error("{0}")]
    Unclear(String),
    /// Something of ours.
    #[error("{0}")]
    Broken(String),
    /// What was sent is too long.
    #[error("{0}")]
    TooLong(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::BadDatabase),
    /// The index.
    #[error(transparent)]
    Index(#[from] search::BadIndex),
}

impl Failure {
    /// The answer to who asked for `path`.
    pub(crate) fn answer(self, site: &Site, form: Form, asked: &HeaderMap) -> Response<Body> {
        let (status, heading, text) = match &self {
            Failure::Elsewhere(path) => return Redirect::permanent(path).into_response(),
            Failure::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing is here",
                "No server or tool of the catalogue has this address. It may have another name now: search for it."
                    .to_owned(),
            ),
            Failure::Unclear(why) => (StatusCode::BAD_REQUEST, "This cannot be answered", why.clone()),
            Failure::TooLong(why) => (StatusCode::PAYLOAD_TOO_LARGE, "This is too long", why.clone()),
            Failure::Index(search::BadIndex::None) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The catalogue is empty",
                "Nothing has been imported yet: `toolgate catalogue import` or `toolgate catalogue sync` fill it."
                    .to_owned(),
            ),
            Failure::Broken(why) => return broken(site, why),
            Failure::Store(error) => return broken(site, &error.to_string()),
            Failure::Index(error) => return broken(site, &error.to_string()),
        };
        let mut response =
            page::answer(site, form, &HeaderMap::new(), &Problem { heading, text, status: status.as_u16() });
        let _ = asked;
        *response.status_mut() = status;
        response
    }
}

/// The answer where something of ours is broken: what exactly is for the operator's eyes alone.
pub(crate) fn broken(site: &Site, why: &str) -> Response<Body> {
    let text = match site.is_public() {
        true => "The page could not be made. Try again in a minute; whoever runs this catalogue finds the reason in its log.".to_owned(),
        false => format!("The page could not be made: {why}."),
    };
    let problem = Problem { heading: "Something is broken here", text, status: 500 };
    let mut response = page::answer(site, Form::Html, &HeaderMap::new(), &problem);
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// A page that says that there is none.
#[derive(Debug, Serialize)]
struct Problem {
    status: u16,
    #[serde(rename = "title")]
    heading: &'static str,
    #[serde(rename = "detail")]
    text: String,
}

impl Page for Problem {
    fn head(&self) -> Head {
        Head {
            title: self.heading.to_owned(),
            description: self.text.clone(),
            path: "/".to_owned(),
            robots: Robots::Follow,
            searches: true,
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { (self.heading) }
            p class="lead" { (self.text) }
            (crate::layout::search_box(""))
        }
    }

    fn markdown(&self) -> String {
        format!("# {}\n\n{}\n", self.heading, self.text)
    }
}
