//! Told to stop: what is under way is finished first.

use std::net::TcpStream;

use serde_json::json;
use testkit::message::{Outcome, call};
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
    let _hang = client.open(&call(1, "hang", json!({})))?;
    let _stream = client.listen(None)?;
    upstream.wait_for_call("hang")?;
    toolgate.stop()
}
