//! Grants for several servers: kept in their order, changed, narrowed when a server goes, and never across organisations.

use std::collections::BTreeMap;

use audit::Id;
use aws_lc_rs::digest::{SHA256, digest};
use store::control::access::{Actor, Role};
use store::control::agents::Holder;
use store::control::backup::Backup;
use store::control::events::EventFilter;
use store::control::grants::{GrantPatch, NewGrant};
use store::control::leads::{Leads, Member, Stack};
use store::control::page::Page;
use store::control::servers::Reach;
use store::control::{BadControl, ControlDatabase};

use crate::changes::{grant, policy, register};
use crate::place::{Ground, actor, as_role};

fn member(server: Id) -> Member {
    Member { server, policy: None, unprefixed: false }
}

fn stack(servers: Vec<Member>) -> Leads {
    Leads::Stack(Stack { servers, search: false })
}

async fn mint(database: &ControlDatabase, who: &Actor, label: &str, leads: &Leads) -> Result<Id, BadControl> {
    let new = NewGrant {
        label,
        leads,
        agent: Holder::Named { name: "bot", owner: None },
        policy: None,
        owner: None,
        tags: &BTreeMap::new(),
        networks: &[],
        expires_at: None,
        hash: &format!("{label} {leads:?}"),
    };
    Ok(database.add_grant(who.permit().unwrap(), &new, "").await?.0)
}

pub async fn several_servers_are_kept_in_their_order(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let [mail, files, crm] = [
        register(&database, &admin, "mail").await,
        register(&database, &admin, "files").await,
        register(&database, &admin, "crm").await,
    ];
    let careful = policy(&database, &admin, "careful").await;
    let leads = Leads::Stack(Stack {
        servers: vec![member(mail), Member { server: files, policy: Some(careful), unprefixed: true }],
        search: true,
    });
    let ann = mint(&database, &admin, "ann", &leads).await.unwrap();
    let see = admin.permit().unwrap();
    let read = async || database.grant(&see, ann).await.unwrap();
    assert_eq!(read().await.leads, leads);
    for (server, found) in [(Some(mail), 1), (Some(files), 1), (Some(crm), 0), (None, 1)] {
        assert_eq!(database.grants(&see, server, Page::first(10)).await.unwrap().len(), found, "{server:?}");
    }
    assert_eq!(database.everything(None).await.unwrap().grants[0].grant.leads, leads);
    // Its label is the only one at each of its servers.
    let alone = Leads::Server(files);
    for taken in [&alone, &stack(vec![member(crm), member(files)])] {
        assert!(matches!(mint(&database, &admin, "ann", taken).await, Err(BadControl::Taken(_))), "{taken:?}");
    }
    let other = mint(&database, &admin, "ann", &Leads::Server(crm)).await.unwrap();
    let wider = stack(vec![member(crm), member(mail)]);
    let patch = GrantPatch { leads: Some(&wider), ..GrantPatch::default() };
    let seen = read().await.changed;
    let taken = database.change_grant(admin.permit().unwrap(), ann, seen, &patch, "").await;
    assert!(matches!(taken, Err(BadControl::Taken(_))), "{taken:?}");
    assert_eq!(read().await.leads, leads);
    database.revoke_grant(admin.permit().unwrap(), other, "").await.unwrap();
    let version = database.change_grant(admin.permit().unwrap(), ann, seen, &patch, "").await.unwrap();
    assert_eq!(read().await.leads, wider);
    assert_eq!(database.changes_since(version - 1).await.unwrap().grants[0].grant.leads, wider);
    // A policy at one of them is in use there.
    let at = async |server, policy| database.attach(admin.permit().unwrap(), ann, Some(server), policy, "").await;
    let version = at(mail, Some(careful)).await.unwrap();
    let there = Member { policy: Some(careful), ..member(mail) };
    assert_eq!(read().await.leads, stack(vec![member(crm), there.clone()]));
    assert_eq!(database.changes_since(version - 1).await.unwrap().grants[0].grant.leads.members()[1], there);
    let used = database.remove_policy(admin.permit().unwrap(), careful, "").await;
    assert!(matches!(used, Err(BadControl::InUse("policy"))), "{used:?}");
    assert!(matches!(at(files, Some(careful)).await, Err(BadControl::Missing("server"))));
    at(mail, None).await.unwrap();
    database.remove_policy(admin.permit().unwrap(), careful, "").await.unwrap();
}

