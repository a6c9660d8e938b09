//! Which keys a schema declares.

use std::collections::BTreeSet;

use jsonschema::Validator;
use mcp::json;
use serde_json::{Map, Value, json};

use super::node::{Arguments, Node};
use super::walk::{Id, Walk};
use super::{SchemaError, build};

/// The keys that a schema declares for the arguments, and inside of them.
#[derive(Default)]
pub(super) struct Properties {
    /// The arguments, in order.
    names: BTreeSet<Box<str>>,
    /// Says which keys `patternProperties` covers, where there are any.
    patterns: Option<Validator<Arguments>>,
    inner: BTreeSet<Box<str>>,
    /// There is a `properties`, though it may be empty.
    declared: bool,
    /// `additionalProperties` is true or a schema.
    open: bool,
}

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Properties").field("names", &self.names).field("open", &self.open).finish_non_exhaustive()
    }
}

impl Properties {
    /// Collects what the schema and all that it applies in its own place declare. Patterns may take `pattern_memory`
    /// bytes each.
    pub(super) fn of(walk: &Walk<'_>, pattern_memory: usize) -> Result<Self, SchemaError> {
        let mut properties = Self::default();
        let mut patterns = BTreeSet::new();
        let mut seen = BTreeSet::new();
        properties.collect(walk, 0, true, &mut seen, &mut patterns);
        for (id, subschema) in walk.subschemas.iter().enumerate() {
            if !seen.contains(&id)
                && let Some(members) = object(subschema.value.get("properties"))
            {
                properties.inner.extend(members.keys().map(|name| name.as_str().into()));
            }
        }
        if !patterns.is_empty() {
            let patterns: Vec<Value> = patterns.into_iter().map(|pattern| json!({ "pattern": pattern })).collect();
            properties.patterns = Some(build(&json!({ "anyOf": patterns }), pattern_memory)?);
        }
        Ok(properties)
    }

    /// `holds` says that the subschema holds for all arguments, and not only for some.
    fn collect<'s>(
        &mut self,
        walk: &Walk<'s>,
        id: Id,
        holds: bool,
        seen: &mut BTreeSet<Id>,
        patterns: &mut BTreeSet<&'s str>,
    ) {
        if !seen.insert(id) {
            return;
        }
        let Some(subschema) = walk.get(id) else { return };
        let value: &'s Value = subschema.value;
        if let Some(members) = object(value.get("properties")) {
            self.declared = true;
            self.names.extend(members.keys().map(|name| name.as_str().into()));
        }
        if let Some(members) = object(value.get("patternProperties")) {
            patterns.extend(members.keys().map(String::as_str));
        }
        self.open |= holds && matches!(value.get("additionalProperties"), Some(Value::Bool(true) | Value::Object(_)));
        for (keyword, inner) in &subschema.in_place {
            match *keyword {
                // What is negated or tested is not declared; `dependencies` holds property names too, without schemas.
                "not" => {}
                "allOf" | "$ref" | "$dynamicRef" | "$recursiveRef" => self.collect(walk, *inner, holds, seen, patterns),
                _ => self.collect(walk, *inner, false, seen, patterns),
            }
        }
    }

    pub(super) fn declared(&self) -> bool {
        self.declared
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    pub(super) fn inner_names(&self) -> impl Iterator<Item = &str> {
        self.inner.iter().map(AsRef::as_ref)
    }

    /// The first key of the arguments that is not declared, where undeclared ones are not let in explicitly.
    pub(super) fn undeclared<'a>(&self, args: &'a json::Value<'_>) -> Option<&'a str> {
        if self.open {
            return None;
        }
        let declared = |key: &str| {
            self.names.contains(key)
                || self.patterns.as_ref().is_some_and(|patterns| patterns.is_valid(Node::name(key)))
        };
        args.as_object()?.iter().map(|(key, _)| key).find(|key| !declared(key))
    }
}

fn object(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}
