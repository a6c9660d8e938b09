//! Pinned definitions: calls are judged by the definition that was accepted, and a tool that is new
//! or defined otherwise is held until somebody accepts it.
//!
//! What is accepted is an immutable value behind an atomic swap; a call takes one and waits for
//! nothing. Files are touched when a list is seen for the first time, and when somebody has changed
//! them.

mod files;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use audit::{DefinitionNotice, Event};
use jiff::Timestamp;
use policy::Class;
use risk::findings::Level;
use risk::pins::{COSMETIC, FIRST_LIST, Pin, Section, is_cosmetic};
use store::Trace;

pub use files::{BadPins, PinFiles, Written, digest};

use crate::gateway::Gateway;
use crate::tools::{Tool, ToolList};

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
    seen: Mutex<Seen>,
}

/// What this process has read and told.
#[derive(Default)]
struct Seen {
    trace: [Option<Trace>; 2],
    broken: bool,
    spare: bool,
    held: HashSet<(String, String)>,
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
        Self { kept: None, now: ArcSwap::from_pointee(Accepted { section: None }) }
    }

    /// The pins of a server, as they stand in the files now.
    ///
    /// # Errors
    /// When the files are there and cannot be read.
    pub fn read(server: &str, files: PinFiles, acceptance: Acceptance, tell: Tell) -> Result<Self, BadPins> {
        // Traced before: an edit in between is seen at the next look.
        let seen = Seen { trace: files.trace(), ..Seen::default() };
        let section = files.section(server)?;
        let kept = Kept {
            server: server.to_owned(),
            files,
            acceptance,
            tell,
            settled: ArcSwapOption::empty(),
            settling: tokio::sync::Mutex::default(),
            seen: Mutex::new(seen),
        };
        Ok(Self { kept: Some(kept), now: ArcSwap::from_pointee(Accepted { section: Some(section) }) })
    }

    /// What is accepted now.
    pub fn now(&self) -> Arc<Accepted> {
        self.now.load_full()
    }

    /// Whether the server was never seen: its first list is still to be asked for.
    pub(crate) fn awaits_first_list(&self) -> bool {
        matches!(self.now.load().section, Some(None))
    }

    /// Compares a complete list with the pins, once: accepts what may be accepted, and tells and
    /// records what is held.
    ///
    /// # Errors
    /// When what is accepted cannot be written.
    pub(crate) async fn settle(self: &Arc<Self>, list: &Arc<ToolList>, gateway: &Arc<Gateway>) -> Result<(), BadPins> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let settled = || kept.settled.load().as_ref().is_some_and(|known| Arc::ptr_eq(known, list));
        if settled() {
            return Ok(());
        }
        let _one_at_a_time = kept.settling.lock().await;
        if settled() {
            return Ok(());
        }
        let (this, list, gateway) = (Arc::clone(self), Arc::clone(list), Arc::clone(gateway));
        // Writing a file may take its time; other calls go on meanwhile.
        let work = move || match &this.kept {
            Some(kept) => kept.compare(&this.now, &list, &gateway),
            None => Ok(()),
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(BadPins::from(std::io::Error::other(error))))
    }

    /// Reads the files again if somebody has changed them, and records what was accepted; true if other
    /// definitions are accepted now.
    pub fn look(&self, gateway: &Gateway) -> bool {
        let Some(kept) = &self.kept else { return false };
        let mut seen = kept.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let trace = kept.files.trace();
        if trace == seen.trace {
            return false;
        }
        match kept.files.section(&kept.server) {
            Ok(section) => {
                seen.trace = trace;
                let before = self.now.load_full();
                // A lock file that is away for a moment, as while branches are changed, accepts nothing.
                if section.is_none() && matches!(before.section, Some(Some(_))) {
                    if !std::mem::replace(&mut seen.broken, true) {
                        (kept.tell)(&format!(
                            "server {}: its pins are gone from {}; what was accepted stays in force until this gateway ends",
                            kept.server,
                            kept.files.lock().display()
                        ));
                    }
                    return false;
                }
                seen.broken = false;
                if before.section.as_ref() == Some(&section) {
                    return false;
                }
                let before = before.section.iter().flatten().next();
                for (name, pin) in section.iter().flatten() {
                    if before.and_then(|before| before.get(name)) != Some(pin) {
                        kept.record(gateway, name, pin, true);
                    }
                }
                self.now.store(Arc::new(Accepted { section: Some(section) }));
                kept.settled.store(None);
                true
            }
            Err(error) => {
                // Editors and merges write in steps: it is looked at again, and said once.
                if !std::mem::replace(&mut seen.broken, true) {
                    (kept.tell)(&format!("{error}; what was accepted before stays in force"));
                }
                false
            }
        }
    }
}

