//! What an operator is told of pins, and what the audit log keeps of them.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Instant;

use audit::visible::word;
use audit::{DefinitionNotice, Event};
use policy::Class;
use risk::findings::{Finding, Level};
use risk::pins::{Pin, Section};

use super::{Accepted, BadPins, Kept, Seen, Standing, Written};
use crate::gateway::Gateway;
use crate::tools::Tool;

/// So many tools are named in one sentence, and so many held ones told one by one.
const MOST_TOLD: usize = 5;

/// So many findings of one tool are explained.
const MOST_EXPLAINED: usize = 2;

/// Why there are counts of held definitions in the audit log.
const NOT_SINGLY: &str = "held definition, not recorded singly";

impl Kept {
    /// Says that a first list was accepted, with what is worth a look.
    pub(super) fn tell_first(&self, accepted: &Section, place: &Path, flagged: &[(&str, Vec<Finding>)]) {
        let mut risky: Vec<(&String, Class)> = accepted.iter().map(|(name, pin)| (name, pin.class)).collect();
        risky.retain(|(_, class)| !matches!(class, Class::Read | Class::Write));
        risky.sort_by_key(|(_, class)| std::cmp::Reverse(rank(*class)));
        let riskiest = match few(risky.iter().map(|(name, class)| format!("{} ({class})", word(name)))) {
            None => String::new(),
            Some(named) => format!("; the riskiest: {named}"),
        };
        let grave = flagged.iter().filter(|(_, found)| is_grave(found));
        let found = match few(grave.map(|(name, found)| format!("{} ({})", word(name), titles(found)))) {
            None => String::new(),
            Some(named) => format!("; with findings: {named}; `toolgate scan` shows them"),
        };
        let tools = match accepted.len() {
            1 => "1 tool".to_owned(),
            number => format!("{number} tools"),
        };
        (self.tell)(&format!(
            "server {}: its first list is accepted, {tools}, in {}{riskiest}{found}. What is new or changed later is held.",
            self.server,
            place.display()
        ));
    }

    /// Says what is held, each definition once, and records it.
    pub(super) fn tell_held(&self, gateway: &Gateway, held: Section) {
        let news = self.seen().told.news(held, Instant::now());
        for (name, pin) in news.singly.iter().take(MOST_TOLD) {
            (self.tell)(&format!(
                "server {}: the tool {} ({}) is held: {}. `toolgate server held` shows it, `toolgate server accept` accepts it.",
                self.server,
                word(name),
                pin.class,
                pin.by
            ));
        }
        let more = news.singly.len().saturating_sub(MOST_TOLD) + news.beyond;
        // Of a server that goes on and on it is said once a minute.
        if more > 0 && !news.singly.is_empty() {
            let tools = if more == 1 { "1 more tool is" } else { &format!("{more} more tools are") };
            (self.tell)(&format!("server {}: {tools} held; `toolgate server held` shows them", self.server));
        }
        for (name, pin) in &news.singly {
            self.record(gateway, name, pin, false);
        }
        gateway.refused().count_of_server(NOT_SINGLY, &self.server, news.beyond);
    }

    /// Says why a list could not be compared with the pins, once for each reason.
    pub(super) fn tell_failure(&self, settled: &Result<(), BadPins>) {
        let why = settled.as_ref().err().map(ToString::to_string);
        if let Some(why) = changed(&mut self.seen().failed, why) {
            (self.tell)(&format!(
                "server {}: its definitions cannot be compared with the accepted ones, so nothing of it can be called until that is put right: {why}",
                self.server
            ));
        }
    }

    /// Says why changes of spelling are held although they would be accepted, once for each reason.
    pub(super) fn tell_unspelled(&self, why: Option<String>) {
        if let Some(why) = changed(&mut self.seen().unspelled, why) {
            (self.tell)(&format!(
                "server {}: changes of spelling cannot be accepted, so they are held: {why}",
                self.server
            ));
        }
    }

    /// Says why pins stand in another file than the lock file, once.
    pub(super) fn tell_place(&self, written: &Written) {
        if let Some(why) = &written.instead
            && !std::mem::replace(&mut self.seen().spare, true)
        {
            (self.tell)(&format!(
                "pins cannot be kept beside the policy ({why}); they are kept in the data directory, in {}, until they can",
                written.path.display()
            ));
        }
    }

    /// Says why `toolgate server held` shows less than there is, once for each reason.
    pub(super) fn tell_unkept(&self, why: Option<String>) {
        if let Some(why) = changed(&mut self.seen().unkept, why) {
            (self.tell)(&format!("what is held cannot be kept for `toolgate server held`: {why}"));
        }
    }

    /// Why a definition is held, in words that end a sentence.
    pub(super) fn why_held(&self, accepted: &Accepted, tool: &Tool) -> String {
        match accepted.standing(tool) {
            Standing::Changed(pin) if pin.class == tool.class => "its definition has changed".to_owned(),
            Standing::Changed(pin) => format!("its definition has changed; it was {}", pin.class),
            _ if !self.acceptance.first_list => "nobody has accepted it".to_owned(),
            _ => match findings(tool) {
                Ok(found) if is_poisoned(&found) => explained(&found),
                Ok(_) => "it is new".to_owned(),
                Err(()) => "its definition cannot be read".to_owned(),
            },
        }
    }

    pub(super) fn record(&self, gateway: &Gateway, tool: &str, pin: &Pin, accepted: bool) {
        gateway.log().append_later(&Event::Definition(DefinitionNotice {
            server: &self.server,
            tool,
            digest: &pin.digest,
            class: pin.class_in_force().as_str(),
            accepted,
            reason: Some(&pin.by),
        }));
    }

    pub(super) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what was said last, and gives what is to be said now.
fn changed(last: &mut Option<String>, now: Option<String>) -> Option<String> {
    if *last == now {
        return None;
    }
    last.clone_from(&now);
    now
}

/// The first few of all, and how many more there are; `None` where there is nothing.
fn few(all: impl Iterator<Item = String>) -> Option<String> {
    let mut all = all.peekable();
    all.peek()?;
    let named: Vec<String> = all.by_ref().take(MOST_TOLD).collect();
    Some(match all.count() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    })
}

/// What is suspicious about a definition; an error where it cannot be read.
pub(super) fn findings(tool: &Tool) -> Result<Vec<Finding>, ()> {
    let definition = serde_json::from_str(&tool.definition).map_err(|_| ())?;
    Ok(risk::findings::findings(&risk::Definition::of(&definition)))
}

/// Whether a finding says that a person must look first.
pub(super) fn is_poisoned(found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.level >= Level::Error)
}

/// Whether there is a finding that an operator should hear of.
fn is_grave(found: &[Finding]) -> bool {
    found.iter().any(|finding| finding.level >= Level::Warning)
}

fn titles(found: &[Finding]) -> String {
    let grave: Vec<&str> =
        found.iter().filter(|finding| finding.level >= Level::Warning).map(|finding| finding.rule).collect();
    grave.join(", ")
}

/// The findings that hold a tool, each with what it means.
fn explained(found: &[Finding]) -> String {
    let errors: Vec<&Finding> = found.iter().filter(|finding| finding.level >= Level::Error).collect();
    let named: Vec<String> = errors
        .iter()
        .take(MOST_EXPLAINED)
        .map(|finding| format!("{} ({})", finding.rule, finding.why.trim_end_matches('.')))
        .collect();
    match errors.len().saturating_sub(named.len()) {
        0 => format!("a person has to look at it first, for {}", named.join(" and ")),
        more => format!("a person has to look at it first, for {} and {more} more", named.join(", ")),
    }
}

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
