//! What `serve` takes when it serves a whole instance, with servers, policies and grants of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use policy::text::cidr::Block;

use super::{DataOptions, RedisOptions};

/// Where the tables of an instance lie, and its keys.
#[derive(Debug, Args, Clone, Default)]
pub struct TablesOptions {
    /// The PostgreSQL database of several replicas, without a password; else $TOOLGATE_DATABASE, else a file in the data directory
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The file of master keys; else $TOOLGATE_KEYS holds them, else `keys/master` in the data directory, made at the first start
    #[arg(long, value_name = "FILE", conflicts_with = "keys_command")]
    pub keys: Option<PathBuf>,
    /// A program that prints the master keys, with its arguments, parted by spaces; no shell reads it
    #[arg(long, value_name = "COMMAND")]
    pub keys_command: Option<String>,
}

/// Options of an instance.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Options of an instance, where neither --policy nor --config is given")]
pub struct InstanceOptions {
    /// Tables and keys.
    #[command(flatten)]
    pub tables: TablesOptions,
    /// How long this replica serves without having heard from the database: a change waits as long for one that is cut off [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub lease: Option<u64>,
    /// Make the list of this replica's decisions anew from its audit log
    #[arg(long)]
    pub rebuild_decisions: bool,
    /// A network in which registered servers may be, beside the public internet: 10.0.0.0/8, or an address alone
    #[arg(long, value_name = "NETWORK", value_parser = Block::parse)]
    pub allow_upstream: Vec<Block>,
    /// This replica's name for people [default: the machine's]
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
    /// Redis.
    #[command(flatten)]
    pub redis: RedisOptions,
}

impl InstanceOptions {
    /// The first of them that was given: they mean nothing elsewhere.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("--database", self.tables.database.is_some()),
            ("--keys", self.tables.keys.is_some()),
            ("--keys-command", self.tables.keys_command.is_some()),
            ("--lease", self.lease.is_some()),
            ("--rebuild-decisions", self.rebuild_decisions),
            ("--allow-upstream", !self.allow_upstream.is_empty()),
            ("--replica", self.replica.is_some()),
        ];
        all.into_iter().find_map(|(name, given)| given.then_some(name)).or_else(|| self.redis.given())
    }
}

/// Options of `backup`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate backup toolgate.backup
  toolgate backup --database postgres://toolgate@db.example/toolgate toolgate.backup")]
pub struct BackupOptions {
    /// The file to write; it must not be there yet
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// The PostgreSQL database, without a password; else $TOOLGATE_DATABASE, else the file in the data directory
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// Options of `restore`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate restore toolgate.backup --data /var/lib/toolgate
  toolgate restore toolgate.backup --database postgres://toolgate@db.example/toolgate --keys keys")]
pub struct RestoreOptions {
    /// The file that `toolgate backup` has written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Data.
    #[command(flatten)]
    pub data: DataOptions,
    /// Tables and keys.
    #[command(flatten)]
    pub tables: TablesOptions,
}

/// Commands about the file of master keys. None of them prints a key.
#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
Examples:
  toolgate keys new keys
  toolgate keys add keys")]
pub enum KeysCommand {
    /// Make a file with one fresh key
    #[command(after_long_help = "\
Examples:
  toolgate keys new /etc/toolgate/keys")]
    New {
        /// The file; it must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// The ids of the keys, the one that encrypts first
    #[command(after_long_help = "\
Examples:
  toolgate keys list /etc/toolgate/keys")]
    List {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Add a fresh key, which only decrypts until it is promoted
    #[command(after_long_help = "\
Examples:
  toolgate keys add /etc/toolgate/keys")]
    Add {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Have a key of the file encrypt from now on; every replica must have read it before
    #[command(after_long_help = "\
Examples:
  toolgate keys promote /etc/toolgate/keys kddbc551e731e2826")]
    Promote {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key's id
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Take out a key that nothing is sealed under any more
    #[command(after_long_help = "\
Examples:
  toolgate keys retire /etc/toolgate/keys k4534222f5b86832a")]
    Retire {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key's id
        #[arg(value_name = "ID")]
        id: String,
    },
}
