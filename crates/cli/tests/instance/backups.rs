//! Backups and master keys: what is kept elsewhere, and what changes while the instance serves.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::Signal;
use testkit::upstream::Upstream;

use crate::desk::{Desk, EXE, SECRET, endpoint, instance};
use crate::replicas::POSTGRES;

fn toolgate(words: &[&str], data: &Path, database: Option<&str>) -> anyhow::Result<Output> {
    let mut command = Command::new(EXE);
    command.args(words).arg("--data").arg(data);
    if let Some(url) = database {
        command.env("TOOLGATE_DATABASE", url);
    }
    Ok(command.output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_backup_of_one_engine_serves_from_the_other() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    let mut first = instance(&data)?.serve()?;
    let desk = Desk::set_up(&first)?;
    let grant = desk.grant("files", &upstream.url())?;
    let file = folder.path().join("backup");
    let name = file.to_string_lossy().into_owned();
    // While it serves.
    let made = toolgate(&["backup", &name], &data, None)?;
    assert!(made.status.success(), "{}", said(&made));
    let again = toolgate(&["backup", &name], &data, None)?;
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    first.stop()?;

    let (database, elsewhere) = (POSTGRES.database()?, folder.path().join("elsewhere"));
    let other = folder.path().join("other");
    instance(&other)?.serve()?.stop()?;
    let wrong = other.join("keys/master");
    let refused = toolgate(&["restore", &name, "--keys", &wrong.to_string_lossy()], &elsewhere, Some(&database))?;
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("Nothing was changed"), "{}", said(&refused));

    let keys = data.join("keys/master").to_string_lossy().into_owned();
    let restored = toolgate(&["restore", &name, "--keys", &keys], &elsewhere, Some(&database))?;
    assert!(restored.status.success(), "{}", said(&restored));
    let twice = toolgate(&["restore", &name, "--keys", &keys], &elsewhere, Some(&database))?;
    assert!(!twice.status.success() && said(&twice).contains("already"), "{}", said(&twice));

    let second = instance(&elsewhere)?
        .variable("TOOLGATE_DATABASE", &database)
        .options(["--keys", &keys, "--limits-per-replica"])
        .serve()?;
    let agent = McpHttp::legacy(&endpoint(&second, "files"), Some(&grant.token))?;
    let outcome = agent.call("read", json!({}))?;
    assert!(outcome.is_done(), "{outcome:?}");
    Desk::at(&second)?;
    Ok(())
}

#[test]
fn a_master_key_is_rotated_while_calls_go_on() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    let mut toolgate = instance(&data)?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    let file = data.join("keys/master").to_string_lossy().into_owned();
    let keys = |words: &[&str]| -> anyhow::Result<String> {
        let done = Command::new(EXE).arg("keys").args(words).output()?;
        assert!(done.status.success(), "{}", said(&done));
        Ok(String::from_utf8(done.stdout)?)
    };
    let id = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let read_again = |times: usize| -> anyhow::Result<()> {
        toolgate.signal(Signal::HUP)?;
        let text = "the master keys were read again";
        testkit::wait::for_it(text, || toolgate.stderr().matches(text).count() == times)
    };
    let before = id(&keys(&["list", &file])?);
    let alone = std::fs::read(&file)?;
    let added = keys(&["add", &file])?;
    let fresh = id(added.lines().last().unwrap_or_default());
    read_again(1)?;
    keys(&["promote", &file, &fresh])?;
    read_again(2)?;
    assert!(agent.call("read", json!({}))?.is_done());
    let held = desk.done("GET", "keys", &Value::Null)?;
    assert_eq!(held["ring"], json!([fresh, before]), "{held}");
    // What is sealed under the new key needs it: a ring without it is not taken.
    let reach = json!({ "kind": "http", "url": upstream.url(), "headers": { "X-Key": SECRET } });
    desk.done("POST", "servers", &json!({ "name": "more", "reach": reach }))?;
    let both = std::fs::read(&file)?;
    std::fs::write(&file, &alone)?;
    toolgate.signal(Signal::HUP)?;
    toolgate.wait_stderr("the master keys stay as they were: the stored secrets are sealed under the key")?;
    std::fs::write(&file, &both)?;
    let sealed = desk.done("POST", "keys/rewrap", &json!({ "reason": "a new key" }))?;
    assert!(sealed["secrets"].as_u64().is_some_and(|count| count >= 3), "{sealed}");
    let held = desk.done("GET", "keys", &Value::Null)?;
    assert_eq!(
        held["sealed"].as_object().map(|keys| keys.keys().cloned().collect::<Vec<_>>()),
        Some(vec![fresh.clone()])
    );
    keys(&["retire", &file, &before])?;
    read_again(3)?;
    assert!(agent.call("read", json!({}))?.is_done());
    toolgate.stop()?;
    let again = instance(&data)?.serve()?;
    let agent = McpHttp::legacy(&endpoint(&again, "files"), Some(&grant.token))?;
    assert!(agent.call("read", json!({}))?.is_done());
    // A ring that does not open what is stored is not taken.
    std::fs::remove_file(&file)?;
    keys(&["new", &file])?;
    again.signal(Signal::HUP)?;
    again.wait_stderr("the master keys stay as they were")?;
    assert!(agent.call("read", json!({}))?.is_done());
    Ok(())
}
