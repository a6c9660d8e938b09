//! The input schema of a tool, compiled, and arguments held against it.
//!
//! Schemas come from servers, which are not trusted: size, depth and the work that composition can cause are bounded
//! before anything is compiled, nothing is ever fetched, patterns are linear-time, and one validation has a budget.
//! The dialect is that of `$schema`, else 2020-12; `format` is not asserted, nor is encoded content.

use std::fmt;

use jsonschema::{PatternOptions, Validator};
use mcp::json;
use serde_json::Value;

use crate::operand::Numbers;

mod keywords;
mod limits;
mod node;
mod properties;
mod walk;

use self::node::{Arguments, Node, Reading};
use self::properties::Properties;

pub use self::limits::{MAX_BYTES, MAX_DEPTH, MAX_PATTERN_MEMORY, MAX_PATTERNS, MAX_SUBSCHEMAS, MAX_WORK};

/// Whether arguments may have keys that the schema does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// What the schema itself says.
    Check,
    /// Keys of the arguments that it does not declare are denied, unless it says `additionalProperties: true` or has a
    /// schema there.
    Closed,
}

/// A compiled input schema.
pub struct ToolSchema {
    validator: Validator<Arguments>,
    properties: Properties,
    /// How many schemas apply to one value at most.
    work: usize,
}

/// Why a schema cannot be used. A tool whose schema cannot be used is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(String);

impl SchemaError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// What is wrong with arguments. Holds keys of the arguments, but no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SchemaFinding {
    /// Where (RFC 6901); empty for the arguments as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for SchemaFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "at `{}`, {}", self.pointer.escape_debug(), self.message)
        }
    }
}

impl ToolSchema {
    /// Compiles the JSON text of an `inputSchema`.
    ///
    /// # Errors
    /// When the text is no strict JSON or no schema of its dialect, refers to something that is not in it, has a
    /// pattern that is not linear-time, or exceeds a limit.
    pub fn compile(raw: &str) -> Result<Self, SchemaError> {
        if raw.len() > MAX_BYTES {
            return Err(SchemaError::new(format!("it has {} bytes, and at most {MAX_BYTES} are read", raw.len())));
        }
        let strict = json::parse(raw).map_err(|error| SchemaError::new(format!("it is no strict JSON: {error}")))?;
        if !matches!(strict, json::Value::Object(_) | json::Value::Bool(_)) {
            return Err(SchemaError::new(format!("a schema is an object, this is {}", strict.type_name())));
        }
        let schema: Value =
            serde_json::from_str(raw).map_err(|error| SchemaError::new(format!("it cannot be read: {error}")))?;
        let (walk, work) = limits::check(&schema)?;
        let pattern_memory = limits::pattern_memory(&walk)?;
        let properties = Properties::of(&walk, pattern_memory)?;
        Ok(Self { validator: build(&schema, pattern_memory)?, properties, work })
    }

    /// Holds arguments against the schema.
    ///
    /// # Errors
    /// The first thing that is wrong: what the schema forbids, an undeclared key ([`Closing::Closed`]), or a number
    /// that the schema reads and a server with binary64 numbers may read as another.
    pub fn validate(&self, args: &json::Value<'_>, closing: Closing, numbers: Numbers) -> Result<(), SchemaFinding> {
        if closing == Closing::Closed
            && let Some(key) = self.properties.undeclared(args)
        {
            let message = format!("the argument `{}` is not declared by the schema", key.escape_debug());
            return Err(SchemaFinding { pointer: String::new(), message });
        }
        let reading = Reading::new(numbers, self.work);
        let valid = self.validator.is_valid(Node::new(args, &reading));
        if let Some(text) = reading.inexact() {
            let pointer = pointer_of(args, text).unwrap_or_default();
            return Err(SchemaFinding { pointer, message: "the number does not survive binary64".to_owned() });
        }
        if reading.exhausted() {
            let message = "holding them against the schema takes too much work".to_owned();
            return Err(SchemaFinding { pointer: String::new(), message });
        }
        if valid { Ok(()) } else { Err(self.finding(args, numbers)) }
    }

    /// What made `args` invalid.
    fn finding(&self, args: &json::Value<'_>, numbers: Numbers) -> SchemaFinding {
        let reading = Reading::new(numbers, self.work);
        let error = self.validator.validate(Node::new(args, &reading)).err();
        let unknown = || SchemaFinding { pointer: String::new(), message: "the schema does not allow them".to_owned() };
        error.map_or_else(unknown, |error| SchemaFinding {
            pointer: error.instance_path().as_str().to_owned(),
            message: error.masked_with("the value").to_string(),
        })
    }

    /// Whether the schema says anywhere about the arguments as a whole which `properties` they have.
    #[must_use]
    pub fn declares_properties(&self) -> bool {
        self.properties.declared()
    }

    /// The names of the arguments that the schema declares.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.names()
    }

    /// The names of the properties that it declares inside of arguments, at any depth.
    pub fn inner_property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.inner_names()
    }
}

impl fmt::Debug for ToolSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolSchema").field("properties", &self.properties).finish_non_exhaustive()
    }
}

/// `pattern_memory` is what each pattern may take when compiled, in bytes.
fn build(schema: &Value, pattern_memory: usize) -> Result<Validator<Arguments>, SchemaError> {
    let options = jsonschema::options_for::<Arguments>()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(pattern_memory))
        .should_validate_formats(false)
        .should_ignore_unknown_formats(true)
        .without_content_media_type_support("application/json")
        .without_content_encoding_support("base64");
    keywords::exact(options).build(schema).map_err(|error| {
        let at = error.instance_path().as_str();
        let place = if at.is_empty() { String::new() } else { format!(" at `{}`", shortened(at)) };
        if error.kind().keyword() == "format" {
            // The only format that is asserted of schemas is that of patterns.
            return SchemaError::new(format!(
                "the pattern{place} does not compile: patterns are linear-time, without look-around and back-references, \
                 and take at most {pattern_memory} bytes each in this schema"
            ));
        }
        SchemaError::new(format!("it does not compile{place}: {}", shortened(&error.to_string())))
    })
}

/// A text of the schema, fit for a message.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Where the number stands whose text is `text`: the same piece of memory, not one that reads the same.
fn pointer_of(value: &json::Value<'_>, text: *const u8) -> Option<String> {
    match value {
        json::Value::Number(number) => (number.text().as_ptr() == text).then(String::new),
        json::Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| pointer_of(item, text).map(|rest| format!("/{index}{rest}"))),
        json::Value::Object(members) => members.iter().find_map(|(key, member)| {
            let key = || key.replace('~', "~0").replace('/', "~1");
            pointer_of(member, text).map(|rest| format!("/{}{rest}", key()))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
