//! Agents, servers and grants of an instance, and calls that are stopped.

use serde_json::json;

use crate::house::House;

#[test]
fn a_grant_is_minted_changed_rotated_and_revoked() {
    let house = House::furnished();
    let mint = ["grant", "mint", "crm/night", "--agent", "helpdesk", "--tag", "team=blue", "--network", "10.0.0.0/8"];
    let token = house.run(&mint).done();
    assert!(token.starts_with("tg_") && token.lines().count() == 1, "{token:?}");
    assert!(house.run(&mint).no().contains("has this label (field /label)"));
    let list = house.run(&["grant", "list", "--server", "crm"]).done();
    assert!(list.contains("crm/night") && list.contains("of its server") && !list.contains("tg_"), "{list}");
    house.run(&["grant", "set", "crm/night", "--owner", "platform", "--expires", "2030-01-01T00:00:00Z"]).done();
    let shown = house.run(&["grant", "show", "crm/night"]).json();
    assert_eq!((&shown["owner"], &shown["expires_at"]), (&"platform".into(), &1_893_456_000_000_i64.into()));
    assert_eq!((&shown["tags"]["team"], &shown["networks"][0]), (&"blue".into(), &"10.0.0.0/8".into()));
    house.run(&["grant", "set", "crm/night", "--owner", "", "--no-tags", "--anywhere", "--expires", "never"]).done();
    let shown = house.run(&["grant", "show", shown["id"].as_str().unwrap()]).json();
    assert!(shown["owner"].is_null() && shown["expires_at"].is_null(), "{shown}");
    assert!(shown["tags"].as_object().unwrap().is_empty() && shown["networks"].as_array().unwrap().is_empty());
    house.run(&["grant", "attach", "crm/night", "careful"]).done();
    assert!(house.run(&["grant", "list"]).done().contains("careful"));
    house.run(&["grant", "attach", "crm/night", "--server-policy"]).done();
    let other = house.run(&["grant", "rotate", "crm/night", "--overlap", "60"]).done();
    assert!(other.starts_with("tg_") && other != token);
    house.run(&["grant", "revoke", "crm/night", "--reason", "no longer used"]).done();
    assert!(house.run(&["grant", "show", "crm/night"]).no().contains("there is no grant night"));
    let deeds = house.deeds();
    for deed in ["grant.mint", "grant.rotate", "grant.revoke"] {
        assert!(deeds.iter().any(|one| one == deed), "{deed} in {deeds:?}");
    }
}

#[test]
fn unused_grants_are_listed() {
    let house = House::furnished();
    assert!(house.run(&["grant", "list", "--unused", "0"]).done().contains("crm/desk"));
    let none = house.run(&["grant", "list", "--unused", "90"]).done();
    assert_eq!(none, "There is no grant that nobody has used for 90 days.\n");
}

#[test]
fn a_long_list_comes_in_pages_and_is_whole() {
    let house = House::furnished();
    house.runtime.block_on(async {
        use store::control::access::{Actor, Role, Who};
        let organisation = house.instance.database().first_organisation().await.unwrap().id;
        let who = Who::Operator("ada".to_owned());
        let admin = Actor { organisation, first: true, who, role: Role::Admin };
        for number in 0..205 {
            house.instance.add_agent(&admin, &format!("agent-{number}"), None, "", "").await.unwrap();
        }
    });
    let all = house.run(&["agent", "list", "--json"]).json();
    assert_eq!(all.as_array().unwrap().len(), 206);
}

#[test]
fn agents_are_made_and_removed_with_their_grants() {
    let house = House::furnished();
    house.run(&["agent", "add", "night shift", "--owner", "ada", "--description", "answers at night"]).done();
    let list = house.run(&["agent", "list"]).done();
    assert!(list.contains("night shift") && list.contains("answers at night"), "{list}");
    house.run(&["agent", "remove", "night shift"]).done();
    house.run(&["agent", "remove", "helpdesk", "--reason", "gone"]).done();
    assert_eq!(house.run(&["grant", "list"]).done(), "There is no grant.\n");
}

