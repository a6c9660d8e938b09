//! Calls that are cancelled, or whose agents go away, leave nothing behind: neither places nor counts nor memory.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::client::{McpHttp, Open};
use testkit::figures::figure;
use testkit::message::{self, Outcome, call, notification, request};
use testkit::toolgate::Toolgate;
use testkit::wait::{self, PATIENCE};

use crate::echo;
use crate::setup::{all_at_once, before, kib, legacy, modern, one_at_once, open, outcomes, rounds, shell, toolgate};

/// Agents at once: none of the places of a server must be left taken by any of them.
const AGENTS: usize = 8;

/// Memory that may be there after many calls beside what was there after the first ones: in KiB, and in percent of that.
const MORE: (u64, u64) = (8 * 1024, 25);

/// A program that answers calls of `echo`, and no others.
const NEVER_ANSWERS: &str = r#"
while read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
    *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}' ;;
    *'"server/discover"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"hang","inputSchema":{"type":"object"}},{"name":"echo","inputSchema":{"type":"object"}}],"resultType":"complete","ttlMs":300000,"cacheScope":"public"}}' ;;
    *'"name":"echo"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete"}}' ;;
    esac
done"#;

fn asked(client: &McpHttp, id: i64, tool: &str) -> Value {
    let arguments = json!({ "marker": "m" });
    if client.revision.lock().is_ok_and(|spoken| spoken.as_deref() == Some(message::MODERN)) {
        return request(id, "tools/call", message::modern(json!({ "name": tool, "arguments": arguments })));
    }
    call(id, tool, arguments)
}

/// Cancels so many calls from each of some agents, and sees that nothing of them is left: as many calls as there are places
/// are served after that, and memory is what it was after the first of them.
fn leaves_nothing(
    what: &str,
    toolgate: &Toolgate,
    calls: usize,
    client: impl Fn() -> anyhow::Result<McpHttp> + Sync,
    cancel: impl Fn(&McpHttp, i64) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let clients = (0..AGENTS).map(|_| client()).collect::<anyhow::Result<Vec<_>>>()?;
    let many = |from: usize, to: usize| {
        all_at_once(AGENTS, |agent| {
            let Some(client) = clients.get(agent) else { return Ok(()) };
            (from..to).try_for_each(|number| cancel(client, i64::try_from(number)?))
        })
    };
    let serves = || {
        all_at_once(AGENTS, |agent| {
            let Some(client) = clients.get(agent) else { return Ok(()) };
            wait::for_it("a place", || {
                let answer = client.post_message(&asked(client, -1, "echo")).and_then(|answer| answer.message());
                answer.is_ok_and(|answer| Outcome::of(&answer).is_done())
            })
        })
    };
    let few = calls / 10 + 1;
    many(0, few)?;
    serves()?;
    let resident = kib(toolgate.pid(), "VmRSS")?;
    many(few, few + calls)?;
    serves()?;
    let (after, (more, percent)) = (kib(toolgate.pid(), "VmRSS")?, MORE);
    let total = (few + calls) * AGENTS;
    ensure!(after <= resident + resident * percent / 100 + more, "{resident} KiB have become {after} KiB");
    figure(
        &format!("resident memory after {total} cancelled calls {what}"),
        format!("{after} KiB, {resident} KiB after the first {}", few * AGENTS),
    )?;
    // One whose agent went away early enough was not even decided.
    let cancelled = outcomes(&toolgate.setup, 1)?;
    ensure!(cancelled.iter().all(|outcome| outcome != "unknown"), "an end that nobody knows");
    Ok(())
}

/// Cancels a call of a legacy agent until it is answered: a cancellation that overtakes its call cancels nothing.
fn cancelled(client: &McpHttp, call: &mut Open, id: i64) -> anyhow::Result<()> {
    let cancel = notification("notifications/cancelled", json!({ "requestId": id }));
    wait::for_it("the answer of what was cancelled", || {
        let said = client.post_message(&cancel).is_ok_and(|answer| answer.status() == 202);
        said && call.head(Duration::from_millis(50)).is_ok()
    })
}

/// Places for as many calls as there are agents.
fn places() -> String {
    format!("calls_at_once = {AGENTS}")
}

#[test]
fn at_an_endpoint_by_going_away() -> anyhow::Result<()> {
    let (url, _) = echo::start()?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{url}\"\n{}", places()))?.serve()?;
    leaves_nothing(
        "at an endpoint",
        &toolgate,
        rounds(20)?,
        || modern(&toolgate),
        |client, id| {
            drop(client.open(&asked(client, id, "hang"))?);
            Ok(())
        },
    )
}

