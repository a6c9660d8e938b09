//! Pins that a control plane keeps: it says what is accepted, and is told what servers show.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use risk::pins::{FIRST_LIST, Section};
use tokio::sync::Notify;

use super::settle::{pin, timestamp};
use super::tell::{findings, is_poisoned};
use super::{Accepted, Pinning};
use crate::tools::ToolList;

/// How long an agent waits until a list that is new has been compared; what is not by then is held.
const PATIENCE: Duration = Duration::from_secs(2);

/// The list that was compared last, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Followed {
    compared: ArcSwapOption<ToolList>,
    told: Notify,
}

impl Followed {
    fn has_compared(&self, list: &Arc<ToolList>) -> bool {
        self.compared.load().as_ref().is_some_and(|known| Arc::ptr_eq(known, list))
    }

    pub(super) async fn wait(&self, list: &Arc<ToolList>) {
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

    /// Says that it has: calls that wait for it go on.
    pub fn compared(&self, list: &Arc<ToolList>) {
        if let Some(followed) = &self.followed {
            followed.compared.store(Some(Arc::clone(list)));
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
