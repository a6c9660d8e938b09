//! Real definitions and our own: their classes, findings, recommended rules and attack patterns.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that is wrong about its own input should fail")]

mod attacks_page;
mod bounds;
mod classes;
mod corpus;
mod findings;
mod patterns;
mod prose;
mod recommend;
