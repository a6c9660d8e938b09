//! The arguments that a schema names, and the values that it lists for them.

use serde_json::Value;

/// How deep objects in objects are read, and how many arguments at most.
const DEPTH: u8 = 4;
const MOST: usize = 64;
const VALUES: usize = 40;

/// An argument.
#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The values that are listed for it.
    pub(crate) values: Vec<&'a str>,
    /// How many objects it lies in.
    pub(crate) depth: u8,
}

/// All arguments, in the schema's order, those in objects after the object.
pub(crate) fn parameters<'a>(schema: &'a Value) -> Vec<Parameter<'a>> {
    // Most tools have no more.
    let mut all = Vec::with_capacity(8);
    collect(schema, 0, &mut all);
    all
}

// One pass over the members of each schema: looking keys up one by one costs more than all else.
fn collect<'a>(schema: &'a Value, depth: u8, all: &mut Vec<Parameter<'a>>) {
    let Some(object) = schema.as_object().filter(|_| depth < DEPTH) else {
        return;
    };
    for (key, value) in object {
        match key.as_str() {
            "properties" => {
                for (name, property) in value.as_object().into_iter().flatten() {
                    if all.len() >= MOST {
                        return;
                    }
                    let mut parameter = Parameter { name, values: Vec::new(), depth };
                    read(property, 0, &mut parameter);
                    all.push(parameter);
                    collect(property, depth + 1, all);
                }
            }
            "items" | "anyOf" | "oneOf" | "allOf" => match value {
                Value::Array(schemas) => schemas.iter().for_each(|schema| collect(schema, depth + 1, all)),
                schema => collect(schema, depth + 1, all),
            },
            _ => {}
        }
    }
}

/// The texts that `enum` and `const` list for an argument, also in its alternatives and items.
fn read<'a>(property: &'a Value, depth: u8, parameter: &mut Parameter<'a>) {
    let Some(object) = property.as_object().filter(|_| depth < DEPTH) else {
        return;
    };
    for (key, value) in object {
        match (key.as_str(), value) {
            ("const", Value::String(text)) => parameter.values.push(text),
            ("enum", Value::Array(listed)) => {
                let room = VALUES.saturating_sub(parameter.values.len());
                parameter.values.extend(listed.iter().filter_map(Value::as_str).take(room));
            }
            ("items" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| read(schema, depth + 1, parameter));
            }
            ("items" | "anyOf" | "oneOf", schema) => read(schema, depth + 1, parameter),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_in_objects_and_listed_values() {
        let schema = json!({ "properties": {
            "action": { "enum": ["get", "delete", 3], "description": "What to do" },
            "items": { "type": "array", "items": { "properties": { "kind": { "anyOf": [{ "const": "a" }, { "enum": ["b"] }] } } } },
        } });
        let all = parameters(&schema);
        let seen: Vec<_> = all.iter().map(|one| (one.name, one.values.clone(), one.depth)).collect();
        assert_eq!(seen, [("action", vec!["get", "delete"], 0), ("items", vec![], 0), ("kind", vec!["a", "b"], 2)]);
    }

    #[test]
    fn what_is_no_schema_names_nothing() {
        for schema in [json!(true), json!([]), json!({ "properties": [] }), json!({ "items": { "items": {} } })] {
            assert!(parameters(&schema).is_empty());
        }
    }
}
