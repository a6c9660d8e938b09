//! One module a command.

pub mod audit;
pub mod demo;
pub mod doctor;
pub mod grant;
pub mod limits;
pub mod logs;
pub mod policy;
pub mod run;
pub mod sandbox;
pub mod serve;
