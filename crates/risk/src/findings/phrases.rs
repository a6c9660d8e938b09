//! The rules that look for words, and their words.

pub(crate) mod data;
pub(crate) mod markup;
pub(crate) mod others;
pub(crate) mod overriding;
pub(crate) mod secrecy;
