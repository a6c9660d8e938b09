//! Who may do something: organisations, members, API tokens.

use crate::house::House;

#[test]
fn organisations_and_their_first_admins() {
    let house = House::set_up();
    let password = house.file("eve", "battery staple correct");
    house.run(&["org", "add", "sales", "--title", "Sales", "--admin", "eve", "--password-file", &password]).done();
    let all = house.run(&["org", "list"]).done();
    assert!(all.contains("sales") && all.contains("default"), "{all}");
    house.run(&["login", "--organisation", "sales", "--name", "eve", "--password-file", &password]).done();
    assert!(house.run(&["whoami"]).done().contains("member:eve in sales as admin"));
    let why = house.run(&["org", "list"]).no();
    assert!(why.contains("first organisation"), "{why}");
}

#[test]
fn members_are_made_changed_and_disabled() {
    let house = House::set_up();
    let password = house.file("bob", "a password of bob's");
    house.run(&["member", "add", "bob", "--role", "viewer", "--password-file", &password]).done();
    house.run(&["member", "add", "carol", "--role", "auditor", "--no-password", "--display", "Carol C."]).done();
    let list = house.run(&["member", "list"]).done();
    assert!(list.contains("auditor  Carol C.      no password"), "{list}");
    let twice = house.run(&["member", "add", "bob", "--role", "viewer", "--no-password"]).no();
    assert!(twice.contains("another member has this name (field /name)"), "{twice}");
    house.run(&["member", "set", "bob", "--role", "policy-manager", "--reason", "promoted"]).done();
    let all = house.run(&["member", "list", "--json"]).json();
    let bob = all.as_array().unwrap().iter().find(|one| one["name"] == "bob").unwrap().clone();
    assert_eq!(bob["role"], "policy_manager");
    house.run(&["member", "set", "bob", "--disable"]).done();
    let why = house.run(&["login", "--name", "bob", "--password-file", &password]).no();
    assert!(why.contains("disabled"), "{why}");
    house.run(&["member", "set", bob["id"].as_str().unwrap(), "--enable"]).done();
    house.run(&["login", "--name", "bob", "--password-file", &password]).done();
    let why = house.run(&["member", "list"]).no();
    assert!(why.contains("that takes admin"), "{why}");
}

#[test]
fn what_nobody_said_or_nobody_has_is_told() {
    let house = House::set_up();
    assert!(house.run(&["member", "set", "ada"]).unusable().contains("say what is to change"));
    assert!(house.run(&["member", "set", "nobody", "--disable"]).no().contains("there is no member nobody"));
    let why = house.run(&["member", "add", "bob", "--role", "viewer"]).unusable();
    assert!(why.contains("--password-file"), "nobody is at a terminal: {why}");
    assert!(house.run(&["member", "set", "ada", "--role", "viewer"]).no().contains("admin"), "the last admin stays");
}

#[test]
fn an_api_token_is_printed_once_and_alone() {
    let house = House::set_up();
    let told = house.run(&["token", "add", "ci", "--role", "policy-manager", "--expires", "30d"]);
    assert!(told.err.contains("shown this once"), "{told:?}");
    let token = told.done();
    assert!(token.starts_with("tgp_") && token.ends_with('\n') && token.trim().len() == 53, "{token:?}");
    let as_ci = |words: &[&str]| {
        house.with(words, &[("TOOLGATE_INSTANCE", &house.url()), ("TOOLGATE_API_TOKEN", token.trim())], "")
    };
    assert!(as_ci(&["whoami"]).done().contains("token:ci in default as policy_manager"));
    let file = house.file("ci.token", &token);
    assert!(house.run(&["whoami", "--token-file", &file]).done().contains("token:ci"));
    let list = house.run(&["token", "list"]).done();
    assert!(list.contains("policy_manager") && !list.contains("tgp_"), "{list}");
    house.run(&["token", "revoke", "ci", "--reason", "it was in a log"]).done();
    let why = as_ci(&["whoami"]).unusable();
    assert!(why.contains("does not know the token") && !why.contains(token.trim()), "{why}");
    assert!(house.run(&["token", "list"]).done().contains("revoked "));
    let deeds = house.deeds();
    assert!(deeds.iter().any(|deed| deed.contains("token")), "{deeds:?}");
}
