//! Every operator: true, false, undecidable. And what it does not compile.

use serde_json::{Value, json};

use crate::support::{deny_if, require, try_condition};

const T: Option<bool> = Some(true);
const F: Option<bool> = Some(false);
const U: Option<bool> = None;

/// Judges `{ "x": … }` by one operator.
fn table(op: &str, rows: &[(Value, &str, Option<bool>)]) {
    for (value, x, expected) in rows {
        let test = json!({ "path": "args.x", "op": op, "value": value });
        let args = format!("{{\"x\":{x}}}");
        assert_eq!(require(&test, &args), *expected, "{x} {op} {value}");
        assert_eq!(deny_if(&test, &args), *expected, "{x} {op} {value} in deny_if");
        let negated = json!({ "not": test });
        assert_eq!(require(&negated, &args), expected.map(|truth| !truth), "not {x} {op} {value}");
    }
}

#[test]
fn eq_and_neq() {
    let rows = [
        (json!("a"), "\"a\"", T),
        (json!("a"), "\"A\"", F),
        (json!("é"), "\"e\\u0301\"", F),
        (json!("1"), "1", U),
        (json!(1), "\"1\"", U),
        (json!(1), "1", T),
        (json!(1), "1.0", T),
        (json!(1), "10e-1", T),
        (json!(0), "-0.0", T),
        (json!(1), "true", U),
        (json!(0), "false", U),
        (json!(0), "null", U),
        (json!("a"), "null", U),
        (json!(null), "null", T),
        (json!(null), "\"a\"", F),
        (json!(null), "0", F),
        (json!(true), "true", T),
        (json!(true), "false", F),
        (json!(0.1), "0.1", T),
        (json!(0.1), "0.10000000000000001", U),
        (json!(9_007_199_254_740_992_u64), "9007199254740993", U),
        (json!(9_007_199_254_740_992_u64), "9007199254740992", T),
        (json!([]), "[]", T),
        (json!([1, "a"]), "[1.0,\"a\"]", T),
        (json!([1, "a"]), "[1]", F),
        (json!([1, "a"]), "[2,1]", F),
        (json!([1, "a"]), "[1,1]", U),
        (json!([1, null]), "[1,\"x\"]", F),
        (json!([]), "{}", U),
        (json!({}), "{}", T),
        (json!({ "a": 1, "b": [2] }), "{\"b\":[2],\"a\":1e0}", T),
        (json!({ "a": 1 }), "{\"a\":2}", F),
        (json!({ "a": 1 }), "{\"b\":1}", F),
        (json!({ "a": 1 }), "{\"a\":\"1\"}", U),
        (json!({ "a": 1 }), "{\"a\":1,\"b\":2}", F),
    ];
    table("eq", &rows);
    table("neq", &rows.map(|(value, x, truth)| (value, x, truth.map(|truth| !truth))));
}

#[test]
fn in_and_not_in() {
    let rows = [
        (json!(["a", "b"]), "\"b\"", T),
        (json!(["a", "b"]), "\"c\"", F),
        (json!(["a", "b"]), "1", U),
        (json!(["a", "b"]), "null", U),
        (json!(["a", null]), "null", T),
        (json!(["a", null]), "\"a\"", T),
        (json!(["a", null]), "\"b\"", F),
        (json!([1, 2]), "2.0", T),
        (json!([1, 2]), "\"2\"", U),
        // Equal to one of them is enough; unequal to what cannot be compared is not.
        (json!(["a", 1]), "\"a\"", T),
        (json!(["a", 1]), "\"b\"", U),
        (json!([]), "\"a\"", F),
        (json!([[1], [2]]), "[2]", T),
    ];
    table("in", &rows);
    table("not_in", &rows.map(|(value, x, truth)| (value, x, truth.map(|truth| !truth))));
}

