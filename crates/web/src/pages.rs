//! One module a page: its head, its HTML, its Markdown.

pub(crate) mod attack;
pub(crate) mod attacks;
pub(crate) mod changes;
pub(crate) mod clients;
pub(crate) mod glossary;
pub(crate) mod home;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod servers;
pub(crate) mod shelf;
pub(crate) mod stack;
pub(crate) mod tool;
