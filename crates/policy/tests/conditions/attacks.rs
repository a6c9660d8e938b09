//! The groups `amount` and `path` of the attack corpus: each line's rule, said in conditions.

use policy::condition::{Condition, Polarity};
use policy::operand::Numbers;
use serde_json::{Value, json};

use crate::support::{condition, judge, shared_data};

struct Attack {
    id: String,
    allowed: bool,
    bytes: Vec<u8>,
}

fn attacks(group: &str) -> Option<Vec<Attack>> {
    let text = std::fs::read_to_string(shared_data()?.join("security/own/gateway-attacks.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let attacks: Vec<Attack> = lines
        .filter(|line| line["group"] == group)
        .map(|line| Attack {
            id: line["id"].as_str().unwrap().to_owned(),
            allowed: line["expect"] == "allow",
            bytes: decode(line["b64"].as_str().unwrap()),
        })
        .collect();
    assert!(!attacks.is_empty());
    Some(attacks)
}

/// Base64 of the standard alphabet.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = ALPHABET.iter().position(|letter| *letter == byte).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

/// Whether `require` with these conditions lets the arguments through. What is no strict JSON never gets there.
fn passes(conditions: &[Condition], args: &str, numbers: Numbers) -> bool {
    mcp::json::parse(args).is_ok() && judge(conditions, args, Polarity::Allows, numbers).is_true()
}

#[test]
fn amounts() {
    let Some(attacks) = attacks("amount") else { return };
    let rule = [
        condition(&json!({ "path": "args.amount", "op": "gt", "value": 0 })),
        condition(&json!({ "path": "args.amount", "op": "lte", "value": 100 })),
    ];
    for Attack { id, allowed, bytes } in attacks {
        let message = String::from_utf8(bytes).unwrap();
        // The text of the arguments, which a tree would not keep.
        let args = message.split_once("\"arguments\":").unwrap().1.strip_suffix("}}").unwrap();
        for numbers in [Numbers::Binary64, Numbers::Exact] {
            assert_eq!(passes(&rule, args, numbers), allowed, "{id} {args} {numbers:?}");
        }
    }
}

#[test]
fn paths() {
    let Some(attacks) = attacks("path") else { return };
    let allow = [condition(&json!({ "path": "args.path", "op": "within", "value": "/srv/data" }))];
    let deny = [condition(&json!({ "not": { "path": "args.path", "op": "within", "value": "/srv/data" } }))];
    for Attack { id, allowed, bytes } in attacks {
        let path = String::from_utf8(bytes).unwrap();
        let args = json!({ "path": path }).to_string();
        assert_eq!(passes(&allow, &args, Numbers::Binary64), allowed, "{id} {path:?}");
        // Said as a denial it denies the same.
        let denied = !judge(&deny, &args, Polarity::Denies, Numbers::Binary64).is_false();
        assert_eq!(denied, !allowed, "{id} {path:?} as deny_if");
    }
}
