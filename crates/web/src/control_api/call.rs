//! A request that has passed all stations, and what is to be answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit::Id;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::control::ControlDatabase;
use store::control::access::{Actor, Permit, Right};
use store::control::page::Page;

use super::Api;
use super::export::Export;
use super::problem::{Kind, Problem};

/// Entries of a page, unless it is asked for another number.
const LIMIT: u32 = 50;

/// The most entries of a page.
const MOST: u32 = 200;

/// What a handler answers.
pub(crate) type Answered<A> = Result<Done<A>, Problem>;

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) api: Arc<Api>,
    /// Who asks; on the routes of strangers nobody yet.
    pub(crate) asks: Option<Actor>,
    /// By what they were recognised.
    pub(crate) token: Option<super::recognise::Shown>,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    /// The version that `If-Match` names.
    pub(crate) seen: Option<i64>,
}

impl Call {
    pub(crate) fn database(&self) -> &ControlDatabase {
        self.api.instance.database()
    }

    pub(crate) fn actor(&self) -> Result<&Actor, Problem> {
        self.asks.as_ref().ok_or_else(Problem::unknown)
    }

    pub(crate) fn permit<R: Right>(&self) -> Result<Permit<'_, R>, Problem> {
        Ok(self.actor()?.permit::<R>()?)
    }

    /// Whether whoever asked is still who they were, with the same rights: what an answer brings may be read long after
    /// it was asked for.
    pub(crate) async fn still_allowed(&self) -> Result<(), Problem> {
        let began = self.actor()?;
        let shown = self.token.as_ref().ok_or_else(Problem::unknown)?;
        let now = self.api.instance.recognise(shown.reveal()).await?.ok_or_else(Problem::unknown)?;
        if (now.organisation, now.first, now.role) == (began.organisation, began.first, began.role) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "your rights have changed since this was asked for: ask again"))
    }

    pub(crate) fn path(&self, name: &str) -> Result<&str, Problem> {
        self.path.get(name).map(String::as_str).ok_or_else(Problem::missing)
    }

    /// The object of the path. What is no id is the id of nothing.
    pub(crate) fn id(&self, name: &str) -> Result<Id, Problem> {
        self.path(name)?.parse().map_err(|_| Problem::missing())
    }

    pub(crate) fn seen(&self) -> Result<i64, Problem> {
        self.seen.ok_or_else(|| Problem::new(Kind::Unmatched, "say in If-Match which version is meant"))
    }

    pub(crate) fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(crate) fn reason(&self) -> Result<&str, Problem> {
        let reason = self.asked("reason").unwrap_or_default();
        if reason.chars().count() > 1_000 {
            return Err(Problem::parameter("reason", "a reason has up to 1000 characters"));
        }
        Ok(reason)
    }

    /// A number of the query.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let read = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        match self.asked(name) {
            None => Ok(None),
            Some(text) => read(text)
                .map(Some)
                .ok_or_else(|| Problem::parameter(name, "it is a whole number, written in digits alone")),
        }
    }

    /// How many entries of a list are wanted.
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        let limit = self.number("limit")?.unwrap_or(i64::from(LIMIT));
        let limit = u32::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| Problem::parameter("limit", format!("it is from 1 to {MOST}")))
    }

    /// The part of a list that is wanted, with one entry more: it tells whether there is another page.
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let limit = self.limit()?;
        let after = self.asked("cursor").map(str::parse::<Id>).transpose();
        let after = after.map_err(|_| Problem::parameter("cursor", "it is what a page before gave as `next`"))?;
        Ok(Page { after, limit: limit + 1 })
    }
}

/// A part of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct List<T> {
    /// The entries, in the order in which they were made.
    pub(crate) items: Vec<T>,
    /// What `cursor` gives the next page; null where this is the last.
    pub(crate) next: Option<String>,
}

/// A list that is not parted.
pub(crate) fn whole<T>(items: Vec<T>) -> Done<List<T>> {
    Done::of(List { items, next: None })
}

/// The entries of a page, of which one more was read.
pub(crate) fn paged<R, T>(page: Page, mut rows: Vec<R>, id: impl Fn(&R) -> Id, show: impl Fn(R) -> T) -> Done<List<T>> {
    let most = usize::try_from(page.limit.saturating_sub(1)).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
    Done::of(List { items: rows.into_iter().map(show).collect(), next })
}

/// What was done, without anything to show.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Nothing {}

/// What is to be answered.
#[derive(Debug)]
pub(crate) struct Done<A> {
    value: A,
    changed: Option<i64>,
    version: Option<i64>,
    cookie: Option<String>,
}

impl<A> Done<A> {
    pub(crate) fn of(value: A) -> Self {
        Self { value, changed: None, version: None, cookie: None }
    }

    /// The version of the object, for its `ETag`.
    pub(crate) fn tagged(mut self, changed: i64) -> Self {
        self.changed = Some(changed);
        self
    }

    /// The version of the instance that must hold everywhere before this is answered.
    pub(crate) fn holds(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    pub(crate) fn cookie(mut self, cookie: String) -> Self {
        self.cookie = Some(cookie);
        self
    }
}

impl<A: Serialize> Done<A> {
    pub(crate) fn raw(self) -> Result<Raw, Problem> {
        let Self { value, changed, version, cookie } = self;
        let value = serde_json::to_value(value).map_err(|_| Problem::broken())?;
        Ok(Raw { value, changed, version, cookie, export: None })
    }
}

/// The same, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    pub(crate) value: Value,
    pub(crate) changed: Option<i64>,
    pub(crate) version: Option<i64>,
    pub(crate) cookie: Option<String>,
    /// What is sent in place of the value, as it is read.
    pub(crate) export: Option<Export>,
}
