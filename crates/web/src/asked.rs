//! What an address says, read so that a mistake in it is answered as everything else: by a page, or by a problem of
//! the API.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::Response;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::form::Form;
use crate::site::Site;

/// What is said of a page that cannot be one.
pub(crate) const PAGES: &str = "Pages are numbers from 1 on: ?page=2.";

/// The variable parts of a path. One that is no text is nobody's address.
pub(crate) struct Path<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Site>> for Path<T> {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        match axum::extract::Path::from_request_parts(parts, site).await {
            Ok(axum::extract::Path(read)) => Ok(Self(read)),
            Err(_) => Err(refused(parts, site, Failure::NotFound)),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Site>> for Query<T> {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        match axum::extract::Query::from_request_parts(parts, site).await {
            Ok(axum::extract::Query(read)) => Ok(Self(read)),
            Err(error) => {
                let why = if is_api(parts) { error.body_text() } else { unclear(parts) };
                Err(refused(parts, site, Failure::Unclear(why)))
            }
        }
    }
}

/// What is wrong with a query, in the words of its reader.
fn unclear(parts: &Parts) -> String {
    let fields = parts.uri.query().unwrap_or_default().split('&');
    let of_page = fields.into_iter().any(|field| field.split('=').next() == Some("page"));
    if of_page { PAGES.to_owned() } else { "What stands behind the question mark cannot be read.".to_owned() }
}

fn is_api(parts: &Parts) -> bool {
    parts.uri.path().starts_with("/api/")
}

fn refused(parts: &Parts, site: &Site, failure: Failure) -> Response<Body> {
    if is_api(parts) {
        return failure.problem();
    }
    failure.answer(site, parts.extensions.get().copied().unwrap_or(Form::Html))
}
