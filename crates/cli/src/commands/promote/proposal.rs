//! The policy that would be in force: a person's own text, with what the proposal changes in it and nothing else.

use gateway::policy_file::compile;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use policy::Class;
use risk::pins::Section;
use risk::recommend::{Bounds, Recommendation, Temper, recommend};
use risk::{Definition, assess};
use serde_json::Value;

use crate::client_files::policies;

/// Fields of a policy that stop nothing by themselves.
const NO_RULES: [&str; 6] = ["$schema", "version", "description", "mode", "timezone", "tests"];

/// What is proposed.
#[derive(Debug, PartialEq)]
pub enum Proposal {
    /// Nothing changes.
    Nothing,
    /// The rules that are there stop calls from now on.
    Enforce(String),
    /// Rules by what the tools can do are added.
    Rules {
        /// The policy.
        text: String,
        /// How strict they are.
        temper: Temper,
        /// Tools that no policy can name, and that stay denied.
        unnamed: Vec<String>,
    },
}

/// Makes a proposal for a policy that can be used.
///
/// # Errors
/// Why there is none.
pub fn propose(text: &str, temper: Option<Temper>, bounds: &Bounds, tools: &Section) -> Result<Proposal, String> {
    let document = read(text)?;
    let observes = document.get("mode").and_then(Value::as_str) == Some("observe");
    let temper = match temper {
        None if (!observes || has_rules(&document)) && !is_empty(bounds) => {
            return Err("--domain, --root, --host and --cap are for rules that are made, and its own rules stay: add \
                        --temper balanced or locked-down for such rules beside them"
                .to_owned());
        }
        None if !observes => return Ok(Proposal::Nothing),
        None if has_rules(&document) => return Ok(changed(text, Proposal::Enforce(enforced(text)?))),
        None => Temper::Balanced,
        Some(Temper::Observe) if !observes => {
            return Err("it stops calls already, and promote never ends that. To watch again: --back in place of \
                        --temper observe, for the policy of before, or its `mode` with toolgate policy edit"
                .to_owned());
        }
        Some(temper) => temper,
    };
    if tools.is_empty() {
        return Err("no definition of a tool of it is known yet, so no rules can be proposed: use it once in its \
                    client, so that its tools are listed, and try again"
            .to_owned());
    }
    let made = recommended(tools, temper, bounds);
    let text_now = merged(text, &document, &made, temper)?;
    checked(&text_now)?;
    let rules = Proposal::Rules { text: text_now, temper, unnamed: made.unnamed };
    Ok(changed(text, rules))
}

fn is_empty(bounds: &Bounds) -> bool {
    bounds.domains.is_empty() && bounds.roots.is_empty() && bounds.hosts.is_empty() && bounds.cap.is_none()
}

/// A proposal that changes nothing is none.
fn changed(before: &str, proposal: Proposal) -> Proposal {
    match &proposal {
        Proposal::Enforce(text) | Proposal::Rules { text, .. } if text == before => Proposal::Nothing,
        _ => proposal,
    }
}

fn read(text: &str) -> Result<Value, String> {
    jsonc_parser::parse_to_serde_value(text, &ParseOptions::default()).map_err(|error| error.to_string())
}

/// Whether a policy would stop nothing, were it enforced.
pub fn stops_nothing(text: &str) -> bool {
    read(text).is_ok_and(|document| !has_rules(&document))
}

fn has_rules(document: &Value) -> bool {
    let Some(fields) = document.as_object() else { return false };
    let denies = document.get("default").and_then(Value::as_str) != Some("allow");
    let empty =
        |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty) || value == &Value::Array(Vec::new());
    let rules = fields.iter().filter(|(key, _)| *key != "default" && !NO_RULES.contains(&key.as_str()));
    denies || rules.into_iter().any(|(_, value)| !empty(value))
}

/// Rules by what was accepted.
fn recommended(tools: &Section, temper: Temper, bounds: &Bounds) -> Recommendation {
    let definitions: Vec<(&String, Value, Class, bool)> = tools
        .iter()
        .map(|(name, pin)| {
            let definition = serde_json::from_str(&pin.definition).unwrap_or_default();
            (name, definition, pin.class_in_force(), pin.set.is_some())
        })
        .collect();
    let judged: Vec<_> = definitions
        .iter()
        .map(|(name, value, class, set)| {
            let definition = Definition { name, ..Definition::of(value) };
            let mut can = assess(&definition);
            if *set {
                // A person's word goes before the classifier's.
                can.class = *class;
            }
            (definition, can)
        })
        .collect();
    recommend(&judged, temper, bounds)
}

/// The text with `mode` set to enforce.
fn enforced(text: &str) -> Result<String, String> {
    edited(text, |root| {
        set(root, "mode", CstInputValue::String("enforce".to_owned()));
        Ok(())
    })
}

