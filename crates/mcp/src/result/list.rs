//! Lists of tools, prompts, resources and templates, and the same lists with less in them.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, Scanner, Span, folds_to, splice};

/// An element of a list.
pub trait Entry<'a>: Sized {
    /// The key the elements stand under in the result.
    const LIST: &'static str;
    /// The key of the member that names an element.
    const KEY: &'static str;

    /// An element whose text and name have been read.
    #[doc(hidden)]
    fn new(raw: &'a str, name: Cow<'a, str>) -> Self;

    /// One more of its members.
    #[doc(hidden)]
    fn member(&mut self, key: &str, raw: &'a str);
}

/// A result of a list method.
#[derive(Debug, Clone)]
pub struct List<'a, T> {
    /// The readable elements in their order.
    pub entries: Vec<T>,
    /// Elements that are no objects, have no name or an ambiguous one. They cannot be judged and are never kept.
    pub unreadable: usize,
    /// Where the list goes on.
    pub next_cursor: Option<Cow<'a, str>>,
    /// For how long the list may be kept, in milliseconds; absent before 2026-07-28 or when it is no whole number.
    pub ttl_ms: Option<u64>,
    /// For whom the list may be kept: `public` or `private`.
    pub cache_scope: Option<Cow<'a, str>>,
    raw: &'a str,
    // The inside of the array, and its elements in order: their place, and which entry that is.
    array: Option<Span>,
    elements: Vec<(Span, Option<usize>)>,
    ttl_place: Option<Span>,
    scope_place: Option<Span>,
}

/// A tool as a server lists it.
#[derive(Debug, Clone)]
pub struct Tool<'a> {
    /// The whole definition as sent.
    pub raw: &'a str,
    /// The name.
    pub name: Cow<'a, str>,
    /// The description, untrusted.
    pub description: Option<Cow<'a, str>>,
    /// The schema of the arguments, raw.
    pub input_schema: Option<&'a str>,
    /// The schema of the structured result, raw.
    pub output_schema: Option<&'a str>,
    /// The hints, raw.
    pub annotations: Option<&'a str>,
}

impl Tool<'_> {
    /// `annotations.destructiveHint` where it is given as a boolean; the protocol's default is not filled in.
    #[must_use]
    pub fn destructive_hint(&self) -> Option<bool> {
        self.hint("destructiveHint")
    }

    /// A boolean of the annotations, where it is given.
    #[must_use]
    pub fn hint(&self, name: &str) -> Option<bool> {
        json::parse(self.annotations?).ok()?.get(name)?.as_bool()
    }
}

macro_rules! named {
    ($(#[$about:meta])* $type:ident, $list:literal, $key:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $type<'a> {
            /// The whole definition as sent.
            pub raw: &'a str,
            /// What it is judged by.
            pub name: Cow<'a, str>,
        }

        impl<'a> Entry<'a> for $type<'a> {
            const LIST: &'static str = $list;
            const KEY: &'static str = $key;

            fn new(raw: &'a str, name: Cow<'a, str>) -> Self {
                Self { raw, name }
            }

            fn member(&mut self, _: &str, _: &'a str) {}
        }
    };
}

named!(
    /// A prompt as a server lists it, judged by its `name`.
    Prompt, "prompts", "name"
);
named!(
    /// A resource as a server lists it, judged by its `uri`.
    Resource, "resources", "uri"
);
named!(
    /// A resource template as a server lists it, judged by its `uriTemplate`.
    Template, "resourceTemplates", "uriTemplate"
);

impl<'a> Entry<'a> for Tool<'a> {
    const LIST: &'static str = "tools";
    const KEY: &'static str = "name";

    fn new(raw: &'a str, name: Cow<'a, str>) -> Self {
        Self { raw, name, description: None, input_schema: None, output_schema: None, annotations: None }
    }

    fn member(&mut self, key: &str, raw: &'a str) {
        match key {
            "description" => self.description = json::unquote(raw),
            "inputSchema" => self.input_schema = Some(raw),
            "outputSchema" => self.output_schema = Some(raw),
            "annotations" => self.annotations = Some(raw),
            _ => {}
        }
    }
}

/// Reads a result of `tools/list`.
///
/// # Errors
/// When `raw` is not strict JSON, or names its list in two ways.
pub fn tools(raw: &str) -> Result<List<'_, Tool<'_>>, json::Error> {
    read(raw)
}

/// Reads a result of `prompts/list`.
///
/// # Errors
/// When `raw` is not strict JSON, or names its list in two ways.
pub fn prompts(raw: &str) -> Result<List<'_, Prompt<'_>>, json::Error> {
    read(raw)
}

/// Reads a result of `resources/list`.
///
/// # Errors
/// When `raw` is not strict JSON, or names its list in two ways.
pub fn resources(raw: &str) -> Result<List<'_, Resource<'_>>, json::Error> {
    read(raw)
}

/// Reads a result of `resources/templates/list`.
///
/// # Errors
/// When `raw` is not strict JSON, or names its list in two ways.
pub fn templates(raw: &str) -> Result<List<'_, Template<'_>>, json::Error> {
    read(raw)
}

