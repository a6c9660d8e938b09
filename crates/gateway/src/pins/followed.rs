//! Pins that a control plane keeps: it says what is accepted, and is told what servers show.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use aws_lc_rs::digest::{Context, SHA256};
use risk::pins::{FIRST_LIST, Section};
use tokio::sync::Notify;

use super::settle::{pin, timestamp};
use super::tell::{findings, is_poisoned};
use super::{Accepted, Pinning};
use crate::tools::ToolList;

/// How long an agent waits until a list that is new has been compared, which takes two writes to the database; what is
/// not by then is held.
const PATIENCE: Duration = Duration::from_secs(10);

/// The list that was compared last, one that is to be, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Followed {
    compared: ArcSwapOption<(Arc<ToolList>, Fingerprint)>,
    to_compare: ArcSwapOption<ToolList>,
    told: Notify,
}

/// What tells lists apart: names and definitions. A server that lists the same again has listed nothing new.
type Fingerprint = [u8; 32];

fn fingerprint(list: &ToolList) -> Fingerprint {
    let mut tools: Vec<(&str, &str)> = list.iter().map(|tool| (&*tool.name, &*tool.digest)).collect();
    tools.sort_unstable();
    let mut context = Context::new(&SHA256);
    for (name, digest) in tools {
        for text in [name, digest] {
            context.update(&text.len().to_le_bytes());
            context.update(text.as_bytes());
        }
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

impl Followed {
    fn has_compared(&self, list: &Arc<ToolList>) -> bool {
        let Some(known) = self.compared.load_full() else { return false };
        if Arc::ptr_eq(&known.0, list) {
            return true;
        }
        let same = known.1 == fingerprint(list);
        if same {
            // The next look at it need not work that out again.
            self.compared.store(Some(Arc::new((Arc::clone(list), known.1))));
        }
        same
    }

    pub(super) async fn wait(&self, list: &Arc<ToolList>) {
        if self.has_compared(list) {
            return;
        }
        self.to_compare.store(Some(Arc::clone(list)));
        let compared = async {
            loop {
                let told = self.told.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                if self.has_compared(list) {
                    return;
                }
                told.await;
            }
        };
        // Whoever waits in vain finds the definition held, which is what an unknown one is.
        let _ = tokio::time::timeout(PATIENCE, compared).await;
    }
}

impl Pinning {
    /// Pins that a control plane keeps; `None` where nobody has accepted anything of the server yet. What is accepted
    /// later comes by [`Pinning::follow`].
    pub fn followed(section: Option<Section>) -> Self {
        let now = ArcSwap::from_pointee(Accepted { section: Some(section) });
        Self { kept: None, followed: Some(Followed::default()), now }
    }

    /// Puts other accepted definitions in force, for every call that is judged from now on.
    pub fn follow(&self, section: Option<Section>) {
        self.now.store(Arc::new(Accepted { section: Some(section) }));
    }

    /// Whether nobody has accepted anything of the server yet.
    pub fn nothing_accepted(&self) -> bool {
        matches!(self.now.load().section, Some(None))
    }

    /// Whether a list has been compared with what is accepted.
    pub fn has_compared(&self, list: &Arc<ToolList>) -> bool {
        self.followed.as_ref().is_none_or(|followed| followed.has_compared(list))
    }

    /// A list that somebody waits for and that nobody has compared, if there is one.
    pub fn to_compare(&self) -> Option<Arc<ToolList>> {
        let followed = self.followed.as_ref()?;
        followed.to_compare.load_full().filter(|list| !followed.has_compared(list))
    }

    /// Says that it has: calls that wait for it go on.
    pub fn compared(&self, list: &Arc<ToolList>) {
        if let Some(followed) = &self.followed {
            followed.compared.store(Some(Arc::new((Arc::clone(list), fingerprint(list)))));
            followed.told.notify_waiters();
        }
    }

    /// What of a list is held, as it would be accepted.
    pub fn waiting(&self, list: &ToolList) -> Section {
        let (now, time) = (self.now(), timestamp());
        let held = list.iter().filter(|tool| now.standing(tool).is_held());
        held.map(|tool| (tool.name.to_string(), pin(tool, &time, ""))).collect()
    }

    /// What of a first list may be accepted without a person: everything but tools with a finding at error level.
    pub fn first_list(list: &ToolList) -> Section {
        let time = timestamp();
        let clean = list.iter().filter(|tool| findings(tool).is_ok_and(|found| !is_poisoned(&found)));
        clean.map(|tool| (tool.name.to_string(), pin(tool, &time, FIRST_LIST))).collect()
    }
}
