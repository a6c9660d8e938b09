//! Paths, absence, elements, three values, facts, and the texts of doubts.

use policy::condition::{Cause, Condition, Polarity, Truth};
use policy::operand::Numbers;
use serde_json::{Value, json};

use crate::support::{condition, decided, deny_if, judge, require};

const T: Option<bool> = Some(true);
const F: Option<bool> = Some(false);
const U: Option<bool> = None;

#[test]
fn absence() {
    for (op, value) in [
        ("eq", json!(1)),
        ("neq", json!(1)),
        ("in", json!([1])),
        ("not_in", json!([1])),
        ("lt", json!(1)),
        ("gte", json!(1)),
        ("regex", json!("a")),
        ("matches", json!("a")),
        ("contains", json!("a")),
        ("starts_with", json!("a")),
        ("ends_with", json!("a")),
        ("length_lt", json!(1)),
        ("type", json!("null")),
        ("within", json!("/a")),
        ("path_secret", json!(true)),
        ("url_host_in", json!(["a.b"])),
        ("url_public", json!(true)),
        ("sql_reads", json!(true)),
        ("email_domain_in", json!(["a.b"])),
        ("cidr", json!(["10.0.0.0/8"])),
    ] {
        let test = |missing: Option<bool>| {
            let mut test = json!({ "path": "args.x.y", "op": op, "value": value });
            if let Some(missing) = missing {
                test["missing"] = json!(missing);
            }
            test
        };
        for args in ["{}", "{\"x\":{}}", "{\"x\":{\"Y\":1}}"] {
            assert_eq!(require(&test(None), args), U, "{op} {args}");
            assert_eq!(require(&test(Some(true)), args), T, "{op} {args}");
            assert_eq!(require(&test(Some(false)), args), F, "{op} {args}");
            assert_eq!(require(&json!({ "not": test(Some(true)) }), args), F, "{op} {args}");
        }
        // `missing` says nothing about what is there, nor about a path that leads into a scalar.
        for args in ["{\"x\":1}", "{\"x\":null}", "{\"x\":\"y\"}", "{\"x\":[]}", "{\"x\":[{\"y\":1}]}"] {
            assert_eq!(require(&test(Some(true)), args), U, "{op} {args}");
            assert_eq!(require(&test(Some(false)), args), U, "{op} {args}");
        }
    }
    let exists = json!({ "path": "args.x.y", "op": "exists", "value": true });
    for (args, expected) in [("{}", F), ("{\"x\":{}}", F), ("{\"x\":1}", U), ("{\"x\":null}", U), ("{\"x\":[1]}", U)] {
        assert_eq!(require(&exists, args), expected, "{args}");
    }
}

#[test]
fn indexes() {
    let at = |path: &str| json!({ "path": path, "op": "eq", "value": 3 });
    for (path, args, expected) in [
        ("args.x[0]", "{\"x\":[3]}", T),
        ("args.x[1]", "{\"x\":[3]}", U),
        ("args.x[-1]", "{\"x\":[1,3]}", T),
        ("args.x[-2]", "{\"x\":[1,3]}", F),
        ("args.x[-3]", "{\"x\":[1,3]}", U),
        ("args.x[0]", "{\"x\":{\"0\":3}}", U),
        ("args.x[0]", "{\"x\":\"3\"}", U),
        ("args[\"x\"][0][1]", "{\"x\":[[1,3]]}", T),
    ] {
        assert_eq!(require(&at(path), args), expected, "{path} {args}");
    }
}

