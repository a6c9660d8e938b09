//! What an address says, read so that a mistake in it is answered as everything else: by a page, or by a problem of
//! the API.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::Response;
use axum::http::request::Parts;
use catalogue::since::since;
use jiff::Timestamp;
use risk::recommend::Temper;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::form::Form;
use crate::parameter::{Takes, listed};
use crate::site::Site;
use crate::text::code;

/// The variable parts of a path. One that is no text is nobody's address.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Site>> for Path<T> {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        match axum::extract::Path::from_request_parts(parts, site).await {
            Ok(axum::extract::Path(read)) => Ok(Self(read)),
            Err(_) => Err(refused(parts, site, Failure::NotFound)),
        }
    }
}

/// What stands behind the question mark, in its order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl FromRequestParts<Arc<Site>> for Query {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        match axum::extract::Query::from_request_parts(parts, site).await {
            Ok(axum::extract::Query(pairs)) => Ok(Self(pairs)),
            Err(_) => {
                let why = "What stands behind the question mark cannot be read.".to_owned();
                Err(refused(parts, site, Failure::Unclear(why)))
            }
        }
    }
}

fn refused(parts: &Parts, site: &Site, failure: Failure) -> Response<Body> {
    failure.answer(site, parts.extensions.get().copied().unwrap_or(Form::Html))
}

impl Query {
    /// Everything: names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses what is asked for by names that nothing here has. Pages overlook them: others write their own marks
    /// behind the addresses that they pass on.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Failure> {
        match self.pairs().find(|(name, _)| !names.contains(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let takes: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let takes: Vec<&str> = takes.iter().map(String::as_str).collect();
                let name = code(&name.chars().take(40).collect::<String>());
                Err(Failure::Unclear(format!("{name} is no parameter of this address; it takes {}.", listed(&takes))))
            }
        }
    }

    /// The value of a name that is said once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.pairs().filter(|pair| pair.0 == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Failure::Unclear(format!("`{name}` may be said once; it is said several times."))),
            (found, None) => Ok(found.map(|pair| pair.1)),
        }
    }

    /// The value of a parameter, where it is one that it takes.
    pub(crate) fn value(&self, name: &str) -> Result<Option<&str>, Failure> {
        let value = self.one(name)?;
        if let (Some(value), Some(takes)) = (value, Takes::of(name)) {
            takes.check_text(name, value)?;
        }
        Ok(value)
    }

    /// A number from one to another; `unless` said otherwise.
    pub(crate) fn number(&self, name: &str, (least, most): (usize, usize), unless: usize) -> Result<usize, Failure> {
        self.one(name)?.map_or(Ok(unless), |text| Takes::Number(least, most).number(name, text))
    }

    /// Which page, from 1.
    pub(crate) fn page(&self) -> Result<usize, Failure> {
        self.number("page", (1, usize::MAX), 1)
    }

    /// How strict policies are to be.
    pub(crate) fn temper(&self) -> Result<Temper, Failure> {
        let word = self.value("policy")?;
        Ok(word.and_then(temper).unwrap_or(Temper::Balanced))
    }

    /// Since when.
    pub(crate) fn since(&self) -> Result<Option<Timestamp>, Failure> {
        let text = self.value("since")?;
        Ok(text.and_then(|text| since(text, Timestamp::now()).ok()))
    }
}

/// The temper of a word.
pub(crate) fn temper(word: &str) -> Option<Temper> {
    Temper::ALL.into_iter().find(|temper| temper.as_str() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_is_wrong_names_the_parameter() {
        let wrong = |failure: Failure| failure.to_string();
        assert_eq!(wrong(query(&[("page", "0")]).page().unwrap_err()), "`page` must be a whole number from 1 on.");
        assert_eq!(
            wrong(query(&[("policy", "strict")]).temper().unwrap_err()),
            "`policy` must be one of observe, balanced or locked-down; something else was given."
        );
        assert_eq!(
            wrong(query(&[("page", "1"), ("page", "1")]).page().unwrap_err()),
            "`page` may be said once; it is said several times."
        );
        let limit = query(&[("limit", "101")]).number("limit", (1, 100), 100).unwrap_err();
        assert_eq!(wrong(limit), "`limit` must be a whole number from 1 to 100.");
        let other = query(&[("page", "2"), ("col`our\u{202e}", "red")]).only(&["page", "letter"]).unwrap_err();
        assert_eq!(wrong(other), "`col'our\\u{202e}` is no parameter of this address; it takes `page` or `letter`.");
        assert_eq!(query(&[("q", "x")]).page().ok(), Some(1));
    }
}
