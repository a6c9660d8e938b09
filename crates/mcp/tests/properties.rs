//! What must hold for any input.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that is wrong about its own input should fail"
)]

use std::fmt::Write;

use mcp::line::Lines;
use mcp::message::{Body, Message, parse_client, parse_upstream, splice};
use mcp::{canonical, json, result, sse};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// A JSON text with its value: spellings vary, strictness holds.
fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
        string(),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec((space(), inner.clone(), space()), 0..8).prop_map(|items| {
                let items: Vec<String> = items.into_iter().map(|(a, item, b)| format!("{a}{item}{b}")).collect();
                format!("[{}]", items.join(","))
            }),
            vec((space(), string(), space(), inner), 0..6).prop_map(object),
        ]
    })
}

fn object(members: Vec<(String, String, String, String)>) -> String {
    let mut seen = std::collections::HashSet::new();
    let mut out = String::from("{");
    for (space, key, other, value) in members {
        if seen.insert(json::unquote(&key).unwrap().into_owned()) {
            let comma = if out.len() > 1 { "," } else { "" };
            write!(out, "{comma}{space}{key}{other}:{space}{value}{other}").unwrap();
        }
    }
    out + "}"
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

/// A string literal, each character spelled in one of the ways there are.
fn string() -> impl Strategy<Value = String> {
    vec((prop_oneof![any::<char>(), Just('a'), Just('b'), Just('"'), Just('/')], any::<bool>()), 0..12).prop_map(
        |characters| {
            let mut out = String::from("\"");
            for (character, escape) in characters {
                if escape {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04X}").unwrap();
                    }
                } else {
                    let literal = json::quote(&character.to_string());
                    out.push_str(&literal[1..literal.len() - 1]);
                }
            }
            out + "\""
        },
    )
}

/// Bytes that are nearly JSON, to be mostly refused.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        4 => prop_oneof![Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":")].prop_map(str::to_owned),
        2 => prop_oneof![Just("\"a\""), Just("\"b\""), Just("\"\\u0061\""), Just("\"\\ud800\""), Just("\"\\udc00\"")].prop_map(str::to_owned),
        2 => "[-+0-9.eE]{1,6}",
        1 => prop_oneof![Just("true"), Just("null"), Just(" "), Just("\u{feff}"), Just("\\"), Just("\""), Just("é")].prop_map(str::to_owned),
    ];
    prop_oneof![
        vec(token, 0..12).prop_map(|tokens| tokens.concat().into_bytes()),
        (text(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, place, byte)| {
            let mut bytes = text.into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            bytes
        }),
    ]
}

