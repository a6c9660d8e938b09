//! From the limits of a decision to counts, and back when nothing was sent.

use std::borrow::Cow;

use audit::Count;
use jiff::Timestamp;
use policy::{Limit, LimitUse, LimitUses, Refund, Scope};
use quota::{CountId, Counters, Full, Kind, Receipt, StoreDown, Take, Taken};
use smallvec::SmallVec;

use crate::caller::Caller;
use crate::counting::Counting;

/// What one call takes of its limits, each with the count that it means for this caller.
#[derive(Debug, Default)]
pub struct Uses {
    limits: LimitUses,
    takes: SmallVec<[Take; 2]>,
}

/// What came of asking for units.
pub enum Outcome {
    /// All were taken; these of the observed ones are full.
    Taken(Vec<usize>),
    /// One limit is full; none was taken.
    Full(Full),
    /// The counts cannot be reached.
    Down(StoreDown),
}

/// What a decision counts beside the limits that the call cannot be made without: worked out when it is needed.
pub struct Beside<'a> {
    /// Limits that are only observed: counted where the call is made.
    pub observed: &'a [LimitUse],
    /// Limits that count attempts: counted where it is not.
    pub attempts: &'a [LimitUse],
    /// Who calls.
    pub caller: &'a Caller,
    /// What.
    pub tool: &'a str,
}

impl Beside<'_> {
    pub(crate) fn observed(&self) -> SmallVec<[Take; 2]> {
        self.takes(self.observed)
    }

    pub(crate) fn attempts(&self) -> SmallVec<[Take; 2]> {
        self.takes(self.attempts)
    }

    fn takes(&self, uses: &[LimitUse]) -> SmallVec<[Take; 2]> {
        uses.iter().map(|limit_use| take(limit_use, self.caller, self.tool)).collect()
    }

    /// The observed limits at these places, each of which would have denied the call.
    pub(crate) fn would<'b>(&'b self, full: &'b [usize]) -> impl Iterator<Item = audit::Would<'b>> {
        full.iter().filter_map(|place| self.observed.get(*place)).map(|limit_use| audit::Would {
            rule: limit_use.limit.rule.rule.as_str().into(),
            effect: audit::Effect::Deny,
        })
    }
}

/// How a forwarded call ended, as far as limits care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Provably nothing reached the server.
    NotSent,
    /// A complete error or `isError` answer.
    Error,
    /// Anything else: the call counts.
    Counted,
}

impl Uses {
    /// The counts that these limits mean.
    pub fn new(limits: LimitUses, caller: &Caller, tool: &str) -> Self {
        let takes = limits.iter().map(|limit_use| take(limit_use, caller, tool)).collect();
        Self { limits, takes }
    }

    /// The limit at a place.
    pub fn limit(&self, index: usize) -> Option<&Limit> {
        self.limits.get(index).map(|limit_use| &*limit_use.limit)
    }

    /// Whether a call may pass them all while the counts cannot be reached.
    pub fn pass_while_down(&self) -> bool {
        self.limits.iter().all(|limit_use| limit_use.limit.on_store_down == policy::OnStoreDown::Allow)
    }

    /// Takes all of them in one step, or none; and what goes beside them.
    pub async fn take(
        &self,
        counting: &Counting,
        beside: &Beside<'_>,
        now: Timestamp,
    ) -> Result<(Taken, Vec<usize>), StoreDown> {
        counting.take(&self.takes, beside, now).await
    }

    /// Takes all of them from counts that stand in for those that cannot be reached.
    pub fn take_instead(&self, counters: &dyn Counters, now: Timestamp) -> Result<(Taken, Vec<usize>), StoreDown> {
        counters.take(&self.takes, now).map(|taken| (taken, Vec::new()))
    }

    /// The limit that is full already, if one is, for a call that is not made either way.
    pub async fn look(&self, counting: &Counting, beside: &Beside<'_>, now: Timestamp) -> Option<Full> {
        counting.look(&self.takes, beside, now).await.ok().flatten()
    }

    /// Gives back what the ending says, by what tells whether that was done; and tells which limits' uses went back.
    pub fn settle(&self, receipt: Receipt, ending: Ending, give_back: impl FnOnce(Receipt) -> bool) -> Vec<usize> {
        let (back, _) = receipt.split(|index| self.limit(index).is_some_and(|limit| goes_back(limit, ending)));
        if back.is_empty() {
            return Vec::new();
        }
        let uses = |index: &usize| self.limit(*index).is_some_and(|limit| limit.kind == Kind::Quota);
        let indices = back.indices().filter(uses).collect();
        // A store that is down keeps the units: quota is never given back by mistake.
        if give_back(back) { indices } else { Vec::new() }
    }

