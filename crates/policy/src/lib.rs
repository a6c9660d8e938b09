//! The policy language: parse with positions, diagnose, compile, decide and explain, without any IO.

pub mod arguments;
pub mod condition;
pub mod operand;
pub mod path;
pub mod pattern;
pub mod text;
pub mod tool_schema;
