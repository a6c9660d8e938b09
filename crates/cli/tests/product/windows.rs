//! When a use of a limit begins to count.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use testkit::message::{Outcome, call};
use testkit::script::Script;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::toolgate;

/// A window in seconds. A rolling window has sixty parts, so each of its parts is one second.
const WINDOW: i64 = 60;

#[test]
fn calls_that_waited_for_the_list_count_from_when_they_go_on() -> anyhow::Result<()> {
    let script = Script { list_gate: Some("list".into()), ..Script::default() };
    let upstream = Upstream::start(script)?;
    let limits = json!([{ "counter": "calls", "window": WINDOW, "max": 1, "scope": "grant" }]);
    let policy = json!({ "version": "1", "default": "deny", "tools": { "echo": { "limits": limits } } });
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let waiting = (0..2).map(|id| client.open(&call(id, "echo", json!({})))).collect::<anyhow::Result<Vec<_>>>()?;
    upstream.wait_for("tools/list", |request| request.rpc() == "tools/list")?;
    // The part of the window in which the calls came must be over, or nothing could be told apart.
    let came = Timestamp::now().as_second();
    wait::for_it("the next second", || Timestamp::now().as_second() > came)?;
    assert_eq!(upstream.called().len(), 0, "no call is judged without the list");

    let released = Timestamp::now();
    upstream.release("list");
    let mut outcomes = Vec::new();
    for call in waiting {
        outcomes.push(Outcome::of(&call.answer(PATIENCE)?.message()?));
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_limited()).count(), 1, "{outcomes:?}");
    assert_eq!(upstream.called(), ["echo"]);
    assert_eq!(upstream.count("tools/list"), 1, "one list serves all who wait");

    let shown = toolgate.setup.ask(&["limits", "show", "--json"])?;
    let shown: Value = serde_json::from_slice(&shown.stdout)?;
    let frees: Timestamp = shown.pointer("/0/frees_at").and_then(Value::as_str).unwrap_or_default().parse()?;
    assert!(frees >= released + WINDOW.seconds(), "released at {released}, frees at {frees}");
    Ok(())
}
