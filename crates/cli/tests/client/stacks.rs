//! Grants for several servers, by commands and by a file.

use serde_json::json;

use crate::house::{CLOSED, House, OPEN, Told};

const SPANNING: &str =
    r#"{ "version": "1", "default": "deny", "servers": ["crm", "mail"], "tools": { "mail__send": {} } }"#;

fn furnished() -> House {
    let house = House::furnished();
    house.run(&["server", "add", "mail", "--url", "https://mail.example/mcp"]).done();
    let spanning = house.file("all.json", SPANNING);
    house.run(&["policy", "put", "all", &spanning, "--publish", "--reason", "the first"]).done();
    house
}

#[test]
fn a_grant_for_several_is_minted_listed_and_changed() {
    let house = furnished();
    let mint = [
        &["grant", "mint", "ann", "--agent", "laptop", "--server", "mail", "--server", "crm", "--policy", "all"][..],
        &["--policy-at", "crm=careful", "--unprefixed", "mail", "--search"],
    ]
    .concat();
    let token = house.run(&mint).done();
    assert!(token.starts_with("tg_") && token.lines().count() == 1, "{token:?}");
    let list = house.run(&["grant", "list", "--server", "crm"]).done();
    assert!(list.contains("mail/ann") && list.contains("mail, crm") && list.contains("crm/desk"), "{list}");
    // It is known by its label at any of its servers.
    let shown = house.run(&["grant", "show", "crm/ann"]).json();
    assert_eq!(shown, house.run(&["grant", "show", "mail/ann"]).json());
    assert_eq!((&shown["server"], &shown["search"]), (&json!(null), &json!(true)));
    assert_eq!(shown["servers"].as_array().unwrap().len(), 2);
    house.run(&["grant", "attach", "mail/ann", "--server-policy", "--at", "crm"]).done();
    house.run(&["grant", "set", "mail/ann", "--server", "crm", "--server", "mail", "--all-prefixed"]).done();
    house.run(&["grant", "set", "mail/ann", "--search", "false"]).done();
    let shown = house.run(&["grant", "show", "crm/ann"]).json();
    assert_eq!((&shown["policies"], &shown["unprefixed"], &shown["search"]), (&json!({}), &json!([]), &json!(false)));
    assert!(house.run(&["grant", "list"]).done().contains("crm, mail"));
    house.run(&["stop-calls", "--grant", "mail/ann", "--reason", "an incident"]).done();
    house.run(&["server", "remove", "crm", "--reason", "gone"]).done();
    assert!(house.run(&["grant", "list"]).done().contains("mail/ann"));
    house.run(&["grant", "revoke", "mail/ann"]).done();
    assert_eq!(house.run(&["grant", "list"]).done(), "There is no grant.\n");
}

#[test]
fn what_is_wrong_with_several_is_told() {
    let house = furnished();
    let mint = |more: &[&str]| house.run(&[&["grant", "mint", "ann", "--agent", "laptop"][..], more].concat());
    assert!(mint(&[]).unusable().contains("--server"));
    assert!(mint(&["--search"]).unusable().contains("--server"));
    assert!(mint(&["--server", "mail", "--policy-at", "mail"]).unusable().contains("SERVER=POLICY"));
    assert!(mint(&["--server", "mail", "--server", "nil"]).no().contains("field /servers/1"));
    let careful = mint(&["--server", "mail", "--server", "crm", "--policy", "careful"]).no();
    assert!(careful.contains("field /policy") && careful.contains("a policy for several servers"), "{careful}");
    assert!(house.run(&["grant", "set", "crm/desk", "--search", "true"]).no().contains("for one server"));
    assert!(house.run(&["grant", "attach", "crm/desk", "careful", "--at", "crm"]).no().contains("field /server"));
}

const FILE: &str = r#"
[servers.crm]
url = "https://crm.example/mcp"
policy = "careful.policy.json"

[servers.mail]
url = "https://mail.example/mcp"

[[grants]]
label = "ann"
servers = ["mail", "crm"]
policy = "all.policy.json"
policies = { crm = "open.policy.json" }
unprefixed = ["mail"]
search = true
token_file = "ann.token"
"#;

fn declared() -> House {
    let house = House::set_up();
    house.file("toolgate.toml", FILE);
    house.file("careful.policy.json", CLOSED);
    house.file("open.policy.json", OPEN);
    house.file("all.policy.json", SPANNING);
    house
}

fn apply(house: &House, more: &[&str]) -> Told {
    house.run(&[&["apply", "-f", "toolgate.toml"][..], more].concat())
}

fn lines(out: &str, wanted: &[&str]) {
    for line in wanted {
        assert!(out.contains(line), "{line} in {out}");
    }
}

#[test]
fn a_stack_of_a_file_is_brought_about_and_put_right() {
    let house = declared();
    let would = apply(&house, &["--dry-run"]);
    assert_eq!(would.code, 1);
    lines(&would.out, &["+ grant mail+crm/ann", "servers: mail, crm", "policy at crm: open", "6 to add"]);
    apply(&house, &[]).done();
    assert!(std::fs::read_to_string(house.path("ann.token")).unwrap().starts_with("tg_"));
    let again = apply(&house, &[]).done();
    lines(&again, &["Nothing to do:", "2 servers, 3 policies, 1 grant"]);
    // What drifts is put right.
    house.run(&["grant", "set", "mail/ann", "--server", "crm", "--server", "mail", "--search", "false"]).done();
    house.run(&["grant", "attach", "crm/ann", "--server-policy", "--at", "crm"]).done();
    let out = apply(&house, &[]).done();
    lines(
        &out,
        &["servers: [\"crm\",\"mail\"] → [\"mail\",\"crm\"]", "search: false → true", "policy at crm: that of"],
    );
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
    // Another server, which the policy spans from then on; and then one fewer.
    let more = "[servers.files]\nurl = \"https://files.example/mcp\"\n";
    let wider =
        FILE.replace("[\"mail\", \"crm\"]", "[\"mail\", \"crm\", \"files\"]").replace("all.policy", "wide.policy");
    house.file("toolgate.toml", &format!("{more}{wider}"));
    house.file("wide.policy.json", &SPANNING.replace("\"mail\"]", "\"mail\", \"files\"]"));
    let out = apply(&house, &["--prune"]).done();
    lines(&out, &["+ server files", "~ grant mail+crm+files/ann", "policy: all → wide", "- policy all"]);
    assert!(apply(&house, &["--prune"]).done().contains("Nothing to do"));
    house.file("toolgate.toml", FILE);
    let out = apply(&house, &["--prune"]).done();
    lines(&out, &["~ grant mail+crm/ann", "- server files", "- policy wide"]);
    assert!(apply(&house, &["--prune"]).done().contains("Nothing to do"));
    // One for a single server is another grant.
    let one = FILE.replace("servers = [\"mail\", \"crm\"]", "server = \"mail\"").replace("search = true", "");
    let one = one.replace("policies = { crm = \"open.policy.json\" }", "").replace("unprefixed = [\"mail\"]", "");
    house.file("toolgate.toml", &one);
    let why = apply(&house, &[]).no();
    assert!(why.contains("it is for several servers") && why.contains("grant revoke mail/ann"), "{why}");
    // And what is not declared goes when it is pruned.
    let nothing = FILE.split("[[grants]]").next().unwrap();
    house.file("toolgate.toml", nothing);
    let out = apply(&house, &["--prune"]).done();
    lines(&out, &["- grant mail+crm/ann", "it is revoked, for good"]);
    assert_eq!(house.run(&["grant", "list"]).done(), "There is no grant.\n");
}
