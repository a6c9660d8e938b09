//! Windows, amounts and counts: how much of a limit is used and when it frees, without any IO.
//!
//! A limit of a policy becomes a [`Take`]: so much of a count (named by its [`CountId`]), at most
//! `max` in a [`Window`]. [`Counters`] is whatever keeps the counts: [`Memory`] in one process, the
//! file of the `store` crate for all processes that share a data directory. Both keep a [`slot::Slot`]
//! a count, so that the arithmetic of windows exists once, and both pass the cases of [`conformance`].
//!
//! What holds for every form:
//!
//! - All takes of one call are granted together or not at all, in one step.
//! - Never is more than `max` granted in a window, and nothing is denied while a unit is unused.
//! - A rolling window is kept in sixtieths: no span of its length ever holds more than `max`; a use
//!   may free up to a sixtieth of the window late.
//! - A calendar window is the calendar's in a time zone; across its edge twice `max` may pass.
//! - Time that runs backwards frees nothing early, see [`Moment`].

pub mod conformance;
pub mod slot;

mod amount;
mod count_id;
mod counters;
mod fold;
mod memory;
mod moment;
mod receipt;
mod window;

pub use amount::{Amount, AmountError};
pub use count_id::{CountId, Identity, IdentityError};
pub use counters::{Counters, Full, StoreDown, Take, Taken, Use};
pub use fold::{Folded, fold};
pub use memory::Memory;
pub use moment::Moment;
pub use receipt::{Hold, Receipt};
pub use window::{Kind, LONGEST_ROLLING, Span, Window, WindowError};