#[test]
fn order() {
    for (x, lt, lte, gt, gte) in [
        ("99", T, T, F, F),
        ("100", F, T, F, T),
        ("1e2", F, T, F, T),
        ("100.01", F, F, T, T),
        ("99.99", T, T, F, F),
        ("-1e300", T, T, F, F),
        ("1e300", F, F, T, T),
        ("1e-300", T, T, F, F),
        ("100.0000000000000000001", U, U, U, U),
        ("9007199254740993", U, U, U, U),
        ("\"99\"", U, U, U, U),
        ("\"\"", U, U, U, U),
        ("null", U, U, U, U),
        ("true", U, U, U, U),
        ("[99]", U, U, U, U),
        ("{}", U, U, U, U),
        ("\"2026-01-05T12:00:00Z\"", U, U, U, U),
    ] {
        for (op, expected) in [("lt", lt), ("lte", lte), ("gt", gt), ("gte", gte)] {
            table(op, &[(json!(100), x, expected)]);
        }
    }
    for (x, lt, gte) in [
        ("\"2026-01-05T11:59:59.999999999Z\"", T, F),
        ("\"2026-01-05T12:00:00Z\"", F, T),
        ("\"2026-01-05T13:00:00+01:00\"", F, T),
        ("\"2026-01-05T13:00:00+02:00\"", T, F),
        ("\"2026-01-05T12:00:00\"", U, U),
        ("\"2026-01-05\"", U, U),
        ("\"tomorrow\"", U, U),
        ("1767614400", U, U),
    ] {
        table("lt", &[(json!("2026-01-05T12:00:00Z"), x, lt)]);
        table("gte", &[(json!("2026-01-05T12:00:00Z"), x, gte)]);
    }
}

#[test]
fn expressions() {
    table(
        "regex",
        &[
            (json!("ab"), "\"xabx\"", T),
            (json!("^ab$"), "\"ab\"", T),
            (json!("^ab$"), "\"ab\\n\"", F),
            (json!("(?i)AB"), "\"xab\"", T),
            (json!("ab"), "\"AB\"", F),
            (json!(""), "\"\"", T),
            (json!("1"), "1", U),
            (json!("null"), "null", U),
            (json!("a"), "[\"a\"]", U),
        ],
    );
    table(
        "matches",
        &[
            (json!("ab"), "\"ab\"", T),
            (json!("ab"), "\"xab\"", F),
            (json!("ab"), "\"ab\\n\"", F),
            (json!("a|ab"), "\"ab\"", T),
            (json!("a|b"), "\"xb\"", F),
            (json!("(?i)ab"), "\"AB\"", T),
            (json!("(?m)^a$"), "\"a\\na\"", F),
            (json!("(?x) a b # comment"), "\"ab\"", T),
            (json!("(?x) a b # comment"), "\"abc\"", F),
            (json!(".*"), "\"a\\nb\"", F),
            (json!("(?s).*"), "\"a\\nb\"", T),
            (json!("[0-9]+"), "12", U),
        ],
    );
}

#[test]
fn parts() {
    table(
        "contains",
        &[
            (json!("b"), "\"abc\"", T),
            (json!("B"), "\"abc\"", F),
            (json!(""), "\"\"", T),
            (json!(1), "\"1\"", U),
            (json!("a"), "[\"b\",\"a\"]", T),
            (json!("a"), "[\"b\"]", F),
            (json!("a"), "[]", F),
            (json!("a"), "[1]", U),
            (json!("a"), "[1,\"a\"]", T),
            (json!(1), "[1.0]", T),
            (json!(null), "[1]", F),
            (json!([1]), "[[1]]", T),
            (json!("a"), "{\"a\":1}", U),
            (json!("a"), "null", U),
            (json!("1"), "1", U),
        ],
    );
    table(
        "starts_with",
        &[
            (json!("ab"), "\"abc\"", T),
            (json!("ab"), "\"a\"", F),
            (json!("ab"), "\"ABC\"", F),
            (json!([1, 2]), "[1,2.0,3]", T),
            (json!([1, 2]), "[1]", F),
            (json!([1]), "[\"1\",2]", U),
            (json!([]), "[]", T),
            (json!("a"), "[\"a\"]", U),
            (json!(["a"]), "\"a\"", U),
            (json!("1"), "12", U),
        ],
    );
    table(
        "ends_with",
        &[
            (json!("bc"), "\"abc\"", T),
            (json!("ab"), "\"abc\"", F),
            (json!([2, 3]), "[1,2,3]", T),
            (json!([3, 2]), "[1,2,3]", F),
            (json!("2"), "12", U),
            (json!("x"), "null", U),
        ],
    );
}

