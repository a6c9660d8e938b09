//! The command line.

mod api;
mod catalogue;
mod clients;
mod grant;
mod instance;
mod policy;
mod redis;
mod scan;
mod server;
mod shell;
mod status;
mod watch;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gateway::connections::ConnectionLimits;
use gateway::http_front::WebOrigin;
use store::control::servers::Transport;

pub use api::{
    ApiOptions, ApplyOptions, AskedOptions, EventsOptions, LoginOptions, LogoutOptions, MemberCommand, OrgCommand,
    ReasonOptions, ReplicasOptions, SetupOptions, TokenCommand, WhoamiOptions,
};
pub use catalogue::{
    AudienceWord, CatalogueCommand, CheckOptions, CrawlOptions, ExportOptions, ImportOptions, KeyOptions, KindWord,
    OverrideOptions, OverridesOptions, PagesOptions, SearchOptions, ShowOptions, SyncOptions,
};
pub use clients::{ClientsOptions, ConnectOptions, InitOptions, UndoOptions, WrapOptions};
pub use grant::{AgentCommand, GrantCommand, GrantSetOptions, MintOptions, ResumeOptions, StopOptions, Stopped};
pub use instance::{BackupOptions, InstanceOptions, KeysCommand, RestoreOptions, TablesOptions};
pub use policy::{
    PolicyCheck, PolicyCommand, PolicyEdit, PolicyExplain, PolicyPublish, PolicyPut, PolicyRollback, PolicyShow,
    PolicyTest,
};
pub use redis::RedisOptions;
pub use scan::{BoundOptions, ScanOptions, TemperWord};
pub use server::{
    AcceptOptions, HeldOptions, OverrideOptions as ToolOverride, PinPlace, ReachOptions, ServerCommand, SettingOptions,
};
pub use shell::{CompletionsOptions, ManOptions, ShellWord};
pub use status::{PromoteOptions, StatusOptions};
pub use watch::WatchOptions;

/// A gateway between AI agents and MCP servers: no call reaches a server without passing your policy.
#[derive(Debug, Parser)]
#[command(
    name = "toolgate",
    version,
    max_term_width = 100,
    after_long_help = "\
Examples:
  toolgate demo
  toolgate scan --config ~/.cursor/mcp.json
  toolgate wrap --dry-run

Exit codes:
  0  done; where something is asked, the answer is yes
  1  the answer is no: a call would not be allowed, something is wrong or was left as it was, an instance refused
  2  wrong usage: an option, a file, a directory or an instance cannot be used; stderr says which
  130, 143  ended by Ctrl-C or SIGTERM while servers were asked
  `toolgate run` ends with the status of its server's program."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Stand between an agent on stdin/stdout and one server
    Run(RunOptions),
    /// Listen for agents over HTTP, in front of one server or many
    Serve(Box<ServeOptions>),
    /// Check, explain, test and edit policies; keep and publish them at an instance
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Say what tools can do: definitions from stdin, a JSON object a line, to one line each
    #[command(after_long_help = "\
Examples:
  toolgate classify < tools.jsonl")]
    Classify,
    /// List the tools of a server, or of all servers of a client, and say what they can do
    Scan(ScanOptions),
    /// Say what the servers of your MCP clients can do, and put the gateway before them, verified
    #[command(after_long_help = "\
Examples:
  toolgate init
  toolgate init --dry-run
  toolgate init --yes --temper balanced")]
    Init(InitOptions),
    /// Add a server to an MCP client, behind the gateway from the beginning
    #[command(after_long_help = "\
Examples:
  toolgate connect cursor -- npx -y @modelcontextprotocol/server-filesystem /tmp
  toolgate connect claude-code --server https://mcp.example.com/mcp --header-from Authorization=EXAMPLE_TOKEN")]
    Connect(ConnectOptions),
    /// The MCP clients of this machine, their servers, and whether the gateway stands before each
    Clients(ClientsOptions),
    /// Put the gateway before the servers in the files of MCP clients
    #[command(after_long_help = "\
Examples:
  toolgate wrap --dry-run
  toolgate wrap cursor --server files
  toolgate wrap --yes --project")]
    Wrap(WrapOptions),
    /// Take the gateway out of the files of MCP clients again
    #[command(after_long_help = "\
Examples:
  toolgate unwrap cursor
  toolgate unwrap --yes --server files")]
    Unwrap(WrapOptions),
    /// What clients start through toolgate: by which policy, and what was decided in the last day
    #[command(after_long_help = "\
Examples:
  toolgate status
  toolgate status --json")]
    Status(StatusOptions),
    /// Let policies that observe stop calls from now on, with what they would have stopped so far
    #[command(after_long_help = "\