impl Kept {
    fn compare(&self, now: &ArcSwap<Accepted>, list: &Arc<ToolList>, gateway: &Gateway) -> Result<(), BadPins> {
        let mut tools: Vec<&Arc<Tool>> = list.iter().collect();
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        let accepted = self.accept(now, &tools)?;
        let current = now.load_full();
        let time = timestamp();
        let known = self.files.held(&self.server).unwrap_or_default();
        let mut held = Section::new();
        for tool in tools.iter().filter(|tool| current.standing(tool).is_held()) {
            let why = self.why_held(&current, tool);
            let since = known.get(&*tool.name).filter(|pin| pin.digest == *tool.digest);
            let since = since.map_or_else(|| time.clone(), |pin| pin.accepted.clone());
            held.insert(tool.name.to_string(), pin(tool, &since, &why));
        }
        if let Err(error) = self.files.keep_held(&self.server, &held) {
            (self.tell)(&format!("what is held cannot be kept for `toolgate server held`: {error}"));
        }
        for (name, pin) in &accepted {
            self.record(gateway, name, pin, true);
        }
        if let Some(section) = current.section.iter().flatten().next().filter(|section| !section.is_empty())
            && !tools.is_empty()
            && !tools.iter().any(|tool| section.contains_key(&*tool.name))
        {
            (self.tell)(&format!(
                "server {}: not one of its tools is among those pinned under this name in {}. Is it another server? Give each its own --name.",
                self.server,
                self.files.lock().display()
            ));
        }
        self.tell_held(gateway, held);
        self.settled.store(Some(Arc::clone(list)));
        Ok(())
    }

    /// Accepts what may be accepted without a person, and gives what was.
    fn accept(&self, now: &ArcSwap<Accepted>, tools: &[&Arc<Tool>]) -> Result<Section, BadPins> {
        let standing = now.load_full();
        // A list without tools is no first list: some servers have none before a login.
        let first = self.acceptance.first_list && matches!(standing.section, Some(None)) && !tools.is_empty();
        let cosmetic = self.acceptance.cosmetic
            && tools.iter().any(|tool| matches!(standing.standing(tool), Standing::Changed(pin) if spelled(pin, tool)));
        if !first && !cosmetic {
            return Ok(Section::new());
        }
        let time = timestamp();
        let (mut accepted, mut all) = (Section::new(), None);
        let mut was_first = false;
        let written = self.files.change(&self.server, |section| {
            accepted.clear();
            was_first = section.is_none() && self.acceptance.first_list;
            let pins = section.get_or_insert_default();
            for tool in tools {
                let by = match pins.get(&*tool.name) {
                    None if was_first && !is_poisoned(tool) => FIRST_LIST.to_owned(),
                    Some(pin) if self.acceptance.cosmetic && pin.digest != *tool.digest && spelled(pin, tool) => {
                        // Who looked at it has looked at these words.
                        if pin.by_person() { pin.by.clone() } else { COSMETIC.to_owned() }
                    }
                    _ => continue,
                };
                let set = pins.get(&*tool.name).and_then(|pin| pin.set);
                let pin = Pin { set, ..pin(tool, &time, &by) };
                pins.insert(tool.name.to_string(), pin.clone());
                accepted.insert(tool.name.to_string(), pin);
            }
            all = Some(pins.clone());
            was_first || !accepted.is_empty()
        })?;
        {
            // The files' trace stays as it was: what somebody else wrote in between is seen at the next look.
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Written::Spare(why) = &written
                && !std::mem::replace(&mut seen.spare, true)
            {
                (self.tell)(&format!(
                    "pins cannot be kept beside the policy ({why}); they are kept in the data directory"
                ));
            }
        }
        now.store(Arc::new(Accepted { section: Some(all) }));
        if was_first {
            self.tell_first(&accepted);
        }
        Ok(accepted)
    }

