//! Secrets go to the server that they are for, and stand nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use control::servers::{ReachGiven, ServerGiven};
use secrecy::SecretString;
use serde_json::json;
use store::control::access::Role;
use store::control::events::EventFilter;
use store::control::page::Page;
use store::control::servers::Settings;
use testkit::script::Script;
use testkit::upstream::Upstream;

use crate::house::{House, OPEN, given};

pub fn secrets_reach_the_server_and_nothing_else(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    let planted: Vec<String> = (0..40).map(|number| format!("planted-{number}-Xk29fQpL0z{number}")).collect();
    let headers: BTreeMap<String, Option<SecretString>> = planted
        .iter()
        .enumerate()
        .map(|(number, secret)| (format!("X-Secret-{number}"), Some(SecretString::from(secret.as_str()))))
        .collect();
    let server = ServerGiven {
        name: "files".to_owned(),
        title: String::new(),
        reach: ReachGiven::Http { url: upstream.url(), headers, transport: None },
        settings: Settings { accept_first: true, ..Settings::default() },
        policy: None,
    };
    let added = desk.runtime.block_on(desk.instance.add_server(&desk.admin, &server, "")).unwrap();
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    assert!(replica.agent("files", &minted).call("echo", json!({})).unwrap().is_done());
    let arrived: Vec<u8> = upstream.raw().concat();
    for secret in &planted {
        assert!(contains(&arrived, secret.as_bytes()), "{secret} has not reached the server");
    }

    // What a member, a log, a file or a message could show.
    let mut shown = format!("{server:?} {:?}", desk.instance);
    let see = desk.admin.permit().unwrap();
    let auditor = store::control::access::Actor { role: Role::Auditor, ..desk.admin.clone() };
    desk.runtime.block_on(async {
        let database = desk.instance.database();
        shown += &format!("{:?}", database.servers(&see, Page::first(9)).await.unwrap());
        shown += &format!("{:?}", database.sealed(&desk.admin.permit().unwrap(), added).await.unwrap());
        let all = EventFilter::default();
        let events = database.admin_events(&auditor.permit().unwrap(), &all, Page::first(99)).await.unwrap();
        shown += &format!("{events:?}");
        shown += &format!("{:?}", database.changes_since(0).await.unwrap());
        let mut bad = ServerGiven { name: "bad".to_owned(), ..server };
        if let ReachGiven::Http { headers, .. } = &mut bad.reach {
            headers.insert("X-Bad".to_owned(), Some(SecretString::from(format!("{}\n", planted[0]))));
        }
        let refused = desk.instance.add_server(&desk.admin, &bad, "").await.unwrap_err();
        assert!(refused.to_string().contains("X-Bad"), "{refused}");
        shown += &format!("{refused} {refused:?}");
    });
    shown += &format!("{minted:?}");
    drop(replica);
    let mut files = 0;
    let mut seen = shown.into_bytes();
    read_all(house.folder.path(), &mut seen, &mut files);
    assert!(files >= 3, "there is nothing to look into");
    for secret in planted.iter().map(String::as_str).chain([minted.token.reveal()]) {
        assert!(!contains(&seen, secret.as_bytes()), "{secret} stands somewhere");
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn read_all(folder: &Path, into: &mut Vec<u8>, files: &mut usize) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            read_all(&entry.path(), into, files);
        } else {
            into.extend(fs::read(entry.path()).unwrap());
            *files += 1;
        }
    }
}
