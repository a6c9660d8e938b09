//! Where servers may be: judged when they are registered, and by each replica whenever it asks them.

use control::Refused;
use control::servers::{ReachGiven, ServerGiven};
use policy::text::cidr::Block;
use serde_json::json;
use store::control::servers::Settings;
use testkit::script::Script;
use testkit::upstream::Upstream;
use upstream::egress::Egress;

use crate::house::{House, OPEN, given};

fn at(url: &str) -> ServerGiven {
    ServerGiven {
        name: "files".to_owned(),
        title: String::new(),
        reach: ReachGiven::Http { url: url.to_owned(), headers: Default::default(), transport: None },
        settings: Settings::default(),
        policy: None,
    }
}

pub fn a_server_inside_is_refused_when_it_is_registered(house: &House) {
    let house = House { egress: Egress::public([]), ..house.again() };
    let desk = house.desk();
    for url in [
        "http://127.0.0.1:8080/mcp",
        "http://localhost:8080/mcp",
        "http://[::1]/mcp",
        "http://10.0.0.1/mcp",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
    ] {
        match desk.runtime.block_on(desk.instance.add_server(&desk.admin, &at(url), "")) {
            Err(Refused::Invalid { place, why }) => {
                assert_eq!(place, "/reach/url", "{url}");
                assert!(why.starts_with("its host ") || why.starts_with("it leads to "), "{url}: {why}");
            }
            other => panic!("{url}: {other:?}"),
        }
    }
    // Nor can one be moved there.
    let public = at("https://8.8.8.8/mcp");
    desk.runtime.block_on(desk.instance.add_server(&desk.admin, &public, "")).unwrap();
    let inside = at("http://127.0.0.1/");
    let moved = desk.runtime.block_on(desk.instance.change_server(&desk.admin, "files", 1, &inside, ""));
    assert!(matches!(moved, Err(Refused::Invalid { place, .. }) if place == "/reach/url"));
}

pub fn a_server_in_the_clear_is_refused_unless_that_is_meant(house: &House) {
    let house = House { egress: Egress::public([Block::parse("10.0.0.0/8").unwrap()]), ..house.again() };
    let desk = house.desk();
    let add = |given: &ServerGiven| desk.runtime.block_on(desk.instance.add_server(&desk.admin, given, ""));
    let clear = at("http://8.8.8.8/mcp");
    match add(&clear) {
        Err(Refused::Invalid { place, why }) => {
            assert!(place == "/reach/url" && why.contains("https://") && why.contains("plain_http"), "{place}: {why}");
        }
        other => panic!("{other:?}"),
    }
    // Where the operator lets servers be inside, nothing public is on the way.
    add(&ServerGiven { name: "inside".to_owned(), ..at("http://10.0.0.1/mcp") }).unwrap();
    let meant = Settings { plain_http: true, ..Settings::default() };
    add(&ServerGiven { settings: meant, ..clear }).unwrap();
}

pub fn a_replica_asks_no_server_where_its_operator_wants_none(house: &House) {
    let upstream = Upstream::start(Script::default().modern()).unwrap();
    let desk = house.desk();
    desk.register("files", &upstream);
    desk.policy(&desk.admin, "open", OPEN);
    let strict = House { egress: Egress::public([]), ..house.again() };
    let replica = strict.replica("strict");
    let minted = desk.mint(&desk.admin, &given("desk", "files", "open"));
    let agent = replica.agent("files", &minted);
    let refused = agent.call("echo", json!({})).unwrap();
    assert!(!refused.is_done());
    let text = format!("{refused:?}");
    assert!(text.contains("this machine itself"), "{text}");
    assert!(!text.contains("127.0.0.1"), "{text}");
    assert!(upstream.requests().is_empty(), "{:?}", upstream.requests());
    // The same server is asked by a replica whose operator allows it.
    let replica = house.replica("open");
    assert!(replica.agent("files", &minted).call("echo", json!({})).unwrap().is_done());
}
