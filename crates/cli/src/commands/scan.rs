//! `toolgate scan`: what the tools of a server, or of every server of a client, can do.
//!
//! Servers are asked for their lists and for nothing else. Everything that they say is untrusted:
//! it is read as data, and written in visible characters only.

pub mod bounds;
mod changes;
pub mod client_config;
mod connect;
pub mod consent;
pub mod file;
pub mod json;
mod kept;
pub mod layout;
mod markdown;
pub mod recommended;
pub mod report;
pub mod sarif;
pub mod source;
pub mod table;
pub mod tools;

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway::server::Server;
use jiff::Timestamp;
use risk::findings::Level;
use risk::recommend::Bounds;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use upstream::http::Client;

pub use self::connect::PATIENCE;
use self::connect::{Listed, Running};
use self::kept::Shelf;
pub use self::report::category;
use self::report::{Failed, Report, Scanned, judge};
use self::source::{Get, Source, Target};
use crate::args::ScanOptions;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::output::{self, tell};
use crate::stop::{Hold, Stop};
use crate::terminal::Look;

/// Servers that are asked at once.
const AT_ONCE: usize = 8;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// Scans, and prints what was found.
pub fn scan(options: &ScanOptions) -> Result<ExitCode, Failure> {
    if options.policy.is_none() && !options.bounds.is_empty() {
        let why = "--domain, --root, --host and --cap are for the rules of a policy: add --policy TEMPER";
        return Err(Failure::Usage(why.to_owned()));
    }
    let bounds = bounds::bounds(&options.bounds)?;
    let targets = source::targets(options)?;
    let (mut servers, failed) = ask(targets, PATIENCE)?;
    if let ([], [only]) = (servers.as_slice(), failed.as_slice())
        && options.config.is_none()
    {
        return Err(Failure::Usage(only.why.clone()));
    }
    compare_and_keep(options, &mut servers);
    let report = Report::new(servers, failed);
    print(options, &bounds, &report)?;
    if !report.failed.is_empty() {
        // The table has said it already.
        let table = options.policy.is_none() && !options.json && !options.sarif && !options.markdown;
        for failed in report.failed.iter().filter(|_| !table) {
            tell!("toolgate: {}: {}", audit::visible::word(&failed.name), failed.why);
        }
        let number = crate::commands::counted(report.failed.len(), "server");
        return Err(Failure::Usage(format!("the tools of {number} could not be listed")));
    }
    Ok(ExitCode::from(u8::from(report.count(Level::Error) > 0)))
}

/// A server's tools, or why it does not list them.
pub type Tools = Result<Vec<tools::Tool>, String>;

/// The tools of servers as they list them now, by the servers' ids.
///
/// # Errors
/// When no server can be asked at all.
pub fn list(servers: impl IntoIterator<Item = Arc<Server>>) -> Result<Vec<(String, Tools)>, Failure> {
    let target = |server: Arc<Server>| Target {
        name: server.id().to_owned(),
        source: Source::of(&server),
        way: Ok(Get::Ask(server)),
    };
    let (listed, failed) = ask(servers.into_iter().map(target).collect(), PATIENCE)?;
    let listed = listed
        .into_iter()
        .map(|scanned| (scanned.name, Ok(scanned.tools.into_iter().map(|judged| judged.tool).collect())));
    Ok(listed.chain(failed.into_iter().map(|failed| (failed.name, Err(failed.why)))).collect())
}

/// Gets every list, several at once; each server may take so long.
///
/// # Errors
/// When none can be asked, or somebody ends this.
pub fn ask(targets: Vec<Target>, patience: Duration) -> Result<(Vec<Scanned>, Vec<Failed>), Failure> {
    let (servers, failed, stopped) = ask_until_stopped(targets, patience)?;
    match stopped {
        Some(stop) => Err(Failure::Stopped(stop, "no list was made".to_owned())),
        None => Ok((servers, failed)),
    }
}

/// [`ask`], with what there was by the time when somebody ended this.
///
/// # Errors
/// When none can be asked.
pub fn ask_until_stopped(targets: Vec<Target>, patience: Duration) -> Result<Asked, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the runtime")?;
    let running = Running::default();
    let mut hold = Hold::new()?;
    let outcome = runtime.block_on(async {
        let client = Client::new(CONNECT).trying("the HTTP client")?;
        let mut asking = Asking::of(targets, client, &running, patience);
        tokio::select! {
            biased;
            _ = hold.wait() => asking.those_that_ended().await,
            () = asking.all() => {}
        }
        // Nothing that a scan has started outlives it.
        running.stop().await;
        Ok((asking.servers, asking.failed, hold.told()))
    });
    runtime.shutdown_background();
    outcome
}

/// The lists, those that gave none, and whether somebody ended it before all had answered.
type Asked = (Vec<Scanned>, Vec<Failed>, Option<Stop>);

