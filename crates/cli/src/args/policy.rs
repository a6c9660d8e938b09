//! The command line of `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ApiOptions, AskedOptions, DataOptions, ReasonOptions};

/// Commands about policies.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate policy check policy.json
  toolgate policy test policy.json
  toolgate policy put careful policy.json --publish --reason 'mails only to customers'
  toolgate policy rollback careful --to 3 --reason 'it stopped too much'")]
pub enum PolicyCommand {
    /// Say everything that is wrong with a policy
    Check(PolicyCheck),
    /// Show how one call is decided, and why
    Explain(PolicyExplain),
    /// Run the tests that a policy brings
    Test(PolicyTest),
    /// Open a policy in $VISUAL or $EDITOR, and take the edit only when it is valid: a wrapped server's, or an instance's
    Edit(PolicyEdit),
    /// List the policies of an instance
    #[command(after_long_help = "\
Examples:
  toolgate policy list
  toolgate policy list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Print what a policy of an instance says
    Show(PolicyShow),
    /// List the versions of a policy of an instance, and when each was put in force, by whom and why
    #[command(after_long_help = "\
Examples:
  toolgate policy history careful
  toolgate policy history careful --json")]
    History {
        /// The policy
        #[arg(value_name = "NAME")]
        name: String,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Keep a file as the next version of a policy at an instance; it is not in force before it is published
    Put(PolicyPut),
    /// Put a version of a policy in force on every replica, after its tests
    Publish(PolicyPublish),
    /// Put an older version of a policy in force again
    Rollback(PolicyRollback),
    /// Remove a policy of an instance that nothing names
    #[command(after_long_help = "\
Examples:
  toolgate policy remove careful --reason 'replaced by strict'")]
    Remove {
        /// The policy
        #[arg(value_name = "NAME")]
        name: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Options of `policy show`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy show careful
  toolgate policy show careful --version 3 > careful.json")]
pub struct PolicyShow {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The number of the version [default: the one in force, else the newest]
    #[arg(long, value_name = "N")]
    pub version: Option<u32>,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `policy put`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy put careful policy.json --reason 'mails only to customers'
  toolgate policy put careful policy.json --publish --reason 'mails only to customers'")]
pub struct PolicyPut {
    /// The policy; it is made where there is none of this name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Put it in force, too
    #[arg(long, requires = "reason")]
    pub publish: bool,
    /// Why.
    #[command(flatten)]
    pub why: ReasonOptions,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `policy publish`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy publish careful --dry-run
  toolgate policy publish careful --version 4 --reason reviewed")]
pub struct PolicyPublish {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The number of the version [default: the newest]
    #[arg(long, value_name = "N")]
    pub version: Option<u32>,
    /// Show the difference to what is in force and run the tests, and publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Why: whoever reads the history will want to know
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `policy rollback`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy rollback careful --to 3 --reason 'it stopped too much'")]
pub struct PolicyRollback {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The number of the version; `toolgate policy history` has them
    #[arg(long, value_name = "N")]
    pub to: u32,
    /// Why: whoever reads the history will want to know
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `policy edit`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate policy edit github
  toolgate policy edit careful --instance https://toolgate.example.com --reason 'mails only to customers'")]
pub struct PolicyEdit {
    /// The server, by its name in `toolgate status`; with an instance the policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The instance whose policy is meant: named here or by $TOOLGATE_INSTANCE.
    #[command(flatten)]
    pub place: AskedOptions,
    /// Why, for the admin events of the instance
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
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
