//! What every form of the store of counts can do.

use jiff::Timestamp;
use smallvec::{SmallVec, smallvec};

use crate::{Amount, Bucket, CountId, Kind, Take, Window};
use jiff::tz::TimeZone;

/// Keeps counts. All takes of a call are taken in one atomic step, or none is.
pub trait Counters: Send + Sync {
    /// Takes everything or nothing.
    ///
    /// # Errors
    /// [`StoreDown`] when the counts cannot be reached in time: nothing was taken.
    fn take(&self, takes: &[Take], now: Timestamp) -> Result<Taken, StoreDown>;

    /// Whether everything would fit: the first that would not.
    ///
    /// # Errors
    /// [`StoreDown`] when the counts cannot be reached in time.
    fn look(&self, takes: &[Take], now: Timestamp) -> Result<Option<Full>, StoreDown>;

    /// Gives back what was taken: a use to the bucket that it came from, a call in flight to its
    /// count. A receipt can be used once.
    ///
    /// # Errors
    /// [`StoreDown`]: the units stay taken.
    fn give_back(&self, receipt: Receipt, now: Timestamp) -> Result<(), StoreDown>;

    /// Every count that is not zero.
    ///
    /// # Errors
    /// [`StoreDown`] when the counts cannot be read.
    fn snapshot(&self, now: Timestamp) -> Result<Vec<Use>, StoreDown>;

    /// Forgets what is used of a count in a window, by its identity as [`snapshot`](Self::snapshot) shows it. Tells
    /// whether anything was. Calls in flight are not forgotten: they end by themselves.
    ///
    /// # Errors
    /// [`StoreDown`] when the counts cannot be reached.
    fn reset(&self, id: &str) -> Result<bool, StoreDown>;

    /// To be called every ten seconds, so that calls in flight of this process stay counted.
    fn heartbeat(&self, now: Timestamp) {
        let _ = now;
    }

    /// To be called every second, so that a loss of power costs no more than that.
    fn sync(&self) {}
}

/// The counts cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the counts cannot be reached: {reason}")]
pub struct StoreDown {
    /// Why, and what to do about it.
    pub reason: String,
}

/// What came of a take.
#[derive(Debug)]
pub enum Taken {
    /// All was taken.
    Granted(Receipt),
    /// Nothing was taken.
    Full(Full),
}

/// A limit that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// Its place among the takes.
    pub index: usize,
    /// What is used.
    pub used: Amount,
    /// The most that may be used.
    pub max: Amount,
    /// When the take will fit; `None` if that is not known or never.
    pub frees_at: Option<Timestamp>,
}

/// One unit that was taken, as a receipt holds it.
#[derive(Debug)]
pub struct Held {
    /// The places of all takes that it stands for.
    pub indices: SmallVec<[usize; 2]>,
    /// The count.
    pub id: CountId,
    /// What is counted.
    pub kind: Kind,
    /// Where it was counted.
    pub bucket: Bucket,
    /// How much.
    pub amount: Amount,
}

/// Proof of what was taken. It cannot be copied, so nothing is given back twice.
#[derive(Debug, Default)]
pub struct Receipt {
    held: SmallVec<[Held; 1]>,
    generation: u64,
}

impl Receipt {
    /// A receipt of these units.
    #[must_use]
    pub fn new(held: SmallVec<[Held; 1]>) -> Self {
        Self { held, generation: 0 }
    }

    /// The same receipt, of a store that can lose all it knew: of the generation of counts that the
    /// units were taken from, so that none goes back to a later one, which never saw them.
    #[must_use]
    pub fn of_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    /// The generation of counts that it belongs to; 0 where a store has only one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The units.
    #[must_use]
    pub fn into_held(self) -> SmallVec<[Held; 1]> {
        self.held
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The places of the takes that it stands for.
    pub fn indices(&self) -> impl Iterator<Item = usize> {
        self.held.iter().flat_map(|held| held.indices.iter().copied())
    }

    /// Parts it in two: units all of whose takes are chosen, and the rest.
    #[must_use]
    pub fn split(self, chosen: impl Fn(usize) -> bool) -> (Self, Self) {
        let (part, rest) = self.held.into_iter().partition(|held| held.indices.iter().all(|index| chosen(*index)));
        let generation = self.generation;
        (Self { held: part, generation }, Self { held: rest, generation })
    }
}

/// A count that is not zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The identity, as text.
    pub id: String,
    /// What is used.
    pub used: Amount,
    /// The last maximum that was asked for.
    pub max: Amount,
    /// When all of it will have freed, where that is known.
    pub frees_at: Option<Timestamp>,
}

/// Takes of one call, identical counts folded into one under the smallest maximum: such a count is
/// taken once, with the largest amount.
#[must_use]
pub fn fold(takes: &[Take]) -> SmallVec<[Folded<'_>; 2]> {
    let mut folded: SmallVec<[Folded<'_>; 2]> = SmallVec::new();
    for (index, take) in takes.iter().enumerate() {
        match folded.iter_mut().find(|other| *other.id == take.id) {
            Some(other) => {
                other.indices.push(index);
                if take.max < other.max {
                    other.max = take.max;
                    other.strictest = index;
                }
                other.amount = other.amount.max(take.amount);
            }
            None => folded.push(Folded {
                id: &take.id,
                indices: smallvec![index],
                strictest: index,
                window: take.window,
                zone: &take.zone,
                kind: take.kind,
                max: take.max,
                amount: take.amount,
            }),
        }
    }
    folded
}

/// One count of a call.
#[derive(Debug)]
pub struct Folded<'a> {
    /// The count.
    pub id: &'a CountId,
    /// The places of all takes of it.
    pub indices: SmallVec<[usize; 2]>,
    /// The place of the take with the smallest maximum.
    pub strictest: usize,
    /// The window; `None` for calls in flight.
    pub window: Option<Window>,
    /// The zone of calendar windows.
    pub zone: &'a TimeZone,
    /// What is counted.
    pub kind: Kind,
    /// The smallest maximum.
    pub max: Amount,
    /// The largest amount.
    pub amount: Amount,
}
