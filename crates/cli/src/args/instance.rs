//! What `serve` takes when it serves a whole instance, with servers, policies and grants of its own.

use std::path::PathBuf;

use clap::Args;

/// Options of an instance.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Options of an instance, where neither --policy nor --config is given")]
pub struct InstanceOptions {
    /// The PostgreSQL database of several replicas, without a password; else $TOOLGATE_DATABASE, else a file in the data directory
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The file of master keys; else $TOOLGATE_KEYS holds them, else `keys/master` in the data directory, made at the first start
    #[arg(long, value_name = "FILE", conflicts_with = "keys_command")]
    pub keys: Option<PathBuf>,
    /// A program that prints the master keys, with its arguments, parted by spaces; no shell reads it
    #[arg(long, value_name = "COMMAND")]
    pub keys_command: Option<String>,
    /// How long this replica serves without having heard from the database: a change waits as long for one that is cut off [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub lease: Option<u64>,
    /// For how many days decisions are kept, in the tables and in this replica's segments [default: for good]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub keep_days: Option<u32>,
    /// Make the list of this replica's decisions anew from its audit log
    #[arg(long)]
    pub rebuild_decisions: bool,
    /// This replica's name for people [default: the machine's]
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
}

impl InstanceOptions {
    /// The first of them that was given: they mean nothing elsewhere.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("--database", self.database.is_some()),
            ("--keys", self.keys.is_some()),
            ("--keys-command", self.keys_command.is_some()),
            ("--lease", self.lease.is_some()),
            ("--keep-days", self.keep_days.is_some()),
            ("--rebuild-decisions", self.rebuild_decisions),
            ("--replica", self.replica.is_some()),
        ];
        all.into_iter().find_map(|(name, given)| given.then_some(name))
    }
}