#[test]
fn ignoring_case() {
    for (op, value, x, expected) in [
        ("eq", json!("Straße"), "\"STRAßE\"", T),
        ("eq", json!("strasse"), "\"STRAßE\"", F),
        ("eq", json!("k"), "\"\\u212a\"", T),
        ("neq", json!("DELETE"), "\"delete\"", F),
        ("in", json!(["usd", "eur"]), "\"EUR\"", T),
        ("not_in", json!(["usd", "eur"]), "\"EUR\"", F),
        ("contains", json!("drop TABLE"), "\"x; Drop Table y\"", T),
        ("contains", json!("A"), "[\"b\",\"a\"]", T),
        ("starts_with", json!("HTTPS"), "\"https://\"", T),
        ("ends_with", json!(".PDF"), "\"a.pdf\"", T),
        ("ends_with", json!([".PDF"]), "[\".pdf\"]", T),
        ("eq", json!({ "K": "V" }), "{\"K\":\"v\"}", T),
        ("eq", json!({ "K": "V" }), "{\"k\":\"V\"}", F),
        ("eq", json!("1"), "1", U),
    ] {
        let test = json!({ "path": "args.x", "op": op, "value": value, "ignore_case": true });
        assert_eq!(require(&test, &format!("{{\"x\":{x}}}")), expected, "{op} {value} {x}");
    }
}

#[test]
fn presence() {
    let exists = |value: bool| json!({ "path": "args.x", "op": "exists", "value": value });
    for (args, expected) in [
        ("{\"x\":1}", T),
        ("{\"x\":\"\"}", T),
        ("{\"x\":false}", T),
        ("{\"x\":9007199254740993}", T),
        ("{\"x\":null}", F),
        ("{}", F),
        ("{\"X\":1}", F),
    ] {
        assert_eq!(require(&exists(true), args), expected, "{args}");
        assert_eq!(require(&exists(false), args), expected.map(|truth| !truth), "{args}");
    }
}

#[test]
fn lengths() {
    for (x, lt, lte, gt, gte) in [
        ("\"abc\"", F, T, F, T),
        ("\"ab\"", T, T, F, F),
        ("\"éé💥\"", F, T, F, T),
        ("\"e\\u0301\"", T, T, F, F),
        ("[1,2,3,4]", F, F, T, T),
        ("[]", T, T, F, F),
        ("{\"a\":1}", U, U, U, U),
        ("123", U, U, U, U),
        ("null", U, U, U, U),
    ] {
        for (op, expected) in [("length_lt", lt), ("length_lte", lte), ("length_gt", gt), ("length_gte", gte)] {
            table(op, &[(json!(3), x, expected)]);
        }
    }
}

#[test]
fn types() {
    let names = ["null", "boolean", "number", "integer", "string", "array", "object"];
    for (x, is) in [
        ("null", vec!["null"]),
        ("true", vec!["boolean"]),
        ("1", vec!["number", "integer"]),
        ("1.0", vec!["number", "integer"]),
        ("1e2", vec!["number", "integer"]),
        ("1.5", vec!["number"]),
        ("\"1\"", vec!["string"]),
        ("[]", vec!["array"]),
        ("{}", vec!["object"]),
    ] {
        for name in names {
            table("type", &[(json!(name), x, Some(is.contains(&name)))]);
        }
    }
    // A reader with binary64 sees the whole number 100 here.
    table("type", &[(json!("integer"), "99.99999999999999999999", U), (json!("number"), "99.99999999999999999999", T)]);
}