#[test]
fn elements_by_polarity() {
    let test = json!({ "path": "args.x[*]", "op": "in", "value": ["a", "b"] });
    let negated = json!({ "path": "args.x[*]", "op": "not_in", "value": ["a", "b"] });
    for (args, every, one) in [
        ("{\"x\":[\"a\",\"b\"]}", T, T),
        ("{\"x\":[\"a\",\"c\"]}", F, T),
        ("{\"x\":[\"c\"]}", F, F),
        ("{\"x\":[]}", T, F),
        ("{\"x\":[\"a\",1]}", U, T),
        ("{\"x\":[\"c\",1]}", F, U),
        ("{\"x\":\"a\"}", U, U),
        ("{\"x\":{\"0\":\"a\"}}", U, U),
        ("{\"x\":null}", U, U),
        ("{}", U, U),
    ] {
        let not = |truth: Option<bool>| truth.map(|truth| !truth);
        assert_eq!(require(&test, args), every, "{args}");
        assert_eq!(deny_if(&test, args), one, "{args}");
        // Inside of `not` the other quantity helps to allow, and `not_in` is exactly `not in`.
        assert_eq!(require(&json!({ "not": test }), args), not(one), "{args}");
        assert_eq!(deny_if(&json!({ "not": test }), args), not(every), "{args}");
        assert_eq!(require(&negated, args), not(one), "{args}");
        assert_eq!(deny_if(&negated, args), not(every), "{args}");
        assert_eq!(require(&json!({ "not": { "not": test } }), args), every, "{args}");
    }
    let deep = json!({ "path": "args.x[*].y[*].z", "op": "lte", "value": 10 });
    for (args, every, one) in [
        ("{\"x\":[{\"y\":[{\"z\":1},{\"z\":10}]},{\"y\":[]}]}", T, T),
        ("{\"x\":[{\"y\":[{\"z\":11},{\"z\":10}]}]}", F, T),
        ("{\"x\":[{\"y\":[{\"z\":1},{}]}]}", U, T),
        ("{\"x\":[{\"y\":[{\"z\":11},{}]}]}", F, U),
    ] {
        assert_eq!(require(&deep, args), every, "{args}");
        assert_eq!(deny_if(&deep, args), one, "{args}");
    }
    let missing = json!({ "path": "args.x[*].z", "op": "lte", "value": 10, "missing": true });
    assert_eq!(require(&missing, "{\"x\":[{},{\"z\":1}]}"), T);
    assert_eq!(require(&missing, "{\"x\":[{},{\"z\":11}]}"), F);
}

#[test]
fn each() {
    let rule = json!({ "each": "args.items", "conditions": [
        { "path": "item.kind", "op": "eq", "value": "gift" },
        { "path": "item.price", "op": "lte", "value": 10 },
    ] });
    for (args, every, one) in [
        ("{\"items\":[{\"kind\":\"gift\",\"price\":5}]}", T, T),
        // Both must hold of the same element.
        ("{\"items\":[{\"kind\":\"gift\",\"price\":50},{\"kind\":\"x\",\"price\":5}]}", F, F),
        ("{\"items\":[{\"kind\":\"gift\",\"price\":5},{\"kind\":\"x\",\"price\":5}]}", F, T),
        ("{\"items\":[{\"kind\":\"gift\"}]}", U, U),
        ("{\"items\":[{\"kind\":\"x\"}]}", F, F),
        ("{\"items\":[]}", T, F),
        ("{\"items\":{}}", U, U),
        ("{\"items\":null}", U, U),
        ("{}", U, U),
    ] {
        assert_eq!(require(&rule, args), every, "{args}");
        assert_eq!(deny_if(&rule, args), one, "{args}");
    }
    let nested = json!({ "each": "args.orders", "conditions": [
        { "each": "item.lines", "conditions": [ { "path": "item", "op": "lt", "value": 10 } ] },
        { "path": "item.id", "op": "type", "value": "integer" },
    ] });
    assert_eq!(require(&nested, "{\"orders\":[{\"id\":1,\"lines\":[1,2]},{\"id\":2,\"lines\":[]}]}"), T);
    assert_eq!(require(&nested, "{\"orders\":[{\"id\":1,\"lines\":[1,20]}]}"), F);
    assert_eq!(require(&nested, "{\"orders\":[{\"id\":\"1\",\"lines\":[1]}]}"), F);
    let flat = json!({ "each": "args.orders[*].lines", "conditions": [{ "path": "item", "op": "lt", "value": 10 }] });
    assert_eq!(require(&flat, "{\"orders\":[{\"lines\":[1]},{\"lines\":[20]}]}"), F);
    assert_eq!(deny_if(&flat, "{\"orders\":[{\"lines\":[1]},{\"lines\":[20]}]}"), T);
    let quantified =
        json!({ "not": { "each": "args.x", "conditions": [{ "path": "item", "op": "eq", "value": "bad" }] } });
    assert_eq!(require(&quantified, "{\"x\":[\"ok\",\"bad\"]}"), F);
    assert_eq!(require(&quantified, "{\"x\":[\"ok\"]}"), T);
}

#[test]
fn strong_kleene() {
    let atom = |truth: Option<bool>| match truth {
        Some(true) => json!({ "path": "args.t", "op": "eq", "value": 1 }),
        Some(false) => json!({ "path": "args.t", "op": "eq", "value": 2 }),
        None => json!({ "path": "args.absent", "op": "eq", "value": 1 }),
    };
    for a in [T, F, U] {
        for b in [T, F, U] {
            let and =
                judge(&[condition(&atom(a)), condition(&atom(b))], "{\"t\":1}", Polarity::Allows, Numbers::Binary64);
            let expected = match (a, b) {
                (Some(false), _) | (_, Some(false)) => F,
                (Some(true), Some(true)) => T,
                _ => U,
            };
            assert_eq!(decided(&and), expected, "{a:?} and {b:?}");
            let or = require(&json!({ "any_of": [atom(a), atom(b)] }), "{\"t\":1}");
            let expected = match (a, b) {
                (Some(true), _) | (_, Some(true)) => T,
                (Some(false), Some(false)) => F,
                _ => U,
            };
            assert_eq!(or, expected, "{a:?} or {b:?}");
        }
    }
    assert_eq!(decided(&judge(&[], "{}", Polarity::Denies, Numbers::Binary64)), T);
    assert_eq!(require(&json!({ "any_of": [] }), "{}"), F);
}

