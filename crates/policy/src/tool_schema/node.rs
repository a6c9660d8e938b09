//! Arguments as the validator sees them: the tree that was parsed, with numbers as sent, and what was read of it.

use std::borrow::Cow;
use std::cell::Cell;
use std::ptr;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node as JsonNode, NodeIdentity, Object};
use mcp::json::{self, Decimal};
use serde_json::{Number, Value};

use crate::operand::Numbers;

/// What one validation may cost: a look at a value costs 1, and so do so many bytes of a string; going into a part of a
/// value costs 1 for so many schemas as may apply to it. A hundred thousand parts are within the budget; composition that
/// multiplies with every level of the arguments is not.
const BUDGET: u32 = 2_000_000;
const BYTES: usize = 16;
const SCHEMAS: usize = 8;

/// What one validation has read.
pub(super) struct Reading {
    numbers: Numbers,
    left: Cell<u32>,
    /// What going into a part costs.
    descent: u32,
    // The text of the first number read that does not survive binary64.
    inexact: Cell<*const u8>,
}

impl Reading {
    /// `work` is how many schemas apply to one value at most.
    pub(super) fn new(numbers: Numbers, work: usize) -> Self {
        let descent = u32::try_from(1 + work / SCHEMAS).unwrap_or(BUDGET);
        Self { numbers, left: Cell::new(BUDGET), descent, inexact: Cell::new(ptr::null()) }
    }

    /// Takes `cost` from the budget, if that is left.
    fn pay(&self, cost: u32) -> Option<()> {
        let left = self.left.get().saturating_sub(cost);
        self.left.set(left);
        (left > 0).then_some(())
    }

    /// Where the text of a number that does not survive is, if one was read.
    pub(super) fn inexact(&self) -> Option<*const u8> {
        Some(self.inexact.get()).filter(|text| !text.is_null())
    }

    /// Whether the validation was cut short. Its outcome means nothing then.
    pub(super) fn exhausted(&self) -> bool {
        self.left.get() == 0
    }

    fn number(&self, number: json::Number<'_>) {
        if self.numbers == Numbers::Binary64 && self.inexact.get().is_null() && !number.survives_binary64() {
            self.inexact.set(number.text().as_ptr());
        }
    }
}

/// The representation of arguments.
pub(super) struct Arguments;

impl Json for Arguments {
    type Node<'a> = Node<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(_buffer: &mut (), string: &str, f: impl FnOnce(Node<'_>) -> T) -> T {
        f(Node::name(string))
    }
}

/// A value of the arguments, or one of their keys.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    source: Source<'a>,
    // Keys have none: they hold no number and no parts.
    reading: Option<&'a Reading>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Value(&'a json::Value<'a>),
    Name(&'a str),
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a json::Value<'a>, reading: &'a Reading) -> Self {
        Self { source: Source::Value(value), reading: Some(reading) }
    }

    pub(super) fn name(name: &'a str) -> Self {
        Self { source: Source::Name(name), reading: None }
    }

    /// The value, with the look at it counted. `None` for keys, and once the budget is spent.
    fn look(&self) -> Option<&'a json::Value<'a>> {
        let Source::Value(value) = self.source else { return None };
        if let Some(reading) = self.reading {
            reading.pay(1)?;
            if let json::Value::Number(number) = value {
                reading.number(*number);
            }
        }
        Some(value)
    }
}

impl<'a> JsonNode<'a, Arguments> for Node<'a> {
    type Object = Members<'a>;
    type Array = Elements<'a>;
    type Number = Sent<'a>;

    fn as_object(&self) -> Option<Members<'a>> {
        let object = self.look()?.as_object()?;
        Some(Members { object, reading: self.reading })
    }

    fn as_array(&self) -> Option<Elements<'a>> {
        let items = self.look()?.as_array()?;
        Some(Elements { items, reading: self.reading })
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self.source {
            Source::Name(name) => Some(Cow::Borrowed(name)),
            Source::Value(_) => {
                let text = self.look()?.as_str()?;
                if let Some(reading) = self.reading {
                    reading.pay(u32::try_from(text.len() / BYTES).unwrap_or(BUDGET))?;
                }
                Some(Cow::Borrowed(text))
            }
        }
    }

    fn as_number(&self) -> Option<Sent<'a>> {
        self.look()?.as_number().map(Sent)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.look()?.as_bool()
    }

    fn is_null(&self) -> bool {
        matches!(self.look(), Some(json::Value::Null))
    }

    fn json_type(&self) -> JsonType {
        match self.look() {
            Some(json::Value::Null) => JsonType::Null,
            Some(json::Value::Bool(_)) => JsonType::Boolean,
            Some(json::Value::Number(_)) => JsonType::Number,
            Some(json::Value::Array(_)) => JsonType::Array,
            Some(json::Value::Object(_)) => JsonType::Object,
            // A key; or the budget is spent, and a string has no parts.
            Some(json::Value::String(_)) | None => JsonType::String,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match self.source {
            Source::Name(name) => expected.as_str() == Some(name),
            Source::Value(value) => self.look().is_some() && equal(value, expected, self.reading),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self.source {
            Source::Name(name) => Value::String(name.to_owned()),
            Source::Value(value) => converted(value),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(match self.source {
            Source::Value(value) => NodeIdentity::new(ptr::from_ref(value).addr()),
            Source::Name(name) => NodeIdentity::tagged(name.as_ptr().addr(), 1),
        })
    }
}

/// A part of a value, once going into it is paid for.
fn part<'a>(value: &'a json::Value<'a>, reading: Option<&'a Reading>) -> Option<Node<'a>> {
    if let Some(reading) = reading {
        reading.pay(reading.descent)?;
    }
    Some(Node { source: Source::Value(value), reading })
}

