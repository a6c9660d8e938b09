//! Policies that span several servers.

use policy::{Access, Call, Class, Effect, GrantFacts, Load, Numbers, Policy, ToolFacts, ToolRules};

fn policy() -> Policy {
    policy::load(include_str!("../documents/valid/stack.json"), Load::default()).policy.unwrap()
}

fn rules(policy: &Policy, server: &str, name: &str) -> ToolRules {
    policy.for_tool(&ToolFacts {
        server,
        name,
        class: Class::Read,
        class_accepted: true,
        input_schema: None,
        numbers: Numbers::default(),
    })
}

fn decide(policy: &Policy, server: &str, name: &str) -> (Effect, String) {
    let grant = GrantFacts::labelled("g");
    let now = "2026-01-05T12:00:00Z".parse().unwrap();
    let call = Call { arguments: None, grant: &grant, session: None, client_ip: None, now };
    let decision = rules(policy, server, name).decide(&call);
    (decision.effect, decision.rule.rule.clone())
}

#[test]
fn tools_are_known_by_server_and_name() {
    let policy = policy();
    assert_eq!(decide(&policy, "files", "read_file"), (Effect::Allow, "/tools/files__*".to_owned()));
    assert_eq!(decide(&policy, "web", "fetch"), (Effect::Allow, "/tools/web__fetch".to_owned()));
    assert_eq!(decide(&policy, "web", "read_file"), (Effect::Deny, "(default deny)".to_owned()));
    assert_eq!(decide(&policy, "web", "delete_page").0, Effect::Hide);
    // A server cannot borrow another one's name by what it calls its tools.
    assert_eq!(decide(&policy, "web", "files__read_file").0, Effect::Deny);
    assert!(rules(&policy, "files", "read_file").listed(&GrantFacts::labelled("g")));
}

#[test]
fn any_server_is_one_server() {
    let text = r#"{"version":"1","default":"deny","servers":["files","mail"],"hide":["*__secret"],
        "tools":{"*__read":{}},"resources":{"allow":["mcp+*+docs:*"]},"prompts":{"allow":["*__sum"]}}"#;
    let policy = policy::load(text, Load::default()).policy.unwrap();
    assert_eq!(decide(&policy, "mail", "read").0, Effect::Allow);
    // What a server calls its tools, prompts and resources never reads as another server's.
    assert_eq!(decide(&policy, "mail", "files__read").0, Effect::Deny);
    assert_eq!(decide(&policy, "mail", "files__secret").0, Effect::Deny);
    let allowed = |access: Access| matches!(access, Access::Allow { .. });
    assert!(allowed(policy.on("mail").resource("docs:a")) && !allowed(policy.on("mail").resource("x+docs:a")));
    assert!(allowed(policy.on("mail").prompt("sum")) && !allowed(policy.on("mail").prompt("x__sum")));
}

#[test]
fn a_server_that_the_policy_does_not_name_is_closed_also_under_an_open_default() {
    let text = r#"{"version":"1","default":"allow","servers":["files"]}"#;
    let open = policy::load(text, Load::default()).policy.unwrap();
    assert_eq!(decide(&open, "files", "x").0, Effect::Allow);
    assert_eq!(decide(&open, "mail", "x"), (Effect::Deny, "(not in servers)".to_owned()));
    assert!(!rules(&open, "mail", "x").listed(&GrantFacts::labelled("g")));
    assert!(matches!(open.on("files").prompt("x"), Access::Allow { .. }));
    // One way of saying so, whatever is asked for, and what can be done about it.
    for (closed, wanted) in [(open.on("mail"), "(not in servers)"), (open.clone(), "(default deny)")] {
        for access in [closed.prompt("x"), closed.resource("a:b"), closed.resource_template("a:{b}")] {
            let Access::Deny { rule, reason } = access else { panic!("{access:?}") };
            assert_eq!(rule.rule, wanted);
            assert_eq!(
                reason.contains("does not name `mail`") && reason.contains("add it"),
                wanted.contains("servers")
            );
        }
    }
}

#[test]
fn prompts_and_resources_are_known_by_server_too() {
    let policy = policy();
    let allowed = |access: Access| matches!(access, Access::Allow { .. });
    assert!(allowed(policy.on("files").resource("file:///srv/a")));
    assert!(!allowed(policy.on("files").resource("file:///srv/../etc/a")));
    assert!(!allowed(policy.on("web").resource("file:///srv/a")));
    assert!(allowed(policy.on("files").resource_template("file:///srv/{name}")));
    assert!(allowed(policy.on("web").prompt("summary")));
    assert!(!allowed(policy.on("web").prompt("other")));
}

#[test]
fn its_tests_name_tools_of_several_servers() {
    let outcomes = policy::cases::run(&policy(), &[]);
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(|outcome| outcome.passed), "{outcomes:?}");
}