#[test]
fn numbers_of_exact_servers() {
    let test = |op: &str, value: Value| condition(&json!({ "path": "args.x", "op": op, "value": value }));
    for (op, value, x, expected) in [
        ("lte", json!(100), "100.0000000000000000001", F),
        ("lt", json!(100), "99.99999999999999999999", T),
        ("eq", json!(9_007_199_254_740_992_u64), "9007199254740993", F),
        ("eq", json!(9_007_199_254_740_993_u64), "9007199254740993", T),
        ("type", json!("integer"), "99.99999999999999999999", F),
        ("gt", json!(0), "1e-400", T),
        ("eq", json!(0), "1e-400", F),
    ] {
        let args = format!("{{\"x\":{x}}}");
        let judged = |numbers| decided(&judge(&[test(op, value.clone())], &args, Polarity::Allows, numbers));
        assert_eq!(judged(Numbers::Exact), expected, "{op} {value} {x}");
        assert_eq!(judged(Numbers::Binary64), U, "{op} {value} {x}");
    }
}

#[test]
fn values_from_the_call() {
    let test = |op: &str, other: &str| json!({ "path": "args.x", "op": op, "value": { "path": other } });
    for (op, other, args, expected) in [
        ("eq", "args.y", "{\"x\":1,\"y\":1.0}", T),
        ("neq", "args.y", "{\"x\":\"a\",\"y\":\"b\"}", T),
        ("lte", "args.y", "{\"x\":1,\"y\":2}", T),
        ("lte", "args.y", "{\"x\":1,\"y\":\"2\"}", U),
        ("lt", "args.y", "{\"x\":\"2026-01-01T00:00:00Z\",\"y\":\"2026-01-02T00:00:00Z\"}", T),
        ("in", "args.y", "{\"x\":1,\"y\":[2,1]}", T),
        ("in", "args.y", "{\"x\":1,\"y\":1}", U),
        ("contains", "args.y", "{\"x\":\"abc\",\"y\":\"b\"}", T),
        ("starts_with", "args.y", "{\"x\":\"abc\",\"y\":\"b\"}", F),
        ("length_lte", "args.y", "{\"x\":\"abc\",\"y\":3}", T),
        ("length_lte", "args.y", "{\"x\":\"abc\",\"y\":\"3\"}", U),
        ("eq", "args.y", "{\"x\":1}", U),
        ("neq", "args.y", "{\"x\":1}", U),
        // A null that the call brings is not meant by the policy.
        ("eq", "args.y", "{\"x\":1,\"y\":null}", U),
        ("neq", "args.y", "{\"x\":1,\"y\":null}", U),
        ("neq", "args.y", "{\"x\":1,\"y\":9007199254740993}", U),
        ("eq", "tool.name", "{\"x\":\"create_charge\"}", T),
        ("eq", "grant.tags.team", "{\"x\":\"red\"}", T),
        ("eq", "grant.owner", "{\"x\":\"red\"}", U),
        ("within", "grant.tags.root", "{\"x\":\"/srv/data/a\"}", T),
        ("within", "grant.tags.root", "{\"x\":\"/srv/a\"}", F),
        ("within", "grant.tags.team", "{\"x\":\"/srv/a\"}", U),
        ("gt", "time.now", "{\"x\":\"2026-01-05T12:31:00Z\"}", T),
        ("gt", "time.now", "{\"x\":\"2026-01-05T12:31:00\"}", U),
        ("eq", "client.ip", "{\"x\":\"10.1.2.3\"}", T),
        ("eq", "client.ip", "{\"x\":\"::ffff:10.1.2.3\"}", U),
        ("eq", "time.hour", "{\"x\":13}", T),
    ] {
        assert_eq!(require(&test(op, other), args), expected, "{op} {other} {args}");
    }
}

