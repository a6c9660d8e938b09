//! The command line of `scan`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::DataOptions;

/// How strict a recommended policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TemperWord {
    /// Nothing is stopped; what the balanced rules would stop is recorded
    Observe,
    /// Reading is free, changes are limited, deletions and payments need a person (for now: refused)
    Balanced,
    /// Reading within bounds, changes need a person (for now: refused), what is worse does not exist
    LockedDown,
}

/// What is the operator's in rules that are made by what tools can do.
#[derive(Debug, Args, Clone, Default)]
pub struct BoundOptions {
    /// For rules that are made: a domain to which mail may go
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Vec<String>,
    /// For rules that are made: a folder, as an absolute path, below which files may be touched
    #[arg(long, value_name = "FOLDER")]
    pub root: Vec<String>,
    /// For rules that are made: a host that may be asked; *.example.com is any below
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// For rules that are made: the most that one call may spend, in the unit of the tool's argument
    #[arg(long, value_name = "AMOUNT")]
    pub cap: Option<u64>,
}

impl BoundOptions {
    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.domain.is_empty() && self.root.is_empty() && self.host.is_empty() && self.cap.is_none()
    }
}

/// Options of `scan`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate scan -- npx -y @modelcontextprotocol/server-filesystem /tmp
  toolgate scan --config ~/.cursor/mcp.json
  toolgate scan --policy balanced --upstream https://mcp.example.com/mcp > policy.json")]
pub struct ScanOptions {
    /// The Streamable HTTP endpoint of a server
    #[arg(long, value_name = "URL", group = "source")]
    pub upstream: Option<String>,
    /// A client's configuration: all servers in it (JSON of Claude, Cursor, VS Code and others of that form; TOML of Codex; YAML of Goose and Continue)
    #[arg(long, value_name = "FILE", group = "source")]
    pub config: Option<PathBuf>,
    /// A list of tools: a tools/list result, a response that holds one, an array, or one tool a line
    #[arg(long, value_name = "FILE", group = "source")]
    pub file: Option<PathBuf>,
    /// The program that is the server, after --
    #[arg(last = true, value_name = "COMMAND", group = "source")]
    pub program: Vec<OsString>,
    /// A header for the server: 'NAME: VALUE', where ${VARIABLE} is taken from the environment
    #[arg(long, value_name = "HEADER", conflicts_with_all = ["config", "file"])]
    pub header: Vec<String>,
    /// A file with such headers, one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "file"])]
    pub header_file: Vec<PathBuf>,
    /// Start what --config names without asking, if the file is your own
    #[arg(long, requires = "config")]
    pub yes: bool,
    /// With --yes: also if the file lies in a project, where others may have written it
    #[arg(long, requires = "yes")]
    pub project: bool,
    /// Print what was found as JSON
    #[arg(long, group = "output")]
    pub json: bool,
    /// Print the findings as SARIF 2.1.0, for code scanning
    #[arg(long, group = "output")]
    pub sarif: bool,
    /// Print what was found as Markdown
    #[arg(long, group = "output")]
    pub markdown: bool,
    /// Print a policy for these tools and nothing else
    #[arg(long, value_name = "TEMPER", value_enum, group = "output")]
    pub policy: Option<TemperWord>,
    /// What rules may name.
    #[command(flatten)]
    pub bounds: BoundOptions,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Do not keep this scan for comparison with the next
    #[arg(long)]
    pub no_save: bool,
}
