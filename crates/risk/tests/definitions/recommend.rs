//! Every recommended policy is one that the product accepts, and does what its tests say.

use std::collections::BTreeSet;

use super::corpus::{own, public};
use policy::cases::run;
use policy::diagnostic::Code;
use policy::lint::Known;
use policy::{Class, Load, Numbers, ToolFacts, load};
use risk::recommend::{Bounds, Temper, recommend};
use risk::{Definition, Facet, assess};
use serde_json::{Value, json};

pub(super) fn bounds() -> Bounds {
    Bounds {
        domains: vec!["example.com".into()],
        roots: vec!["/srv/data".into()],
        hosts: vec!["*.example.com".into()],
        cap: Some(100),
    }
}

/// Loads a recommendation for one tool and runs its tests against the tool's own schema.
fn proven(line: &Value) {
    let definition = Definition::of(line);
    let found = assess(&definition);
    let schema = definition.schema.map(ToString::to_string);
    for temper in Temper::ALL {
        for bounds in [Bounds::default(), bounds()] {
            let recommended = recommend(&[(definition, found.clone())], temper, &bounds);
            let text = recommended.document.to_string();
            let loaded = load(&text, Load::default());
            // That this build holds no calls is said of every policy that asks.
            let findings: Vec<_> = loaded.diagnostics.iter().filter(|one| one.code != Code::ApprovalRefused).collect();
            assert!(findings.is_empty(), "{text}\n{findings:?}");
            let policy = loaded.policy.expect("a document without errors is a policy");
            let facts = ToolFacts {
                server: "local",
                name: definition.name,
                class: found.class,
                class_accepted: false,
                input_schema: schema.as_deref(),
                numbers: Numbers::default(),
            };
            let findings = policy.check(&Known { tools: Some(&[facts]), now: None });
            assert!(findings.is_empty(), "{text}\n{schema:?}\n{findings:?}");
            for outcome in run(&policy, &[facts]) {
                assert!(outcome.passed, "{text}\n{outcome:?}");
            }
            for reason in &recommended.reasons {
                assert!(recommended.document.pointer(&reason.pointer).is_some(), "{} is not in {text}", reason.pointer);
            }
        }
    }
}

#[test]
fn for_definitions_of_our_own() {
    own().iter().for_each(proven);
}

#[test]
fn for_every_public_definition() {
    let Some(all) = public("tools.jsonl.gz") else { return };
    // Twins of a name and a schema get the same policy.
    let mut seen = std::collections::HashSet::new();
    let all: Vec<&Value> =
        all.iter().filter(|line| seen.insert((line["name"].to_string(), line["input_schema"].to_string()))).collect();
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(2)) {
            scope.spawn(move || part.iter().for_each(|line| proven(line)));
        }
    });
}

#[test]
fn a_whole_server_in_one_document() {
    let lines = own();
    let tools: Vec<_> = lines.iter().map(Definition::of).map(|one| (one, assess(&one))).collect();
    for temper in Temper::ALL {
        let text = recommend(&tools, temper, &Bounds::default()).document.to_string();
        let loaded = load(&text, Load::default());
        assert!(loaded.policy.is_some(), "{:?}", loaded.diagnostics);
    }
}

#[test]
fn limits_are_those_of_the_first_pages() {
    for (line, max) in [
        (json!({ "name": "update_contact", "description": "Update a contact" }), 30),
        (json!({ "name": "forward_note", "description": "Forward a note to an email address" }), 10),
    ] {
        let definition = Definition::of(&line);
        let document = recommend(&[(definition, assess(&definition))], Temper::Balanced, &Bounds::default()).document;
        let limit = &document["tools"][definition.name]["limits"][0];
        let counter = format!("{}_rate", definition.name);
        assert_eq!(*limit, json!({ "counter": counter, "window": "minute", "max": max, "scope": "grant" }));
    }
}

/// What a recommendation makes of a call; empty when it is none of what a test can expect.
pub(super) fn judged(line: &Value, class: Class, temper: Temper, bounds: &Bounds, arguments: &Value) -> &'static str {
    let definition = Definition::of(line);
    let mut found = risk::Assessment { class, ..assess(&definition) };
    if class == Class::Execute {
        found.facets = vec![Facet::RunsCode];
    }
    let mut document = recommend(&[(definition, found)], temper, bounds).document;
    let outcomes = ["allow", "deny", "approval", "hide"];
    let call = |expect| json!({ "call": definition.name, "args": arguments, "expect": expect });
    let tests: Vec<Value> = outcomes.iter().map(call).collect();
    document.as_object_mut().expect("a policy is an object").insert("tests".into(), tests.into());
    let policy = load(&document.to_string(), Load::default()).policy.expect("a recommendation is a policy");
    let facts = ToolFacts {
        server: "local",
        name: definition.name,
        class,
        class_accepted: false,
        // The rules alone must refuse.
        input_schema: None,
        numbers: Numbers::default(),
    };
    let mut passed = run(&policy, &[facts]).into_iter().zip(outcomes).filter(|(outcome, _)| outcome.passed);
    passed.next().map(|(_, expect)| expect).unwrap_or_default()
}

