//! Pages in browsers: those of a named origin may use the gateway, and no others.

use anyhow::Context;
use serde_json::json;
use testkit::client::{Answer, McpHttp};
use testkit::script::Script;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

use crate::setup::{EXE, allow, toolgate};

const INSPECTOR: &str = "https://inspector.example";

fn serving(upstream: &Upstream) -> anyhow::Result<Toolgate> {
    let setup = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    setup.options(["--allow-origin", "https://Inspector.example:443", "http://localhost:6274"]).serve()
}

fn preflight(client: &McpHttp, origin: &str, asked: &str) -> anyhow::Result<Answer> {
    let headers = [
        ("Host", client.address().to_string()),
        ("Origin", origin.to_owned()),
        ("Access-Control-Request-Method", "POST".to_owned()),
        ("Access-Control-Request-Headers", asked.to_owned()),
    ];
    client.send("OPTIONS", &headers.map(|(name, value)| (name.to_owned(), value)), b"")?.answer(PATIENCE)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.headers.get(name)
}

#[test]
fn a_page_of_a_named_origin_may_ask_and_read() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = serving(&upstream)?;
    let client = toolgate.client()?;
    // A browser asks first, without a token.
    let asked = "authorization,content-type,mcp-session-id,mcp-protocol-version,mcp-param-region,x-evil";
    for origin in [INSPECTOR, "http://localhost:6274"] {
        let answer = preflight(&client, origin, asked)?;
        assert_eq!((answer.status(), answer.body.len()), (204, 0), "{}", answer.text());
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin));
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("POST, GET, DELETE"));
        let allowed = "authorization, content-type, mcp-session-id, mcp-protocol-version, mcp-param-region";
        assert_eq!(header(&answer, "access-control-allow-headers"), Some(allowed));
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
        let vary: Vec<&str> = answer.head.headers.all("vary").collect();
        assert!(vary.contains(&"Origin"), "{vary:?}");
    }
    assert!(upstream.requests().is_empty());
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": testkit::message::hello(testkit::message::LEGACY) });
    let answer = client.post_with(&[("Origin", INSPECTOR)], hello.to_string().as_bytes())?;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(INSPECTOR));
    assert!(header(&answer, "access-control-expose-headers").context("nothing")?.contains("mcp-session-id"));
    assert!(header(&answer, "mcp-session-id").is_some());
    // What is wrong with a request is for the page to read as well.
    let mut stranger = toolgate.client()?;
    stranger.token = None;
    let answer = stranger.post_with(&[("Origin", INSPECTOR)], hello.to_string().as_bytes())?;
    assert_eq!(answer.status(), 401);
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(INSPECTOR));
    // For whoever names no origin, nothing but the caches' hint is another.
    let answer = client.post(hello.to_string().as_bytes())?;
    assert_eq!((answer.status(), header(&answer, "vary")), (200, Some("Origin")));
    assert_eq!(header(&answer, "access-control-allow-origin"), None);
    Ok(())
}

#[test]
fn pages_of_other_origins_may_not() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = serving(&upstream)?;
    let client = toolgate.client()?;
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }).to_string();
    for origin in [
        "http://inspector.example",
        "https://inspector.example:8443",
        "https://evil.inspector.example",
        "https://inspector.example.evil.test",
        "https://inspector.example, https://evil.test",
        "null",
        "*",
    ] {
        for answer in
            [preflight(&client, origin, "authorization")?, client.post_with(&[("Origin", origin)], hello.as_bytes())?]
        {
            assert_eq!(answer.status(), 403, "{origin}: {}", answer.text());
            assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin}");
        }
    }
    // A page of loopback that was not named may send, as before, and not read.
    let answer = preflight(&client, "http://localhost:3000", "authorization")?;
    assert_eq!((answer.status(), header(&answer, "access-control-allow-origin")), (405, None));
    // What lies beside MCP is for no page of another origin.
    let root = McpHttp::new(&format!("http://{}/servers/", client.address()), None)?;
    let headers = [("Host".to_owned(), client.address().to_string()), ("Origin".to_owned(), INSPECTOR.to_owned())];
    let answer = root.send("GET", &headers, b"")?.answer(PATIENCE)?;
    assert_eq!((answer.status(), header(&answer, "access-control-allow-origin")), (403, None));
    assert!(upstream.requests().is_empty());
    Ok(())
}

#[test]
fn an_origin_that_is_none_stops_the_start() -> anyhow::Result<()> {
    for origin in ["*", "null", "https://inspector.example/", "inspector.example"] {
        let output = std::process::Command::new(EXE)
            .args([
                "serve",
                "--policy",
                "policy.json",
                "--upstream",
                "http://127.0.0.1:1/mcp",
                "--allow-origin",
                origin,
            ])
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{origin}: {said}");
        assert!(said.contains("is no origin"), "{said}");
    }
    Ok(())
}
