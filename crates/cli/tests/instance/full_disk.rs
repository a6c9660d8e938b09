//! A disk that is full under an instance: nothing is forwarded that could not be recorded, and nothing is half changed.

use anyhow::Context;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{Desk, endpoint, instance};
use crate::troubles::ready;

/// What a file may have in 512-byte blocks while there is room.
const ROOM: u32 = 1 << 21;

/// No file may grow beyond so many bytes from now on: what a full disk does to a process.
fn limit(toolgate: &Toolgate, bytes: u64) -> anyhow::Result<()> {
    let limit = Rlimit { current: Some(bytes), maximum: None };
    prlimit(Pid::from_raw(i32::try_from(toolgate.pid())?), Resource::Fsize, limit)?;
    Ok(())
}

#[test]
fn nothing_is_forwarded_or_half_changed_and_all_goes_on_by_itself() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let toolgate = instance(&folder.path().join("data"))?.most_blocks(ROOM).options(["--lease", "1"]).serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    assert!(agent.call("read", json!({}))?.is_done());

    limit(&toolgate, 1)?;
    let (status, problem) = desk.ask("POST", "agents", &json!({ "name": "late" }))?;
    assert!(status == 503 && problem["detail"].is_string(), "{status} {problem}");
    wait::for_it("a replica that is not ready", || ready(&toolgate).is_ok_and(|status| status == 503))?;
    let outcome = agent.call("read", json!({}));
    // It is refused, as a call or as a request.
    assert!(!outcome.is_ok_and(|outcome| outcome.is_done()));
    assert_eq!(upstream.called().len(), 1);

    limit(&toolgate, u64::from(ROOM) * 512)?;
    let again = wait::for_it("a call that is forwarded again", || {
        agent.call("read", json!({})).is_ok_and(|outcome| outcome.is_done())
    });
    again.with_context(|| format!("{:?}\n{}", agent.call("read", json!({})), toolgate.stderr()))?;
    let agents = desk.done("GET", "agents", &Value::Null)?;
    assert_eq!(agents["items"].as_array().map(Vec::len), Some(1), "{agents}");
    desk.done("POST", "agents", &json!({ "name": "late" }))?;
    Ok(())
}
