//! Answers never cross: each agent reads its own, though all of them use the same ids.

use anyhow::ensure;
use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::figures::figure;
use testkit::message::{self, Outcome, call, request};
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee;
use testkit::toolgate::Toolgate;
use testkit::wait::{self, PATIENCE};

use crate::echo;
use crate::setup::{all_at_once, before, legacy, modern, open, recording, rounds, toolgate};

/// Agents at once.
const AGENTS: usize = 100;

fn asked(is_modern: bool, id: i64, tool: &str, arguments: Value) -> Value {
    if !is_modern {
        return call(id, tool, arguments);
    }
    request(id, "tools/call", message::modern(json!({ "name": tool, "arguments": arguments })))
}

/// Lets so many agents call, with the same ids, and gives how many calls there were and how many answers were another's.
fn crossed(toolgate: &Toolgate, agents: usize, calls: usize, is_modern: bool) -> anyhow::Result<(usize, usize)> {
    let wrong = std::sync::atomic::AtomicUsize::new(0);
    all_at_once(agents, |agent| {
        let client: McpHttp = if is_modern { modern(toolgate)? } else { legacy(toolgate)? };
        for number in 0..calls {
            let marker = format!("<{agent}/{number}>");
            let id = i64::try_from(number)?;
            let answer = client.post_message(&asked(is_modern, id, "echo", json!({ "marker": marker })))?.message()?;
            let Outcome::Done(text) = Outcome::of(&answer) else { anyhow::bail!("{marker}: {answer}") };
            if answer.get("id") != Some(&json!(id)) || !text.contains(&marker) {
                wrong.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        Ok(())
    })?;
    Ok((agents * calls, wrong.into_inner()))
}

#[test]
fn of_an_endpoint() -> anyhow::Result<()> {
    let (url, arrived) = echo::start()?;
    let toolgate = before(toolgate()?, &open(), &format!("url = \"{url}\"\ncalls_at_once = 1000"))?.serve()?;
    let (calls, wrong) = crossed(&toolgate, AGENTS, rounds(10)?, false)?;
    figure(&format!("answers of an endpoint that another read, of {calls} of {AGENTS} agents"), wrong)?;
    let (came, twice) = arrived.counts();
    figure(&format!("calls that arrived twice, of {calls}"), twice)?;
    ensure!((came, wrong, twice) == (calls, 0, 0), "{came} came, {wrong} crossed, {twice} twice");
    Ok(())
}

#[test]
fn of_a_program_that_all_agents_share() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let (reach, record) = recording(&setup, &Script::default().modern())?;
    let toolgate = before(setup, &open(), &format!("{reach}\ncalls_at_once = 1000"))?.serve()?;
    let (calls, wrong) = crossed(&toolgate, AGENTS, rounds(5)?, true)?;
    figure(&format!("answers of a shared program that another read, of {calls} of {AGENTS} agents"), wrong)?;
    ensure!(wrong == 0 && tee::called(&record).len() == calls, "{wrong} crossed");
    Ok(())
}

#[test]
fn of_programs_of_their_own() -> anyhow::Result<()> {
    let setup = toolgate()?;
    let (reach, record) = recording(&setup, &Script::default())?;
    let toolgate = before(setup, &open(), &format!("{reach}\ncalls_at_once = 1000"))?.serve()?;
    // Each of them is a process.
    let agents = 20;
    let (calls, wrong) = crossed(&toolgate, agents, rounds(10)?.min(1_000), false)?;
    figure(&format!("answers of programs that another read, of {calls} of {agents} agents"), wrong)?;
    ensure!(wrong == 0 && tee::called(&record).len() == calls, "{wrong} crossed");
    Ok(())
}

#[test]
fn an_answer_that_comes_too_late_is_nobodys() -> anyhow::Result<()> {
    let tools = ["first", "second"].map(|name| Tool::named(name).does(Behaviour::Gate(name.into())));
    let setup = toolgate()?;
    let (reach, record) = recording(&setup, &Script::with(tools).modern())?;
    let toolgate = before(setup, &open(), &reach)?.serve()?;
    let arrives = |tool: &str| wait::for_it("the call", || tee::called(&record).iter().any(|name| name == tool));
    let open_gate = |gate: &str| std::fs::write(toolgate.setup.folder().join(format!("gate-{gate}")), "");

    let gone = modern(&toolgate)?.open(&asked(true, 1, "first", json!({})))?;
    arrives("first")?;
    let waits = modern(&toolgate)?.open(&asked(true, 1, "second", json!({})))?;
    arrives("second")?;
    drop(gone);
    wait::for_it("the cancellation", || {
        tee::messages(&record).iter().any(|said| said["method"] == "notifications/cancelled")
    })?;
    // The program answers all the same, while one other request is under way: by its id alone that one is told apart.
    open_gate("first")?;
    ensure!(modern(&toolgate)?.request("tools/list", json!({}))?.get("result").is_some());
    open_gate("second")?;
    let answer = waits.answer(PATIENCE)?;
    let all: Vec<Value> = answer.messages();
    ensure!(all.len() == 1 && Outcome::of(&all[0]) == Outcome::Done("did second".into()), "{all:?}");
    Ok(())
}
