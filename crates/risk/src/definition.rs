//! A tool's definition, as far as the classifier reads it.

use serde_json::Value;

/// What a server says about one of its tools. Borrowed: nothing of it is copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Definition<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// The name for people; empty when there is none.
    pub title: &'a str,
    /// What the tool does, in the server's words; empty when there is none.
    pub description: &'a str,
    /// The schema of the arguments.
    pub schema: Option<&'a Value>,
    /// What the server claims of the tool.
    pub annotations: Annotations,
    /// The whole object, with fields that say nothing of what the tool does and may be shown all the same.
    pub whole: Option<&'a Value>,
}

impl<'a> Definition<'a> {
    /// Of a definition as servers send it: `name`, `title`, `description`, `inputSchema` (also as
    /// `input_schema`), `annotations`. What is missing, or of another type, is taken as absent.
    #[must_use]
    pub fn of(value: &'a Value) -> Definition<'a> {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let schema = ["inputSchema", "input_schema"].into_iter().filter_map(|key| value.get(key));
        Definition {
            name: text("name"),
            title: text("title"),
            description: text("description"),
            schema: schema.into_iter().find(|schema| schema.is_object()),
            annotations: value.get("annotations").map(Annotations::of).unwrap_or_default(),
            whole: Some(value),
        }
    }
}

/// The hints of a definition, where they are given in so many words; the protocol's defaults are
/// not filled in. They are the server's claim: they may raise a class, never lower it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// `readOnlyHint`. Read, and never believed.
    pub read_only: Option<bool>,
    /// `destructiveHint`.
    pub destructive: Option<bool>,
    /// `openWorldHint`.
    pub open_world: Option<bool>,
}

impl Annotations {
    /// Of the object `annotations`.
    #[must_use]
    pub fn of(value: &Value) -> Annotations {
        let hint = |name| value.get(name).and_then(Value::as_bool);
        Annotations {
            read_only: hint("readOnlyHint"),
            destructive: hint("destructiveHint"),
            open_world: hint("openWorldHint"),
        }
    }
}
