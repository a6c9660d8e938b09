//! One organisation and another: neither sees, changes or names what is the other's.

use std::collections::BTreeMap;

use audit::Id;
use serde_json::json;
use store::control::BadControl;
use store::control::ControlDatabase;
use store::control::access::{Actor, Role};
use store::control::agents::Holder;
use store::control::events::EventFilter;
use store::control::grants::{GrantPatch, NewGrant};
use store::control::leads::Leads;
use store::control::members::{MemberPatch, NewMember};
use store::control::page::Page;
use store::control::policies::Document;
use store::control::programs::NewProgram;
use store::control::servers::{Reach, ServerDraft, Settings};
use store::control::stops::Stoppable;

use crate::changes::{agent, grant, policy, register};
use crate::place::{Ground, actor, as_role};

/// Two organisations; the first has one of everything.
struct Two {
    database: ControlDatabase,
    theirs: Actor,
    server: Id,
    policy: Id,
    agent: Id,
    grant: Id,
    member: Id,
    program: Id,
}

async fn two(ground: &Ground) -> Two {
    let (database, home) = ground.founded(Role::Admin).await;
    let other = database.add_organisation(home.permit().unwrap(), "other", "Other", "").await.unwrap();
    let server = register(&database, &home, "crm").await;
    let policy = policy(&database, &home, "careful").await;
    let grant = grant(&database, &home, server, "desk", "hash-1").await;
    let agent = agent(&database, &home, "second").await;
    let new = NewMember { name: "bob", display: "Bob", role: Role::Viewer, password: None };
    let member = database.add_member(home.permit().unwrap(), &new, "").await.unwrap();
    let new = NewProgram { label: "ci", role: Role::Viewer, hash: "token-hash", expires_at: None };
    let program = database.add_program(home.permit().unwrap(), &new, "").await.unwrap();
    let theirs = actor(other.id, false, Role::Admin);
    Two { database, theirs, server, policy, agent, grant, member, program }
}

fn missing<T: std::fmt::Debug>(what: &str, result: Result<T, BadControl>) {
    assert!(matches!(result, Err(BadControl::Missing(_))), "{what}: {result:?}");
}

