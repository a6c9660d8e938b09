//! What holds for any policy.

use policy::{Class, Effect, Load, load};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::asking::{decide, of_class, said};

const NAMES: [&str; 5] = ["read_file", "read_dir", "write_file", "pay", "x"];

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        prop::sample::select(vec!["read_*", "*_file", "w?ite*", "p*"]).prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (prop::sample::select(vec!["args.a", "args.b"]), prop::sample::select(vec!["eq", "neq", "lt", "gte"]), 0..4i64)
            .prop_map(|(path, op, value)| json!({ "path": path, "op": op, "value": value })),
        (prop::sample::select(vec!["args.a", "args.b"]), any::<bool>())
            .prop_map(|(path, value)| json!({ "path": path, "op": "exists", "value": value })),
        (prop::sample::select(vec!["args.a", "args.b"]), any::<bool>(), 0..4i64)
            .prop_map(|(path, missing, value)| json!({ "path": path, "op": "gt", "value": value, "missing": missing })),
        Just(json!({ "path": "grant.label", "op": "eq", "value": "local" })),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "any_of": parts })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

fn clauses() -> impl Strategy<Value = Value> {
    let clause = prop::collection::vec(condition(), 0..3).prop_map(|conditions| json!({ "conditions": conditions }));
    prop::collection::vec(clause, 0..3).prop_map(Value::Array)
}

fn entry() -> impl Strategy<Value = Value> {
    let action = prop::option::of(prop::sample::select(vec!["allow", "deny", "hide", "require_approval"]));
    let mode = prop::option::weighted(0.2, Just("observe"));
    let limit = prop::option::of(0..3u32);
    (action, mode, prop::option::of(clauses()), prop::option::of(clauses()), prop::option::of(clauses()), limit)
        .prop_map(|(action, mode, require, deny_if, approval, limit)| {
            let mut entry = Map::new();
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    entry.insert(name.to_owned(), value);
                }
            };
            put("action", action.map(Value::from));
            put("mode", mode.map(Value::from));
            put("require", require);
            put("deny_if", deny_if);
            put("require_approval_if", approval);
            put(
                "limits",
                limit.map(|max| json!([{ "counter": "c", "window": "day", "max": max, "amount": "args.a" }])),
            );
            Value::Object(entry)
        })
}

fn document() -> impl Strategy<Value = Value> {
    let tools = prop::collection::btree_map(pattern(), entry(), 0..4);
    let class = (prop::sample::select(vec!["read", "write", "unclassified"]), entry(), prop::option::of(any::<bool>()));
    let classes = prop::collection::vec(class, 0..3).prop_map(|entries| {
        let entries = entries.into_iter().map(|(name, mut entry, opens)| {
            if let Some(opens) = opens.filter(|_| name != "unclassified") {
                entry["opens"] = json!(opens);
            }
            (name.to_owned(), entry)
        });
        entries.collect::<Map<String, Value>>()
    });
    let default = prop::sample::select(vec!["allow", "deny"]);
    let mode = prop::option::weighted(0.1, Just("observe"));
    let hide = prop::collection::vec(pattern(), 0..2);
    (default, mode, hide, prop::option::of(entry()), classes, tools).prop_map(
        |(default, mode, hide, all, classes, tools)| {
            let mut document =
                json!({ "version": "1", "default": default, "hide": hide, "classes": classes, "tools": tools });
            if let Some(all) = all {
                document["all_tools"] = all;
            }
            if let Some(mode) = mode {
                document["mode"] = json!(mode);
            }
            document
        },
    )
}

fn arguments() -> impl Strategy<Value = String> {
    let value =
        || prop::sample::select(vec!["0", "1", "2.5", "\"x\"", "null", "[1]", "true", "-1", "9007199254740993"]);
    (prop::option::of(value()), prop::option::of(value())).prop_map(|(a, b)| {
        let members: Vec<String> = [("a", a), ("b", b)]
            .into_iter()
            .filter_map(|(key, value)| Some(format!("\"{key}\": {}", value?)))
            .collect();
        format!("{{{}}}", members.join(", "))
    })
}

/// Members that some reader takes for one, at the top or inside.
fn twins() -> impl Strategy<Value = String> {
    let twin = prop::sample::select(vec![
        ("extra", "EXTRA"),
        ("extra", "extra "),
        ("extra", "\\textra"),
        ("extra", "\\u0045xtra"),
        ("extra", "extra\\u0000"),
        ("extra", "\u{ff45}xtra"),
        ("extra", "extra\u{200b}"),
        ("EXTRA", "eXTRA"),
        ("strasse", "stra\u{df}e"),
        ("\u{e9}", "e\u{301}"),
    ]);
    (twin, any::<bool>(), 0..3_usize).prop_map(|((one, other), swapped, depth)| {
        let (one, other) = if swapped { (other, one) } else { (one, other) };
        let members = format!("\"{one}\": 0, \"{other}\": \"x\"");
        (0..depth).fold(members, |inner, _| format!("\"in\": [1, {{ \"plain\": \":\", {inner} }}]"))
    })
}

