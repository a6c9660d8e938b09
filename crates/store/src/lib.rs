//! The data directory: counts shared by processes, audit segments, children that were started.

pub mod log;
