use super::*;
use crate::message::{Body, Message, parse_client};

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Headers and the paths of the arguments they mirror.
type Paths<'a> = &'a [(&'a str, &'a [&'a str])];

/// Method, params, headers.
type Sent<'a> = (&'a str, String, Headers<'a>);

const MODERN: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;

fn judge(method: &str, params: &str, headers: &[(&str, &str)]) -> Result<(), Mismatch> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#);
    let Ok(Body::One(Message::Request(request))) = parse_client(text.as_bytes()) else { panic!("{text}") };
    check(&request, headers.iter().map(|(name, value)| (*name, value.as_bytes())))
}

#[test]
fn headers_and_body() {
    let call = |name: &str| format!(r#""name":"{name}",{MODERN}"#);
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let method = ("mcp-method", "tools/call");
    let fine: &[Sent<'_>] = &[
        ("tools/call", call("a"), &[version, method, ("MCP-NAME", "a"), ("Accept", "x"), ("x_y", "z")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", " a\t")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "=?base64?YQ==?=")]),
        ("tools/call", call("é"), &[version, method, ("Mcp-Name", "=?base64?w6k=?=")]),
        ("tools/call", call("=?base64?YQ==?="), &[version, method, ("Mcp-Name", "=?base64?PT9iYXNlNjQ/WVE9PT89?=")]),
        ("tools/list", MODERN.into(), &[version, ("Mcp-Method", "tools/list")]),
        ("tools/list", MODERN.into(), &[version, ("Mcp-Method", "tools/list"), ("Mcp-Name", "whatever")]),
        (
            "resources/read",
            format!(r#""uri":"file:///a b",{MODERN}"#),
            &[version, ("Mcp-Method", "resources/read"), ("Mcp-Name", "file:///a b")],
        ),
        ("tasks/get", format!(r#""taskId":"t",{MODERN}"#), &[version, ("Mcp-Method", "tasks/get"), ("Mcp-Name", "t")]),
        ("tools/call", r#""name":"a""#.into(), &[]),
        ("tools/call", r#""name":"a""#.into(), &[("MCP-Protocol-Version", "2025-06-18")]),
        ("tools/call", r#""name":"a""#.into(), &[method, ("Mcp-Name", "a")]),
    ];
    for (name, params, headers) in fine {
        assert_eq!(judge(name, params, headers), Ok(()), "{name} {params} {headers:?}");
    }
    let bad: &[Sent<'_>] = &[
        ("tools/call", call("a"), &[]),
        ("tools/call", call("a"), &[method, ("Mcp-Name", "a")]),
        ("tools/call", call("a"), &[version, ("Mcp-Name", "a")]),
        ("tools/call", call("a"), &[version, method]),
        ("tools/call", call("a"), &[("MCP-Protocol-Version", "2025-11-25"), method, ("Mcp-Name", "a")]),
        ("tools/call", call("a"), &[version, version, method, ("Mcp-Name", "a")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "a"), ("mcp-name", "a")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "a"), ("mcp_method", "a")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "a"), ("Mcp_Param_X", "a")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "A")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "=?base64?YQ?=")]),
        ("tools/call", call("a"), &[version, method, ("Mcp-Name", "=?base64?/w==?=")]),
        ("tools/call", call("é"), &[version, method, ("Mcp-Name", "é")]),
        ("tools/call", r#""name":"a""#.into(), &[version]),
        ("tools/call", r#""name":"a""#.into(), &[("Mcp-Name", "b")]),
        ("tools/list", String::new(), &[("Mcp-Method", "tools/call")]),
    ];
    for (name, params, headers) in bad {
        assert!(judge(name, params, headers).is_err(), "{name} {params} {headers:?}");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for text in
        ["plain", "", "é", " a", "a ", "a\tb", "a\nb", "\u{7f}", "=?base64?YQ==?=", "=?base64?", "=?BASE64?YQ==?="]
    {
        let value = encode(text);
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(decode(value.as_bytes()).as_deref(), Some(text), "{value}");
    }
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"é",{MODERN}}}}}"#);
    let Ok(Body::One(Message::Request(request))) = parse_client(text.as_bytes()) else { panic!() };
    let written = write(&request);
    assert_eq!(written.len(), 3);
    assert_eq!(check(&request, written.iter().map(|(name, value)| (*name, value.as_bytes()))), Ok(()));
}

#[test]
fn declarations() {
    let table: &[(&str, Option<Paths<'_>>)] = &[
        (r#"{"type":"object"}"#, Some(&[])),
        (r#"{"properties":{"r":{"type":"string","x-mcp-header":"Region"}}}"#, Some(&[("Region", &["r"])])),
        (r#"{"properties":{"r":{"type":"string","x-mcp-\u0068eader":"Region"}}}"#, Some(&[("Region", &["r"])])),
        (
            r#"{"properties":{"o":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},"b":{"type":"boolean","x-mcp-header":"B"}}}"#,
            Some(&[("N", &["o", "n"]), ("B", &["b"])]),
        ),
        // A property that happens to be called so.
        (r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#, Some(&[])),
        (r#"{"properties":{"a":{"type":"string","default":{"x-mcp-header":"A"}}}}"#, Some(&[])),
        (r#"{"properties":{"a":{"type":"object","x-mcp-header":"A"}}}"#, None),
        (r#"{"properties":{"a":{"x-mcp-header":"A"}}}"#, None),
        (r#"{"properties":{"a":{"type":["string","null"],"x-mcp-header":"A"}}}"#, None),
        (r#"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#, None),
        (r#"{"properties":{"a":{"type":"string","x-mcp-header":"A B"}}}"#, None),
        (r#"{"properties":{"a":{"type":"string","x-mcp-header":"A\r\nB"}}}"#, None),
        (r#"{"properties":{"a":{"type":"string","x-mcp-header":1}}}"#, None),
        (r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#, None),
        (r#"{"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}}"#, None),
        (r#"{"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]}"#, None),
        (r#"{"$defs":{"d":{"type":"string","x-mcp-header":"A"}}}"#, None),
        (r#"{"x-mcp-header":"A"}"#, None),
    ];
    for (schema, expected) in table {
        let expected = expected.map(|declared| {
            let declared = declared.iter().map(|(header, path)| Declared {
                header: (*header).to_owned(),
                path: path.iter().map(|key| (*key).to_owned()).collect(),
            });
            declared.collect::<Vec<_>>()
        });
        assert_eq!(super::declared(schema).ok(), expected, "{schema}");
    }
}

#[test]
fn mirrored_arguments() {
    let schema = r#"{"properties":{"s":{"type":"string","x-mcp-header":"S"},"o":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},"b":{"type":"boolean","x-mcp-header":"B"}}}"#;
    let declared = declared(schema).unwrap();
    let judge = |arguments: Option<&str>, headers: &[(&str, &str)]| {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        check_params(&declared, arguments, headers).is_ok()
    };
    let full = Some(r#"{"s":"é","o":{"n":10},"b":true}"#);
    let table: &[(Option<&str>, Headers<'_>, bool)] = &[
        (full, &[("Mcp-Param-S", "=?base64?w6k=?="), ("mcp-param-n", "10"), ("MCP-PARAM-B", "true")], true),
        (full, &[("Mcp-Param-S", "=?base64?w6k=?="), ("mcp-param-n", "1.0e1"), ("MCP-PARAM-B", "true")], true),
        (full, &[("Mcp-Param-S", "=?base64?w6k=?="), ("mcp-param-n", "10"), ("MCP-PARAM-B", "True")], false),
        (full, &[("Mcp-Param-S", "=?base64?w6k=?="), ("mcp-param-n", "11"), ("MCP-PARAM-B", "true")], false),
        (full, &[("Mcp-Param-S", "=?base64?w6k=?="), ("mcp-param-n", "10")], false),
        (None, &[], true),
        (None, &[("Mcp-Param-Other", "x")], true),
        (None, &[("Mcp-Param-S", "x")], false),
        (Some(r#"{"s":null}"#), &[], true),
        (Some(r#"{"s":null}"#), &[("Mcp-Param-S", "null")], false),
        (Some(r#"{"s":"x"}"#), &[("Mcp-Param-S", "x")], true),
        (Some(r#"{"s":"x"}"#), &[("Mcp-Param-S", "x"), ("mcp-param-s", "x")], false),
        (Some(r#"{"s":"x"}"#), &[("Mcp-Param-S", "X")], false),
        (Some(r#"{"s":"x"}"#), &[], false),
        (Some(r#"{"s":["x"]}"#), &[], true),
        (Some(r#"{"s":["x"]}"#), &[("Mcp-Param-S", "x")], false),
    ];
    for (arguments, headers, expected) in table {
        assert_eq!(judge(*arguments, headers), *expected, "{arguments:?} {headers:?}");
    }
    let written = write_params(&declared, full).unwrap();
    assert_eq!(written.len(), 3);
    assert!(judge(full, &written.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>()));
    assert_eq!(write_params(&declared, Some(r#"{"s":null,"b":[1]}"#)).unwrap(), []);
}