impl<'a, T: Entry<'a>> List<'a, T> {
    /// The result with only the entries that are to be kept; borrowed, and byte for byte what it was, when that is all.
    pub fn retain(&self, keep: impl FnMut(&T) -> bool) -> Cow<'a, str> {
        self.edit(keep, Vec::new())
    }

    /// Like [`Self::retain`], and labelled as one agent's own: a `cacheScope` becomes `private`, a `ttlMs` at most
    /// `max_ttl_ms`. What the result does not say is not added.
    pub fn retain_private(&self, keep: impl FnMut(&T) -> bool, max_ttl_ms: u64) -> Cow<'a, str> {
        let mut edits = Vec::new();
        if let Some(place) = self.scope_place
            && self.cache_scope.as_deref() != Some("private")
        {
            edits.push((place.range(), "\"private\"".to_owned()));
        }
        if let Some(place) = self.ttl_place
            && self.ttl_ms.is_none_or(|ttl| ttl > max_ttl_ms)
        {
            edits.push((place.range(), max_ttl_ms.to_string()));
        }
        self.edit(keep, edits)
    }

    fn edit(&self, mut keep: impl FnMut(&T) -> bool, mut edits: Vec<(Range<usize>, String)>) -> Cow<'a, str> {
        let kept: Vec<&str> = self
            .elements
            .iter()
            .filter(|(_, entry)| entry.and_then(|entry| self.entries.get(entry)).is_some_and(&mut keep))
            .map(|(place, _)| place.of(self.raw))
            .collect();
        if let Some(array) = self.array
            && kept.len() < self.elements.len()
        {
            edits.push((array.range(), kept.join(",")));
        }
        if edits.is_empty() {
            return Cow::Borrowed(self.raw);
        }
        let edits: Vec<(Range<usize>, &str)> =
            edits.iter().map(|(range, text)| (range.clone(), text.as_str())).collect();
        // The places come from this very text and do not overlap; an empty list is what must never leak.
        Cow::Owned(splice(self.raw, &edits).unwrap_or_else(|| format!("{{\"{}\":[]}}", T::LIST)))
    }
}

fn read<'a, T: Entry<'a>>(raw: &'a str) -> Result<List<'a, T>, json::Error> {
    let mut list = List {
        entries: Vec::new(),
        unreadable: 0,
        next_cursor: None,
        ttl_ms: None,
        cache_scope: None,
        raw,
        array: None,
        elements: Vec::new(),
        ttl_place: None,
        scope_place: None,
    };
    let mut scanner = Scanner::new(raw);
    if scanner.peek() != Some(b'{') {
        return Err(scanner.expected("an object").into());
    }
    scanner.object(0, |scanner, key| {
        let name = scanner.decode(key);
        let first = scanner.peek();
        match (name.as_ref(), first) {
            (name, Some(b'[')) if name == T::LIST => {
                let open = scanner.at() + 1;
                scanner.array(1, |scanner| element(scanner, &mut list))?;
                list.array = Some(Span::new(open, scanner.at() - 1));
            }
            // A client that folds case, or takes something else for a list, would see what was not filtered.
            (name, _) if folds_to(name, T::LIST) => {
                return Err(scanner.expected("one list in the result"));
            }
            ("nextCursor", Some(b'"')) => {
                let quoted = scanner.string()?;
                list.next_cursor = Some(scanner.decode(quoted));
            }
            ("cacheScope", _) => {
                let place = scanner.skip(1)?;
                list.scope_place = Some(place);
                list.cache_scope = json::unquote(place.of(raw));
            }
            ("ttlMs", _) => {
                let place = scanner.skip(1)?;
                list.ttl_place = Some(place);
                let number = json::Decimal::parse(place.of(raw)).ok();
                list.ttl_ms = number.and_then(|number| u64::try_from(number.to_i128()?).ok());
            }
            _ => drop(scanner.skip(1)?),
        }
        Ok(())
    })?;
    scanner.end()?;
    Ok(list)
}

fn element<'a, T: Entry<'a>>(scanner: &mut Scanner<'a>, list: &mut List<'a, T>) -> Result<(), json::Fault> {
    let start = scanner.at();
    let mut name = None;
    let mut ambiguous = false;
    let mut members = Vec::new();
    if scanner.peek() == Some(b'{') {
        scanner.object(2, |scanner, key| {
            let key = scanner.decode(key);
            let value = scanner.skip(3)?.of(scanner.text());
            if key == T::KEY {
                name = json::unquote(value);
            } else {
                ambiguous |= folds_to(&key, T::KEY);
                members.push((key, value));
            }
            Ok(())
        })?;
    } else {
        scanner.skip(2)?;
    }
    let place = scanner.span(start);
    let entry = name.filter(|_| !ambiguous).map(|name| {
        let mut entry = T::new(place.of(scanner.text()), name);
        for (key, value) in members {
            entry.member(&key, value);
        }
        list.entries.push(entry);
        list.entries.len() - 1
    });
    list.unreadable += usize::from(entry.is_none());
    list.elements.push((place, entry));
    Ok(())
}
