//! Where a path leads in an input schema.

use serde_json::Value;

use crate::path::Step;

/// What a schema says of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// It is declared, and always there.
    Required,
    /// It is declared, and may be absent.
    Optional,
    /// It is not declared; those are.
    Absent {
        /// The object that lacks it.
        object: &'a Value,
    },
    /// The schema does not say it in a way that can be followed.
    Unknown,
}

/// Follows `steps` from the root of `schema`.
pub(super) fn place<'a>(schema: &'a Value, steps: &[Step]) -> Place<'a> {
    let mut at = schema;
    let mut required = true;
    for step in steps {
        if ["$ref", "anyOf", "oneOf", "allOf", "if", "$dynamicRef", "patternProperties"]
            .iter()
            .any(|key| at.get(key).is_some())
        {
            return Place::Unknown;
        }
        match step {
            Step::Key(key) => {
                let Some(properties) = at.get("properties").and_then(Value::as_object) else { return Place::Unknown };
                let Some(next) = properties.get(&**key) else { return Place::Absent { object: at } };
                let named = at.get("required").and_then(Value::as_array);
                required &= named.is_some_and(|names| names.iter().any(|name| name.as_str() == Some(key)));
                at = next;
            }
            Step::Every => match at.get("items") {
                Some(items) => at = items,
                None => return Place::Unknown,
            },
            // An array may be shorter.
            Step::Index(_) | Step::FromEnd(_) => match at.get("items") {
                Some(items) => {
                    required = false;
                    at = items;
                }
                None => return Place::Unknown,
            },
        }
    }
    if required { Place::Required } else { Place::Optional }
}

/// The names of the properties that a schema declares.
pub(super) fn names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}
