//! The arguments that a schema shows, also those within objects and lists, and where it hides what they take.

use serde_json::Value;

/// How many names deep arguments are followed.
const DEPTH: usize = 4;
/// How many schemas are read of one definition.
const MOST: usize = 2_000;
/// How many references in a row are followed.
const HOPS: usize = 8;

/// An argument, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Argument<'a> {
    /// Its own name: the last on the way.
    pub(super) name: &'a str,
    /// The words of the name, folded.
    pub(super) words: Vec<String>,
    pub(super) way: Vec<Step<'a>>,
    pub(super) kind: Kind,
    /// What the schema says of it.
    pub(super) text: &'a str,
    /// The format that the schema names.
    pub(super) format: &'a str,
}

/// A step on the way to an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Into an object.
    Name {
        name: &'a str,
        required: bool,
        /// What is there may be of another type than the rest of the way asks for, such as null.
        loose: bool,
    },
    /// Every element of a list.
    Every,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// The schema does not say: no type, a union, an object or a list of anything. Of a union, objects may be
    /// bounded by arguments of their own.
    Hidden {
        objects: bool,
    },
    /// It lies too deep, or in a schema that contains itself.
    Deep,
}

/// The arguments of a definition in the schema's order, `depth` names deep at most.
pub(super) fn arguments<'a>(schema: &'a Value, depth: usize) -> Vec<Argument<'a>> {
    let mut walk = Walk { root: schema, depth, left: MOST, text: "", format: "", hides: false, found: Vec::new() };
    walk.object(schema, &[]);
    walk.found
}

/// Whether the schema takes what it does not show: members of any name, or under conditions, or values of any kind.
pub(super) fn hides(schema: &Value) -> bool {
    let mut walk =
        Walk { root: schema, depth: DEPTH, left: MOST, text: "", format: "", hides: false, found: Vec::new() };
    walk.hides = schema.get("properties").is_none() && schema.get("additionalProperties") != Some(&Value::Bool(false));
    walk.object(schema, &[]);
    walk.hides
}

/// All arguments that can be followed.
pub(super) fn all(schema: &Value) -> Vec<Argument<'_>> {
    arguments(schema, DEPTH)
}

struct Walk<'a> {
    root: &'a Value,
    depth: usize,
    left: usize,
    /// What the schema says of the argument that is read.
    text: &'a str,
    format: &'a str,
    /// Something is taken that the schema does not show.
    hides: bool,
    found: Vec<Argument<'a>>,
}

