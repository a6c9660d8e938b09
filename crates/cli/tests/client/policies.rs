//! Policies of an instance: kept, published after their tests, and put back.

use crate::house::{CLOSED, House, OPEN};

#[test]
fn a_version_is_kept_published_and_put_back() {
    let house = House::set_up();
    let file = house.file("policy.json", CLOSED);
    let out = house.run(&["policy", "put", "careful", &file, "--reason", "the first"]).done();
    assert!(out.contains("kept as version 1") && out.contains("+  \"default\": \"deny\""), "{out}");
    assert!(house.run(&["policy", "list"]).done().contains("nothing   1"));
    let again = house.run(&["policy", "put", "careful", &file]).done();
    assert!(again.contains("version 1 says that already"), "{again}");
    house.run(&["policy", "publish", "careful", "--reason", "reviewed"]).done();
    house.file("policy.json", OPEN);
    house.run(&["policy", "put", "careful", &file, "--reason", "wider"]).done();
    let would = house.run(&["policy", "publish", "careful", "--dry-run"]).done();
    assert!(would.contains("-  \"default\": \"deny\"") && would.contains("nothing was changed"), "{would}");
    let out = house.run(&["policy", "publish", "careful", "--version", "2", "--reason", "wider"]).done();
    assert!(out.contains("version 2 is in force") && out.contains("To go back"), "{out}");
    assert_eq!(house.run(&["policy", "show", "careful"]).done(), OPEN);
    assert_eq!(house.run(&["policy", "show", "careful", "--version", "1"]).done(), CLOSED);
    assert!(house.run(&["policy", "rollback", "careful", "--to", "2", "--reason", "x"]).no().contains("an older one"));
    house.run(&["policy", "rollback", "careful", "--to", "1", "--reason", "it allowed too much"]).done();
    assert_eq!(house.run(&["policy", "show", "careful"]).done(), CLOSED);
    let history = house.run(&["policy", "history", "careful"]).done();
    assert!(history.contains("1 (in force)") && history.contains("published: it allowed too much"), "{history}");
    let all = house.run(&["policy", "history", "careful", "--json"]).json();
    assert_eq!((all["versions"].as_array().unwrap().len(), all["publications"].as_array().unwrap().len()), (2, 3));
    house.run(&["policy", "remove", "careful"]).done();
    assert!(house.run(&["policy", "list"]).done().contains("There is no policy"));
}

#[test]
fn what_is_wrong_is_shown_where_it_stands_and_nothing_is_kept() {
    let house = House::set_up();
    let bad = house.file("bad.json", "{ \"version\": \"1\", \"default\": \"perhaps\" }");
    let why = house.run(&["policy", "put", "careful", &bad]).no();
    assert!(why.contains("perhaps") && why.contains("nothing was changed"), "{why}");
    let failing = r#"{ "version": "1", "default": "deny",
        "tests": [{ "name": "mails go out", "call": "send", "expect": "allow" }] }"#;
    let failing = house.file("failing.json", failing);
    let why = house.run(&["policy", "put", "careful", &failing, "--publish", "--reason", "x"]).no();
    assert!(why.contains("mails go out") && why.contains("1 of the tests"), "{why}");
    assert!(house.run(&["policy", "list"]).done().contains("There is no policy"));
    assert!(house.run(&["policy", "publish", "careful", "--reason", "x"]).no().contains("nothing like that"));
}

#[test]
fn an_edit_is_taken_only_when_it_is_valid() {
    let house = House::furnished();
    let editor = |script: &str| {
        let path = house.file("editor", &format!("#!/bin/sh\n{script}\n"));
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        house.with(&["policy", "edit", "careful"], &[("TOOLGATE_INSTANCE", &house.url()), ("EDITOR", &path)], "")
    };
    assert!(editor("true").done().contains("nothing was changed"));
    let broken = editor("echo nonsense > \"$1\"").no();
    assert!(broken.contains("your edit is kept in"), "{broken}");
    let out = editor("sed -i s/deny/allow/ \"$1\"").done();
    assert!(out.contains("kept as version 2") && out.contains("It is not in force"), "{out}");
    assert_eq!(house.run(&["policy", "show", "careful"]).done(), CLOSED);
    assert_eq!(house.run(&["policy", "show", "careful", "--version", "2"]).done(), OPEN);
}

#[test]
fn what_is_in_use_stays() {
    let house = House::furnished();
    let why = house.run(&["policy", "remove", "careful"]).no();
    assert!(why.contains("careful") || why.contains("use"), "{why}");
}
