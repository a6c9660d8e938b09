//! What can be changed, and what is left when it was.

use std::collections::BTreeMap;

use audit::Id;
use serde_json::json;
use store::control::access::{Actor, Role, Who};
use store::control::agents::Holder;
use store::control::events::EventFilter;
use store::control::grants::{GrantPatch, NewGrant};
use store::control::leads::Leads;
use store::control::members::{MemberPatch, NewMember};
use store::control::page::Page;
use store::control::policies::Document;
use store::control::programs::NewProgram;
use store::control::secrets::{Sealed, SealedAt};
use store::control::servers::{Reach, ServerDraft, Settings, Transport};
use store::control::stops::Stoppable;
use store::control::{BadControl, ControlDatabase};

use crate::place::{Ground, as_role};

const DAY: i64 = 86_400_000;

fn reach() -> Reach {
    Reach::Http {
        url: "https://crm.example/mcp".to_owned(),
        headers: vec!["Authorization".to_owned()],
        transport: None,
    }
}

pub async fn register(database: &ControlDatabase, admin: &Actor, name: &str) -> Id {
    let (reach, settings) = (reach(), Settings::default());
    let draft = ServerDraft { name, title: "CRM", reach: &reach, settings: &settings, policy: None };
    let seal = |id: Id| {
        Ok::<_, BadControl>(vec![Sealed { field: "Authorization".to_owned(), sealed: format!("sealed for {id}") }])
    };
    database.add_server(admin.permit().unwrap(), &draft, seal, "").await.unwrap()
}

pub async fn policy(database: &ControlDatabase, admin: &Actor, name: &str) -> Id {
    let document = Document { text: "{\"a\":1}", digest: "d1" };
    database.add_policy(admin.permit().unwrap(), name, "what it is for", document, "").await.unwrap()
}

pub async fn agent(database: &ControlDatabase, admin: &Actor, name: &str) -> Id {
    database.add_agent(admin.permit().unwrap(), name, Some("ada"), "", "").await.unwrap()
}

pub async fn grant(database: &ControlDatabase, admin: &Actor, server: Id, label: &str, hash: &str) -> Id {
    let agent = agent(database, admin, &format!("{label}-agent")).await;
    let tags = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
    let new = NewGrant {
        label,
        leads: &Leads::Server(server),
        agent: Holder::Known(agent),
        policy: None,
        owner: Some("ada"),
        tags: &tags,
        networks: &["10.0.0.0/8".to_owned()],
        expires_at: None,
        hash,
    };
    database.add_grant(admin.permit().unwrap(), &new, "").await.unwrap().0
}

pub async fn an_instance_is_founded_once(ground: &Ground) {
    let database = ground.open().await;
    let founders: Vec<_> = (0..8)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.found("home", "Home").await })
        })
        .collect();
    for founder in founders {
        founder.await.unwrap().unwrap();
    }
    let instance = database.instance().await.unwrap();
    database.found("again", "Again").await.unwrap();
    assert_eq!(database.instance().await.unwrap(), instance);
    assert_eq!(database.first_organisation().await.unwrap().name, "home");
    assert!(database.organisation_named("again").await.unwrap().is_none());
    assert!(database.organisation_named("home").await.unwrap().is_some());
    // Opened a second time, it is what it was.
    drop(database);
    assert_eq!(ground.open().await.instance().await.unwrap(), instance);
}