pub async fn servers_and_their_policies_change_at_once_or_not_at_all(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let (mail, crm) = (register(&database, &admin, "mail").await, register(&database, &admin, "crm").await);
    let (careful, wide) = (policy(&database, &admin, "careful").await, policy(&database, &admin, "wide").await);
    let ann = mint(&database, &admin, "ann", &stack(vec![member(mail)])).await.unwrap();
    let see = admin.permit().unwrap();
    let read = async || database.grant(&see, ann).await.unwrap();
    let before = read().await;
    let under = |policy| stack(vec![member(mail), Member { policy: Some(policy), ..member(crm) }]);
    let change = async |leads: &Leads, policy: Option<Id>| {
        let patch =
            GrantPatch { leads: Some(leads), policy: Some(policy), owner: Some(Some("eve")), ..Default::default() };
        database.change_grant(admin.permit().unwrap(), ann, before.changed, &patch, "").await
    };
    // A policy that is not there, for one of them or for all, leaves everything as it was, the servers too.
    let nothing = Id::from_bits(7);
    let events = async || {
        let auditor = as_role(&admin, Role::Auditor);
        let filter = EventFilter { action: Some("grant.change".to_owned()), ..EventFilter::default() };
        database.admin_events(&auditor.permit().unwrap(), &filter, Page::first(10)).await.unwrap()
    };
    for (leads, policy) in [(under(nothing), Some(wide)), (under(careful), Some(nothing))] {
        let refused = change(&leads, policy).await;
        assert!(matches!(refused, Err(BadControl::Missing("policy"))), "{refused:?}");
        assert_eq!(read().await, before);
        assert!(events().await.is_empty());
    }
    // Replicas read one change: the server, with both policies.
    let version = change(&under(careful), Some(wide)).await.unwrap();
    let after = read().await;
    assert_eq!((&after.leads, after.policy, after.owner.as_deref()), (&under(careful), Some(wide), Some("eve")));
    let delta = database.changes_since(version - 1).await.unwrap();
    assert_eq!(delta.grants.len(), 1);
    assert_eq!((&delta.grants[0].grant.leads, delta.grants[0].grant.policy), (&under(careful), Some(wide)));
    let told = events().await;
    assert_eq!((told.len(), &told[0].detail["policy"]), (1, &serde_json::json!(wide)));
    assert_eq!(told[0].detail["before"], serde_json::Value::Null);
    assert_eq!(told[0].detail["leads"]["servers"][1]["policy"], serde_json::json!(careful));
    // What is not said stays, and a policy can be taken away.
    let same = GrantPatch { owner: Some(None), ..GrantPatch::default() };
    database.change_grant(admin.permit().unwrap(), ann, after.changed, &same, "").await.unwrap();
    let kept = read().await;
    assert_eq!((&kept.leads, kept.policy), (&under(careful), Some(wide)));
    let none = GrantPatch { policy: Some(None), ..GrantPatch::default() };
    database.change_grant(admin.permit().unwrap(), ann, kept.changed, &none, "").await.unwrap();
    assert_eq!((read().await.leads, read().await.policy), (under(careful), None));
    assert!(events().await[1].detail.get("policy").is_none());
}

pub async fn a_server_that_goes_leaves_a_grant_for_several(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let (mail, files) = (register(&database, &admin, "mail").await, register(&database, &admin, "files").await);
    let ann = mint(&database, &admin, "ann", &stack(vec![member(mail), member(files)])).await.unwrap();
    let alone = grant(&database, &admin, mail, "desk", "h").await;
    let see = admin.permit().unwrap();
    let read = async |id| database.grant(&see, id).await.unwrap();
    let version = database.remove_server(admin.permit().unwrap(), mail, "gone").await.unwrap();
    let narrowed = read(ann).await;
    assert_eq!((narrowed.revoked_at, narrowed.leads), (None, stack(vec![member(files)])));
    let revoked = read(alone).await;
    assert!(revoked.revoked_at.is_some());
    assert_eq!(revoked.leads, Leads::Server(mail));
    let delta = database.changes_since(version - 1).await.unwrap();
    assert_eq!(delta.grants.len(), 2);
    let auditor = as_role(&admin, Role::Auditor);
    let filter = EventFilter { action: Some("server.remove".to_owned()), ..EventFilter::default() };
    let events = database.admin_events(&auditor.permit().unwrap(), &filter, Page::first(10)).await.unwrap();
    assert_eq!(events[0].detail, serde_json::json!({ "grants_revoked": 1, "grants_narrowed": 1 }));
    // With its last server it ends.
    database.remove_server(admin.permit().unwrap(), files, "").await.unwrap();
    assert!(read(ann).await.revoked_at.is_some());
}

