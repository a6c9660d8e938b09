//! A list that has come is compared with the pins: what may be accepted without a person is
//! accepted, and the rest is held.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use risk::pins::{COSMETIC, FIRST_LIST, Pin, Section, is_cosmetic};

use super::tell::{findings, is_poisoned};
use super::{Accepted, BadPins, Kept, Pinning, Standing};
use crate::gateway::Gateway;
use crate::tools::{Tool, ToolList};

impl Pinning {
    /// Compares a complete list with the pins, once: accepts what may be accepted, and tells and
    /// records what is held. Why it cannot is told too.
    ///
    /// # Errors
    /// When what is accepted cannot be written.
    pub(crate) async fn settle(self: &Arc<Self>, list: &Arc<ToolList>, gateway: &Arc<Gateway>) -> Result<(), BadPins> {
        if let Some(followed) = &self.followed {
            followed.wait(list).await;
            return Ok(());
        }
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
            Some(kept) => {
                let compared = kept.compare(&this.now, &list, &gateway);
                kept.tell_failure(&compared);
                compared
            }
            None => Ok(()),
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(BadPins::io(kept.files.lock(), std::io::Error::other(error))))
    }
}

impl Pinning {
    /// The same beside the answer's way. What cannot be kept is told there, and not callable; it is
    /// tried again with the next call.
    pub(crate) fn settle_later(self: &Arc<Self>, list: &Arc<ToolList>, gateway: &Arc<Gateway>) {
        if self.kept.is_some() {
            let (this, list, on) = (Arc::clone(self), Arc::clone(list), Arc::clone(gateway));
            gateway.finish(async move { drop(this.settle(&list, &on).await) });
        }
    }
}

impl Kept {
    fn compare(&self, now: &ArcSwap<Accepted>, list: &Arc<ToolList>, gateway: &Gateway) -> Result<(), BadPins> {
        let mut tools: Vec<&Arc<Tool>> = list.iter().collect();
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        let was_known = !matches!(now.load().section, Some(None));
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
        let kept = self.files.keep_held(&self.server, &held);
        self.tell_unkept(kept.err().map(|error| error.to_string()));
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
                self.files.places()
            ));
        }
        self.tell_held(gateway, held);
        let before = self.settled.swap(Some(Arc::clone(list)));
        // Whoever asked for the first list is given what was accepted of it, unless that failed before.
        let other = !accepted.is_empty() && (was_known || self.seen().failed.is_some());
        if other || before.is_some_and(|before| have_come_back(&before, list, &current)) {
            self.changed.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Accepts what may be accepted without a person, and gives what was.
    fn accept(&self, now: &ArcSwap<Accepted>, tools: &[&Arc<Tool>]) -> Result<Section, BadPins> {
        let mut accepted = Section::new();
        // A list without tools is no first list: some servers have none before a login.
        if self.acceptance.first_list && matches!(now.load().section, Some(None)) && !tools.is_empty() {
            accepted = self.accept_first(now, tools)?;
        }
        if self.acceptance.cosmetic {
            accepted.extend(self.accept_spelled(now, tools));
        }
        Ok(accepted)
    }

    fn accept_first(&self, now: &ArcSwap<Accepted>, tools: &[&Arc<Tool>]) -> Result<Section, BadPins> {
        // Judged before the file is locked: a long list takes its time.
        let time = timestamp();
        let (mut first, mut flagged) = (Section::new(), Vec::new());
        for tool in tools {
            if let Ok(found) = findings(tool)
                && !is_poisoned(&found)
            {
                first.insert(tool.name.to_string(), pin(tool, &time, FIRST_LIST));
                flagged.push((&*tool.name, found));
            }
        }
        let mut all = None;
        let mut was_first = false;
        let written = self.files.change(&self.server, |section| {
            was_first = section.is_none();
            // Where another gateway was faster, its word counts.
            all = Some(section.get_or_insert_with(|| first.clone()).clone());
            was_first
        })?;
        self.tell_place(&written);
        // The files' trace stays as it was: what somebody else wrote in between is seen at the next look.
        now.store(Arc::new(Accepted { section: Some(all) }));
        if !was_first {
            return Ok(Section::new());
        }
        self.tell_first(&first, &written.path, &flagged);
        Ok(first)
    }

    /// Accepts changes of nothing but spelling. Where they cannot be kept they are held, and all else
    /// goes on.
    fn accept_spelled(&self, now: &ArcSwap<Accepted>, tools: &[&Arc<Tool>]) -> Section {
        let standing = now.load_full();
        let is_spelled =
            |tool: &&&Arc<Tool>| matches!(standing.standing(tool), Standing::Changed(pin) if spelled(pin, tool));
        let changed: Vec<&Arc<Tool>> = tools.iter().filter(is_spelled).copied().collect();
        if changed.is_empty() {
            return Section::new();
        }
        let time = timestamp();
        let (mut accepted, mut all) = (Section::new(), None);
        let written = self.files.change(&self.server, |section| {
            accepted.clear();
            // A lock file that is away accepts nothing.
            let Some(pins) = section else { return false };
            for tool in &changed {
                let Some(known) = pins.get(&*tool.name).filter(|pin| pin.digest != *tool.digest && spelled(pin, tool))
                else {
                    continue;
                };
                // Who looked at it has looked at these words.
                let by = if known.by_person() { &known.by } else { COSMETIC };
                let pin = Pin { set: known.set, ..pin(tool, &time, by) };
                accepted.insert(tool.name.to_string(), pin.clone());
                pins.insert(tool.name.to_string(), pin);
            }
            all = Some(pins.clone());
            !accepted.is_empty()
        });
        self.tell_unspelled(written.as_ref().err().map(ToString::to_string));
        let Ok(written) = written else { return Section::new() };
        self.tell_place(&written);
        if all.is_some() {
            now.store(Arc::new(Accepted { section: Some(all) }));
        }
        accepted
    }
}

/// Whether a tool that was held is again as it was accepted.
fn have_come_back(before: &ToolList, list: &ToolList, accepted: &Accepted) -> bool {
    list.iter().any(|tool| {
        !accepted.standing(tool).is_held()
            && before.get(&tool.name).is_some_and(|before| accepted.standing(before).is_held())
    })
}

pub(super) fn pin(tool: &Tool, time: &str, by: &str) -> Pin {
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
    pin.class == tool.class
        && is_cosmetic(&pin.definition, &tool.definition)
        && findings(tool).is_ok_and(|found| !is_poisoned(&found))
}

/// Now, to the second that has begun: what happens from now on is not before it.
pub(super) fn timestamp() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}
