//! Traces: taken from agents, passed on to servers, written into records, sent to a collector.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::collector::{Collector, Span};
use testkit::message;
use testkit::script::Script;
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::setup::{allow, toolgate, word};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";

/// Calls a tool with header fields and members of `_meta` of one's own.
fn call(client: &McpHttp, tool: &str, headers: &[(&str, &str)], meta: &Value) -> anyhow::Result<Value> {
    let arguments = json!({ "secret": "s3cr3t-value" });
    let params = match meta {
        Value::Null => json!({ "name": tool, "arguments": arguments }),
        meta => json!({ "name": tool, "arguments": arguments, "_meta": meta }),
    };
    let message = message::request(client.id(), "tools/call", params);
    client.post_with(headers, message.to_string().as_bytes())?.message()
}

fn traced(collector: &Collector, upstream: &Upstream) -> anyhow::Result<Toolgate> {
    toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url()).options(["--otlp", &collector.url()]).serve()
}

fn of<'a>(spans: &'a [Span], kind: u64, trace: &str) -> anyhow::Result<&'a Span> {
    let fits = |span: &&Span| span.text("traceId") == trace && span.json.get("kind") == Some(&json!(kind));
    spans.iter().find(fits).with_context(|| format!("no span of kind {kind} in {trace}: {spans:#?}"))
}

/// Whether a record is a decision about a tool.
fn decided(record: &Value) -> bool {
    word(record, "kind") == "decision" && word(record, "tool") == "echo"
}

const SERVER: u64 = 2;
const CLIENT: u64 = 3;

#[test]
fn a_call_is_two_spans_of_the_agents_trace() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::default())?, Collector::start()?);
    let toolgate = traced(&collector, &upstream)?;
    let client = toolgate.legacy()?;
    call(&client, "echo", &[("traceparent", PARENT), ("tracestate", "a=1")], &Value::Null)?;

    let spans = collector.wait_for(2)?;
    let (served, asked) = (of(&spans, SERVER, TRACE)?, of(&spans, CLIENT, TRACE)?);
    assert_eq!(served.text("parentSpanId"), "00f067aa0ba902b7");
    assert_eq!(asked.text("parentSpanId"), served.text("spanId"));
    for span in [served, asked] {
        assert_eq!(span.text("name"), "tools/call echo");
        assert_eq!(span.attribute("mcp.method.name"), "tools/call");
        assert_eq!(span.attribute("gen_ai.operation.name"), "execute_tool");
        assert_eq!(span.attribute("gen_ai.tool.name"), "echo");
        assert!(span.json.get("status").is_none(), "{span:?}");
        let time = |member| span.text(member).parse::<u64>();
        assert!(time("startTimeUnixNano")? <= time("endTimeUnixNano")?);
    }
    assert_eq!(served.attribute("toolgate.decision.effect"), "allow");
    assert_eq!(served.attribute("client.address"), "127.0.0.1");

    // The server is told of the same trace, and that the gateway's own span asks it.
    let told = upstream.wait_for_call("echo")?;
    let parent = format!("00-{TRACE}-{}-01", asked.text("spanId"));
    assert_eq!(told.headers.get("traceparent"), Some(parent.as_str()));
    assert_eq!(told.headers.get("tracestate"), Some("a=1"));

    // And so does the record, which names the span's decision.
    let records = toolgate.setup.audit()?;
    let record = records.iter().find(|record| decided(record)).unwrap();
    assert_eq!(word(record, "trace"), TRACE);
    assert_eq!(word(record, "id"), served.attribute("toolgate.decision.id"));

    let sent = collector.requests();
    assert!(sent.iter().all(|request| request.path == "/v1/traces" && request.method == "POST"));
    assert!(sent.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("s3cr3t")));
    Ok(())
}

