//! JSON, with comments and trailing commas wherever they are: clients allow them in files named `.json` too.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Kind, List, Map, Member, Node};
use crate::document::BadDocument;

pub(super) fn read(text: &str) -> Result<Option<Node>, BadDocument> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let read = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| BadDocument::at(text, error.range().start, format!("this is no JSON: {}", error.kind())))?;
    Ok(read.value.as_ref().map(node))
}

fn node(value: &Value<'_>) -> Node {
    let span = value.start()..value.end();
    let kind = match value {
        Value::StringLit(text) => Kind::Text(text.value.to_string()),
        Value::NumberLit(number) => Kind::Bare(number.value.to_owned()),
        Value::BooleanLit(boolean) => Kind::Bare(boolean.value.to_string()),
        Value::NullKeyword(_) => Kind::Bare("null".to_owned()),
        Value::Array(array) => Kind::List(List { items: array.elements.iter().map(node).collect(), flow: true }),
        Value::Object(object) => {
            let members = object.properties.iter().map(|property| Member {
                key: property.name.as_str().to_owned(),
                key_span: property.name.start()..property.name.end(),
                value: node(&property.value),
            });
            Kind::Map(Map { members: members.collect(), flow: true, dotted: false })
        }
    };
    Node::new(span, kind)
}