fn same(ours: &json::Value<'_>, theirs: &Value) -> bool {
    match (ours, theirs) {
        (json::Value::Null, Value::Null) => true,
        (json::Value::Bool(one), Value::Bool(other)) => one == other,
        (json::Value::String(one), Value::String(other)) => one == other,
        // serde_json's quick reading of floats may be off in the last bits.
        (json::Value::Number(one), Value::Number(other)) => match other.as_i64() {
            Some(other) => one.decimal() == json::Decimal::from(other),
            None => {
                other.as_f64().is_some_and(|other| (one.as_f64() - other).abs() <= other.abs() * 8.0 * f64::EPSILON)
            }
        },
        (json::Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (json::Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((key, value), (other, theirs))| key == other && same(value, theirs))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_json_is_accepted_and_means_the_same(text in text()) {
        let ours = json::parse(&text).unwrap();
        prop_assert_eq!(json::check(text.as_bytes()), Ok(()));
        prop_assert!(same(&ours, &serde_json::from_str(&text).unwrap()));
    }

    #[test]
    fn what_is_accepted_others_accept(bytes in nearly()) {
        let ours = json::parse_bytes(&bytes);
        prop_assert_eq!(ours.as_ref().map(drop).map_err(Clone::clone), json::check(&bytes));
        if let Ok(ours) = ours {
            prop_assert!(same(&ours, &serde_json::from_slice(&bytes).unwrap()));
        }
    }

    #[test]
    fn canonical_text_is_a_fixed_point_with_the_same_value(text in text()) {
        let once = canonical::text(&text).unwrap();
        prop_assert_eq!(&canonical::text(&once).unwrap(), &once);
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        prop_assert_eq!(value(&once), value(&text));
        prop_assert!(once.len() <= text.len());
    }

    #[test]
    fn decimals_order_like_numbers(one in any::<f64>(), other in any::<f64>()) {
        prop_assume!(one.is_finite() && other.is_finite());
        let decimal = |number: f64| json::Decimal::parse(&format!("{number:e}")).unwrap();
        prop_assert_eq!(decimal(one).partial_cmp(&decimal(other)), one.partial_cmp(&other));
        prop_assert_eq!(json::Decimal::parse(&decimal(one).to_string()).unwrap(), decimal(one));
        let written = format!("{one:e}");
        prop_assert!(json::Number::parse(&written).unwrap().survives_binary64());
    }

    #[test]
    fn a_call_says_what_serde_json_reads(name in string(), arguments in vec((space(), string(), space(), text()), 0..4), id in string(), first in any::<bool>()) {
        let arguments = object(arguments);
        let params = format!(r#""params":{{"arguments":{arguments},"name":{name}}}"#);
        let method = r#""method":"tools/call""#;
        let (one, other) = if first { (&*params, method) } else { (method, &*params) };
        let text = format!(r#"{{{one},"id":{id},{other},"jsonrpc":"2.0"}}"#);
        let theirs: Value = serde_json::from_str(&text).unwrap();
        match parse_client(text.as_bytes()) {
            Ok(Body::One(Message::Request(request))) => {
                prop_assert_eq!(request.raw, &text);
                prop_assert_eq!(request.params.name.as_deref(), theirs["params"]["name"].as_str());
                let read: Value = serde_json::from_str(request.params.arguments.unwrap()).unwrap();
                prop_assert_eq!(&read, &theirs["params"]["arguments"]);
                prop_assert_eq!(request.id.raw(), &id);
                // Splicing the name touches nothing else.
                let span = request.params.spans.name.unwrap();
                let edited = splice(&text, &[(span.range(), "\"new\"")]).unwrap();
                prop_assert_eq!(&edited[..span.start()], &text[..span.start()]);
                prop_assert_eq!(&edited[span.start() + 5..], &text[span.end()..]);
            }
            Ok(other) => prop_assert!(false, "{:?}", other),
            Err(malformed) => prop_assert!(name == "\"\"" || id.len() > 256 || text.is_empty(), "{}", malformed),
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in nearly(), text in text()) {
        let _ = (parse_client(&bytes), parse_upstream(&bytes), parse_client(text.as_bytes()), parse_upstream(text.as_bytes()));
        for text in [text.as_str(), std::str::from_utf8(&bytes).unwrap_or_default()] {
            let _ = (result::tools(text), result::resources(text), result::call(text), result::strip_meta(text, "a"), mcp::header::declared(text));
        }
    }

    #[test]
    fn a_list_keeps_its_elements_as_they_are(items in vec((string(), vec((space(), string(), space(), text()), 0..3), any::<bool>()), 0..6), before in text(), space in space()) {
        let tools: Vec<String> = items
            .iter()
            .map(|(name, members, _)| {
                let members: Vec<_> = members.iter().filter(|member| !json::unquote(&member.1).unwrap().eq_ignore_ascii_case("name")).cloned().collect();
                let members = object(members);
                let rest = members.trim_start_matches('{');
                let comma = if rest == "}" { "" } else { "," };
                format!(r#"{{{space}"name":{name}{comma}{rest}"#)
            })
            .collect();
        let raw = format!(r#"{{"before":{before},"tools":[{}],"after":{before}{space}}}"#, tools.join(","));
        let list = result::tools(&raw).unwrap();
        prop_assert_eq!(list.entries.iter().map(|tool| tool.raw).collect::<Vec<_>>(), tools.clone());
        let mut keep = items.iter().map(|item| item.2);
        let kept: Vec<&str> = tools.iter().zip(&items).filter(|(_, item)| item.2).map(|(tool, _)| tool.as_str()).collect();
        let expected = format!(r#"{{"before":{before},"tools":[{}],"after":{before}{space}}}"#, kept.join(","));
        prop_assert_eq!(list.retain(|_| keep.next().unwrap()), expected);
    }

    #[test]
    fn stripping_removes_ours_and_nothing_else(text in text(), other in text()) {
        let raw = format!(r#"{{"a":{text},"_meta":{{"toolgate/a":{other},"x":{text},"toolgate/b":{text}}},"b":{other}}}"#);
        let stripped = result::strip_meta(&raw, "toolgate/").unwrap().unwrap();
        prop_assert_eq!(&stripped, &format!(r#"{{"a":{text},"_meta":{{"x":{text}}},"b":{other}}}"#));
        prop_assert_eq!(result::strip_meta(&stripped, "toolgate/").unwrap(), None);
    }

    #[test]
    fn lines_do_not_depend_on_chunks(bytes in vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'x')], 0..200), sizes in vec(1..20_usize, 1..20)) {
        let read = |sizes: &[usize]| {
            let (mut lines, mut found, mut rest, mut sizes) = (Lines::new(9), Vec::new(), bytes.as_slice(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                rest = behind;
                lines.push(chunk);
                while let Some(line) = lines.next_line() {
                    found.push(line.to_vec());
                }
            }
            let left = lines.rest().map(<[u8]>::to_vec);
            (found, left, lines.skipped())
        };
        let whole = read(&[200]);
        prop_assert_eq!(&read(&sizes), &whole);
        let expected: Vec<Vec<u8>> = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| line.strip_suffix(b"\n"))
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| line.len() <= 9 && !line.trim_ascii().is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        prop_assert_eq!(whole.0, expected);
    }

    #[test]
    fn events_do_not_depend_on_chunks(parts in vec(prop_oneof![Just("\n"), Just("\r"), Just("\r\n"), Just("data: x"), Just("data:"), Just(":c"), Just("id: 1"), Just("event: e"), Just("\u{feff}"), Just("x")], 0..60), sizes in vec(1..12_usize, 1..12)) {
        // The last byte tells what a CR before it was.
        let bytes = (parts.concat() + ":").into_bytes();
        let read = |sizes: &[usize]| {
            let (mut decoder, mut found, mut rest, mut sizes) = (sse::Decoder::new(40), Vec::new(), bytes.as_slice(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                rest = behind;
                decoder.push(chunk);
                loop {
                    match decoder.next_event() {
                        Ok(Some(event)) => found.push((event.raw.to_vec(), event.data.map(|data| data.into_owned()), event.id.map(<[u8]>::to_vec), event.event.map(<[u8]>::to_vec))),
                        Ok(None) => break,
                        Err(_) => return (found, true),
                    }
                }
            }
            (found, false)
        };
        let whole = read(&[1000]);
        prop_assert_eq!(&read(&sizes), &whole);
        let raw: Vec<u8> = whole.0.iter().flat_map(|event| event.0.clone()).collect();
        prop_assert!(bytes.starts_with(&raw));
        // Against the plain reading of the standard: lines by any end, events by blank lines.
        let text = String::from_utf8(bytes.clone()).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
        let complete = text.rfind("\n\n").map_or("", |end| &text[..end + 1]);
        let expected: Vec<Vec<u8>> = complete
            .split("\n\n")
            .flat_map(|block| {
                let data: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.strip_prefix(' ').unwrap_or(data)).collect();
                (!data.is_empty()).then(|| data.join("\n").into_bytes())
            })
            .collect();
        if !whole.1 && !text.starts_with('\n') {
            let seen: Vec<Vec<u8>> = whole.0.iter().filter_map(|event| event.1.clone()).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
