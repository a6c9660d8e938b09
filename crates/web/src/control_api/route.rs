//! A row of the table: everything that is to be said of one route.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::control::access::{Right, Role};

use super::call::{Call, Done, Raw};
use super::export::{Entry, Export, MEDIA};
use super::problem::{Kind, Problem};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever reaches the address.
    Anybody,
    /// Whoever is about to be recognised: what they send is guessed at, so they are slowed down by address.
    Strangers,
    /// Members and programs that have a right.
    Right {
        /// What it is, to stand after "may not".
        what: &'static str,
        /// The roles that have it.
        roles: &'static [Role],
        /// Whether only those of the first organisation have it.
        instance: bool,
    },
}

impl Access {
    /// Whether somebody of a role may, in the first organisation or in another one.
    #[must_use]
    pub fn allows(&self, role: Role, first: bool) -> bool {
        match self {
            Access::Anybody | Access::Strangers => true,
            Access::Right { roles, instance, .. } => roles.contains(&role) && (first || !instance),
        }
    }
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

type Schemas = fn(&mut SchemaGenerator) -> Schema;
type Answering = Pin<Box<dyn Future<Output = Result<Raw, Problem>> + Send>>;
type Handler = Arc<dyn Fn(Call, Vec<u8>) -> Answering + Send + Sync>;

/// One route.
#[derive(Clone)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}`.
    pub path: &'static str,
    /// Its name in the document: the resource, a dot, what is done.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Who may ask.
    pub access: Access,
    /// The parameters of its query.
    pub query: Vec<Parameter>,
    /// The status of its answer.
    pub status: u16,
    /// Whether the answer of a read has an `ETag`.
    pub tagged: bool,
    /// Whether `If-Match` must say which one is meant.
    pub matched: bool,
    /// A body that can be sent.
    pub example: Option<Value>,
    /// The media types of its answer, each a line an entry; none: it is one JSON value.
    pub exports: &'static [&'static str],
    pub(crate) request: Option<Schemas>,
    pub(crate) answer: Schemas,
    pub(crate) handler: Handler,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    /// Whether anything is kept of it: what is decided, or that somebody has signed in.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.method != Method::GET && !self.name.ends_with(".check")
    }

    /// Whether it shows what stands in an instance's tables and nowhere else: decisions, and counts.
    pub(crate) fn of_tables_alone(&self) -> bool {
        self.name.starts_with("decisions.") || self.name.starts_with("limits.")
    }

    /// Whether it changes what is decided: its answer waits until that holds everywhere.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.keeps() && self.access != Access::Strangers
    }
}

/// A row that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    method: Method,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    access: Access,
    query: Vec<Parameter>,
    status: u16,
    tagged: bool,
    matched: bool,
    example: Option<Value>,
}

pub(crate) fn route(method: Method, path: &'static str, name: &'static str, summary: &'static str) -> Draft {
    let status = if method == Method::POST && name.ends_with(".add") { 201 } else { 200 };
    Draft {
        method,
        path,
        name,
        summary,
        access: Access::Anybody,
        query: Vec::new(),
        status,
        tagged: false,
        matched: false,
        example: None,
    }
}

impl Draft {
    /// Who may: whoever has the right.
    pub(crate) fn right<R: Right>(mut self) -> Self {
        self.access = Access::Right { what: R::WHAT, roles: R::ROLES, instance: R::INSTANCE };
        self
    }

    pub(crate) fn strangers(mut self) -> Self {
        self.access = Access::Strangers;
        self
    }

    pub(crate) fn query(mut self, name: &'static str, about: &'static str) -> Self {
        self.query.push(Parameter { name, about });
        self
    }

    /// A list in pages.
    pub(crate) fn paged(self) -> Self {
        self.query("limit", "At most so many entries, 1 to 200; 50 unless said.")
            .query("cursor", "Where the page before ended: its `next`.")
    }

    /// Why it is done, where there is no body that could say so.
    pub(crate) fn reasoned(self) -> Self {
        self.query("reason", "Why, for the admin events.")
    }

    pub(crate) fn tagged(mut self) -> Self {
        self.tagged = true;
        self
    }

    pub(crate) fn matched(mut self) -> Self {
        self.matched = true;
        self
    }

    pub(crate) fn example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    /// Answers a request without a body.
    pub(crate) fn by<A, F>(self, does: fn(Call) -> F) -> Route
    where
        A: Serialize + JsonSchema,
        F: Future<Output = Result<Done<A>, Problem>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call, _| {
            let doing = does(call);
            Box::pin(async move { doing.await?.raw() })
        });
        self.finished(None, |schemas| schemas.subschema_for::<A>(), handler)
    }

    /// Answers with a long list, a line an entry.
    pub(crate) fn exports<E, F>(self, does: fn(Call) -> F) -> Route
    where
        E: Entry + JsonSchema,
        F: Future<Output = Result<Export, Problem>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call, _| {
            let doing = does(call);
            Box::pin(async move { Ok(Raw { export: Some(doing.await?), ..Raw::default() }) })
        });
        let about = "`ndjson` (unless said): one JSON object a line; `csv`: RFC 4180, where a cell that a spreadsheet would take for a formula begins with an apostrophe.";
        let route = self.query("format", about).finished(None, |schemas| schemas.subschema_for::<E>(), handler);
        Route { exports: &MEDIA, ..route }
    }

    /// Answers a request with a body of this type.
    pub(crate) fn takes<B, A, F>(self, does: fn(Call, B) -> F) -> Route
    where
        B: DeserializeOwned + JsonSchema + 'static,
        A: Serialize + JsonSchema,
        F: Future<Output = Result<Done<A>, Problem>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call, body| {
            // What the schema has let through is read; the parser's own words may hold values, so they are not shown.
            let doing = serde_json::from_slice::<B>(&body).map(|body| does(call, body));
            Box::pin(async move {
                match doing {
                    Ok(doing) => doing.await?.raw(),
                    Err(_) => Err(Problem::new(Kind::Invalid, "the body is not what this route takes: see its schema")),
                }
            })
        });
        self.finished(Some(|schemas| schemas.subschema_for::<B>()), |schemas| schemas.subschema_for::<A>(), handler)
    }

    fn finished(self, request: Option<Schemas>, answer: Schemas, handler: Handler) -> Route {
        let Self { method, path, name, summary, access, query, status, tagged, matched, example } = self;
        let exports = &[];
        Route {
            method,
            path,
            name,
            summary,
            access,
            query,
            status,
            tagged,
            matched,
            example,
            exports,
            request,
            answer,
            handler,
        }
    }
}