#[test]
fn a_server_keeps_what_is_not_named() {
    let house = House::furnished();
    let url = house.url();
    let with =
        |words: &[&str], value: &str| house.with(words, &[("TOOLGATE_INSTANCE", &url), ("MAIL_TOKEN", value)], "");
    let add =
        ["server", "add", "mail", "--url", "https://mail.example/mcp", "--header-from", "Authorization=MAIL_TOKEN"];
    with(&[&add[..], &["--transport", "sse"]].concat(), "Bearer planted-1").done();
    house.run(&["server", "set", "mail", "--numbers", "exact", "--policy", "careful", "--title", "Mail"]).done();
    let shown = house.run(&["server", "show", "mail"]).json();
    assert_eq!(shown["reach"]["headers"], serde_json::json!(["Authorization"]));
    assert_eq!((&shown["settings"]["exact_numbers"], &shown["title"]), (&true.into(), &"Mail".into()));
    assert!(!shown.to_string().contains("planted"));
    with(&["server", "set", "mail", "--header-from", "X-Key=MAIL_TOKEN", "--calls-at-once", "7"], "planted-2").done();
    let shown = house.run(&["server", "show", "mail"]).json();
    assert_eq!(shown["reach"]["headers"], serde_json::json!(["Authorization", "X-Key"]));
    assert_eq!((&shown["settings"]["calls_at_once"], &shown["settings"]["exact_numbers"]), (&7.into(), &true.into()));
    // How it is spoken to stays as it was said, until it is to be found out.
    assert!(house.run(&["server", "list"]).done().contains("https://mail.example/mcp (sse)"));
    assert_eq!(shown["reach"]["transport"], "sse");
    house.run(&["server", "set", "mail", "--transport", "auto"]).done();
    let shown = house.run(&["server", "show", "mail"]).json();
    assert_eq!(
        (&shown["reach"]["transport"], &shown["reach"]["url"]),
        (&json!(null), &json!("https://mail.example/mcp"))
    );
    assert_eq!(shown["reach"]["headers"], json!(["Authorization", "X-Key"]), "with its secrets");
    assert!(
        house
            .run(&["server", "add", "x", "--transport", "sse"])
            .unusable()
            .contains("--transport are for a server with")
    );
    house.run(&["server", "set", "mail", "--no-policy"]).done();
    let list = house.run(&["server", "list"]).done();
    assert!(list.contains("mail  https://mail.example/mcp  none"), "{list}");
    house.run(&["server", "override", "mail", "export", "--class", "destructive", "--facet", "bulk=true"]).done();
    assert!(house.run(&["server", "override", "mail"]).done().contains("bulk=true"));
    house.run(&["server", "override", "mail", "export", "--clear"]).done();
    assert!(house.run(&["server", "override", "mail"]).done().contains("Nothing was said"));
    house.run(&["server", "remove", "mail", "--reason", "gone"]).done();
    assert!(house.run(&["server", "show", "mail"]).no().contains("there is nothing like that"));
}

#[test]
fn calls_are_stopped_and_go_on() {
    let house = House::furnished();
    assert_eq!(house.run(&["stop-calls", "--list"]).done(), "Nothing is stopped.\n");
    for what in [["--grant", "crm/desk"], ["--agent", "helpdesk"], ["--server", "crm"]] {
        house.run(&["stop-calls", what[0], what[1], "--reason", "it deletes"]).done();
    }
    house.run(&["stop-calls", "--everything", "--reason", "an incident"]).done();
    let list = house.run(&["stop-calls", "--list"]).done();
    assert_eq!(list.lines().filter(|line| line.contains("it deletes")).count(), 3, "{list}");
    house.run(&["resume", "--everything", "--reason", "it is over"]).done();
    house.run(&["resume", "--server", "crm", "--reason", "it is over"]).done();
    let left = house.run(&["stop-calls", "--list", "--json"]).json();
    assert_eq!(left.as_array().unwrap().len(), 2, "{left}");
    for wrong in [&["stop-calls", "--reason", "x"][..], &["stop-calls", "--everything"], &["resume", "--reason", "x"]] {
        house.run(wrong).unusable();
    }
    assert!(house.run(&["replicas"]).done().contains("No replica serves."));
}
