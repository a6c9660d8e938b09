//! The language from the outside: documents in, decisions out.

mod access;
mod asking;
mod diagnostics;
mod documentation;
mod evaluation;
mod explaining;
mod limits;
mod listing;
mod merging;
mod observe;
mod properties;
mod rule_ids;
mod schema;
mod seeds;
