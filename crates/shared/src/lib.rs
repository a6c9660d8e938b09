//! Redis or Valkey, for what replicas share: counts, and news.
//!
//! [`Counts`] takes all limits of a call in one script, by Redis's own clock, in one round trip. [`News`] tells other
//! replicas that something has changed. Both go through a link that gives up after a time limit, fails at
//! once from then on, and comes back by itself.
//!
//! Redis may lose what it was told. Lost counts are noticed and waited out, see [`Unknown`]; lost news are noticed and
//! told as [`Heard::MayHaveMissed`]. What Redis cannot promise is said in `docs/redis.md`.

mod counts;
mod link;
mod news;
mod options;

pub use counts::{Beside, Counts, Known};
pub use news::{Heard, Hearing, News};
pub use options::{BadOptions, Options, Restarts, Timeout, Unknown};
