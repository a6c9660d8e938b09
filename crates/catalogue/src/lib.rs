//! What is known of MCP servers and their tools.
//!
//! The rules are pure: which entries are one server ([`identity`]), who publishes it, which names are
//! no tools ([`junk`]), which server is a copy of which ([`forks`]), which could be taken for another
//! ([`impostors`]). Around them: lines that are read
//! ([`entry`]), the import that writes them into the store ([`import`]), the search index that is
//! made from it ([`index`]), what pages say ([`pages`]), and which servers a client's configuration
//! names ([`pasted`]). Registries are read over HTTPS ([`registry`]), what those of
//! packages say of one package when it is asked for ([`crawl`]),
//! and the public part goes from one catalogue to another in a signed file ([`snapshot`]). What became publicly known of
//! servers is compiled in ([`incidents`]). What an operator scanned comes in as it was seen ([`scanned`]). What it begins with is compiled in ([`starter`]).

pub mod address;
pub mod copies;
pub mod crawl;
pub mod entry;
pub mod forks;
pub mod identity;
pub mod import;
pub mod impostors;
pub mod incidents;
pub mod index;
mod judge;
pub mod junk;
mod language;
mod lines;
pub mod overrides;
pub mod pages;
pub mod pasted;
pub mod publisher;
pub mod registry;
mod resolve;
pub mod scanned;
pub mod show;
pub mod since;
pub mod snapshot;
pub mod start;
pub mod starter;
