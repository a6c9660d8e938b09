//! `toolgate catalogue`: words of its command line.

use std::path::PathBuf;

use ::catalogue::crawl::Wanted;
use ::catalogue::overrides::Field;
use clap::{Args, Subcommand, ValueEnum};

use super::{DataOptions, TlsOptions};

/// Commands about the catalogue.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue search github issues
  toolgate catalogue serve")]
pub enum CatalogueCommand {
    /// Read servers and tools from files into the catalogue, judge the tools, and make the search index
    Import(ImportOptions),
    /// Make the search index anew from what the catalogue holds, where an import did not end or the index was lost
    #[command(after_long_help = "\
Examples:
  toolgate catalogue index")]
    Index(DataOptions),
    /// Read a registry of servers, or what changed in it since it was read last
    Sync(SyncOptions),
    /// Ask npm or PyPI what they say of packages: versions, dates, publisher, source. Nothing is installed or run
    Crawl(CrawlOptions),
    /// Write the public part of the catalogue into a signed file
    Export(ExportOptions),
    /// Make a key that signs snapshots, and the public half beside it
    Key(KeyOptions),
    /// Search servers and tools: by the parts of names, descriptions, publishers
    Search(SearchOptions),
    /// Show what is known of a server or a tool
    Show(ShowOptions),
    /// Check servers and tools against a severity; the exit code is 1 when something is as severe
    Check(CheckOptions),
    /// Serve the pages of the catalogue, without a gateway
    Serve(PagesOptions),
    /// Speak MCP on stdin and stdout, for agents: search, check_server, check_tool, check_stack and changes
    #[command(after_long_help = "\
Examples:
  toolgate catalogue mcp")]
    Mcp(DataOptions),
    /// Say something against the program's judgement, with a reason; or take it back
    Override(OverrideOptions),
    /// List what people said against the program's judgement: who, when and why
    Overrides(OverridesOptions),
}

/// Options of `catalogue import`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("files").required(true).multiple(true))]
#[command(after_long_help = "\
Examples:
  toolgate catalogue import --servers servers.jsonl --tools tools.jsonl
  toolgate scan --json --config ~/.cursor/mcp.json | toolgate catalogue import --scan -
  toolgate catalogue import --snapshot catalogue.snapshot --trust publisher.pub")]
