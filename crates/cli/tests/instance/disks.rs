//! The files of an instance, its tables in SQLite and its audit log, on a disk that freezes, takes two seconds for
//! everything, may not be written or has no room, before it starts and while it serves. (A file has no server that could be
//! stopped, and nobody flushes it.)

use std::path::{Path, PathBuf};

use anyhow::ensure;
use serde_json::json;
use testkit::client::McpHttp;
use testkit::disk::{Trouble, Troubled, cured, from_the_start, no_names};
use testkit::script::{Script, Tool};
use testkit::toolgate::{Setup, Toolgate};
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};

use crate::desk::{Desk, Minted, endpoint, instance};
use crate::troubles::{denies, free, goes_on, loses_its_lease, waits};

fn setup(data: &Path) -> anyhow::Result<Setup> {
    Ok(instance(data)?.options(["--lease", "1"]))
}

fn upstream() -> anyhow::Result<Upstream> {
    Upstream::start(Script::with([Tool::named("read")]))
}

fn served(setup: Setup, upstream: &Upstream) -> anyhow::Result<(Toolgate, Desk, Minted, McpHttp)> {
    let toolgate = setup.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    goes_on(&toolgate, &agent)?;
    Ok((toolgate, desk, grant, agent))
}

fn tables(data: &Path) -> Vec<PathBuf> {
    ["control.db", "control.db-wal"].map(|name| data.join(name)).into()
}

/// The segments that are there.
fn segments(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for chain in std::fs::read_dir(data.join("audit"))?.flatten().filter(|entry| entry.path().is_dir()) {
        let entries = std::fs::read_dir(chain.path())?.flatten().map(|entry| entry.path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "log")));
    }
    ensure!(!files.is_empty(), "there is no segment");
    Ok(files)
}

/// Whether strace holds a thread of a process.
fn held_up(process: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok()).any(|stat| {
        // The name before the state may hold anything.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('t'))
    })
}

/// Nothing that has reached the server is missing in the log, and the chains are whole.
fn all_recorded(toolgate: &Toolgate, upstream: &Upstream) -> anyhow::Result<()> {
    let decisions = toolgate.setup.decisions()?;
    let allowed = decisions.iter().filter(|decision| decision["effect"] == "allow").count();
    ensure!(allowed >= upstream.called().len(), "{allowed} of {} are recorded", upstream.called().len());
    let verified = toolgate.setup.ask(&["audit", "verify"])?;
    ensure!(verified.status.success(), "{verified:?}");
    Ok(())
}

mod tables_running {
    use super::*;

    fn in_trouble(trouble: Trouble) -> anyhow::Result<()> {
        let (upstream, folder) = (upstream()?, testkit::toolgate::folder()?);
        let data = folder.path().join("data");
        let (toolgate, desk, _, agent) = served(setup(&data)?, &upstream)?;
        let troubled = Troubled::begin(toolgate.pid(), trouble, &tables(&data))?;
        loses_its_lease(&toolgate, &agent, &upstream)?;
        troubled.end()?;
        goes_on(&toolgate, &agent)?;
        desk.done("POST", "agents", &json!({ "name": "later" }))?;
        all_recorded(&toolgate, &upstream)
    }

    #[test]
    fn frozen() -> anyhow::Result<()> {
        in_trouble(Trouble::Frozen)
    }

    #[test]
    fn slow() -> anyhow::Result<()> {
        in_trouble(Trouble::Slow)
    }

    #[test]
    fn read_only() -> anyhow::Result<()> {
        in_trouble(Trouble::ReadOnly)
    }

    #[test]
    fn full() -> anyhow::Result<()> {
        in_trouble(Trouble::Full)
    }
}

mod log_running {
    use super::*;

    fn in_trouble(trouble: Trouble, durability: &str, why: &str) -> anyhow::Result<()> {
        let (upstream, folder) = (upstream()?, testkit::toolgate::folder()?);
        let data = folder.path().join("data");
        let (toolgate, _, _, agent) = served(instance(&data)?.options(["--durability", durability]), &upstream)?;
        let troubled = Troubled::begin(toolgate.pid(), trouble, &segments(&data)?)?;
        denies(&agent, &upstream, why)?;
        troubled.end()?;
        goes_on(&toolgate, &agent)?;
        all_recorded(&toolgate, &upstream)
    }

    #[test]
    fn read_only() -> anyhow::Result<()> {
        in_trouble(Trouble::ReadOnly, "buffered", "audit log cannot be written")
    }

