//! `"opens": true`: a class makes its tools callable, where a person accepted or set it.

use policy::{Call, Class, GrantFacts, ToolFacts};

use crate::asking::{ask, decide_at, document, noon, of_class, policy, said};

fn unaccepted(name: &str, class: Class) -> ToolFacts<'_> {
    ToolFacts { class_accepted: false, ..of_class(name, class) }
}

const READS: &str = r#""classes": { "read": { "opens": true } }"#;

#[test]
fn a_class_opens_its_tools_and_no_others() {
    let no = "deny (default deny)";
    let two = r#""classes": { "write": { "opens": true }, "read": { "opens": true } }"#;
    let own = r#""classes": { "read": { "opens": true }, "unclassified": {} }"#;
    let named = r#""classes": { "read": { "opens": true } }, "tools": { "x*": {} }"#;
    let not = r#""classes": { "read": { "opens": false } }"#;
    for (fields, class, accepted, refused) in [
        (READS, Class::Read, "allow /classes/read", no),
        (READS, Class::Write, no, no),
        (READS, Class::Financial, no, no),
        // An unclassified tool is under the rules of every class, and opened by none.
        (READS, Class::Unclassified, no, no),
        (own, Class::Unclassified, no, no),
        (own, Class::Read, "allow /classes/read", no),
        (two, Class::Read, "allow /classes/read", no),
        (two, Class::Write, "allow /classes/write", no),
        (two, Class::Execute, no, no),
        (two, Class::Unclassified, no, no),
        (not, Class::Read, no, no),
        // What names it is told rather than its class, which changes nothing.
        (named, Class::Read, "allow /tools/x*", "allow /tools/x*"),
        (named, Class::Unclassified, "allow /tools/x*", "allow /tools/x*"),
    ] {
        let text = document("deny", fields);
        assert_eq!(ask(&text, &of_class("x", class), "{}"), accepted, "{fields} {class}");
        assert_eq!(ask(&text, &unaccepted("x", class), "{}"), refused, "{fields} {class}, which nobody accepted");
        let grant = GrantFacts::labelled("local");
        for (facts, expected) in [(of_class("x", class), accepted), (unaccepted("x", class), refused)] {
            assert_eq!(
                policy(&text).for_tool(&facts).listed(&grant),
                expected.starts_with("allow"),
                "{fields} {facts:?}"
            );
        }
    }
    // Under `default: allow` there is nothing to open.
    assert_eq!(ask(&document("allow", READS), &of_class("x", Class::Read), "{}"), "allow /default");
}

