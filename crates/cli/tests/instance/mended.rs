//! What an operator mends while an instance serves: until then it says what is wrong, to whom it concerns.

use serde_json::{Value, json};
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::{Setup, Signal};
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{Desk, SECRET, endpoint, instance};
use crate::replicas::{KEYS, POSTGRES};

fn replica(folder: &std::path::Path, name: &str, database: &str) -> anyhow::Result<Setup> {
    let setup = instance(&folder.join(name))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    Ok(setup.options(["--replica", name, "--limits-per-replica"]))
}

/// With other keys everything is read again, also what has not changed: what did not open may now.
#[test]
fn agents_of_a_server_whose_secret_does_not_open_are_told_so_until_it_does() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let (folder, database) = (testkit::toolgate::folder()?, POSTGRES.database()?);
    let one = replica(folder.path(), "one", &database)?.serve()?;
    let grant = Desk::set_up(&one)?.grant("files", &upstream.url())?;
    let sealed = POSTGRES.run(&database, "SELECT sealed FROM secret")?;
    let put = |sealed: &str| POSTGRES.run(&database, &format!("UPDATE secret SET sealed = '{sealed}'"));
    let (begin, last) = sealed.split_at(sealed.len() - 1);
    // One character of the text under the seal.
    let (begin, other) = begin.split_at(begin.len() - 9);
    let turned: String = other.chars().map(|one| if one == 'A' { 'B' } else { 'A' }).collect();
    put(&format!("{begin}{turned}{last}"))?;

    let two = replica(folder.path(), "two", &database)?.serve()?;
    two.wait_stderr("server files cannot be reached")?;
    assert!(!two.stderr().contains(SECRET));
    let agent = McpHttp::new(&endpoint(&two, "files"), Some(&grant.token))?;
    let answer = agent.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))?;
    assert_eq!(answer.status(), 503, "{}", answer.text());
    assert!(answer.text().contains("cannot reach files: its operator has been told why"), "{}", answer.text());
    let stranger = McpHttp::new(&endpoint(&two, "files"), Some("tg_nobody"))?;
    assert_eq!(stranger.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))?.status(), 401);
    assert!(upstream.called().is_empty());

    put(&sealed)?;
    two.signal(Signal::HUP)?;
    let again = || {
        let agent = McpHttp::legacy(&endpoint(&two, "files"), Some(&grant.token)).ok()?;
        agent.call("read", json!({})).ok().filter(|outcome| outcome.is_done())
    };
    wait::until("a call that is forwarded", wait::PATIENCE, again)?;
    Ok(())
}

#[test]
fn the_cause_of_what_the_api_cannot_do_is_told_to_its_operator_alone() -> anyhow::Result<()> {
    let (folder, database) = (testkit::toolgate::folder()?, POSTGRES.database()?);
    let toolgate = replica(folder.path(), "one", &database)?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    POSTGRES.run(&database, "ALTER TABLE agent RENAME TO mislaid")?;
    let (status, problem) = desk.ask("GET", "agents", &Value::Null)?;
    assert_eq!(status, 500, "{problem}");
    assert!(problem.to_string().contains("finds the reason in its log"), "{problem}");
    assert!(!problem.to_string().contains("relation"), "{problem}");
    toolgate.wait_stderr("GET /api/v1/agents was not done: ")?;
    assert!(toolgate.stderr().contains("relation \"agent\" does not exist"), "{}", toolgate.stderr());
    POSTGRES.run(&database, "ALTER TABLE mislaid RENAME TO agent")?;
    desk.done("GET", "agents", &Value::Null)?;
    Ok(())
}