    fn tell_first(&self, accepted: &Section) {
        let mut risky: Vec<(&String, Class)> = accepted.iter().map(|(name, pin)| (name, pin.class)).collect();
        risky.retain(|(_, class)| !matches!(class, Class::Read | Class::Write));
        risky.sort_by_key(|(_, class)| std::cmp::Reverse(rank(*class)));
        let named: Vec<String> =
            risky.iter().take(5).map(|(name, class)| format!("{} ({class})", audit::visible::word(name))).collect();
        let more = risky.len().saturating_sub(named.len());
        let riskiest = match (named.is_empty(), more) {
            (true, _) => String::new(),
            (false, 0) => format!("; the riskiest: {}", named.join(", ")),
            (false, more) => format!("; the riskiest: {} and {more} more", named.join(", ")),
        };
        (self.tell)(&format!(
            "server {}: its first list is accepted, {} tools, in {}{riskiest}. What is new or changed later is held.",
            self.server,
            accepted.len(),
            self.files.lock().display()
        ));
    }

    fn tell_held(&self, gateway: &Gateway, held: Section) {
        let fresh: Vec<(String, Pin)> = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            held.into_iter().filter(|(name, pin)| seen.held.insert((name.clone(), pin.digest.clone()))).collect()
        };
        for (name, pin) in fresh.iter().take(MOST_TOLD) {
            (self.tell)(&format!(
                "server {}: the tool {} ({}) is held: {}. `toolgate server held` shows it, `toolgate server accept` accepts it.",
                self.server,
                audit::visible::word(name),
                pin.class,
                pin.by
            ));
        }
        if let Some(more) = fresh.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
            (self.tell)(&format!(
                "server {}: {more} more tools are held; `toolgate server held` shows them",
                self.server
            ));
        }
        for (name, pin) in &fresh {
            self.record(gateway, name, pin, false);
        }
    }

    fn why_held(&self, accepted: &Accepted, tool: &Tool) -> String {
        match accepted.standing(tool) {
            Standing::Changed(pin) if pin.class == tool.class => "its definition has changed".to_owned(),
            Standing::Changed(pin) => format!("its definition has changed; it was {}", pin.class),
            _ if self.acceptance.first_list && is_poisoned(tool) => {
                "its definition tells the model what it should not (`toolgate scan` shows it)".to_owned()
            }
            _ if self.acceptance.first_list => "it is new".to_owned(),
            _ => "nobody has accepted it".to_owned(),
        }
    }

    fn record(&self, gateway: &Gateway, tool: &str, pin: &Pin, accepted: bool) {
        gateway.log().append_later(&Event::Definition(DefinitionNotice {
            server: &self.server,
            tool,
            digest: &pin.digest,
            class: pin.class_in_force().as_str(),
            accepted,
            reason: Some(&pin.by),
        }));
    }
}

/// So many held tools are told one by one.
const MOST_TOLD: usize = 5;

fn rank(class: Class) -> u8 {
    match class {
        Class::Read => 0,
        Class::Write => 1,
        Class::Unclassified => 2,
        Class::Execute => 3,
        Class::Destructive => 4,
        Class::Financial => 5,
    }
}

fn pin(tool: &Tool, time: &str, by: &str) -> Pin {
    Pin {
        digest: tool.digest.to_string(),
        class: tool.class,
        set: None,
        accepted: time.to_owned(),
        by: by.to_owned(),
        definition: tool.definition.to_string(),
    }
}

/// Whether only the spelling has changed, and the class has not.
fn spelled(pin: &Pin, tool: &Tool) -> bool {
    pin.class == tool.class && is_cosmetic(&pin.definition, &tool.definition) && !is_poisoned(tool)
}

/// Whether a finding says that a person must look first.
fn is_poisoned(tool: &Tool) -> bool {
    match serde_json::from_str(&tool.definition) {
        Ok(definition) => risk::findings::findings(&risk::Definition::of(&definition))
            .iter()
            .any(|finding| finding.level >= Level::Error),
        Err(_) => true,
    }
}

/// Now, to the second that has begun: what happens from now on is not before it.
fn timestamp() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}
