//! `toolgate catalogue index`: the search index, made anew.

use std::process::ExitCode;

use super::settle::Change;
use crate::args::DataOptions;
use crate::commands::counted;
use crate::failure::{Failure, Trying};
use crate::output::say;

/// Makes it.
pub(super) async fn index(options: &DataOptions) -> Result<ExitCode, Failure> {
    let (data, catalogue) = super::open(options).await?;
    let found = Change::begin(&catalogue, &data)?.settle(true).await?;
    let (servers, tools) = catalogue.size().await.trying("the catalogue")?;
    catalogue.close().await;
    if let Some(found) = found {
        found.say()?;
    }
    say!("The search index is made anew, of {} and {}.", counted(servers, "server"), counted(tools, "tool"))?;
    Ok(ExitCode::SUCCESS)
}