    #[test]
    fn full() -> anyhow::Result<()> {
        in_trouble(Trouble::Full, "buffered", "free space")
    }

    #[test]
    fn read_only_where_each_record_is_awaited() -> anyhow::Result<()> {
        in_trouble(Trouble::ReadOnly, "strict", "audit log cannot be written")
    }

    #[test]
    fn full_where_each_record_is_awaited() -> anyhow::Result<()> {
        in_trouble(Trouble::Full, "strict", "free space")
    }

    #[test]
    fn frozen_where_each_record_is_awaited() -> anyhow::Result<()> {
        in_trouble(Trouble::Frozen, "strict", "does not answer")
    }

    #[test]
    fn slow_where_each_record_is_awaited() -> anyhow::Result<()> {
        in_trouble(Trouble::Slow, "strict", "does not answer")
    }

    /// Buffered, a record that takes its time is waited for, however long: nothing is forwarded before it is there.
    #[test]
    fn frozen_and_slow() -> anyhow::Result<()> {
        let (upstream, folder) = (upstream()?, testkit::toolgate::folder()?);
        let data = folder.path().join("data");
        let (toolgate, _, _, agent) = served(instance(&data)?, &upstream)?;
        let slow = Troubled::begin(toolgate.pid(), Trouble::Slow, &segments(&data)?)?;
        assert!(agent.call("read", json!({}))?.is_done());
        slow.end()?;
        let frozen = Troubled::begin(toolgate.pid(), Trouble::Frozen, &segments(&data)?)?;
        let before = upstream.called().len();
        let call = testkit::message::call(77, "read", json!({}));
        let waiting = agent.open(&call)?;
        // What the call waits for is held up by the disk.
        wait::for_it("a thread that waits for the disk", || held_up(toolgate.pid()))?;
        assert_eq!(upstream.called().len(), before);
        frozen.end()?;
        assert_eq!(waiting.answer(PATIENCE)?.status(), 200);
        goes_on(&toolgate, &agent)?;
        all_recorded(&toolgate, &upstream)
    }
}

mod starting {
    use super::*;

    fn in_trouble(what: &str, words: impl FnOnce(&Path) -> anyhow::Result<Vec<String>>) -> anyhow::Result<()> {
        let (upstream, folder) = (upstream()?, testkit::toolgate::folder()?);
        let data = folder.path().join("data");
        let (mut before, _, grant, _) = served(setup(&data)?, &upstream)?;
        before.stop()?;
        let listen = free()?;
        let mut toolgate = setup(&data)?.under(words(&data)?).listen(listen).begin()?;
        waits(&toolgate, listen, &grant.token, &upstream, what)?;
        toolgate.wait_stderr("nothing is forwarded until it is there")?;
        cured(toolgate.pid())?;
        toolgate.listens()?;
        goes_on(&toolgate, &McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?)?;
        all_recorded(&toolgate, &upstream)
    }

    fn of_tables(trouble: Trouble) -> anyhow::Result<()> {
        in_trouble("its control plane's database", |data| Ok(from_the_start(trouble, &tables(data))))
    }

    #[test]
    fn tables_frozen() -> anyhow::Result<()> {
        of_tables(Trouble::Frozen)
    }

    #[test]
    fn tables_slow() -> anyhow::Result<()> {
        of_tables(Trouble::Slow)
    }

    #[test]
    fn tables_read_only() -> anyhow::Result<()> {
        of_tables(Trouble::ReadOnly)
    }

    #[test]
    fn tables_full() -> anyhow::Result<()> {
        of_tables(Trouble::Full)
    }

    /// A process begins with what the one before has left: it reads that.
    #[test]
    fn log_frozen() -> anyhow::Result<()> {
        in_trouble("its data directory", |data| Ok(from_the_start(Trouble::Frozen, &segments(data)?)))
    }

    #[test]
    fn log_slow() -> anyhow::Result<()> {
        in_trouble("its data directory", |data| Ok(from_the_start(Trouble::Slow, &segments(data)?)))
    }

    #[test]
    fn log_read_only() -> anyhow::Result<()> {
        in_trouble("its data directory", |_| Ok(no_names(Trouble::ReadOnly)))
    }

    #[test]
    fn log_full() -> anyhow::Result<()> {
        in_trouble("its data directory", |_| Ok(no_names(Trouble::Full)))
    }
}
