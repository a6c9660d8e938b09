//! What pages say: values made from the store, which `web` shows as HTML, Markdown and JSON.

pub mod census;
pub mod changes;
pub mod family;
pub mod kin;
pub mod known;
pub mod lists;
pub mod recommended;
pub mod server;
pub mod stack;
pub mod summary;
pub mod tool;
