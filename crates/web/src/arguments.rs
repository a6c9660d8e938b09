//! Arguments in JSON: what is declared is what is told to who asks, and what is read.

use catalogue::since::since;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::parameter::{Takes, listed};

/// An argument.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) takes: Takes,
    /// What is said of it beside that; empty where its name says enough.
    pub(crate) says: &'static str,
    /// Whether nothing can be done without it.
    pub(crate) required: bool,
}

impl Argument {
    /// An argument that may be left out.
    pub(crate) fn new(name: &'static str, takes: Takes, says: &'static str) -> Self {
        Self { name, takes, says, required: false }
    }

    /// One that means the same wherever it stands.
    pub(crate) fn known(name: &'static str, says: &'static str) -> Option<Self> {
        Some(Self::new(name, Takes::of(name)?, says))
    }

    /// The same, which must be there.
    pub(crate) fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// What is declared, as JSON Schema: these arguments and no others.
pub(crate) fn schema(declared: &[Argument]) -> Value {
    let property = |argument: &Argument| {
        let mut schema = argument.takes.schema();
        let says = match (&argument.takes, argument.says) {
            (Takes::Since, "") => argument.takes.said(),
            (_, says) => says.to_owned(),
        };
        if let (Some(schema), false) = (schema.as_object_mut(), says.is_empty()) {
            schema.insert("description".to_owned(), says.into());
        }
        (argument.name.to_owned(), schema)
    };
    let properties: Map<String, Value> = declared.iter().map(property).collect();
    let required: Vec<&str> =
        declared.iter().filter(|argument| argument.required).map(|argument| argument.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Arguments that are as they were declared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments<'a>(&'a Map<String, Value>);

impl<'a> Arguments<'a> {
    /// Reads them. Of what was not declared `named` says what may be said.
    pub(crate) fn read(
        declared: &[Argument],
        given: &'a Map<String, Value>,
        named: impl Fn(&str) -> String,
    ) -> Result<Self, Failure> {
        for argument in declared {
            match given.get(argument.name) {
                Some(value) => argument.takes.check(argument.name, value)?,
                None if argument.required => {
                    let (name, said) = (argument.name, argument.takes.said());
                    return Err(Failure::Unclear(format!("`{name}` is missing; it must be {said}.")));
                }
                None => {}
            }
        }
        if let Some(other) = given.keys().find(|name| declared.iter().all(|argument| argument.name != name.as_str())) {
            let names: Vec<String> = declared.iter().map(|argument| format!("`{}`", argument.name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return Err(Failure::Unclear(format!("{}; it takes {}.", named(other), listed(&names))));
        }
        Ok(Self(given))
    }

    /// A text.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Texts; none where there are none.
    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A whole number.
    pub(crate) fn number(self, name: &str) -> Option<usize> {
        self.0.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
    }

    /// A time.
    pub(crate) fn since(self, name: &str) -> Option<Timestamp> {
        since(self.text(name)?, Timestamp::now()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_declared_is_refused_by_its_name() {
        let declared = [
            Argument::new("query", Takes::Text(9), "Words").required(),
            Argument::known("kind", "").unwrap(),
            Argument::new("servers", Takes::Texts(2, 9), ""),
        ];
        let validator = jsonschema::validator_for(&schema(&declared)).unwrap();
        let table = [
            (json!({ "query": "mail" }), ""),
            (json!({ "query": "mail", "kind": "tool", "servers": ["a"] }), ""),
            (json!({}), "`query` is missing; it must be a text of 1 to 9 characters."),
            (json!({ "query": null }), "`query` must be a text of 1 to 9 characters; null was given."),
            (
                json!({ "query": "mail", "kind": "plant" }),
                "`kind` must be one of server or tool; something else was given.",
            ),
            (
                json!({ "query": "mail", "servers": "a" }),
                "`servers` must be a list of at most 2 texts, each of 1 to 9 characters; a text was given.",
            ),
            (json!({ "query": "mail", "colour": 1 }), "no colour; it takes `query`, `kind` or `servers`."),
        ];
        for (given, wrong) in table {
            let read = Arguments::read(&declared, given.as_object().unwrap(), |name| format!("no {name}"));
            let found = read.err().map(|failure| failure.to_string()).unwrap_or_default();
            assert_eq!(found, wrong, "{given}");
            assert_eq!(validator.is_valid(&given), wrong.is_empty(), "{given}");
        }
    }
}
