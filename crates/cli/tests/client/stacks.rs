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
fn a_server_comes_with_its_policy_in_one_command() {
    let house = furnished();
    house.run(&["grant", "mint", "ann", "--agent", "laptop", "--server", "mail", "--policy-at", "mail=careful"]).done();
    let before = house.deeds().len();
    let add = ["grant", "set", "mail/ann", "--server", "mail", "--server", "crm", "--policy-at", "crm=careful"];
    house.run(&[&add[..], &["--policy", "all"]].concat()).done();
    let deeds = house.deeds();
    let changes: Vec<&String> = deeds.iter().skip(before).filter(|deed| deed.starts_with("grant.")).collect();
    assert_eq!(changes, ["grant.change"], "{deeds:?}");
    let shown = house.run(&["grant", "show", "crm/ann"]).json();
    assert_eq!(shown["policies"].as_object().unwrap().len(), 2, "{shown}");
    assert!(shown["policy"].is_string(), "{shown}");
    // Taken away at one of them, where what spans them holds then.
    house.run(&["grant", "set", "mail/ann", "--policy-at", "mail="]).done();
    let shown = house.run(&["grant", "show", "crm/ann"]).json();
    assert_eq!(shown["policies"].as_object().unwrap().len(), 1, "{shown}");
    let set = |more: &[&str]| house.run(&[&["grant", "set", "mail/ann"][..], more].concat());
    assert!(set(&["--policy-at", "mail"]).unusable().contains("SERVER=POLICY"));
    assert!(
        set(&["--policy-at", "mail=all", "--policy-at", "mail=careful"]).unusable().contains("mail is there twice")
    );
    assert!(set(&["--server", "crm", "--policy-at", "crm=nil"]).no().contains("field /policies/crm"));
    assert_eq!(house.run(&["grant", "show", "crm/ann"]).json(), shown, "it is as it was");
}

#[test]
fn a_policy_that_leaves_a_server_out_is_told_of() {
    let house = furnished();
    let two = ["--server", "mail", "--server", "crm"];
    let mint = |label: &str, more: &[&str]| {
        house.run(&[&["grant", "mint", label, "--agent", "laptop"][..], &two, more].concat()).done();
    };
    mint("ann", &["--policy", "all"]);
    mint("bob", &["--policy", "all"]);
    mint("eve", &["--policy", "all", "--policy-at", "mail=careful"]);
    let list = house.run(&["grant", "list"]).done();
    let row = |label: &str| list.lines().find(|line| line.contains(label)).unwrap().to_owned();
    assert!(row("mail/eve").contains("all, mail: careful") && !row("mail/ann").contains("mail: "), "{list}");
    assert!(row("crm/desk").contains("of its server"), "{list}");
    let narrow = SPANNING.replace("[\"crm\", \"mail\"]", "[\"crm\"]").replace("mail__", "crm__");
    let narrow = house.file("narrow.json", &narrow);
    let told =
        "`servers` of all does not name mail, so the grants ann, bob may call nothing there; add it to `servers`";
    let put = house.run(&["policy", "put", "all", &narrow, "--reason", "fewer"]);
    assert!(!put.err.contains("warning"), "it is not in force: {put:?}");
    let would = house.run(&["policy", "publish", "all", "--dry-run"]);
    assert!(would.code == 0 && would.err.contains(told), "{would:?}");
    let published = house.run(&["policy", "publish", "all", "--reason", "fewer"]);
    assert!(published.code == 0 && published.err.contains(told), "{published:?}");
    let back = house.run(&["policy", "rollback", "all", "--to", "1", "--reason", "too few"]);
    assert!(back.code == 0 && !back.err.contains("does not name"), "{back:?}");
    let again = house.run(&["policy", "put", "all", &narrow, "--publish", "--reason", "fewer"]);
    assert!(again.code == 0 && again.err.contains(told), "{again:?}");
}

#[test]
fn what_is_wrong_with_several_is_told() {
    let house = furnished();
    // Its label has no `/`, but for one of the servers before it; what is printed names it as it is known.
    let wrong = house.run(&["grant", "mint", "x/ann", "--agent", "a", "--server", "mail"]).unusable();
    assert!(wrong.contains("x/ann: with --server write its label alone"), "{wrong}");
    let minted = house.run(&["grant", "mint", "crm/eve", "--agent", "a", "--server", "mail", "--server", "crm"]);
    assert!(minted.code == 0 && minted.err.contains("the token of mail/eve,"), "{minted:?}");
    house.run(&["grant", "show", "mail/eve"]).done();
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
    // A policy alone is put right by whoever writes policies.
    house.run(&["grant", "attach", "crm/ann", "--server-policy", "--at", "crm"]).done();
    let manager = house.token("policy-manager");
    let place = house.url();
    let variables = [("TOOLGATE_INSTANCE", place.as_str()), ("TOOLGATE_API_TOKEN", &manager)];
    house.with(&["apply", "-f", "toolgate.toml"], &variables, "").done();
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
    // Another server, which the policy spans from then on; and then one fewer.
    let more = "[servers.files]\nurl = \"https://files.example/mcp\"\n";
    let wider =
        FILE.replace("[\"mail\", \"crm\"]", "[\"mail\", \"crm\", \"files\"]").replace("all.policy", "wide.policy");
    let wider = wider.replace("crm = \"open.policy.json\"", "crm = \"open.policy.json\", files = \"open.policy.json\"");
    house.file("toolgate.toml", &format!("{more}{wider}"));
    house.file("wide.policy.json", &SPANNING.replace("\"mail\"]", "\"mail\", \"files\"]"));
    let would = apply(&house, &["--prune", "--dry-run"]);
    lines(&would.out, &["~ grant mail+crm+files/ann", "policy: all → wide", "policy at files: that of", "→ open"]);
    let before = house.deeds().len();
    let out = apply(&house, &["--prune"]).done();
    lines(&out, &["+ server files", "~ grant mail+crm+files/ann", "policy: all → wide", "- policy all"]);
    // The server comes with its policy, in one change.
    let deeds: Vec<String> = house.deeds().split_off(before);
    let of_grants: Vec<&String> = deeds.iter().filter(|deed| deed.starts_with("grant.")).collect();
    assert_eq!(of_grants, ["grant.change"], "{deeds:?}");
    let shown = house.run(&["grant", "show", "files/ann"]).json();
    assert_eq!(shown["policies"].as_object().unwrap().len(), 2, "{shown}");
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
