//! Real definitions and our own: their classes, findings and recommended rules.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that is wrong about its own input should fail")]

mod classes;
mod corpus;
mod findings;
mod recommend;
