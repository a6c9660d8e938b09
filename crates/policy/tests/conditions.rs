//! Conditions, tables and properties; the attacks on amounts and paths; the JSON Schema test suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "conditions/attacks.rs"]
mod attacks;
#[path = "conditions/operators.rs"]
mod operators;
#[path = "conditions/properties.rs"]
mod properties;
#[path = "conditions/schema_suite.rs"]
mod schema_suite;
#[path = "conditions/structure.rs"]
mod structure;
#[path = "conditions/support.rs"]
mod support;
