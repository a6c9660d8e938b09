//! A call that may have reached its server is never sent again.

use std::collections::HashMap;

use anyhow::ensure;
use serde_json::json;
use testkit::figures::figure;
use testkit::message::Outcome;
use testkit::wait;

use crate::echo::{self, FAILING};
use crate::setup::{before, legacy, open, outcomes, program, rounds, shell, toolgate, word};

#[test]
fn whatever_goes_wrong_at_an_endpoint_a_call_arrives_once() -> anyhow::Result<()> {
    let (url, arrived) = echo::start()?;
    let setup = before(toolgate()?, &open(), &format!("url = \"{url}\"\nfirst_byte_seconds = 1\nidle_seconds = 1"))?;
    // One worker: the connection over which one call went well is the one that the next is sent over.
    let toolgate = setup.options(["--workers", "1"]).serve()?;
    let client = legacy(&toolgate)?;
    let (rounds, mut calls) = (rounds(2)?, 0);
    for round in 0..rounds {
        for tool in FAILING {
            // A second hang waits as long as the first.
            if tool == "hang" && round > 0 {
                continue;
            }
            // Over a connection that is new, and over one that has served.
            for warm in [false, true] {
                if warm {
                    let outcome = client.call("echo", json!({ "marker": format!("warm {tool} {round}") }))?;
                    ensure!(outcome.is_done(), "{tool}: {outcome:?}");
                }
                let marker = format!("{tool} {round} {warm}");
                let outcome = client.call(tool, json!({ "marker": marker }))?;
                ensure!(matches!(outcome, Outcome::Error(-32603, _)), "{tool}: {outcome:?}");
                ensure!(arrived.of(&marker) == 1, "{marker} arrived {} times", arrived.of(&marker));
                calls += 1;
            }
        }
    }
    let recorded = outcomes(&toolgate.setup, calls)?;
    ensure!(!recorded.iter().any(|outcome| outcome == "not_sent"), "{recorded:?}");
    let (_, twice) = arrived.counts();
    figure(&format!("calls that arrived twice, of {calls} whose server failed after it was sent them"), twice)
}

/// A program that notes each call in a file, and ends.
const NOTES_AND_ENDS: &str = r#"*'"tools/call"'*) echo "$line" >>FILE; exit 0 ;;"#;

#[test]
fn a_program_that_is_started_again_is_not_sent_the_call_again() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let file = setup.file("calls", "")?;
    let script = program(&["end"], NOTES_AND_ENDS).replace("FILE", &file.display().to_string());
    let toolgate = before(setup, &open(), &shell(&script))?.serve()?;
    let mut expected = HashMap::new();
    for number in 0..rounds(10)?.min(1_000) {
        let client = legacy(&toolgate)?;
        let outcome = client.call("end", json!({ "marker": format!("m{number}.") }))?;
        ensure!(!outcome.is_done(), "{outcome:?}");
        expected.insert(format!("m{number}."), 1_usize);
    }
    // Whoever comes later starts the program anew: what it was sent before stays where it was.
    legacy(&toolgate)?.tools()?;
    let calls = std::fs::read_to_string(file)?;
    let came: HashMap<String, usize> =
        expected.keys().map(|marker| (marker.clone(), calls.matches(marker.as_str()).count())).collect();
    ensure!(came == expected, "{calls}");
    Ok(())
}

#[test]
fn a_connection_that_dies_between_calls_costs_none() -> anyhow::Result<()> {
    let upstream = testkit::upstream::Upstream::start(testkit::script::Script::default().sessionless())?;
    let address = upstream.address().to_string();
    let reach = format!("url = \"{}\"", upstream.url());
    let toolgate = before(toolgate()?, &open(), &reach)?.options(["--workers", "1"]).serve()?;
    let client = legacy(&toolgate)?;
    ensure!(client.call("echo", json!({}))?.is_done());
    drop(upstream);
    let script = testkit::script::Script::default().sessionless();
    let again = wait::until("the port", wait::PATIENCE, || {
        testkit::upstream::Upstream::start_at(&address, script.clone()).ok()
    })?;
    // The pooled connection is dead: the call was not written to it, so it may go over another one.
    let outcome = client.call("echo", json!({}))?;
    let ended = outcomes(&toolgate.setup, 2)?.pop().unwrap_or_default();
    match again.called().len() {
        0 => ensure!(!outcome.is_done() && ended != "ok", "{outcome:?}, {ended}"),
        1 => ensure!(outcome.is_done() && ended == "ok", "{outcome:?}, {ended}"),
        more => anyhow::bail!("it arrived {more} times"),
    }
    let records = toolgate.setup.audit()?;
    ensure!(records.iter().filter(|record| word(record, "method") == "tools/call").count() == 2);
    Ok(())
}
