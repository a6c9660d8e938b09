//! The command line of `server`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataOptions;

/// Commands about servers.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate server held --policy policy.json
  toolgate server accept --policy policy.json")]
pub enum ServerCommand {
    /// Show which definitions are held, what they change, and who has called them meanwhile
    Held(HeldOptions),
    /// Show which definitions are held and accept them
    Accept(AcceptOptions),
}

/// Where pins lie.
#[derive(Debug, Args, Clone, Default)]
pub struct PinPlace {
    /// The policy beside which the lock file lies
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lock", "config"])]
    pub policy: Option<PathBuf>,
    /// The lock file [default: toolgate.lock in this directory, or what the configuration says]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// The configuration whose servers are meant
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `server held`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate server held --policy policy.json
  toolgate server held files --config toolgate.toml --json")]
pub struct HeldOptions {
    /// The server's id; else all
    #[arg(value_name = "SERVER")]
    pub server: Option<String>,
    /// The place.
    #[command(flatten)]
    pub place: PinPlace,
}

/// Options of `server accept`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate server accept --policy policy.json
  toolgate server accept files write_file --config toolgate.toml --class write_file=write
  toolgate server accept --lock toolgate.lock --all -- mcp-server-filesystem /srv/work")]
pub struct AcceptOptions {
    /// The server's id; else all
    #[arg(value_name = "SERVER")]
    pub server: Option<String>,
    /// The tools to accept
    #[arg(value_name = "TOOL")]
    pub tools: Vec<String>,
    /// Accept every definition that is shown, without asking
    #[arg(long, conflicts_with = "tools")]
    pub all: bool,
    /// The risk class of a tool, in place of the classifier's: read, write, execute, destructive, financial
    #[arg(long, value_name = "TOOL=CLASS")]
    pub class: Vec<String>,
    /// The place.
    #[command(flatten)]
    pub place: PinPlace,
    /// Ask the endpoint itself for its tools, rather than take what a gateway saw last
    #[arg(long, value_name = "URL", conflicts_with_all = ["program", "config"])]
    pub upstream: Option<String>,
    /// A header for it: 'NAME: VALUE', where ${VARIABLE} is taken from the environment
    #[arg(long, value_name = "HEADER", requires = "upstream")]
    pub header: Vec<String>,
    /// A program to ask for its tools, after --
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "config")]
    pub program: Vec<OsString>,
}