/// A number as sent.
pub(super) struct Sent<'a>(json::Number<'a>);

impl Sent<'_> {
    pub(super) fn decimal(&self) -> Decimal {
        self.0.decimal()
    }
}

impl JsonNumber for Sent<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.text().parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.text().parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        Some(self.0.as_f64())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0.text())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(number(self.0))
    }

    fn is_integer(&self) -> bool {
        self.0.decimal().is_integer()
    }
}

fn number(sent: json::Number<'_>) -> Number {
    let text = sent.text();
    let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    // Strict numbers are finite.
    whole.ok().or_else(|| Number::from_f64(sent.as_f64())).unwrap_or_else(|| Number::from(0))
}

/// The members of an object.
pub(super) struct Members<'a> {
    object: &'a json::Object<'a>,
    reading: Option<&'a Reading>,
}

impl<'a> Object<'a, Arguments> for Members<'a> {
    type Node = Node<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.object.len()
    }

    fn get(&self, key: &String) -> Option<Node<'a>> {
        part(self.object.get(key)?, self.reading)
    }

    fn members(&self) -> MembersIter<'a> {
        let reading = self.reading;
        MembersIter(Box::new(self.object.iter().map_while(move |(key, value)| Some((key, part(value, reading)?)))))
    }
}

/// Iterates over the members of an object.
pub(super) struct MembersIter<'a>(Box<dyn Iterator<Item = (&'a str, Node<'a>)> + 'a>);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// The elements of an array.
pub(super) struct Elements<'a> {
    items: &'a [json::Value<'a>],
    reading: Option<&'a Reading>,
}

impl<'a> Array<'a, Arguments> for Elements<'a> {
    type Node = Node<'a>;
    type ElementsIter = ElementsIter<'a>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn elements(&self) -> ElementsIter<'a> {
        ElementsIter { items: self.items.iter(), reading: self.reading }
    }

    fn is_unique(&self) -> bool {
        let mut seen = std::collections::HashSet::with_capacity(self.items.len());
        self.items.iter().all(|item| {
            let mut key = String::new();
            normal(item, self.reading, &mut key);
            seen.insert(key)
        })
    }
}

/// Iterates over the elements of an array.
pub(super) struct ElementsIter<'a> {
    items: std::slice::Iter<'a, json::Value<'a>>,
    reading: Option<&'a Reading>,
}

impl<'a> Iterator for ElementsIter<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        part(self.items.next()?, self.reading)
    }
}

/// A text that is the same for exactly the equal values.
fn normal(value: &json::Value<'_>, reading: Option<&Reading>, out: &mut String) {
    use std::fmt::Write;
    /// Writing and hashing a value costs more than a look at it.
    const WRITING: usize = 8;
    let cost = u32::try_from(WRITING + value.as_str().map_or(0, str::len) / BYTES).unwrap_or(BUDGET);
    if reading.is_some_and(|reading| reading.pay(cost).is_none()) {
        return;
    }
    match value {
        json::Value::Null => out.push_str("null"),
        json::Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        json::Value::Number(number) => {
            if let Some(reading) = reading {
                reading.number(*number);
            }
            _ = write!(out, "{}", number.decimal());
        }
        json::Value::String(text) => out.push_str(&json::quote(text)),
        json::Value::Array(items) => {
            out.push('[');
            for item in items {
                normal(item, reading, out);
                out.push(',');
            }
            out.push(']');
        }
        json::Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in members {
                out.push_str(&json::quote(key));
                out.push(':');
                normal(member, reading, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

/// Whether a value equals one of the schema; numbers by their exact value.
fn equal(value: &json::Value<'_>, expected: &Value, reading: Option<&Reading>) -> bool {
    match (value, expected) {
        (json::Value::Null, Value::Null) => true,
        (json::Value::Bool(value), Value::Bool(expected)) => value == expected,
        (json::Value::String(value), Value::String(expected)) => value == expected,
        (json::Value::Number(number), Value::Number(expected)) => {
            if let Some(reading) = reading {
                reading.number(*number);
            }
            decimal(expected).is_some_and(|expected| number.decimal() == expected)
        }
        (json::Value::Array(items), Value::Array(expected)) => {
            items.len() == expected.len()
                && items.iter().zip(expected).all(|(item, expected)| equal(item, expected, reading))
        }
        (json::Value::Object(members), Value::Object(expected)) => {
            members.len() == expected.len()
                && expected
                    .iter()
                    .all(|(key, expected)| members.get(key).is_some_and(|member| equal(member, expected, reading)))
        }
        _ => false,
    }
}

/// The exact value of a number of the schema.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    Decimal::parse(&number.to_string()).ok()
}

fn converted(value: &json::Value<'_>) -> Value {
    match value {
        json::Value::Null => Value::Null,
        json::Value::Bool(value) => Value::Bool(*value),
        json::Value::Number(sent) => Value::Number(number(*sent)),
        json::Value::String(text) => Value::String(text.clone().into_owned()),
        json::Value::Array(items) => Value::Array(items.iter().map(converted).collect()),
        json::Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.to_owned(), converted(value))).collect())
        }
    }
}
