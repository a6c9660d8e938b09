//! Numbers for Prometheus.

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::exposition::Numbers;
use testkit::script::Script;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;

use crate::setup::toolgate;

fn metrics(toolgate: &Toolgate) -> anyhow::Result<McpHttp> {
    let text = toolgate.stderr();
    let url = text.lines().find_map(|line| line.strip_prefix("metrics ")).unwrap_or_default();
    McpHttp::new(url, None)
}

fn text(toolgate: &Toolgate) -> anyhow::Result<String> {
    let client = metrics(toolgate)?;
    let host = ("Host".to_owned(), client.address().to_string());
    let answer = client.send("GET", &[host], b"")?.answer(testkit::wait::PATIENCE)?;
    assert_eq!(answer.head.headers.get("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Ok(answer.text())
}

fn policy() -> Value {
    let limits = json!([{ "counter": "calls", "window": 2_678_400, "max": 2, "scope": "grant" }]);
    let tools = json!({ "read_file": { "limits": limits }, "echo": {} });
    json!({ "version": "1", "default": "deny", "hide": ["charge"], "tools": tools })
}

#[test]
fn calls_are_counted_by_what_became_of_them() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?
        .policy(&policy())?
        .upstream(&upstream.url())
        .options(["--metrics-listen", "127.0.0.1:0"])
        .serve()?;
    let client = toolgate.legacy()?;
    for _ in 0..4 {
        client.call("read_file", json!({}))?;
    }
    client.call("echo", json!({ "secret": "s3cr3t-value" }))?;
    client.call("delete_file", json!({}))?;
    client.request("tools/call", json!({ "name": "charge", "arguments": {} }))?;
    for number in 0..20 {
        client.request("tools/call", json!({ "name": format!("guess_{number}"), "arguments": {} }))?;
    }
    McpHttp::legacy(toolgate.url(), Some("tg_wrong-token-that-is-long-enough-012345")).unwrap_err();

    let text = text(&toolgate)?;
    let numbers = Numbers::read(&text)?;
    let of = |labels: &[(&str, &str)]| numbers.value("toolgate_decisions_total", labels);
    assert_eq!(of(&[("effect", "allow"), ("rule", "policy")])?, 3.0, "{text}");
    assert_eq!(of(&[("effect", "hide"), ("rule", "unknown_tool")])?, 20.0, "{text}");
    assert_eq!(of(&[("effect", "hide"), ("rule", "hidden")])?, 1.0, "{text}");
    assert_eq!(of(&[("effect", "deny"), ("rule", "policy")])?, 2.0, "{text}");
    assert_eq!(of(&[("effect", "deny"), ("rule", "default")])?, 1.0, "{text}");
    assert_eq!(numbers.value("toolgate_limited_calls_total", &[])?, 2.0);
    assert_eq!(numbers.value("toolgate_forwarded_requests_total", &[("outcome", "ok")])?, 3.0);
    assert_eq!(numbers.value("toolgate_upstream_duration_seconds_count", &[])?, 3.0);
    assert_eq!(numbers.value("toolgate_decision_duration_seconds_count", &[])?, 27.0);
    assert_eq!(numbers.value("toolgate_calls_in_flight", &[])?, 0.0);
    assert_eq!(numbers.value("toolgate_refused_requests_total", &[("reason", "wrong_token")])?, 1.0);
    assert_eq!(numbers.value("toolgate_lease_held", &[])?, 1.0);
    assert_eq!(numbers.value("toolgate_open_streams", &[])?, 0.0);
    assert_eq!(numbers.value("toolgate_build_info", &[("version", env!("CARGO_PKG_VERSION"))])?, 1.0);
    assert!(numbers.value("toolgate_audit_segment_bytes", &[])? > 1000.0);
    if cfg!(target_os = "linux") {
        assert!(numbers.value("process_resident_memory_bytes", &[])? > 1e6);
        assert!(numbers.value("process_open_fds", &[])? > 3.0);
        assert!(numbers.value("process_max_fds", &[])? > 3.0);
        numbers.value("process_cpu_seconds_total", &[])?;
    }
    // What agents choose is in no number: not their tools, not their arguments, not who they are.
    for unwanted in ["guess", "read_file", "s3cr3t", "tg_"] {
        assert!(!text.contains(unwanted), "{unwanted} is in\n{text}");
    }
    Ok(())
}

#[test]
fn numbers_have_an_address_of_their_own() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?
        .policy(&policy())?
        .upstream(&upstream.url())
        .options(["--metrics-listen", "127.0.0.1:0"])
        .serve()?;
    let numbers = metrics(&toolgate)?;
    let patience = testkit::wait::PATIENCE;
    let ask = |client: &McpHttp, method: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![("Host".to_owned(), client.address().to_string())];
        headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        client.send(method, &headers, b"")?.answer(patience)
    };
    assert_eq!(ask(&numbers, "GET", &[])?.status(), 200);
    assert_eq!(ask(&numbers, "POST", &[])?.status(), 405);
    for site in ["cross-site", "same-origin", "same-site"] {
        assert_eq!(ask(&numbers, "GET", &[("Sec-Fetch-Site", site)])?.status(), 403, "{site}");
    }
    assert_eq!(ask(&numbers, "GET", &[("Sec-Fetch-Site", "none")])?.status(), 200);
    // A name that was made to lead here is a web page's, too.
    let rebound = numbers.send("GET", &[("Host".to_owned(), "evil.example:9464".to_owned())], b"")?.answer(patience)?;
    assert_eq!(rebound.status(), 403);
    let elsewhere = McpHttp::new(&format!("http://{}/mcp", numbers.address()), None)?;
    assert_eq!(ask(&elsewhere, "GET", &[])?.status(), 404);
    // Where agents are served there are none.
    let front = McpHttp::new(&format!("http://{}/metrics", toolgate.address()?), None)?;
    assert_eq!(ask(&front, "GET", &[])?.status(), 404);
    assert!(!ask(&front, "GET", &[])?.text().contains("toolgate_"));
    Ok(())
}