#[test]
fn facts() {
    for (path, op, value, expected) in [
        ("grant.label", "eq", json!("billing-bot"), T),
        ("grant.label", "matches", json!("billing-.*"), T),
        ("grant.owner", "eq", json!("x"), U),
        ("grant.owner", "exists", json!(true), F),
        ("grant.tags.team", "in", json!(["red", "blue"]), T),
        ("grant.tags.absent", "eq", json!("x"), U),
        ("grant.tags.absent", "exists", json!(false), T),
        ("agent.label", "starts_with", json!("cla"), T),
        ("server.name", "eq", json!("stripe"), T),
        ("tool.name", "contains", json!("charge"), T),
        ("tool.class", "eq", json!("financial"), T),
        ("session.id", "exists", json!(true), F),
        ("client.ip", "cidr", json!(["10.0.0.0/8"]), T),
        ("client.ip", "cidr", json!(["192.168.0.0/16"]), F),
        ("client.ip", "eq", json!("10.1.2.3"), T),
        ("client.ip", "in", json!(["10.1.2.4"]), F),
        ("time.now", "gte", json!("2026-01-05T12:30:00Z"), T),
        ("time.now", "lt", json!("2026-01-05T13:00:00+01:00"), F),
        // In the policy's zone, where it is an hour later.
        ("time.hour", "eq", json!(13), T),
        ("time.hour", "lt", json!(13.5), T),
        ("time.weekday", "in", json!(["mon", "tue"]), T),
        ("time.weekday", "not_in", json!(["sat", "sun"]), T),
    ] {
        assert_eq!(require(&json!({ "path": path, "op": op, "value": value }), "{}"), expected, "{path} {op} {value}");
    }
}

#[test]
fn doubts_in_words() {
    let why = |test: Value, args: &str| match judge(&[condition(&test)], args, Polarity::Allows, Numbers::Binary64) {
        Truth::Undecidable(why) => why,
        other => panic!("{other:?}"),
    };
    let lte = json!({ "path": "args.x", "op": "lte", "value": 100 });
    for (test, args, text) in [
        (lte.clone(), "{}", "`args.x` is missing"),
        (lte.clone(), "{\"x\":\"5\"}", "`args.x` is a string where a number is needed"),
        (lte.clone(), "{\"x\":null}", "`args.x` is null where a number is needed"),
        (lte.clone(), "{\"x\":[5]}", "`args.x` is an array where a number is needed"),
        (lte, "{\"x\":9007199254740993}", "`args.x` is a number that does not survive binary64"),
        (
            json!({ "path": "args.x.y", "op": "eq", "value": 1 }),
            "{\"x\":true}",
            "`args.x.y` leads into a boolean, where an object is needed",
        ),
        (json!({ "path": "args.x", "op": "eq", "value": { "path": "args.y" } }), "{\"x\":1}", "`args.y` is missing"),
        (
            json!({ "path": "args.x", "op": "eq", "value": { "path": "args.y" } }),
            "{\"x\":1,\"y\":9007199254740993}",
            "`args.y` is a number that does not survive binary64",
        ),
        (
            json!({ "path": "args.x", "op": "within", "value": "/a" }),
            "{\"x\":\"/a/../b\"}",
            "`args.x` holds a `.` or `..` segment",
        ),
        (
            json!({ "path": "args.x", "op": "lt", "value": "2026-01-05T12:00:00Z" }),
            "{\"x\":\"now\"}",
            "`args.x` is no RFC 3339 time with an offset",
        ),
        (
            json!({ "each": "args.x", "conditions": [] }),
            "{\"x\":1}",
            "`args.x` leads into a number, where an array is needed",
        ),
    ] {
        assert_eq!(why(test, args).to_string(), text);
    }
    let first = why(json!({ "path": "args.x", "op": "eq", "value": 1 }), "{}");
    assert_eq!((first.path(), first.cause()), ("args.x", Cause::Missing));
}

#[test]
fn asking_needs_every_doubt_to_ask() {
    let test = |path: &str, asks: bool| {
        let mut test = json!({ "path": path, "op": "eq", "value": 1 });
        if asks {
            test["undecidable"] = json!("ask");
        }
        condition(&test)
    };
    let asks = |conditions: &[Condition]| match judge(conditions, "{}", Polarity::Denies, Numbers::Binary64) {
        Truth::Undecidable(why) => why.asks(),
        other => panic!("{other:?}"),
    };
    assert!(asks(&[test("args.x", true)]));
    assert!(!asks(&[test("args.x", false)]));
    assert!(!asks(&[test("args.x", true), test("args.y", false)]));
    assert!(!asks(&[test("args.x", false), test("args.y", true)]));
    assert!(asks(&[test("args.x", true), test("args.y", true)]));
    assert!(asks(&[Condition::AnyOf(vec![test("args.x", true), Condition::Not(Box::new(test("args.y", true)))])]));
}
