//! A file brought about at an instance: shown first, done once, and nothing to do then.

use crate::house::{CLOSED, House, OPEN, Told, mode};

const FILE: &str = r#"
[servers.crm]
url = "https://crm.example/mcp"
headers = { Authorization = "Bearer ${CRM_TOKEN}", X-Mode = "plain" }
policy = "careful.policy.json"
numbers = "exact"
class = { export = "destructive" }

[servers.mail]
url = "https://mail.example/mcp"
policy = "careful.policy.json"

[[grants]]
label = "desk"
server = "crm"
agent = "helpdesk"
owner = "platform"
tags = { team = "blue" }
token_file = "desk.token"

[[grants]]
label = "ci"
server = "mail"
policy = "open.policy.json"
networks = ["10.0.0.0/8"]
token_file = "ci.token"
"#;

fn declared() -> House {
    let house = House::set_up();
    house.file("toolgate.toml", FILE);
    house.file("careful.policy.json", CLOSED);
    house.file("open.policy.json", OPEN);
    house
}

fn apply(house: &House, more: &[&str]) -> Told {
    let words: Vec<&str> = ["apply", "-f", "toolgate.toml"].iter().chain(more).copied().collect();
    house.with(&words, &[("TOOLGATE_INSTANCE", &house.url()), ("CRM_TOKEN", "planted-secret")], "")
}

#[test]
fn a_file_is_brought_about_and_then_there_is_nothing_to_do() {
    let house = declared();
    let before = house.deeds().len();
    let would = apply(&house, &["--dry-run"]);
    assert_eq!(would.code, 1);
    for line in
        ["+ policy careful", "+ server crm", "+ class of crm/export", "+ grant mail/ci", "7 to add, 0 to change"]
    {
        assert!(would.out.contains(line), "{line} in {}", would.out);
    }
    assert_eq!(house.deeds().len(), before + 1, "nothing but another token of this test was made");
    assert!(!house.path("desk.token").exists());
    let out = apply(&house, &["--reason", "see change 4711"]).done();
    assert!(out.contains("7 added, 0 changed, 0 removed"), "{out}");
    for name in ["desk.token", "ci.token"] {
        let token = std::fs::read_to_string(house.path(name)).unwrap();
        assert!(token.starts_with("tg_") && !out.contains(token.trim()));
        assert_eq!(mode(&house.path(name)), 0o600);
    }
    assert_eq!(house.run(&["policy", "show", "careful"]).done(), CLOSED);
    assert!(house.run(&["policy", "history", "careful"]).done().contains("published: see change 4711"));
    let deeds = house.deeds().len();
    let again = apply(&house, &[]).done();
    assert!(again.contains("Nothing to do:") && again.contains("2 servers, 2 policies, 2 grants"), "{again}");
    assert_eq!(apply(&house, &["--dry-run"]).code, 0);
    assert_eq!(house.deeds().len(), deeds + 1, "nothing but another token of this test was made");
}

