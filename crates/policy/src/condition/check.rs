//! Operators, compiled.

use std::cmp::Ordering;

use jiff::Timestamp;
use regex::Regex;

use super::compare::{Compare, Small};
use super::truth::Cause;
use super::view::View;
use crate::text::cidr::{self, Block};
use crate::text::host::Hosts;
use crate::text::within::Prefix;
use crate::text::{Doubtful, email, public, secret, sql, url};

/// What a test does with the value that its path leads to. `neq` and `not_in` are negations around it.
///
/// `limit` is the value of the policy where that can be read beforehand: a short way to the same outcome.
#[derive(Debug, Clone)]
pub(super) enum Check {
    Equal,
    In,
    Order {
        order: Order,
        limit: Option<Known>,
    },
    Regex(Regex),
    Contains,
    Exists(bool),
    StartsWith,
    EndsWith,
    Length {
        order: Order,
        limit: Option<Small>,
    },
    Type(TypeName),
    /// `None`: the prefix is read from the call.
    Within(Option<Prefix>),
    PathSecret(bool),
    UrlHostIn {
        hosts: Hosts,
        web: Web,
    },
    UrlPublic {
        public: bool,
        web: Web,
    },
    EmailDomainIn(Hosts),
    Cidr(Box<[Block]>),
    SqlReads(bool),
}

/// The URLs that a test takes.
#[derive(Debug, Clone)]
pub(super) struct Web {
    /// Empty: any.
    pub(super) ports: Box<[u16]>,
    pub(super) schemes: Box<[Box<str>]>,
}

/// A value of the policy that was read beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Number(Small),
    Time(Timestamp),
}

/// What an ordering must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Lt => ordering.is_lt(),
            Self::Lte => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Gte => ordering.is_ge(),
        }
    }
}

/// A JSON type, or `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeName(&'static str);

impl TypeName {
    pub(super) const ALL: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| *name == text).map(Self)
    }
}

impl Web {
    fn has(&self, port: Option<u16>) -> Result<bool, Cause> {
        match port {
            _ if self.ports.is_empty() => Ok(true),
            Some(port) => Ok(self.ports.contains(&port)),
            None => Err(Cause::Doubtful("has no port, and its scheme implies none")),
        }
    }
}

impl Check {
    /// Judges a value. `wanted` is the value of the condition: of the policy, or read from the call.
    ///
    /// # Errors
    /// Why the value cannot be judged.
    pub(super) fn judge(&self, compare: Compare, found: &View<'_>, wanted: &View<'_>) -> Result<bool, Cause> {
        match self {
            Self::Equal => compare.equal(found, wanted),
            Self::In => match wanted {
                View::Array(items) => compare.one_of(found, *items),
                _ => Err(Cause::Type { found: found.type_name(), wanted: wanted.type_name() }),
            },
            Self::Order { order, limit } => {
                let short = match (found, limit) {
                    (View::Sent(number), Some(Known::Number(limit))) => {
                        Small::read(number.text()).map(|number| number.cmp(*limit))
                    }
                    (View::Time(time), Some(Known::Time(limit))) => Some(time.cmp(limit)),
                    _ => None,
                };
                let ordering = short.map_or_else(|| compare.order(found, wanted), Ok)?;
                Ok(order.holds(ordering))
            }
            Self::Contains => compare.contains(found, wanted),
            Self::Exists(exists) => Ok(*exists != matches!(found, View::Null)),
            Self::StartsWith => compare.edge(found, wanted, false),
            Self::EndsWith => compare.edge(found, wanted, true),
            Self::Length { order, limit } => {
                let length = match found {
                    View::Text(text) => text.chars().count(),
                    View::Array(items) => items.len(),
                    _ => return Err(Cause::Type { found: found.type_name(), wanted: "string or array" }),
                };
                if let (Some(length), Some(limit)) = (Small::count(length), limit) {
                    return Ok(order.holds(length.cmp(*limit)));
                }
                let length = &View::Small(u32::try_from(length).unwrap_or(u32::MAX));
                compare.order(length, wanted).map(|ordering| order.holds(ordering))
            }
            Self::Type(TypeName("integer")) => Ok(compare.number(found)?.is_some_and(|number| number.is_integer())),
            Self::Type(TypeName(name)) => Ok(found.type_name() == *name),
            Self::Regex(_)
            | Self::Within(_)
            | Self::PathSecret(_)
            | Self::UrlHostIn { .. }
            | Self::UrlPublic { .. }
            | Self::EmailDomainIn(_)
            | Self::Cidr(_)
            | Self::SqlReads(_) => self.judge_form(found, wanted),
        }
    }

    /// Judges a text by its form. Apart from the rest, which is quick and stays so with little on the stack.
    #[inline(never)]
    fn judge_form(&self, found: &View<'_>, wanted: &View<'_>) -> Result<bool, Cause> {
        match self {
            Self::Regex(regex) => text(found).map(|text| regex.is_match(text)),
            Self::Within(Some(prefix)) => doubtful(prefix.covers(text(found)?)),
            Self::Within(None) => doubtful(doubtful(Prefix::parse(text(wanted)?))?.covers(text(found)?)),
            Self::PathSecret(secret) => doubtful(secret::leads_to(text(found)?)).map(|leads| leads == *secret),
            Self::UrlHostIn { hosts, web } => {
                let authority = doubtful(url::authority(text(found)?, &web.schemes))?;
                let host = doubtful(authority.host.name())?;
                Ok(web.has(authority.port)? && hosts.covers(host))
            }
            Self::UrlPublic { public, web } => {
                let authority = doubtful(url::authority(text(found)?, &web.schemes))?;
                let is_public = doubtful(public::host(&authority.host))?;
                Ok(web.has(authority.port)? && is_public == *public)
            }
            Self::EmailDomainIn(hosts) => doubtful(email::domain(text(found)?)).map(|domain| hosts.covers(&domain)),
            Self::Cidr(blocks) => {
                let address = match found {
                    View::Address(address) => *address,
                    found => doubtful(cidr::address(text(found)?))?,
                };
                Ok(blocks.iter().any(|block| block.covers(address)))
            }
            Self::SqlReads(reads) => doubtful(sql::reads(text(found)?)).map(|found| found == *reads),
            _ => Err(Cause::Type { found: found.type_name(), wanted: "string" }),
        }
    }
}

fn text<'v>(view: &View<'v>) -> Result<&'v str, Cause> {
    match view {
        View::Text(text) => Ok(text),
        other => Err(Cause::Type { found: other.type_name(), wanted: "string" }),
    }
}

fn doubtful<T>(read: Result<T, Doubtful>) -> Result<T, Cause> {
    read.map_err(|doubt| Cause::Doubtful(doubt.0))
}