pub async fn no_server_or_policy_of_another_organisation_is_among_them(ground: &Ground) {
    let (database, home) = ground.founded(Role::Admin).await;
    let other = database.add_organisation(home.permit().unwrap(), "other", "Other", "").await.unwrap();
    let theirs = actor(other.id, false, Role::Admin);
    let (ours, careful) = (register(&database, &home, "crm").await, policy(&database, &home, "careful").await);
    let own = register(&database, &theirs, "crm").await;
    let under_ours = Member { policy: Some(careful), ..member(own) };
    for (leads, missing) in [(vec![member(own), member(ours)], "server"), (vec![under_ours], "policy")] {
        let refused = mint(&database, &theirs, "sly", &stack(leads)).await;
        assert!(matches!(refused, Err(BadControl::Missing(what)) if what == missing), "{refused:?}");
    }
    let sly = mint(&database, &theirs, "sly", &stack(vec![member(own)])).await.unwrap();
    let seen = database.grant(&theirs.permit().unwrap(), sly).await.unwrap().changed;
    let wider = stack(vec![member(own), member(ours)]);
    let patch = GrantPatch { leads: Some(&wider), ..GrantPatch::default() };
    let refused = database.change_grant(theirs.permit().unwrap(), sly, seen, &patch, "").await;
    assert!(matches!(refused, Err(BadControl::Missing("server"))), "{refused:?}");
    let patch = GrantPatch { policy: Some(Some(careful)), ..GrantPatch::default() };
    let refused = database.change_grant(theirs.permit().unwrap(), sly, seen, &patch, "").await;
    assert!(matches!(refused, Err(BadControl::Missing("policy"))), "{refused:?}");
    for (server, policy) in [(own, Some(careful)), (ours, None)] {
        let refused = database.attach(theirs.permit().unwrap(), sly, Some(server), policy, "").await;
        assert!(matches!(refused, Err(BadControl::Missing(_))), "{refused:?}");
    }
}

/// What the first layout's backup of one grant says: made before grants could be for several.
fn first_backup() -> String {
    let id = |last: char| format!("0100000000000000000000000{last}");
    let (home, server, agent, grant) = (id('1'), id('2'), id('3'), id('4'));
    let lines = [
        r#"{"toolgate_backup":1,"version":"0.1.0","schema":1,"at":1000}"#.to_owned(),
        r#"{"table":"instance","columns":["id","name","first","created_at","version"]}"#.to_owned(),
        format!(r#"[1,"home","{home}",1,7]"#),
        r#"{"table":"organisation","columns":["id","name","title","created_at","counted_at","changed"]}"#.to_owned(),
        format!(r#"["{home}","home","Home",1,null,1]"#),
        r#"{"table":"agent","columns":["id","organisation","name","owner","description","created_at","gone_at","changed"]}"#
            .to_owned(),
        format!(r#"["{agent}","{home}","bot",null,"",1,null,1]"#),
        r#"{"table":"server","columns":["id","organisation","name","title","reach","settings","policy","created_at","gone_at","changed"]}"#
            .to_owned(),
        format!(r#"["{server}","{home}","crm","","{{\"kind\":\"http\",\"url\":\"https://crm.example/mcp\",\"headers\":[]}}","{{}}",null,1,null,2]"#),
        r#"{"table":"access_grant","columns":["id","organisation","label","server","agent","policy","owner","tags","networks","created_at","expires_at","used_at","revoked_at","changed"]}"#
            .to_owned(),
        format!(r#"["{grant}","{home}","desk","{server}","{agent}",null,"ada","{{}}","[]",1,null,5,null,3]"#),
        r#"{"table":"grant_token","columns":["hash","organisation","access_grant","created_at","expires_at"]}"#.to_owned(),
        format!(r#"["hash-1","{home}","{grant}",1,null]"#),
    ];
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let sha256: String = digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}{{\"end\":{{\"rows\":6,\"sha256\":\"{sha256}\"}}}}\n")
}

pub async fn a_backup_of_the_first_layout_is_restored(ground: &Ground) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    std::fs::write(&path, first_backup()).unwrap();
    assert_eq!(Backup::open(&path).unwrap().restore(&ground.place).await.unwrap(), 6);
    let database = ground.open().await;
    let admin = actor(database.first_organisation().await.unwrap().id, true, Role::Admin);
    let live = database.everything(None).await.unwrap().grants;
    let server = database.server(&admin.permit().unwrap(), "crm").await.unwrap();
    // How it is spoken to could not be said then: it is found out.
    assert!(matches!(server.reach, Reach::Http { transport: None, .. }), "{:?}", server.reach);
    let server = server.id;
    assert_eq!((live.len(), &live[0].grant.leads), (1, &Leads::Server(server)));
    assert_eq!(live[0].tokens, [("hash-1".to_owned(), None)]);
    assert_eq!((live[0].grant.label.as_str(), live[0].grant.used_at), ("desk", Some(5)));
    // And it is a grant like every other one.
    assert!(matches!(mint(&database, &admin, "desk", &Leads::Server(server)).await, Err(BadControl::Taken(_))));
    database.remove_server(admin.permit().unwrap(), server, "").await.unwrap();
    assert!(database.grant(&admin.permit().unwrap(), live[0].grant.id).await.unwrap().revoked_at.is_some());
}