fn tool(name: &str, properties: Value, required: &[&str]) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object", "properties": properties, "required": required } })
}

/// Nothing known: what is refused, and what passes.
#[test]
fn arguments_are_bounded_wherever_they_lie() {
    let text = || json!({ "type": "string" });
    let inner = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let secret = "/home/ann/.ssh/id_rsa";
    let inside = "http://169.254.169.254/latest/";
    let outside = "https://example.com/a";
    let mut referring = tool("read", json!({ "request": { "$ref": "#/$defs/Request" } }), &["request"]);
    referring["inputSchema"]["$defs"] = json!({
        "Request": inner(json!({ "target": { "allOf": [{ "$ref": "#/$defs/Target" }], "description": "Where" } }), &["target"]),
        "Target": inner(json!({ "url": text() }), &["url"]),
    });
    let mut recursive = tool("read", json!({ "tree": { "$ref": "#/definitions/Tree" } }), &[]);
    recursive["inputSchema"]["definitions"] = json!({ "Tree": inner(json!({ "path": text(), "children": list(json!({ "$ref": "#/definitions/Tree" })) }), &[]) });
    let table = [
        (
            tool("read", json!({ "url": text() }), &["url"]),
            vec![
                json!({ "url": inside }),
                json!({ "url": "http://localhost./" }),
                json!({ "url": "http://0177.0.0.1/" }),
                json!({ "url": "http://１２７.0.0.1/" }),
                json!({ "url": "http://example.com@localhost/" }),
                json!({ "url": "http://example.com\\@localhost/" }),
                json!({ "url": "http://[::ffff:127.0.0.1]/" }),
                json!({ "url": "http://127.0.0.1.nip.io/" }),
                json!({ "url": "file:///etc/passwd" }),
            ],
            vec![json!({ "url": outside }), json!({ "url": "http://[2606:4700::1111]:8080/" })],
        ),
        (
            tool("read", json!({ "path": text() }), &["path"]),
            vec![
                json!({ "path": secret }),
                json!({ "path": "/home/ann/.SSH/" }),
                json!({ "path": "/home/ann//.ssh//x" }),
                json!({ "path": "/home/ann/%2essh/x" }),
                json!({ "path": "/home/ann/.ｓｓｈ/x" }),
                json!({ "path": "C:\\Users\\ann\\.aws\\x" }),
                json!({ "path": "a/../../x" }),
            ],
            vec![json!({ "path": "/home/ann/work/x.rs" }), json!({ "path": "src/x.rs" }), json!({ "path": "." })],
        ),
        (
            tool("read", json!({ "request": inner(json!({ "url": text() }), &["url"]) }), &["request"]),
            vec![json!({ "request": { "url": inside } })],
            vec![json!({ "request": { "url": outside } })],
        ),
        (
            tool("read", json!({ "files": list(inner(json!({ "path": text(), "note": text() }), &[])) }), &[]),
            vec![json!({ "files": [{ "path": "a" }, { "path": secret }] }), json!({ "files": [{ "path": secret }] })],
            vec![json!({}), json!({ "files": [] }), json!({ "files": [{ "note": "x" }, { "path": "a" }] })],
        ),
        (
            tool("read", json!({ "a": inner(json!({ "b": inner(json!({ "urls": list(text()) }), &[]) }), &[]) }), &[]),
            vec![json!({ "a": { "b": { "urls": [outside, inside] } } })],
            vec![
                json!({}),
                json!({ "a": {} }),
                json!({ "a": { "b": {} } }),
                json!({ "a": { "b": { "urls": [outside] } } }),
            ],
        ),
        (
            referring,
            vec![json!({ "request": { "target": { "url": inside } } })],
            vec![json!({ "request": { "target": { "url": outside } } })],
        ),
        (
            recursive,
            vec![
                json!({ "tree": { "path": secret } }),
                json!({ "tree": { "children": [{ "path": secret }] } }),
                json!({ "tree": { "children": [{ "children": [{ "children": [{ "children": [{ "path": "a" }] }] }] }] } }),
            ],
            vec![json!({}), json!({ "tree": { "path": "a", "children": [{ "path": "b", "children": [] }] } })],
        ),
        (
            tool("read", json!({ "path": {} }), &[]),
            vec![json!({ "path": secret }), json!({ "path": ["a", secret] }), json!({ "path": { "x": secret } })],
            vec![
                json!({}),
                json!({ "path": "a" }),
                json!({ "path": ["a", "b"] }),
                json!({ "path": true }),
                json!({ "path": 1 }),
            ],
        ),
        (
            tool("read", json!({ "url": { "anyOf": [text(), list(text()), { "type": "null" }] } }), &[]),
            vec![json!({ "url": inside }), json!({ "url": [outside, inside] })],
            vec![json!({}), json!({ "url": null }), json!({ "url": outside }), json!({ "url": [outside] })],
        ),
        (
            tool(
                "read",
                json!({ "file": { "oneOf": [text(), inner(json!({ "path": text() }), &["path"])] } }),
                &["file"],
            ),
            vec![json!({ "file": secret }), json!({ "file": { "path": secret } })],
            vec![json!({ "file": "a" }), json!({ "file": { "path": "a" } })],
        ),
        (
            tool("read", json!({ "options": { "type": ["object", "null"], "properties": { "url": text() } } }), &[]),
            vec![json!({ "options": { "url": inside } })],
            vec![json!({}), json!({ "options": null }), json!({ "options": { "url": outside } })],
        ),
        (
            tool("read", json!({ "path": { "type": "object" }, "url": { "type": "array" } }), &[]),
            vec![json!({ "path": { "x": secret } }), json!({ "url": [inside] }), json!({ "url": [{ "x": inside }] })],
            vec![json!({}), json!({ "url": [outside] })],
        ),
        (
            tool("read", json!({ "sql": text() }), &["sql"]),
            vec![
                json!({ "sql": "DROP TABLE a" }),
                json!({ "sql": "select 1; drop table a" }),
                json!({ "sql": "/**/delete from a" }),
            ],
            vec![json!({ "sql": "select * from a" }), json!({ "sql": " WITH b AS (SELECT 1) SELECT * FROM b;" })],
        ),
        (
            tool("run_mysql", json!({ "query": text() }), &["query"]),
            vec![json!({ "query": "DROP TABLE a" })],
            vec![json!({ "query": "show tables" })],
        ),
        (
            tool("run", json!({ "query": { "type": "string", "description": "The SQL query to run." } }), &["query"]),
            vec![json!({ "query": "DROP TABLE a" })],
            vec![json!({ "query": "select 1" })],
        ),
        (
            tool("run", json!({ "query": { "type": "string", "description": "A GraphQL query." } }), &["query"]),
            vec![],
            vec![json!({ "query": "mutation { a }" })],
        ),
    ];
    for (line, refused, pass) in table {
        for (arguments, expected) in
            refused.iter().map(|one| (one, "deny")).chain(pass.iter().map(|one| (one, "allow")))
        {
            let found = judged(&line, Class::Read, Temper::Balanced, &Bounds::default(), arguments);
            assert_eq!(found, expected, "{line} {arguments}");
        }
    }
}

