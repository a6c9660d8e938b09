//! PostgreSQL stopped, frozen, slow, read-only and without room, before a replica starts and while it serves: calls go on
//! until the lease ends, then nothing is forwarded, agents are told why, and it goes on by itself. (It is never flushed:
//! what somebody deletes is a change like any other.)

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::client::McpHttp;
use testkit::postgres::Postgres;
use testkit::script::{Script, Tool};
use testkit::slow::Slow;
use testkit::toolgate::Setup;
use testkit::upstream::Upstream;

use crate::desk::{Desk, endpoint, instance};
use crate::replicas::KEYS;
use crate::troubles::{free, goes_on, loses_its_lease, waits};

#[derive(Clone, Copy, Debug)]
enum Fault {
    Stopped,
    Frozen,
    Slow,
    ReadOnly,
    Full,
}

impl Fault {
    fn begin(self, postgres: &mut Postgres, way: &Slow) -> anyhow::Result<()> {
        match self {
            Self::Stopped => postgres.stop(),
            Self::Frozen => postgres.freeze(),
            Self::Slow => {
                way.delay(Duration::from_secs(2));
                Ok(())
            }
            Self::ReadOnly => postgres.read_only(true),
            Self::Full => postgres.out_of_space(true),
        }
    }

    fn end(self, postgres: &mut Postgres, way: &Slow) -> anyhow::Result<()> {
        match self {
            Self::Stopped => postgres.restart(),
            Self::Frozen => postgres.thaw(),
            Self::Slow => {
                way.delay(Duration::ZERO);
                Ok(())
            }
            Self::ReadOnly => postgres.read_only(false),
            Self::Full => postgres.out_of_space(false),
        }
    }
}

fn replica(folder: &Path, database: &str) -> anyhow::Result<Setup> {
    let setup = instance(&folder.join("one"))?.variable("TOOLGATE_DATABASE", database).variable("TOOLGATE_KEYS", KEYS);
    Ok(setup.options(["--limits-per-replica", "--lease", "1"]))
}

fn while_running(fault: Fault) -> anyhow::Result<()> {
    let (mut postgres, upstream) = (Postgres::start()?, Upstream::start(Script::with([Tool::named("read")]))?);
    let (folder, (database, way)) = (testkit::toolgate::folder()?, postgres.database_behind()?);
    let toolgate = replica(folder.path(), &database)?.serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let grant = desk.grant("files", &upstream.url())?;
    let agent = McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&grant.token))?;
    goes_on(&toolgate, &agent)?;

    fault.begin(&mut postgres, &way)?;
    loses_its_lease(&toolgate, &agent, &upstream)?;
    let (status, problem) = desk.ask("POST", "agents", &json!({ "name": "late" }))?;
    assert_eq!(status, 503, "{problem}\n{}", toolgate.stderr());

    fault.end(&mut postgres, &way)?;
    goes_on(&toolgate, &agent)?;
    desk.done("POST", "agents", &json!({ "name": "later" }))?;
    Ok(())
}

fn at_the_start(fault: Fault) -> anyhow::Result<()> {
    let (mut postgres, upstream) = (Postgres::start()?, Upstream::start(Script::with([Tool::named("read")]))?);
    let (folder, (database, way)) = (testkit::toolgate::folder()?, postgres.database_behind()?);
    let mut before = replica(folder.path(), &database)?.serve()?;
    let token = Desk::set_up(&before)?.grant("files", &upstream.url())?.token;
    before.stop()?;

    fault.begin(&mut postgres, &way)?;
    let listen = free()?;
    let mut toolgate = replica(folder.path(), &database)?.listen(listen).begin()?;
    waits(&toolgate, listen, &token, &upstream, "its control plane's database")?;

    fault.end(&mut postgres, &way)?;
    toolgate.listens()?;
    goes_on(&toolgate, &McpHttp::legacy(&endpoint(&toolgate, "files"), Some(&token))?)
}

macro_rules! faults {
    ($($name:ident: $fault:ident,)*) => {
        mod running {
            $(#[test] fn $name() -> anyhow::Result<()> { super::while_running(super::Fault::$fault) })*
        }
        mod starting {
            $(#[test] fn $name() -> anyhow::Result<()> { super::at_the_start(super::Fault::$fault) })*
        }
    };
}

faults! {
    stopped: Stopped,
    frozen: Frozen,
    slow: Slow,
    read_only: ReadOnly,
    full: Full,
}