/// A class, and whether a person accepted it.
fn class() -> impl Strategy<Value = (Class, bool)> {
    (prop::sample::select(vec![Class::Read, Class::Write, Class::Financial, Class::Unclassified]), any::<bool>())
}

fn classed(name: &str, (class, class_accepted): (Class, bool)) -> policy::ToolFacts<'_> {
    policy::ToolFacts { class_accepted, ..of_class(name, class) }
}

fn loaded(document: &Value) -> policy::Policy {
    let text = document.to_string();
    let loaded = load(&text, Load::default());
    loaded.policy.unwrap_or_else(|| panic!("{text}\n{:#?}", loaded.diagnostics))
}

/// The objects of a document with their members in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adding_a_denial_never_allows_more(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
        added in pattern(), denial in prop_oneof![
            Just(json!({ "action": "deny" })), Just(json!({ "action": "hide" })), Just(json!({ "action": "require_approval" })),
            Just(json!({ "deny_if": [ { "conditions": [ { "path": "args.a", "op": "gt", "value": 1 } ] } ] })),
            Just(json!({ "require": [ { "conditions": [ { "path": "args.b", "op": "exists", "value": true } ] } ] })),
            Just(json!({ "schema": "closed" })),
        ],
    ) {
        prop_assume!(document["tools"].get(&added).is_none());
        // Under `default: deny` naming a tool opens it, so the addition must not be what names it.
        let mut opened = document.clone();
        opened["tools"][&added] = json!({});
        let mut stricter = document;
        stricter["tools"][&added] = denial;
        let facts = classed(name, class);
        let before = decide(&loaded(&opened).for_tool(&facts), &arguments);
        let after = decide(&loaded(&stricter).for_tool(&facts), &arguments);
        prop_assert!(after.effect >= before.effect, "{before:?} {after:?}");
    }

    #[test]
    fn adding_a_denial_to_a_class_never_allows_more(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
        to in prop::sample::select(vec!["read", "write"]), opens in any::<bool>(),
        (field, denial) in prop::sample::select(vec![
            ("action", json!("deny")), ("action", json!("hide")),
            ("deny_if", json!([ { "conditions": [] } ])), ("schema", json!("closed")),
        ]),
    ) {
        let mut before = document;
        before["classes"][to] = json!({ "opens": opens });
        let mut stricter = before.clone();
        stricter["classes"][to][field] = denial;
        let facts = classed(name, class);
        let before = decide(&loaded(&before).for_tool(&facts), &arguments);
        let after = decide(&loaded(&stricter).for_tool(&facts), &arguments);
        prop_assert!(after.effect >= before.effect, "{before:?} {after:?}");
    }

    #[test]
    fn opening_a_class_never_denies_more_and_opens_what_is_accepted_alone(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
        opened in prop::sample::select(vec![Class::Read, Class::Write, Class::Financial]),
    ) {
        let mut before = document;
        // Both have the entry, which is a rule for unclassified tools too.
        let entry = &mut before["classes"][opened.as_str()];
        match entry.as_object_mut() {
            Some(entry) => { entry.remove("opens"); }
            None => *entry = json!({}),
        }
        let mut opening = before.clone();
        opening["classes"][opened.as_str()]["opens"] = json!(true);
        let facts = classed(name, class);
        let (before, after) = (loaded(&before).for_tool(&facts), loaded(&opening).for_tool(&facts));
        let grant = policy::GrantFacts::labelled("local");
        prop_assert!(after.listed(&grant) || !before.listed(&grant));
        let listed = (before.listed(&grant), after.listed(&grant));
        let (before, after) = (decide(&before, &arguments), decide(&after, &arguments));
        prop_assert!(after.effect <= before.effect, "{before:?} {after:?}");
        if class == (opened, true) {
            // What was open already, or is denied by a rule, stays as it was.
            let unopened = said(&before) == "deny (default deny)" || said(&before) == "allow /default";
            prop_assert!(unopened || said(&before) == said(&after), "{before:?} {after:?}");
            prop_assert!(said(&after) != "deny (default deny)", "{after:?}");
        } else {
            prop_assert_eq!(said(&before), said(&after));
            prop_assert_eq!(&before.reason, &after.reason);
            prop_assert_eq!(listed.0, listed.1);
        }
    }

    #[test]
    fn an_ambiguous_key_more_is_never_allowed(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
        twins in twins(), first in any::<bool>(),
        schema in prop::option::of(prop::sample::select(vec!["{}", r#"{ "properties": { "a": {} }, "additionalProperties": {} }"#])),
    ) {
        let rules = loaded(&document).for_tool(&policy::ToolFacts { input_schema: schema, ..classed(name, class) });
        let before = decide(&rules, &arguments);
        let members = arguments.trim_start_matches('{').trim_end_matches('}');
        let comma = if members.is_empty() { "" } else { ", " };
        let more = if first { format!("{{{twins}{comma}{members}}}") } else { format!("{{{members}{comma}{twins}}}") };
        let after = decide(&rules, &more);
        match before.effect {
            Effect::Allow | Effect::Ask => prop_assert_eq!(said(&after), "deny (ambiguous arguments)"),
            Effect::Deny | Effect::Hide => prop_assert!(matches!(after.effect, Effect::Deny | Effect::Hide)),
        }
        let grant = policy::GrantFacts::labelled("local");
        let call = policy::Call {
            arguments: Some(&more), grant: &grant, session: None, client_ip: None, now: crate::asking::noon(),
        };
        let derivation = rules.explain(&call);
        prop_assert_eq!((after.effect, &*after.rule), (derivation.effect, &derivation.rule));
    }

    #[test]
    fn the_order_of_entries_and_fields_never_matters(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
    ) {
        let facts = classed(name, class);
        let (one, other) = (loaded(&document), loaded(&reversed(&document)));
        let (one, other) = (one.for_tool(&facts), other.for_tool(&facts));
        let (a, b) = (decide(&one, &arguments), decide(&other, &arguments));
        prop_assert_eq!(said(&a), said(&b));
        let rules = |decision: &policy::Decision| -> Vec<String> {
            let would = decision.would.iter().map(|would| would.rule.rule.clone());
            decision.limits.iter().map(|taken| taken.limit.rule.rule.clone()).chain(would).collect()
        };
        prop_assert_eq!(rules(&a), rules(&b));
    }

    #[test]
    fn explaining_decides_the_same(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
    ) {
        let rules = loaded(&document).for_tool(&classed(name, class));
        let grant = policy::GrantFacts::labelled("local");
        let call = policy::Call {
            arguments: Some(&arguments), grant: &grant, session: None, client_ip: None, now: crate::asking::noon(),
        };
        let (decision, derivation) = (rules.decide(&call), rules.explain(&call));
        prop_assert_eq!((decision.effect, &*decision.rule), (derivation.effect, &derivation.rule));
        prop_assert!(derivation.steps.iter().filter(|step| step.decides).count() == 1, "{derivation}");
    }

    #[test]
    fn what_is_not_listed_is_never_allowed(
        document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
    ) {
        let rules = loaded(&document).for_tool(&classed(name, class));
        if !rules.listed(&policy::GrantFacts::labelled("local")) {
            let effect = decide(&rules, &arguments).effect;
            prop_assert!(matches!(effect, Effect::Deny | Effect::Hide), "{effect}");
        }
    }

    #[test]
    fn observing_a_document_stops_nothing(
        mut document in document(), arguments in arguments(), class in class(), name in prop::sample::select(NAMES.to_vec()),
    ) {
        document["mode"] = json!("observe");
        let decision = decide(&loaded(&document).for_tool(&classed(name, class)), &arguments);
        prop_assert_eq!(decision.effect, Effect::Allow);
        prop_assert!(decision.limits.iter().all(|taken| taken.limit.observed));
    }

    #[test]
    fn any_text_is_read_without_harm(text in "[ -~\\n\\t\u{e9}\u{202e}]{0,200}", comments_allowed in any::<bool>()) {
        let loaded = load(&text, Load { comments_allowed });
        let rendered = policy::diagnostic::render(&loaded.diagnostics, "p", &text, Default::default());
        prop_assert_eq!(loaded.policy.is_none(), rendered.contains("error"));
    }

    #[test]
    fn any_damage_is_read_without_harm(document in document(), at in any::<prop::sample::Index>(), put in "[\"{}\\[\\],:a0-9\\\\ /*]{0,3}") {
        let mut text = document.to_string();
        let at = at.index(text.len());
        text.replace_range(at..at + 1, &put);
        let loaded = load(&text, Load { comments_allowed: true });
        prop_assert_eq!(loaded.policy.is_none(), loaded.diagnostics.iter().any(policy::Diagnostic::is_error));
        let _ = policy::diagnostic::to_json(&loaded.diagnostics, &text);
    }
}