pub async fn members_sign_in_and_out(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let new = NewMember { name: "bob", display: "Bob", role: Role::Approver, password: Some("$argon2id$1") };
    let bob = database.add_member(admin.permit().unwrap(), &new, "").await.unwrap();
    let without = NewMember { name: "eve", display: "Eve", role: Role::Viewer, password: None };
    database.add_member(admin.permit().unwrap(), &without, "").await.unwrap();
    assert!(database.credentials(admin.organisation, "eve").await.unwrap().is_none());
    let credentials = database.credentials(admin.organisation, "bob").await.unwrap().unwrap();
    assert_eq!((credentials.member, credentials.password.as_str()), (bob, "$argon2id$1"));

    assert!(database.begin_session(admin.organisation, &credentials, "session-1", DAY).await.unwrap());
    assert!(database.begin_session(admin.organisation, &credentials, "over", 0).await.unwrap());
    let actor = database.member_of_session("session-1").await.unwrap().unwrap();
    assert_eq!(actor.role, Role::Approver);
    assert!(actor.first);
    assert_eq!(actor.who, Who::Member { id: bob, name: "bob".to_owned() });
    for unknown in ["over", "session-2", ""] {
        assert!(database.member_of_session(unknown).await.unwrap().is_none(), "{unknown}");
    }
    database.end_session("session-1").await.unwrap();
    assert!(database.member_of_session("session-1").await.unwrap().is_none());

    // A new role holds for sessions that stand; a new password, or being disabled, ends them.
    assert!(database.begin_session(admin.organisation, &credentials, "session-3", DAY).await.unwrap());
    let patch = MemberPatch { role: Some(Role::Viewer), ..MemberPatch::default() };
    database.change_member(admin.permit().unwrap(), bob, &patch, "").await.unwrap();
    assert_eq!(database.member_of_session("session-3").await.unwrap().unwrap().role, Role::Viewer);
    let patch = MemberPatch { password: Some("$argon2id$2"), ..MemberPatch::default() };
    database.change_member(admin.permit().unwrap(), bob, &patch, "").await.unwrap();
    assert!(database.member_of_session("session-3").await.unwrap().is_none());
    // A sign-in that was checked against the old password begins no session, and does not bring it back.
    assert!(!database.begin_session(admin.organisation, &credentials, "late", DAY).await.unwrap());
    assert!(!database.rehash(&credentials, "$argon2id$1b").await.unwrap());
    let credentials = database.credentials(admin.organisation, "bob").await.unwrap().unwrap();
    assert_eq!(credentials.password, "$argon2id$2");
    assert!(database.rehash(&credentials, "$argon2id$2b").await.unwrap());
    let credentials = database.credentials(admin.organisation, "bob").await.unwrap().unwrap();
    assert!(database.begin_session(admin.organisation, &credentials, "session-4", DAY).await.unwrap());
    let patch = MemberPatch { disabled: Some(true), ..MemberPatch::default() };
    database.change_member(admin.permit().unwrap(), bob, &patch, "").await.unwrap();
    assert!(database.member_of_session("session-4").await.unwrap().is_none());
    assert!(database.credentials(admin.organisation, "bob").await.unwrap().is_none());
    let members = database.members(&admin.permit().unwrap(), Page::first(10)).await.unwrap();
    assert_eq!(members.len(), 2);
    assert!(members[0].disabled_at.is_some() && members[0].password && !members[1].password);
}

pub async fn the_last_admin_stays(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    assert!(!database.any_admin().await.unwrap());
    let new = NewMember { name: "ada", display: "", role: Role::Admin, password: None };
    let ada = database.add_member(admin.permit().unwrap(), &new, "").await.unwrap();
    assert!(database.any_admin().await.unwrap());
    let down = MemberPatch { role: Some(Role::Viewer), ..MemberPatch::default() };
    let off = MemberPatch { disabled: Some(true), ..MemberPatch::default() };
    for patch in [&down, &off] {
        let refused = database.change_member(admin.permit().unwrap(), ada, patch, "").await;
        assert!(matches!(refused, Err(BadControl::LastAdmin)), "{refused:?}");
    }
    assert_eq!(database.member(&admin.permit().unwrap(), ada).await.unwrap().role, Role::Admin);
    let other = NewMember { name: "bea", ..new };
    database.add_member(admin.permit().unwrap(), &other, "").await.unwrap();
    database.change_member(admin.permit().unwrap(), ada, &down, "").await.unwrap();
}

pub async fn programs_are_recognised_until_they_are_revoked(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let new = NewProgram { label: "ci", role: Role::PolicyManager, hash: "h1", expires_at: None };
    let program = database.add_program(admin.permit().unwrap(), &new, "").await.unwrap();
    let over = NewProgram { label: "old", hash: "h2", expires_at: Some(1), ..new.clone() };
    database.add_program(admin.permit().unwrap(), &over, "").await.unwrap();
    let actor = database.program_of_token("h1").await.unwrap().unwrap();
    assert_eq!(actor.who, Who::Program { id: program, label: "ci".to_owned() });
    assert_eq!(actor.role, Role::PolicyManager);
    assert!(database.program_of_token("h2").await.unwrap().is_none());
    let listed = database.programs(&admin.permit().unwrap(), Page::first(10)).await.unwrap();
    assert!(listed[0].used_at.is_some() && listed[1].used_at.is_none());
    database.revoke_program(admin.permit().unwrap(), program, "left").await.unwrap();
    assert!(database.program_of_token("h1").await.unwrap().is_none());
}

