//! What was decided holds on every replica, once it was answered.

use std::time::Duration;

use control::servers::{ReachGiven, ServerGiven};
use serde_json::json;
use store::control::access::{Actor, Role};
use store::control::servers::{Settings, Transport};
use store::control::stops::Stoppable;
use testkit::message::request;
use testkit::script::{Behaviour, Script, Tool};
use testkit::upstream::{Older, Upstream};

use crate::house::{House, OPEN, given};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn a_grant_leads_to_its_server(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = replica.agent("files", &minted);
    // Its first list is accepted, and there at once.
    assert!(agent.tools().unwrap().contains(&"echo".to_owned()));
    assert!(agent.call("echo", json!({ "n": 1 })).unwrap().is_done());
    assert_eq!(upstream.called(), ["echo"]);
    // Its one server is at `/mcp` too; another server's address is not its.
    let only = testkit::client::McpHttp::modern(&format!("{}/mcp", replica.url), Some(minted.token.reveal())).unwrap();
    assert!(only.call("echo", json!({})).unwrap().is_done());
    let mut other = minted.token.reveal().to_owned();
    other.pop();
    for (server, token) in [("other", minted.token.reveal()), ("files", &other), ("files", "tg_x")] {
        let refused = replica.agent_with(server, token).post_message(&modern(1, "echo")).unwrap();
        assert_eq!(refused.status(), 401, "{server} {token}");
    }
    assert_eq!(upstream.called().len(), 2);
}

pub fn how_a_server_is_spoken_to_is_said_or_found_out(house: &House) {
    let older = Older::start(Script::default()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.policy(&desk.admin, "open", OPEN);
    let given_as = |transport| ServerGiven {
        name: "old".to_owned(),
        title: String::new(),
        reach: ReachGiven::Http { url: older.url(), headers: Default::default(), transport },
        settings: Settings { accept_first: true, ..Settings::default() },
        policy: None,
    };
    desk.runtime.block_on(desk.instance.add_server(&desk.admin, &given_as(Some(Transport::Sse)), "")).unwrap();
    let minted = desk.mint(&desk.admin, &given("desk", "old", "open"));
    let agent = replica.agent("old", &minted);
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    let posted = || older.requests().iter().filter(|one| one.method == "POST" && one.path == "/sse").count();
    assert_eq!(posted(), 0, "it is not asked otherwise");
    // Left to be found out, it is asked as any other server first.
    let see = desk.admin.permit().unwrap();
    let seen = desk.runtime.block_on(desk.instance.database().server(&see, "old")).unwrap().changed;
    let otherwise = given_as(None);
    let changed = desk.instance.change_server(&desk.admin, "old", seen, &otherwise, "");
    desk.confirmed(desk.runtime.block_on(changed).unwrap());
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    assert!(posted() > 0, "{:?}", older.requests());
}

pub fn a_revoked_grant_fails_on_every_replica(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replicas = ["one", "two", "three"].map(|name| house.replica(name));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    for round in 0..5 {
        let minted = desk.mint(&desk.admin, &given(&format!("desk-{round}"), "files", "open"));
        let agents = replicas.each_ref().map(|replica| replica.agent("files", &minted));
        for agent in &agents {
            assert!(agent.call("echo", json!({})).unwrap().is_done());
        }
        let before = upstream.called().len();
        let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
        let version = desk.runtime.block_on(revoked).unwrap();
        desk.confirmed(version);
        for agent in &agents {
            assert_eq!(agent.post_message(&modern(1, "echo")).unwrap().status(), 401);
        }
        assert_eq!(upstream.called().len(), before);
    }
}

pub fn a_published_policy_holds_when_it_was_answered(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replicas = ["one", "two"].map(|name| house.replica(name));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "careful", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "careful"));
    let agents = replicas.each_ref().map(|replica| replica.agent("files", &minted));
    let shut = r#"{ "version": "1", "default": "allow", "tools": { "delete_file": { "action": "deny" } } }"#;
    let (version, _) = desk.runtime.block_on(desk.instance.edit_policy(&desk.admin, "careful", 1, shut, "")).unwrap();
    assert_eq!(version, 2);
    for agent in &agents {
        // Written is not in force.
        assert!(agent.call("delete_file", json!({})).unwrap().is_done());
    }
    for (version, denied) in [(2, true), (1, false), (2, true)] {
        let published = desk.instance.publish(&desk.admin, "careful", version, "because");
        let version = desk.runtime.block_on(published).unwrap();
        desk.confirmed(version);
        for agent in &agents {
            let outcome = agent.call("delete_file", json!({})).unwrap();
            assert_eq!(outcome.is_denied(), denied, "{outcome:?}");
        }
    }
}

