//! Which instance is asked, as whom, and how somebody comes to be known there.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Which instance is asked, and as whom.
#[derive(Debug, Args, Clone, Default)]
pub struct AskedOptions {
    /// The instance, as https://HOST[:PORT]; http is for this machine itself [default: $TOOLGATE_INSTANCE; else, where
    /// nothing else is meant than an instance, that of the last `toolgate login`, else http://127.0.0.1:8040]
    #[arg(long, value_name = "URL")]
    pub instance: Option<String>,
    /// A file with an API token [default: $TOOLGATE_API_TOKEN where the instance is named, else what `toolgate login`
    /// keeps for it]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// The same, for commands that ask an instance and nothing else.
#[derive(Debug, Args, Clone, Default)]
pub struct ApiOptions {
    /// The instance.
    #[command(flatten)]
    pub place: AskedOptions,
    /// Print what the instance answers as JSON
    #[arg(long)]
    pub json: bool,
}

/// Why something is done.
#[derive(Debug, Args, Clone, Default)]
pub struct ReasonOptions {
    /// Why, for the admin events
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

/// Options of `setup`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate setup --name ada
  toolgate setup --instance http://127.0.0.1:8040 --name ada --setup-token-file setup --password-file password")]
pub struct SetupOptions {
    /// The instance, as https://HOST[:PORT] [default: $TOOLGATE_INSTANCE, else http://127.0.0.1:8040]
    #[arg(long, value_name = "URL")]
    pub instance: Option<String>,
    /// The name with which the first admin signs in
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// A file with the setup token that the first start printed, - for standard input [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    pub setup_token_file: Option<PathBuf>,
    /// A file with the admin's password, - for standard input [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Options of `login`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate login --name ada
  toolgate login --instance https://toolgate.example.com --name ada --organisation sales
  toolgate login --instance https://toolgate.example.com --token-file ci.token")]
pub struct LoginOptions {
    /// The instance, as https://HOST[:PORT] [default: $TOOLGATE_INSTANCE, else that of the last login]
    #[arg(long, value_name = "URL")]
    pub instance: Option<String>,
    /// The name with which one signs in
    #[arg(long, value_name = "NAME", required_unless_present = "token_file", conflicts_with = "token_file")]
    pub name: Option<String>,
    /// The organisation
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub organisation: String,
    /// A file with the password, - for standard input [default: it is asked for]
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub password_file: Option<PathBuf>,
    /// Keep the API token of this file, - for standard input, and sign in as no one
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// Options of `logout`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate logout
  toolgate logout --instance https://toolgate.example.com")]
pub struct LogoutOptions {
    /// The instance [default: $TOOLGATE_INSTANCE, else that of the last login]
    #[arg(long, value_name = "URL")]
    pub instance: Option<String>,
}

/// Options of `whoami`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate whoami
  toolgate whoami --json")]
pub struct WhoamiOptions {
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `replicas`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate replicas
  toolgate replicas --json")]
pub struct ReplicasOptions {
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}

/// Options of `events`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate events --since 7d
  toolgate events --actor member:ada --action grant.revoke --json")]
pub struct EventsOptions {
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
    /// Only those of this time on: 90m, 1h, 7d ago, or a time
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only those before this time: 90m, 1h, 7d ago, or a time
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Only by this one, such as member:ada
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// Only this deed, such as grant.revoke
    #[arg(long, value_name = "WHAT")]
    pub action: Option<String>,
    /// Only about the object with this id
    #[arg(long, value_name = "ID")]
    pub object: Option<String>,
}

/// Commands about organisations.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate org list
  toolgate org add sales --title Sales --admin eve")]
pub enum OrgCommand {
    /// List the organisations of the instance
    #[command(after_long_help = "\
Examples:
  toolgate org list
  toolgate org list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Make an organisation with its first admin
    #[command(after_long_help = "\
Examples:
  toolgate org add sales --title Sales --admin eve
  toolgate org add sales --title Sales --admin eve --password-file password")]
    Add {
        /// Its name: 1 to 40 of a-z, 0-9 and -
        #[arg(value_name = "NAME")]
        name: String,
        /// Its name for people [default: the name]
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// The name with which its first admin signs in
        #[arg(long, value_name = "NAME")]
        admin: String,
        /// A file with that admin's password, - for standard input [default: it is asked for]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// What a member or a program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RoleWord {
    /// Sees servers, names of policies, grants and decisions
    Viewer,
    /// Also decides approvals
    Approver,
    /// Also writes and publishes policies, attaches them, and stops calls
    PolicyManager,
    /// Also servers, grants, members and settings
    Admin,
    /// Reads what an organisation has, admin events and client addresses included, and changes nothing
    Auditor,
}

impl RoleWord {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Approver => "approver",
            Self::PolicyManager => "policy_manager",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }
}

/// Commands about members.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate member list
  toolgate member add bob --role viewer")]
pub enum MemberCommand {
    /// List the members
    #[command(after_long_help = "\
Examples:
  toolgate member list
  toolgate member list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Make a member, who signs in with a password that is asked for
    #[command(after_long_help = "\
Examples:
  toolgate member add bob --role viewer
  toolgate member add bob --role policy-manager --password-file password --reason 'joined on Monday'")]
    Add {
        /// The name with which they sign in
        #[arg(value_name = "NAME")]
        name: String,
        /// What they may do
        #[arg(long, value_name = "ROLE", value_enum)]
        role: RoleWord,
        /// Their name for others
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
        /// A file with their password, - for standard input [default: it is asked for]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Give them no password: they cannot sign in by one
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Change a member: role, name for others, password, whether they may do anything
    #[command(after_long_help = "\
Examples:
  toolgate member set bob --role admin
  toolgate member set bob --disable --reason 'left'
  toolgate member set bob --password")]
    Set {
        /// Their name or id
        #[arg(value_name = "MEMBER")]
        member: String,
        /// What they may do
        #[arg(long, value_name = "ROLE", value_enum)]
        role: Option<RoleWord>,
        /// Their name for others
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
        /// Ask for a new password; sessions that stand end
        #[arg(long)]
        password: bool,
        /// A file with a new password, - for standard input
        #[arg(long, value_name = "FILE", conflicts_with = "password")]
        password_file: Option<PathBuf>,
        /// Let them do nothing from now on; sessions that stand end
        #[arg(long)]
        disable: bool,
        /// Let them do again what their role may
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Commands about API tokens.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate token list
  toolgate token add ci --role policy-manager > ci.token")]
pub enum TokenCommand {
    /// List the API tokens of programs, revoked ones included
    #[command(after_long_help = "\
Examples:
  toolgate token list
  toolgate token list --json")]
    List {
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Make an API token for a program, and print it this once
    #[command(after_long_help = "\
Examples:
  toolgate token add ci --role policy-manager > ci.token
  toolgate token add dashboards --role viewer --expires 90d")]
    Add {
        /// Its label, the only one of its organisation
        #[arg(value_name = "LABEL")]
        label: String,
        /// What it may do
        #[arg(long, value_name = "ROLE", value_enum)]
        role: RoleWord,
        /// From when on it is refused: in 90m, 12h, 30d, or a time [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
    /// Revoke an API token, for good
    #[command(after_long_help = "\
Examples:
  toolgate token revoke ci --reason 'it was in a log'")]
    Revoke {
        /// Its label or id
        #[arg(value_name = "TOKEN")]
        token: String,
        /// Why.
        #[command(flatten)]
        why: ReasonOptions,
        /// The instance.
        #[command(flatten)]
        api: ApiOptions,
    },
}

/// Options of `apply`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate apply -f toolgate.toml --dry-run
  toolgate apply -f toolgate.toml --reason 'see change 4711'
  toolgate apply -f toolgate.toml --prune --secrets

Exit codes:
  0  the instance is as the file says; with --dry-run: it was already
  1  with --dry-run: there are differences; else something was refused, and the rest was not done
  2  the file or the instance cannot be used")]
pub struct ApplyOptions {
    /// What is declared: a toolgate.toml
    #[arg(long, short, value_name = "FILE")]
    pub file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also take away what the file does not declare: its grants are revoked for good
    #[arg(long)]
    pub prune: bool,
    /// Send the secrets of servers that are there already once more: nobody can see whether they have changed
    #[arg(long)]
    pub secrets: bool,
    /// Why, for the admin events and the history of policies [default: apply of the file]
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The instance.
    #[command(flatten)]
    pub api: ApiOptions,
}
