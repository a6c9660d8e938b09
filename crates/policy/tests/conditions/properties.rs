//! What holds of every condition and every value.

use policy::condition::{Condition, Polarity, Test, TestOptions, Truth};
use policy::operand::{Numbers, Operand, OwnedValue};
use policy::path::Path;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{condition, decided, judge};

/// Tests whose operator and value expect a certain type of JSON, with that type.
fn typed_tests() -> Vec<(Value, &'static [&'static str])> {
    let test = |op: &str, value: Value| json!({ "path": "args.x", "op": op, "value": value });
    vec![
        (test("eq", json!("a")), &["string"]),
        (test("neq", json!("a")), &["string"]),
        (test("eq", json!(1)), &["number"]),
        (test("neq", json!(1)), &["number"]),
        (test("eq", json!([1])), &["array"]),
        (test("neq", json!({ "a": 1 })), &["object"]),
        (test("neq", json!(true)), &["boolean"]),
        (test("in", json!(["a", "b"])), &["string"]),
        (test("not_in", json!(["a", "b"])), &["string"]),
        (test("not_in", json!([1, 2])), &["number"]),
        (test("lt", json!(10)), &["number"]),
        (test("lte", json!(10)), &["number"]),
        (test("gt", json!(10)), &["number"]),
        (test("gte", json!(10)), &["number"]),
        (test("gte", json!("2026-01-05T12:00:00Z")), &["string"]),
        (test("regex", json!("a")), &["string"]),
        (test("matches", json!("a")), &["string"]),
        (test("contains", json!("a")), &["string", "array"]),
        (test("starts_with", json!("a")), &["string"]),
        (test("ends_with", json!(["a"])), &["array"]),
        (test("length_lt", json!(2)), &["string", "array"]),
        (test("length_lte", json!(2)), &["string", "array"]),
        (test("length_gt", json!(2)), &["string", "array"]),
        (test("length_gte", json!(2)), &["string", "array"]),
        (test("within", json!("/a")), &["string"]),
        (test("url_host_in", json!(["a.b"])), &["string"]),
        (test("path_secret", json!(true)), &["string"]),
        (test("url_public", json!(true)), &["string"]),
        (test("sql_reads", json!(true)), &["string"]),
        (test("sql_reads", json!(false)), &["string"]),
        (test("url_public", json!(false)), &["string"]),
        (test("email_domain_in", json!(["a.b"])), &["string"]),
        (test("cidr", json!(["10.0.0.0/8"])), &["string"]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "[a-c/.:@ 0-9]{0,6}".prop_map(Value::from),
        Just(json!("a")),
        Just(json!(1)),
        Just(json!("1")),
        Just(json!("10.0.0.1")),
        Just(json!("https://a.b/")),
        Just(json!("2026-01-05T12:00:00Z")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-c]", inner, 0..3).prop_map(Value::from_iter),
        ]
    })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Conditions over `args.x` and what is in it.
fn tree() -> impl Strategy<Value = Value> {
    test(|_| true).prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "any_of": parts })),
            inner.clone().prop_map(|inner| json!({ "not": inner })),
            proptest::collection::vec(inner, 0..3).prop_map(|parts| json!({ "each": "args.x", "conditions": parts })),
        ]
    })
}

/// Those of the tests that `wanted` picks, on several paths.
fn test(wanted: fn(&Value) -> bool) -> impl Strategy<Value = Value> {
    let tests: Vec<Value> = typed_tests().into_iter().map(|(test, _)| test).filter(wanted).collect();
    let path =
        prop_oneof![Just("args.x"), Just("args.x[*]"), Just("args.x.a"), Just("args.x[0]"), Just("args.x[*].a[*]")];
    (proptest::sample::select(tests), path, proptest::option::of(any::<bool>())).prop_map(
        |(mut test, path, missing)| {
            test["path"] = json!(path);
            if let Some(missing) = missing {
                test["missing"] = json!(missing);
            }
            test
        },
    )
}

fn outcome(test: &Value, args: &Value, polarity: Polarity) -> Truth {
    judge(&[condition(test)], &args.to_string(), polarity, Numbers::Binary64)
}

