//! Told to stop: what is under way is finished first.

use std::net::TcpStream;

use serde_json::json;
use testkit::client::{raw, statuses};
use testkit::message::{Outcome, call, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::toolgate::Signal;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::setup::{open, toolgate, word};

#[test]
fn calls_under_way_are_answered() -> anyhow::Result<()> {
    for (signal, sse) in [(Signal::TERM, false), (Signal::TERM, true), (Signal::INT, false)] {
        let script = Script { sse, ..Script::with([Tool::named("slow").does(Behaviour::Gate("done".into()))]) };
        let upstream = Upstream::start(script)?;
        let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
        let client = toolgate.legacy()?;
        let slow = client.open(&call(1, "slow", json!({})))?;
        upstream.wait_for_call("slow")?;
        toolgate.signal(signal)?;
        let address = toolgate.address()?;
        wait::for_it("the listener to close", || TcpStream::connect(address).is_err())?;
        upstream.release("done");
        assert_eq!(Outcome::of(&slow.answer(PATIENCE)?.message()?), Outcome::Done("did slow".into()));
        assert!(toolgate.wait(PATIENCE)?.success());
        let records = toolgate.setup.audit()?;
        assert_eq!(records.last().map(|record| word(record, "kind")), Some("stop"));
        assert!(records.iter().any(|record| word(record, "outcome") == "ok"), "{records:?}");
        let verified = toolgate.setup.ask(&["audit", "verify"])?;
        assert!(verified.status.success());
    }
    Ok(())
}

#[test]
fn a_call_that_does_not_end_does_not_hold_it_for_ever() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("hang").does(Behaviour::Hang)]))?;
    let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    let hang = client.open(&call(1, "hang", json!({})))?;
    let mut stream = client.listen(None)?;
    assert_eq!(stream.head(PATIENCE)?.status(), Some(200));
    upstream.wait_for_call("hang")?;
    toolgate.stop()?;
    // Its agent is told, and so is its server.
    let told = hang.answer(PATIENCE)?;
    assert_eq!(told.status(), 503);
    assert!(told.text().contains("This gateway is being stopped."), "{}", told.text());
    upstream.wait_for("a cancellation", |request| request.rpc() == "notifications/cancelled")?;
    Ok(())
}

#[test]
fn streams_are_closed_while_calls_go_on() -> anyhow::Result<()> {
    let script = Script::with([Tool::named("slow").does(Behaviour::Gate("done".into()))]).both_eras();
    let upstream = Upstream::start(script)?;
    let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let (legacy, modern) = (toolgate.legacy()?, toolgate.modern()?);
    let mut listening = legacy.listen(None)?;
    let params = testkit::message::modern(json!({ "notifications": { "toolsListChanged": true } }));
    let mut subscription = modern.open(&request("sub", "subscriptions/listen", params))?;
    for open in [&mut listening, &mut subscription] {
        assert_eq!(open.head(PATIENCE)?.status(), Some(200));
    }
    let slow = legacy.open(&call(1, "slow", json!({})))?;
    upstream.wait_for_call("slow")?;
    toolgate.signal(Signal::TERM)?;
    while listening.event(PATIENCE)?.is_some() {}
    let last = wait::until("the end of the subscription", PATIENCE, || {
        subscription.next(PATIENCE).ok().filter(|message| message.get("method").is_none())
    })?;
    assert_eq!(last["id"], "sub");
    assert!(last["error"]["message"].as_str().is_some_and(|text| text.contains("being stopped")), "{last}");
    upstream.release("done");
    assert_eq!(Outcome::of(&slow.answer(PATIENCE)?.message()?), Outcome::Done("did slow".into()));
    assert!(toolgate.wait(PATIENCE)?.success());
    Ok(())
}

#[test]
fn whoever_watches_readiness_hears_of_it_first() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("slow").does(Behaviour::Gate("done".into()))]))?;
    let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let address = toolgate.address()?;
    let ready = || -> anyhow::Result<Vec<u16>> {
        let question = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        Ok(statuses(&raw(address, question, PATIENCE)?))
    };
    assert_eq!(ready()?, [200]);
    let client = toolgate.legacy()?;
    let slow = client.open(&call(1, "slow", json!({})))?;
    upstream.wait_for_call("slow")?;
    toolgate.signal(Signal::TERM)?;
    wait::until("not ready", PATIENCE, || match ready() {
        Ok(answer) if answer == [503] => Some(Ok(())),
        Ok(_) => None,
        // It must be said before nobody is there to say it.
        Err(error) => Some(Err(error)),
    })??;
    wait::for_it("the listener to close", || TcpStream::connect(address).is_err())?;
    upstream.release("done");
    assert_eq!(Outcome::of(&slow.answer(PATIENCE)?.message()?), Outcome::Done("did slow".into()));
    assert!(toolgate.wait(PATIENCE)?.success());
    Ok(())
}