pub fn a_policy_whose_tests_fail_is_not_published(house: &House) {
    let desk = house.desk();
    let wrong = r#"{ "version": "1", "default": "allow",
        "tests": [{ "name": "nothing is deleted", "call": "delete_file", "args": {}, "expect": "deny" }] }"#;
    desk.runtime.block_on(desk.instance.add_policy(&desk.admin, "wrong", "", wrong, "")).unwrap();
    let refused = desk.runtime.block_on(desk.instance.publish(&desk.admin, "wrong", 1, "because")).unwrap_err();
    let told = "1 of the policy's tests fails, so it was not published; the first: nothing is deleted";
    assert_eq!(refused.to_string(), told);
    let policy = desk.runtime.block_on(desk.instance.database().policy(&desk.admin.permit().unwrap(), "wrong"));
    assert_eq!(policy.unwrap().published, None);
}

pub fn a_rotated_token_is_good_and_the_old_one_for_its_time(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let first = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let rotate = |overlap| {
        let rotated = desk.runtime.block_on(desk.instance.rotate(&desk.admin, first.grant, overlap, "")).unwrap();
        desk.confirmed(rotated.version);
        rotated
    };
    let status = |minted| replica.agent("files", minted).post_message(&modern(1, "echo")).unwrap().status();
    let second = rotate(3_600_000);
    assert_eq!([status(&first), status(&second)], [200, 200]);
    let third = rotate(0);
    assert_eq!([status(&first), status(&second), status(&third)], [401, 401, 200]);
}

