//! What a policy would have stopped, from the audit log: what observed rules said at the time, and what a proposed policy
//! says of the same calls by their names. Arguments are not in the log, so rules over them cannot be tried.

use gateway::policy_file::compile;
use policy::explain::{Said, Stage};
use policy::{Call, GrantFacts, Numbers, Policy, ToolFacts};
use risk::pins::{Pin, Section};

use crate::activity::{Tally, Times, Watched};

/// Calls that would have been stopped.
#[derive(Debug, PartialEq)]
pub struct Stop {
    /// The tool, resource or prompt.
    pub name: String,
    /// `deny`, `hide` or `ask`.
    pub effect: &'static str,
    /// The rule that says so.
    pub rule: String,
    /// How often, and when.
    pub times: Times,
}

/// What the rules said that were observed then.
pub fn recorded(watched: &Watched) -> Vec<Stop> {
    let stop = |((name, effect, rule), times): (&(String, &'static str, String), &Times)| Stop {
        name: name.clone(),
        effect,
        rule: rule.clone(),
        times: times.clone(),
    };
    most_first(watched.would.iter().map(stop).collect())
}

/// What a policy would have done with calls whatever their arguments.
pub fn foreseen(text: &str, server: &str, tools: &Section, called: &Tally<String>) -> Vec<Stop> {
    let Ok((in_force, _)) = compile(text.to_owned()) else { return Vec::new() };
    let stop = |(name, times): (&String, &Times)| {
        let pin = tools.get(name)?;
        let (effect, rule) = always(&in_force.policy, server, name, pin)?;
        Some(Stop { name: name.clone(), effect, rule, times: times.clone() })
    };
    most_first(called.iter().filter_map(stop).collect())
}

fn most_first(mut stops: Vec<Stop>) -> Vec<Stop> {
    stops.sort_by(|one, other| (other.times.times, &one.name).cmp(&(one.times.times, &other.name)));
    stops
}

/// What becomes of every call of a tool, and by which rule; none, where it depends on the call.
fn always(policy: &Policy, server: &str, name: &str, pin: &Pin) -> Option<(&'static str, String)> {
    let schema = mcp::json::locate(&pin.definition, &["inputSchema"]).ok().flatten();
    let facts = ToolFacts {
        server,
        name,
        class: pin.class_in_force(),
        class_accepted: pin.by_person(),
        input_schema: schema.map(|span| span.of(&pin.definition)),
        numbers: Numbers::default(),
    };
    let grant = GrantFacts::labelled("local");
    let call = Call { arguments: None, grant: &grant, session: None, client_ip: None, now: jiff::Timestamp::now() };
    let derivation = policy.for_tool(&facts).explain(&call);
    let steps = derivation.steps.into_iter().filter(|step| step.said == Said::Objects && !step.observed);
    steps.into_iter().find_map(|step| {
        let effect = match step.stage {
            Stage::Hidden => "hide",
            Stage::Definition | Stage::Naming | Stage::Action => "deny",
            Stage::Approval if step.conditions.is_empty() => "ask",
            _ => return None,
        };
        Some((effect, step.rule.map(|rule| rule.rule).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use policy::Class;
    use risk::pins::FIRST_LIST;

    use super::*;

    #[test]
    fn only_what_no_argument_changes_is_foreseen() {
        let pin = |name: &str| Pin {
            digest: String::new(),
            class: Class::Write,
            set: None,
            accepted: String::new(),
            by: FIRST_LIST.to_owned(),
            definition: format!("{{\"inputSchema\":{{\"type\":\"object\"}},\"name\":\"{name}\"}}"),
        };
        let names = ["asks", "bounded", "denied", "free", "hidden", "unnamed"];
        let tools: Section = names.iter().map(|name| ((*name).to_owned(), pin(name))).collect();
        let time = Timestamp::UNIX_EPOCH;
        let called = |name: &&str| ((*name).to_owned(), Times { times: 2, first: time, last: time });
        let called: Tally<String> = names.iter().chain(&["nobody_knows"]).map(called).collect();
        let text = r#"{ "version": "1", "default": "deny", "hide": ["hidden"], "tools": {
            "asks": { "action": "require_approval" },
            "bounded": { "require": [{ "conditions": [{ "path": "args.path", "op": "path_secret", "value": false }] }] },
            "denied": { "action": "deny" },
            "free": {} } }"#;
        assert!(compile(text.to_owned()).is_ok());
        let found = foreseen(text, "s", &tools, &called);
        let found: Vec<_> = found.iter().map(|stop| (stop.name.as_str(), stop.effect, stop.times.times)).collect();
        assert_eq!(found, [("asks", "ask", 2), ("denied", "deny", 2), ("hidden", "hide", 2), ("unnamed", "deny", 2)]);
    }
}