#[test]
fn text_operators() {
    table(
        "within",
        &[
            (json!("/srv/data"), "\"/srv/data/x\"", T),
            (json!("/srv/data"), "\"/srv/data\"", F),
            (json!("/srv/data"), "\"/srv/data/../x\"", U),
            (json!("/srv/data"), "[\"/srv/data/x\"]", U),
            (json!("/srv/data"), "null", U),
        ],
    );
    table(
        "url_host_in",
        &[
            (json!(["example.com", "*.example.org"]), "\"https://example.com/x\"", T),
            (json!(["example.com", "*.example.org"]), "\"http://A.example.org:8080\"", T),
            (json!(["example.com", "*.example.org"]), "\"https://example.org/\"", F),
            (json!(["example.com"]), "\"https://example.com.evil.test/\"", F),
            (json!(["example.com"]), "\"https://example.com@evil.test/\"", U),
            (json!(["example.com"]), "\"ftp://example.com/\"", U),
            (json!(["example.com"]), "\"example.com\"", U),
            (json!(["example.com"]), "1", U),
            (json!([]), "\"https://example.com\"", F),
        ],
    );
    let public = [
        ("\"https://example.com/x\"", T),
        ("\"https://8.8.8.8:8443/\"", T),
        ("\"https://[2606:4700:4700::1111]/\"", T),
        ("\"http://localhost./\"", F),
        ("\"http://169.254.169.254/latest/meta-data/\"", F),
        ("\"http://[::1]/\"", F),
        ("\"http://printer/\"", F),
        ("\"http://[::ffff:127.0.0.1]/\"", U),
        ("\"http://127.0.0.1.nip.io/\"", U),
        ("\"http://0177.0.0.1/\"", U),
        ("\"http://user@example.com/\"", U),
        ("\"file:///etc/passwd\"", U),
        ("\"example.com\"", U),
        ("1", U),
        ("null", U),
    ];
    table("url_public", &public.map(|(x, truth)| (json!(true), x, truth)));
    table("url_public", &public.map(|(x, truth)| (json!(false), x, truth.map(|truth| !truth))));
    let secret = [
        ("\"/home/ann/.ssh/id_rsa\"", T),
        ("\"C:\\\\Users\\\\ann\\\\.AWS\"", T),
        ("\"src/main.rs\"", F),
        ("\"../x\"", U),
        ("\"%2essh\"", U),
        ("[\".ssh\"]", U),
        ("null", U),
    ];
    table("path_secret", &secret.map(|(x, truth)| (json!(true), x, truth)));
    table("path_secret", &secret.map(|(x, truth)| (json!(false), x, truth.map(|truth| !truth))));
    let sql = [
        ("\"select 1\"", T),
        ("\"SELECT ';' ;\"", T),
        ("\"drop table t\"", F),
        ("\"select 1; select 2\"", F),
        ("\"\"", F),
        ("\"select 'a\"", U),
        ("\"select '\\\\'\"", U),
        ("[\"select 1\"]", U),
        ("null", U),
    ];
    table("sql_reads", &sql.map(|(x, truth)| (json!(true), x, truth)));
    table("sql_reads", &sql.map(|(x, truth)| (json!(false), x, truth.map(|truth| !truth))));
    table(
        "email_domain_in",
        &[
            (json!(["example.com", "*.example.org"]), "\"a@example.com\"", T),
            (json!(["example.com", "*.example.org"]), "\"a@b.example.org\"", T),
            (json!(["example.com"]), "\"a@sub.example.com\"", F),
            (json!(["example.com"]), "\"a@evil.test\"", F),
            (json!(["example.com"]), "\"a@evil.test,b@example.com\"", U),
            (json!(["example.com"]), "[\"a@example.com\"]", U),
        ],
    );
    table(
        "cidr",
        &[
            (json!(["10.0.0.0/8", "2001:db8::/32"]), "\"10.2.3.4\"", T),
            (json!(["10.0.0.0/8", "2001:db8::/32"]), "\"2001:db8::1\"", T),
            (json!(["10.0.0.0/8"]), "\"11.0.0.1\"", F),
            (json!(["10.0.0.0/8"]), "\"010.0.0.1\"", U),
            (json!(["10.0.0.0/8"]), "\"::ffff:10.0.0.1\"", U),
            (json!(["10.0.0.0/8"]), "167772161", U),
        ],
    );
}

#[test]
fn ports_and_schemes() {
    let test = |op: &str, value: Value, extra: &Value| {
        let mut test = json!({ "path": "args.x", "op": op, "value": value });
        test.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        test
    };
    for (extra, url, expected) in [
        (json!({ "ports": [443] }), "https://example.com/", T),
        (json!({ "ports": [443] }), "http://example.com/", F),
        (json!({ "ports": [443] }), "http://example.com:443/", T),
        (json!({ "ports": [443, 8443] }), "https://example.com:8443/", T),
        (json!({ "ports": [443] }), "https://example.com:0443/", U),
        (json!({ "schemes": ["WSS"] }), "wss://example.com/", T),
        (json!({ "schemes": ["wss"] }), "https://example.com/", U),
        (json!({ "schemes": ["wss"], "ports": [443] }), "wss://example.com/", U),
        (json!({ "schemes": ["wss"], "ports": [443] }), "wss://example.com:443/", T),
    ] {
        for test in [test("url_host_in", json!(["example.com"]), &extra), test("url_public", json!(true), &extra)] {
            assert_eq!(require(&test, &json!({ "x": url }).to_string()), expected, "{test} {url}");
        }
    }
}