#[test]
fn at_a_program_that_all_agents_share_by_going_away() -> anyhow::Result<()> {
    let reach = format!("{}\n{}", shell(NEVER_ANSWERS), places());
    let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
    leaves_nothing(
        "at a shared program",
        &toolgate,
        rounds(20)?,
        || modern(&toolgate),
        |client, id| {
            drop(client.open(&asked(client, id, "hang"))?);
            Ok(())
        },
    )
}

#[test]
fn at_programs_of_their_own_by_saying_so() -> anyhow::Result<()> {
    let reach = format!("{}\n{}", shell(NEVER_ANSWERS), places());
    let toolgate = before(toolgate()?, &open(), &reach)?.serve()?;
    leaves_nothing(
        "at programs",
        &toolgate,
        rounds(20)?,
        || legacy(&toolgate),
        |client, id| cancelled(client, &mut client.open(&asked(client, id, "hang"))?, id),
    )
}

#[test]
fn of_an_agent_on_stdio() -> anyhow::Result<()> {
    let setup = toolgate()?.policy(&one_at_once())?;
    let mut run = setup.program(["sh", "-c", NEVER_ANSWERS]).run()?;
    run.client.initialize()?;
    // One call at once: each must have given its place back before the next.
    for id in 0..rounds(200)? {
        let id = i64::try_from(id)? + 1_000;
        run.client.send(&call(id, "hang", json!({})))?;
        run.client.send(&notification("notifications/cancelled", json!({ "requestId": id })))?;
    }
    let outcome = run.client.call("echo", json!({}))?;
    ensure!(outcome.is_done(), "{outcome:?}");
    let ended = outcomes(&run.setup, rounds(200)? + 1)?;
    ensure!(ended.iter().filter(|outcome| *outcome == "cancelled").count() == rounds(200)?, "{ended:?}");
    Ok(())
}

#[test]
fn what_a_program_answers_to_a_call_that_an_agent_on_stdio_gave_up_is_nobodys() -> anyhow::Result<()> {
    let late = r#"*'"notifications/cancelled"'*) id=${line#*'"requestId":'}; id=${id%%[,\}]*}
        echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[{"type":"text","text":"late"}]}}' ;;
    *'"name":"echo"'*)"#;
    let program = NEVER_ANSWERS.replace(r#"*'"name":"echo"'*)"#, late);
    let mut run = toolgate()?.policy(&open())?.program(["sh", "-c", &program]).run()?;
    run.client.initialize()?;
    run.client.send(&call(7, "hang", json!({})))?;
    run.client.send(&notification("notifications/cancelled", json!({ "requestId": 7 })))?;
    run.client.send(&call(7, "echo", json!({})))?;
    let again = run.client.next_that("anything", |_| true)?;
    let text = again.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    ensure!(text.contains("use another id") || again.to_string().contains("done"), "{again}");
    // What is asked last is answered last: the late answer would have come before.
    run.client.send(&call(8, "echo", json!({})))?;
    let next = run.client.next_that("anything", |_| true)?;
    ensure!(next.get("id") == Some(&json!(8)), "{next}");
    Ok(())
}

#[test]
fn a_request_that_was_cancelled_is_answered_and_its_id_is_not_used_again() -> anyhow::Result<()> {
    let toolgate =
        before(toolgate()?, &one_at_once(), &format!("{}\ncalls_at_once = 1", shell(NEVER_ANSWERS)))?.serve()?;
    let client = legacy(&toolgate)?;
    client.tools()?;
    let mut hang = client.open(&asked(&client, 7, "hang"))?;
    cancelled(&client, &mut hang, 7)?;
    let said = hang.answer(PATIENCE)?.message()?;
    let Outcome::Error(-32603, text) = Outcome::of(&said) else { anyhow::bail!("{said}") };
    ensure!(text.contains("the agent cancelled it"), "{text}");
    ensure!(outcomes(&toolgate.setup, 1)? == ["cancelled"]);
    let again = client.post_message(&asked(&client, 7, "echo"))?;
    ensure!(again.status() == 400 && again.text().contains("use another id"), "{}", again.text());
    ensure!(client.call("echo", json!({}))?.is_done(), "there is room again");
    Ok(())
}