Examples:
  toolgate promote --dry-run
  toolgate promote github --temper balanced
  toolgate promote github --back")]
    Promote(PromoteOptions),
    /// Take back what init, connect, wrap and unwrap have changed, byte for byte where nobody else has
    Undo(UndoOptions),
    /// What is known of MCP servers and their tools: import, sync, search, show, check
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Register servers at an instance; look at definitions of tools that are held, and accept them
    #[command(subcommand)]
    Server(ServerCommand),
    /// Make grant tokens; mint, change, rotate and revoke the grants of an instance
    #[command(subcommand)]
    Grant(GrantCommand),
    /// The agents of an instance, which hold grants
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Stop calls at once on every replica of an instance, and show what is stopped
    StopCalls(StopOptions),
    /// Let calls go on that were stopped
    Resume(ResumeOptions),
    /// Bring about at an instance what a toolgate.toml declares: servers, policies, grants
    Apply(ApplyOptions),
    /// Make the first admin of a new instance, with the setup token that its first start printed
    Setup(SetupOptions),
    /// Sign in at an instance, which the commands ask from then on
    Login(LoginOptions),
    /// End the session at an instance, and forget its token
    Logout(LogoutOptions),
    /// Say which instance is asked, and as whom
    Whoami(WhoamiOptions),
    /// The organisations of an instance
    #[command(subcommand)]
    Org(OrgCommand),
    /// The members of an organisation
    #[command(subcommand)]
    Member(MemberCommand),
    /// The API tokens of programs
    #[command(subcommand)]
    Token(TokenCommand),
    /// List who changed what at an instance, when and why
    Events(EventsOptions),
    /// List the replicas that serve an instance
    Replicas(ReplicasOptions),
    /// Write the servers, policies, grants and members of an instance to a file
    Backup(BackupOptions),
    /// Put what `backup` has written into an empty database, of this or the other kind
    Restore(RestoreOptions),
    /// Make, list and rotate the master keys of an instance, in their file
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Verify the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show what was decided, here or at an instance
    Logs(LogsOptions),
    /// Show how much of each limit is used, here or at an instance, and reset it there
    #[command(subcommand)]
    Limits(LimitsCommand),
    /// Look for what is wrong with this installation
    Doctor(DoctorOptions),
    /// Show the gateway at work, with a built-in server and a scripted agent
    Demo(DemoOptions),
    /// Print the script that completes commands and options in a shell
    Completions(CompletionsOptions),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManOptions),
    /// The built-in server of the demo, on stdin and stdout
    #[command(hide = true)]
    Sandbox(SandboxOptions),
}

/// One server and the policy in front of it.
#[derive(Debug, Args, Clone, Default)]
pub struct ServerOptions {
    /// The policy file (JSON; comments are allowed); it is watched, and edits take force at once
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The endpoint of the server, of Streamable HTTP or of HTTP+SSE: which of both is found out
    #[arg(long, value_name = "URL", conflicts_with = "program")]
    pub upstream: Option<String>,
    /// How the endpoint is spoken to, where that is not to be found out
    #[arg(long, value_name = "TRANSPORT", value_enum, requires = "upstream")]
    pub transport: Option<TransportWord>,
    /// The server's id: 1 to 40 of a-z, 0-9 and -
    #[arg(long, value_name = "ID", default_value = "local")]
    pub name: String,
    /// The grant's label
    #[arg(long, value_name = "LABEL", default_value = "local")]
    pub grant: String,
    /// A header for the server: 'NAME: VALUE', where ${VARIABLE} is taken from the environment
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,
    /// A header for the server whose value is that of a variable of the environment
    #[arg(long, value_name = "NAME=VARIABLE")]
    pub header_from: Vec<String>,
    /// A file with headers as --header takes them, one a line
    #[arg(long, value_name = "FILE")]
    pub header_file: Vec<PathBuf>,
    /// The program that is the server, after --
    #[arg(last = true, value_name = "COMMAND")]
    pub program: Vec<OsString>,
}

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportWord {
    /// As it turns out when it is first asked
    #[default]
    Auto,
    /// HTTP+SSE, the transport of 2024-11-05
    Sse,
}

impl TransportWord {
    /// The transport that need not be found out.
    pub fn said(self) -> Option<Transport> {
        match self {
            Self::Auto => None,
            Self::Sse => Some(Transport::Sse),
        }
    }
}

/// Which definitions of tools are accepted, and where that stands.
#[derive(Debug, Args, Clone, Default)]
pub struct PinOptions {
    /// When definitions are accepted without a person [default: first with --policy, manual with --config]
    #[arg(long, value_name = "WHEN", value_enum)]
    pub accept: Option<AcceptWord>,
    /// Also accept changes of nothing but case, white space and a final full stop of titles and descriptions
    #[arg(long)]
    pub accept_cosmetic: bool,
    /// The lock file of accepted definitions [default: toolgate.lock beside the policy; with --config in the data directory]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
}

