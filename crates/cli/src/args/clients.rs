//! Options of the commands about MCP clients.

use std::path::PathBuf;

use clap::Args;

use super::DataOptions;

/// Options of `clients`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate clients
  toolgate clients --project ~/work/site --json")]
pub struct ClientsOptions {
    /// The project whose files are looked at [default: the current directory]
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `wrap` and `unwrap`.
#[derive(Debug, Args)]
pub struct WrapOptions {
    /// Only these clients, by the words of `toolgate clients`
    #[arg(value_name = "CLIENT")]
    pub clients: Vec<String>,
    /// Only the server of this name
    #[arg(long, value_name = "NAME")]
    pub server: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Also the files of the project in the current directory, which others may share
    #[arg(long)]
    pub project: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `undo`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate undo
  toolgate undo --all")]
pub struct UndoOptions {
    /// What the last run of wrap or unwrap changed; so without an option too
    #[arg(long, conflicts_with = "all")]
    pub last: bool,
    /// Every change that is not undone yet
    #[arg(long)]
    pub all: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}