pub fn calls_under_way_are_cut_when_they_are_stopped(house: &House) {
    let tools = ["echo", "slow", "chatty"].map(|name| match name {
        "slow" => Tool::named(name).does(Behaviour::Hang),
        "chatty" => Tool::named(name).does(Behaviour::Progress(1, Some("never".to_owned()))),
        _ => Tool::named(name),
    });
    let upstream = Upstream::start(Script::with(tools).modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let other = desk.mint(&desk.admin, &given("other", "files", "open"));
    let agent = replica.agent("files", &minted);
    let bystander = replica.agent("files", &other);
    assert!(bystander.call("echo", json!({})).unwrap().is_done());

    let slow = agent.open(&modern(7, "slow")).unwrap();
    let mut chatty = agent.open(&modern(8, "chatty")).unwrap();
    upstream.wait_for_call("slow").unwrap();
    // The stream has begun: its head and one event are through.
    assert_eq!(chatty.head(PATIENCE).unwrap().status(), Some(200));
    assert!(chatty.next(PATIENCE).unwrap().get("method").is_some());
    let stop = |what| {
        let permit = desk.admin.permit().unwrap();
        let version = desk.runtime.block_on(desk.instance.database().stop(permit, what, "it leaks")).unwrap();
        desk.confirmed(version);
    };
    stop(Stoppable::Grant(minted.grant));
    let cut = slow.answer(PATIENCE).unwrap();
    assert_eq!(cut.status(), 503);
    let cut = cut.message().unwrap();
    assert_eq!(cut["id"], 7);
    let told = cut["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("stopped by an operator: it leaks."), "{told}");
    let last = chatty.next(PATIENCE).unwrap();
    assert_eq!(last["id"], 8);
    assert!(last["error"]["message"].as_str().unwrap().contains("it leaks"), "{last}");

    // Whoever comes later is told as well, and nothing reaches the server.
    let before = upstream.called().len();
    let outcome = agent.call("echo", json!({})).unwrap();
    assert!(outcome.is_denied() && format!("{outcome:?}").contains("it leaks"), "{outcome:?}");
    let listed = agent.request("tools/list", json!({})).unwrap();
    assert!(listed["error"]["message"].as_str().unwrap().contains("it leaks"), "{listed}");
    assert_eq!(upstream.called().len(), before);
    assert!(bystander.call("echo", json!({})).unwrap().is_done());
    stop(Stoppable::Everything);
    assert!(bystander.call("echo", json!({})).unwrap().is_denied());
    for what in [Stoppable::Everything, Stoppable::Grant(minted.grant)] {
        let permit = desk.admin.permit().unwrap();
        let version = desk.runtime.block_on(desk.instance.database().resume(permit, what, "")).unwrap();
        desk.confirmed(version);
    }
    assert!(agent.call("echo", json!({})).unwrap().is_done());
}

/// What the gateway asks of its own before a first call, to find out how its server is spoken to, is given up too.
pub fn nothing_is_found_out_for_a_call_that_is_stopped(house: &House) {
    let script = Script { list_gate: Some("list".to_owned()), ..Script::default().modern() };
    let upstream = Upstream::start(script).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let call = replica.agent("files", &minted).open(&modern(7, "echo")).unwrap();
    upstream.wait_for("the list", |request| request.rpc() == "tools/list").unwrap();
    let stopped =
        desk.instance.database().stop(desk.admin.permit().unwrap(), Stoppable::Grant(minted.grant), "it leaks");
    desk.confirmed(desk.runtime.block_on(stopped).unwrap());
    // The server says nothing yet, and is not waited for.
    let told = call.answer(PATIENCE).unwrap().text();
    assert!(told.contains("it leaks"), "{told}");
    upstream.release("list");
    assert_eq!((upstream.called().len(), upstream.count("GET")), (0, 0));
}

/// A call as the modern era sends it, which wants to hear of its progress.
fn modern(id: i64, tool: &str) -> serde_json::Value {
    let params = json!({ "name": tool, "arguments": {}, "_meta": { "progressToken": "p" } });
    request(id, "tools/call", testkit::message::modern(params))
}

pub fn what_is_stopped_stays_stopped_for_a_new_replica(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let server = desk.runtime.block_on(desk.instance.database().server(&desk.admin.permit().unwrap(), "files"));
    let what = Stoppable::Server(server.unwrap().id);
    let stopped = desk.instance.database().stop(desk.admin.permit().unwrap(), what, "maintenance");
    desk.runtime.block_on(stopped).unwrap();
    let replica = house.replica("late");
    let outcome = replica.agent("files", &minted).call("echo", json!({})).unwrap();
    assert!(outcome.is_denied() && format!("{outcome:?}").contains("maintenance"), "{outcome:?}");
    assert_eq!(upstream.called().len(), 0);
}

pub fn a_changed_definition_is_held_everywhere(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replicas = ["one", "two"].map(|name| house.replica(name));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agents = replicas.each_ref().map(|replica| replica.agent("files", &minted));
    for agent in &agents {
        assert!(agent.call("echo", json!({})).unwrap().is_done());
    }
    let other = Tool::named("echo").member("description", json!("Echoes, and sends a copy to somebody else."));
    upstream.set_tools([other, Tool::named("r")]);
    // A third one has never seen the old list: what was accepted is what counts for it.
    let third = house.replica("three");
    let agent = third.agent("files", &minted);
    assert_eq!(agent.tools().unwrap(), ["r"]);
    let outcome = agent.call("echo", json!({})).unwrap();
    assert!(outcome.is_denied() && format!("{outcome:?}").contains("accepted"), "{outcome:?}");

    // What waits is kept; accepted, it may be called, on every replica.
    let see = desk.admin.permit().unwrap();
    let server = desk.runtime.block_on(desk.instance.database().server(&see, "files")).unwrap().id;
    let waiting = testkit::wait::until("a definition that waits", PATIENCE, || {
        let pins = desk.runtime.block_on(desk.instance.database().pins(&see, server)).unwrap();
        pins.into_iter().find_map(|pin| pin.seen.map(|seen| (pin.tool, seen)))
    });
    let (tool, seen) = waiting.unwrap();
    assert_eq!(tool, "echo");
    let accepted = std::collections::BTreeMap::from([(tool, seen)]);
    let permit = desk.admin.permit().unwrap();
    let version =
        desk.runtime.block_on(desk.instance.database().accept(permit, server, &accepted, &[], "looked at it"));
    desk.confirmed(version.unwrap());
    assert!(agent.call("echo", json!({})).unwrap().is_done());
}

pub fn networks_and_expiry_are_obeyed(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let mut elsewhere = given("elsewhere", "files", "open");
    elsewhere.networks = vec!["192.0.2.0/24".to_owned()];
    let mut here = given("here", "files", "open");
    here.networks = vec!["127.0.0.0/8".to_owned()];
    let now = desk.runtime.block_on(desk.instance.database().now()).unwrap();
    here.expires_at = Some(now + 3_600_000);
    let (elsewhere, here) = (desk.mint(&desk.admin, &elsewhere), desk.mint(&desk.admin, &here));
    let refused = replica.agent("files", &elsewhere).post_message(&modern(1, "echo")).unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().contains("may not be used from 127.0.0.1"), "{}", refused.text());
    assert!(replica.agent("files", &here).call("echo", json!({})).unwrap().is_done());
    // Its time is over.
    let see = desk.admin.permit().unwrap();
    let seen = desk.runtime.block_on(desk.instance.database().grant(&see, here.grant)).unwrap().changed;
    let patch = store::control::grants::GrantPatch { expires_at: Some(Some(now)), ..Default::default() };
    let changed = desk.instance.database().change_grant(desk.admin.permit().unwrap(), here.grant, seen, &patch, "");
    desk.confirmed(desk.runtime.block_on(changed).unwrap());
    let refused = replica.agent("files", &here).post_message(&modern(1, "echo")).unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().contains("has expired"), "{}", refused.text());
    assert_eq!(upstream.called().len(), 1);
}