#[test]
fn what_denies_wins() {
    let read = |rules: &str| format!(r#""classes": {{ "read": {{ "opens": true{rules} }} }}"#);
    for (fields, arguments, expected) in [
        (read(""), "{}", "allow /classes/read"),
        (read(r#", "action": "allow""#), "{}", "allow /classes/read"),
        (read(r#", "action": "deny""#), "{}", "deny /classes/read/action"),
        (read(r#", "action": "hide""#), "{}", "hide (hidden)"),
        (read(r#", "action": "require_approval""#), "{}", "ask /classes/read/action"),
        (read(r#", "deny_if": [ { "id": "n", "conditions": [] } ]"#), "{}", "deny /classes/read/deny_if/n"),
        (
            read(r#", "require": [ { "conditions": [ { "path": "args.a", "op": "eq", "value": 1 } ] } ]"#),
            r#"{"a": 1}"#,
            "allow /classes/read",
        ),
        (
            read(r#", "require": [ { "conditions": [ { "path": "args.a", "op": "eq", "value": 1 } ] } ]"#),
            r#"{"a": 2}"#,
            "deny /classes/read/require/args.a-eq",
        ),
        (read(r#" }, "write": { "action": "deny""#), "{}", "allow /classes/read"),
        (format!(r#"{}, "hide": ["x"]"#, read("")), "{}", "hide (hidden)"),
        (format!(r#"{}, "tools": {{ "x": {{ "action": "deny" }} }}"#, read("")), "{}", "deny /tools/x/action"),
        (format!(r#"{}, "all_tools": {{ "action": "deny" }}"#, read("")), "{}", "deny /all_tools/action"),
        (read(""), r#"{"a": 1, "A": 2}"#, "deny (ambiguous arguments)"),
    ] {
        let text = document("deny", &fields);
        assert_eq!(ask(&text, &of_class("x", Class::Read), arguments), expected, "{text} {arguments}");
    }
}

#[test]
fn it_ends_and_is_observed_like_a_name() {
    let ends = document(
        "deny",
        r#""classes": { "read": { "opens": true, "valid_until": "2026-01-05T12:00:00Z" } }, "tools": { "y": {} }"#,
    );
    let at = |time: &str| {
        let decision = decide_at(&policy(&ends).for_tool(&of_class("x", Class::Read)), "{}", time.parse().unwrap());
        (said(&decision), decision.reason.as_deref().map(str::to_owned))
    };
    assert_eq!(at("2026-01-05T11:59:59Z").0, "allow /classes/read");
    let ended = "The permission to call this tool has ended.".to_owned();
    assert_eq!(at("2026-01-05T12:00:00Z"), ("deny (default deny)".to_owned(), Some(ended)));
    // A name that ended leaves the tool to its class.
    let both = document(
        "deny",
        r#""classes": { "read": { "opens": true } }, "tools": { "x": { "valid_until": "2026-01-01T00:00:00Z" } }"#,
    );
    assert_eq!(ask(&both, &of_class("x", Class::Read), "{}"), "allow /classes/read");

    // An observed entry opens all the same, and what it would have done is told.
    let observed = r#""classes": { "read": { "opens": true, "mode": "observe", "action": "deny" } }"#;
    for (facts, expected, would) in [
        (of_class("x", Class::Read), "allow /classes/read", vec!["/classes/read/action"]),
        (unaccepted("x", Class::Read), "deny (default deny)", vec!["/classes/read/action"]),
        (of_class("x", Class::Unclassified), "deny (default deny)", vec!["/classes/read/action"]),
    ] {
        let decision = decide_at(&policy(&document("deny", observed)).for_tool(&facts), "{}", noon());
        assert_eq!(said(&decision), expected, "{facts:?}");
        assert_eq!(decision.would.iter().map(|would| would.rule.rule.as_str()).collect::<Vec<_>>(), would);
    }
    // Of a wholly observed document the default would deny what nothing opens.
    let whole = document("deny", &format!(r#""mode": "observe", {READS}"#));
    for (facts, expected, would) in [
        (of_class("x", Class::Read), "allow /classes/read", 0),
        (unaccepted("x", Class::Read), "allow /default", 1),
        (of_class("x", Class::Unclassified), "allow /default", 1),
    ] {
        let decision = decide_at(&policy(&whole).for_tool(&facts), "{}", noon());
        assert_eq!((said(&decision).as_str(), decision.would.len()), (expected, would), "{facts:?}");
    }
}

#[test]
fn explaining_says_what_opens_it_or_would() {
    let explain = |facts: &ToolFacts<'_>, fields: &str| {
        let grant = GrantFacts::labelled("local");
        let call = Call { arguments: None, grant: &grant, session: None, client_ip: None, now: noon() };
        policy(&document("deny", fields)).for_tool(facts).explain(&call).to_string()
    };
    let opened = explain(&of_class("x", Class::Read), READS);
    let step = "=> opened by  /classes/read: this opens the tool: its class was accepted or set by a person\n";
    assert!(opened.contains(step), "{opened}");

    let waiting = explain(&unaccepted("x", Class::Read), READS);
    for line in [
        "DENY: x (read) on files\n",
        "  detail  /classes/read opens this tool once a person accepts or sets its class\n",
        "   opened by  /classes/read: this would open the tool, but nobody has accepted or set its class\n",
        "=> opened by  (default deny): nothing else opens this tool\n",
    ] {
        assert!(waiting.contains(line), "{line} in {waiting}");
    }
    let ended = r#""classes": { "read": { "opens": true, "valid_until": "2026-01-01T00:00:00Z" } }"#;
    let ended = explain(&unaccepted("x", Class::Read), ended);
    assert!(ended.contains("(default deny): nothing under `tools` names this tool\n"), "{ended}");
    assert!(!ended.contains("would open"), "{ended}");

    let unclassified = explain(&of_class("x", Class::Unclassified), READS);
    assert!(unclassified.contains("and no class opens what nobody classified\n"), "{unclassified}");
    let named = explain(&unaccepted("x", Class::Read), &format!(r#"{READS}, "tools": {{ "x": {{}} }}"#));
    assert!(
        named.contains("=> opened by  /tools/x: this opens the tool\n") && !named.contains("would open"),
        "{named}"
    );
}

#[test]
fn tests_of_a_policy_say_or_are_told_the_class() {
    let text = document(
        "deny",
        r#""classes": { "read": { "opens": true } }, "tests": [
            { "name": "said", "call": "look", "given": { "class": "read" }, "expect": "allow", "rule": "/classes/read" },
            { "name": "other", "call": "look", "given": { "class": "write" }, "expect": "deny", "rule": "(default deny)" },
            { "name": "nobody said", "call": "look", "expect": "deny" },
            { "name": "told", "call": "see", "expect": "allow" } ]"#,
    );
    let policy = policy(&text);
    let passed = |tools: &[ToolFacts<'_>]| -> Vec<bool> {
        policy::cases::run(&policy, tools).iter().map(|outcome| outcome.passed).collect()
    };
    assert_eq!(passed(&[]), [true, true, true, false]);
    assert_eq!(passed(&[of_class("see", Class::Read)]), [true, true, true, true]);
    assert_eq!(passed(&[unaccepted("see", Class::Read)]), [true, true, true, false]);
    // The word of the test stands above that of the definition.
    assert_eq!(passed(&[unaccepted("look", Class::Write)]), [true, true, true, false]);
}
