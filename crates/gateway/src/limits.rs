//! From the limits of a decision to counts, and back when nothing was sent.

use jiff::Timestamp;
use policy::{Limit, LimitUse, Refund, Scope};
use quota::{CountId, Counters, Full, Receipt, StoreDown, Take, Taken};

use crate::caller::Caller;

/// The one organisation of a gateway without a control plane.
const ORGANISATION: &str = "local";

/// What came of asking for units.
pub enum Outcome {
    /// All were taken.
    Taken(Vec<Held>),
    /// One limit is full; none was taken.
    Full {
        /// The limit's place in the decision.
        index: usize,
        /// How full, and until when.
        full: Full,
    },
    /// The counts cannot be reached, and some limit does not let calls pass then.
    Down(StoreDown),
}

/// Units that were taken for one way of giving back.
#[derive(Debug)]
pub struct Held {
    receipt: Receipt,
    refund: Refund,
    /// Calls in flight: always given back when the call has ended.
    concurrency: bool,
    /// The places of these limits in the decision.
    indices: Vec<usize>,
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

/// The count that a limit means for this caller.
pub fn take(limit_use: &LimitUse, caller: &Caller, tool: &str) -> Take {
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
    let server = caller.grant.server().id();
    let grant = caller.grant.label();
    let mut parts: Vec<(&str, String)> = Vec::with_capacity(4);
    for scope in &limit.scope {
        match scope {
            Scope::Grant => parts.push(("grant", format!("{server}/{grant}"))),
            Scope::Agent => parts.push(("agent", caller.grant.facts.agent_label.clone())),
            // Without a session the grant stands in for it, which is never looser.
            Scope::Session => match &caller.session {
                Some(session) => parts.push(("session", session.text())),
                None => parts.push(("grant", format!("{server}/{grant}"))),
            },
            Scope::Server => parts.push(("server", server.to_owned())),
            Scope::Organisation => parts.push(("organisation", ORGANISATION.to_owned())),
            Scope::Tool => parts.push(("tool", format!("{server}/{tool}"))),
        }
    }
    let counter = if limit.private_to_entry {
        format!("{}#{}", limit.counter, limit.rule.pointer)
    } else {
        limit.counter.clone()
    };
    let counter = if limit.observed { format!("observed:{counter}") } else { counter };
    CountId::new(ORGANISATION, &parts, &counter, limit.window, &limit.zone, limit.kind)
}

/// Takes all enforced limits of a call in one step, and the observed ones by the way.
///
/// Limits are grouped by what gives them back, but taken together: a group that does not fit
/// gives the earlier ones back before anything is forwarded.
pub fn take_all(counters: &dyn Counters, uses: &[LimitUse], caller: &Caller, tool: &str, now: Timestamp) -> Outcome {
    if uses.is_empty() {
        return Outcome::Taken(Vec::new());
    }
    let takes: Vec<Take> = uses.iter().map(|limit_use| take(limit_use, caller, tool)).collect();
    match counters.take(&takes, now) {
        Ok(Taken::Granted(receipt)) => {
            let mut held = Vec::new();
            let mut rest = receipt;
            for class in [(Refund::OnError, false), (Refund::NotSent, false), (Refund::NotSent, true)] {
                let belongs = |index: usize| uses.get(index).is_some_and(|limit_use| group(&limit_use.limit) == class);
                let (part, others) = rest.split(belongs);
                rest = others;
                if !part.is_empty() {
                    let indices = (0..uses.len()).filter(|index| belongs(*index)).collect();
                    held.push(Held { receipt: part, refund: class.0, concurrency: class.1, indices });
                }
            }
            Outcome::Taken(held)
        }
        Ok(Taken::Full(full)) => Outcome::Full { index: full.index, full },
        Err(down) => Outcome::Down(down),
    }
}

fn group(limit: &Limit) -> (Refund, bool) {
    match limit.kind {
        quota::Kind::Concurrency => (Refund::NotSent, true),
        quota::Kind::Quota => (limit.refund, false),
    }
}

/// Gives back what the ending says, and tells which of the decision's limits went back.
pub fn settle(counters: &dyn Counters, held: Vec<Held>, ending: Ending, now: Timestamp) -> Vec<usize> {
    let mut refunded = Vec::new();
    for held in held {
        let back = held.concurrency
            || match ending {
                Ending::NotSent => held.refund != Refund::Never,
                Ending::Error => held.refund == Refund::OnError,
                Ending::Counted => false,
            };
        // A store that is down keeps the units: quota is never given back by mistake.
        if back && counters.give_back(held.receipt, now).is_ok() && !held.concurrency {
            refunded.extend(held.indices);
        }
    }
    refunded
}

/// Takes observed limits from their shadow counts, and names those that would have denied.
pub fn shadow(
    counters: &dyn Counters,
    uses: &[LimitUse],
    caller: &Caller,
    tool: &str,
    now: Timestamp,
) -> Vec<audit::Would<'static>> {
    let mut would = Vec::new();
    for limit_use in uses {
        if let Ok(Taken::Full(_)) = counters.take(&[take(limit_use, caller, tool)], now) {
            let rule = limit_use.limit.rule.rule.clone();
            would.push(audit::Would { rule: rule.into(), effect: audit::Effect::Deny });
        }
    }
    would
}
