//! The data directory: counts shared by processes, audit segments, children that were started.
//!
//! Nothing else reads or writes it, and any number of processes may share it. Beside it, the lock file
//! of pinned definitions, which may lie anywhere.

mod at_once;
pub mod catalogue;
pub mod control;
pub mod counts;
mod data_dir;
mod database;
pub mod keys;
mod lock_file;
pub mod log;
pub mod processes;

pub use data_dir::{BadDataDir, DataDir, may_pass};
pub use database::{BadDatabase, Database};
pub use lock_file::{LockFile, Trace};
