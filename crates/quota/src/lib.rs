//! Windows, amounts and counts: how much of a limit is used and when it frees, without any IO.
//!
//! The arithmetic of one count is a [`Slot`]; every form of the store keeps slots, in memory or in a
//! file, and asks them the same questions. What a form must do is said by [`Counters`], and shown by
//! [`conformance`].

mod amount;
pub mod conformance;
mod count;
mod counters;
mod memory;
mod slot;
mod window;

pub use amount::{Amount, NotAnAmount};
pub use count::{CountId, Kind, Named, Take, is_of};
pub use counters::{Counters, Folded, Full, Held, Receipt, StoreDown, Taken, Use, fold};
pub use memory::Memory;
pub use slot::{BUCKETS, Bucket, Slot};
pub use window::Window;
