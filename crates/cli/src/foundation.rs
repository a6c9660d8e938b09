//! The ground under `run` and `serve`: data directory, counts, log, orphans of an earlier run.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit::{Event, SigningKey, Start};
use gateway::counting::Counting;
use gateway::gateway::{Foundation, Gateway, Grants};
use gateway::lease::Lease;
use store::DataDir;
use store::counts::Ledger;
use store::log::{AuditLog, Durability, Options, Signer};
use store::processes::Processes;
use tokio::runtime::Handle;

use crate::environment::data_dir;
use crate::failure::{Failure, Keeping, Trying};
use crate::output::tell;
use crate::retention;

/// What a gateway begins with.
pub struct Beginning {
    /// The command that begins it.
    pub command: &'static str,
    /// When a record counts as written.
    pub durability: Durability,
    /// The grants that it honours at first.
    pub grants: Grants,
    /// The lease under which it forwards.
    pub lease: Lease,
    /// The key of session ids; else the data directory's own.
    pub session_key: Option<[u8; 32]>,
    /// Where limits are counted; else in a file of the data directory.
    pub counting: Option<Counting>,
    /// The key that signs the audit log; else the data directory's own.
    pub signing_key: Option<Arc<SigningKey>>,
    /// For how long the audit log is kept; else for good, or as whoever ships it says.
    pub keep: Option<Duration>,
}

impl Beginning {
    /// Of a gateway whose grants are known from the start, and that follows nobody.
    pub fn alone(command: &'static str, durability: Durability, grants: Grants, keep: Option<Duration>) -> Self {
        let (session_key, counting, signing_key) = (None, None, None);
        Self { command, durability, grants, lease: Lease::unlimited(), session_key, counting, signing_key, keep }
    }
}

/// Opens the data directory and builds a gateway on it.
///
/// # Errors
/// When the directory cannot be used, or belongs to a newer version; [`Failure::Away`] when it cannot be written now.
pub fn lay(dir: Option<&Path>, beginning: Beginning, background: &Handle) -> Result<Arc<Gateway>, Failure> {
    let Beginning { command, durability, grants, lease, session_key, counting, signing_key, keep } = beginning;
    let path = data_dir(dir)?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", path.display()))?;
    let processes = Processes::register(&data).keeping("the register of processes")?;
    let ended = processes.end_orphans();
    if ended > 0 {
        tell!("toolgate: ended {ended} server processes that an earlier run had left behind");
    }
    let counting = match counting {
        Some(counting) => counting,
        None => counted_here(&data)?,
    };
    let signing_key = match signing_key {
        Some(key) => {
            store::keys::show_public(&data, &key.public()).keeping("the public key of the audit log")?;
            key
        }
        None => {
            let (key, made) = store::keys::signing_key(&data).keeping("the key of the audit log")?;
            if made && command == "serve" {
                tell!("audit-key {}", key.public().fingerprint());
            }
            Arc::new(key)
        }
    };
    let options = Options { durability, ..Options::default() };
    let signer = Signer::new(Arc::clone(&signing_key));
    let log = AuditLog::signed(&data.audit(), options, signer).keeping("the audit log")?;
    let word = match durability {
        Durability::Buffered => "buffered",
        Durability::Strict => "strict",
    };
    let start = Start { version: env!("CARGO_PKG_VERSION"), command, pid: std::process::id(), durability: word };
    if let Err(down) = log.append(&Event::Start(start)) {
        // Whoever tries again begins another chain.
        log.give_up();
        return Err(Failure::Away(down.to_string()));
    }
    if let Some(keep) = keep {
        background.spawn(retention::keep(data.audit(), keep, signing_key));
    }
    let session_key = match session_key {
        Some(key) => key,
        None => store::keys::session_key(&data).keeping("the key of session ids")?,
    };
    // What a program says may hold what a terminal obeys.
    let child_stderr = Arc::new(|server: &str, line: &str| tell!("[{server}] {}", audit::visible::shown(line)));
    let foundation =
        Foundation { counting, log, session_key, processes, child_stderr, background: background.clone(), lease };
    Gateway::new(foundation, grants).ok_or_else(|| Failure::Usage("the key of session ids cannot be used".to_owned()))
}

/// The counts of the data directory, with what a loss of power took from them.
fn counted_here(data: &DataDir) -> Result<Counting, Failure> {
    let counters = Ledger::open(data).keeping("the counts of limits")?;
    let again = counters.recover(&data.audit()).keeping("the counts of limits")?.unwrap_or(0);
    if again > 0 {
        tell!("toolgate: the machine was restarted; counts of its last second were taken from the audit log again");
    }
    Ok(Counting::Here(Arc::new(counters)))
}
