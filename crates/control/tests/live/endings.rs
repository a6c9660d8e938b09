//! What is under way ends with what let it in: open streams, calls, bodies that are still coming, programs.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use control::grants::Minted;
use control::servers::{ReachGiven, ServerGiven};
use serde_json::{Value, json};
use store::control::grants::GrantPatch;
use store::control::servers::Settings;
use store::control::stops::Stoppable;
use testkit::client::{McpHttp, Open};
use testkit::message::request;
use testkit::place;
use testkit::postgres::Postgres;
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee::{Event, events};
use testkit::toolgate::is_alive;
use testkit::upstream::Upstream;
use testkit::wait::{PATIENCE, for_it};
use testkit::wire::Wire;

use crate::house::{Desk, House, OPEN, Serving, given};

fn script() -> Script {
    let progress = Behaviour::Progress(1, Some("never".to_owned()));
    Script::with([Tool::named("echo"), Tool::named("slow").does(Behaviour::Hang), Tool::named("chatty").does(progress)])
        .both_eras()
}

fn call(id: i64, tool: &str) -> Value {
    let params = json!({ "name": tool, "arguments": {}, "_meta": { "progressToken": "p" } });
    request(id, "tools/call", testkit::message::modern(params))
}

fn subscribe() -> Value {
    let params = testkit::message::modern(json!({ "notifications": { "toolsListChanged": true } }));
    request("sub", "subscriptions/listen", params)
}

/// The answer on a stream, past what is said beside it.
fn answer(open: &mut Open) -> Value {
    loop {
        let message = open.next(PATIENCE).unwrap();
        if message.get("method").is_none() {
            return message;
        }
    }
}

/// How a grant is changed.
type Way<'a> = &'a dyn Fn(&Minted);

/// Whatever one agent can have under way at once.
struct UnderWay {
    slow: Open,
    chatty: Open,
    subscription: Open,
    listening: Open,
}

impl UnderWay {
    fn begin(replica: &Serving, upstream: &Upstream, token: &str) -> Self {
        let agent = replica.agent_with("files", token);
        let called = |tool| upstream.called().iter().filter(|called| *called == tool).count();
        let before = called("slow");
        let slow = agent.open(&call(7, "slow")).unwrap();
        let mut chatty = agent.open(&call(8, "chatty")).unwrap();
        let mut subscription = agent.open(&subscribe()).unwrap();
        let legacy = McpHttp::legacy(&format!("{}/mcp/files/", replica.url), Some(token)).unwrap();
        let mut listening = legacy.listen(None).unwrap();
        for open in [&mut chatty, &mut subscription, &mut listening] {
            assert_eq!(open.head(PATIENCE).unwrap().status(), Some(200));
        }
        // Each is through to the server and back.
        chatty.next(PATIENCE).unwrap();
        subscription.next(PATIENCE).unwrap();
        for_it("the slow call", || called("slow") > before).unwrap();
        Self { slow, chatty, subscription, listening }
    }

    /// All of it ends, and says why where there is something to answer.
    fn ends(mut self, why: &str) {
        let cut = self.slow.answer(PATIENCE).unwrap();
        assert_eq!(cut.status(), 503, "{why}: {}", cut.text());
        assert!(cut.text().contains(why), "{why}: {}", cut.text());
        // It may have been carried out, so no program is told to repeat it.
        assert_eq!(cut.head.headers.get("retry-after"), None);
        for (mut open, id) in [(self.chatty, json!(8)), (self.subscription, json!("sub"))] {
            let last = answer(&mut open);
            assert_eq!(last["id"], id, "{why}: {last}");
            assert!(last["error"]["message"].as_str().unwrap().contains(why), "{why}: {last}");
            assert!(open.event(PATIENCE).unwrap().is_none());
        }
        while self.listening.event(PATIENCE).unwrap().is_some() {}
    }
}

fn house_with(house: &House) -> (Upstream, Desk, Serving) {
    let upstream = Upstream::start(script()).unwrap();
    let desk = house.desk();
    let replica = house.replica("one");
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    (upstream, desk, replica)
}