/// The test whose truth is the negation, by name.
fn opposite(test: &Value) -> Option<Value> {
    let op = match test["op"].as_str()? {
        "eq" => "neq",
        "neq" => "eq",
        "in" => "not_in",
        "not_in" => "in",
        _ => return None,
    };
    let mut other = test.clone();
    other["op"] = json!(op);
    Some(other)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A wrong type never widens: a `require` does not hold and a `deny_if` is not false, negated or not.
    #[test]
    fn a_wrong_type_is_undecidable(index in 0..typed_tests().len(), x in value()) {
        let (test, types) = typed_tests().swap_remove(index);
        prop_assume!(!types.contains(&type_name(&x)));
        let args = json!({ "x": x });
        for test in [test.clone(), json!({ "not": test })] {
            for polarity in [Polarity::Allows, Polarity::Denies] {
                prop_assert_eq!(decided(&outcome(&test, &args, polarity)), None);
            }
        }
    }

    #[test]
    fn not_not_is_nothing(test in tree(), x in value()) {
        let args = json!({ "x": x });
        let twice = json!({ "not": { "not": test } });
        for polarity in [Polarity::Allows, Polarity::Denies] {
            prop_assert_eq!(decided(&outcome(&test, &args, polarity)), decided(&outcome(&twice, &args, polarity)));
        }
    }

    #[test]
    fn neq_is_exactly_not_eq(
        test in test(|test| opposite(test).is_some()),
        x in value(),
    ) {
        let args = json!({ "x": x });
        let mut other = opposite(&test).unwrap();
        if let Some(missing) = test.get("missing").and_then(Value::as_bool) {
            // `missing` speaks of the condition as written.
            other["missing"] = json!(!missing);
        }
        let other = json!({ "not": other });
        for polarity in [Polarity::Allows, Polarity::Denies] {
            prop_assert_eq!(decided(&outcome(&test, &args, polarity)), decided(&outcome(&other, &args, polarity)));
        }
    }

    /// `every` implies `one`, save over empty arrays: a condition never helps to deny less than it helps to allow.
    #[test]
    fn polarity_leans_to_denial(x in proptest::collection::vec(value(), 1..4), index in 0..typed_tests().len()) {
        let mut test = typed_tests().swap_remove(index).0;
        test["path"] = json!("args.x[*]");
        let args = json!({ "x": x });
        if outcome(&test, &args, Polarity::Allows).is_true() {
            prop_assert!(outcome(&test, &args, Polarity::Denies).is_true());
        }
    }

    /// AND is as strong as its weakest part, and order does not matter.
    #[test]
    fn and_is_symmetric(a in tree(), b in tree(), x in value()) {
        let args = json!({ "x": x }).to_string();
        let both = |first: &Value, second: &Value| {
            let conditions: Vec<Condition> = vec![condition(first), condition(second)];
            decided(&judge(&conditions, &args, Polarity::Allows, Numbers::Binary64))
        };
        prop_assert_eq!(both(&a, &b), both(&b, &a));
    }

    /// Spellings of one number are one number.
    #[test]
    fn numbers_are_compared_by_value(whole in -1_000_000_i64..1_000_000, scale in 0_usize..6, limit in -1_000_000_i64..1_000_000) {
        let spellings = [
            format!("{whole}"),
            format!("{whole}.0"),
            format!("{whole}{}e-{scale}", "0".repeat(scale)),
            format!("{whole}e0"),
        ];
        for (op, expected) in [("lt", whole < limit), ("lte", whole <= limit), ("eq", whole == limit), ("neq", whole != limit)] {
            let test = condition(&json!({ "path": "args.x", "op": op, "value": limit }));
            for spelling in &spellings {
                let truth = judge(std::slice::from_ref(&test), &format!("{{\"x\":{spelling}}}"), Polarity::Allows, Numbers::Binary64);
                prop_assert_eq!(decided(&truth), Some(expected), "{} {} {}", spelling, op, limit);
            }
        }
    }

    /// Short numbers are compared a shorter way, to the same end.
    #[test]
    fn the_short_way_is_exact(
        x in "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,17})?(e-?[0-9]{1,2})?",
        limit in "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,17})?(e-?[0-9]{1,2})?",
        same in any::<bool>(),
    ) {
        let limit = if same { x.clone() } else { limit };
        let exact = |text: &str| mcp::json::Decimal::parse(text).unwrap();
        let ordering = exact(&x).cmp(&exact(&limit));
        for (op, expected) in [
            ("lt", ordering.is_lt()),
            ("lte", ordering.is_le()),
            ("gt", ordering.is_gt()),
            ("gte", ordering.is_ge()),
            ("eq", ordering.is_eq()),
        ] {
            let test = test_of(op, &limit);
            let truth = judge(std::slice::from_ref(&test), &format!("{{\"x\":{x}}}"), Polarity::Allows, Numbers::Exact);
            prop_assert_eq!(decided(&truth), Some(expected), "{} {} {}", x, op, limit);
            let truth = judge(std::slice::from_ref(&test), &format!("{{\"x\":{x}}}"), Polarity::Allows, Numbers::Binary64);
            let survives = mcp::json::Number::parse(&x).unwrap().survives_binary64();
            prop_assert_eq!(decided(&truth), survives.then_some(expected), "{} {} {}", x, op, limit);
        }
    }
}

/// A test whose value is a number that JSON values here would round.
fn test_of(op: &str, limit: &str) -> Condition {
    let value = Operand::Literal(OwnedValue::parse(limit).unwrap());
    let path = Path::parse("args.x").unwrap();
    Condition::Test(Test::new(path, op.parse().unwrap(), value, TestOptions::default()).unwrap())
}
