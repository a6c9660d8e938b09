//! Policy files are watched.

use std::time::Instant;

use serde_json::json;
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{allow, toolgate, word};

#[test]
fn an_edit_is_in_force_at_once_and_a_broken_one_never() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    assert!(client.call("read_file", json!({}))?.is_done());
    assert!(client.call("delete_file", json!({}))?.is_denied());

    let edited = Instant::now();
    toolgate.write_policy(&allow(&["delete_file"]).to_string())?;
    wait::for_it("the edit", || client.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_denied()))?;
    // Promised is a second; a loaded machine gets ten times that.
    assert!(edited.elapsed().as_secs() < 10, "{:?}", edited.elapsed());
    assert!(client.call("delete_file", json!({}))?.is_done());
    assert_eq!(stream.next(PATIENCE)?.get("method"), Some(&json!("notifications/tools/list_changed")));

    let records = toolgate.setup.audit()?;
    let is_call =
        |record: &&serde_json::Value| word(record, "kind") == "decision" && word(record, "method") == "tools/call";
    let digests: Vec<_> = records.iter().filter(is_call).collect();
    let (first, last) =
        (digests.first().map(|record| word(record, "policy")), digests.last().map(|record| word(record, "policy")));
    assert_ne!(first, last, "each decision names the policy that made it");
    let last = last.unwrap_or_default();
    assert!(!last.is_empty() && toolgate.stderr().contains(last), "{last:?} is not on stderr:\n{}", toolgate.stderr());

    for broken in
        ["{", "", r#"{"version":"1","default":"allow","tolls":{}}"#, r#"{"version":"1","default":"allow","flow":{}}"#]
    {
        let before = toolgate.stderr().matches("stays in force").count();
        toolgate.write_policy(broken)?;
        wait::for_it("the refusal", || toolgate.stderr().matches("stays in force").count() > before)?;
        assert!(client.call("delete_file", json!({}))?.is_done(), "{broken:?}");
        assert!(client.call("read_file", json!({}))?.is_denied(), "{broken:?}");
    }
    std::fs::remove_file(toolgate.setup.policy_file())?;
    assert!(client.call("read_file", json!({}))?.is_denied());

    toolgate.write_policy(&allow(&["read_file"]).to_string())?;
    wait::for_it("the repair", || client.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    assert!(client.call("delete_file", json!({}))?.is_denied());
    Ok(())
}

#[test]
fn an_edit_does_not_reset_a_limit() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&crate::setup::limited("read_file", 2))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    assert!(client.call("read_file", json!({}))?.is_done());
    assert!(client.call("read_file", json!({}))?.is_done());
    assert!(client.call("read_file", json!({}))?.is_limited());
    toolgate.write_policy(&crate::setup::limited("read_file", 3).to_string())?;
    wait::for_it("one more", || client.call("read_file", json!({})).is_ok_and(|outcome| outcome.is_done()))?;
    assert!(client.call("read_file", json!({}))?.is_limited());
    assert_eq!(upstream.called().len(), 3);
    Ok(())
}

#[test]
fn a_broken_policy_does_not_start() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&json!({ "version": "1", "defualt": "deny" }))?.upstream("http://127.0.0.1:1/mcp");
    let (status, said) = setup.refused()?;
    assert!(!status.success());
    assert!(said.contains("defualt") && said.contains("default"), "{said}");
    Ok(())
}
