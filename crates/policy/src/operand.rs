//! Values that a policy holds, and how numbers are read.

use mcp::json::{self, Decimal};

use crate::path::Path;

/// How the server that is called reads numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// As binary64, like JavaScript: a number that does not survive that reading cannot be judged.
    #[default]
    Binary64,
    /// Digit for digit (`numbers: exact`).
    Exact,
}

/// What a condition compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value of the policy. Named lists have been put in place.
    Literal(OwnedValue),
    /// Another value of the same call.
    Path(Path),
}

/// A JSON value of a policy, independent of the document's text. Numbers keep their exact value.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedValue {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, by its exact value.
    Number(Decimal),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Box<[OwnedValue]>),
    /// An object. No key occurs twice.
    Object(Box<[(Box<str>, OwnedValue)]>),
}

impl OwnedValue {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// When the text is not strict JSON.
    pub fn parse(text: &str) -> Result<Self, json::Error> {
        json::parse(text).map(|value| Self::from(&value))
    }

    /// What the value is, as JSON Schema calls it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[OwnedValue]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }
}

impl From<&json::Value<'_>> for OwnedValue {
    fn from(value: &json::Value<'_>) -> Self {
        match value {
            json::Value::Null => Self::Null,
            json::Value::Bool(value) => Self::Bool(*value),
            json::Value::Number(number) => Self::Number(number.decimal()),
            json::Value::String(text) => Self::String(text.as_ref().into()),
            json::Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            json::Value::Object(members) => {
                Self::Object(members.iter().map(|(key, value)| (key.into(), Self::from(value))).collect())
            }
        }
    }
}
