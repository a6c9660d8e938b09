//! The tree form.

use std::borrow::Cow;

use super::{Fault, Number, Scanner};

/// What outermost objects hold without growing.
const USUAL: usize = 8;
/// From so many members on an object keeps an index of its keys.
const INDEXED: usize = 32;

/// A JSON value that borrows from its text.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as sent.
    Number(Number<'a>),
    /// A string, escapes undone.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// What the value is, as JSON Schema calls it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number<'a>> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Self::Array(value) = self { Some(value) } else { None }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object<'a>> {
        if let Self::Object(value) = self { Some(value) } else { None }
    }

    /// The member of that name, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }
}

/// The members of an object in the order of the document. No key occurs twice.
#[derive(Debug, Clone, Default)]
pub struct Object<'a> {
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
    // Positions of the entries in the order of their keys; empty for small objects.
    index: Box<[u32]>,
}

impl<'a> Object<'a> {
    /// The value under `key`, compared exactly.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        if self.index.is_empty() {
            return self.entries.iter().find(|(name, _)| same(name, key)).map(|(_, value)| value);
        }
        self.indexed_get(key)
    }

    fn indexed_get(&self, key: &str) -> Option<&Value<'a>> {
        let entry = |position: u32| self.entries.get(position as usize);
        let found =
            self.index.binary_search_by(|position| entry(*position).map_or("", |(name, _)| name.as_ref()).cmp(key));
        let position = self.index.get(found.ok()?)?;
        entry(*position).map(|(_, value)| value)
    }

    /// Keys and values in the order of the document.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn indexed(mut self) -> Self {
        if self.entries.len() >= INDEXED {
            let mut index: Vec<(&str, u32)> = self.entries.iter().map(|(key, _)| key.as_ref()).zip(0_u32..).collect();
            index.sort_unstable();
            self.index = index.into_iter().map(|(_, position)| position).collect();
        }
        self
    }
}

/// Whether two keys are equal. Most have at most eight bytes, which two words hold: that is less than a call.
#[inline]
fn same(name: &str, key: &str) -> bool {
    let (name, key) = (name.as_bytes(), key.as_bytes());
    if name.len() != key.len() {
        return false;
    }
    match (name.first_chunk::<4>(), key.first_chunk::<4>()) {
        (Some(one), Some(other)) => {
            one == other && name.last_chunk::<4>() == key.last_chunk::<4>() && (key.len() <= 8 || name == key)
        }
        _ => name.iter().eq(key),
    }
}

/// Reads the value the scanner stands before, inside `depth` open arrays and objects.
pub(super) fn read<'a>(scanner: &mut Scanner<'a>, depth: usize) -> Result<Value<'a>, Fault> {
    let mut value = Value::Null;
    read_to(scanner, depth, &mut value)?;
    Ok(value)
}

/// Like [`read`], to where the value will stay: most of the time that trees take is that of moving values.
fn read_to<'a>(scanner: &mut Scanner<'a>, depth: usize, place: &mut Value<'a>) -> Result<(), Fault> {
    *place = match scanner.peek() {
        Some(b'"') => {
            let quoted = scanner.string()?;
            Value::String(scanner.decode(quoted))
        }
        Some(b'{') => {
            let mut object = Object::default();
            scanner.object(depth, |scanner, key| {
                if depth == 0 && object.is_empty() {
                    object.entries.reserve(USUAL);
                }
                object.entries.push((scanner.decode(key), Value::Null));
                object.entries.last_mut().map_or(Ok(()), |(_, place)| read_to(scanner, depth + 1, place))
            })?;
            Value::Object(object.indexed())
        }
        Some(b'[') => {
            let mut items = Vec::new();
            scanner.array(depth, |scanner| {
                items.push(Value::Null);
                items.last_mut().map_or(Ok(()), |place| read_to(scanner, depth + 1, place))
            })?;
            Value::Array(items)
        }
        Some(b't') => scanner.literal("true").map(|()| Value::Bool(true))?,
        Some(b'f') => scanner.literal("false").map(|()| Value::Bool(false))?,
        Some(b'n') => scanner.literal("null").map(|()| Value::Null)?,
        Some(b'-' | b'0'..=b'9') => Value::Number(Number::scanned(scanner.number()?.of(scanner.text()))),
        _ => return Err(scanner.expected("a value")),
    };
    Ok(())
}
