//! The policy in force, and how it is replaced while calls go on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::{Diagnostic, Load, Policy};
use tokio::sync::watch;

/// One accepted version of a policy.
#[derive(Debug)]
pub struct InForce {
    /// The compiled policy.
    pub policy: Policy,
    /// SHA-256 of the document, in hexadecimal.
    pub digest: Arc<str>,
    /// The same policy as it stands on each of the servers that it spans.
    on: HashMap<Box<str>, Arc<InForce>>,
}

impl InForce {
    fn new(policy: Policy, digest: Arc<str>) -> Self {
        let spanned = policy.servers().unwrap_or_default().iter();
        let on = spanned.map(|server| {
            let here = Self { policy: policy.on(server), digest: Arc::clone(&digest), on: HashMap::new() };
            (server.clone(), Arc::new(here))
        });
        Self { on: on.collect(), policy, digest }
    }
}

/// A policy that can be replaced. Who reads it takes one version and keeps it for the whole call.
#[derive(Debug)]
pub struct PolicyCell {
    /// Where the document lies.
    pub path: PathBuf,
    now: ArcSwap<InForce>,
    changes: watch::Sender<u64>,
}

/// A document that is no policy.
#[derive(Debug)]
pub struct Rejected {
    /// The text that was judged.
    pub text: String,
    /// What is wrong with it, all at once.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses and compiles a document as it lies on disk: comments are allowed.
///
/// # Errors
/// [`Rejected`] with every diagnostic.
pub fn compile(text: String) -> Result<(InForce, Vec<Diagnostic>), Rejected> {
    let loaded = policy::load(&text, Load { comments_allowed: true });
    match loaded.policy {
        Some(policy) => {
            let digest = digest(text.as_bytes());
            Ok((InForce::new(policy, digest), loaded.diagnostics))
        }
        None => Err(Rejected { text, diagnostics: loaded.diagnostics }),
    }
}

fn digest(bytes: &[u8]) -> Arc<str> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    crate::hex::encode(digest.as_ref()).into()
}

impl PolicyCell {
    /// Puts a first version in force.
    pub fn new(path: PathBuf, first: InForce) -> Arc<Self> {
        Arc::new(Self { path, now: ArcSwap::from_pointee(first), changes: watch::Sender::new(0) })
    }

    /// The version in force.
    pub fn now(&self) -> Arc<InForce> {
        self.now.load_full()
    }

    /// The version in force, as it stands on one server.
    pub fn on(&self, server: &str) -> Arc<InForce> {
        let now = self.now.load();
        // Most policies are for one server, and every call asks.
        let here = if now.on.is_empty() { None } else { now.on.get(server) };
        Arc::clone(here.unwrap_or(&now))
    }

    /// Replaces the version in force; true if the document is another one.
    pub fn replace(&self, next: InForce) -> bool {
        if self.now.load().digest == next.digest {
            return false;
        }
        self.now.store(Arc::new(next));
        self.changes.send_modify(|count| *count += 1);
        true
    }

    /// Tells who lists tools that another list is in force, though the document is the same.
    pub fn touch(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Tells of every replacement from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
