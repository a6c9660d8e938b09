//! Options of the commands about MCP clients.

use std::path::PathBuf;

use clap::Args;

use super::{DataOptions, TemperWord};

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
    /// Make a new policy, under another name, where an earlier server of that name has left one
    #[arg(long)]
    pub new_policy: bool,
    /// Move secrets out of the clients' files, each server's into a file that only you can read
    #[arg(long)]
    pub secrets_to_file: bool,
    /// After wrapping, start each server through the gateway and list its tools; what lists none is put back
    #[arg(long)]
    pub verify: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitOptions {
    /// Only these clients, by the words of `toolgate clients`
    #[arg(value_name = "CLIENT")]
    pub clients: Vec<String>,
    /// Only the server of this name
    #[arg(long, value_name = "NAME")]
    pub server: Vec<String>,
    /// How strict new policies are [default: observe; asked for on a terminal]
    #[arg(long, value_name = "TEMPER", value_enum)]
    pub temper: Option<TemperWord>,
    /// Show what would change, and change nothing; with --yes the servers are started for that
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask: start the servers, and write
    #[arg(long)]
    pub yes: bool,
    /// Also the files of the project in the current directory, which others wrote and may share
    #[arg(long)]
    pub project: bool,
    /// Make a new policy, under another name, where an earlier server of that name has left one
    #[arg(long)]
    pub new_policy: bool,
    /// Move secrets out of the clients' files, each server's into a file that only you can read
    #[arg(long)]
    pub secrets_to_file: bool,
    /// The longest that a server may take to list its tools [default: 180]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub wait: Option<u64>,
    /// Print everything as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `connect`.
#[derive(Debug, Args)]
pub struct ConnectOptions {
    /// The client, by a word of `toolgate clients`
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// The Streamable HTTP endpoint of the server
    #[arg(long, value_name = "URL", conflicts_with = "program", required_unless_present = "program")]
    pub server: Option<String>,
    /// The program that is the server, after --
    #[arg(last = true, value_name = "COMMAND")]
    pub program: Vec<String>,
    /// A header for --server whose value is that of a variable of the client's environment
    #[arg(long, value_name = "NAME=VARIABLE", requires = "server")]
    pub header_from: Vec<String>,
    /// The name of the server in the client [default: after its address or package]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The policy, a file that is there [default: one of that name that observes]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Make a new policy, under another name, where an earlier server of that name has left one
    #[arg(long, conflicts_with = "policy")]
    pub new_policy: bool,
    /// The file of the project in the current directory, which others may share
    #[arg(long)]
    pub project: bool,
    /// After adding it, start the server through the gateway and list its tools; if it lists none it is taken out again
    #[arg(long)]
    pub verify: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do not ask; also where the client was not found
    #[arg(long)]
    pub yes: bool,
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
    /// What the last run of init, connect, wrap or unwrap changed; so without an option too
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
