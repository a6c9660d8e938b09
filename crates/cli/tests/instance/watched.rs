//! Where servers may be, and what an instance shows of itself.

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::collector::Collector;
use testkit::exposition::Numbers;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;
use testkit::wait::PATIENCE;

use crate::desk::{Desk, endpoint, instance, public_only, said};

#[test]
fn servers_are_where_the_operator_lets_them_be() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let toolgate = public_only(&folder.path().join("data"))?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let at = |url: &str| json!({ "name": "files", "reach": { "kind": "http", "url": url } });
    for url in [
        upstream.url(),
        "http://localhost:1/mcp".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        "http://0x7f.1/".to_owned(),
        "http://metadata.google.internal/".to_owned(),
    ] {
        let (status, answer) = desk.ask("POST", "servers", &at(&url))?;
        assert_eq!(status, 422, "{url}: {answer}");
        assert!(answer.to_string().contains("/reach/url"), "{url}: {answer}");
    }
    assert!(upstream.requests().is_empty());
    drop(toolgate);
    // Options that are no networks stop the start.
    let bad = public_only(&folder.path().join("other"))?.options(["--allow-upstream", "10.0.0.1/8"]).serve();
    let text = format!("{:#}", bad.map(drop).unwrap_err());
    assert!(text.contains("write `10.0.0.0/8`"), "{text}");
    Ok(())
}

#[test]
fn numbers_and_traces_of_an_instance_tell_organisations_apart_by_id() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::with([Tool::named("read")]))?, Collector::start()?);
    let folder = testkit::toolgate::folder()?;
    let options = ["--metrics-listen", "127.0.0.1:0", "--otlp", &collector.url()];
    let toolgate = instance(folder.path())?.options(options).serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    assert!(agent.call("read", json!({}))?.is_done());

    let spans = collector.wait_for(2)?;
    assert!(spans.iter().all(|span| span.attribute("toolgate.server.name") == "files"), "{spans:?}");
    let numbers = McpHttp::new(&said(&toolgate, "metrics ").unwrap_or_default(), None)?;
    let asked = numbers.send("GET", &[("Host".to_owned(), numbers.address().to_string())], b"")?.answer(PATIENCE)?;
    let text = asked.text();
    let read = Numbers::read(&text)?;
    let forwarded = read.value("toolgate_forwarded_requests_total", &[("server", "files"), ("outcome", "ok")])?;
    assert_eq!(forwarded, 1.0, "{text}");
    let left = read.value("toolgate_lease_remaining_seconds", &[])?;
    assert!(left > 0.0 && left <= 600.0, "{left}");
    // Neither names of organisations nor of grants and agents, nor anything of a token.
    for unwanted in ["Default", "helpdesk", "\"desk\"", &grant.token, "tg_"] {
        assert!(!text.contains(unwanted), "{unwanted} is in\n{text}");
    }
    let sent: Vec<Value> = collector.requests().iter().map(|request| request.json()).collect();
    assert!(!format!("{sent:?}").contains("tg_"), "{sent:?}");
    Ok(())
}
