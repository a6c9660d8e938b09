//! Definitions that wait at an instance: shown and accepted by the commands that do it for lock files.

use std::collections::BTreeMap;

use serde_json::json;
use store::control::access::{Actor, Role, Who};

use crate::house::House;

fn waiting(house: &House, description: &str) {
    house.runtime.block_on(async {
        let database = house.instance.database();
        let organisation = database.first_organisation().await.unwrap().id;
        let admin = Actor { organisation, first: true, who: Who::Operator("ada".to_owned()), role: Role::Admin };
        let server = database.server(&admin.permit().unwrap(), "crm").await.unwrap().id;
        let definition = json!({ "name": "export", "description": description, "inputSchema": { "type": "object" } });
        // As replicas keep it.
        let pin = json!({
            "digest": "sha256:00", "class": "read", "accepted": "2026-11-21T14:00:00Z", "by": "it is new",
            "definition": definition.to_string(),
        });
        database.definitions_seen(server, &BTreeMap::from([("export".to_owned(), pin)])).await.unwrap();
    });
}

#[test]
fn definitions_are_shown_and_accepted_by_what_was_read() {
    let house = House::furnished();
    assert!(house.run(&["server", "held"]).done().contains("nothing is held"));
    waiting(&house, "Exports customers.");
    let held = house.run(&["server", "held", "crm"]);
    assert_eq!(held.code, 1);
    assert!(held.out.contains("+ Exports customers.") && held.out.contains(&house.url()), "{held:?}");
    assert!(held.out.contains("  read  since 2026-11-21T14:00:00Z: it is new"), "{held:?}");
    let digest = held.out.split_once("export@").unwrap().1.split_once(' ').unwrap().0.to_owned();
    let why = house.run(&["server", "accept", "crm", "export@0123456789ab"]).unusable();
    assert!(why.contains("does not wait") && why.contains("nothing was accepted"), "{why}");
    let why = house.run(&["server", "accept", "crm"]).unusable();
    assert!(why.contains("name the tools to accept"), "nobody is at a terminal: {why}");
    let accept = ["server", "accept", "crm", &format!("export@{digest}"), "--class", "export=destructive"];
    let out = house.run(&accept).done();
    assert!(out.contains("accepted 1 definition at") && out.contains("export"), "{out}");
    assert!(house.run(&["server", "held"]).done().contains("nothing is held"));
    assert!(house.run(&["server", "override", "crm"]).done().contains("destructive"));
    // Another text is held again, beside the one that counts.
    waiting(&house, "Exports everything.");
    let held = house.run(&["server", "held", "crm", "--json"]);
    assert!(held.out.contains("\"kind\": \"changed\""), "{held:?}");
    let held = house.run(&["server", "held", "crm"]).out;
    assert!(held.contains("  description\n    - Exports customers.\n    + Exports everything.\n\n"), "{held}");
    house.run(&["server", "accept", "--all", "--reason", "read it"]).done();
    assert!(house.run(&["server", "held"]).done().contains("nothing is held"));
}

#[test]
fn an_instance_and_files_are_not_meant_at_once() {
    let house = House::furnished();
    let why = house.run(&["server", "held", "--policy", "policy.json"]).unusable();
    assert!(why.contains("name either"), "{why}");
}