/// When definitions are accepted without a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceptWord {
    /// The first list of a server is; what is new or changed later is held
    First,
    /// Nothing is: no tool is listed or called before `toolgate server accept`
    #[default]
    Manual,
}

/// Where data lies.
#[derive(Debug, Args, Clone, Default)]
pub struct DataOptions {
    /// The data directory [default: `data` of the configuration, where one is served; else $TOOLGATE_DATA_DIR, else the platform's place]
    #[arg(long = "data", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// How the product listens.
#[derive(Debug, Args, Clone, Default)]
pub struct TlsOptions {
    /// Listen with TLS: a certificate and those that lead from it to a root, in PEM form; read again when it changes
    #[arg(long = "tls-cert", id = "tls_cert", value_name = "FILE", requires = "tls_key")]
    pub certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM form and without a password; read again when it changes
    #[arg(long = "tls-key", id = "tls_key", value_name = "FILE", requires = "tls_cert")]
    pub key: Option<PathBuf>,
}

/// How many connections are taken.
#[derive(Debug, Args, Clone, Default)]
pub struct ConnectionOptions {
    /// Connections at once; beyond them only the API and the probes of health are answered [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: Option<u32>,
    /// Connections of one address, or requests of one behind a --behind-tls-proxy [default: 1000, of loopback any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_address: Option<u32>,
}

impl ConnectionOptions {
    /// What they come to.
    pub fn limits(&self) -> ConnectionLimits {
        let number = |given: Option<u32>| given.and_then(|given| usize::try_from(given).ok());
        let in_all = number(self.connections).unwrap_or(ConnectionLimits::default().in_all);
        ConnectionLimits { in_all, of_an_address: number(self.connections_per_address) }
    }
}

/// When the record of a call counts as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityWord {
    /// In the file: survives the death of Toolgate
    #[default]
    Buffered,
    /// On disk: survives a loss of power, and each call waits for the disk
    Strict,
}

impl From<DurabilityWord> for store::log::Durability {
    fn from(word: DurabilityWord) -> Self {
        match word {
            DurabilityWord::Buffered => Self::Buffered,
            DurabilityWord::Strict => Self::Strict,
        }
    }
}

/// Options of `run`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate run --policy policy.json -- npx -y @modelcontextprotocol/server-filesystem /tmp
  toolgate run --policy policy.json --name mail --upstream https://mcp.example.com/mcp --header-from Authorization=MAIL_TOKEN")]
