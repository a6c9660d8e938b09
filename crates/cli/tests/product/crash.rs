//! Killed in the middle of work: what is known afterwards.

use std::collections::HashSet;

use serde_json::{Value, json};
use testkit::script::{Behaviour, Script, Tool};
use testkit::tee::{self, Event};
use testkit::toolgate::is_alive;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::setup::{allow, limited, open, recording, toolgate, word};

#[test]
fn every_call_that_arrived_was_recorded_before() -> anyhow::Result<()> {
    let names: Vec<String> = (0..400).map(|number| format!("tool_{number}")).collect();
    let upstream = Upstream::start(Script::with(names.iter().map(|name| Tool::named(name))))?;
    let data = testkit::toolgate::folder()?;
    let start = || toolgate()?.policy(&open())?.upstream(&upstream.url()).data(data.path()).serve();
    let mut toolgate = start()?;
    let clients = (0..4).map(|_| toolgate.legacy()).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        for (number, client) in clients.iter().enumerate() {
            let mine = names.iter().skip(number).step_by(clients.len());
            scope.spawn(move || {
                for name in mine {
                    if client.call(name, json!({})).is_err() {
                        return;
                    }
                }
            });
        }
        upstream.log().until("some calls", wait::PATIENCE, |state| (state.requests.len() > 80).then_some(()))?;
        toolgate.kill()
    })?;
    let arrived: HashSet<String> = upstream.called().into_iter().collect();
    let recorded: HashSet<String> =
        toolgate.setup.decisions()?.iter().map(|record| word(record, "tool").to_owned()).collect();
    let missing: Vec<_> = arrived.difference(&recorded).collect();
    assert!(missing.is_empty(), "{missing:?} arrived without a record");
    assert!(arrived.len() > 20, "{} calls", arrived.len());

    let mut again = start()?;
    assert!(again.legacy()?.call("tool_0", json!({}))?.is_done());
    again.stop()?;
    let verified = again.setup.ask(&["audit", "verify", "--json"])?;
    assert!(
        verified.status.success(),
        "{}{}",
        String::from_utf8_lossy(&verified.stdout),
        String::from_utf8_lossy(&verified.stderr)
    );
    Ok(())
}

#[test]
fn a_crash_gives_no_quota_back() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read_file").does(Behaviour::Gate("never".into()))]))?;
    let data = testkit::toolgate::folder()?;
    let start = || toolgate()?.policy(&limited("read_file", 3))?.upstream(&upstream.url()).data(data.path()).serve();
    for round in 1..=3 {
        let mut toolgate = start()?;
        let client = toolgate.legacy()?;
        let _open = client.open(&testkit::message::call(1, "read_file", json!({})))?;
        wait::for_it("the call", || upstream.called().len() == round)?;
        toolgate.kill()?;
    }
    let toolgate = start()?;
    assert!(toolgate.legacy()?.call("read_file", json!({}))?.is_limited());
    assert_eq!(upstream.called().len(), 3);
    Ok(())
}

#[test]
fn what_a_killed_toolgate_left_running_is_ended_by_the_next() -> anyhow::Result<()> {
    let data = testkit::toolgate::folder()?;
    let script = Script { ignore_close: true, grandchild: true, ..Script::default() };
    let setup = toolgate()?.policy(&open())?.data(data.path());
    let (words, record) = recording(&setup, &script)?;
    let mut toolgate_one = setup.program(words).serve()?;
    assert!(toolgate_one.legacy()?.call("echo", json!({}))?.is_done());
    let pids = pids(&record);
    assert_eq!(pids.len(), 2);
    toolgate_one.kill()?;
    assert!(pids.iter().all(|pid| is_alive(*pid)), "nobody is left to end them");

    let again = toolgate()?.policy(&open())?.upstream("http://127.0.0.1:1/mcp").data(data.path()).serve()?;
    for pid in pids {
        wait::for_it("the orphan's end", || !is_alive(pid))?;
    }
    drop(again);
    Ok(())
}

/// The processes that a recording server has written down.
pub(crate) fn pids(record: &std::path::Path) -> Vec<u32> {
    let pid = |event| match event {
        Event::Started { pid, .. } | Event::Grandchild { pid } => Some(pid),
        _ => None,
    };
    tee::events(record).into_iter().filter_map(pid).collect()
}

#[test]
fn a_torn_last_record_is_a_crash_and_an_edit_is_tampering() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    let mut toolgate = toolgate()?.policy(&open())?.upstream(&upstream.url()).serve()?;
    let client = toolgate.legacy()?;
    for _ in 0..5 {
        assert!(client.call("echo", json!({}))?.is_done());
    }
    toolgate.kill()?;
    let setup = &toolgate.setup;
    let verify = || -> anyhow::Result<(Option<i32>, Value)> {
        let output = setup.ask(&["audit", "verify", "--json"])?;
        Ok((output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default()))
    };
    assert_eq!(verify()?.0, Some(0));
    let mut files: Vec<_> = walk(&setup.data_folder().join("audit"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    files.sort();
    let file = files.pop().unwrap_or_default();
    let whole = std::fs::read(&file)?;
    std::fs::write(&file, whole.get(..whole.len() - 7).unwrap_or_default())?;
    let (status, report) = verify()?;
    assert_eq!(status, Some(0), "{report}");
    let edited = String::from_utf8_lossy(&whole).replacen("\"echo\"", "\"ECHO\"", 1);
    std::fs::write(&file, edited)?;
    let (status, report) = verify()?;
    assert_eq!(status, Some(1), "{report}");
    Ok(())
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_full_disk_denies_and_tells() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::default())?;
    // The file of the counts fits; the log runs into the limit, with records made long by the names
    // of their arguments.
    let setup = toolgate()?.policy(&allow(&["read_file"]))?.upstream(&upstream.url()).most_blocks(17_000);
    let toolgate = setup.serve()?;
    let client = toolgate.legacy()?;
    let keys: serde_json::Map<String, Value> = (0..64).map(|n| (format!("{n:0>250}"), json!(1))).collect();
    let arguments = Value::Object(keys);
    let mut done = 0;
    let refused = loop {
        let outcome = client.call("read_file", arguments.clone())?;
        if !outcome.is_done() {
            break outcome;
        }
        done += 1;
        assert!(done < 5_000, "the log never filled");
    };
    let text = format!("{refused:?}");
    assert!(text.contains("cannot be recorded") && text.contains("free space"), "{text}");
    assert!(!client.call("read_file", arguments)?.is_done());
    assert_eq!(upstream.called().len(), done, "what could not be recorded was not forwarded");
    let verified = toolgate.setup.ask(&["audit", "verify"])?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    Ok(())
}