pub async fn a_server_is_registered_changed_and_removed(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let found = database.server(&admin.permit().unwrap(), "crm").await.unwrap();
    assert_eq!(found.id, server);
    assert_eq!(found.reach, reach());
    assert_eq!(database.server(&admin.permit().unwrap(), &server.to_string()).await.unwrap(), found);
    let names = database.secret_names(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!(names[0].0, "Authorization");

    let facets = BTreeMap::from([("irreversible".to_owned(), true)]);
    let permit = admin.permit().unwrap();
    database.set_override(permit, server, "send", Some("destructive"), &facets, "it mails").await.unwrap();
    let overrides = database.overrides(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!(overrides[0].class.as_deref(), Some("destructive"));
    assert_eq!((overrides[0].facets.clone(), overrides[0].set_by.as_str()), (facets, "operator:ada"));
    database.set_override(admin.permit().unwrap(), server, "send", None, &BTreeMap::new(), "").await.unwrap();
    assert!(database.overrides(&admin.permit().unwrap(), server).await.unwrap().is_empty());

    // Another header: the old secret is forgotten with its name.
    let now_is = database.server(&admin.permit().unwrap(), "crm").await.unwrap();
    let (url, transport) = ("https://crm.example/v2".to_owned(), Some(Transport::Sse));
    let reach = Reach::Http { url, headers: vec!["X-Key".to_owned()], transport };
    let settings = Settings { exact_numbers: true, calls_at_once: Some(4), ..Settings::default() };
    let draft = ServerDraft { name: "crm2", title: "CRM", reach: &reach, settings: &settings, policy: None };
    let sealed = [Sealed { field: "X-Key".to_owned(), sealed: "s".to_owned() }];
    let permit = admin.permit().unwrap();
    database.change_server(permit, server, now_is.changed, &draft, &sealed, "moved").await.unwrap();
    let changed = database.server(&admin.permit().unwrap(), "crm2").await.unwrap();
    assert_eq!((&changed.reach, &changed.settings), (&reach, &settings));
    assert_eq!(database.sealed(&admin.permit().unwrap(), server).await.unwrap(), sealed);

    let grant = grant(&database, &admin, server, "desk", "h").await;
    database.remove_server(admin.permit().unwrap(), server, "gone").await.unwrap();
    assert!(database.server(&admin.permit().unwrap(), "crm2").await.is_err());
    assert!(database.grant(&admin.permit().unwrap(), grant).await.unwrap().revoked_at.is_some());
    assert!(database.sealed(&admin.permit().unwrap(), server).await.unwrap().is_empty());
    // Its name is free again.
    register(&database, &admin, "crm2").await;
}

pub async fn who_was_slower_is_told(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let seen = database.server(&admin.permit().unwrap(), "crm").await.unwrap().changed;
    let (reach, settings) = (reach(), Settings::default());
    let draft = ServerDraft { name: "crm", title: "new", reach: &reach, settings: &settings, policy: None };
    database.change_server(admin.permit().unwrap(), server, seen, &draft, &[], "").await.unwrap();
    let late = database.change_server(admin.permit().unwrap(), server, seen, &draft, &[], "").await;
    assert!(matches!(late, Err(BadControl::Stale("server"))), "{late:?}");
    let grant = grant(&database, &admin, server, "desk", "h").await;
    let seen = database.grant(&admin.permit().unwrap(), grant).await.unwrap().changed;
    let patch = GrantPatch { owner: Some(None), expires_at: Some(Some(9)), ..GrantPatch::default() };
    database.change_grant(admin.permit().unwrap(), grant, seen, &patch, "").await.unwrap();
    let late = database.change_grant(admin.permit().unwrap(), grant, seen, &patch, "").await;
    assert!(matches!(late, Err(BadControl::Stale("grant"))), "{late:?}");
    let now_is = database.grant(&admin.permit().unwrap(), grant).await.unwrap();
    assert_eq!((now_is.owner, now_is.expires_at), (None, Some(9)));
    assert_eq!(now_is.networks, ["10.0.0.0/8"]);
    assert_eq!(now_is.tags["team"], "blue");
}

pub async fn names_are_taken(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    grant(&database, &admin, server, "desk", "h").await;
    policy(&database, &admin, "careful").await;
    let (reach, settings) = (reach(), Settings::default());
    let draft = ServerDraft { name: "crm", title: "", reach: &reach, settings: &settings, policy: None };
    let again = database.add_server(admin.permit().unwrap(), &draft, |_| Ok::<_, BadControl>(Vec::new()), "").await;
    assert!(matches!(again, Err(BadControl::Taken(_))), "{again:?}");
    let document = Document { text: "{}", digest: "d" };
    let again = database.add_policy(admin.permit().unwrap(), "careful", "", document, "").await;
    assert!(matches!(again, Err(BadControl::Taken(_))), "{again:?}");
    let again = database.add_agent(admin.permit().unwrap(), "desk-agent", None, "", "").await;
    assert!(matches!(again, Err(BadControl::Taken(_))), "{again:?}");
    let again = database.add_organisation(admin.permit().unwrap(), "home", "", "").await;
    assert!(matches!(again, Err(BadControl::Taken(_))), "{again:?}");
    // Nothing of what failed is written down as done.
    let auditor = as_role(&admin, Role::Auditor);
    let filter = EventFilter { action: Some("server.add".to_owned()), ..EventFilter::default() };
    let events = database.admin_events(&auditor.permit().unwrap(), &filter, Page::first(100)).await.unwrap();
    assert_eq!(events.len(), 1);
}

pub async fn versions_of_a_policy_never_change(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let policy = policy(&database, &admin, "careful").await;
    let second = Document { text: "{\"a\":2}", digest: "d2" };
    let version = database.add_policy_version(admin.permit().unwrap(), policy, 1, second, "").await.unwrap();
    assert_eq!(version, 2);
    // The same document is the same version; who has not seen it is told.
    assert_eq!(database.add_policy_version(admin.permit().unwrap(), policy, 2, second, "").await.unwrap(), 2);
    let late = database.add_policy_version(admin.permit().unwrap(), policy, 1, second, "").await;
    assert!(matches!(late, Err(BadControl::Stale("policy"))), "{late:?}");
    let unknown = database.publish(admin.permit().unwrap(), policy, 3, "").await;
    assert!(matches!(unknown, Err(BadControl::Missing("version"))), "{unknown:?}");
    database.publish(admin.permit().unwrap(), policy, 2, "tighter").await.unwrap();
    database.publish(admin.permit().unwrap(), policy, 1, "too tight").await.unwrap();
    let now_is = database.policy(&admin.permit().unwrap(), "careful").await.unwrap();
    assert_eq!((now_is.published, now_is.latest), (Some(1), 2));
    let history = database.publications(&admin.permit().unwrap(), policy).await.unwrap();
    let told: Vec<_> = history.iter().map(|one| (one.version, one.reason.as_str())).collect();
    assert_eq!(told, [(1, "too tight"), (2, "tighter")]);
    let versions = database.policy_versions(&admin.permit().unwrap(), policy).await.unwrap();
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
    let first = database.policy_version(&admin.permit().unwrap(), policy, 1).await.unwrap();
    assert_eq!((first.document.as_str(), first.author.as_str()), ("{\"a\":1}", "operator:ada"));
}

pub async fn a_policy_in_use_stays(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let policy = policy(&database, &admin, "careful").await;
    let grant = grant(&database, &admin, server, "desk", "h").await;
    database.attach(admin.permit().unwrap(), grant, None, Some(policy), "").await.unwrap();
    let used = database.remove_policy(admin.permit().unwrap(), policy, "").await;
    assert!(matches!(used, Err(BadControl::InUse("policy"))), "{used:?}");
    database.attach(admin.permit().unwrap(), grant, None, None, "").await.unwrap();
    database.remove_policy(admin.permit().unwrap(), policy, "").await.unwrap();
    let gone = database.attach(admin.permit().unwrap(), grant, None, Some(policy), "").await;
    assert!(matches!(gone, Err(BadControl::Missing("policy"))), "{gone:?}");
}

pub async fn a_grant_from_minting_to_revocation(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let grant = grant(&database, &admin, server, "desk", "h").await;
    let minted = database.grant(&admin.permit().unwrap(), grant).await.unwrap();
    assert_eq!((minted.label.as_str(), minted.owner.as_deref()), ("desk", Some("ada")));
    database.grants_used(&[(grant, 5_000), (grant, 4_000)]).await.unwrap();
    let used = database.grant(&admin.permit().unwrap(), grant).await.unwrap();
    assert_eq!(used.used_at, Some(5_000));
    // Being used is nothing that replicas read.
    assert_eq!(used.changed, minted.changed);
    database.revoke_grant(admin.permit().unwrap(), grant, "leaked").await.unwrap();
    let again = database.revoke_grant(admin.permit().unwrap(), grant, "").await;
    assert!(matches!(again, Err(BadControl::Missing("grant"))), "{again:?}");
    assert!(database.grants(&admin.permit().unwrap(), None, Page::first(10)).await.unwrap().is_empty());
    // A label may be used again.
    let tags = BTreeMap::new();
    let agent = agent(&database, &admin, "next").await;
    let new = NewGrant {
        label: "desk",
        leads: &Leads::Server(server),
        agent: Holder::Known(agent),
        policy: None,
        owner: None,
        tags: &tags,
        networks: &[],
        expires_at: None,
        hash: "h2",
    };
    database.add_grant(admin.permit().unwrap(), &new, "").await.unwrap();
    let twice = database.add_grant(admin.permit().unwrap(), &NewGrant { hash: "h3", ..new }, "").await;
    assert!(matches!(twice, Err(BadControl::Taken(_))), "{twice:?}");
}

pub async fn an_agent_that_is_made_for_a_grant_is_made_with_it(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let tags = BTreeMap::new();
    let mint = async |label: &str, name: &str, hash: &str| {
        let agent = Holder::Named { name, owner: Some("ada") };
        let (leads, networks, expires_at) = (&Leads::Server(server), &[][..], None);
        let new = NewGrant { label, leads, agent, policy: None, owner: None, tags: &tags, networks, expires_at, hash };
        database.add_grant(admin.permit().unwrap(), &new, "").await
    };
    let (grant, _) = mint("desk", "bot", "h1").await.unwrap();
    let (other, _) = mint("night", "bot", "h2").await.unwrap();
    let agents = async || database.agents(&admin.permit().unwrap(), Page::first(10)).await.unwrap();
    let [bot] = &agents().await[..] else { panic!("one agent") };
    for grant in [grant, other] {
        assert_eq!(database.grant(&admin.permit().unwrap(), grant).await.unwrap().agent, bot.id);
    }
    let taken = mint("desk", "another", "h3").await;
    assert!(matches!(taken, Err(BadControl::Taken(_))), "{taken:?}");
    assert_eq!(agents().await.len(), 1, "none was made for the grant that was not");
}

pub async fn a_rotated_token_overlaps(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let grant = grant(&database, &admin, server, "desk", "h1").await;
    let tokens = async || {
        let mut tokens = database.changes_since(0).await.unwrap().grants.remove(0).tokens;
        tokens.sort();
        tokens
    };
    let before = database.now().await.unwrap();
    database.rotate_grant(admin.permit().unwrap(), grant, "h2", DAY, "").await.unwrap();
    let [(one, until), (two, never)] = tokens().await.try_into().unwrap();
    assert_eq!((one.as_str(), two.as_str(), never), ("h1", "h2", None));
    let until = until.unwrap();
    assert!(until >= before + DAY);
    // Another rotation, at once, makes no old token live longer.
    database.rotate_grant(admin.permit().unwrap(), grant, "h3", 10 * DAY, "").await.unwrap();
    assert_eq!(tokens().await[0], ("h1".to_owned(), Some(until)));
    database.rotate_grant(admin.permit().unwrap(), grant, "h4", 0, "").await.unwrap();
    assert_eq!(tokens().await, [("h4".to_owned(), None)]);
}

pub async fn unused_grants_are_listed(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let used = grant(&database, &admin, server, "used", "h1").await;
    let unused = grant(&database, &admin, server, "unused", "h2").await;
    let soon = database.now().await.unwrap() + DAY;
    database.grants_used(&[(used, soon + 1)]).await.unwrap();
    let list = database.unused_grants(&admin.permit().unwrap(), soon, Page::first(10)).await.unwrap();
    assert_eq!(list.iter().map(|grant| grant.id).collect::<Vec<_>>(), [unused]);
    let page = Page::first(1);
    let first = database.grants(&admin.permit().unwrap(), Some(server), page).await.unwrap();
    let after = Page { after: Some(first[0].id), ..page };
    let second = database.grants(&admin.permit().unwrap(), Some(server), after).await.unwrap();
    assert_eq!([first[0].id, second[0].id], [used, unused]);
}

pub async fn definitions_are_accepted(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let one = json!({ "digest": "1", "definition": { "name": "send" } });
    let two = json!({ "digest": "2", "definition": { "name": "send" } });
    let seen = |value: &serde_json::Value| BTreeMap::from([("send".to_owned(), value.clone())]);
    database.definitions_seen(server, &seen(&one)).await.unwrap();
    let pins = database.pins(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!((pins[0].accepted.as_ref(), pins[0].seen.as_ref()), (None, Some(&one)));
    database.accept(admin.permit().unwrap(), server, &seen(&one), &[], "looked at").await.unwrap();
    let pins = database.pins(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!((pins[0].accepted.as_ref(), pins[0].seen.as_ref()), (Some(&one), None));
    assert_eq!(pins[0].accepted_by.as_deref(), Some("operator:ada"));
    // A first list is one that comes before anything was accepted.
    let late = database.accept_first(admin.permit().unwrap(), server, &seen(&two)).await.unwrap();
    assert_eq!(late, None);
    let other = register(&database, &admin, "other").await;
    database.definitions_seen(other, &seen(&one)).await.unwrap();
    assert!(database.accept_first(admin.permit().unwrap(), other, &seen(&two)).await.unwrap().is_some());
    assert_eq!(database.pins(&admin.permit().unwrap(), other).await.unwrap()[0].accepted.as_ref(), Some(&two));
    // What is shown later waits beside what counts; when it is shown no more, it is forgotten.
    database.definitions_seen(server, &seen(&two)).await.unwrap();
    let pins = database.pins(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!((pins[0].accepted.as_ref(), pins[0].seen.as_ref()), (Some(&one), Some(&two)));
    database.definitions_seen(server, &BTreeMap::new()).await.unwrap();
    assert_eq!(database.pins(&admin.permit().unwrap(), server).await.unwrap()[0].seen, None);
    database.accept(admin.permit().unwrap(), server, &BTreeMap::new(), &["send".to_owned()], "").await.unwrap();
    assert!(database.pins(&admin.permit().unwrap(), server).await.unwrap().is_empty());
}

pub async fn calls_are_stopped_and_resumed(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let manager = as_role(&admin, Role::PolicyManager);
    let server = register(&database, &admin, "crm").await;
    database.stop(manager.permit().unwrap(), Stoppable::Server(server), "it leaks").await.unwrap();
    database.stop(manager.permit().unwrap(), Stoppable::Everything, "all of it").await.unwrap();
    database.stop(manager.permit().unwrap(), Stoppable::Everything, "really").await.unwrap();
    let stops = database.stops(&admin.permit().unwrap()).await.unwrap();
    let told: Vec<_> = stops.iter().map(|stop| (stop.what, stop.reason.as_str())).collect();
    assert_eq!(told, [(Stoppable::Server(server), "it leaks"), (Stoppable::Everything, "really")]);
    database.resume(manager.permit().unwrap(), Stoppable::Everything, "").await.unwrap();
    assert_eq!(database.stops(&admin.permit().unwrap()).await.unwrap().len(), 1);
    let again = database.resume(manager.permit().unwrap(), Stoppable::Everything, "").await;
    assert!(matches!(again, Err(BadControl::Missing("stop"))), "{again:?}");
    // What goes on can be stopped again.
    database.stop(manager.permit().unwrap(), Stoppable::Everything, "").await.unwrap();
    assert_eq!(database.stops(&admin.permit().unwrap()).await.unwrap().len(), 2);
}

pub async fn every_change_is_an_event(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let before = database.version().await.unwrap();
    let server = register(&database, &admin, "crm").await;
    let policy = policy(&database, &admin, "careful").await;
    let grant = grant(&database, &admin, server, "desk", "h").await;
    database.publish(admin.permit().unwrap(), policy, 1, "first").await.unwrap();
    database.attach(admin.permit().unwrap(), grant, None, Some(policy), "try it").await.unwrap();
    database.rotate_grant(admin.permit().unwrap(), grant, "h2", 0, "").await.unwrap();
    database.revoke_grant(admin.permit().unwrap(), grant, "leaked").await.unwrap();
    let auditor = as_role(&admin, Role::Auditor);
    let all = EventFilter::default();
    let events = database.admin_events(&auditor.permit().unwrap(), &all, Page::first(100)).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    let expected = [
        "server.add",
        "policy.add",
        "agent.add",
        "grant.mint",
        "policy.publish",
        "grant.attach",
        "grant.rotate",
        "grant.revoke",
    ];
    assert_eq!(actions, expected);
    assert_eq!(database.version().await.unwrap(), before + 8);
    let last = &events[7];
    assert_eq!((last.actor.as_str(), last.reason.as_str(), last.name.as_str()), ("operator:ada", "leaked", "desk"));
    let of = |filter: EventFilter| {
        let (database, auditor) = (&database, &auditor);
        async move { database.admin_events(&auditor.permit().unwrap(), &filter, Page::first(100)).await.unwrap().len() }
    };
    assert_eq!(of(EventFilter { object: Some(grant), ..EventFilter::default() }).await, 4);
    assert_eq!(of(EventFilter { actor: Some("member:eve".to_owned()), ..EventFilter::default() }).await, 0);
    assert_eq!(of(EventFilter { since: Some(last.at + 1), ..EventFilter::default() }).await, 0);
    assert_eq!(of(EventFilter { until: Some(last.at + 1), ..EventFilter::default() }).await, 8);
}

pub async fn a_change_that_is_dropped_has_not_happened(ground: &Ground) {
    use store::control::access::ManageServers;
    let (database, admin) = ground.founded(Role::Admin).await;
    let before = database.version().await.unwrap();
    let change = database.change(admin.permit::<ManageServers>().unwrap()).await.unwrap();
    assert_eq!(change.version(), before + 1);
    drop(change);
    assert_eq!(database.version().await.unwrap(), before);
    register(&database, &admin, "crm").await;
    assert_eq!(database.version().await.unwrap(), before + 1);
}

pub async fn secrets_are_sealed_anew(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    let server = register(&database, &admin, "crm").await;
    let seen = database.version().await.unwrap();
    assert_eq!(database.keep_instance_secret("hash key", "old 1").await.unwrap(), "old 1");
    assert_eq!(database.keep_instance_secret("hash key", "old 2").await.unwrap(), "old 1");
    let first = as_role(&admin, Role::Admin);
    let at_server =
        SealedAt::Object { organisation: admin.organisation, object: server, field: "Authorization".to_owned() };
    let all = database.all_sealed(&first.permit().unwrap()).await.unwrap();
    let places: Vec<_> = all.into_iter().map(|(at, _)| at).collect();
    assert_eq!(places, [SealedAt::Instance("hash key".to_owned()), at_server.clone()]);
    let fails = |at: &SealedAt, _: &str| match at {
        SealedAt::Instance(_) => Ok(Some("lost".to_owned())),
        SealedAt::Object { .. } => Err("it was moved".to_owned()),
    };
    let refused = database.seal_anew(first.permit().unwrap(), "", fails).await.unwrap_err();
    assert!(refused.to_string().contains("it was moved"), "{refused}");
    let anew = |_: &SealedAt, old: &str| Ok((!old.ends_with("new")).then(|| format!("{old}, new")));
    assert_eq!(database.seal_anew(first.permit().unwrap(), "a new key", anew).await.unwrap().0, 2);
    assert_eq!(database.seal_anew(first.permit().unwrap(), "again", anew).await.unwrap().0, 0);
    let sealed = database.sealed(&admin.permit().unwrap(), server).await.unwrap();
    assert_eq!(sealed[0].sealed, format!("sealed for {server}, new"));
    assert_eq!(database.instance_secret("hash key").await.unwrap().as_deref(), Some("old 1, new"));
    // Replicas go on with what they have opened.
    assert!(database.changes_since(seen).await.unwrap().servers.is_empty());
}

pub async fn what_serves_once_serves_once(ground: &Ground) {
    let (database, admin) = ground.founded(Role::Admin).await;
    database.put_instance_secret("setup", "an older hash").await.unwrap();
    database.put_instance_secret("setup", "hash").await.unwrap();
    let taking = |value: &'static str, name: String| {
        let (database, admin) = (database.clone(), admin.clone());
        tokio::spawn(async move {
            let new = NewMember { name: &name, display: &name, role: Role::Admin, password: None };
            database.add_first_member(admin.permit().unwrap(), ("setup", value), &new).await.unwrap()
        })
    };
    assert_eq!(taking("an older hash", "eve".to_owned()).await.unwrap(), None);
    let takers: Vec<_> = (0..8).map(|number| taking("hash", format!("ada{number}"))).collect();
    let mut taken = 0;
    for taker in takers {
        taken += u32::from(taker.await.unwrap().is_some());
    }
    assert_eq!(taken, 1);
    let members = database.members(&admin.permit().unwrap(), Page::first(100)).await.unwrap();
    assert_eq!(members.iter().filter(|member| member.name.starts_with("ada")).count(), 1);
}

/// A row of every kind, then its backup in each engine: the same rows again, byte for byte.
pub async fn a_backup_restores_into_either_engine(ground: &Ground) {
    use store::control::backup::{Backup, BadBackup};
    let (database, admin) = ground.founded(Role::Admin).await;
    database.keep_instance_secret("check", "sealed").await.unwrap();
    let member = NewMember { name: "ada", display: "Ada \u{1f980}\n", role: Role::Admin, password: Some("$argon2id$") };
    database.add_member(admin.permit().unwrap(), &member, "said so").await.unwrap();
    let crm = register(&database, &admin, "crm").await;
    grant(&database, &admin, crm, "desk", "h").await;
    // A restored instance is one whose counts have begun.
    assert!(database.begin_counts(admin.organisation).await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let write = async |database: &ControlDatabase, name: &str| {
        let path = folder.path().join(name);
        let rows = database.back_up(&mut std::fs::File::create(&path).unwrap()).await.unwrap();
        (path, rows)
    };
    let (path, rows) = write(&database, "one").await;
    let backup = Backup::open(&path).unwrap();
    assert_eq!(backup.instance_secret("check"), Some("sealed"));
    let without_version = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).unwrap();
        // The first line has the time, the third the version, the last the digest.
        text.lines().skip(3).filter(|line| !line.starts_with("{\"end\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    for (number, target) in [crate::place::sqlite(), crate::place::postgres()].iter().enumerate() {
        assert_eq!(backup.restore(&target.place).await.unwrap(), rows);
        let restored = ControlDatabase::open(&target.place).await.unwrap();
        assert!(restored.version().await.unwrap() > database.version().await.unwrap());
        let (again, _) = write(&restored, &format!("again{number}")).await;
        assert_eq!(without_version(&again), without_version(&path));
        // Nothing is restored over an instance.
        assert!(matches!(backup.restore(&target.place).await, Err(BadBackup::NotEmpty)));
    }
    // What was cut short, changed or made by a later version is refused before anything is done.
    let text = std::fs::read_to_string(&path).unwrap();
    let cut = text.get(..text.len() - 10).unwrap();
    let changed = text.replacen("said so", "said no", 1);
    let newer = text.replacen("\"schema\":2", "\"schema\":999", 1);
    let target = crate::place::sqlite();
    for (number, wrong) in [cut, &changed, &newer, "", "{}\n", "\u{0}"].into_iter().enumerate() {
        let path = folder.path().join(format!("wrong{number}"));
        std::fs::write(&path, wrong).unwrap();
        let refused = match Backup::open(&path) {
            Ok(backup) => backup.restore(&target.place).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{number}");
    }
    assert!(backup.restore(&target.place).await.is_ok());
}
