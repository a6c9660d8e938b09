//! TOML, by the places that `toml_edit` keeps.

use toml_edit::{Document, Item, TableLike, Value};

use super::{Kind, List, Map, Member, Node};
use crate::document::BadDocument;

pub(super) fn read(text: &str) -> Result<Node, BadDocument> {
    let document = Document::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        BadDocument::at(text, start, format!("this is no TOML: {}", error.message().lines().next().unwrap_or_default()))
    })?;
    let mut root = item(document.as_item(), text);
    root.span = 0..text.len();
    Ok(root)
}

fn item(read: &Item, text: &str) -> Node {
    match read {
        Item::Value(read) => value(read, text),
        Item::Table(table) => {
            // The header, where it has one of its own.
            let start = table.span().filter(|_| !table.is_implicit() && !table.is_dotted());
            map(table, text, start, false, table.is_dotted())
        }
        Item::ArrayOfTables(tables) => {
            let items: Vec<Node> = tables.iter().map(|table| map(table, text, table.span(), false, false)).collect();
            let span = around(items.iter().map(|item| item.span.clone()));
            Node { span, kind: Kind::List(List { items, flow: false }), fixed: Some("an array of tables") }
        }
        Item::None => Node::new(0..0, Kind::Bare(String::new())),
    }
}

fn map(table: &dyn TableLike, text: &str, own: Option<std::ops::Range<usize>>, flow: bool, dotted: bool) -> Node {
    let members: Vec<Member> = table
        .iter()
        .filter_map(|(name, value)| {
            let key_span = table.get_key_value(name).and_then(|(key, _)| key.span())?;
            Some(Member { key: name.to_owned(), key_span, value: item(value, text) })
        })
        .collect();
    let spans = members.iter().flat_map(|member| {
        // The key of a table with a header stands in the header, which belongs to the table.
        let own = member.value.map().is_some_and(|map| !map.flow && !map.dotted);
        [Some(member.value.span.clone()), Some(member.key_span.clone()).filter(|_| !own)]
    });
    let span = if flow { own.clone().unwrap_or(0..0) } else { around(spans.flatten().chain(own.clone())) };
    Node::new(span, Kind::Map(Map { members, flow, dotted }))
}

fn value(read: &Value, text: &str) -> Node {
    let span = read.span().unwrap_or(0..0);
    let kind = match read {
        Value::String(said) => Kind::Text(lines(said.value(), text.get(span.clone()).unwrap_or_default())),
        Value::Integer(number) => Kind::Bare(number.value().to_string()),
        Value::Float(number) => Kind::Bare(number.value().to_string()),
        Value::Boolean(boolean) => Kind::Bare(boolean.value().to_string()),
        Value::Datetime(time) => Kind::Bare(time.value().to_string()),
        Value::Array(array) => {
            Kind::List(List { items: array.iter().map(|item| value(item, text)).collect(), flow: true })
        }
        Value::InlineTable(table) => {
            let mut node = map(table, text, Some(span), true, table.is_dotted());
            if table.is_dotted() {
                node.fixed = Some("dotted keys in an inline table");
            }
            return node;
        }
    };
    Node::new(span, kind)
}

/// A text over several lines has the line ends of its value, and not those of the file that it stands in.
fn lines(said: &str, raw: &str) -> String {
    let is_over_lines = said.contains("\r\n") && raw.contains("\r\n");
    let again = is_over_lines.then(|| raw.replace("\r\n", "\n").parse::<Value>().ok()).flatten();
    again.as_ref().and_then(Value::as_str).unwrap_or(said).to_owned()
}

/// From the first start to the last end.
fn around(spans: impl Iterator<Item = std::ops::Range<usize>>) -> std::ops::Range<usize> {
    spans.reduce(|one, two| one.start.min(two.start)..one.end.max(two.end)).unwrap_or(0..0)
}
