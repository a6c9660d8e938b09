use mcp::json;
use proptest::prelude::*;

use super::*;

fn known(names: &[&str]) -> KnownKeys {
    let mut known = KnownKeys::default();
    for name in names {
        known.add_path(&Path::parse(name).unwrap());
    }
    known
}

fn found(args: &str, known: &KnownKeys) -> Option<(String, String, bool)> {
    let args = json::parse(args).unwrap();
    ambiguous(&args, known).map(|found| (found.sent, found.other, found.both_sent))
}

#[test]
fn keys_of_one_object() {
    let none = KnownKeys::default();
    for (args, pair) in [
        (r#"{}"#, None),
        (r#"{"amount":1,"currency":"usd"}"#, None),
        (r#"{"campaignId":1,"leadId":2}"#, None),
        (r#"{"amount":1,"Amount":2}"#, Some(("Amount", "amount"))),
        (r#"{"AMOUNT":1,"b":2,"amounT":2}"#, Some(("amounT", "AMOUNT"))),
        (r#"{"amount":1,"amount ":2}"#, Some(("amount ", "amount"))),
        (r#"{"amount":1,"\tamount":2}"#, Some(("\tamount", "amount"))),
        (r#"{"amount":1,"amount\u0000":2}"#, Some(("amount\0", "amount"))),
        (r#"{"amount":1,"\ufeffamount":2}"#, Some(("\u{feff}amount", "amount"))),
        (r#"{"amount":1,"amount\u200b":2}"#, Some(("amount\u{200b}", "amount"))),
        (r#"{"amount":1,"\uff41mount":2}"#, Some(("\u{ff41}mount", "amount"))),
        (r#"{"params":1,"param\u017f":2}"#, Some(("param\u{17f}", "params"))),
        (r#"{"key":1,"\u212aey":2}"#, Some(("\u{212a}ey", "key"))),
        (r#"{"strasse":1,"straße":2}"#, Some(("straße", "strasse"))),
        (r#"{"é":1,"e\u0301":2}"#, Some(("e\u{301}", "é"))),
        (r#"{"Σ":1,"ς":2}"#, Some(("ς", "Σ"))),
        (r#"{"n\u0430me":1,"name":2}"#, None),
        (r#"{"a":{"x":1},"b":{"X":1}}"#, None),
        (r#"{"a":[{"x":1,"X":1}]}"#, Some(("X", "x"))),
        (r#"{"a_b":1,"a-b":2,"ab":3}"#, None),
        (r#"{"":1," ":2}"#, Some((" ", ""))),
    ] {
        let expected = pair.map(|(sent, other)| (sent.to_owned(), other.to_owned(), true));
        assert_eq!(found(args, &none), expected, "{args}");
    }
}

#[test]
fn large_objects() {
    let none = KnownKeys::default();
    let keys: Vec<String> = (0..50_000).map(|n| format!("\"Key{n}\":0")).collect();
    let args = format!("{{{}}}", keys.join(","));
    assert_eq!(found(&args, &none), None);
    let args = format!("{{{},\"kEY77\":1}}", keys.join(","));
    assert_eq!(found(&args, &none), Some(("kEY77".to_owned(), "Key77".to_owned(), true)));
}

#[test]
fn keys_that_are_known() {
    let known = known(&["args.amount", "args.to.Address", "item.url", "grant.tags.team", "args.id", "args.ID"]);
    for (args, pair) in [
        (r#"{"amount":1}"#, None),
        (r#"{"Amount":1}"#, Some(("Amount", "amount"))),
        (r#"{"amount\u00a0":1}"#, Some(("amount\u{a0}", "amount"))),
        (r#"{"to":{"Address":1}}"#, None),
        (r#"{"to":{"address":1}}"#, Some(("address", "Address"))),
        (r#"{"items":[{"URL":1}]}"#, Some(("URL", "url"))),
        // A key of another level is no alias.
        (r#"{"meta":{"Amount":1}}"#, None),
        (r#"{"address":1,"URL":2}"#, None),
        (r#"{"Team":1}"#, None),
        (r#"{"id":1}"#, None),
        (r#"{"ID":1}"#, None),
        (r#"{"Id":1}"#, Some(("Id", "id"))),
    ] {
        let expected = pair.map(|(sent, other)| (sent.to_owned(), other.to_owned(), false));
        assert_eq!(found(args, &known), expected, "{args}");
    }
}

#[test]
fn keys_of_the_schema() {
    let schema = r#"{"type":"object","properties":{"amount":{"type":"number"},"to":{"type":"array","items":{"properties":{"mail":{}}}}},
        "allOf":[{"properties":{"note":{}}}]}"#;
    let mut known = KnownKeys::default();
    known.add_schema(&ToolSchema::compile(schema).unwrap());
    for (args, ambiguous) in [
        (r#"{"amount":1,"to":[{"mail":1}],"note":""}"#, false),
        (r#"{"Amount":1}"#, true),
        (r#"{"NOTE":1}"#, true),
        (r#"{"to":[{"Mail":1}]}"#, true),
        (r#"{"Mail":1}"#, false),
    ] {
        assert_eq!(found(args, &known).is_some(), ambiguous, "{args}");
    }
}

#[test]
fn texts() {
    let text = |args: &str| ambiguous(&json::parse(args).unwrap(), &known(&["args.a"])).unwrap().to_string();
    assert_eq!(text(r#"{"b":1,"B\u0000":1}"#), "some readers take the keys `B\\0` and `b` for the same");
    assert_eq!(
        text(r#"{"A":1}"#),
        "some readers take the key `A` for `a`, which the policy or the tool's schema names"
    );
}

proptest! {
    // A glance never lets an ambiguity pass.
    #[test]
    fn what_is_clear_is_not_ambiguous(
        keys in proptest::collection::btree_set("[aAbB ß\"\\\\]{0,2}", 0..5), inside in any::<bool>(),
        text in "[ -~\u{e9}]{0,9}", name in "[ab]{1,2}|[aAbB]{1,2}",
    ) {
        let members: Vec<String> = keys.iter().map(|key| format!("{} : {}", json::quote(key), json::quote(&text))).collect();
        let object = format!("{{{}}}", members.join(","));
        let args = if inside { format!("{{\"in\":[\":\",{object}]}}") } else { object };
        let known = known(&[&format!("args.{name}"), &format!("args.in[0].{name}")]);
        let plain = keys.iter().all(|key| key.bytes().all(|byte| byte.is_ascii_lowercase()));
        prop_assert_eq!(json::plain_keys(&args), plain);
        prop_assert!(!clear(&args, &known) || found(&args, &known).is_none());
        prop_assert!(!clear(&args, &KnownKeys::default()) || found(&args, &KnownKeys::default()).is_none());
    }

    // The shortcuts for usual keys agree with folding every key.
    #[test]
    fn shortcuts_change_nothing(keys in proptest::collection::btree_set("[aAbB ßs\u{17f}]{0,3}", 0..20)) {
        let args = format!("{{{}}}", keys.iter().map(|key| format!("{}:0", json::quote(key))).collect::<Vec<_>>().join(","));
        let mut forms: Vec<String> = keys.iter().map(|key| folded(key).into_owned()).collect();
        forms.sort();
        let before = forms.len();
        forms.dedup();
        prop_assert_eq!(found(&args, &KnownKeys::default()).is_some(), forms.len() < before);
    }
}
