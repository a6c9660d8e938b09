//! The command line of `server`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AcceptWord, ApiOptions, AskedOptions, DataOptions, ReasonOptions, TransportWord};

/// Commands about servers.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate server held --policy policy.json
  toolgate server accept --policy policy.json
  toolgate server add crm --url https://crm.example.com/mcp --header-from Authorization=CRM_TOKEN --policy careful")]
pub enum ServerCommand {
    /// Show which definitions are held, what they change, and who has called them meanwhile
    Held(HeldOptions),
    /// Show which definitions are held and accept them
    Accept(AcceptOptions),
    /// List the servers of an instance
    #[command(after_long_help = "\
Examples:
  toolgate server list
  toolgate server list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Show a server of an instance, without its secrets
    #[command(after_long_help = "\
Examples:
  toolgate server show crm")]
    Show {
        /// The server
        #[arg(value_name = "SERVER")]
        server: String,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Register a server at an instance
    #[command(after_long_help = "\
Examples:
  toolgate server add crm --url https://crm.example.com/mcp --header-from Authorization=CRM_TOKEN --policy careful
  toolgate server add files --policy careful --accept first -- mcp-server-filesystem /srv/work")]
    Add {
        /// Its name, as in /mcp/NAME/: 1 to 40 of a-z, 0-9 and -
        #[arg(value_name = "NAME")]
        name: String,
        /// How it is reached.
        #[command(flatten)]
        reach: ReachOptions,
        /// What it is trusted with.
        #[command(flatten)]
        settings: SettingOptions,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Change a server of an instance; what is not named stays
    #[command(after_long_help = "\
Examples:
  toolgate server set crm --policy strict --reason reviewed
  toolgate server set crm --header-from Authorization=CRM_TOKEN --reason 'a new token'")]
    Set {
        /// The server
        #[arg(value_name = "SERVER")]
        server: String,
        /// How it is reached.
        #[command(flatten)]
        reach: ReachOptions,
        /// What it is trusted with.
        #[command(flatten)]
        settings: SettingOptions,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Remove a server of an instance; grants for it alone are revoked for good
    #[command(after_long_help = "\
Examples:
  toolgate server remove crm --reason 'no longer used'")]
    Remove {
        /// The server
        #[arg(value_name = "SERVER")]
        server: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Say of a tool, against its own words, which class it has; or list what was said
    Override(OverrideOptions),
}

/// How a server of an instance is reached.
#[derive(Debug, Args, Default)]
pub struct ReachOptions {
    /// Its endpoint, of Streamable HTTP or of HTTP+SSE: which of both is found out
    #[arg(long, value_name = "URL", conflicts_with = "program")]
    pub url: Option<String>,
    /// How the endpoint is spoken to, where that is not to be found out
    #[arg(long, value_name = "TRANSPORT", value_enum, conflicts_with = "program")]
    pub transport: Option<TransportWord>,
    /// A header for it: 'NAME: VALUE', where ${VARIABLE} is taken from the environment of this command
    #[arg(long, value_name = "HEADER", conflicts_with = "program")]
    pub header: Vec<String>,
    /// A header for it whose value is that of a variable of this command's environment
    #[arg(long, value_name = "NAME=VARIABLE", conflicts_with = "program")]
    pub header_from: Vec<String>,
    /// A file with headers as --header takes them, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "program")]
    pub header_file: Vec<PathBuf>,
    /// A file of your own, mode 0600, with variables for the program, NAME="value" a line
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// The program that is the server, after --
    #[arg(last = true, value_name = "COMMAND")]
    pub program: Vec<String>,
}

/// What a server of an instance is trusted with.
#[derive(Debug, Args, Default)]
pub struct SettingOptions {
    /// Its name for people
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The policy of grants that have none of their own
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,
    /// Give it no policy: grants without their own can call nothing
    #[arg(long, conflicts_with = "policy")]
    pub no_policy: bool,
    /// How it reads numbers: exact keeps every digit
    #[arg(long, value_name = "HOW", value_parser = ["binary64", "exact"])]
    pub numbers: Option<String>,
    /// What denials tell the agent: full names the operands that were compared
    #[arg(long, value_name = "HOW", value_parser = ["plain", "full"])]
    pub denials: Option<String>,
    /// When definitions are accepted without a person
    #[arg(long, value_name = "WHEN", value_enum)]
    pub accept: Option<AcceptWord>,
    /// Whether changes of nothing but spelling are accepted without a person
    #[arg(long, value_name = "BOOL")]
    pub accept_cosmetic: Option<bool>,
    /// Whether it may be asked over http at a public address, where everybody on the way reads what is sent
    #[arg(long, value_name = "BOOL")]
    pub plain_http: Option<bool>,
    /// Calls that may be under way at once
    #[arg(long, value_name = "N")]
    pub calls_at_once: Option<u32>,
    /// Seconds until a connection stands
    #[arg(long, value_name = "SECONDS")]
    pub connect_seconds: Option<u32>,
    /// Seconds until an answer begins
    #[arg(long, value_name = "SECONDS")]
    pub first_byte_seconds: Option<u32>,
    /// Seconds between two pieces of an answer
    #[arg(long, value_name = "SECONDS")]
    pub idle_seconds: Option<u32>,
    /// Bytes that a list of it may have, all pages together
    #[arg(long, value_name = "BYTES")]
    pub list_bytes: Option<u32>,
}

/// Options of `server override`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate server override crm
  toolgate server override crm export --class read --facet bulk=true --reason 'reads much'
  toolgate server override crm export --clear --reason 'its own words are right'")]
pub struct OverrideOptions {
    /// The server
    #[arg(value_name = "SERVER")]
    pub server: String,
    /// The tool [default: list what was said of all]
    #[arg(value_name = "TOOL")]
    pub tool: Option<String>,
    /// The class that it has: read, write, execute, destructive, financial, unclassified
    #[arg(long, value_name = "CLASS", requires = "tool")]
    pub class: Option<String>,
    /// A facet that it has, or has not
    #[arg(long, value_name = "NAME=BOOL", requires = "tool")]
    pub facet: Vec<String>,
    /// Take back what was said
    #[arg(long, conflicts_with_all = ["class", "facet"], requires = "tool")]
    pub clear: bool,
    /// Why.
    #[command(flatten)]
    pub why: ReasonOptions,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
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
    /// The instance that holds them, in place of a lock file: named here or by $TOOLGATE_INSTANCE.
    #[command(flatten)]
    pub instance: AskedOptions,
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
    /// The instance that holds them, in place of a lock file: named here or by $TOOLGATE_INSTANCE.
    #[command(flatten)]
    pub instance: AskedOptions,
    /// Why, for the admin events of the instance
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// A program to ask for its tools, after --
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "config")]
    pub program: Vec<OsString>,
}
