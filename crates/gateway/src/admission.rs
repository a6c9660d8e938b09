//! Whether a caller who was let in still is. A grant expires, moves or is stopped, its token is replaced, a replica
//! loses its lease: what is under way ends with that, whether or not anybody sends anything more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::phase::Phase;
use crate::terms::Unusable;

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A request that is on its way to its answer.
    Request,
    /// A stream that is open for whatever comes: its agent can open it again at any time, so it also ends when its grant
    /// leads elsewhere, and first of all when the gateway is stopped.
    Listening,
}

/// Why nothing more is done for a caller. Shown, it is a sentence for the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Withdrawn {
    /// Somebody has stopped or revoked the grant, and said why.
    Stopped(Arc<String>),
    /// The replica may serve nobody.
    NoLease,
    /// The token is none any more: another one has taken its place.
    Token,
    /// Not now, or not from here.
    Unusable(Unusable),
    /// The grant leads to another server, or is under another policy.
    Moved,
    /// The gateway is stopped.
    Ending,
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(reason) => f.write_str(reason),
            Self::NoLease => f.write_str(
                "This gateway has lost its control plane, so it forwards nothing; it goes on by itself when the control plane is back.",
            ),
            Self::Token => f.write_str("This token is no longer valid: ask the grant's owner for the one that has replaced it."),
            Self::Unusable(why) => {
                let why = why.to_string();
                let mut letters = why.chars();
                let first = letters.next().into_iter().flat_map(char::to_uppercase);
                write!(f, "{}{}.", first.collect::<String>(), letters.as_str())
            }
            Self::Moved => f.write_str("This grant leads elsewhere since this stream was opened: open it again."),
            Self::Ending => f.write_str("This gateway is being stopped."),
        }
    }
}

/// Why nothing more may be done for a caller's request, if so.
pub(crate) fn withdrawn(gateway: &Gateway, caller: &Caller) -> Option<Withdrawn> {
    look(gateway, caller, Work::Request).err()
}

/// Whether the caller's grant still leads where it led when the caller was let in.
pub(crate) fn has_moved(gateway: &Gateway, caller: &Caller) -> bool {
    look(gateway, caller, Work::Listening) == Err(Withdrawn::Moved)
}

/// Waits until nothing more may be done for a caller, and tells why.
pub(crate) async fn until_withdrawn(gateway: &Gateway, caller: &Caller, work: Work) -> Withdrawn {
    // Listening begins before one looks, or a change in between would be missed.
    let mut changes = gateway.changes();
    loop {
        let left = match look(gateway, caller, work) {
            Ok(left) => left,
            Err(withdrawn) => return withdrawn,
        };
        let time_is_over = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reason = caller.grant.until_stopped() => return Withdrawn::Stopped(reason),
            changed = changes.changed() => if changed.is_err() {
                return Withdrawn::Ending;
            },
            () = time_is_over => {}
        }
    }
}

/// For how long the caller is let in if nothing changes, so that one looks again by then; `None` for ever.
fn look(gateway: &Gateway, caller: &Caller, work: Work) -> Result<Option<Duration>, Withdrawn> {
    let last = match work {
        Work::Request => Phase::Ending,
        Work::Listening => Phase::Closing,
    };
    if gateway.phase() >= last {
        return Err(Withdrawn::Ending);
    }
    if let Some(reason) = caller.grant.stopped() {
        return Err(Withdrawn::Stopped(reason));
    }
    let lease = gateway.lease().left().ok_or(Withdrawn::NoLease)?;
    let lease = Some(lease).filter(|left| *left < Duration::MAX);
    // Only a control plane takes anything back.
    if caller.grant.terms.is_none() {
        return Ok(lease);
    }
    let now = Timestamp::now();
    let (lead, until) = match &caller.token {
        Some(token) => gateway.grants().of_digest(token, now).ok_or(Withdrawn::Token)?,
        None => (Arc::clone(&caller.grant).into(), None),
    };
    let there = lead.on(caller.grant.server().id());
    if work == Work::Listening && !there.is_some_and(|grant| Arc::ptr_eq(&grant.binding, &caller.grant.binding)) {
        return Err(Withdrawn::Moved);
    }
    let terms = lead.terms();
    if let (Some(terms), Some(from)) = (terms, caller.client_ip) {
        terms.permit(from, now).map_err(Withdrawn::Unusable)?;
    }
    let ends = [until, terms.and_then(|terms| terms.expires_at)];
    let left = ends.into_iter().flatten().map(|at| {
        // A millisecond at least: the timer's clock is not that of the terms.
        Duration::try_from(at.duration_since(now)).unwrap_or_default().max(Duration::from_millis(1))
    });
    Ok(left.chain(lease).min())
}
