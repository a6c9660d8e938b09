//! A first start, and the next one.

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::desk::{Desk, endpoint, instance, said};

#[test]
fn from_nothing_to_a_call_and_on_after_a_restart() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read"), Tool::named("delete")]))?;
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    let mut toolgate = instance(&data)?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let token = desk.grant("files", &upstream.url())?.token;

    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&token))?;
    assert_eq!(agent.tools()?, ["read"]);
    let outcome = agent.call("read", json!({ "path": "/tmp" }))?;
    assert!(outcome.is_done(), "{outcome:?}");
    assert!(!agent.call("delete", json!({}))?.is_done());
    assert_eq!(upstream.called(), ["read"]);
    let stranger = McpHttp::new(&endpoint(&toolgate, "files"), Some("tg_nobody"))?;
    assert_eq!(stranger.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))?.status(), 401);
    toolgate.stop()?;

    // Nothing is lost, and nobody is offered to set it up again.
    let again = instance(&data)?.serve()?;
    assert_eq!(said(&again, "setup-token "), None, "{}", again.stderr());
    let agent = McpHttp::legacy(&endpoint(&again, "files"), Some(&token))?;
    assert!(agent.call("read", json!({}))?.is_done());
    let me = Desk::at(&again)?.done("GET", "me", &Value::Null)?;
    assert_eq!(me["actor"], "member:ada", "{me}");
    Ok(())
}

#[test]
fn what_is_missing_or_does_not_fit_stops_the_start_and_changes_nothing() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    instance(&data)?.serve()?.stop()?;
    let (key, tables) = (data.join("keys/master"), data.join("control.db"));
    let right = std::fs::read(&key)?;

    std::fs::remove_file(&key)?;
    let (status, text) = instance(&data)?.refused()?;
    assert_eq!(status.code(), Some(2));
    assert!(text.contains("there is no key file") && !key.exists(), "{text}");

    let other = folder.path().join("other");
    instance(&other)?.serve()?.stop()?;
    std::fs::copy(other.join("keys/master"), &key)?;
    let before = std::fs::read(&tables)?;
    let (status, text) = instance(&data)?.refused()?;
    assert_eq!(status.code(), Some(2));
    assert!(text.contains("key"), "{text}");
    assert!(std::fs::read(&tables)? == before, "the tables were changed");

    std::fs::write(&key, &right)?;
    let whole = std::fs::read(&tables)?;
    std::fs::write(&tables, b"this is no database, and was never one, however long one looks at it".repeat(100))?;
    let (status, text) = instance(&data)?.refused()?;
    assert_eq!(status.code(), Some(2));
    assert!(text.contains("control.db") && text.contains("restore"), "{text}");
    std::fs::write(&tables, whole)?;
    instance(&data)?.serve()?.stop()
}

#[test]
fn options_that_mean_nothing_here_are_refused_by_name() -> anyhow::Result<()> {
    let folder = testkit::toolgate::folder()?;
    for (options, wanted) in [
        (vec!["--anonymous"], "--anonymous"),
        (vec!["--token", "0123456789012345678901234567890123456789"], "--token"),
        (vec!["--database", "postgres://toolgate:hunter2@localhost/toolgate"], "TOOLGATE_DATABASE"),
        (vec!["--database", "postgres://localhost/toolgate"], "toolgate keys new"),
        (vec!["--lease", "5", "--upstream", "http://127.0.0.1:1/"], "--lease"),
    ] {
        let (status, text) = instance(&folder.path().join("data"))?.options(options).refused()?;
        assert_eq!(status.code(), Some(2), "{text}");
        assert!(text.contains(wanted) && !text.contains("hunter2"), "{text}");
    }
    Ok(())
}
