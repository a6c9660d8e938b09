//! Servers that listen themselves, behind `serve --upstream` and `run --upstream`.

use anyhow::Context;
use serde_json::json;
use testkit::message::Outcome;
use testkit::peers::{self, Listening, Peers};
use testkit::tee::HttpTee;
use testkit::toolgate::Setup;

use crate::catalogue::{EXE, MAX, Real};
use crate::stdio::work;

/// A server that listens, and the URL under which it answers through a tee.
fn start(peers: &Peers, real: &Real, folder: &std::path::Path) -> anyhow::Result<(Listening, HttpTee, String)> {
    let server = Listening::start(folder, |port| match real.name {
        "everything" => {
            Ok((peers.command(real.name, &["streamableHttp"])?, vec![("PORT".to_owned(), port.to_string())]))
        }
        "playwright" => {
            let port = port.to_string();
            Ok((
                peers.command(
                    real.name,
                    &["--headless", "--executable-path", "/nothing/here", "--port", &port, "--host", "127.0.0.1"],
                )?,
                Vec::new(),
            ))
        }
        other => anyhow::bail!("{other} does not listen"),
    })?;
    let tee = HttpTee::start(&format!("127.0.0.1:{}", server.port))?;
    let url = format!("http://127.0.0.1:{}/mcp", tee.port());
    Ok((server, tee, url))
}

#[test]
fn everything_over_http() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let real = Real::prepare(&peers, "everything", folder.path())?;
    let (_, direct) = real.directly()?;
    for verb in ["serve", "run"] {
        let (_server, tee, url) = start(&peers, &real, folder.path())?;
        let setup = Setup::new(EXE)?.policy(&real.policy())?.upstream(&url);
        if verb == "serve" {
            let toolgate = setup.serve()?;
            work(&real, &direct, &mut toolgate.legacy()?)?;
        } else {
            let mut run = setup.run()?;
            run.client.initialize()?;
            work(&real, &direct, &mut run.client)?;
        }
        assert!(!tee.saw(real.denied.0), "{verb}: {} arrived", real.denied.0);
        assert_eq!(tee.count("hello there"), MAX, "{verb}");
    }
    Ok(())
}

/// The official SDK's own server of the older transport.
#[test]
fn everything_over_the_older_transport() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let real = Real::prepare(&peers, "everything", folder.path())?;
    let (_, direct) = real.directly()?;
    let server = Listening::start(folder.path(), |port| {
        Ok((peers.command(real.name, &["sse"])?, vec![("PORT".to_owned(), port.to_string())]))
    })?;
    let tee = HttpTee::start(&format!("127.0.0.1:{}", server.port))?;
    let url = format!("http://127.0.0.1:{}/sse", tee.port());
    let toolgate = Setup::new(EXE)?.policy(&real.policy())?.upstream(&url).serve()?;
    work(&real, &direct, &mut toolgate.legacy()?)?;
    assert!(!tee.saw(real.denied.0), "{} arrived", real.denied.0);
    assert_eq!(tee.count("hello there"), MAX);
    // An agent of the stateless era, whose calls are counted with the others.
    let agent = toolgate.modern()?;
    assert_eq!(agent.tools()?, [real.allowed.0]);
    assert!(agent.call(real.allowed.0, real.allowed.1.clone())?.is_limited());
    Ok(())
}

/// It answers only who asks for `localhost`: the gateway has to send the host of the URL.
#[test]
fn playwright_over_http() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let real = Real::prepare(&peers, "playwright", folder.path())?;
    let server = start(&peers, &real, folder.path()).context("playwright")?.0;
    let url = format!("http://localhost:{}/mcp", server.port);
    let toolgate = Setup::new(EXE)?.policy(&real.policy())?.upstream(&url).serve()?;
    let client = toolgate.legacy()?;
    assert_eq!(client.tools()?, [real.allowed.0]);
    for _ in 0..MAX {
        // There is no browser: the server's own word for that is its true result.
        assert!(matches!(client.call(real.allowed.0, real.allowed.1.clone())?, Outcome::ToolError(_)));
    }
    assert!(client.call(real.allowed.0, real.allowed.1.clone())?.is_limited());
    assert!(client.call(real.denied.0, real.denied.1.clone())?.is_denied());
    Ok(())
}

/// What server-everything does beside plain calls: progress, its own requests, resources.
#[test]
fn streams_of_a_real_server() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let real = Real::prepare(&peers, "everything", folder.path())?;
    let (_server, _tee, url) = start(&peers, &real, folder.path())?;
    let toolgate = Setup::new(EXE)?.policy(&json!({ "version": "1", "default": "allow" }))?.upstream(&url).serve()?;
    let client = toolgate.legacy()?;
    let long = json!({
        "name": "trigger-long-running-operation", "arguments": { "duration": 1, "steps": 3 }, "_meta": { "progressToken": "mine" },
    });
    let mut stream = client.open(&testkit::message::request(5, "tools/call", long))?;
    let mut steps = 0;
    loop {
        let said = stream.next(testkit::wait::PATIENCE)?;
        if said.get("id") == Some(&json!(5)) {
            assert!(Outcome::of(&said).is_done(), "{said}");
            break;
        }
        steps += usize::from(said.get("method") == Some(&json!("notifications/progress")));
    }
    assert!(steps >= 3, "{steps} steps");
    let listed = client.request("resources/list", json!({}))?;
    let uri = listed.pointer("/result/resources/0/uri").cloned().unwrap_or_default();
    assert!(client.request("resources/read", json!({ "uri": uri }))?.get("result").is_some(), "{listed}");
    assert!(client.request("prompts/list", json!({}))?.pointer("/result/prompts/0").is_some());
    Ok(())
}
