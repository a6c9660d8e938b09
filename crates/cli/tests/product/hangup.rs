//! SIGHUP ends nothing: whoever sends it to have files read again reads what is read.

use serde_json::json;
use testkit::script::Script;
use testkit::toolgate::{Signal, send};
use testkit::upstream::Upstream;

use crate::pages::Pages;
use crate::setup::{allow, toolgate};

#[test]
fn a_gateway_goes_on() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.files]\nurl = \"{}\"\npolicy = \"policy.json\"\naccept = \"first\"\n[[grants]]\nlabel = \"desk\"\nserver = \"files\"\nanonymous = true\n",
        upstream.url()
    );
    let by_policy = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url());
    let by_config = toolgate()?;
    by_config.file("policy.json", &allow(&["echo"]).to_string())?;
    for (setup, text) in [
        (by_policy, "options take a restart"),
        (by_config.config(&config)?, "everything else in the configuration takes a restart"),
    ] {
        let toolgate = setup.serve()?;
        for _ in 0..2 {
            toolgate.signal(Signal::HUP)?;
        }
        toolgate.wait_stderr(text)?;
        assert!(toolgate.legacy()?.call("echo", json!({}))?.is_done());
    }
    Ok(())
}

#[test]
fn a_run_goes_on_until_its_agent_leaves() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let mut run = toolgate()?.policy(&allow(&["echo"]))?.upstream(&upstream.url()).run()?;
    run.client.initialize()?;
    send(Signal::HUP, run.client.pid())?;
    run.client.wait_stderr("this ends when its agent closes stdin")?;
    assert!(run.client.call("echo", json!({}))?.is_done());
    run.client.close();
    assert!(run.client.wait()?.success());
    Ok(())
}

#[test]
fn pages_go_on() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let pages = Pages::start(folder.path())?;
    send(Signal::HUP, pages.program.pid())?;
    pages.program.wait_stderr("the catalogue is read at every request")?;
    pages.get("/")?;
    Ok(())
}
