//! The `toolgate` binary: reads the command line and the environment, and nothing else does.

// A pipe that is closed at the other end is no reason to panic: see `output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod activity;
mod api;
mod args;
mod client_files;
mod commands;
mod config;
mod env_file;
mod environment;
mod failure;
mod foundation;
mod hangup;
mod help;
mod instance;
mod listening;
mod output;
mod pins;
mod policy_watch;
#[cfg(test)]
mod reference;
mod retention;
mod stop;
mod terminal;
mod text_diff;
mod token;
mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::failure::Failure;
use crate::output::tell;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Asking for help is no mistake.
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            tell!("toolgate: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Run(options) => commands::run::run(options),
        Command::Serve(options) => commands::serve::serve(*options),
        Command::Classify => commands::classify::classify(),
        Command::Scan(options) => commands::scan::scan(&options),
        Command::Init(options) => commands::init::init(&options),
        Command::Connect(options) => commands::connect::connect(&options),
        Command::Clients(options) => commands::clients::clients(&options),
        Command::Wrap(options) => commands::wrap::wrap(&options),
        Command::Unwrap(options) => commands::wrap::unwrap(&options),
        Command::Status(options) => commands::status::status(&options),
        Command::Promote(options) => commands::promote::promote(&options),
        Command::Undo(options) => commands::undo::undo(&options),
        Command::Catalogue(command) => commands::catalogue::catalogue(&command),
        Command::Policy(command) => commands::policy::policy(command),
        Command::Server(command) => commands::server::server(&command),
        Command::Grant(command) => commands::grant::grant(&command),
        Command::Agent(command) => commands::agent::agent(&command),
        Command::StopCalls(options) => commands::stops::stop(&options),
        Command::Resume(options) => commands::stops::resume(&options),
        Command::Apply(options) => commands::apply::apply(&options),
        Command::Setup(options) => commands::access::setup(&options),
        Command::Login(options) => commands::access::login(&options),
        Command::Logout(options) => commands::access::logout(&options),
        Command::Whoami(options) => commands::access::whoami(&options),
        Command::Org(command) => commands::people::org(&command),
        Command::Member(command) => commands::people::member(&command),
        Command::Token(command) => commands::people::token(&command),
        Command::Events(options) => commands::events::events(&options),
        Command::Replicas(options) => commands::events::replicas(&options),
        Command::Backup(options) => commands::backup::backup(&options),
        Command::Restore(options) => commands::backup::restore(&options),
        Command::Keys(command) => commands::keys::keys(&command),
        Command::Audit(command) => commands::audit::audit(&command),
        Command::Logs(options) => commands::logs::logs(&options),
        Command::Limits(command) => commands::limits::limits(&command),
        Command::Doctor(options) => commands::doctor::doctor(&options),
        Command::Demo(options) => commands::demo::demo(&options),
        Command::Completions(options) => commands::completions::completions(&options),
        Command::Man(options) => commands::man::man(&options),
        Command::Sandbox(options) => commands::sandbox::sandbox(&options),
    }
}