fn change(desk: &Desk, minted: &Minted, patch: &GrantPatch<'_>) {
    let see = desk.admin.permit().unwrap();
    let seen = desk.runtime.block_on(desk.instance.database().grant(&see, minted.grant)).unwrap().changed;
    let permit = desk.admin.permit().unwrap();
    let changed = desk.instance.database().change_grant(permit, minted.grant, seen, patch, "");
    desk.confirmed(desk.runtime.block_on(changed).unwrap());
}

pub fn streams_and_calls_end_with_what_let_them_in(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    let soon = || desk.runtime.block_on(desk.instance.database().now()).unwrap() + 300;
    let elsewhere = ["192.0.2.0/24".to_owned()];
    let bystander = desk.mint(&desk.admin, &given("bystander", "files", "open"));
    let untouched = UnderWay::begin(&replica, &upstream, bystander.token.reveal());
    let ways: [(&str, Way<'_>); 5] = [
        ("revoked", &|minted| {
            let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
            desk.confirmed(desk.runtime.block_on(revoked).unwrap());
        }),
        // Nobody does anything when the time comes.
        ("expired", &|minted| {
            change(&desk, minted, &GrantPatch { expires_at: Some(Some(soon())), ..Default::default() })
        }),
        ("may not be used from", &|minted| {
            change(&desk, minted, &GrantPatch { networks: Some(&elsewhere), ..Default::default() });
        }),
        ("no longer valid", &|minted| {
            let rotated = desk.instance.rotate(&desk.admin, minted.grant, 0, "");
            desk.confirmed(desk.runtime.block_on(rotated).unwrap().version);
        }),
        ("no longer valid", &|minted| {
            let rotated = desk.instance.rotate(&desk.admin, minted.grant, 300, "");
            desk.confirmed(desk.runtime.block_on(rotated).unwrap().version);
        }),
    ];
    for (number, (why, way)) in ways.into_iter().enumerate() {
        let minted = desk.mint(&desk.admin, &given(&format!("desk-{number}"), "files", "open"));
        let under_way = UnderWay::begin(&replica, &upstream, minted.token.reveal());
        way(&minted);
        under_way.ends(why);
    }
    // What is nobody else's business went on.
    assert_eq!(replica.gateway.open_streams(), 2);
    let stopped = desk.instance.database().stop(desk.admin.permit().unwrap(), Stoppable::Everything, "enough");
    desk.confirmed(desk.runtime.block_on(stopped).unwrap());
    untouched.ends("enough");
    for_it("no stream", || replica.gateway.open_streams() == 0).unwrap();
}

pub fn a_legacy_server_is_told_what_was_cut(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = McpHttp::legacy(&format!("{}/mcp/files/", replica.url), Some(minted.token.reveal())).unwrap();
    let slow = agent.open(&testkit::message::call(41, "slow", json!({}))).unwrap();
    upstream.wait_for_call("slow").unwrap();
    let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
    desk.confirmed(desk.runtime.block_on(revoked).unwrap());
    assert_eq!(slow.answer(PATIENCE).unwrap().status(), 503);
    let told = upstream.wait_for("a cancellation", |request| request.rpc() == "notifications/cancelled").unwrap();
    assert_eq!(told.json()["params"]["requestId"], 41);
}

pub fn a_stream_ends_when_its_grant_gets_another_policy_and_a_call_does_not(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    desk.policy(&desk.admin, "other", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let mut under_way = UnderWay::begin(&replica, &upstream, minted.token.reveal());
    let attached = desk.instance.attach(&desk.admin, minted.grant, Some("other"), "");
    desk.confirmed(desk.runtime.block_on(attached).unwrap());
    let last = answer(&mut under_way.subscription);
    assert!(last["error"]["message"].as_str().unwrap().contains("open it again"), "{last}");
    while under_way.listening.event(PATIENCE).unwrap().is_some() {}
    upstream.release("never");
    let done = answer(&mut under_way.chatty);
    assert!(done.get("result").is_some(), "{done}");
}

pub fn a_body_that_comes_late_is_judged_by_what_holds_then(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    desk.policy(&desk.admin, "shut", r#"{ "version": "1", "default": "deny" }"#);
    let ways: [(u16, Way<'_>); 4] = [
        (401, &|minted| {
            let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
            desk.confirmed(desk.runtime.block_on(revoked).unwrap());
        }),
        (401, &|minted| {
            let rotated = desk.instance.rotate(&desk.admin, minted.grant, 0, "");
            desk.confirmed(desk.runtime.block_on(rotated).unwrap().version);
        }),
        (403, &|minted| {
            let elsewhere = ["192.0.2.0/24".to_owned()];
            change(&desk, minted, &GrantPatch { networks: Some(&elsewhere), ..Default::default() });
        }),
        // Denied by the policy that it has by then.
        (200, &|minted| {
            let attached = desk.instance.attach(&desk.admin, minted.grant, Some("shut"), "");
            desk.confirmed(desk.runtime.block_on(attached).unwrap());
        }),
    ];
    for (number, (status, way)) in ways.into_iter().enumerate() {
        let minted = desk.mint(&desk.admin, &given(&format!("desk-{number}"), "files", "open"));
        let agent = replica.agent("files", &minted);
        assert!(agent.call("echo", json!({})).unwrap().is_done());
        let before = upstream.called().len();
        let body = call(9, "echo").to_string();
        let mut headers = agent.usual_headers();
        headers.extend([("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        let mut head = "POST /mcp/files/ HTTP/1.1\r\nExpect: 100-continue\r\n".to_owned();
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(agent.address()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut wire = Wire::new(stream);
        // It asks for the body when the head has let it in.
        assert_eq!(wire.head(PATIENCE).unwrap().unwrap().status(), Some(100));
        way(&minted);
        wire.stream().write_all(body.as_bytes()).unwrap();
        let answer = wire.head(PATIENCE).unwrap().unwrap();
        assert_eq!(answer.status(), Some(status));
        let text = wire.answer_body(&answer, PATIENCE).unwrap();
        if status == 200 {
            let answer: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(answer["result"]["_meta"]["toolgate/decision"]["effect"], "deny", "{answer}");
        }
        assert_eq!(upstream.called().len(), before);
    }
}

pub fn nothing_is_opened_while_it_is_stopped(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = McpHttp::legacy(&format!("{}/mcp/files/", replica.url), Some(minted.token.reveal())).unwrap();
    let stopped = desk.instance.database().stop(desk.admin.permit().unwrap(), Stoppable::Grant(minted.grant), "enough");
    desk.confirmed(desk.runtime.block_on(stopped).unwrap());
    let before = upstream.requests().len();
    for answer in [agent.listen(None).unwrap().answer(PATIENCE).unwrap(), agent.delete().unwrap()] {
        assert_eq!(answer.status(), 503);
        assert!(
            answer.text().contains("enough") && answer.head.headers.get("retry-after").is_some(),
            "{}",
            answer.text()
        );
    }
    assert_eq!(upstream.requests().len(), before);
}

pub fn streams_are_bounded_for_each_grant(house: &House) {
    let (_upstream, desk, replica) = house_with(house);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let other = desk.mint(&desk.admin, &given("other", "files", "open"));
    let agent = replica.agent("files", &minted);
    let open = || {
        let mut stream = agent.open(&subscribe()).unwrap();
        (stream.head(PATIENCE).unwrap().status(), stream)
    };
    let mut streams: Vec<_> = (0..64).map(|_| open()).collect();
    assert!(streams.iter().all(|(status, _)| *status == Some(200)));
    assert_eq!(replica.gateway.open_streams(), 64);
    let (status, refused) = open();
    assert_eq!(status, Some(429));
    let refused = refused.answer(PATIENCE).unwrap();
    assert!(
        refused.head.headers.get("retry-after").is_some() && refused.text().contains("64 streams"),
        "{}",
        refused.text()
    );
    // Calls are no streams, and others have their own.
    assert!(agent.call("echo", json!({})).unwrap().is_done());
    let mut of_other = replica.agent("files", &other).open(&subscribe()).unwrap();
    assert_eq!(of_other.head(PATIENCE).unwrap().status(), Some(200));
    drop(streams.pop());
    for_it("a place", || replica.gateway.open_streams() == 64).unwrap();
    assert_eq!(open().0, Some(200));
}

pub fn two_hundred_streams_end_on_every_replica(house: &House) {
    let upstream = Upstream::start(script()).unwrap();
    let desk = house.desk();
    let replicas = ["one", "two", "three", "four"].map(|name| house.replica(name));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let other = desk.mint(&desk.admin, &given("other", "files", "open"));
    let open = |replica: &Serving, minted: &Minted| {
        let mut stream = replica.agent("files", minted).open(&subscribe()).unwrap();
        assert_eq!(stream.head(PATIENCE).unwrap().status(), Some(200));
        stream
    };
    let mut streams: Vec<_> = (0..200).map(|number| open(&replicas[number % replicas.len()], &minted)).collect();
    let bystander = open(&replicas[0], &other);
    let count = || replicas.iter().map(|replica| replica.gateway.open_streams()).sum::<usize>();
    assert_eq!(count(), 201);
    let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
    desk.confirmed(desk.runtime.block_on(revoked).unwrap());
    // What was answered holds: the streams end now, and not with anybody's lease.
    let asked = Instant::now();
    for stream in &mut streams {
        let last = answer(stream);
        assert!(last["error"]["message"].as_str().unwrap().contains("revoked"), "{last}");
        assert!(stream.event(PATIENCE).unwrap().is_none());
    }
    assert!(asked.elapsed() < crate::limits::WATCHDOG, "{:?}", asked.elapsed());
    for_it("all but one to be gone", || count() == 1).unwrap();
    drop(bystander);
}

pub fn an_agent_that_does_not_read_loses_its_stream_too(house: &House) {
    let (upstream, desk, replica) = house_with(house);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = replica.agent("files", &minted);
    let mut subscription = agent.open(&subscribe()).unwrap();
    subscription.next(PATIENCE).unwrap();
    // More than lies in sockets on the way, so that the gateway waits for the agent.
    let padded = json!({ "pad": "x".repeat(1 << 20) });
    let notice = testkit::message::notification("notifications/tools/list_changed", padded);
    for _ in 0..64 {
        for_it("a stream", || upstream.say(&notice)).unwrap();
    }
    let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
    desk.confirmed(desk.runtime.block_on(revoked).unwrap());
    for_it("the end of the stream", || replica.gateway.open_streams() == 0).unwrap();
    drop(subscription);
}

/// A server that is a program, and its record.
fn program(desk: &Desk, house: &House, script: &Script) -> (ServerGiven, std::path::PathBuf) {
    let test = std::env::current_exe().unwrap();
    let exe = place::program("recording-server", test.parent().unwrap()).unwrap();
    let file = house.folder.path().join("script.json");
    std::fs::write(&file, serde_json::to_vec(script).unwrap()).unwrap();
    let record = house.folder.path().join("record");
    let words = [exe, file, record.clone()];
    let given = ServerGiven {
        name: "files".to_owned(),
        title: String::new(),
        reach: ReachGiven::Child {
            command: words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            env: Default::default(),
        },
        settings: Settings { accept_first: true, ..Settings::default() },
        policy: None,
    };
    desk.runtime.block_on(desk.instance.add_server(&desk.admin, &given, "")).unwrap();
    desk.policy(&desk.admin, "open", OPEN);
    (given, record)
}

fn started(record: &std::path::Path) -> Vec<u32> {
    let pid = |event| match event {
        Event::Started { pid, .. } => Some(pid),
        _ => None,
    };
    events(record).into_iter().filter_map(pid).collect()
}

/// A session with a program is one stream for all that it says, and outlives the policy that it was opened under.
pub fn what_a_program_asks_is_judged_by_what_holds_then(house: &House) {
    let desk = house.desk();
    let replica = house.replica("one");
    let question = json!({ "message": "password please" });
    let script = Script::with([Tool::named("ask").does(Behaviour::Ask("elicitation/create".into(), question))]);
    program(&desk, house, &script);
    let named = |list: &str| {
        json!({ "version": "1", "default": "allow", "methods": { list: ["elicitation/create"] } }).to_string()
    };
    desk.policy(&desk.admin, "asking", &named("allow"));
    desk.policy(&desk.admin, "silent", &named("deny"));
    let minted = desk.mint(&desk.admin, &given("desk", "files", "asking"));
    let agent = McpHttp::legacy(&format!("{}/mcp/files/", replica.url), Some(minted.token.reveal())).unwrap();
    let first = |id: u64| {
        let mut stream = agent.open(&testkit::message::call(id, "ask", json!({}))).unwrap();
        let said = stream.next(PATIENCE).unwrap();
        (stream, said)
    };
    let (mut stream, asked) = first(7);
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    agent.post_message(&testkit::message::result(&asked["id"], json!({ "action": "decline" }))).unwrap();
    assert!(stream.next(PATIENCE).unwrap().get("result").is_some());
    let attach = |policy: &str| {
        let attached = desk.instance.attach(&desk.admin, minted.grant, Some(policy), "");
        desk.confirmed(desk.runtime.block_on(attached).unwrap());
    };
    attach("silent");
    let said = agent.request("tools/call", json!({ "name": "ask", "arguments": {} })).unwrap();
    assert!(said.get("result").is_some() && !said.to_string().contains("accept"), "{said}");
    attach("asking");
    let (_stream, asked) = first(9);
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
}

pub fn programs_end_with_their_grant_and_when_their_server_is_changed(house: &House) {
    let desk = house.desk();
    let replica = house.replica("one");
    let (mut server, record) = program(&desk, house, &script());
    for modern in [true, false] {
        let minted = desk.mint(&desk.admin, &given(&format!("desk-{modern}"), "files", "open"));
        let url = format!("{}/mcp/files/", replica.url);
        let token = Some(minted.token.reveal());
        let agent = || if modern { McpHttp::modern(&url, token) } else { McpHttp::legacy(&url, token) }.unwrap();
        let first = agent();
        let before = started(&record).len() - usize::from(!modern);
        // In use, when its server is changed.
        let slow =
            first.open(&if modern { call(7, "slow") } else { testkit::message::call(7, "slow", json!({})) }).unwrap();
        for_it("the slow call", || {
            testkit::tee::called(&record).iter().filter(|tool| *tool == "slow").count() > usize::from(!modern)
        })
        .unwrap();
        let old = started(&record);
        assert_eq!(old.len(), before + 1);
        let see = desk.admin.permit().unwrap();
        let seen = desk.runtime.block_on(desk.instance.database().server(&see, "files")).unwrap().changed;
        server.settings.full_denials = modern;
        let changed = desk.instance.change_server(&desk.admin, "files", seen, &server, "");
        desk.confirmed(desk.runtime.block_on(changed).unwrap());
        for_it("the end of the program", || old.iter().all(|pid| !is_alive(*pid))).unwrap();
        assert!(slow.answer(PATIENCE).unwrap().text().contains("ended"));

        // The next one is another, and ends with the grant.
        let second = agent();
        assert!(second.call("echo", json!({})).unwrap().is_done());
        let new = started(&record);
        assert_eq!(new.len(), before + 2);
        let revoked = desk.instance.revoke(&desk.admin, minted.grant, "leaked");
        desk.confirmed(desk.runtime.block_on(revoked).unwrap());
        for_it("the end of the program", || new.iter().all(|pid| !is_alive(*pid))).unwrap();
    }
}

/// A replica that nobody can tell anything must not keep open what others may have revoked.
#[test]
fn streams_and_calls_end_with_the_lease() {
    let postgres = Postgres::start().unwrap();
    let house = House::at(store::control::Place::Postgres(postgres.database().unwrap()));
    let upstream = Upstream::start(script()).unwrap();
    let desk = house.desk();
    let replica = house.replica_with("one", Duration::from_secs(5));
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let under_way = UnderWay::begin(&replica, &upstream, minted.token.reveal());
    postgres.freeze().unwrap();
    under_way.ends("lost its control plane");
    postgres.thaw().unwrap();
}
