//! Streams on which agents listen: each holds a connection here and one at the server for as long as its agent likes, so
//! they are counted and bounded. Streams that answer a call end with it, and are bounded as calls are.

use std::sync::Arc;

use crate::bounded::{Bounded, Full, Place};
use crate::caller::Caller;
use crate::refusal::{self, Refusal};

/// Streams of one grant at this gateway.
const OF_A_GRANT: usize = 64;

/// Streams at this gateway.
const IN_ALL: usize = 4096;

/// A grant, by its server and what tells it from the others there.
type Holder = (String, String);

/// A stream that is open; dropped, it is no more.
pub(crate) type OpenStream = Place<Holder>;

/// The streams that are open.
pub(crate) struct Streams(Arc<Bounded<Holder>>);

impl Default for Streams {
    fn default() -> Self {
        Self(Bounded::new(OF_A_GRANT, IN_ALL))
    }
}

impl Streams {
    /// Opens one for a caller, or says what the agent reads: `id` is that of its request.
    pub(crate) fn open(&self, caller: &Caller, id: &str) -> Result<OpenStream, Refusal> {
        self.open_at(caller.grant.server().id(), caller.grant.key(), id)
    }

    /// The same for one that is with no server alone.
    pub(crate) fn open_at(&self, place: &str, grant: &str, id: &str) -> Result<OpenStream, Refusal> {
        self.0.take((place.to_owned(), grant.to_owned())).map_err(|full| {
            let (text, status) = match full {
                Full::Each(most) => {
                    (format!("this grant has {most} streams open here, which is the most; close one first"), 429)
                }
                Full::All(most) => {
                    (format!("{most} streams are open at this gateway, which is the most; ask again later"), 503)
                }
            };
            refusal::error(id, refusal::code::DENIED, &text, status)
        })
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.0.taken()
    }
}