pub struct RunOptions {
    /// The server.
    #[command(flatten)]
    pub server: ServerOptions,
    /// A file of your own, mode 0600, with variables for the server and for --header-from, NAME="value" a line
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Accepted definitions.
    #[command(flatten)]
    pub pins: PinOptions,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// When a call's record counts as written, before the call is forwarded
    #[arg(long, value_name = "WHEN", value_enum, default_value = "buffered")]
    pub durability: DurabilityWord,
    /// For how many days the audit log is kept [default: for good]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub keep_days: Option<u32>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate serve
  toolgate serve --config toolgate.toml
  toolgate serve --policy policy.json --upstream https://mcp.example.com/mcp --token-file token
  toolgate serve --policy policy.json --anonymous -- mcp-server-filesystem /srv/work")]
pub struct ServeOptions {
    /// A configuration of several servers and grants (toolgate.toml)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "upstream", "transport", "program", "token", "token_file", "header", "header_from", "header_file"])]
    pub config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The server.
    #[command(flatten)]
    pub server: ServerOptions,
    /// Accepted definitions.
    #[command(flatten)]
    pub pins: PinOptions,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// An instance.
    #[command(flatten)]
    pub instance: InstanceOptions,
    /// When a call's record counts as written, before the call is forwarded [default: buffered]
    #[arg(long, value_name = "WHEN", value_enum, help_heading = "Options")]
    pub durability: Option<DurabilityWord>,
    /// For how many days the audit log is kept, and with an instance what its tables show of it [default: for good]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500), help_heading = "Options")]
    pub keep_days: Option<u32>,
    /// The grant's token, 32 or more printable characters; else --token-file, else $TOOLGATE_TOKEN, else a fresh one
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// A file that holds the token
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Let requests without a token act under the named grant (loopback only)
    #[arg(long, value_name = "LABEL", num_args = 0..=1, require_equals = true, default_missing_value = "local")]
    pub anonymous: Option<String>,
    /// Host names under which the gateway is asked, beside loopback's
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub allow_host: Vec<String>,
    /// Origins whose web pages may use /mcp with a token of theirs, such as https://inspector.example
    #[arg(long, value_name = "ORIGIN", num_args = 1.., value_parser = WebOrigin::parse)]
    pub allow_origin: Vec<WebOrigin>,
    /// TLS.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Addresses of the TLS proxies in front; this or --tls-cert is needed to listen beyond loopback
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    pub behind_tls_proxy: Vec<IpAddr>,
    /// Connections.
    #[command(flatten)]
    pub connections: ConnectionOptions,
    /// Who may see the pages of the catalogue at every other address than /mcp [default: local on loopback, off beyond]
    #[arg(long, value_name = "WHO", value_enum)]
    pub catalogue: Option<AudienceWord>,
    /// Threads that serve; else one a core
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// What is shown of it.
    #[command(flatten)]
    pub watch: WatchOptions,
}

/// Commands about the audit log.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate audit verify")]
pub enum AuditCommand {
    /// Check every record of the log against the chain of hashes
    Verify(AuditVerify),
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate audit verify
  toolgate audit verify --key sha256:0f3c… --head 9b1d…
  toolgate audit verify --data /var/lib/toolgate --json")]
pub struct AuditVerify {
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// A head that was printed before: the log must still hold it
    #[arg(long, value_name = "HEAD")]
    pub head: Option<String>,
    /// The key that must have signed the log: the fingerprint that the first start printed, or a file with the public key
    #[arg(long, value_name = "FINGERPRINT|FILE")]
    pub key: Vec<String>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `logs`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate logs --follow
  toolgate logs -n 20 --effect deny --server files
  toolgate logs --json | jq .tool
  toolgate logs --instance https://toolgate.example.com --since 7d --export csv > decisions.csv")]
pub struct LogsOptions {
    /// The instance whose decisions are meant, of all replicas: named here or by $TOOLGATE_INSTANCE.
    #[command(flatten)]
    pub place: AskedOptions,
    /// Only decisions by this rule, at an instance
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Only decisions under this approval, at an instance
    #[arg(long, value_name = "ID")]
    pub approval: Option<String>,
    /// Only records before this time, at an instance: 90m, 1h, 7d ago, or a time
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Print all of it as ndjson or as csv, from an instance
    #[arg(long, value_name = "FORMAT", value_parser = ["ndjson", "csv"], conflicts_with_all = ["follow", "json", "denied"])]
    pub export: Option<String>,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Go on as records are written
    #[arg(long, short)]
    pub follow: bool,
    /// The last so many records
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    pub lines: usize,
    /// Only records of this time on: 90m, 1h, 7d ago, or a time
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only decisions that did not allow
    #[arg(long, conflicts_with = "effect")]
    pub denied: bool,
    /// Only decisions with this effect: allow, deny, hide or ask
    #[arg(long, value_name = "EFFECT")]
    pub effect: Option<String>,
    /// Only this tool
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
    /// Only this server
    #[arg(long, value_name = "ID")]
    pub server: Option<String>,
    /// Only this grant
    #[arg(long, value_name = "LABEL")]
    pub grant: Option<String>,
    /// Print the records as they lie in the log, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Commands about limits.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate limits show")]
pub enum LimitsCommand {
    /// Show every count that is not zero: of this machine, or of an instance
    #[command(after_long_help = "\
Examples:
  toolgate limits show
  toolgate limits show --instance https://toolgate.example.com --json")]
    Show {
        /// Data.
        #[command(flatten)]
        data: DataOptions,
        /// The instance whose counts are meant: named here or by $TOOLGATE_INSTANCE.
        #[command(flatten)]
        place: AskedOptions,
        /// Print the counts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget what is used of a limit at an instance
    #[command(after_long_help = "\
Examples:
  toolgate limits reset ID --reason 'the customer paid for more'")]
    Reset {
        /// The count, by its id in `toolgate limits show`
        #[arg(value_name = "ID")]
        id: String,
        /// Why, for the admin events
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Let limits of an instance count on that wait because counts were lost
    #[command(after_long_help = "\
Examples:
  toolgate limits confirm --reason 'nothing was under way'")]
    Confirm {
        /// Why, for the admin events
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate doctor
  toolgate doctor --config toolgate.toml --json")]
pub struct DoctorOptions {
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Also check this configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Put right what can be put right safely: old paths of toolgate, two gateways before one server, permissions
    #[arg(long)]
    pub fix: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate demo
  toolgate demo --json")]
pub struct DemoOptions {
    /// Print each step as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of the sandbox server.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Append every message that arrives to this file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}