/// A person's text with the rules of a recommendation beside the own ones, which stay as they are.
fn merged(text: &str, document: &Value, made: &Recommendation, temper: Temper) -> Result<String, String> {
    let own = |list: &str, name: &str| {
        let list = document.get(list);
        let among = |value: &Value| value.as_array().is_some_and(|all| all.iter().any(|one| one == name));
        list.is_some_and(|list| list.get(name).is_some() || among(list))
    };
    let field = |name: &str| made.document.get(name);
    edited(text, |root| {
        if document.get("description").and_then(Value::as_str) == policies::description() {
            // Rules that are observed are balanced ones, and stay that when they are enforced.
            let rules = if temper == Temper::Observe { Temper::Balanced } else { temper };
            let description =
                format!("Made by `toolgate promote`: {}, by what the accepted tools can do.", rules.as_str());
            set(root, "description", description.into());
        }
        let mode = if temper == Temper::Observe { "observe" } else { "enforce" };
        if document.get("mode").is_some() || temper == Temper::Observe {
            set(root, "mode", mode.into());
        }
        set(root, "default", "deny".into());
        let hidden = field("hide").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let hidden: Vec<&str> = hidden.filter(|name| !own("tools", name) && !own("hide", name)).collect();
        if !hidden.is_empty() {
            let hide = root.array_value_or_create("hide").ok_or("its `hide` is no list")?;
            hidden.into_iter().for_each(|name| drop(hide.append(name.into())));
        }
        let entries = field("tools").and_then(Value::as_object).into_iter().flatten();
        let entries: Vec<_> = entries.filter(|(name, _)| !own("tools", name)).collect();
        if !entries.is_empty() {
            let tools = root.object_value_or_create("tools").ok_or("its `tools` is no object")?;
            entries.into_iter().for_each(|(name, entry)| drop(tools.append(name, input(entry))));
        }
        let named = |test: &Value, key: &str| test.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let known: Vec<String> = document
            .get("tests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|test| named(test, "name"))
            .collect();
        let tests = field("tests").and_then(Value::as_array).into_iter().flatten();
        let fits = |test: &&Value| !own("tools", &named(test, "call")) && !known.contains(&named(test, "name"));
        let tests: Vec<_> = tests.filter(fits).collect();
        if !tests.is_empty() {
            let list = root.array_value_or_create("tests").ok_or("its `tests` is no list")?;
            tests.into_iter().for_each(|test| drop(list.append(input(test))));
        }
        Ok(())
    })
}

fn edited(text: &str, edit: impl FnOnce(&CstObject) -> Result<(), &'static str>) -> Result<String, String> {
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let object = root.object_value().ok_or("it is no object")?;
    edit(&object)?;
    Ok(root.to_string())
}

fn set(object: &CstObject, name: &str, value: CstInputValue) {
    match object.get(name) {
        Some(field) => field.set_value(value),
        None => drop(object.append(name, value)),
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(all) => CstInputValue::Array(all.iter().map(input).collect()),
        Value::Object(fields) => {
            CstInputValue::Object(fields.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}

fn checked(text: &str) -> Result<(), String> {
    let why = |rejected: gateway::policy_file::Rejected| {
        let first = rejected.diagnostics.iter().find(|finding| finding.is_error());
        let what = first.map_or_else(String::new, |finding| format!(": {}", finding.message));
        format!("the rules would not go together with those that are there{what}; edit the policy by hand")
    };
    compile(text.to_owned()).map(|_| ()).map_err(why)
}

#[cfg(test)]
mod tests {
    use risk::pins::{FIRST_LIST, Pin};

    use super::*;

    fn propose(text: &str, temper: Option<Temper>, tools: &Section) -> Result<Proposal, String> {
        super::propose(text, temper, &Bounds::default(), tools)
    }

    fn tools(definitions: &[(&str, &str)]) -> Section {
        let pin = |(name, description): &(&str, &str)| {
            let definition =
                serde_json::json!({ "name": name, "description": description, "inputSchema": { "type": "object" } });
            let class = assess(&Definition::of(&definition)).class;
            let pin = Pin {
                digest: "sha256:0".to_owned(),
                class,
                set: None,
                accepted: "2026-11-21T14:00:00Z".to_owned(),
                by: FIRST_LIST.to_owned(),
                definition: definition.to_string(),
            };
            ((*name).to_owned(), pin)
        };
        definitions.iter().map(pin).collect()
    }

    fn two() -> Section {
        tools(&[("read_file", "Reads a file."), ("delete_file", "Deletes a file for good.")])
    }

    #[test]
    fn rules_that_are_made_name_what_is_the_operators() {
        let mut tools = two();
        let definition = serde_json::json!({
            "name": "read_file", "description": "Reads a file.",
            "inputSchema": { "type": "object", "properties": { "path": { "type": "string" } } },
        });
        if let Some(pin) = tools.get_mut("read_file") {
            pin.definition = definition.to_string();
        }
        let bounds = Bounds { roots: vec!["/srv/data".to_owned()], ..Bounds::default() };
        let observing = "{ \"version\": \"1\", \"mode\": \"observe\", \"default\": \"allow\" }";
        let made = |temper, bounds: &Bounds| super::propose(observing, temper, bounds, &tools);
        for temper in [None, Some(Temper::LockedDown)] {
            let Ok(Proposal::Rules { text, .. }) = made(temper, &bounds) else { panic!("rules are made") };
            let Ok(Proposal::Rules { text: without, .. }) = made(temper, &Bounds::default()) else { panic!() };
            assert!(text.contains("/srv/data") && !without.contains("/srv/data"), "{text}");
        }
        // Own rules that stay are not bounded by what nobody reads.
        let own = observing.replace("\"allow\"", "\"deny\"");
        for text in [own.clone(), own.replace("observe", "enforce")] {
            let why = super::propose(&text, None, &bounds, &tools).unwrap_err();
            assert!(why.contains("--temper"), "{why}");
        }
    }

    #[test]
    fn a_policy_with_rules_keeps_them_and_every_comment() {
        let text = "{\n  // mine\n  \"version\": \"1\",\n  \"mode\": \"observe\", // for now\n  \"default\": \"allow\",\n  \"tools\": { \"delete_file\": { \"action\": \"deny\" } }\n}\n";
        let Ok(Proposal::Enforce(now)) = propose(text, None, &two()) else { panic!("it has rules") };
        assert_eq!(now, text.replace("\"observe\"", "\"enforce\""));
        assert_eq!(propose(&now, None, &two()), Ok(Proposal::Nothing), "it enforces already");
        // Asked for, rules are put beside the own ones.
        let Ok(Proposal::Rules { text: now, .. }) = propose(text, Some(Temper::LockedDown), &two()) else { panic!() };
        let value = read(&now).unwrap();
        assert_eq!(value.pointer("/tools/delete_file"), Some(&serde_json::json!({ "action": "deny" })));
        assert!(value.pointer("/tools/read_file").is_some() && value.get("hide").is_none(), "{now}");
        assert!(now.contains("// mine") && now.contains("// for now"), "{now}");
    }

    #[test]
    fn a_policy_without_rules_gets_balanced_ones() {
        let text = "{ \"version\": \"1\", \"mode\": \"observe\", \"default\": \"allow\", \"description\": \"ours\" }";
        let Ok(Proposal::Rules { text: now, temper, .. }) = propose(text, None, &two()) else { panic!() };
        let value = read(&now).unwrap();
        assert_eq!(temper, Temper::Balanced);
        assert_eq!(value.pointer("/tools/delete_file/action"), Some(&"require_approval".into()), "{now}");
        assert_eq!((value.get("mode"), value.get("default")), (Some(&"enforce".into()), Some(&"deny".into())));
        assert_eq!(value.get("description"), Some(&"ours".into()));
        // To watch the rules first.
        let Ok(Proposal::Rules { text: now, .. }) = propose(text, Some(Temper::Observe), &two()) else { panic!() };
        assert_eq!(read(&now).unwrap().get("mode"), Some(&"observe".into()));
        let Ok(Proposal::Enforce(_)) = propose(&now, None, &two()) else { panic!("now it has rules") };
        assert!(propose(text, None, &Section::new()).unwrap_err().contains("listed"));
    }

    #[test]
    fn enforcement_never_ends() {
        for text in [
            r#"{ "version": "1", "mode": "enforce", "default": "deny", "tools": { "read_file": {} } }"#,
            r#"{ "version": "1", "default": "deny" }"#,
            r#"{ "version": "1", "default": "allow" }"#,
        ] {
            let why = propose(text, Some(Temper::Observe), &two()).unwrap_err();
            assert!(why.contains("--back") && why.contains("policy edit"), "{text}: {why}");
        }
    }

    #[test]
    fn what_a_person_said_of_a_class_counts() {
        let mut tools = two();
        if let Some(pin) = tools.get_mut("read_file") {
            pin.set = Some(Class::Financial);
        }
        let text = "{ \"version\": \"1\", \"mode\": \"observe\", \"default\": \"allow\" }";
        let Ok(Proposal::Rules { text: now, .. }) = propose(text, None, &tools) else { panic!() };
        assert_eq!(read(&now).unwrap().pointer("/tools/read_file/action"), Some(&"require_approval".into()));
    }

    #[test]
    fn rules_are_what_could_stop_a_call() {
        for (text, has) in [
            (r#"{ "version": "1", "default": "allow", "mode": "observe" }"#, false),
            (r#"{ "version": "1", "default": "allow", "tools": {} }"#, false),
            (r#"{ "version": "1", "default": "deny" }"#, true),
            (r#"{ "version": "1" }"#, true),
            (r#"{ "version": "1", "default": "allow", "classes": { "write": {} } }"#, true),
            (r#"{ "version": "1", "default": "allow", "hide": ["x"] }"#, true),
        ] {
            assert_eq!(has_rules(&read(text).unwrap()), has, "{text}");
        }
    }
}
