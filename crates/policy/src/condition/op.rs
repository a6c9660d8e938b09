//! Operators by name.

use std::fmt;
use std::str::FromStr;

/// An operator, as `op` of a condition names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Exactly not [`Op::Eq`].
    Neq,
    /// Equal to some element.
    In,
    /// Exactly not [`Op::In`].
    NotIn,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// A regular expression somewhere in the string.
    Regex,
    /// A regular expression over the whole string.
    Matches,
    /// A substring of the string, or an element of the array.
    Contains,
    /// Present and not null.
    Exists,
    /// The string or array begins so.
    StartsWith,
    /// The string or array ends so.
    EndsWith,
    /// Fewer scalars or elements.
    LengthLt,
    /// At most so many scalars or elements.
    LengthLte,
    /// More scalars or elements.
    LengthGt,
    /// At least so many scalars or elements.
    LengthGte,
    /// A JSON type.
    Type,
    /// A path strictly below another.
    Within,
    /// A path to where secrets are known to lie.
    PathSecret,
    /// A URL whose host is listed.
    UrlHostIn,
    /// A URL whose host is out on the internet.
    UrlPublic,
    /// An e-mail address whose domain is listed.
    EmailDomainIn,
    /// An IP address in one of the blocks.
    Cidr,
    /// SQL that only reads.
    SqlReads,
}

impl Op {
    /// Every operator, in the order of the documentation.
    pub const ALL: [Op; 26] = [
        Op::Eq,
        Op::Neq,
        Op::In,
        Op::NotIn,
        Op::Lt,
        Op::Lte,
        Op::Gt,
        Op::Gte,
        Op::Regex,
        Op::Matches,
        Op::Contains,
        Op::Exists,
        Op::StartsWith,
        Op::EndsWith,
        Op::LengthLt,
        Op::LengthLte,
        Op::LengthGt,
        Op::LengthGte,
        Op::Type,
        Op::Within,
        Op::PathSecret,
        Op::UrlHostIn,
        Op::UrlPublic,
        Op::EmailDomainIn,
        Op::Cidr,
        Op::SqlReads,
    ];

    /// The name as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "eq",
            Op::Neq => "neq",
            Op::In => "in",
            Op::NotIn => "not_in",
            Op::Lt => "lt",
            Op::Lte => "lte",
            Op::Gt => "gt",
            Op::Gte => "gte",
            Op::Regex => "regex",
            Op::Matches => "matches",
            Op::Contains => "contains",
            Op::Exists => "exists",
            Op::StartsWith => "starts_with",
            Op::EndsWith => "ends_with",
            Op::LengthLt => "length_lt",
            Op::LengthLte => "length_lte",
            Op::LengthGt => "length_gt",
            Op::LengthGte => "length_gte",
            Op::Type => "type",
            Op::Within => "within",
            Op::PathSecret => "path_secret",
            Op::UrlHostIn => "url_host_in",
            Op::UrlPublic => "url_public",
            Op::EmailDomainIn => "email_domain_in",
            Op::Cidr => "cidr",
            Op::SqlReads => "sql_reads",
        }
    }

    /// Whether `ignore_case` has a meaning for the operator.
    #[must_use]
    pub fn folds_case(self) -> bool {
        matches!(self, Op::Eq | Op::Neq | Op::In | Op::NotIn | Op::Contains | Op::StartsWith | Op::EndsWith)
    }

    /// Whether the value may be read from the call, as `{ "path": … }`. What is compiled with the policy cannot.
    #[must_use]
    pub fn takes_path(self) -> bool {
        use Op::{Cidr, EmailDomainIn, Exists, Matches, PathSecret, Regex, SqlReads, Type, UrlHostIn, UrlPublic};
        !matches!(
            self,
            Regex | Matches | Exists | Type | PathSecret | UrlHostIn | UrlPublic | EmailDomainIn | Cidr | SqlReads
        )
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no operator `{0}`")]
pub struct NoSuchOp(pub String);

impl FromStr for Op {
    type Err = NoSuchOp;

    fn from_str(text: &str) -> Result<Op, NoSuchOp> {
        Op::ALL.into_iter().find(|op| op.as_str() == text).ok_or_else(|| NoSuchOp(text.to_owned()))
    }
}
