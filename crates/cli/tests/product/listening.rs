//! Where it listens, and to whom.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::Context;
use serde_json::json;
use testkit::client::{McpHttp, raw, statuses};
use testkit::message::{LEGACY, hello, request};
use testkit::script::Script;
use testkit::toolgate::TOKEN;
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

use crate::setup::{allow, toolgate, word};

#[test]
fn beyond_loopback_it_wants_a_tls_proxy() -> anyhow::Result<()> {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let config = format!(
            "listen = \"{address}\"\n[servers.files]\nurl = \"http://127.0.0.1:1/mcp\"\npolicy = \"policy.json\"\n"
        );
        let setup = toolgate()?;
        setup.file("policy.json", &allow(&["read_file"]).to_string())?;
        let path = setup.file("listen.toml", &config)?;
        // Without the harness's own --listen, which would win.
        let output = std::process::Command::new(crate::setup::EXE)
            .args(["serve", "--config"])
            .arg(path)
            .arg("--data")
            .arg(setup.data_folder())
            .stdin(std::process::Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--behind-tls-proxy"), "{said}");
    }
    Ok(())
}

#[test]
fn foreign_hosts_and_origins_are_not_served() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url());
    let toolgate = setup.options(["--allow-host", "gateway.example"]).serve()?;
    let client = toolgate.client()?;
    let body = request(1, "initialize", hello(LEGACY)).to_string();
    let port = client.address().port();
    let status =
        |name: &str, value: &str| client.post_with(&[(name, value)], body.as_bytes()).map(|answer| answer.status());
    for host in ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "evil.test:127.0.0.1", ""] {
        assert!((400..500).contains(&status("Host", host)?), "{host}");
    }
    for host in ["localhost", "LOCALHOST:1", &format!("127.0.0.1:{port}"), "gateway.example", "gateway.example:8443"] {
        assert_eq!(status("Host", host)?, 200, "{host}");
    }
    for origin in ["http://evil.test", "null", "https://localhost.evil.test", "file://"] {
        assert_eq!(status("Origin", origin)?, 403, "{origin}");
    }
    for origin in [format!("http://localhost:{port}"), "https://gateway.example".to_owned()] {
        assert_eq!(status("Origin", &origin)?, 200, "{origin}");
    }
    Ok(())
}

#[test]
fn who_asks_the_catalogue_by_another_name_is_told_in_its_form() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let address = toolgate.address()?;
    let table = [
        ("/servers/", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("/servers/index.md", "text/markdown; charset=utf-8", "# This is not served here"),
        ("/api/v1/catalogue/servers", "application/problem+json", "{"),
        // What speaks MCP is told as before.
        ("/mcp", "application/json", "{\"jsonrpc\":\"2.0\""),
    ];
    for (path, kind, begins) in table {
        for wrong in ["Host: evil.test", "Host: localhost\r\nOrigin: http://evil.test"] {
            let bytes = format!("GET {path} HTTP/1.1\r\n{wrong}\r\nConnection: close\r\n\r\n");
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(bytes.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
            assert!(
                head.starts_with("HTTP/1.1 403 ") && head.contains(&format!("content-type: {kind}")),
                "{path}: {head}"
            );
            assert!(body.starts_with(begins) && body.contains("allow-host"), "{path}: {body}");
        }
    }
    Ok(())
}

#[test]
fn there_is_one_endpoint_and_never_a_redirect() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let base = format!("http://{}", toolgate.address()?);
    for path in ["/mcp", "/mcp/"] {
        let client = McpHttp::legacy(&format!("{base}{path}"), Some(TOKEN))?;
        assert!(client.call("read_file", json!({}))?.is_done(), "{path}");
    }
    let before = upstream.requests().len();
    for path in ["/", "/mcp//", "//mcp", "/MCP", "/mcp/..", "/mcp%2f", "/mcp/./", "/sse", "/mcp?x=1/../admin"] {
        let bytes = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        let answer = raw(toolgate.address()?, bytes.as_bytes(), std::time::Duration::from_millis(100))?;
        let statuses = statuses(&answer);
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{path}: {statuses:?}");
    }
    assert_eq!(upstream.requests().len(), before);
    Ok(())
}

#[test]
fn whoever_asks_if_it_lives_needs_no_token_and_learns_nothing_else() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let before = upstream.requests().len();
    for (method, host, body) in [("GET", "localhost", "{\"status\":\"ok\"}"), ("HEAD", "127.0.0.1", "")] {
        let bytes = format!("{method} /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw(toolgate.address()?, bytes.as_bytes(), PATIENCE)?;
        assert_eq!(statuses(&answer), [200], "{method}");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(text.split_once("\r\n\r\n").map(|(_, body)| body), Some(body), "{text}");
    }
    for (method, host, status) in [("GET", "evil.test", 403), ("POST", "localhost", 404)] {
        let bytes = format!("{method} /healthz HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(statuses(&raw(toolgate.address()?, bytes.as_bytes(), PATIENCE)?), [status], "{method} {host}");
    }
    assert_eq!(upstream.requests().len(), before);
    Ok(())
}

#[test]
fn only_a_named_proxy_is_believed() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    for (options, expected) in [(vec![], "127.0.0.1"), (vec!["--behind-tls-proxy", "127.0.0.1"], "203.0.113.9")] {
        let toolgate =
            toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).options(options).serve()?;
        let client = toolgate.legacy()?;
        let body = testkit::message::call(7, "read_file", json!({})).to_string();
        let forwarded = [("X-Forwarded-For", "198.51.100.1, 203.0.113.9")];
        assert_eq!(client.post_with(&forwarded, body.as_bytes())?.status(), 200);
        let clients: Vec<_> =
            toolgate.setup.decisions()?.iter().map(|record| word(record, "client").to_owned()).collect();
        assert_eq!(clients, [expected]);
    }
    Ok(())
}

#[test]
fn a_message_may_be_large_but_not_endless() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let padded = |bytes: usize| testkit::message::call(1, "read_file", json!({ "pad": "x".repeat(bytes) }));
    assert_eq!(client.post_message(&padded(3_900_000))?.status(), 200);
    let before = upstream.requests().len();
    let answer = client.open(&padded(5_000_000)).and_then(|open| open.answer(PATIENCE));
    assert!(answer.map_or(true, |answer| answer.status() == 413));
    assert_eq!(upstream.requests().len(), before);
    Ok(())
}
