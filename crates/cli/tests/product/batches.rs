//! Batches: each element is judged on its own, and only where the revision has them.

use serde_json::{Value, json};
use testkit::message::{Outcome, call, notification, request};
use testkit::script::Script;
use testkit::upstream::Upstream;

use crate::setup::{allow, limited, toolgate};

fn batch(messages: &[Value]) -> Vec<u8> {
    Value::Array(messages.to_vec()).to_string().into_bytes()
}

/// All answers of a batch, be they in one array or in events.
fn answers(answer: &testkit::client::Answer) -> Vec<Value> {
    let flatten = |message: Value| match message {
        Value::Array(messages) => messages,
        one => vec![one],
    };
    answer.messages().into_iter().flat_map(flatten).collect()
}

#[test]
fn each_element_is_judged() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.client()?;
    client.initialize("2025-03-26")?;
    let sent = batch(&[
        call(1, "read_file", json!({ "n": 1 })),
        call("two", "delete_file", json!({})),
        notification("notifications/cancelled", json!({ "requestId": 99 })),
        call(3, "nothing", json!({})),
        request(4, "tools/list", json!({})),
        call(5, "read_file", json!({ "n": 5 })),
    ]);
    let answer = client.post(&sent)?;
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let answers = answers(&answer);
    let of = |id: Value| answers.iter().find(|answer| answer.get("id") == Some(&id)).cloned().unwrap_or_default();
    assert_eq!(answers.len(), 5, "{answers:#?}");
    assert!(Outcome::of(&of(json!(1))).is_done());
    assert!(Outcome::of(&of(json!("two"))).is_denied());
    assert!(Outcome::of(&of(json!(3))).is_unknown_tool());
    assert_eq!(of(json!(4)).pointer("/result/tools").and_then(Value::as_array).map(Vec::len), Some(1));
    assert!(Outcome::of(&of(json!(5))).is_done());
    let raw = String::from_utf8_lossy(&upstream.raw().concat()).into_owned();
    assert!(!raw.contains("delete_file") && raw.contains("read_file"));
    assert_eq!(toolgate.setup.decisions()?.len(), 4, "one record an element");
    Ok(())
}

#[test]
fn a_limit_counts_elements() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&limited("read_file", 2))?.upstream(&upstream.url()).serve()?;
    let client = toolgate.client()?;
    client.initialize("2025-03-26")?;
    let calls: Vec<Value> = (0..5).map(|id| call(id, "read_file", json!({}))).collect();
    let answer = client.post(&batch(&calls))?;
    let done = answers(&answer).iter().filter(|answer| Outcome::of(answer).is_done()).count();
    assert_eq!(done, 2, "{}", answer.text());
    let arrived = String::from_utf8_lossy(&upstream.raw().concat()).matches("tools/call").count();
    assert_eq!(arrived, 2);
    Ok(())
}

#[test]
fn elsewhere_a_batch_is_refused() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default().both_eras())?;
    let toolgate = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).serve()?;
    let sent = batch(&[call(1, "read_file", json!({}))]);
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let client = toolgate.client()?;
        client.initialize(revision)?;
        assert_eq!(client.post(&sent)?.status(), 400, "{revision}");
        // Saying another revision than the session's opens no door.
        assert_eq!(client.post_with(&[("MCP-Protocol-Version", "2025-03-26")], &sent)?.status(), 400, "{revision}");
    }
    assert_eq!(toolgate.modern()?.post(&sent)?.status(), 400);
    let client = toolgate.client()?;
    client.initialize("2025-03-26")?;
    for bad in ["[]", "[1]", "[[]]", "[{}]", r#"[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}]"#] {
        let answer = client.post(bad.as_bytes())?;
        let refused = answer.status() >= 400 || answers(&answer).iter().all(|answer| answer.get("error").is_some());
        assert!(refused, "{bad}: {}", answer.text());
    }
    assert_eq!(upstream.called(), Vec::<String>::new());
    assert_eq!(upstream.requests().iter().filter(|request| request.body.starts_with(b"[")).count(), 0);
    Ok(())
}
