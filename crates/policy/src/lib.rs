//! The policy language: parse with positions, diagnose, compile, decide and explain, without any IO.
//!
//! [`load`] turns a document into a [`Policy`] and findings. [`Policy::for_tool`] merges the rules of one tool once;
//! [`ToolRules::decide`] judges each call. Nothing here reads a clock, a file or the network, and nothing is counted:
//! a [`Decision`] names the limits that the caller takes.

pub mod access;
pub mod arguments;
pub mod cases;
pub mod condition;
pub mod decision;
pub mod diagnostic;
mod document;
mod entry;
pub mod explain;
pub mod facts;
pub mod limit;
pub mod lint;
mod opening;
pub mod operand;
pub mod path;
pub mod pattern;
mod policy;
pub mod refusal;
pub mod results;
pub mod rule_id;
pub mod schema;
mod source;
mod suggest;
pub mod text;
mod tool_rules;
pub mod tool_schema;

pub use crate::decision::{Access, Decision, Effect, Would};
pub use crate::diagnostic::Diagnostic;
pub use crate::document::{Load, Loaded, load};
pub use crate::entry::Approval;
pub use crate::facts::{Call, Class, GrantFacts, ToolFacts};
pub use crate::limit::{Count, Limit, LimitUse, LimitUses, OnStoreDown, Refund, Scope};
pub use crate::operand::Numbers;
pub use crate::policy::Policy;
pub use crate::rule_id::RuleId;
pub use crate::source::MAX_BYTES;
pub use crate::tool_rules::ToolRules;
