//! What went wrong, as RFC 9457 writes it.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use control::Refused;
use policy::Diagnostic;
use serde_json::{Value, json};
use store::control::BadControl;
use store::control::access::Forbidden;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident: $status:literal, $slug:literal, $title:literal;)*) => {
        /// The kinds of problems; each has a path under `/problems/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[doc = $doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The status, the end of the path, and the title.
            #[must_use]
            pub fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Kind::$name => ($status, $slug, $title),)* }
            }
        }
    };
}

kinds! {
    /// The request cannot be read: its body is no strict JSON, a header or a parameter is none.
    Unreadable: 400, "unreadable", "The request cannot be read";
    /// Nobody is recognised by what was shown.
    Unknown: 401, "unknown-caller", "Nobody is recognised";
    /// The name, the password or the setup token is wrong.
    Credentials: 401, "wrong-credentials", "That is not right";
    /// The role does not have the right.
    Forbidden: 403, "forbidden", "The role does not have the right";
    /// A browser sent it for another site.
    CrossSite: 403, "cross-site", "The request came from another site";
    /// There is nothing, or nothing that the caller may know of.
    Missing: 404, "not-found", "There is nothing here";
    /// The address has other methods.
    Method: 405, "method", "The address has other methods";
    /// What is asked for stands in a file, which nobody changes here.
    Declared: 409, "declared", "This stands in a file";
    /// Something else stands against it.
    Conflict: 409, "conflict", "Something stands against it";
    /// The same request is under way.
    UnderWay: 409, "under-way", "The same request is under way";
    /// Somebody has changed it since it was read.
    Stale: 412, "stale", "Somebody was faster";
    /// The body is too long.
    TooLong: 413, "too-long", "The body is too long";
    /// The body is of another media type.
    MediaType: 415, "media-type", "The body is of another type";
    /// A field is not what it must be.
    Invalid: 422, "invalid", "A field is not what it must be";
    /// A policy has errors.
    Policy: 422, "policy", "The policy has errors";
    /// Another request came with this key.
    KeyUsed: 422, "key-used", "The key was used for another request";
    /// `If-Match` is missing.
    Unmatched: 428, "if-match", "Say which version is meant";
    /// Too many requests.
    TooMany: 429, "too-many-requests", "Too many requests";
    /// Something is broken.
    Broken: 500, "broken", "Something is broken";
    /// The database cannot be reached.
    Away: 503, "away", "The database cannot be reached";
    /// The counts of limits cannot be reached.
    Counts: 503, "counts-away", "The counts of limits cannot be reached";
}

/// Something went wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: String,
    place: Option<(&'static str, String)>,
    diagnostics: Vec<Diagnostic>,
    /// What the operator is told, and nobody else.
    pub(crate) cause: Option<String>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), place: None, diagnostics: Vec::new(), cause: None }
    }

    /// A field of the body is wrong.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Some(("pointer", pointer.into())), ..Self::new(Kind::Invalid, detail) }
    }

    /// A parameter of the query is wrong.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { place: Some(("parameter", name.to_owned())), ..Self::new(Kind::Unreadable, detail) }
    }

    /// A header is wrong.
    pub(crate) fn header(name: &str, detail: impl Into<String>) -> Self {
        Self { place: Some(("header", name.to_owned())), ..Self::new(Kind::Unreadable, detail) }
    }

    /// There is no such address.
    pub(crate) fn nowhere() -> Self {
        Self::new(Kind::Missing, "there is no such address: GET /api/v1/openapi.json describes those that there are")
    }

    /// What stands in a file is changed there.
    pub(crate) fn declared(file: &str) -> Self {
        let how = "change that file; `toolgate serve` without a file keeps servers, policies and grants itself";
        Self::new(Kind::Declared, format!("this gateway serves what {file} says, and keeps nothing itself: {how}"))
    }

    /// A gateway that serves what a file says writes down what it decides and counts in its own directory.
    pub(crate) fn elsewhere() -> Self {
        let how = "look there, with `toolgate logs` and `toolgate limits show`";
        Self::new(Kind::Declared, format!("this gateway keeps its decisions and counts in its data directory: {how}"))
    }

    /// The one answer for what is not there and for what belongs to somebody else.
    pub(crate) fn missing() -> Self {
        Self::new(
            Kind::Missing,
            "there is nothing like that in this organisation: look at the list, and mind the spelling",
        )
    }

    pub(crate) fn unknown() -> Self {
        let how = "sign in with POST /api/v1/sessions, or send `Authorization: Bearer` with an API token (tgp_…) or a session's (tgx_…); what was sent is neither, has ended or was revoked";
        Self::new(Kind::Unknown, how)
    }

    pub(crate) fn broken() -> Self {
        Self::new(Kind::Broken, "the control plane cannot do this; whoever runs it finds the reason in its log")
    }

    /// The same, with what the operator is told.
    pub(crate) fn by(self, cause: impl std::fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let (status, slug, title) = self.kind.row();
        let mut problem = json!({
            "type": format!("/problems/{slug}"),
            "title": title,
            "status": status,
            "detail": self.detail,
        });
        if let Some(fields) = problem.as_object_mut() {
            if let Some((name, place)) = &self.place {
                fields.insert((*name).to_owned(), Value::from(place.as_str()));
            }
            if !self.diagnostics.is_empty() {
                fields.insert("diagnostics".to_owned(), self.diagnostics.iter().map(diagnostic).collect());
            }
        }
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"toolgate\""));
        }
        response
    }
}

/// A diagnostic of a policy, for programs.
pub(crate) fn diagnostic(found: &Diagnostic) -> Value {
    let range = found.labels.first().map(|label| json!({ "start": label.range.start, "end": label.range.end }));
    json!({
        "code": found.code.to_string(),
        "severity": if found.is_error() { "error" } else { "warning" },
        "message": found.message,
        "range": range,
        "help": found.help,
    })
}

impl From<Forbidden> for Problem {
    fn from(error: Forbidden) -> Self {
        Self::new(Kind::Forbidden, error.to_string())
    }
}

impl From<BadControl> for Problem {
    fn from(error: BadControl) -> Self {
        match &error {
            BadControl::Missing(_) => Self::missing(),
            BadControl::Stale(_) => Self::new(Kind::Stale, error.to_string()),
            BadControl::LastAdmin | BadControl::InUse(_) => Self::new(Kind::Conflict, error.to_string()),
            // The engine's words name its tables.
            BadControl::Taken(_) => Self::new(Kind::Conflict, "there is one of this name already: choose another"),
            BadControl::Away(_) => {
                Self::new(Kind::Away, "the control plane's database cannot be used now: try again in a moment")
                    .by(&error)
            }
            _ => Self::broken().by(error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(error: Refused) -> Self {
        match error {
            Refused::Forbidden(error) => error.into(),
            Refused::Invalid { place, why } => Self::invalid(place, why),
            Refused::Policy(diagnostics) => {
                let detail =
                    "nothing was kept: put right what `diagnostics` names; POST /api/v1/policies/check looks again";
                let place = Some(("pointer", "/document".to_owned()));
                Self { place, diagnostics, ..Self::new(Kind::Policy, detail) }
            }
            // The tests stand in the document, which whoever publishes can read.
            Refused::Tests(_) => Self::new(Kind::Conflict, error.to_string()),
            Refused::Store(error) => error.into(),
            Refused::Counts(down) => Self::new(Kind::Counts, format!("{down}; try again in a moment")),
            Refused::Vault(_) => Self::broken().by(error),
        }
    }
}
