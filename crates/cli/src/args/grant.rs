//! The command line of `agent`, `grant`, `stop-calls` and `resume`.

use clap::{Args, Subcommand};

use super::{ApiOptions, ReasonOptions};

/// Commands about agents.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate agent list
  toolgate agent add helpdesk --owner ada")]
pub enum AgentCommand {
    /// List the agents
    #[command(after_long_help = "\
Examples:
  toolgate agent list
  toolgate agent list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Make an agent
    #[command(after_long_help = "\
Examples:
  toolgate agent add helpdesk --owner ada --description 'answers tickets'")]
    Add {
        /// Its name: policies read it
        #[arg(value_name = "NAME")]
        name: String,
        /// Who answers for it
        #[arg(long, value_name = "TEXT")]
        owner: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Remove an agent; its grants are revoked for good
    #[command(after_long_help = "\
Examples:
  toolgate agent remove helpdesk --reason 'no longer used'")]
    Remove {
        /// Its name or id
        #[arg(value_name = "AGENT")]
        agent: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Commands about grants.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate grant new
  toolgate grant mint crm/desk --agent helpdesk > desk.token
  toolgate grant list --unused 90")]
pub enum GrantCommand {
    /// Make a token, and the digest of it that goes into toolgate.toml
    #[command(after_long_help = "\
Examples:
  toolgate grant new
  toolgate grant new --json")]
    New {
        /// Print both as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the grants of an instance that stand
    #[command(after_long_help = "\
Examples:
  toolgate grant list --server crm
  toolgate grant list --unused 90 --json")]
    List {
        /// Only those on this server
        #[arg(long, value_name = "SERVER", conflicts_with = "unused")]
        server: Option<String>,
        /// Only those that nobody has used for so many days
        #[arg(long, value_name = "DAYS")]
        unused: Option<u32>,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Show a grant of an instance
    #[command(after_long_help = "\
Examples:
  toolgate grant show crm/desk")]
    Show {
        /// The grant, as SERVER/LABEL or by its id
        #[arg(value_name = "GRANT")]
        grant: String,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Mint a grant at an instance, and print its token this once
    #[command(after_long_help = "\
Examples:
  toolgate grant mint crm/desk --agent helpdesk > desk.token
  toolgate grant mint crm/night --agent helpdesk --policy careful --expires 30d --network 10.0.0.0/8 --tag team=blue
  toolgate grant mint ann --agent ann-laptop --server files --server mail --policy-at mail=mail-ann --unprefixed files")]
    Mint(MintOptions),
    /// Change the owner, the tags, the networks, the end, the policy or the servers of a grant
    #[command(after_long_help = "\
Examples:
  toolgate grant set crm/desk --owner platform --tag team=blue
  toolgate grant set crm/desk --expires never --anywhere
  toolgate grant set files/ann --server files --server mail --server crm --policy-at crm=careful")]
    Set(GrantSetOptions),
    /// Give a grant another policy, or that of its server
    #[command(after_long_help = "\
Examples:
  toolgate grant attach crm/desk careful --reason reviewed
  toolgate grant attach crm/desk --server-policy
  toolgate grant attach files/ann careful --at mail")]
    Attach {
        /// The grant, as SERVER/LABEL or by its id
        #[arg(value_name = "GRANT")]
        grant: String,
        /// The policy
        #[arg(value_name = "POLICY", required_unless_present = "server_policy")]
        policy: Option<String>,
        /// Leave it with the policy of its server
        #[arg(long, conflicts_with = "policy")]
        server_policy: bool,
        /// Of a grant for several servers: at this one alone
        #[arg(long, value_name = "SERVER")]
        at: Option<String>,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Give a grant another token, and print it this once
    #[command(after_long_help = "\
Examples:
  toolgate grant rotate crm/desk > desk.token
  toolgate grant rotate crm/desk --overlap 3600 --reason quarterly")]
    Rotate {
        /// The grant, as SERVER/LABEL or by its id
        #[arg(value_name = "GRANT")]
        grant: String,
        /// How many seconds the old token goes on, up to 30 days
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap: u32,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Revoke a grant, for good
    #[command(after_long_help = "\
Examples:
  toolgate grant revoke crm/desk --reason 'its token was in a log'")]
    Revoke {
        /// The grant, as SERVER/LABEL or by its id
        #[arg(value_name = "GRANT")]
        grant: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Options of `grant mint`.
#[derive(Debug, Args)]
pub struct MintOptions {
    /// The server and the grant's label, as SERVER/LABEL; with --server the label alone
    #[arg(value_name = "SERVER/LABEL")]
    pub grant: String,
    /// A server of several that it is for together, in the order in which they are listed
    #[arg(long, value_name = "SERVER")]
    pub server: Vec<String>,
    /// A policy at one of several servers
    #[arg(long, value_name = "SERVER=POLICY", requires = "server")]
    pub policy_at: Vec<String>,
    /// One of several servers whose tools keep their own names, where no other has the same
    #[arg(long, value_name = "SERVER", requires = "server")]
    pub unprefixed: Vec<String>,
    /// Have the tools of several servers found by searching
    #[arg(long, requires = "server")]
    pub search: bool,
    /// Who holds it; an agent of this name is made where there is none
    #[arg(long, value_name = "NAME")]
    pub agent: String,
    /// Its policy; for several servers one that spans them [default: that of its server]
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "TEXT")]
    pub owner: Option<String>,
    /// Something that policies may read of it
    #[arg(long, value_name = "NAME=VALUE")]
    pub tag: Vec<String>,
    /// A network from which it may be used [default: from anywhere]
    #[arg(long, value_name = "NETWORK")]
    pub network: Vec<String>,
    /// From when on it is refused: in 90m, 12h, 30d, or a time [default: never]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    /// Why.
    #[command(flatten)]
    pub why: ReasonOptions,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `grant set`.
#[derive(Debug, Args)]
pub struct GrantSetOptions {
    /// The grant, as SERVER/LABEL or by its id
    #[arg(value_name = "GRANT")]
    pub grant: String,
    /// Who answers for it; nobody where it is empty
    #[arg(long, value_name = "TEXT")]
    pub owner: Option<String>,
    /// All tags that it is to have
    #[arg(long, value_name = "NAME=VALUE")]
    pub tag: Vec<String>,
    /// Take its tags away
    #[arg(long, conflicts_with = "tag")]
    pub no_tags: bool,
    /// All networks from which it may be used
    #[arg(long, value_name = "NETWORK")]
    pub network: Vec<String>,
    /// Let it be used from anywhere
    #[arg(long, conflicts_with = "network")]
    pub anywhere: bool,
    /// From when on it is refused: in 90m, 12h, 30d, a time, or never
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    /// Its policy; for several servers one that spans them; an empty one takes it away
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,
    /// Of a grant for several: all servers that it is to be for, in their order. Those that stay keep their policies
    #[arg(long, value_name = "SERVER")]
    pub server: Vec<String>,
    /// Of a grant for several: the policy at one of them, in force there from its first call on; SERVER= takes it away
    #[arg(long, value_name = "SERVER=POLICY")]
    pub policy_at: Vec<String>,
    /// Of a grant for several: all servers whose tools are to keep their own names
    #[arg(long, value_name = "SERVER")]
    pub unprefixed: Vec<String>,
    /// Of a grant for several: let no server's tools keep their own names
    #[arg(long, conflicts_with = "unprefixed")]
    pub all_prefixed: bool,
    /// Of a grant for several: whether tools are found by searching
    #[arg(long, value_name = "BOOL")]
    pub search: Option<bool>,
    /// Why.
    #[command(flatten)]
    pub why: ReasonOptions,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// What is stopped, or goes on.
#[derive(Debug, Args)]
#[group(id = "what", multiple = false)]
pub struct Stopped {
    /// The calls of this grant, as SERVER/LABEL or by its id
    #[arg(long, value_name = "GRANT", group = "what")]
    pub grant: Option<String>,
    /// The calls of this agent
    #[arg(long, value_name = "AGENT", group = "what")]
    pub agent: Option<String>,
    /// The calls at this server
    #[arg(long, value_name = "SERVER", group = "what")]
    pub server: Option<String>,
    /// All calls of the organisation
    #[arg(long, group = "what")]
    pub everything: bool,
}

/// Options of `stop-calls`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate stop-calls --server crm --reason 'it deletes what it should keep'
  toolgate stop-calls --everything --reason 'an incident'
  toolgate stop-calls --list")]
pub struct StopOptions {
    /// What.
    #[command(flatten)]
    pub what: Stopped,
    /// Show what is stopped
    #[arg(long, conflicts_with_all = ["what", "reason"])]
    pub list: bool,
    /// Why: agents are told
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    pub reason: Option<String>,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `resume`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate resume --server crm --reason 'it is repaired'
  toolgate resume --everything --reason 'it is over'")]
pub struct ResumeOptions {
    /// What.
    #[command(flatten)]
    pub what: Stopped,
    /// Why, for the admin events
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}
