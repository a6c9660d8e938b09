//! The data directory: counts shared by processes, audit segments, children that were started.
//!
//! Nothing else reads or writes it, and any number of processes may share it.

pub mod counts;
mod data_dir;
pub mod keys;
pub mod log;
pub mod processes;

pub use data_dir::{BadDataDir, DataDir};
