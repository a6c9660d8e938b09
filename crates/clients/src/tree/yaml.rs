//! YAML, by the places that a parser's events carry. No tree of the library's own is made, so nothing is
//! written anew; what an edit by places could break (anchors, aliases, tags, merge keys) is marked.

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};

use super::{BLOCK_SCALAR, Kind, List, Map, Member, Node};
use crate::document::BadDocument;

/// How deep values may lie in each other.
const DEPTH: usize = 128;

/// A map or a list whose end is still to come.
struct Open {
    node: Node,
    key: Option<Node>,
}

pub(super) fn read(text: &str) -> Result<Option<Node>, BadDocument> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str_with_options(text, options! { emit_comments: false }) {
        let (event, span) = event.map_err(|error| {
            let said = error.info();
            let quoted = said.contains(['\'', '"', '`']);
            let what = if quoted { "it cannot be read from here on" } else { said.trim() };
            BadDocument::at(text, error.marker().byte_offset().unwrap_or(0), format!("this is no YAML: {what}"))
        })?;
        let span = span.byte_range().unwrap_or(0..0);
        let fixed = match &event {
            Event::Alias(_) => Some("an alias (`*name`)"),
            _ if event.anchor_id().is_some() => Some("an anchor (`&name`)"),
            _ if event.tag().is_some() => Some("a tag (`!name`)"),
            _ => None,
        };
        let done = match event {
            Event::DocumentStart(..) if root.is_some() => {
                return Err(BadDocument::at(text, span.start, "a second document begins here".to_owned()));
            }
            Event::Scalar(value, style, ..) => Some(scalar(text, span, &value, style, fixed)),
            Event::Alias(_) => Some(Node { span, kind: Kind::Bare("*".to_owned()), fixed }),
            Event::MappingStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let kind = Kind::Map(Map { members: Vec::new(), flow, dotted: false });
                open.push(Open { node: Node { span, kind, fixed }, key: None });
                None
            }
            Event::SequenceStart(style, ..) => {
                let kind = Kind::List(List { items: Vec::new(), flow: style == StructureStyle::Flow });
                open.push(Open { node: Node { span, kind, fixed }, key: None });
                None
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().map(|mut ended| {
                ended.node.span.end = match &ended.node.kind {
                    Kind::Map(Map { flow: true, .. }) | Kind::List(List { flow: true, .. }) => span.end,
                    _ => ended.node.children().map(|child| child.span.end).max().unwrap_or(span.start),
                };
                ended.node
            }),
            _ => None,
        };
        if open.len() > DEPTH {
            return Err(BadDocument::at(text, span_start(&open), "values lie too deep in each other".to_owned()));
        }
        let Some(done) = done else { continue };
        match open.last_mut() {
            None => root = Some(done),
            Some(parent) => parent.take(done),
        }
    }
    // An empty document is null to the parser.
    Ok(root.filter(|root: &Node| !(root.is_null() && root.span.is_empty())))
}

impl Open {
    fn take(&mut self, child: Node) {
        match (&mut self.node.kind, self.key.take()) {
            (Kind::List(list), _) => list.items.push(child),
            (Kind::Map(_), None) => self.key = Some(child),
            (Kind::Map(map), Some(key)) => {
                let name = key.scalar().unwrap_or_default().to_owned();
                let fixed = if name == "<<" { Some("a merge key (`<<`)") } else { key.fixed };
                let fixed = fixed.or_else(|| key.scalar().is_none().then_some("a key that is no word"));
                let value = Node { fixed: child.fixed.or(fixed), ..child };
                map.members.push(Member { key: name, key_span: key.span, value });
            }
            (Kind::Text(_) | Kind::Bare(_), _) => {}
        }
    }
}

fn span_start(open: &[Open]) -> usize {
    open.last().map_or(0, |last| last.node.span.start)
}

fn scalar(
    text: &str,
    span: std::ops::Range<usize>,
    value: &str,
    style: ScalarStyle,
    fixed: Option<&'static str>,
) -> Node {
    let raw = text.get(span.clone()).unwrap_or_default();
    let span = span.start..span.start + raw.trim_end().len();
    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded).then_some(BLOCK_SCALAR);
    let kind = match style {
        ScalarStyle::Plain if raw.is_empty() => Kind::Bare(String::new()),
        ScalarStyle::Plain if is_no_text(value) => Kind::Bare(value.to_owned()),
        _ => Kind::Text(value.to_owned()),
    };
    Node { span, kind, fixed: fixed.or(block) }
}

/// Whether a plain scalar is a number, a boolean or null.
pub(crate) fn is_no_text(value: &str) -> bool {
    let word = value.to_ascii_lowercase();
    if matches!(word.as_str(), "" | "~" | "null" | "true" | "false" | ".inf" | "-.inf" | "+.inf" | ".nan") {
        return true;
    }
    let digits = word.trim_start_matches(['+', '-']);
    let radix = |start: &str, radix: u32| {
        digits
            .strip_prefix(start)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|digit| digit.is_digit(radix)))
    };
    let begins = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    radix("0x", 16) || radix("0o", 8) || (begins && digits.parse::<f64>().is_ok())
}
