use std::time::{Duration, Instant};

use super::*;

fn compile(schema: &str) -> ToolSchema {
    ToolSchema::compile(schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn check(schema: &str, args: &str, closing: Closing, numbers: Numbers) -> Result<(), String> {
    let args = json::parse(args).unwrap();
    compile(schema).validate(&args, closing, numbers).map_err(|finding| finding.to_string())
}

fn checks(schema: &str, args: &str) -> bool {
    check(schema, args, Closing::Check, Numbers::Binary64).is_ok()
}

fn closes(schema: &str, args: &str) -> bool {
    check(schema, args, Closing::Closed, Numbers::Binary64).is_ok()
}

#[test]
fn closed() {
    let plain = r#"{"type":"object","properties":{"a":{},"b":{"type":"object","properties":{"c":{}}}}}"#;
    assert!(closes(plain, r#"{"a":1,"b":{"c":1,"d":2}}"#));
    assert!(!closes(plain, r#"{"a":1,"x":1}"#));
    assert!(checks(plain, r#"{"a":1,"x":1}"#));
    for (schema, key, expected) in [
        (r#"{"properties":{"a":{}},"additionalProperties":true}"#, "x", true),
        (r#"{"properties":{"a":{}},"additionalProperties":{}}"#, "x", true),
        (r#"{"properties":{"a":{}},"additionalProperties":{"type":"number"}}"#, "x", true),
        (r#"{"properties":{"a":{}},"additionalProperties":{"type":"string"}}"#, "x", false),
        (r#"{"properties":{"a":{}},"additionalProperties":false}"#, "x", false),
        (r#"{"properties":{"a":{}},"patternProperties":{"^x-":{}}}"#, "x-1", true),
        (r#"{"properties":{"a":{}},"patternProperties":{"^x-":{}}}"#, "y-1", false),
        (r#"{"properties":{}}"#, "x", false),
        (r#"{}"#, "x", false),
        (r#"{"allOf":[{"properties":{"x":{}}},{"properties":{"y":{}}}]}"#, "x", true),
        (r#"{"anyOf":[{"properties":{"x":{}}},{"properties":{"y":{}}}]}"#, "y", true),
        (r##"{"$ref":"#/$defs/in","$defs":{"in":{"properties":{"x":{}}}}}"##, "x", true),
        (r##"{"$ref":"#/$defs/in","$defs":{"in":{"properties":{"x":{}}}}}"##, "z", false),
        (r##"{"$ref":"#/$defs/in","$defs":{"in":{"additionalProperties":true}}}"##, "z", true),
        (r#"{"properties":{"a":{}},"anyOf":[{"additionalProperties":true},{"required":["a"]}]}"#, "z", false),
        (r#"{"properties":{"a":{}},"not":{"properties":{"x":{"type":"string"}}}}"#, "x", false),
        (r#"{"properties":{"a":{}},"if":{"required":["a"]},"then":{"properties":{"x":{}}}}"#, "x", true),
        (r#"{"$defs":{"other":{"properties":{"x":{}}}},"properties":{"a":{}}}"#, "x", false),
    ] {
        assert_eq!(closes(schema, &format!("{{\"{key}\":1}}")), expected, "{schema} {key}");
    }
    assert_eq!(
        check(plain, r#"{"a":1,"x\n":1}"#, Closing::Closed, Numbers::Binary64).unwrap_err(),
        "the argument `x\\n` is not declared by the schema"
    );
}

#[test]
fn what_is_declared() {
    let schema = compile(
        r#"{"properties":{"b":{"properties":{"inner":{}}},"a":{"items":{"properties":{"deep":{}}}}},
            "allOf":[{"properties":{"c":{}}}],"$defs":{"d":{"properties":{"e":{}}}}}"#,
    );
    assert!(schema.declares_properties());
    assert_eq!(schema.property_names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(schema.inner_property_names().collect::<Vec<_>>(), ["deep", "e", "inner"]);
    assert!(compile(r#"{"properties":{}}"#).declares_properties());
    assert!(!compile(r#"{"type":"object"}"#).declares_properties());
    assert!(!compile("true").declares_properties());
}

#[test]
fn numbers_that_do_not_survive() {
    let number = r#"{"properties":{"a":{"type":"number","maximum":100}}}"#;
    for (schema, args, binary64, exact) in [
        (number, r#"{"a":100}"#, true, true),
        (number, r#"{"a":100.0000000000000000001}"#, false, false),
        (number, r#"{"a":99.99999999999999999999}"#, false, true),
        // Not read by the schema.
        (number, r#"{"b":9007199254740993}"#, true, true),
        (r#"{"properties":{"a":{"description":"an id"}}}"#, r#"{"a":9007199254740993}"#, true, true),
        (r#"{"properties":{"a":{"type":"integer"}}}"#, r#"{"a":9007199254740993}"#, false, true),
        (r#"{"properties":{"a":{"type":"integer"}}}"#, r#"{"a":9007199254740992}"#, true, true),
        (r#"{"properties":{"a":{"type":"integer"}}}"#, r#"{"a":1.0}"#, true, true),
        (r#"{"properties":{"a":{"type":"integer"}}}"#, r#"{"a":99.99999999999999999999}"#, false, false),
        (r#"{"properties":{"a":{"const":9007199254740992}}}"#, r#"{"a":9007199254740993}"#, false, false),
        (r#"{"properties":{"a":{"enum":[[9007199254740992]]}}}"#, r#"{"a":[9007199254740993]}"#, false, false),
        (r#"{"properties":{"a":{"enum":[0.1, 2]}}}"#, r#"{"a":0.10}"#, true, true),
        (r#"{"properties":{"a":{"exclusiveMinimum":0}}}"#, r#"{"a":1e-400}"#, false, true),
        (r#"{"properties":{"a":{"multipleOf":1}}}"#, r#"{"a":1.00000000000000000000001}"#, false, false),
        (r#"{"properties":{"a":{"multipleOf":0.01}}}"#, r#"{"a":19.99}"#, true, true),
        (r#"{"properties":{"a":{"uniqueItems":true}}}"#, r#"{"a":[9007199254740993,9007199254740992]}"#, false, true),
        (r#"{"properties":{"a":{"uniqueItems":true}}}"#, r#"{"a":[1,1.0]}"#, false, false),
        (r#"{"properties":{"a":{"uniqueItems":true}}}"#, r#"{"a":[{"x":1,"y":"1"},{"y":"1","x":1e0}]}"#, false, false),
        (r#"{"properties":{"a":{"uniqueItems":true}}}"#, r#"{"a":[1,true,"1",[1],{"1":1}]}"#, true, true),
    ] {
        for (numbers, expected) in [(Numbers::Binary64, binary64), (Numbers::Exact, exact)] {
            let found = check(schema, args, Closing::Check, numbers);
            assert_eq!(found.is_ok(), expected, "{schema} {args} {numbers:?} {found:?}");
        }
    }
    let found =
        check(number, r#"{"b":{"c/d":[1,9007199254740993]},"a":9007199254740993}"#, Closing::Check, Numbers::Binary64);
    assert_eq!(found.unwrap_err(), "at `/a`, the number does not survive binary64");
}

#[test]
fn findings_name_the_place_and_no_value() {
    let schema = r#"{"type":"object","required":["to"],"properties":{"to":{"items":{"type":"string","minLength":2}},"n":{"maximum":9}}}"#;
    for (args, expected) in [
        (r#"{}"#, "\"to\" is a required property"),
        (r#"{"to":["ab",5]}"#, "at `/to/1`, the value is not of type \"string\""),
        (r#"{"to":["ab","secret","x"]}"#, "at `/to/2`, the value is shorter than 2 characters"),
        (r#"{"to":[],"n":77777}"#, "at `/n`, the value must be at most 9"),
    ] {
        assert_eq!(check(schema, args, Closing::Check, Numbers::Binary64).unwrap_err(), expected, "{args}");
    }
}

#[test]
fn dialects() {
    // `items` as an array is a tuple in draft 7 and no schema in 2020-12.
    let draft_7 =
        r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"items":[{"type":"string"}]}}}"#;
    assert!(!checks(draft_7, r#"{"a":[1]}"#));
    assert!(ToolSchema::compile(r#"{"properties":{"a":{"items":[{"type":"string"}]}}}"#).is_err());
    let draft_4 = r#"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"maximum":5,"exclusiveMaximum":true}}}"#;
    assert!(checks(draft_4, r#"{"a":4.9}"#));
    assert!(!checks(draft_4, r#"{"a":5}"#));
    assert!(checks(r#"{"properties":{"a":{"format":"email"},"b":{"format":"unheard-of"}}}"#, r#"{"a":"x","b":"y"}"#));
    let content = r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"contentMediaType":"application/json","contentEncoding":"base64"}}}"#;
    assert!(checks(content, r#"{"a":"no JSON"}"#));
    assert!(checks(r#"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, r#"{"type":"object"}"#));
    assert!(!checks(r#"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, r#"{"type":5}"#));
}

#[test]
fn what_does_not_compile() {
    let deep = |levels: usize| "{\"not\":".repeat(levels) + "{}" + &"}".repeat(levels);
    let many = |count: usize| format!("{{\"anyOf\":[{}]}}", vec!["{}"; count].join(","));
    for (what, schema) in [
        ("no JSON", "{".to_owned()),
        ("no schema", "5".to_owned()),
        ("an array", "[]".to_owned()),
        ("a duplicate key", r#"{"type":"object","type":"string"}"#.to_owned()),
        ("an unknown type", r#"{"type":"objekt"}"#.to_owned()),
        ("a remote reference", r#"{"$ref":"https://evil.test/schema.json"}"#.to_owned()),
        ("a file", r#"{"$ref":"file:///etc/passwd"}"#.to_owned()),
        ("a relative reference", r#"{"$ref":"other.json"}"#.to_owned()),
        ("a remote dialect", r#"{"$schema":"https://evil.test/schema"}"#.to_owned()),
        ("a reference to nothing", r##"{"$ref":"#/$defs/absent"}"##.to_owned()),
        ("an anchor of nothing", r##"{"$ref":"#absent"}"##.to_owned()),
        ("look-ahead", r#"{"properties":{"a":{"pattern":"^(?=a)b"}}}"#.to_owned()),
        ("a back-reference", r#"{"properties":{"a":{"pattern":"(a)\\1"}}}"#.to_owned()),
        ("a huge pattern", r#"{"properties":{"a":{"pattern":"((a{1,200}){1,200}){1,200}"}}}"#.to_owned()),
        ("many patterns", format!(r#"{{"anyOf":[{}]}}"#, vec![r#"{"pattern":"a"}"#; MAX_PATTERNS + 1].join(","))),
        ("large patterns", format!(r#"{{"anyOf":[{}]}}"#, vec![r#"{"pattern":"((ab){1,60}c){1,60}"}"#; 100].join(","))),
        ("look-ahead in a key", r#"{"patternProperties":{"^(?!a)":{}}}"#.to_owned()),
        ("depth", deep(MAX_DEPTH + 1)),
        ("number", many(MAX_SUBSCHEMAS)),
        ("size", format!(r#"{{"description":"{}"}}"#, "x".repeat(MAX_BYTES))),
        ("itself", r##"{"$ref":"#"}"##.to_owned()),
        (
            "itself by two steps",
            r##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#"}]}}}"##.to_owned(),
        ),
        ("itself by a dynamic reference", r##"{"$dynamicAnchor":"x","anyOf":[{"$dynamicRef":"#x"}]}"##.to_owned()),
        ("itself by its id", r#"{"$id":"https://a.test/b","allOf":[{"$ref":"https://a.test/b"}]}"#.to_owned()),
        ("itself by an escaped pointer", r##"{"allOf":[{"$ref":"#/%61llOf/0"}]}"##.to_owned()),
        ("many foreign references", format!(r#"{{"allOf":[{}]}}"#, vec![r#"{"$ref":"x.json"}"#; 17].join(","))),
        ("multiplication", doubling("allOf", 20)),
        ("multiplication by anyOf", doubling("anyOf", 14)),
    ] {
        let start = Instant::now();
        let error = ToolSchema::compile(&schema).err().unwrap_or_else(|| panic!("{what} compiles"));
        assert!(start.elapsed() < Duration::from_secs(2), "{what} took {:?}", start.elapsed());
        let text = error.to_string();
        assert!(!text.is_empty() && text.len() < 600, "{what}: {text}");
    }
    compile(&deep(MAX_DEPTH));
    compile(&many(MAX_SUBSCHEMAS - 1));
    compile(&doubling("allOf", 10));
}

/// `$defs` of which each applies the next one twice.
fn doubling(keyword: &str, levels: usize) -> String {
    let def = |level: usize| {
        let next = if level + 1 == levels {
            "{\"type\":\"object\"}".to_owned()
        } else {
            format!("{{\"$ref\":\"#/$defs/d{}\"}}", level + 1)
        };
        format!("\"d{level}\":{{\"{keyword}\":[{next},{next}]}}")
    };
    let defs: Vec<String> = (0..levels).map(def).collect();
    format!("{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{}}}}}", defs.join(","))
}

/// Parts of the value that are described by the next definition twice: harmless in number, huge when unrolled.
#[test]
fn references_below_are_not_unrolled() {
    let levels = 40;
    let defs: Vec<String> = (0..levels)
        .map(|level| {
            let next = format!("{{\"$ref\":\"#/$defs/d{}\"}}", level + 1);
            format!("\"d{level}\":{{\"properties\":{{\"a\":{next},\"b\":{next}}}}}")
        })
        .chain([format!("\"d{levels}\":{{\"type\":\"string\"}}")])
        .collect();
    let schema = format!("{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{}}}}}", defs.join(","));
    let start = Instant::now();
    let schema = compile(&schema);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let args = "{\"a\":".repeat(levels) + "5" + &"}".repeat(levels);
    let args = json::parse(&args).unwrap();
    assert!(schema.validate(&args, Closing::Check, Numbers::Binary64).is_err());
}

/// Twice into the same part, at every level of the arguments: each level doubles the work.
#[test]
fn work_that_grows_with_the_arguments_is_cut_short() {
    let twice = r##"{"$ref":"#"}"##;
    let schema = format!(
        r#"{{"type":"object","allOf":[{{"properties":{{"a":{{"not":{{"not":{twice}}}}}}}}},{{"properties":{{"a":{{"anyOf":[{{"type":"string"}},{twice}]}}}}}}]}}"#
    );
    let schema = compile(&schema);
    let args = "{\"a\":".repeat(100) + "5" + &"}".repeat(100);
    let args = json::parse(&args).unwrap();
    let start = Instant::now();
    assert!(schema.validate(&args, Closing::Check, Numbers::Binary64).is_err());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn usual_patterns_compile() {
    for pattern in [
        "^.{1,2000}$",
        r"[^\\s]{1,500}",
        r"^[\\w-]{1,128}$",
        r"^\\p{L}{1,100}$",
        r"^\\d{4}-\\d{2}-\\d{2}$",
        "^(?!)$|^[a-z]+$",
    ] {
        let compiled = ToolSchema::compile(&format!(r#"{{"properties":{{"a":{{"pattern":"{pattern}"}}}}}}"#));
        assert_eq!(compiled.is_ok(), !pattern.contains("(?!"), "{pattern} {:?}", compiled.err());
    }
    let dates: Vec<String> =
        (0..400).map(|n| format!(r#""d{n}":{{"pattern":"^\\d{{4}}-\\d{{2}}-\\d{{2}}$"}}"#)).collect();
    let dates = compile(&format!("{{\"properties\":{{{}}}}}", dates.join(",")));
    let finding = |args: &str| dates.validate(&json::parse(args).unwrap(), Closing::Check, Numbers::Binary64);
    assert_eq!(finding(r#"{"d7":"2026-01-05"}"#), Ok(()));
    assert!(finding(r#"{"d7":"2026-01-05T"}"#).is_err());
    let error = ToolSchema::compile(r#"{"properties":{"a":{"pattern":"(?=x)"}}}"#).unwrap_err().to_string();
    assert!(error.starts_with("the pattern at `/properties/a/pattern` does not compile"), "{error}");
}

#[test]
fn recursion_into_parts() {
    let tree = r##"{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["name"]}"##;
    assert!(checks(tree, r#"{"name":"a","children":[{"name":"b","children":[]},{"name":"c"}]}"#));
    assert!(!checks(tree, r#"{"name":"a","children":[{"name":"b","children":[{}]}]}"#));
}

#[test]
fn large_arguments_are_within_the_budget() {
    let schema = compile(
        r#"{"properties":{"rows":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer","minimum":0}}}}}}"#,
    );
    let rows = vec![r#"{"n":1}"#; 50_000].join(",");
    let args = format!("{{\"rows\":[{rows}]}}");
    let args = json::parse(&args).unwrap();
    assert_eq!(schema.validate(&args, Closing::Closed, Numbers::Binary64), Ok(()));
}

/// Cheap schemas, each harmless, on arguments that are long: what none of them looks at costs all the same.
#[test]
fn wide_schemas_on_long_arguments_are_cut_short() {
    let nothing = vec![r#"{"not":{"not":{"title":"x"}}}"#; 600].join(",");
    let wide = compile(&format!(r#"{{"items":{{"allOf":[{nothing}]}}}}"#));
    let unique = vec![r#"{"uniqueItems":true}"#; 1900].join(",");
    let unique = compile(&format!(r#"{{"allOf":[{unique}]}}"#));
    let pattern = vec![r#"{"pattern":"a.*b.*c"}"#; 450].join(",");
    let pattern = compile(&format!(r#"{{"items":{{"anyOf":[{pattern}]}}}}"#));
    let numbers = format!("[{}]", (0..200_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let text = format!("[\"{}\"]", "ab".repeat(500_000));
    for (schema, args) in [(&wide, &numbers), (&unique, &numbers), (&pattern, &text)] {
        let args = json::parse(args).unwrap();
        let start = Instant::now();
        let found = schema.validate(&args, Closing::Check, Numbers::Binary64).unwrap_err();
        assert_eq!(found.message, "holding them against the schema takes too much work");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
