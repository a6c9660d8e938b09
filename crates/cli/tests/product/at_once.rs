//! How many calls may be under way at once.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::message::{Outcome, call};
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee;
use testkit::toolgate::{Run, Setup, TOKEN};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{open, recording, toolgate, word};

/// What the agent reads of a call too many.
const OVER: &str = "Too many calls to this server are under way; repeat the call when one has ended.";

fn script() -> Script {
    Script::with([Tool::named("slow").does(Behaviour::Gate("done".into())), Tool::named("echo")])
}

fn is_over(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Denied { text, .. } if text.contains(OVER))
}

/// One call more than `most`: that one is refused, the others arrive and are answered.
fn one_too_many(run: &mut Run, most: usize, arrived: impl Fn() -> usize, release: impl Fn()) -> anyhow::Result<()> {
    run.client.initialize()?;
    let ids: Vec<i64> = (0..=most).map(|_| run.client.id()).collect();
    for id in &ids {
        run.client.send(&call(*id, "slow", json!({})))?;
    }
    let first = run.client.next_that("the refusal", |message| message.get("method").is_none())?;
    ensure!(is_over(&Outcome::of(&first)), "{first}");
    wait::for_it("the others", || arrived() >= most)?;
    // What is no call is not counted, nor is a call that no policy lets pass.
    ensure!(run.client.request("ping", json!({}))?.get("result").is_some());
    ensure!(run.client.call("nothing", json!({}))?.is_unknown_tool());
    ensure!(is_over(&run.client.call("slow", json!({}))?), "there is room for no call");
    release();
    for id in ids.iter().map(|id| json!(id)).filter(|id| first.get("id") != Some(id)) {
        let outcome = Outcome::of(&run.client.response(&id)?);
        ensure!(outcome == Outcome::Done("did slow".into()), "{id}: {outcome:?}");
    }
    ensure!(run.client.call("echo", json!({}))?.is_done(), "there is room again");
    let refused = run.setup.decisions()?.iter().filter(|record| word(record, "reason") == OVER).count();
    ensure!(refused == 2, "{refused} records of calls too many");
    ensure!(arrived() == most + 1, "{} calls arrived", arrived());
    Ok(())
}

#[test]
fn an_endpoint_has_256() -> anyhow::Result<()> {
    let upstream = Upstream::start(script())?;
    let mut run = toolgate()?.policy(&open())?.upstream(&upstream.url()).run()?;
    one_too_many(&mut run, 256, || upstream.called().len(), || upstream.release("done"))
}

#[test]
fn a_program_has_64() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&open())?;
    let (words, record) = recording(&setup, &script())?;
    let gate = setup.folder().join("gate-done");
    let mut run = setup.program(words).run()?;
    let release = || drop(std::fs::write(&gate, ""));
    one_too_many(&mut run, 64, || tee::called(&record).len(), release)
}

/// A server of a configuration with two agents.
fn configured(upstream: &Upstream, most: &str) -> anyhow::Result<Setup> {
    let setup = toolgate()?;
    setup.file("policy.json", &open().to_string())?;
    let mut config = format!(
        "listen = \"127.0.0.1:0\"\n[servers.slow]\nurl = \"{}\"\npolicy = \"policy.json\"\ncalls_at_once = {most}\n",
        upstream.url()
    );
    for (label, token) in [("first", TOKEN.to_owned()), ("second", second())] {
        setup.file(label, &token)?;
        config.push_str(&format!("[[grants]]\nlabel = \"{label}\"\nserver = \"slow\"\ntoken_file = \"{label}\"\n"));
    }
    setup.config(&config)
}

fn second() -> String {
    TOKEN.replace("test", "rest")
}

#[test]
fn a_configured_number_is_shared_by_all_agents() -> anyhow::Result<()> {
    for sse in [false, true] {
        let upstream = Upstream::start(Script { sse, ..script() })?;
        let toolgate = configured(&upstream, "1")?.serve()?;
        let one = McpHttp::legacy(toolgate.url(), Some(TOKEN))?;
        let other = McpHttp::legacy(toolgate.url(), Some(&second()))?;
        let slow = one.open(&call(1, "slow", json!({})))?;
        upstream.wait_for_call("slow")?;
        for client in [&one, &other] {
            let outcome = client.call("echo", json!({}))?;
            assert!(is_over(&outcome), "{outcome:?}");
        }
        assert_eq!(upstream.called(), ["slow"]);
        upstream.release("done");
        assert!(Outcome::of(&slow.answer(PATIENCE)?.message()?).is_done());
        // Whoever has an answer may call again at once.
        for turn in 0..100 {
            let outcome = if turn % 2 == 0 { &one } else { &other }.call("echo", json!({}))?;
            assert!(outcome.is_done(), "{turn}: {outcome:?}");
        }
    }
    Ok(())
}

#[test]
fn a_number_without_end_is_no_limit() -> anyhow::Result<()> {
    let upstream = Upstream::start(script())?;
    let toolgate = configured(&upstream, &i64::MAX.to_string())?.serve()?;
    let client = McpHttp::legacy(toolgate.url(), Some(TOKEN))?;
    let Outcome::Done(text) = client.call("echo", json!({ "a": 1 }))? else { anyhow::bail!("not done") };
    assert_eq!(serde_json::from_str::<Value>(&text)?.pointer("/arguments/a"), Some(&json!(1)));
    Ok(())
}