pub fn a_policy_that_is_published_while_a_list_is_awaited_judges_the_call(house: &House) {
    let script = Script { list_gate: Some("slow".to_owned()), ..Script::default() };
    let upstream = Upstream::start(script.modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "careful", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "careful"));
    let late = replica.agent("files", &minted).open(&modern(7, "echo")).unwrap();
    upstream.wait_for("a list", |request| request.json()["method"] == "tools/list").unwrap();
    let shut = r#"{ "version": "1", "default": "deny" }"#;
    let version = desk.runtime.block_on(async {
        desk.instance.edit_policy(&desk.admin, "careful", 1, shut, "").await.unwrap();
        desk.instance.publish(&desk.admin, "careful", 2, "shut").await.unwrap()
    });
    desk.confirmed(version);
    upstream.release("slow");
    let answer = late.answer(PATIENCE).unwrap().message().unwrap();
    assert_eq!(answer["result"]["_meta"]["toolgate/decision"]["effect"], "deny", "{answer}");
    assert_eq!(upstream.called().len(), 0);
}

pub fn a_name_that_cannot_be_kept_is_held_and_harms_nobody(house: &House) {
    let long = "x".repeat(30_000);
    let tools = ["a\0b", &long, "r"].map(Tool::named);
    let odd = Upstream::start(Script::with(tools).modern()).unwrap();
    let usual = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.policy(&desk.admin, "open", OPEN);
    for (name, upstream) in [("odd", &odd), ("usual", &usual)] {
        desk.register(name, upstream);
    }
    let odd_one = desk.mint(&desk.admin, &given("desk", "odd", "open"));
    let usual_one = desk.mint(&desk.admin, &given("desk2", "usual", "open"));
    assert_eq!(replica.agent("odd", &odd_one).tools().unwrap(), ["r"]);
    assert!(replica.agent("odd", &odd_one).call("r", json!({})).unwrap().is_done());
    assert!(replica.agent("usual", &usual_one).call("echo", json!({})).unwrap().is_done());
}

pub fn a_server_that_wants_to_be_asked_each_time_is_served(house: &House) {
    let script = Script { ttl_ms: 0, ..Script::default() };
    let upstream = Upstream::start(script.modern()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let version = desk.runtime.block_on(desk.instance.database().version()).unwrap();
    for _ in 0..5 {
        assert!(replica.agent("files", &minted).call("echo", json!({})).unwrap().is_done());
    }
    // The first list was accepted; the same again is nothing new.
    assert_eq!(desk.runtime.block_on(desk.instance.database().version()).unwrap(), version + 1);
}

pub fn organisations_do_not_share_names_or_counts(house: &House) {
    let [ours, theirs] = [(); 2].map(|()| Upstream::start(Script::default().modern()).unwrap());
    let desk = house.desk();
    let replica = house.replica("one");
    let added = desk.instance.database().add_organisation(desk.admin.permit().unwrap(), "other", "Other", "");
    let other = desk.runtime.block_on(added).unwrap();
    let them = Actor { organisation: other.id, first: false, role: Role::Admin, ..desk.admin.clone() };
    let once = r#"{ "version": "1", "default": "allow",
        "all_tools": { "limits": [{ "counter": "calls", "window": "day", "max": 1, "scope": "organisation" }] } }"#;
    let mut agents = Vec::new();
    for (actor, upstream) in [(&desk.admin, &ours), (&them, &theirs)] {
        desk.register_as(actor, "files", upstream);
        desk.policy(actor, "open", once);
        let minted = desk.mint(actor, &given("desk", "files", "open"));
        agents.push(replica.agent("files", &minted));
    }
    // The same names and the same policy: each is counted for itself, and reaches its own server.
    for (agent, upstream) in agents.iter().zip([&ours, &theirs]) {
        assert!(agent.call("echo", json!({})).unwrap().is_done());
        let second = agent.call("echo", json!({})).unwrap();
        assert!(second.is_limited(), "{second:?}");
        assert_eq!(upstream.called().len(), 1);
    }
}
