//! What is said about documents: text as on a terminal, compared with files.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p policy` writes the files anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use policy::diagnostic::{Code, Rendering, Severity, render, to_json};
use policy::{Load, load};

/// The documents of a folder of `tests/documents`, by name.
pub(crate) fn documents(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents").join(folder);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let documents: BTreeMap<String, String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap()))
        .collect();
    assert!(!documents.is_empty());
    documents
}

fn snapshot(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents").join(folder).join(format!("{name}.txt"))
}

#[test]
fn rendered_like_rustc() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut different = Vec::new();
    for folder in ["invalid", "warned"] {
        for (name, text) in documents(folder) {
            let loaded = load(&text, Load::default());
            assert_eq!(loaded.policy.is_none(), folder == "invalid", "{name}");
            let rendered = render(&loaded.diagnostics, &format!("{name}.json"), &text, Rendering::Plain);
            let file = snapshot(folder, &name);
            if update {
                std::fs::write(&file, &rendered).unwrap();
            } else if std::fs::read_to_string(&file).unwrap_or_default() != rendered {
                different.push(format!("{name}:\n{rendered}"));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The fuzz target's seeds: a line of arguments, then the document.
#[test]
fn seeds_of_the_fuzz_target_say_what_their_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/policy");
    let seeds: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let (name, content) = (seed.file_name().unwrap().to_str().unwrap(), std::fs::read_to_string(&seed).unwrap());
        let (line, text) = content.split_once('\n').unwrap();
        let arguments = line.trim_start_matches("// ");
        assert!(mcp::json::check(arguments.as_bytes()).is_ok(), "{name}: {arguments}");
        let loaded = load(text, Load { comments_allowed: line.starts_with("//") });
        assert_eq!(loaded.policy.is_none(), name.starts_with("invalid_"), "{name}: {:#?}", loaded.diagnostics);
    }
}

#[test]
fn valid_documents_have_no_errors() {
    for (name, text) in documents("valid") {
        let loaded = load(&text, Load { comments_allowed: true });
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(errors.is_empty() && loaded.policy.is_some(), "{name}: {errors:#?}");
        // Their own tests pass.
        for outcome in policy::cases::run(&loaded.policy.unwrap(), &[]) {
            assert!(outcome.passed, "{name}: {outcome:#?}");
        }
    }
}

#[test]
fn every_error_code_is_shown_by_some_document() {
    let mut missing: Vec<Code> = Code::ALL.iter().copied().filter(|code| code.severity() == Severity::Error).collect();
    for (_, text) in documents("invalid") {
        for found in load(&text, Load::default()).diagnostics {
            missing.retain(|code| *code != found.code);
        }
    }
    // Comments have a test of their own.
    missing.retain(|code| *code != Code::Comments);
    assert_eq!(missing, []);
}

#[test]
fn comments_and_trailing_commas_only_when_asked() {
    for text in [
        "{ \"version\": \"1\", \"default\": \"deny\" } // end",
        "/* begin */ { \"version\": \"1\", \"default\": \"deny\" }",
        "{ \"version\": \"1\", \"default\": \"deny\", }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"hide\": [\"a\",] }",
    ] {
        assert!(load(text, Load { comments_allowed: true }).policy.is_some(), "{text}");
        let strict = load(text, Load::default());
        assert!(strict.policy.is_none());
        assert_eq!(strict.diagnostics[0].code, Code::Comments, "{text}");
    }
}

/// What other parsers of JSON with comments let pass is refused either way.
#[test]
fn nothing_looser_than_comments_and_trailing_commas() {
    for text in [
        "{ version: \"1\", \"default\": \"deny\" }",
        "{ 'version': \"1\", \"default\": \"deny\" }",
        "{ \"version\": \"1\" \"default\": \"deny\" }",
        "{ \"version\": \"1\",, \"default\": \"deny\" }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"hide\": [\"a\" \"b\"] }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [{} {}] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [[1] [2]] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [,] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [01] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [+1] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [0x1] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [.5] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [5.] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [NaN] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [\"\\x41\"] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [\"\\ud800\"] } }",
        "{ \"version\": \"1\", \"default\": \"deny\", \"lists\": { \"a\": [\"\\udc00\\ud800\"] } }",
        "{ \"version\": \"1\", \"default\": \"deny\" } {}",
        "{ \"version\": \"1\", \"default\": \"deny\"",
        "\u{feff}{ \"version\": \"1\", \"default\": \"deny\" }",
        "{ \"version\": \"1\",\u{a0}\"default\": \"deny\" }",
        "{ \"version\": \"1\", \"default\": \"deny\" } /*",
        "",
        "null",
    ] {
        for comments_allowed in [false, true] {
            let loaded = load(text, Load { comments_allowed });
            assert!(loaded.policy.is_none() && !loaded.diagnostics.is_empty(), "{text} {comments_allowed}");
        }
    }
}

#[test]
fn the_same_as_data() {
    let text = "{\n  \"version\": \"1\",\n  \"default\": \"deny\",\n  \"tool\": {}\n}";
    let loaded = load(text, Load::default());
    let data = to_json(&loaded.diagnostics, text);
    let expected = serde_json::json!([{
        "code": "P0101",
        "severity": "error",
        "message": "a policy has no field `tool`",
        "places": [{ "start": 43, "end": 49, "from": { "line": 4, "column": 3 }, "to": { "line": 4, "column": 9 }, "text": "unknown field" }],
        "fix": { "start": 43, "end": 49, "from": { "line": 4, "column": 3 }, "to": { "line": 4, "column": 9 },
                 "replacement": "\"tools\"", "message": "a field with a similar name exists" }
    }]);
    assert_eq!(data, expected);
}

/// A fix that is offered makes its finding go away.
#[test]
fn fixes_fix() {
    for folder in ["invalid", "warned"] {
        for (name, text) in documents(folder) {
            let before = load(&text, Load::default()).diagnostics;
            for found in before.iter().filter(|found| found.fix.is_some()) {
                let fix = found.fix.clone().unwrap();
                let mut fixed = text.clone();
                fixed.replace_range(fix.range, &fix.replacement);
                let after = load(&fixed, Load::default()).diagnostics;
                let same = |other: &&policy::Diagnostic| other.code == found.code && other.message == found.message;
                let (was, is) = (before.iter().filter(same).count(), after.iter().filter(same).count());
                assert!(is < was, "{name}: {found:#?}");
            }
        }
    }
}

/// Whoever writes what a finding suggests is not told of the next one.
#[test]
fn what_is_suggested_is_accepted() {
    let policy = |member: &str| format!("{{ \"version\": \"1\", \"default\": \"deny\", {member} }}");
    let test =
        |test: &str| policy(&format!(r#""tools": {{ "a": {{ "deny_if": [{{ "conditions": [{{ {test} }}] }}] }} }}"#));
    let redact = |redact: &str| policy(&format!(r#""results": {{ "redact": {redact} }}"#));
    let errors = |text: &str| -> Vec<_> {
        load(text, Load::default()).diagnostics.into_iter().filter(|found| found.is_error()).collect()
    };
    for (wrong, suggested, right) in [
        (
            test(r#""path": "time.weekday", "op": "eq", "value": "Monday""#),
            "write `mon`",
            test(r#""path": "time.weekday", "op": "eq", "value": "mon""#),
        ),
        (
            test(r#""path": "time.weekday", "op": "not_in", "value": ["sat", "SUN"]"#),
            "write `sun`",
            test(r#""path": "time.weekday", "op": "not_in", "value": ["sat", "sun"]"#),
        ),
        // In the operator's own case, where case does not matter.
        (
            test(r#""path": "time.weekday", "op": "eq", "value": "Tues", "ignore_case": true"#),
            "write `tue`",
            test(r#""path": "time.weekday", "op": "eq", "value": "TUE", "ignore_case": true"#),
        ),
        (
            test(r#""path": "args.a", "op": "in", "value": "x""#),
            "for one value write `eq`",
            test(r#""path": "args.a", "op": "eq", "value": "x""#),
        ),
        (
            test(r#""path": "args.a", "op": "not_in", "value": "x""#),
            "for one value write `neq`",
            test(r#""path": "args.a", "op": "neq", "value": "x""#),
        ),
        (
            test(r#""path": "args.a", "op": "gt", "value": "10""#),
            "write the number without quotes",
            test(r#""path": "args.a", "op": "gt", "value": 10"#),
        ),
        (
            test(r#""path": "args.a", "op": "gt", "value": ".5""#),
            "write `100` or `\"2026-01-05T12:00:00Z\"`",
            test(r#""path": "args.a", "op": "gt", "value": 100"#),
        ),
        (
            test(r#""path": "args.a", "op": "gt", "value": "1e999""#),
            "write `100` or `\"2026-01-05T12:00:00Z\"`",
            test(r#""path": "args.a", "op": "gt", "value": "2026-01-05T12:00:00Z""#),
        ),
        (
            test(r#""path": "args.a", "op": "regex", "value": "x", "ignore_case": true"#),
            "begin the expression with `(?i)` in its place",
            test(r#""path": "args.a", "op": "regex", "value": "(?i)x""#),
        ),
        (
            redact(r#"[{ "name": "a", "pattern": "x*" }]"#),
            "ask for at least one character, such as `{1,200}` in place of `*`",
            redact(r#"[{ "name": "a", "pattern": "x{1,200}" }]"#),
        ),
        (redact(r#"["tokens", "token"]"#), "`tokens` is named already: remove this one", redact(r#"["tokens"]"#)),
        (
            policy(r#""tools": {}, "tool": {}"#),
            "`tools` stands here already: remove one of them",
            policy(r#""tools": {}"#),
        ),
        (
            policy(r#""classes": { "read": {}, "reads": { "action": "deny" } }"#),
            "`read` stands here already: put the rules of both there",
            policy(r#""classes": { "read": { "action": "deny" } }"#),
        ),
    ] {
        let found = errors(&wrong);
        let help: Vec<&str> = found.iter().flat_map(|found| &found.help).map(String::as_str).collect();
        assert_eq!((found.len(), help), (1, vec![suggested]), "{wrong}: {found:#?}");
        assert!(found.iter().all(|found| found.fix.is_none()), "{wrong}");
        assert_eq!(errors(&right), [], "{right}");
    }
}

/// A word of the language that is written in another case is the same word where a rule says that case does not matter.
#[test]
fn facts_are_compared_without_regard_to_case() {
    for (ignored, day, expected) in [(true, "MON", "deny"), (true, "Tue", "allow"), (false, "mon", "deny")] {
        let text = format!(
            r#"{{ "version": "1", "default": "allow", "tools": {{ "a": {{ "deny_if": [{{ "conditions": [
                 {{ "path": "time.weekday", "op": "eq", "value": "{day}", "ignore_case": {ignored} }}] }}] }} }},
                 "tests": [{{ "call": "a", "given": {{ "time": "2026-01-05T12:00:00Z" }}, "expect": "{expected}" }}] }}"#
        );
        let policy = load(&text, Load::default()).policy.unwrap();
        assert!(policy::cases::run(&policy, &[]).iter().all(|outcome| outcome.passed), "{text}");
    }
}
