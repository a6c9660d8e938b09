//! Pinned definitions: calls are judged by the definition that was accepted, and a tool that is new
//! or defined otherwise is held until somebody accepts it.
//!
//! What is accepted is an immutable value behind an atomic swap; a call takes one and waits for
//! nothing. Files are touched when a list is seen for the first time, and when somebody has changed
//! them.

mod files;
mod followed;
mod settle;
mod tell;
mod told;
mod watch;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, ArcSwapOption};
use risk::pins::{Pin, Section};
use store::Trace;

pub use files::{BadPins, PinFiles, Written, digest};

use crate::tools::{KnownTools, Tool, ToolList};
use followed::Followed;
use told::Told;

/// What is accepted without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The first list of a server, except tools with a finding at error level.
    pub first_list: bool,
    /// Changes of nothing but spelling.
    pub cosmetic: bool,
}

/// Receives a sentence for the operator.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// The pins of one server.
pub struct Pinning {
    /// `None`: nothing is pinned, every definition counts as it comes.
    kept: Option<Kept>,
    /// Where a control plane keeps them.
    followed: Option<Followed>,
    now: ArcSwap<Accepted>,
}

struct Kept {
    server: String,
    files: PinFiles,
    acceptance: Acceptance,
    tell: Tell,
    /// The list that was compared with the pins last.
    settled: ArcSwapOption<ToolList>,
    settling: tokio::sync::Mutex<()>,
    /// Other definitions count as accepted since the last look, without a change of the files from outside.
    changed: AtomicBool,
    seen: Mutex<Seen>,
}

/// What this process has read and told.
#[derive(Default)]
struct Seen {
    trace: [Option<Trace>; 2],
    broken: bool,
    spare: bool,
    /// Why the last list could not be compared with the pins.
    failed: Option<String>,
    /// Why changes of spelling could not be accepted.
    unspelled: Option<String>,
    /// Why what is held could not be kept.
    unkept: Option<String>,
    told: Told,
}

/// What is accepted of one server's tools.
#[derive(Debug)]
pub struct Accepted {
    /// `None` where nothing is pinned at all.
    section: Option<Option<Section>>,
}

/// What the pins say of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nothing is pinned: it counts as it comes.
    Open,
    /// It is the accepted one.
    Accepted(&'a Pin),
    /// Nobody has accepted a tool of this name.
    New,
    /// Another definition was accepted.
    Changed(&'a Pin),
}

impl Accepted {
    /// What the pins say of a definition.
    pub fn standing(&self, tool: &Tool) -> Standing<'_> {
        let Some(section) = &self.section else { return Standing::Open };
        match section.as_ref().and_then(|section| section.get(&*tool.name)) {
            Some(pin) if pin.digest == *tool.digest => Standing::Accepted(pin),
            Some(pin) => Standing::Changed(pin),
            None => Standing::New,
        }
    }

    /// Why a tool is held, if it is: a sentence for an agent.
    pub fn held(&self, tool: &Tool) -> Option<String> {
        let what = match self.standing(tool) {
            Standing::Open | Standing::Accepted(_) => return None,
            Standing::New => "Nobody has accepted this tool's definition yet".to_owned(),
            Standing::Changed(pin) => {
                format!("The tool's definition is not the one that was accepted at {}", pin.accepted)
            }
        };
        Some(format!("{what}, so it is held. An operator can look at it and accept it with `toolgate server accept`."))
    }
}

impl Standing<'_> {
    fn is_held(self) -> bool {
        matches!(self, Standing::New | Standing::Changed(_))
    }
}

impl std::fmt::Debug for Pinning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pinning").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Pinning {
    /// No pins: every definition counts as it comes.
    pub fn open() -> Self {
        Self { kept: None, followed: None, now: ArcSwap::from_pointee(Accepted { section: None }) }
    }

    /// The pins of a server, as they stand in the files now.
    ///
    /// # Errors
    /// When the files are there and cannot be read.
    pub fn read(server: &str, files: PinFiles, acceptance: Acceptance, tell: Tell) -> Result<Self, BadPins> {
        // Traced before: an edit in between is seen at the next look.
        let seen = Seen { trace: files.trace(), ..Seen::default() };
        let section = files.section(server)?;
        files.tidy(server);
        let kept = Kept {
            server: server.to_owned(),
            files,
            acceptance,
            tell,
            settled: ArcSwapOption::empty(),
            settling: tokio::sync::Mutex::default(),
            changed: AtomicBool::new(false),
            seen: Mutex::new(seen),
        };
        Ok(Self { kept: Some(kept), followed: None, now: ArcSwap::from_pointee(Accepted { section: Some(section) }) })
    }

    /// What is accepted now.
    pub fn now(&self) -> Arc<Accepted> {
        self.now.load_full()
    }

    /// Whether the gateway lists the server's tools itself before it passes on a list, so that what is
    /// held is told, and what may be accepted is, before anybody sees the answer.
    pub(crate) fn comes_first(&self, tools: &KnownTools) -> bool {
        if self.followed.is_some() {
            return tools.current().is_none_or(|list| !self.has_compared(&list));
        }
        let Some(kept) = &self.kept else { return false };
        if kept.acceptance.cosmetic {
            // What was listed a moment ago may be spelt otherwise now.
            tools.forget();
        }
        matches!(self.now.load().section, Some(None)) || tools.current().is_none()
    }
}
