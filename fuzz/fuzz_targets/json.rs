//! All ways of reading are equally strict, and read what others read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::json::{self, Decimal, Number, Value};

fuzz_target!(|bytes: &[u8]| {
    let ours = json::parse_bytes(bytes);
    match (&ours, json::check(bytes)) {
        (Ok(_), Ok(())) => {}
        (Err(one), Err(other)) => {
            assert_eq!(*one, other);
            assert!(one.offset <= bytes.len());
            assert!(!one.to_string().is_empty());
        }
        (one, other) => panic!("{one:?} {other:?}"),
    }
    if let Ok(ours) = ours {
        match serde_json::from_slice(bytes) {
            Ok(theirs) => assert!(same(&ours, &theirs), "{ours:?} {theirs:?}"),
            Err(error) => assert!(error.to_string().contains("recursion limit"), "{error}"),
        }
    }
});

fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(one), serde_json::Value::Bool(other)) => one == other,
        (Value::String(one), serde_json::Value::String(other)) => {
            one == other && json::unquote(&json::quote(one)).as_deref() == Some(one.as_ref())
        }
        (Value::Number(one), serde_json::Value::Number(other)) => number(*one, other),
        (Value::Array(one), serde_json::Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), serde_json::Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((key, value), (other, theirs))| {
                    key == other && same(value, theirs) && one.get(key).is_some()
                })
        }
        _ => false,
    }
}

fn number(ours: Number<'_>, theirs: &serde_json::Number) -> bool {
    let decimal = ours.decimal();
    assert_eq!(Decimal::parse(&decimal.to_string()), Ok(decimal));
    let _ = (ours.survives_binary64(), decimal.to_micros());
    match (theirs.as_i64(), theirs.as_u64()) {
        (Some(integer), _) => decimal == Decimal::from(integer),
        (_, Some(integer)) => decimal == Decimal::from(integer),
        // serde_json's quick reading of floats may be off in the last bits.
        _ => theirs.as_f64().is_some_and(|theirs| {
            (ours.as_f64() - theirs).abs() <= theirs.abs() * 8.0 * f64::EPSILON + f64::MIN_POSITIVE
        }),
    }
}