#[test]
fn schemas_that_contain_themselves_end() {
    let lists = json!({ "type": "array", "items": { "$ref": "#/properties/path" } });
    let wide: Value = (0..100)
        .map(|index| (format!("path_{index}"), json!({ "$ref": "#" })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (line, expected) in [
        (tool("read", json!({ "path": lists }), &[]), "allow"),
        (tool("read", json!({ "path": { "$ref": "#/properties/path" } }), &[]), "allow"),
        (tool("read", wide, &[]), "approval"),
    ] {
        let found = judged(&line, Class::Read, Temper::Balanced, &Bounds::default(), &json!({}));
        assert_eq!(found, expected, "{}", line["name"]);
    }
}

#[test]
fn bounds_of_the_operator_hold_wherever_arguments_lie() {
    let line = tool(
        "move_file",
        json!({
            "source": { "type": "string" },
            "destination": { "type": ["string", "null"] },
            "path": { "anyOf": [{ "type": "string" }, { "type": "null" }], "default": null },
            "files": { "type": "array", "items": { "type": "object", "properties": { "path": { "type": "string" } } } },
            "request": { "type": "object", "properties": { "url": { "type": "string" } } },
        }),
        &[],
    );
    let bounds = Bounds { roots: vec!["/srv/data".into(), "/srv/more".into()], ..bounds() };
    for (arguments, expected) in [
        (json!({}), "allow"),
        (json!({ "source": "/srv/data/a", "destination": null, "path": "/srv/more/b" }), "allow"),
        (json!({ "files": [{ "path": "/srv/data/a" }, { "path": "/srv/more/b" }, {}] }), "allow"),
        (json!({ "request": { "url": "https://a.example.com/" } }), "allow"),
        (json!({ "source": "/etc/passwd" }), "deny"),
        (json!({ "destination": "/srv/data/../x" }), "deny"),
        (json!({ "path": "x" }), "deny"),
        (json!({ "files": [{ "path": "/srv/data/a" }, { "path": "/srv/other/b" }] }), "deny"),
        (json!({ "request": { "url": "https://example.net/" } }), "deny"),
    ] {
        assert_eq!(judged(&line, Class::Write, Temper::Balanced, &bounds, &arguments), expected, "{arguments}");
    }
}

#[test]
fn locked_down_asks_where_the_operator_said_nothing() {
    let path = tool("read", json!({ "path": { "type": "string" } }), &["path"]);
    let url = tool("read", json!({ "request": { "properties": { "url": { "type": "string" } } } }), &["request"]);
    let hidden = tool("read", json!({ "path": { "type": "object" } }), &[]);
    for (line, arguments, option) in [
        (&path, json!({ "path": "a" }), "--root"),
        (&url, json!({ "request": { "url": "https://a.example.com/" } }), "--host"),
        (&hidden, json!({}), "--root"),
    ] {
        assert_eq!(judged(line, Class::Read, Temper::LockedDown, &Bounds::default(), &arguments), "approval", "{line}");
        assert_eq!(judged(line, Class::Read, Temper::Balanced, &Bounds::default(), &arguments), "allow", "{line}");
        let definition = Definition::of(line);
        let found = risk::Assessment { class: Class::Read, facets: Vec::new(), ..assess(&definition) };
        let document = recommend(&[(definition, found)], Temper::LockedDown, &Bounds::default()).document;
        assert!(document["tools"]["read"]["reason"].to_string().contains(option), "{document}");
    }
    let inside = json!({ "path": "/srv/data/a" });
    assert_eq!(judged(&path, Class::Read, Temper::LockedDown, &bounds(), &inside), "allow");
}

#[test]
fn a_person_reads_programs_before_they_run() {
    let shell = tool("run", json!({ "command": { "type": "string" } }), &["command"]);
    let build = tool("build", json!({ "target": { "type": "string" } }), &[]);
    let ask =
        |line: &Value, arguments: &Value| judged(line, Class::Execute, Temper::Balanced, &Bounds::default(), arguments);
    assert_eq!(ask(&shell, &json!({ "command": "ls" })), "approval");
    assert_eq!(ask(&build, &json!({ "target": "all" })), "allow");
    let query = tool("query", json!({ "sql": { "type": "string" } }), &["sql"]);
    assert_eq!(ask(&query, &json!({ "sql": "select 1" })), "allow");
    assert_eq!(ask(&query, &json!({ "sql": "with a as (delete from b returning *) select * from a" })), "deny");
}

#[test]
fn names_that_read_as_patterns_are_left_out_and_said() {
    let line = json!({ "name": "get_*" });
    let definition = Definition::of(&line);
    let recommended = recommend(&[(definition, assess(&definition))], Temper::Balanced, &Bounds::default());
    assert_eq!(recommended.unnamed, ["get_*"]);
    assert_eq!(recommended.document["tools"], json!({}));
}

#[test]
fn names_of_any_length() {
    for length in [120, 128, 129, 250, 255, 256, 257, 10_000] {
        let long = |begin: &str| format!("{begin}{}", "ä".repeat(length - begin.len()));
        let first = json!({ "name": long("delete_"), "description": "Deletes a file", "inputSchema": {
            "properties": { "path": {}, "url": {}, "sql": {}, long("to_email_"): { "format": "email" }, long("file_path_"): {} } } });
        if length <= 256 {
            proven(&first);
        }
        let second = json!({ "name": long("send_"), "description": "Sends a mail" });
        let third = json!({ "name": format!("{}x", long("send_")), "description": "Sends a mail" });
        let tools: Vec<_> = [&first, &second, &third].map(Definition::of).map(|one| (one, assess(&one))).to_vec();
        let recommended = recommend(&tools, Temper::Balanced, &bounds());
        let named = match length {
            ..256 => 3,
            256 => 2,
            _ => 0,
        };
        assert_eq!(recommended.document["tools"].as_object().unwrap().len(), named, "{length}");
        assert_eq!(recommended.unnamed.len(), 3 - named);
        let text = recommended.document.to_string();
        assert!(load(&text, Load::default()).policy.is_some(), "{text}");
        let rules = recommended.document["tools"].as_object().unwrap();
        let counters: BTreeSet<_> = rules.values().filter_map(|rule| rule["limits"][0]["counter"].as_str()).collect();
        assert!(counters.len() >= named.min(2), "{counters:?}");
    }
}
