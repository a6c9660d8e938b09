//! Every text of a definition, with its place. Whatever a client may show to a model is read, also
//! keywords of a schema that nobody knows.

use serde_json::Value;

use crate::definition::Definition;
use crate::evidence::Place;

/// Types, formats and names of arguments are shorter than this; a sentence is not.
const PLAIN: usize = 40;

/// Fields that [`Definition`] names.
const READ_ABOVE: [&str; 5] = ["name", "title", "description", "inputSchema", "input_schema"];

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The tool's name.
    Name,
    /// The tool's title or description.
    Prose,
    /// An argument's name.
    Parameter,
    /// What is said of an argument.
    Said,
    /// A value: listed, by default, or as an example.
    Value,
    /// What a `$ref` points to.
    Reference,
}

impl Role {
    /// Whether it is a name, in which `_` stands between words.
    pub(crate) fn is_name(self) -> bool {
        matches!(self, Role::Name | Role::Parameter)
    }
}

/// A text.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) role: Role,
    pub(crate) text: &'a str,
    /// Where it stands, for what lies in the schema: the names of the arguments, with points.
    path: String,
    title: bool,
}

impl Text<'_> {
    /// The place of the piece from `start` to before `end`.
    pub(crate) fn place(&self, start: usize, end: usize) -> Place {
        match self.role {
            Role::Name => Place::Name(start, end),
            Role::Prose if self.title => Place::Title(start, end),
            Role::Prose => Place::Description(start, end),
            Role::Value => Place::Value(self.path.clone()),
            Role::Parameter | Role::Said | Role::Reference => Place::Parameter(self.path.clone()),
        }
    }
}

/// The texts of a definition: name, title, description, then the schema's.
pub(crate) fn texts<'a>(definition: &Definition<'a>) -> Vec<Text<'a>> {
    let mut all = Vec::new();
    for (role, text, title) in [
        (Role::Name, definition.name, false),
        (Role::Prose, definition.title, true),
        (Role::Prose, definition.description, false),
    ] {
        if !text.is_empty() {
            all.push(Text { role, text, path: String::new(), title });
        }
    }
    if let Some(schema) = definition.schema {
        Walk { all: &mut all, path: Vec::new() }.schema(schema);
    }
    // Titles of annotations, schemas of results, icons, fields of later revisions.
    for (name, value) in definition.whole.and_then(Value::as_object).into_iter().flatten() {
        if !READ_ABOVE.contains(&name.as_str()) {
            Walk { all: &mut all, path: vec![name] }.keyword(name, value);
        }
    }
    all
}

struct Walk<'a, 'b> {
    all: &'b mut Vec<Text<'a>>,
    path: Vec<&'a str>,
}

impl<'a> Walk<'a, '_> {
    fn push(&mut self, role: Role, text: &'a str) {
        if !text.is_empty() {
            let path = if self.path.is_empty() { "$".to_owned() } else { self.path.join(".") };
            self.all.push(Text { role, text, path, title: false });
        }
    }

    fn schema(&mut self, schema: &'a Value) {
        match schema {
            Value::Array(schemas) => schemas.iter().for_each(|schema| self.schema(schema)),
            Value::Object(keywords) => keywords.iter().for_each(|(keyword, value)| self.keyword(keyword, value)),
            _ => {}
        }
    }

    fn keyword(&mut self, keyword: &'a str, value: &'a Value) {
        match (keyword, value) {
            (
                "properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas",
                Value::Object(named),
            ) => {
                for (name, schema) in named {
                    self.path.push(name);
                    if keyword == "properties" {
                        self.push(Role::Parameter, name);
                    }
                    self.schema(schema);
                    self.path.pop();
                }
            }
            ("enum" | "const" | "default" | "example" | "examples", value) => self.value(value),
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) => self.push(Role::Reference, target),
            // Ordinary ones say nothing; a sentence hides there as well as anywhere.
            ("type" | "format" | "pattern" | "$schema" | "$id", Value::String(said)) if said.len() < PLAIN => {}
            ("required" | "type", Value::Array(names))
                if names.iter().all(|name| name.as_str().is_some_and(|name| name.len() < PLAIN)) => {}
            (_, Value::String(said)) => self.push(Role::Said, said),
            (_, Value::Array(parts)) => {
                for part in parts {
                    match part {
                        Value::String(said) => self.push(Role::Said, said),
                        part => self.schema(part),
                    }
                }
            }
            (_, value) => self.schema(value),
        }
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::String(text) => self.push(Role::Value, text),
            Value::Array(values) => values.iter().for_each(|value| self.value(value)),
            Value::Object(values) => {
                for (name, value) in values {
                    self.push(Role::Value, name);
                    self.value(value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_is_read() {
        let schema = json!({ "type": "object", "description": "all", "$comment": "aside", "properties": {
            "a": { "title": "A", "enum": ["x", 1], "x-hint": "psst", "x-more": ["one", { "why": "two" }] },
            "b": { "items": { "properties": { "c": { "default": { "k": "v" }, "pattern": "no", "type": "a type with a sentence in it, much longer than a type" } } } },
        }, "anyOf": [{ "$ref": "https://example.org/s" }], "$defs": { "D": { "const": "d" } } });
        let definition =
            Definition { name: "n", title: "t", description: "d", schema: Some(&schema), ..Definition::default() };
        let seen: Vec<_> = texts(&definition).iter().map(|text| (text.text, text.place(0, 1).path())).collect();
        let seen: Vec<_> = seen.iter().map(|(text, path)| (*text, path.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("n", "name[0..1]"),
                ("t", "title[0..1]"),
                ("d", "description[0..1]"),
                ("all", "inputSchema.$"),
                ("aside", "inputSchema.$"),
                ("a", "inputSchema.a"),
                ("A", "inputSchema.a"),
                ("x", "inputSchema.a"),
                ("psst", "inputSchema.a"),
                ("one", "inputSchema.a"),
                ("two", "inputSchema.a"),
                ("b", "inputSchema.b"),
                ("c", "inputSchema.b.c"),
                ("k", "inputSchema.b.c"),
                ("v", "inputSchema.b.c"),
                ("a type with a sentence in it, much longer than a type", "inputSchema.b.c"),
                ("https://example.org/s", "inputSchema.$"),
                ("d", "inputSchema.D"),
            ]
        );
    }
}
