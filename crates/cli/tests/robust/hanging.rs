//! Programs that hang: that read nothing, say nothing, or do not end when they are told to.

use anyhow::ensure;
use serde_json::json;
use testkit::message::Outcome;
use testkit::toolgate::{Signal, is_alive};
use testkit::wait::{self, PATIENCE};

use crate::setup::{all_at_once, before, legacy, open, outcomes, shell, toolgate};

/// A program that says hello, lists a tool and reads nothing more; `THEN` comes first.
const READS_NOTHING: &str = r#"
THEN
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"long","inputSchema":{"type":"object"}}]}}'; while :; do sleep 1; done ;;
    esac
done"#;

#[test]
fn one_that_reads_nothing_ends_no_call_later_than_it_may_be_silent() -> anyhow::Result<()> {
    let reach = format!("{}\ncalls_at_once = 200\nfirst_byte_seconds = 1", shell(&READS_NOTHING.replace("THEN", "")));
    let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
    let client = legacy(&toolgate)?;
    // More than its pipe takes, and more messages than may wait for it.
    let calls = 100;
    all_at_once(calls, |_| {
        let outcome = client.call("long", json!({ "text": "x".repeat(100_000) }))?;
        ensure!(matches!(&outcome, Outcome::Error(-32603, _)), "{outcome:?}");
        Ok(())
    })?;
    let ended = outcomes(&toolgate.setup, calls)?;
    // What did not even go into the queue was provably not sent.
    ensure!(ended.iter().all(|outcome| outcome == "timeout" || outcome == "not_sent"), "{ended:?}");
    ensure!(ended.iter().any(|outcome| outcome == "timeout") && ended.iter().any(|outcome| outcome == "not_sent"));
    Ok(())
}

#[test]
fn one_that_says_nothing() -> anyhow::Result<()> {
    let reach = format!("{}\nfirst_byte_seconds = 1", shell("while read -r line; do :; done"));
    let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
    let client = testkit::client::McpHttp::new(toolgate.url(), Some(testkit::toolgate::TOKEN))?;
    let hello = testkit::message::request(1, "initialize", testkit::message::hello(testkit::message::LEGACY));
    let answer = client.post_message(&hello)?;
    ensure!(answer.status() == 504 && answer.text().contains("did not begin to answer within 1s"), "{}", answer.text());
    Ok(())
}

#[test]
fn one_that_reads_nothing_and_ignores_sigterm_ends_all_the_same() -> anyhow::Result<()> {
    let script = READS_NOTHING.replace("THEN", "trap '' TERM; echo $$ >FILE");
    let setup = toolgate()?;
    let file = setup.folder().join("pid");
    let reach = format!("{}\nfirst_byte_seconds = 1", shell(&script.replace("FILE", &file.display().to_string())));
    let mut toolgate = before(setup, &open(), &reach)?.serve()?;
    let client = legacy(&toolgate)?;
    let pid: u32 = std::fs::read_to_string(&file)?.trim().parse()?;
    ensure!(is_alive(pid) && !client.call("long", json!({}))?.is_done());
    toolgate.signal(Signal::TERM)?;
    ensure!(toolgate.wait(PATIENCE)?.success());
    wait::for_it("the end of the program", || !is_alive(pid))
}
