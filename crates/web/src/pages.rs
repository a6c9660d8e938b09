//! One module a page: its head, its HTML, its Markdown.

pub(crate) mod home;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod stack;
pub(crate) mod tool;
