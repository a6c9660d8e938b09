//! One module a command.

pub mod access;
pub mod agent;
pub mod apply;
pub mod audit;
pub mod backup;
pub mod catalogue;
pub mod classify;
pub mod clients;
pub mod completions;
pub mod connect;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod grant;
pub mod init;
pub mod keys;
pub mod limits;
pub mod logs;
pub mod man;
pub mod people;
pub mod policy;
pub mod promote;
pub mod run;
pub mod sandbox;
pub mod scan;
pub mod serve;
pub mod server;
pub mod status;
pub mod stops;
pub mod undo;
pub mod wrap;

/// A number of things, as people say it: `1 record`, `2 records`.
fn counted(number: impl std::fmt::Display, thing: &str) -> String {
    let number = number.to_string();
    let end = if number == "1" { "" } else { "s" };
    format!("{number} {thing}{end}")
}
