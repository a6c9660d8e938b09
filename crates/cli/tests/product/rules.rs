//! Rules on arguments, against the inputs that try to get around them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use testkit::attacks::{self, Attack};
use testkit::client::McpHttp;
use testkit::message::{Outcome, call};
use testkit::script::{Script, Tool};
use testkit::upstream::Upstream;

use crate::setup::toolgate;

fn judged(policy: &Value, attacks: &[(&Attack, Vec<u8>)], tool: &str) -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named(tool)]))?;
    let toolgate = toolgate()?.policy(policy)?.upstream(&upstream.url()).serve()?;
    let client: McpHttp = toolgate.legacy()?;
    let mut wrong = String::new();
    for (attack, body) in attacks {
        let before = upstream.called().len();
        let answer = client.post(body)?;
        let forwarded = upstream.called().len() - before;
        let expected = usize::from(attack.expect == "allow");
        let done = answer.message().is_ok_and(|message| Outcome::of(&message).is_done());
        if forwarded != expected || done != (expected == 1) {
            writeln!(wrong, "{} ({}): {} and {}", attack.id, attack.why, attack.expect, answer.text())?;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    Ok(())
}

#[test]
fn amounts_that_are_no_small_amounts() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("amount")? else { return Ok(()) };
    let conditions = json!([{ "path": "args.amount", "op": "gt", "value": 0 }, { "path": "args.amount", "op": "lte", "value": 100 }]);
    let limits = json!([{ "counter": "spend", "window": 86_400, "max": 500, "amount": "args.amount" }]);
    let policy = json!({ "version": "1", "default": "deny", "tools": { "charge": { "require": [{ "conditions": conditions }], "limits": limits } } });
    let inputs: Vec<_> = attacks.iter().map(|attack| (attack, attack.bytes.clone())).collect();
    judged(&policy, &inputs, "charge")?;
    testkit::figures::attacks_held("amounts", inputs.len())
}

#[test]
fn a_sum_counts_fractions() -> anyhow::Result<()> {
    let limits = json!([{ "counter": "spend", "window": 86_400, "max": 2, "amount": "args.amount" }]);
    let policy = json!({ "version": "1", "default": "deny", "tools": { "charge": { "limits": limits } } });
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for _ in 0..2 {
        assert!(client.call("charge", json!({ "amount": 0.99 }))?.is_done());
    }
    assert!(client.call("charge", json!({ "amount": 0.99 }))?.is_limited());
    assert!(client.call("charge", json!({ "amount": 0.02 }))?.is_done());
    assert!(client.call("charge", json!({ "amount": 0.01 }))?.is_limited());
    assert!(client.call("charge", json!({ "amount": -5 }))?.is_denied());
    assert!(client.call("charge", json!({}))?.is_denied());
    assert_eq!(upstream.called().len(), 3);
    Ok(())
}

#[test]
fn paths_that_leave_their_folder() -> anyhow::Result<()> {
    let Some(attacks) = attacks::load("path")? else { return Ok(()) };
    let conditions = json!([{ "path": "args.path", "op": "within", "value": "/srv/data" }]);
    let policy = json!({ "version": "1", "default": "deny", "tools": { "read_file": { "require": [{ "conditions": conditions }] } } });
    let inputs: Vec<_> = attacks
        .iter()
        .map(|attack| {
            let path = String::from_utf8_lossy(&attack.bytes).into_owned();
            (attack, call(1, "read_file", json!({ "path": path })).to_string().into_bytes())
        })
        .collect();
    judged(&policy, &inputs, "read_file")?;
    testkit::figures::attacks_held("paths", inputs.len())
}

#[test]
fn calls_at_once_are_limited_while_they_last() -> anyhow::Result<()> {
    let limits = json!([{ "counter": "at-once", "kind": "concurrency", "max": 1 }]);
    let policy = json!({ "version": "1", "default": "deny", "tools": { "slow": { "limits": limits } } });
    let gate = testkit::script::Behaviour::Gate("done".into());
    let upstream = Upstream::start(Script::with([Tool::named("slow").does(gate)]))?;
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let first = client.open(&call(1, "slow", json!({})))?;
    upstream.wait_for_call("slow")?;
    assert!(client.call("slow", json!({}))?.is_limited());
    upstream.release("done");
    assert!(Outcome::of(&first.answer(testkit::wait::PATIENCE)?.message()?).is_done());
    testkit::wait::for_it("the lease's end", || client.call("slow", json!({})).is_ok_and(|outcome| outcome.is_done()))
}

#[test]
fn an_observed_policy_forwards_and_notes() -> anyhow::Result<()> {
    let policy =
        json!({ "version": "1", "default": "deny", "mode": "observe", "tools": { "charge": { "action": "deny" } } });
    let upstream = Upstream::start(Script::default())?;
    let toolgate = toolgate()?.policy(&policy)?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    assert!(client.call("charge", json!({}))?.is_done());
    let decisions = toolgate.setup.decisions()?;
    let would = decisions.first().and_then(|record| record.get("would")).and_then(Value::as_array).map(Vec::len);
    assert_eq!(would, Some(1), "{decisions:?}");
    Ok(())
}

#[test]
fn one_finding_is_one_warning() -> anyhow::Result<()> {
    let setup = toolgate()?;
    for (policy, said) in [
        (json!({ "version": "1", "default": "deny", "results": {} }), "a valid policy, with 1 warning\n"),
        (
            json!({ "version": "1", "default": "deny", "results": {}, "tools": { "files__*": {} } }),
            "a valid policy, with 2 warnings\n",
        ),
    ] {
        let file = setup.file("checked.json", &policy.to_string())?;
        let checked = std::process::Command::new(crate::setup::EXE).args(["policy", "check"]).arg(file).output()?;
        let text = String::from_utf8(checked.stdout)?;
        assert!(text.ends_with(said), "{text}");
    }
    Ok(())
}
