//! The policies that the catalogue prints, and what its questions and answers tell a reader to add.

use std::path::PathBuf;

use policy::Effect;
use quota::Memory;
use serde_json::{Value, json};

use crate::asking::{ask, decide, noon, policy, take, tool};

/// The policies of the pages, with their tool. Empty when the pages are not there.
fn pages() -> Vec<(String, Value)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = beside.ancestors().map(|folder| folder.join("shared/seeds")).find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("skipped: ../shared is absent");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let pages: Vec<(String, Value)> = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let start = text.find('{').unwrap();
            let document: Value =
                serde_json::Deserializer::from_str(&text[start..]).into_iter().next().unwrap().unwrap();
            let tool = document["tools"].as_object().unwrap().keys().next().unwrap().clone();
            (tool, document)
        })
        .collect();
    assert!(!pages.is_empty());
    pages
}

#[test]
fn printed_policies_cap_their_tool_and_deny_the_rest() {
    for (name, document) in pages() {
        let text = document.to_string();
        let loaded = policy::load(&text, policy::Load::default());
        assert_eq!(loaded.diagnostics, [], "{name}");
        let policy = loaded.policy.unwrap();
        let rules = policy.for_tool(&tool(&name));
        let max = document["tools"][&name]["limits"][0]["max"].as_u64().unwrap();
        let counters = Memory::default();
        for index in 0..max {
            let decision = decide(&rules, r#"{"lead_id": 7}"#);
            assert_eq!(decision.effect, Effect::Allow, "{name} {index}");
            assert_eq!(decision.rule.rule, format!("/tools/{name}"));
            assert_eq!(take(&counters, &decision, noon()), Ok(()), "{name} {index}");
        }
        let full = take(&counters, &decide(&rules, "{}"), noon());
        assert_eq!(full, Err(format!("/tools/{name}/limits/{name}_rate")));
        let later = "2026-01-05T12:01:00Z".parse().unwrap();
        assert_eq!(take(&counters, &decide(&rules, "{}"), later), Ok(()), "{name} next minute");
        assert_eq!(ask(&text, &tool("another_tool"), "{}"), "deny (default deny)");
    }
}

#[test]
fn rate_limit_of_the_answers() {
    for (name, mut document) in pages() {
        // "Add a rate_limit block … setting max: 10 and window: 60 limits the tool to 10 calls per minute."
        document["tools"][&name] = json!({ "rate_limit": { "max": 10, "window": 60 } });
        let policy = policy(&document.to_string());
        let rules = policy.for_tool(&tool(&name));
        let counters = Memory::default();
        for _ in 0..10 {
            assert_eq!(take(&counters, &decide(&rules, "{}"), noon()), Ok(()));
        }
        assert_eq!(take(&counters, &decide(&rules, "{}"), noon()), Err(format!("/tools/{name}/rate_limit")));
    }
}

#[test]
fn action_and_reason_of_the_answers() {
    for (name, mut document) in pages() {
        // "Set action: deny … You can also include a reason field to explain why the tool is blocked."
        document["tools"][&name]["action"] = json!("deny");
        let text = document.to_string();
        assert_eq!(ask(&text, &tool(&name), "{}"), format!("deny /tools/{name}/action"));
        document["tools"][&name]["reason"] = json!("Not this week.");
        let decision = decide(&policy(&document.to_string()).for_tool(&tool(&name)), "{}");
        assert_eq!(decision.reason.as_deref(), Some("Not this week."));
        // "allow, deny, rate-limit, or require approval"
        document["tools"][&name] = json!({ "action": "require_approval" });
        assert_eq!(ask(&document.to_string(), &tool(&name), "{}"), format!("ask /tools/{name}/action"));
        document["tools"][&name] = json!({ "action": "allow" });
        assert_eq!(ask(&document.to_string(), &tool(&name), "{}"), format!("allow /tools/{name}"));
    }
}

#[test]
fn the_unconditional_denial_of_the_catalogue() {
    let text = r#"{ "version": "1", "default": "allow", "tools": { "wire": {
        "deny_if": [ { "conditions": [], "on_deny": "Requires human approval." } ] } } }"#;
    let decision = decide(&policy(text).for_tool(&tool("wire")), "{}");
    assert_eq!(decision.rule.rule, "/tools/wire/deny_if/always");
    assert_eq!(decision.reason.as_deref(), Some("Requires human approval."));
}
