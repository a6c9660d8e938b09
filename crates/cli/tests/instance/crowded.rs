//! More agents than there are places: whoever governs them is served all the same.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::desk::{Desk, endpoint, instance};

/// A connection that takes one of the places that agents have: it is not closed when it was served.
fn held(address: SocketAddr) -> anyhow::Result<TcpStream> {
    wait::until("a place for a connection", PATIENCE, || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"}") {
            stream.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        (!String::from_utf8(head).ok()?.to_ascii_lowercase().contains("connection: close")).then_some(stream)
    })
}

#[test]
fn the_api_has_places_that_agents_cannot_take() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let toolgate = instance(&folder.path().join("data"))?.options(["--connections", "2"]).serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::modern(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    let agents = [held(agent.address())?, held(agent.address())?];
    let answer = agent.post_message(&testkit::message::call(1, "read", testkit::message::modern(json!({}))))?;
    assert_eq!(answer.status(), 503, "{}", answer.text());
    assert!(answer.text().contains("as many connections as it takes"), "{}", answer.text());
    assert!(upstream.called().is_empty());
    // Whoever has to stop an agent can.
    let stop = json!({ "kind": "grant", "object": grant.id, "reason": "it floods the gateway" });
    desk.done("POST", "stops", &stop)?;
    assert_eq!(desk.done("GET", "stops", &Value::Null)?["items"].as_array().map(Vec::len), Some(1));
    drop(agents);
    wait::for_it("a place, and what was done meanwhile", || {
        agent.call("read", json!({})).is_ok_and(|outcome| format!("{outcome:?}").contains("it floods the gateway"))
    })
}