pub async fn an_organisation_neither_sees_nor_changes_anothers(ground: &Ground) {
    let Two { database, theirs, server, policy, agent, grant, member, program } = two(ground).await;
    let auditor = as_role(&theirs, Role::Auditor);
    let page = Page::first(100);
    assert!(database.servers(&theirs.permit().unwrap(), page).await.unwrap().is_empty());
    assert!(database.policies(&theirs.permit().unwrap(), page).await.unwrap().is_empty());
    assert!(database.agents(&theirs.permit().unwrap(), page).await.unwrap().is_empty());
    assert!(database.grants(&theirs.permit().unwrap(), None, page).await.unwrap().is_empty());
    assert!(database.grants(&theirs.permit().unwrap(), Some(server), page).await.unwrap().is_empty());
    assert!(database.unused_grants(&theirs.permit().unwrap(), i64::MAX, page).await.unwrap().is_empty());
    assert!(database.members(&theirs.permit().unwrap(), page).await.unwrap().is_empty());
    assert!(database.programs(&theirs.permit().unwrap(), page).await.unwrap().is_empty());
    assert!(database.stops(&theirs.permit().unwrap()).await.unwrap().is_empty());
    assert!(database.overrides(&theirs.permit().unwrap(), server).await.unwrap().is_empty());
    assert!(database.pins(&theirs.permit().unwrap(), server).await.unwrap().is_empty());
    assert!(database.secret_names(&theirs.permit().unwrap(), server).await.unwrap().is_empty());
    assert!(database.sealed(&theirs.permit().unwrap(), server).await.unwrap().is_empty());
    assert!(database.policy_versions(&theirs.permit().unwrap(), policy).await.unwrap().is_empty());
    assert!(database.publications(&theirs.permit().unwrap(), policy).await.unwrap().is_empty());
    let events = database.admin_events(&auditor.permit().unwrap(), &EventFilter::default(), page).await.unwrap();
    assert_eq!(events, []);
    for name in ["crm".to_owned(), server.to_string()] {
        missing("server", database.server(&theirs.permit().unwrap(), &name).await);
    }
    missing("policy", database.policy(&theirs.permit().unwrap(), "careful").await);
    missing("policy", database.policy(&theirs.permit().unwrap(), &policy.to_string()).await);
    missing("version", database.policy_version(&theirs.permit().unwrap(), policy, 1).await);
    missing("agent", database.agent(&theirs.permit().unwrap(), &agent.to_string()).await);
    missing("grant", database.grant(&theirs.permit().unwrap(), grant).await);
    missing("member", database.member(&theirs.permit().unwrap(), member).await);

    let before = database.changes_since(0).await.unwrap();
    let reach = Reach::Http { url: "http://127.0.0.1:9/mcp".to_owned(), headers: Vec::new(), transport: None };
    let settings = Settings::default();
    let draft = ServerDraft { name: "x", title: "", reach: &reach, settings: &settings, policy: None };
    let changed = before.servers[0].server.changed;
    missing("change", database.change_server(theirs.permit().unwrap(), server, changed, &draft, &[], "").await);
    missing("remove", database.remove_server(theirs.permit().unwrap(), server, "").await);
    let facets = BTreeMap::new();
    missing("override", database.set_override(theirs.permit().unwrap(), server, "t", None, &facets, "").await);
    let definitions = BTreeMap::from([("t".to_owned(), json!({}))]);
    missing("accept", database.accept(theirs.permit().unwrap(), server, &definitions, &[], "").await);
    let document = Document { text: "{}", digest: "d" };
    missing("edit", database.add_policy_version(theirs.permit().unwrap(), policy, 1, document, "").await);
    missing("publish", database.publish(theirs.permit().unwrap(), policy, 1, "").await);
    missing("remove", database.remove_policy(theirs.permit().unwrap(), policy, "").await);
    missing("remove", database.remove_agent(theirs.permit().unwrap(), agent, "").await);
    let seen = before.grants[0].grant.changed;
    missing("change", database.change_grant(theirs.permit().unwrap(), grant, seen, &GrantPatch::default(), "").await);
    missing("attach", database.attach(theirs.permit().unwrap(), grant, None, None, "").await);
    missing("rotate", database.rotate_grant(theirs.permit().unwrap(), grant, "h", 0, "").await);
    missing("revoke", database.revoke_grant(theirs.permit().unwrap(), grant, "").await);
    missing("member", database.change_member(theirs.permit().unwrap(), member, &MemberPatch::default(), "").await);
    missing("token", database.revoke_program(theirs.permit().unwrap(), program, "").await);
    for what in [Stoppable::Grant(grant), Stoppable::Agent(agent), Stoppable::Server(server)] {
        missing("stop", database.stop(theirs.permit().unwrap(), what, "").await);
        missing("resume", database.resume(theirs.permit().unwrap(), what, "").await);
    }
    // And none of that left anything behind.
    assert_eq!(format!("{:?}", database.changes_since(0).await.unwrap()), format!("{before:?}"));
}

pub async fn nothing_of_another_organisation_can_be_named(ground: &Ground) {
    let Two { database, theirs, server, policy, agent, grant, .. } = two(ground).await;
    // A grant of theirs on our server, for our agent, under our policy; and our policy for theirs.
    let own_server = register(&database, &theirs, "crm").await;
    let own_agent = crate::changes::agent(&database, &theirs, "mine").await;
    let (tags, to_own, to_theirs) = (BTreeMap::new(), Leads::Server(own_server), Leads::Server(server));
    let new = |leads, agent, policy| NewGrant {
        label: "sly",
        leads,
        agent: Holder::Known(agent),
        policy,
        owner: None,
        tags: &tags,
        networks: &[],
        expires_at: None,
        hash: "sly-hash",
    };
    missing("server", database.add_grant(theirs.permit().unwrap(), &new(&to_theirs, own_agent, None), "").await);
    missing("agent", database.add_grant(theirs.permit().unwrap(), &new(&to_own, agent, None), "").await);
    let both = new(&to_own, own_agent, Some(policy));
    missing("policy", database.add_grant(theirs.permit().unwrap(), &both, "").await);
    let (own, _) = database.add_grant(theirs.permit().unwrap(), &new(&to_own, own_agent, None), "").await.unwrap();
    missing("attach", database.attach(theirs.permit().unwrap(), own, None, Some(policy), "").await);
    // The same names are free for both.
    assert_ne!(own_server, server);
    assert_ne!(own, grant);
}