#[test]
fn what_drifts_is_shown_and_put_right() {
    let house = declared();
    apply(&house, &[]).done();
    house.run(&["server", "set", "crm", "--numbers", "binary64", "--no-policy", "--title", "CRM"]).done();
    house.run(&["grant", "set", "crm/desk", "--owner", "", "--tag", "team=red"]).done();
    house.run(&["grant", "attach", "mail/ci", "--server-policy"]).done();
    house.run(&["server", "override", "crm", "export", "--class", "read", "--facet", "bulk=true"]).done();
    house.file("careful.policy.json", OPEN);
    let out = apply(&house, &[]).done();
    for line in [
        "~ policy careful",
        "-  \"default\": \"deny\"",
        "exact_numbers: false → true",
        "policy: none → careful",
        "read → destructive",
        "owner: none → platform",
        "tags: {\"team\":\"red\"} → {\"team\":\"blue\"}",
        "policy: that of its server → open",
        "0 added, 5 changed, 0 removed",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    let shown = house.run(&["server", "show", "crm"]).json();
    assert_eq!((&shown["title"], &shown["reach"]["headers"][0]), (&"CRM".into(), &"Authorization".into()));
    assert!(
        house.run(&["server", "override", "crm"]).done().contains("bulk=true"),
        "facets are not declared: they stay"
    );
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
}

#[test]
fn secrets_are_sent_when_they_are_new_or_asked_for_and_never_shown() {
    let house = declared();
    let all = |told: Told| format!("{}{}", told.out, told.err);
    let without = |more: &[&str]| {
        let words: Vec<&str> = ["apply", "-f", "toolgate.toml"].iter().chain(more).copied().collect();
        house.run(&words)
    };
    assert_eq!(without(&["--dry-run"]).code, 1, "no secret is needed to show a difference");
    let why = without(&[]).unusable();
    assert!(why.contains("CRM_TOKEN") && why.contains("0 of 7 changes done"), "{why}");
    assert!(
        house.run(&["policy", "list"]).done().contains("There is no policy"),
        "it is missed before anything is done"
    );
    let told = apply(&house, &[]);
    assert_eq!(told.code, 0);
    assert!(!all(told).contains("planted"));
    assert!(without(&[]).done().contains("Nothing to do"), "no secret is needed where none is sent");
    let would = apply(&house, &["--dry-run", "--secrets"]);
    assert!(would.out.contains("secret Authorization: sent again"), "{would:?}");
    assert_eq!(apply(&house, &["--secrets"]).code, 0);
    // Another address gets no secret unasked: it is sent what the file says now.
    house.file("toolgate.toml", &FILE.replace("https://crm.example/mcp", "https://other.example/mcp"));
    assert!(without(&[]).unusable().contains("CRM_TOKEN"));
    let told = apply(&house, &["--json"]);
    assert!(told.out.contains("https://crm.example/mcp → https://other.example/mcp") && !all(told).contains("planted"));
    house.file("toolgate.toml", &FILE.replace("Bearer ${CRM_TOKEN}", "Bearer planted-in-the-file"));
    let why = apply(&house, &[]).unusable();
    assert!(why.contains("looks like a secret") && !why.contains("planted"), "{why}");
    for file in walk(house.folder.path()).iter().filter(|path| !path.ends_with("toolgate.toml")) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(14).any(|window| window == b"planted-secret"), "{}", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_not_declared_stays_unless_it_is_pruned() {
    let house = declared();
    apply(&house, &[]).done();
    let extra = house.file("extra.json", CLOSED);
    house.run(&["policy", "put", "extra", &extra]).done();
    house.run(&["server", "add", "old", "--url", "https://old.example/mcp", "--policy", "extra"]).done();
    house.run(&["grant", "mint", "old/one", "--agent", "old agent"]).done();
    house.run(&["grant", "mint", "crm/two", "--agent", "helpdesk"]).done();
    house.run(&["server", "override", "crm", "import", "--class", "write"]).done();
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
    let would = apply(&house, &["--prune", "--dry-run"]);
    assert_eq!(would.code, 1);
    let out = apply(&house, &["--prune"]).done();
    for line in
        ["- class of crm/import", "- grant crm/two", "- server old", "- agent old agent", "- policy extra", "5 removed"]
    {
        assert!(out.contains(line) && would.out.contains(line.split(" r").next().unwrap()), "{line} in {out}");
    }
    assert!(!out.contains("grant old/one"), "it is revoked with its server: {out}");
    assert!(apply(&house, &["--prune"]).done().contains("Nothing to do"));
    assert!(house.run(&["grant", "list"]).done().contains("crm/desk"));
}

#[test]
fn what_can_never_be_as_declared_is_told_before_anything_is_done() {
    let house = declared();
    house.file("desk.token", "somebody else's");
    let why = apply(&house, &[]).unusable();
    assert!(why.contains("grant crm/desk") && why.contains("move the file away"), "{why}");
    std::fs::remove_file(house.path("desk.token")).unwrap();
    let digest = format!("token_digest = \"sha256:{}\"", "0".repeat(64));
    house.file("toolgate.toml", &FILE.replace("token_file = \"ci.token\"", &digest));
    assert!(apply(&house, &[]).unusable().contains("an instance mints tokens itself"));
    house.file("toolgate.toml", FILE);
    house.file("careful.policy.json", "{ \"version\": \"1\" ");
    assert!(apply(&house, &[]).no().contains("is not a valid policy"));
    assert!(house.run(&["policy", "list"]).done().contains("There is no policy"));
    house.file("careful.policy.json", CLOSED);
    apply(&house, &[]).done();
    house.file("toolgate.toml", &FILE.replace("agent = \"helpdesk\"", "agent = \"another\""));
    assert!(apply(&house, &[]).no().contains("held by helpdesk and not by another"));
}

#[test]
fn what_was_refused_in_the_middle_goes_on_with_the_next_run() {
    let house = declared();
    let long = format!("label = \"ci\"\nowner = \"{}\"", "x".repeat(121));
    house.file("toolgate.toml", &FILE.replace("label = \"ci\"", &long));
    let why = apply(&house, &[]).no();
    assert!(
        why.contains("grant mail/ci") && why.contains("field /owner") && why.contains("of 7 changes done"),
        "{why}"
    );
    assert!(!house.path("ci.token").exists());
    house.file("toolgate.toml", FILE);
    let out = apply(&house, &[]).done();
    assert!(out.contains("+ grant mail/ci") && out.contains("1 added, 0 changed"), "{out}");
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
}

#[test]
fn how_a_server_is_spoken_to_is_declared() {
    let house = House::set_up();
    let file =
        |more: &str| house.file("toolgate.toml", &format!("[servers.old]\nurl = \"https://old.example/sse\"\n{more}"));
    let transport = || house.run(&["server", "show", "old"]).json()["reach"]["transport"].clone();
    file("transport = \"sse\"\n");
    let out = apply(&house, &[]).done();
    assert!(out.contains("url: https://old.example/sse, of HTTP+SSE"), "{out}");
    assert_eq!(transport(), "sse");
    assert!(apply(&house, &[]).done().contains("Nothing to do"));
    file("");
    let would = apply(&house, &["--dry-run"]);
    assert!(would.out.contains("transport: sse → found out") && transport() == "sse", "{would:?}");
    apply(&house, &[]).done();
    assert!(transport().is_null());
    file("transport = \"sse\"\n");
    assert!(apply(&house, &[]).done().contains("transport: found out → sse"));
    assert_eq!(transport(), "sse");
}