#[test]
fn what_does_not_compile() {
    for (path, op, value) in [
        ("args.x", "in", json!("a")),
        ("args.x", "lt", json!("abc")),
        ("args.x", "lt", json!("100")),
        ("args.x", "lt", json!(null)),
        ("args.x", "gte", json!("2026-01-05")),
        ("args.x", "regex", json!(1)),
        ("args.x", "regex", json!("(")),
        ("args.x", "regex", json!("a)|(b")),
        ("args.x", "matches", json!("a)|(b")),
        ("args.x", "regex", json!("(?=a)")),
        ("args.x", "regex", json!("(a)\\1")),
        ("args.x", "regex", json!("((((a{1,100}){1,100}){1,100}){1,100})")),
        ("args.x", "regex", json!("(".repeat(200) + &")".repeat(200))),
        ("args.x", "regex", json!("a".repeat(5000))),
        ("args.x", "exists", json!("yes")),
        ("args.x", "starts_with", json!(1)),
        ("args.x", "length_lt", json!("3")),
        ("args.x", "length_lt", json!(-1)),
        ("args.x", "length_lt", json!(1.5)),
        ("args.x", "type", json!("int")),
        ("args.x", "type", json!(1)),
        ("args.x", "within", json!("relative")),
        ("args.x", "within", json!("/a/../b")),
        ("args.x", "within", json!(["/a"])),
        ("args.x", "url_host_in", json!("example.com")),
        ("args.x", "url_host_in", json!(["https://example.com"])),
        ("args.x", "url_host_in", json!([1])),
        ("args.x", "url_public", json!("true")),
        ("args.x", "url_public", json!({ "path": "args.y" })),
        ("args.x", "path_secret", json!(null)),
        ("args.x", "sql_reads", json!("true")),
        ("args.x", "sql_reads", json!({ "path": "args.y" })),
        ("args.x", "path_secret", json!({ "path": "args.y" })),
        ("args.x", "email_domain_in", json!(["a@b"])),
        ("args.x", "cidr", json!(["10.0.0.1/8"])),
        ("args.x", "cidr", json!("10.0.0.0/8")),
        ("args.x", "regex", json!({ "path": "args.y" })),
        ("args.x", "cidr", json!({ "path": "args.y" })),
        ("args.x", "exists", json!({ "path": "args.y" })),
        ("args.x", "eq", json!({ "path": "args.y[*]" })),
        ("time.hour", "eq", json!("9")),
        ("time.hour", "regex", json!("9")),
        ("time.weekday", "eq", json!("monday")),
        ("time.weekday", "in", json!(["mon", "Tue"])),
        ("time.weekday", "lt", json!("2026-01-05T12:00:00Z")),
        ("time.now", "eq", json!("2026-01-05T12:00:00Z")),
        ("time.now", "lt", json!(5)),
        ("client.ip", "eq", json!("10.0.0.0/8")),
        ("client.ip", "regex", json!("^10")),
        ("tool.name", "eq", json!(1)),
        ("grant.tags.n", "gt", json!(1)),
    ] {
        let test = json!({ "path": path, "op": op, "value": value });
        let error = try_condition(&test).expect_err(&test.to_string());
        assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{}", error.message);
    }
    for (op, value, option) in [
        ("regex", json!("a"), json!({ "ignore_case": true })),
        ("url_host_in", json!(["a.b"]), json!({ "ignore_case": true })),
        ("lt", json!(1), json!({ "ignore_case": true })),
        ("exists", json!(true), json!({ "missing": true })),
        ("eq", json!(1), json!({ "ports": [80] })),
        ("email_domain_in", json!(["a.b"]), json!({ "schemes": ["http"] })),
        ("url_host_in", json!(["a.b"]), json!({ "schemes": ["http:"] })),
        ("url_public", json!(true), json!({ "ignore_case": true })),
        ("url_public", json!(true), json!({ "schemes": ["http:"] })),
        ("path_secret", json!(true), json!({ "ports": [80] })),
        ("sql_reads", json!(true), json!({ "ignore_case": true })),
    ] {
        let mut test = json!({ "path": "args.x", "op": op, "value": value });
        test.as_object_mut().unwrap().extend(option.as_object().unwrap().clone());
        assert!(try_condition(&test).is_err(), "{test}");
    }
}
