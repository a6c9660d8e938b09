//! The command line of `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataOptions;

/// Commands about policies.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate policy check policy.json
  toolgate policy test policy.json")]
pub enum PolicyCommand {
    /// Say everything that is wrong with a policy
    Check(PolicyCheck),
    /// Show how one call is decided, and why
    Explain(PolicyExplain),
    /// Run the tests that a policy brings
    Test(PolicyTest),
    /// Open a wrapped server's policy in $VISUAL or $EDITOR, and take the edit only when it is valid
    Edit(PolicyEdit),
}

/// Options of `policy edit`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy edit github")]
pub struct PolicyEdit {
    /// The server, by its name in `toolgate status`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `policy check`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy check policy.json
  toolgate policy check --tools tools.json policy.json")]
pub struct PolicyCheck {
    /// The policy files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A list of tools, in any form that `scan --file` reads, to check the rules against
    #[arg(long, value_name = "FILE")]
    pub tools: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `policy explain`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy explain policy.json write_file '{\"path\": \"/etc/passwd\"}'
  toolgate policy explain policy.json delete_file --class destructive --json")]
pub struct PolicyExplain {
    /// The policy file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The tool that is called
    #[arg(value_name = "TOOL")]
    pub tool: String,
    /// The call's arguments, as a JSON object
    #[arg(value_name = "ARGUMENTS", default_value = "{}")]
    pub arguments: String,
    /// The tool's risk class, as if a person had set it; else what its definition in --tools says, which nobody has
    /// accepted; else unclassified
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// A list of tools, in any form that `scan --file` reads, that has the tool's schema
    #[arg(long, value_name = "FILE")]
    pub tools: Option<PathBuf>,
    /// Print the derivation as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `policy test`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy test policy.json
  toolgate policy test --tools tools.json --json policy.json")]
pub struct PolicyTest {
    /// The policy files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A list of tools, in any form that `scan --file` reads, that has the tools' schemas
    #[arg(long, value_name = "FILE")]
    pub tools: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}
