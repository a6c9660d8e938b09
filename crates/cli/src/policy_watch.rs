//! Policy files: read, checked, shown with their faults, and watched.
//!
//! The watch compares what a file's metadata say several times a second. That sees every kind of
//! edit (in place, by rename, by a swapped link, on a network mount), which notification of the
//! kernel does not.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use audit::PolicyNotice;
use gateway::gateway::Gateway;
use gateway::pins::Pinning;
use gateway::policy_file::{InForce, PolicyCell, Rejected, compile};

use crate::failure::{Failure, Trying};
use crate::output::tell;

/// How often files are looked at: an edit is in force within a second.
const EVERY: Duration = Duration::from_millis(250);

/// Reads a policy and puts it in force, or shows all that is wrong with it.
///
/// # Errors
/// When the file cannot be read or is no policy.
pub fn load(path: &Path) -> Result<Arc<PolicyCell>, Failure> {
    let text = std::fs::read_to_string(path).trying(format!("the policy {}", path.display()))?;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match compile(text.clone()) {
        Ok((in_force, warnings)) => {
            show(&warnings, &path, &text);
            Ok(PolicyCell::new(path, in_force))
        }
        Err(rejected) => {
            show(&rejected.diagnostics, &path, &rejected.text);
            Err(Failure::Usage(format!("{} is not a valid policy", path.display())))
        }
    }
}

/// Prints diagnostics as a compiler does.
pub fn show(diagnostics: &[policy::Diagnostic], path: &Path, text: &str) {
    if !diagnostics.is_empty() {
        let rendering = if std::io::stderr().is_terminal() {
            policy::diagnostic::Rendering::Coloured
        } else {
            policy::diagnostic::Rendering::Plain
        };
        tell!("{}", policy::diagnostic::render(diagnostics, &path.display().to_string(), text, rendering));
    }
}

/// What a file's metadata say of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trace {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

fn trace(path: &Path) -> Option<Trace> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some(Trace { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() })
}

/// A watched policy and the server that it governs, for the record.
struct Watched {
    cell: Arc<PolicyCell>,
    servers: Vec<String>,
    path: PathBuf,
    seen: Option<Trace>,
    /// A broken edit is told of when it has stood for one more look: editors write in steps.
    broken: Option<Trace>,
    told: bool,
}

/// Keeps the policies in force equal to their files, for as long as it is polled.
/// So are the pins of the named servers.
pub async fn watch(
    gateway: Arc<Gateway>,
    cells: Vec<(Arc<PolicyCell>, Vec<String>)>,
    pins: Vec<(String, Arc<Pinning>)>,
) {
    let mut all: Vec<Watched> = cells
        .into_iter()
        .map(|(cell, servers)| {
            let path = cell.path.clone();
            Watched { cell, servers, seen: trace(&path), path, broken: None, told: false }
        })
        .collect();
    let pins: Arc<[(String, Arc<Pinning>)]> = pins.into();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for watched in &mut all {
            watched.look(&gateway);
        }
        for server in changed_pins(&gateway, &pins).await {
            let governing = all.iter().filter(|watched| watched.servers.contains(&server));
            governing.for_each(|watched| watched.cell.touch());
        }
    }
}

/// The servers of which other definitions are accepted now. A lock file may be long: it is read where
/// no call waits.
async fn changed_pins(gateway: &Arc<Gateway>, pins: &Arc<[(String, Arc<Pinning>)]>) -> Vec<String> {
    let (gateway, pins) = (Arc::clone(gateway), Arc::clone(pins));
    let look = move || pins.iter().filter(|(_, pins)| pins.look(&gateway)).map(|(server, _)| server.clone()).collect();
    // A look that panicked has changed nothing; the next one is a quarter of a second away.
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

impl Watched {
    fn look(&mut self, gateway: &Gateway) {
        let now = trace(&self.path);
        if now == self.seen && self.broken.is_none() {
            return;
        }
        let Ok(text) = std::fs::read_to_string(&self.path) else {
            self.reject(gateway, now, "the file cannot be read", None);
            return;
        };
        // Read first, traced before: an edit in between is seen at the next look.
        match compile(text) {
            Ok((in_force, _)) => match self.unbound(&in_force) {
                None => self.accept(gateway, now, in_force),
                Some(why) => self.reject(gateway, now, &why, None),
            },
            Err(rejected) => self.reject(gateway, now, "the file is not a valid policy", Some(&rejected)),
        }
    }

    /// Why a policy cannot take the place of the one in force: its patterns would mean other names than those that they
    /// are asked by.
    fn unbound(&self, next: &InForce) -> Option<String> {
        let spanned = self.cell.now();
        let before = spanned.policy.servers()?;
        if next.policy.servers().is_some() {
            return None;
        }
        let names = before.iter().map(|server| format!("\"{server}\"")).collect::<Vec<_>>().join(", ");
        Some(format!(
            "it names no servers any more, and its patterns are those of several; write \"servers\": [{names}]"
        ))
    }

    fn accept(&mut self, gateway: &Gateway, now: Option<Trace>, in_force: InForce) {
        let digest = Arc::clone(&in_force.digest);
        if self.cell.now().digest != digest {
            for notice in self.notices(Some(&digest), true, None) {
                // What cannot be recorded does not take force.
                if let Err(down) = gateway.record_policy(notice) {
                    if !std::mem::replace(&mut self.told, true) {
                        tell!(
                            "toolgate: the edit of {} is not in force: it cannot be recorded ({down})",
                            self.path.display()
                        );
                    }
                    return;
                }
            }
            self.cell.replace(in_force);
            tell!("toolgate: policy {} is in force, sha256 {digest}", self.path.display());
        } else if self.told {
            tell!("toolgate: policy {} is again what is in force, sha256 {digest}", self.path.display());
        }
        self.seen = now;
        self.broken = None;
        self.told = false;
    }

    fn reject(&mut self, gateway: &Gateway, now: Option<Trace>, why: &str, rejected: Option<&Rejected>) {
        let stood = self.broken.is_some() && self.broken == now || now.is_none();
        let fresh = self.broken != now;
        self.broken = now.clone();
        if fresh {
            self.told = false;
        }
        if !stood || self.told {
            self.seen = now;
            return;
        }
        self.told = true;
        self.seen = now;
        let digest = Arc::clone(&self.cell.now().digest);
        if let Some(rejected) = rejected {
            show(&rejected.diagnostics, &self.path, &rejected.text);
        }
        tell!("toolgate: {}: {why}; the policy before stays in force, sha256 {digest}", self.path.display());
        for notice in self.notices(Some(&digest), false, Some(why)) {
            let _ = gateway.record_policy(notice);
        }
    }

    fn notices<'a>(
        &'a self,
        policy: Option<&'a str>,
        accepted: bool,
        reason: Option<&'a str>,
    ) -> Vec<PolicyNotice<'a>> {
        self.servers
            .iter()
            .map(|server| PolicyNotice { server: Some(server), file: self.path.to_str(), policy, accepted, reason })
            .collect()
    }
}