impl<'a> Walk<'a> {
    /// The members of an object, also of those that it is made of.
    fn object(&mut self, schema: &'a Value, way: &[Step<'a>]) {
        for part in self.parts(schema) {
            let open = ["additionalProperties", "patternProperties", "unevaluatedProperties"]
                .iter()
                .filter_map(|key| part.get(key))
                .any(|more| *more == Value::Bool(true) || more.as_object().is_some_and(|more| !more.is_empty()));
            self.hides |= open || ["if", "then", "else", "dependentSchemas"].iter().any(|key| part.get(key).is_some());
            let required = |name: &str| {
                let all = part.get("required").and_then(Value::as_array);
                all.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)))
            };
            for (name, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let mut way = way.to_vec();
                way.push(Step::Name { name, required: required(name), loose: false });
                self.value(property, way);
            }
        }
    }

    /// What stands at the end of a way that ends in a name or in every element.
    fn value(&mut self, schema: &'a Value, mut way: Vec<Step<'a>>) {
        self.left = self.left.saturating_sub(1);
        self.text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        self.format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let choices = self.choices(schema);
        let mut others = choices.iter().copied().filter(|one| types(one) != ["null"]);
        let (first, second) = (others.next(), others.next());
        let named: Vec<&str> = first.map(types).unwrap_or_default();
        let null = choices.len() > usize::from(first.is_some()) && second.is_none() || named.contains(&"null");
        if null {
            loosen(&mut way);
        }
        let Some(schema) = first else { return };
        if second.is_some() {
            loosen(&mut way);
            let objects = choices.iter().any(|one| one.get("properties").is_some());
            self.hides |= choices.iter().any(|one| is_open(one));
            self.end(way.clone(), Kind::Hidden { objects });
            for choice in choices.iter().filter(|one| one.get("properties").is_some()) {
                self.inner(choice, &way);
            }
            return;
        }
        let mut named = named.into_iter().filter(|one| *one != "null");
        let one = match (named.next(), named.next()) {
            (one, None) => one,
            _ => return self.end(way, Kind::Hidden { objects: false }),
        };
        match one {
            Some("string") if schema.get("enum").is_some() || schema.get("const").is_some() => {}
            Some("string") => self.end(way, Kind::Text),
            Some("number" | "integer") => self.end(way, Kind::Number),
            Some("boolean" | "null") => {}
            Some("array") => match schema.get("items").filter(|items| items.is_object()) {
                Some(_) if self.left == 0 || way.len() > 2 * self.depth => self.end(way, Kind::Deep),
                Some(items) => {
                    way.push(Step::Every);
                    self.value(items, way);
                }
                None => {
                    self.hides = true;
                    self.end(way, Kind::Hidden { objects: false });
                }
            },
            Some("object") | None if ["properties", "allOf"].iter().any(|key| schema.get(key).is_some()) => {
                self.inner(schema, &way);
            }
            None if schema.get("enum").is_some() || schema.get("const").is_some() => {}
            _ => {
                self.hides |= is_open(schema);
                self.end(way, Kind::Hidden { objects: false });
            }
        }
    }

    fn inner(&mut self, schema: &'a Value, way: &[Step<'a>]) {
        let names = way.iter().filter(|step| matches!(step, Step::Name { .. })).count();
        // Lists in lists have no names to count.
        if names >= self.depth || way.len() > 2 * self.depth || self.left == 0 {
            self.end(way.to_vec(), Kind::Deep);
        } else {
            self.object(schema, way);
        }
    }

    fn end(&mut self, way: Vec<Step<'a>>, kind: Kind) {
        let name = way.iter().rev().find_map(|step| match step {
            Step::Name { name, .. } => Some(*name),
            Step::Every => None,
        });
        if let Some(name) = name {
            self.found.push(Argument { name, words: words(name), way, kind, text: self.text, format: self.format });
        }
    }

    /// The schema that a local reference leads to.
    fn resolved(&self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..HOPS {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match target.and_then(|pointer| self.root.pointer(pointer)) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// A schema and those of its `allOf`.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let all = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(schema).chain(all.map(|part| self.resolved(part))).collect()
    }

    /// Of `anyOf` and `oneOf` the choices, else the schema itself.
    fn choices(&self, schema: &'a Value) -> Vec<&'a Value> {
        let mut schema = self.resolved(schema);
        // An `allOf` of one is how generators write a reference beside a description.
        if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && schema.get("properties").is_none()
        {
            schema = self.resolved(only);
        }
        match ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            Some(choices) => choices.iter().map(|choice| self.resolved(choice)).collect(),
            None => vec![schema],
        }
    }
}

/// The types that a schema names.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Whether the schema takes objects, or anything, without saying of what.
fn is_open(schema: &Value) -> bool {
    let types = types(schema);
    let said = ["properties", "enum", "const", "allOf", "anyOf", "oneOf"].iter().any(|key| schema.get(key).is_some());
    let list = types.contains(&"array") && schema.get("items").is_none();
    list || ((types.is_empty() || types.contains(&"object")) && !said)
}

fn loosen(way: &mut [Step<'_>]) {
    if let Some(Step::Name { loose, .. }) = way.last_mut() {
        *loose = true;
    }
}

/// The words of a name, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            words.push(String::new());
        } else {
            if words.is_empty() || (letter.is_uppercase() && last.is_lowercase()) {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        last = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Argument<'_> {
    /// Whether the last word of the name is one of these.
    pub(super) fn named(&self, words: &[&str]) -> bool {
        self.words.last().is_some_and(|last| words.contains(&last.as_str()))
    }

    /// Whether something on the way may be of another type.
    pub(super) fn is_loose(&self) -> bool {
        self.way.iter().any(|step| matches!(step, Step::Name { loose: true, .. }))
    }

    /// The way as people write it: `request.url`, `files[*].path`.
    pub(super) fn shown(&self) -> String {
        let path = super::condition::path("args", &self.way);
        path.strip_prefix("args.").map_or(path.clone(), str::to_owned)
    }
}