    /// How they stand in the record.
    pub fn counts(&self, uncounted: bool) -> SmallVec<[Count<'_>; 2]> {
        let uses = self.limits.iter().zip(&self.takes);
        uses.map(|(limit_use, take)| count(limit_use, take, uncounted)).collect()
    }
}

/// Calls in flight always end with the call; uses as their limit says.
fn goes_back(limit: &Limit, ending: Ending) -> bool {
    limit.kind == Kind::Concurrency
        || match ending {
            Ending::NotSent => limit.refund != Refund::Never,
            Ending::Error => limit.refund == Refund::OnError,
            Ending::Counted => false,
        }
}

fn count<'a>(limit_use: &'a LimitUse, take: &'a Take, uncounted: bool) -> Count<'a> {
    let limit = &*limit_use.limit;
    Count {
        id: Cow::Borrowed(take.id.text()),
        counter: Cow::Borrowed(&limit.counter),
        scope: match limit.scope.as_slice() {
            [one] => Cow::Borrowed(one.as_str()),
            several => Cow::Owned(several.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join("+")),
        },
        window: match limit.window {
            None => Cow::Borrowed(""),
            Some(rolling @ quota::Window::Rolling(_)) => Cow::Owned(rolling.to_string()),
            Some(calendar) => Cow::Borrowed(calendar.name()),
        },
        amount: limit_use.amount.micros(),
        concurrency: limit.kind == Kind::Concurrency,
        observed: limit.observed,
        uncounted,
    }
}

/// The count that a limit means for this caller.
fn take(limit_use: &LimitUse, caller: &Caller, tool: &str) -> Take {
    let limit = &limit_use.limit;
    Take {
        id: count_id(limit, caller, tool),
        window: limit.window,
        zone: limit.zone.clone(),
        kind: limit.kind,
        max: limit.max,
        amount: limit_use.amount,
    }
}

fn count_id(limit: &Limit, caller: &Caller, tool: &str) -> CountId {
    let terms = caller.grant.terms.as_ref();
    // Ids where a control plane gives them: what is renamed goes on with what it has used.
    let server = terms.map_or(caller.grant.server().id(), |terms| &terms.server);
    let agent = terms.map_or(&caller.grant.facts.agent_label, |terms| &terms.agent);
    let organisation = &*caller.grant.organisation;
    let grant = || match terms {
        Some(terms) if limit.spans => Cow::Borrowed(terms.spanned.as_str()),
        Some(terms) => Cow::Borrowed(terms.counted.as_str()),
        // No server is called `+`: it stands for all that the policy spans.
        None if limit.spans => Cow::Owned(format!("+/{}", caller.grant.label())),
        None => Cow::Owned(format!("{server}/{}", caller.grant.label())),
    };
    // What all calls of a server or an organisation share, all policies share by its name.
    let shared = limit.scope.iter().all(|scope| matches!(scope, Scope::Server | Scope::Organisation));
    let policy = terms.and_then(|terms| terms.policy.as_deref()).filter(|_| !shared);
    let policy = policy.map(|policy| ("policy", Cow::Borrowed(policy)));
    let parts: SmallVec<[(&str, Cow<'_, str>); 4]> = policy
        .into_iter()
        .chain(limit.scope.iter().map(|scope| match scope {
            Scope::Grant => ("grant", grant()),
            Scope::Agent => ("agent", Cow::Borrowed(agent.as_str())),
            // Without a session the grant stands in for it, which is never looser.
            Scope::Session => match caller.counted_session() {
                Some(session) => ("session", Cow::Owned(session.text())),
                None => ("grant", grant()),
            },
            Scope::Server => ("server", Cow::Borrowed(server)),
            Scope::Organisation => ("organisation", Cow::Borrowed(organisation)),
            Scope::Tool => ("tool", Cow::Owned(format!("{server}/{tool}"))),
        }))
        .collect();
    let counter = match (limit.observed, limit.private_to_entry) {
        (false, false) => Cow::Borrowed(limit.counter.as_str()),
        (true, false) => Cow::Owned(format!("observed:{}", limit.counter)),
        (false, true) => Cow::Owned(private(limit)),
        (true, true) => Cow::Owned(format!("observed:{}", private(limit))),
    };
    CountId::new(organisation, &parts, &counter, limit.window, &limit.zone, limit.kind)
}

/// The name of a count that belongs to one entry of the policy: no counter is called so.
fn private(limit: &Limit) -> String {
    let pointer = &limit.rule.pointer;
    if limit.counter == *pointer { format!("#{pointer}") } else { format!("{}#{pointer}", limit.counter) }
}
