//! One way of looking at values of calls, of policies and of the context.

use std::net::IpAddr;

use jiff::Timestamp;
use mcp::json::{self, Decimal};

use crate::operand::OwnedValue;

/// A value, wherever it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'v> {
    Null,
    Bool(bool),
    /// A number of the call.
    Sent(json::Number<'v>),
    /// A number of the policy.
    Exact(&'v Decimal),
    /// A number of the context.
    Small(u32),
    Text(&'v str),
    Array(Items<'v>),
    Object(Members<'v>),
    Address(IpAddr),
    Time(Timestamp),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Items<'v> {
    Sent(&'v [json::Value<'v>]),
    Written(&'v [OwnedValue]),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Members<'v> {
    Sent(&'v json::Object<'v>),
    Written(&'v [(Box<str>, OwnedValue)]),
}

impl View<'_> {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Sent(_) | Self::Exact(_) | Self::Small(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Address(_) => "address",
            Self::Time(_) => "time",
        }
    }
}

impl<'v> Items<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sent(items) => items.len(),
            Self::Written(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<View<'v>> {
        match self {
            Self::Sent(items) => items.get(index).map(View::from),
            Self::Written(items) => items.get(index).map(View::from),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = View<'v>> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

impl<'v> Members<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sent(members) => members.len(),
            Self::Written(members) => members.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<View<'v>> {
        match self {
            Self::Sent(members) => members.get(key).map(View::from),
            Self::Written(members) => {
                members.iter().find(|(name, _)| **name == *key).map(|(_, value)| View::from(value))
            }
        }
    }

    /// Every member with that of `other` under the same key.
    pub(super) fn pairs(self, other: Self) -> Box<dyn Iterator<Item = (Option<View<'v>>, View<'v>)> + 'v> {
        match other {
            Self::Sent(members) => Box::new(members.iter().map(move |(key, value)| (self.get(key), View::from(value)))),
            Self::Written(members) => {
                Box::new(members.iter().map(move |(key, value)| (self.get(key), View::from(value))))
            }
        }
    }
}

impl<'v> From<&'v json::Value<'v>> for View<'v> {
    #[inline]
    fn from(value: &'v json::Value<'v>) -> Self {
        match value {
            json::Value::Null => Self::Null,
            json::Value::Bool(value) => Self::Bool(*value),
            json::Value::Number(number) => Self::Sent(*number),
            json::Value::String(text) => Self::Text(text),
            json::Value::Array(items) => Self::Array(Items::Sent(items)),
            json::Value::Object(members) => Self::Object(Members::Sent(members)),
        }
    }
}

impl<'v> From<&'v OwnedValue> for View<'v> {
    #[inline]
    fn from(value: &'v OwnedValue) -> Self {
        match value {
            OwnedValue::Null => Self::Null,
            OwnedValue::Bool(value) => Self::Bool(*value),
            OwnedValue::Number(number) => Self::Exact(number),
            OwnedValue::String(text) => Self::Text(text),
            OwnedValue::Array(items) => Self::Array(Items::Written(items)),
            OwnedValue::Object(members) => Self::Object(Members::Written(members)),
        }
    }
}