pub struct ImportOptions {
    /// A file of servers, one JSON object a line; may be compressed with gzip. `-` is standard input
    #[arg(long, value_name = "FILE", group = "files")]
    pub servers: Option<PathBuf>,
    /// A file of tools, one JSON object a line; may be compressed with gzip. `-` is standard input
    #[arg(long, value_name = "FILE", group = "files")]
    pub tools: Option<PathBuf>,
    /// What `toolgate scan --json` printed of your own servers; it is private, and nothing else is taken for it. `-` is standard input
    #[arg(long, value_name = "FILE", group = "files", conflicts_with = "public")]
    pub scan: Option<PathBuf>,
    /// A snapshot that `toolgate catalogue export` made; what it holds is public
    #[arg(long, value_name = "FILE", group = "files", requires = "trust", conflicts_with_all = ["servers", "tools", "scan"])]
    pub snapshot: Option<PathBuf>,
    /// The public key that must have signed the snapshot; else nothing of it is read
    #[arg(long, value_name = "PUBFILE", requires = "snapshot")]
    pub trust: Option<PathBuf>,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// What the files hold may be shown to everybody; else it is private
    #[arg(long)]
    pub public: bool,
    /// Name every line that was refused, not only those that could not be read
    #[arg(long)]
    pub refused: bool,
    /// Print what became of the lines as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue sync`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue sync
  toolgate catalogue sync --full --json")]
pub struct SyncOptions {
    /// The registry, of the protocol of the official one
    #[arg(long, value_name = "URL", default_value = ::catalogue::registry::OFFICIAL)]
    pub registry: String,
    /// Ask for everything again, not only for what changed since the last time
    #[arg(long)]
    pub full: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print what became of the entries as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue crawl`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue crawl npm:@modelcontextprotocol/server-filesystem pypi:mcp-server-git")]
pub struct CrawlOptions {
    /// Packages: npm:NAME or pypi:NAME
    #[arg(value_name = "PACKAGE", required = true, value_parser = Wanted::read)]
    pub packages: Vec<Wanted>,
    /// The registry of npm's protocol
    #[arg(long, value_name = "URL", default_value = ::catalogue::crawl::NPM)]
    pub npm: String,
    /// The registry of PyPI's protocol
    #[arg(long, value_name = "URL", default_value = ::catalogue::crawl::PYPI)]
    pub pypi: String,
    /// Servers that were not known may be shown to everybody; else they are private
    #[arg(long)]
    pub public: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print what the registries say as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue export`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue export catalogue.snapshot --key publisher")]
pub struct ExportOptions {
    /// Where the snapshot goes; what is there is replaced
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// The key that signs it, made by `toolgate catalogue key`
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print what is in it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue key`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue key publisher")]
pub struct KeyOptions {
    /// Where the key goes, readable for its owner alone; FILE.pub is the half for those who import
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of `catalogue search`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue search github issues
  toolgate catalogue search --kind tool --class destructive --since 7d
  toolgate catalogue search --standing official -n 5 --json mail")]
pub struct SearchOptions {
    /// What to search; the last word may be the beginning of one
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// Only servers, or only tools
    #[arg(long, value_name = "KIND", value_enum)]
    pub kind: Option<KindWord>,
    /// Only tools of this class: read, write, execute, destructive, financial or unclassified
    #[arg(long, value_name = "CLASS")]
    pub class: Vec<policy::Class>,
    /// Only tools of this severity
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub severity: Vec<SeverityWord>,
    /// Only tools with this facet: reads_private, ingests_untrusted, sends_external, runs_code,
    /// touches_credentials, irreversible, bulk or spends_money
    #[arg(long, value_name = "FACET", value_parser = facet)]
    pub facet: Vec<String>,
    /// Only servers that are spoken with so: stdio, streamable-http or sse
    #[arg(long, value_name = "TRANSPORT")]
    pub transport: Vec<String>,
    /// Only servers under this licence
    #[arg(long, value_name = "LICENCE")]
    pub licence: Vec<String>,
    /// Only servers whose publisher is proven (official), or only the others (community)
    #[arg(long, value_name = "STANDING", value_parser = ["official", "community"])]
    pub standing: Vec<String>,
    /// Only servers whose description is in this language: en, zh, pt, …
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Vec<String>,
    /// Only what is new or has changed since this day or time, or so long ago: 2026-11-01, 2026-11-01T12:00:00Z, 24h, 7d, 2w
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<jiff::Timestamp>,
    /// Show what copies of a server have in rows of their own, not with what the original has
    #[arg(long)]
    pub copies: bool,
    /// At most so many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue show`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue show @modelcontextprotocol/server-filesystem
  toolgate catalogue show --json mcp-server-git")]
pub struct ShowOptions {
    /// A server, by its name, repository or package, or one of its tools
    #[arg(value_name = "SERVER[/TOOL]")]
    pub what: String,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `catalogue check`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue check @modelcontextprotocol/server-filesystem
  toolgate catalogue check --config ~/.cursor/mcp.json --fail-on critical --sarif")]
pub struct CheckOptions {
    /// Servers, or tools of them
    #[arg(value_name = "SERVER[/TOOL]", required_unless_present = "config")]
    pub what: Vec<String>,
    /// Check every server that this file names as well: a client's configuration, or toolgate.toml
    #[arg(long, value_name = "FILE")]
    pub config: Vec<PathBuf>,
    /// The severity from which the answer is no
    #[arg(long, value_name = "SEVERITY", value_enum, default_value = "high")]
    pub fail_on: SeverityWord,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print the answer as JSON
    #[arg(long, group = "output")]
    pub json: bool,
    /// Print what is as severe as SARIF 2.1.0, for code scanning
    #[arg(long, group = "output")]
    pub sarif: bool,
}

/// Options of `catalogue serve`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue serve
  toolgate catalogue serve --public --base-url https://tools.example.com")]
pub struct PagesOptions {
    /// Where to listen [default: 127.0.0.1:8041]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<std::net::SocketAddr>,
    /// Show what is public to everybody, and nothing else; beyond loopback nothing is shown without this
    #[arg(long)]
    pub public: bool,
    /// What the addresses of the pages begin with, as readers see it: https://tools.example.com
    #[arg(long, value_name = "URL", value_parser = base)]
    pub base_url: Option<String>,
    /// A name under which the pages may be asked, beside that of --base-url and loopback; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// TLS.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

fn base(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "this is no URL".to_owned())?;
    match (uri.scheme_str(), uri.host(), uri.path(), uri.query()) {
        (Some("http" | "https"), Some(_), "/" | "", None) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it is written https://tools.example.com, without a path".to_owned()),
    }
}

/// Options of `catalogue override`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue override mcp-server-git/git_reset class destructive --reason 'loses work'
  toolgate catalogue override mcp-server-git/git_reset class --revert --reason 'read its source'")]
pub struct OverrideOptions {
    /// A server, or one of its tools
    #[arg(value_name = "SERVER[/TOOL]")]
    pub what: String,
    /// What it is about: class of a tool, original (of servers with the same tools), publisher, verified,
    /// not-impostor, visibility, hidden
    #[arg(value_name = "FIELD", value_parser = field)]
    pub field: Field,
    /// What holds from now on; verified, not-impostor and hidden are `yes` without it
    #[arg(value_name = "VALUE", conflicts_with = "revert")]
    pub value: Option<String>,
    /// Why; whoever lists it later reads this
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Take back what was said: the program's own judgement holds again
    #[arg(long)]
    pub revert: bool,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `catalogue overrides`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate catalogue overrides
  toolgate catalogue overrides mcp-server-git --json")]
pub struct OverridesOptions {
    /// Only of this server, or this tool of it
    #[arg(value_name = "SERVER[/TOOL]")]
    pub server: Option<String>,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// Servers or tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindWord {
    /// Servers
    Server,
    /// Tools
    Tool,
}

/// How bad it is when a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeverityWord {
    /// Nothing changes
    Low,
    /// Data changes
    Medium,
    /// The effect lies in the arguments
    High,
    /// Something is gone, or paid
    Critical,
}

impl From<SeverityWord> for risk::Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Low => Self::Low,
            SeverityWord::Medium => Self::Medium,
            SeverityWord::High => Self::High,
            SeverityWord::Critical => Self::Critical,
        }
    }
}

fn facet(word: &str) -> Result<String, String> {
    let known = risk::Facet::ALL.iter().find(|facet| facet.as_str() == word.to_lowercase());
    let all = || risk::Facet::ALL.map(risk::Facet::as_str).join(", ");
    known.map(|facet| facet.as_str().to_owned()).ok_or_else(|| format!("there is no such facet; there are {}", all()))
}

fn field(word: &str) -> Result<Field, String> {
    let all = || Field::ALL.map(Field::as_str).join(", ");
    Field::of(&word.to_lowercase()).ok_or_else(|| format!("nothing is said of that; there are {}", all()))
}

fn since(text: &str) -> Result<jiff::Timestamp, ::catalogue::since::BadSince> {
    ::catalogue::since::since(text, jiff::Timestamp::now())
}

/// Who may see the pages of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AudienceWord {
    /// Nobody: there are none
    Off,
    /// Whoever is at this machine sees all of it; on loopback only
    Local,
    /// Everybody sees what is public, and nothing else
    Public,
}
