//! What people, programs and search engines see of the catalogue.
//!
//! A page is one value ([`page::Page`]): what it says is decided once, by `catalogue::pages`, and shown as
//! HTML, Markdown or JSON. All pages are rendered here, on the server, and need no script.

mod arguments;
mod asked;
mod assets;
mod chosen;
pub mod control_api;
mod counts;
mod failure;
mod feeds;
mod form;
mod head;
mod json;
mod layout;
pub mod mcp;
pub mod page;
mod pages;
mod parameter;
mod question;
mod routes;
mod site;
mod text;
mod texts;

pub use routes::Web;
pub use site::{Audience, Site};
