//! How many connections there may be, and who is still served when there is no place left.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;
use testkit::message::call;
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::pages::Pages;
use crate::setup::{allow, toolgate};

/// A connection with a place of its own: one that was served, and is not closed after that.
fn held(address: SocketAddr) -> anyhow::Result<TcpStream> {
    wait::until("a place for a connection", PATIENCE, || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").ok()?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"}") {
            stream.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
        (head.starts_with("http/1.1 200") && !head.contains("connection: close")).then_some(stream)
    })
}

/// Whether a connection is closed without a word.
fn is_refused(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return true };
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    answer.is_empty() && (asked.is_err() || read.is_err() || read.is_ok_and(|bytes| bytes == 0))
}

#[test]
fn one_address_has_so_many_connections_and_no_more() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().modern())?;
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let toolgate = setup.options(["--connections-per-address", "2"]).serve()?;
    let address = toolgate.address()?;
    let (one, two) = (held(address)?, held(address)?);
    assert!(is_refused(address));
    drop(one);
    let agent = toolgate.modern()?;
    wait::for_it("its place", || agent.call("echo", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    drop(two);
    Ok(())
}

#[test]
fn behind_a_proxy_each_address_has_its_own() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let toolgate = setup.options(["--connections-per-address", "1", "--behind-tls-proxy", "127.0.0.1"]).serve()?;
    let client = toolgate.client()?;
    client.initialize(testkit::message::LEGACY)?;
    let echo = call(7, "echo", json!({})).to_string();
    let from = |address: &'static str| [("X-Forwarded-For", address)];
    let mut listening = client.usual_headers();
    listening.push(("X-Forwarded-For".to_owned(), "203.0.113.9".to_owned()));
    let mut stream = client.send("GET", &listening, b"")?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    let refused = client.post_with(&from("203.0.113.9"), echo.as_bytes())?;
    assert_eq!(refused.status(), 429);
    assert!(refused.text().contains("this address has as many requests under way"), "{}", refused.text());
    assert_eq!(client.post_with(&from("203.0.113.10"), echo.as_bytes())?.status(), 200);
    drop(stream);
    wait::for_it("its place", || {
        client.post_with(&from("203.0.113.9"), echo.as_bytes()).is_ok_and(|answer| answer.status() == 200)
    })
}

#[test]
fn pages_are_kept_from_nobody_by_whoever_is_slow() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let pages = Pages::start(folder.path())?;
    let mut slow = TcpStream::connect(pages.address)?;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")?;
    // Ten seconds are promised.
    slow.set_read_timeout(Some(Duration::from_secs(100)))?;
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest)?;
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    pages.get("/")?;
    Ok(())
}
