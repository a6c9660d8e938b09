//! Replicas of one instance, over PostgreSQL.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::json;
use testkit::client::McpHttp;
use testkit::postgres::Postgres;
use testkit::script::{Script, Tool};
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;
use testkit::wait;

use crate::desk::{Desk, endpoint, instance};

pub(crate) static POSTGRES: LazyLock<Postgres> =
    LazyLock::new(|| Postgres::start().unwrap_or_else(|error| panic!("{error:#}")));

/// A ring of one key, for tests alone.
pub(crate) const KEYS: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn replica(folder: &Path, name: &str, database: &str) -> anyhow::Result<Setup> {
    let setup = instance(&folder.join(name))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    Ok(setup.options(["--replica", name, "--limits-per-replica"]))
}

#[test]
fn what_one_replica_answers_holds_on_the_other() -> anyhow::Result<()> {
    let upstream = Upstream::start(Script::with([Tool::named("read")]))?;
    let (folder, database) = (testkit::toolgate::folder()?, POSTGRES.database()?);
    let one = replica(folder.path(), "one", &database)?.serve()?;
    let two = replica(folder.path(), "two", &database)?.serve()?;
    let desk = Desk::set_up(&two)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agents = [&one, &two].map(|replica| McpHttp::legacy(&endpoint(replica, "files"), Some(&grant.token)));
    let [first, second] = agents;
    let (first, second) = (first?, second?);
    for agent in [&first, &second] {
        let outcome = agent.call("read", json!({}))?;
        assert!(outcome.is_done(), "{outcome:?}");
    }
    // A session that one replica began is known to the other.
    let replicas = desk.done("GET", "replicas", &json!(null))?;
    assert_eq!(replicas["items"].as_array().map(Vec::len), Some(2), "{replicas}");

    desk.done("DELETE", &format!("grants/{}?reason=leaked", grant.id), &json!(null))?;
    for agent in [&first, &second] {
        let call =
            json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": { "name": "read", "arguments": {} } });
        assert_eq!(agent.post_message(&call)?.status(), 401);
    }
    assert_eq!(upstream.called().len(), 2);
    Ok(())
}

#[test]
fn a_database_that_is_away_at_the_start_is_waited_for() -> anyhow::Result<()> {
    let postgres = Postgres::start()?;
    let (folder, database) = (testkit::toolgate::folder()?, postgres.database()?);
    postgres.freeze()?;
    let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let setup = replica(folder.path(), "one", &database)?.listen(listen);
    let starting = std::thread::spawn(move || setup.serve());
    let asked = || {
        let agent = McpHttp::new(&format!("http://{listen}/mcp/files/"), Some("tg_somebody")).ok()?;
        let answer = agent.post_message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).ok()?;
        Some((answer.status(), answer.text()))
    };
    let (status, text) = wait::until("an answer", wait::PATIENCE, asked)?;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("waits for its control plane's database"), "{text}");
    postgres.thaw()?;
    let replica = starting.join().map_err(|_| anyhow::anyhow!("the thread panicked"))??;
    Desk::set_up(&replica)?;
    Ok(())
}
