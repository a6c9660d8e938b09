//! Options of the commands about servers that clients start through toolgate.

use clap::Args;

use super::{BoundOptions, DataOptions, TemperWord};

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `promote`.
#[derive(Debug, Args)]
pub struct PromoteOptions {
    /// Only these servers, by the names of `toolgate status` [default: all whose policy observes]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Rules by what the tools can do: from the definitions that were accepted, beside your own [default: your rules as
    /// they are; where there are none, balanced]
    #[arg(long, value_name = "TEMPER", value_enum)]
    pub temper: Option<TemperWord>,
    /// What rules may name.
    #[command(flatten)]
    pub bounds: BoundOptions,
    /// How far back calls are looked at: 90m, 1h, 7d, or a time
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    pub since: String,
    /// Go back to the policy before the last change of `promote` or `policy edit`
    #[arg(long, requires = "names", conflicts_with = "temper")]
    pub back: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}
