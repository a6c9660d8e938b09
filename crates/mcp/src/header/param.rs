//! `Mcp-Param-*`: headers that mirror arguments, as a tool's schema declares them.

use std::fmt;

use super::{Mismatch, PARAM_PREFIX, decode, differs, encode, missing};
use crate::json::{self, Decimal, Object, Value};

/// An argument that travels in a header as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The header's name behind [`PARAM_PREFIX`], as the schema writes it.
    pub header: String,
    /// The keys from the arguments down to the value.
    pub path: Vec<String>,
}

/// A schema declares its headers in a way the protocol forbids. A tool with such a schema is not to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDeclaration {
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for InvalidDeclaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidDeclaration {}

/// The headers a tool's `inputSchema` declares with `x-mcp-header`.
///
/// Declarations count where `properties` alone lead to them, on a string, integer, number or boolean. The protocol's
/// text leaves `number` out, its own test suite uses it.
///
/// # Errors
/// When the schema is not strict JSON, or a declaration stands elsewhere, is no header name or comes twice.
pub fn declared(input_schema: &str) -> Result<Vec<Declared>, InvalidDeclaration> {
    // Most schemas have none, and need not be read for that.
    if memchr::memmem::find(input_schema.as_bytes(), b"x-mcp-header").is_none() && !input_schema.contains("\\u") {
        return Ok(Vec::new());
    }
    let schema =
        json::parse(input_schema).map_err(|error| invalid(format!("the schema is not strict JSON: {error}")))?;
    let mut found = Vec::new();
    if let Value::Object(schema) = &schema {
        properties(schema, &mut Vec::new(), &mut found)?;
    }
    Ok(found)
}

const KEYWORD: &str = "x-mcp-header";

fn properties(
    schema: &Object<'_>,
    path: &mut Vec<String>,
    found: &mut Vec<Declared>,
) -> Result<(), InvalidDeclaration> {
    for (keyword, value) in schema.iter() {
        match (keyword, value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties.iter() {
                    let Value::Object(property) = property else {
                        continue;
                    };
                    path.push(name.to_owned());
                    if let Some(header) = property.get(KEYWORD) {
                        found.push(declaration(header, property, path, found)?);
                    }
                    self::properties(property, path, found)?;
                    path.pop();
                }
            }
            // Data, not schemas.
            ("default" | "const" | "enum" | "examples", _) => {}
            (KEYWORD, _) if path.is_empty() => {
                return Err(invalid("`x-mcp-header` stands on the schema itself, not on a property".to_owned()));
            }
            (KEYWORD, _) => {}
            (_, value) => nowhere(value)?,
        }
    }
    Ok(())
}

fn declaration(
    header: &Value<'_>,
    property: &Object<'_>,
    path: &[String],
    found: &[Declared],
) -> Result<Declared, InvalidDeclaration> {
    let place = path.join(".");
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let Some(header) = header.as_str().filter(|header| is_token(header)) else {
        return Err(invalid(format!("`x-mcp-header` of `{place}` is no header name")));
    };
    let kind = property.get("type").and_then(Value::as_str);
    if !matches!(kind, Some("string" | "integer" | "number" | "boolean")) {
        return Err(invalid(format!("`x-mcp-header` of `{place}` needs a property of a plain type")));
    }
    if found.iter().any(|other| other.header.eq_ignore_ascii_case(header)) {
        return Err(invalid(format!("header `{header}` is declared twice")));
    }
    Ok(Declared { header: header.to_owned(), path: path.to_vec() })
}

/// Demands that there is no declaration in a part of the schema that `properties` alone do not lead to.
fn nowhere(value: &Value<'_>) -> Result<(), InvalidDeclaration> {
    match value {
        Value::Array(items) => items.iter().try_for_each(nowhere),
        Value::Object(object) => object.iter().try_for_each(|(key, value)| match (key, value) {
            (KEYWORD, Value::String(_)) => {
                Err(invalid("`x-mcp-header` stands where an argument cannot be named by its path".to_owned()))
            }
            ("default" | "const" | "enum" | "examples", _) => Ok(()),
            _ => nowhere(value),
        }),
        _ => Ok(()),
    }
}

fn invalid(message: String) -> InvalidDeclaration {
    InvalidDeclaration { message }
}

/// The declared headers for these arguments, ready to send. An absent or null argument has none.
///
/// # Errors
/// When the arguments are not strict JSON.
pub fn write_params(declared: &[Declared], arguments: Option<&str>) -> Result<Vec<(String, String)>, json::Error> {
    let arguments = arguments.map(json::parse).transpose()?;
    let mirrored = declared.iter().filter_map(|declared| {
        let text = plain(at(arguments.as_ref(), &declared.path)?)?;
        Some((format!("{PARAM_PREFIX}{}", declared.header.to_ascii_lowercase()), encode(text).into_owned()))
    });
    Ok(mirrored.collect())
}

/// Compares the headers a schema declares with the arguments. Other `Mcp-Param-*` are not looked at.
///
/// # Errors
/// [`Mismatch`] when a declared header is missing, comes twice, differs, or has no argument.
pub fn check_params<'h>(
    declared: &[Declared],
    arguments: Option<&str>,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])> + Clone,
) -> Result<(), Mismatch> {
    if declared.is_empty() {
        return Ok(());
    }
    let arguments = arguments.map(json::parse).transpose();
    let arguments = arguments.map_err(|error| Mismatch::new(format!("The arguments cannot be read: {error}.")))?;
    for declared in declared {
        let name = format!("{PARAM_PREFIX}{}", declared.header);
        let mut sent = headers.clone().into_iter().filter(|(header, _)| header.eq_ignore_ascii_case(&name));
        let value = at(arguments.as_ref(), &declared.path);
        match (sent.next(), value.filter(|value| !matches!(value, Value::Null))) {
            (_, _) if sent.next().is_some() => {
                return Err(Mismatch::new(format!("Header `{name}` came twice.")));
            }
            (None, Some(value)) if plain(value).is_some() => return Err(missing(&name)),
            (Some(_), None) => {
                return Err(Mismatch::new(format!("Header `{name}` mirrors an argument that is absent.")));
            }
            (Some((_, sent)), Some(value)) if !mirrors(sent, value) => {
                return Err(differs(&name, plain(value).unwrap_or("something else")));
            }
            _ => {}
        }
    }
    Ok(())
}

fn at<'v, 'a>(value: Option<&'v Value<'a>>, path: &[String]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(value?, |value, key| value.get(key))
}

/// How a plain value is written; `None` for null, arrays and objects.
fn plain<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Number(number) => Some(number.text()),
        Value::String(text) => Some(text),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn mirrors(sent: &[u8], value: &Value<'_>) -> bool {
    let Some(sent) = decode(sent) else {
        return false;
    };
    match value {
        // `1` and `1.0` are the same number to every reader.
        Value::Number(number) => Decimal::parse(&sent).is_ok_and(|sent| sent == number.decimal()),
        _ => plain(value) == Some(sent.as_ref()),
    }
}