/// What a server answers.
type Answer = Result<(Vec<tools::Tool>, usize, Option<mcp::revision::Revision>, Option<String>), String>;

/// Servers that are asked, and what came of it so far.
struct Asking {
    open: VecDeque<(String, Source, JoinHandle<Answer>)>,
    servers: Vec<Scanned>,
    failed: Vec<Failed>,
}

impl Asking {
    fn of(targets: Vec<Target>, client: Client, running: &Running, patience: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let asked = targets.into_iter().map(|Target { name, source, way }| {
            let (permits, client, running) = (Arc::clone(&permits), client.clone(), running.clone());
            let task = tokio::spawn(async move {
                let _permit = permits.acquire().await;
                match way? {
                    Get::Have(tools, unreadable) => Ok((tools, unreadable, None, None)),
                    Get::Ask(server) => connect::list(server, client, running, patience).await.map(
                        |Listed { tools, unreadable, revision, server }| (tools, unreadable, Some(revision), server),
                    ),
                }
            });
            (name, source, task)
        });
        Self { open: asked.collect(), servers: Vec::new(), failed: Vec::new() }
    }

    /// Waits for all of them.
    async fn all(&mut self) {
        let progress = Progress::of(self.open.len());
        let mut number = 0;
        while let Some((_, _, task)) = self.open.front_mut() {
            progress.at(number);
            number += 1;
            let answer = task.await.unwrap_or_else(|error| Err(error.to_string()));
            self.ended(answer);
        }
    }

    /// Takes what has come, and leaves the rest.
    async fn those_that_ended(&mut self) {
        for _ in 0..self.open.len() {
            match self.open.front_mut() {
                Some((_, _, task)) if task.is_finished() => {
                    let answer = task.await.unwrap_or_else(|error| Err(error.to_string()));
                    self.ended(answer);
                }
                _ => self.open.rotate_left(1),
            }
        }
        self.open.iter().for_each(|(_, _, task)| task.abort());
    }

    /// Takes the answer of the first that is open.
    fn ended(&mut self, answer: Answer) {
        let Some((name, source, _)) = self.open.pop_front() else { return };
        match answer {
            Ok((tools, unreadable, revision, server)) => {
                let tools = judge(tools);
                self.servers.push(Scanned { name, source, revision, server, tools, unreadable, changes: None });
            }
            Err(why) => self.failed.push(Failed { name, source, why }),
        }
    }
}

/// A line on stderr that says how far the work is, where a person looks at it.
struct Progress {
    of: usize,
    shown: bool,
}

impl Progress {
    fn of(of: usize) -> Self {
        Self { of, shown: std::io::stderr().is_terminal() }
    }

    fn at(&self, number: usize) {
        if self.shown {
            output::prompt(&format!("\r\x1b[Kasking for tools: {} of {} …", number + 1, self.of));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            output::prompt("\r\x1b[K");
        }
    }
}

/// Compares with the last scan of each source, and keeps this one in its place.
fn compare_and_keep(options: &ScanOptions, servers: &mut [Scanned]) {
    let now = Timestamp::now();
    // A place to keep scans in is convenient, not needed: whoever has none is told once.
    let shelf = data_dir(options.data.dir.as_deref()).map_err(|failure| failure.to_string()).and_then(|data| {
        match options.no_save && !data.is_dir() {
            // What would have to be made for looking only is not there.
            true => Ok(None),
            false => Shelf::open(&data).map(Some),
        }
    });
    let mut trouble = None;
    match shelf {
        Ok(None) => {}
        Err(why) => trouble = Some(why),
        Ok(Some(shelf)) => {
            for server in servers {
                let kept = server.kept(now);
                let last = shelf.last(&server.source.digest);
                server.changes = last.map(|last| changes::compare(&last, &kept));
                if !options.no_save
                    && let Err(why) = shelf.keep(&server.source.digest, &kept)
                {
                    trouble.get_or_insert(why);
                }
            }
        }
    }
    if let Some(why) = trouble {
        tell!("toolgate: this scan is not kept, so the next cannot say what has changed: {why}");
    }
}

fn print(options: &ScanOptions, bounds: &Bounds, report: &Report) -> Result<(), Failure> {
    let text = if let Some(temper) = options.policy {
        recommended::policy(bounds, report, temper)?
    } else if options.json {
        json::printed(&json::document(report)).trying("the report")? + "\n"
    } else if options.sarif {
        let current = std::env::current_dir().unwrap_or_default();
        let current = current.canonicalize().unwrap_or(current);
        json::printed(&sarif::document(report, &current)).trying("the report")? + "\n"
    } else if options.markdown {
        markdown::document(report)
    } else {
        table::table(report, Look::of_output())
    };
    output::text(&text)
}
