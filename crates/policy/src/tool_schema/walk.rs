//! The subschemas of a schema, and how they hang together.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::SchemaError;
use super::limits::{MAX_DEPTH, MAX_SUBSCHEMAS};

/// Keywords that hold one schema, or an array of schemas.
const ONE: [&str; 14] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "contentSchema",
    "not",
    "if",
    "then",
    "else",
    "prefixItems",
    "extends",
];
/// Keywords that hold an array of schemas about the same value.
const SEVERAL: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords that hold schemas by name.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
/// Of all these, the ones that speak about the value itself and not about a part of it.
const IN_PLACE: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
/// Keywords that refer to another schema, which then speaks about the same value.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// A subschema by its number. 0 is the schema itself.
pub(super) type Id = usize;

/// One subschema.
#[derive(Debug)]
pub(super) struct Subschema<'s> {
    pub(super) value: &'s Value,
    /// Subschemas about the same value, with the keyword that they stand under.
    pub(super) in_place: Vec<(&'s str, Id)>,
}

/// Every subschema of a schema.
#[derive(Debug)]
pub(super) struct Walk<'s> {
    pub(super) subschemas: Vec<Subschema<'s>>,
}

impl<'s> Walk<'s> {
    /// Finds all subschemas.
    ///
    /// # Errors
    /// When there are too many, they nest too deep, or refer to each other in too many ways.
    pub(super) fn new(schema: &'s Value) -> Result<Self, SchemaError> {
        let mut found = Finder { subschemas: Vec::new(), by_address: HashMap::new(), by_name: HashMap::new() };
        found.visit(schema, 0)?;
        found.resolve(schema)?;
        Ok(Self { subschemas: found.subschemas })
    }

    pub(super) fn get(&self, id: Id) -> Option<&Subschema<'s>> {
        self.subschemas.get(id)
    }
}

struct Finder<'s> {
    subschemas: Vec<Subschema<'s>>,
    by_address: HashMap<*const Value, Id>,
    // By `$anchor`, `$dynamicAnchor` and `$id`.
    by_name: HashMap<&'s str, Vec<Id>>,
}

impl<'s> Finder<'s> {
    fn visit(&mut self, value: &'s Value, depth: usize) -> Result<Id, SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::new(format!("its schemas nest deeper than {MAX_DEPTH}")));
        }
        let id = self.subschemas.len();
        if id >= MAX_SUBSCHEMAS {
            return Err(SchemaError::new(format!("it has more than {MAX_SUBSCHEMAS} schemas in it")));
        }
        self.subschemas.push(Subschema { value, in_place: Vec::new() });
        self.by_address.insert(value, id);
        let Value::Object(members) = value else { return Ok(id) };
        for name in ["$anchor", "$dynamicAnchor", "$id", "id"] {
            if let Some(Value::String(name)) = members.get(name) {
                let name = name.trim_end_matches('#');
                self.by_name.entry(name).or_default().push(id);
                // `"$id": "#name"` is how older drafts write an anchor.
                if let Some(anchor) = name.strip_prefix('#') {
                    self.by_name.entry(anchor).or_default().push(id);
                }
            }
        }
        for (keyword, value) in members {
            let keyword = keyword.as_str();
            let child = |this: &mut Self, value: &'s Value| -> Result<(), SchemaError> {
                if !matches!(value, Value::Object(_) | Value::Bool(_)) {
                    return Ok(());
                }
                let child = this.visit(value, depth + 1)?;
                if IN_PLACE.contains(&keyword)
                    && let Some(parent) = this.subschemas.get_mut(id)
                {
                    parent.in_place.push((keyword, child));
                }
                Ok(())
            };
            if ONE.contains(&keyword) || SEVERAL.contains(&keyword) {
                match value {
                    Value::Array(items) => items.iter().try_for_each(|item| child(self, item))?,
                    value => child(self, value)?,
                }
            } else if NAMED.contains(&keyword)
                && let Value::Object(named) = value
            {
                named.values().try_for_each(|value| child(self, value))?;
            }
        }
        Ok(id)
    }

    /// Adds to every subschema those that it refers to.
    fn resolve(&mut self, root: &'s Value) -> Result<(), SchemaError> {
        /// So many references may be of a kind that only the compiler resolves. Fewer than these cannot multiply much.
        const MAX_FOREIGN: usize = 16;
        let mut foreign = 0;
        let mut id = 0;
        // Targets outside of all known keywords become subschemas of their own, at the end.
        while let Some(subschema) = self.subschemas.get(id) {
            let Value::Object(members) = subschema.value else {
                id += 1;
                continue;
            };
            for (keyword, target) in references(members) {
                let targets = self.targets(root, target)?;
                if targets.is_empty() && !is_dialect(target) {
                    foreign += 1;
                    if foreign > MAX_FOREIGN {
                        let message =
                            format!("it has more than {MAX_FOREIGN} references that are no JSON pointers into itself");
                        return Err(SchemaError::new(message));
                    }
                }
                if let Some(subschema) = self.subschemas.get_mut(id) {
                    subschema.in_place.extend(targets.into_iter().map(|target| (keyword, target)));
                }
            }
            id += 1;
        }
        Ok(())
    }

    /// What a reference leads to, as far as it is found without resolving URIs.
    fn targets(&mut self, root: &'s Value, reference: &str) -> Result<Vec<Id>, SchemaError> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let named = |name: &str| self.by_name.get(name).cloned().unwrap_or_default();
        if !fragment.is_empty() && !fragment.starts_with('/') {
            // Anchors of other bases count too: the more is counted, the stricter the limits.
            return Ok(named(fragment));
        }
        let bases: Vec<&'s Value> = if base.is_empty() {
            vec![root]
        } else {
            named(base).into_iter().filter_map(|id| self.subschemas.get(id)).map(|base| base.value).collect()
        };
        let pointer = percent_decoded(fragment);
        let mut targets = Vec::new();
        for base in bases {
            let Some(value) = base.pointer(&pointer) else { continue };
            let known = self.by_address.get(&std::ptr::from_ref(value)).copied();
            targets.push(match known {
                Some(id) => id,
                None => self.visit(value, 1)?,
            });
        }
        Ok(targets)
    }
}

fn references(members: &Map<String, Value>) -> Vec<(&'static str, &str)> {
    let reference = |keyword: &'static str| Some((keyword, members.get(keyword)?.as_str()?));
    REFERENCES.into_iter().filter_map(reference).collect()
}

/// Whether a reference is to the schema of a dialect, which the compiler brings along.
fn is_dialect(reference: &str) -> bool {
    reference.starts_with("http://json-schema.org/") || reference.starts_with("https://json-schema.org/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = if byte == b'%' {
            let mut digits = rest.clone();
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            digit(digits.next()).zip(digit(digits.next())).and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
        } else {
            None
        };
        if escaped.is_some() {
            rest.next();
            rest.next();
        }
        bytes.push(escaped.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
