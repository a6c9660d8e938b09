//! What is shown where there is no page.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use crate::form::Form;
use crate::head::{Head, Robots};
use crate::page::{self, Page};
use crate::routes::moved;
use crate::site::Site;
use crate::text::sentence;

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
    /// It was asked with a method that it does not have.
    #[error("this address is not asked with that method; `Allow` names those that it has")]
    Method,
    /// Nobody is answered who asks so.
    #[error("{1}")]
    Refused(StatusCode, &'static str),
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
    /// The answer, in the form that was asked for.
    pub(crate) fn answer(self, site: &Site, form: Form) -> Response<Body> {
        if form == Form::Api {
            return self.problem();
        }
        let (status, heading, text) = match &self {
            Failure::Elsewhere(path) => return moved(path),
            Failure::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing is here",
                "No server or tool of the catalogue has this address. It may have another name now: search for it."
                    .to_owned(),
            ),
            Failure::Unclear(why) => (StatusCode::BAD_REQUEST, "This cannot be answered", why.clone()),
            Failure::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "This is only read",
                "Ask for it with GET. Only /stack/ takes what is sent.".to_owned(),
            ),
            Failure::Refused(status, why) => {
                let is_long = *status == StatusCode::PAYLOAD_TOO_LARGE;
                (*status, if is_long { "This is too long" } else { "This is not served here" }, sentence(why) + ".")
            }
            Failure::TooLong(why) => (StatusCode::PAYLOAD_TOO_LARGE, "This is too long", why.clone()),
            Failure::Index(search::BadIndex::None) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The catalogue is empty",
                "Nothing has been imported yet: `toolgate catalogue import` or `toolgate catalogue sync` fill it."
                    .to_owned(),
            ),
            Failure::Broken(why) => return broken(site, form, why),
            Failure::Store(error) => return broken(site, form, &error.to_string()),
            Failure::Index(error) => return broken(site, form, &error.to_string()),
        };
        let problem = Problem { heading, text, status: status.as_u16() };
        let mut response = page::answer(site, form, &HeaderMap::new(), &problem);
        *response.status_mut() = status;
        response
    }

    /// The answer to a program, as RFC 9457 says it.
    pub(crate) fn problem(self) -> Response<Body> {
        let status = match &self {
            Failure::NotFound | Failure::Elsewhere(_) => StatusCode::NOT_FOUND,
            Failure::Unclear(_) => StatusCode::BAD_REQUEST,
            Failure::Method => StatusCode::METHOD_NOT_ALLOWED,
            Failure::Refused(status, _) => *status,
            Failure::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Index(search::BadIndex::None) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let detail = match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                "the catalogue cannot be read; whoever runs it finds the reason in its log".to_owned()
            }
            _ => self.to_string(),
        };
        let problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
        });
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Form::Api.media_type()));
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
        response
    }
}

/// The answer where something of ours is broken: what exactly is for the operator's eyes alone.
pub(crate) fn broken(site: &Site, form: Form, why: &str) -> Response<Body> {
    let text = match site.is_public() {
        true => "The page could not be made. Try again in a minute; whoever runs this catalogue finds the reason in its log.".to_owned(),
        false => format!("The page could not be made: {why}."),
    };
    let problem = Problem { heading: "Something is broken here", text, status: 500 };
    let mut response = page::answer(site, form, &HeaderMap::new(), &problem);
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
            robots: Robots::Nothing,
            searches: true,
            ..Head::default()
        }
    }

    fn body(&self) -> Markup {
        html! {
            h1 { (self.heading) }
            p class="lead" { (crate::layout::prose(&self.text)) }
            (crate::layout::search_box(""))
        }
    }

    fn markdown(&self) -> String {
        format!("# {}\n\n{}\n", self.heading, self.text)
    }
}