#[test]
fn what_meta_says_goes_before_headers_and_reaches_the_server_as_it_is() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::default())?, Collector::start()?);
    let toolgate = traced(&collector, &upstream)?;
    let client = toolgate.legacy()?;
    let meta = json!({ "traceparent": format!("00-{OTHER}-b7ad6b7169203331-01"), "tracestate": "b=2" });
    call(&client, "echo", &[("traceparent", PARENT)], &meta)?;
    let spans = collector.wait_for(2)?;
    assert_eq!(of(&spans, SERVER, OTHER)?.text("parentSpanId"), "b7ad6b7169203331");
    let told = upstream.wait_for_call("echo")?;
    let parent = format!("00-{OTHER}-{}-01", of(&spans, CLIENT, OTHER)?.text("spanId"));
    assert_eq!(told.headers.get("traceparent"), Some(parent.as_str()));
    assert_eq!(told.headers.get("tracestate"), Some("b=2"));
    assert_eq!(told.json().pointer("/params/_meta"), Some(&meta));
    Ok(())
}

#[test]
fn every_end_of_a_call_has_its_span() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::default())?, Collector::start()?);
    let toolgate = traced(&collector, &upstream)?;
    let client = toolgate.legacy()?;
    // Without a context a trace begins here.
    call(&client, "echo", &[], &Value::Null)?;
    // A denial is an answer and no error; the server is asked nothing.
    call(&client, "read_file", &[("traceparent", PARENT)], &Value::Null)?;
    let spans = collector.wait_for(3)?;
    assert_eq!(spans.len(), 3, "{spans:#?}");
    let denied = of(&spans, SERVER, TRACE)?;
    assert_eq!(denied.attribute("toolgate.decision.effect"), "deny");
    assert_eq!(denied.attribute("toolgate.rule.name"), "(default deny)");
    assert!(denied.json.get("status").is_none() && denied.attribute("error.type").is_empty(), "{denied:?}");
    let fresh = spans.iter().find(|span| span.text("traceId") != TRACE).unwrap().text("traceId").to_owned();
    assert!(of(&spans, SERVER, &fresh)?.text("parentSpanId").is_empty());
    assert_eq!(of(&spans, CLIENT, &fresh)?.text("parentSpanId"), of(&spans, SERVER, &fresh)?.text("spanId"));
    // What a context does not keep is passed on and sent nowhere; what is none is passed over.
    let unkept = format!("00-{OTHER}-b7ad6b7169203331-00");
    call(&client, "echo", &[("traceparent", &unkept)], &Value::Null)?;
    call(&client, "echo", &[("traceparent", "00-xyz")], &Value::Null)?;
    let spans = collector.wait_for(5)?;
    assert!(spans.iter().all(|span| span.text("traceId") != OTHER), "{spans:#?}");
    let told: Vec<_> =
        upstream.calls().iter().filter_map(|call| call.headers.get("traceparent").map(str::to_owned)).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told.get(1), Some(&unkept));
    Ok(())
}

#[test]
fn without_a_collector_contexts_pass_and_nothing_is_begun() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    call(&client, "echo", &[("traceparent", PARENT), ("tracestate", "a=1")], &Value::Null)?;
    call(&client, "echo", &[], &Value::Null)?;
    let told = upstream.calls();
    let parents: Vec<_> = told.iter().map(|call| call.headers.get("traceparent")).collect();
    assert_eq!(parents, [Some(PARENT), None]);
    let records = toolgate.setup.audit()?;
    let traces: Vec<_> = records.iter().filter(|record| decided(record)).map(|record| word(record, "trace")).collect();
    assert_eq!(traces, [TRACE, ""]);
    Ok(())
}

#[test]
fn a_collector_that_fails_stops_no_call_and_is_told_of_once() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::default())?, Collector::start()?);
    let toolgate = traced(&collector, &upstream)?;
    let client = toolgate.legacy()?;
    collector.answer_with(503);
    for _ in 0..3 {
        call(&client, "echo", &[], &Value::Null)?;
        let sent = collector.requests().len();
        wait::for_it("another request", || collector.requests().len() > sent)?;
    }
    wait::for_it("the sentence", || toolgate.stderr().contains("HTTP 503"))?;
    assert_eq!(toolgate.stderr().matches("traces are lost").count(), 1, "{}", toolgate.stderr());
    collector.answer_with(200);
    call(&client, "echo", &[], &Value::Null)?;
    wait::for_it("the sentence", || toolgate.stderr().contains("takes traces again"))?;
    assert_eq!(upstream.calls().len(), 4);
    Ok(())
}
