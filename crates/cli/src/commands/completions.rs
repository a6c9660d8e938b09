//! `toolgate completions`: the script that completes commands, options and names of clients in a shell.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use clients::Table;

use crate::args::{Arguments, CompletionsOptions, ShellWord};
use crate::failure::{Failure, Trying};
use crate::output;

/// Prints the script.
pub fn completions(options: &CompletionsOptions) -> Result<ExitCode, Failure> {
    let shell = match options.shell {
        ShellWord::Bash => Shell::Bash,
        ShellWord::Zsh => Shell::Zsh,
        ShellWord::Fish => Shell::Fish,
        ShellWord::PowerShell => Shell::PowerShell,
    };
    let table = Table::compiled().trying("the table of clients")?;
    let words: Vec<String> = table.clients.into_iter().map(|client| client.id).collect();
    let mut command = offering(Arguments::command(), &words);
    let mut script = Vec::new();
    generate(shell, &mut command, "toolgate", &mut script);
    let mut script = String::from_utf8(script).trying("the script")?;
    if shell == Shell::Fish {
        script.push_str(&fish_words(&command));
    }
    output::text(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// The command with these words offered wherever a client is named.
fn offering(command: Command, clients: &[String]) -> Command {
    let named =
        |arg: &clap::Arg| arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str() == "CLIENT"));
    let command = command
        .mut_args(|arg| if named(&arg) { arg.value_parser(PossibleValuesParser::new(clients.to_vec())) } else { arg });
    command.mut_subcommands(|sub| offering(sub, clients))
}

/// For fish, of which the generator forgets the words that stand without an option: `toolgate wrap CLIENT`.
fn fish_words(command: &Command) -> String {
    let mut lines = String::new();
    for sub in command.get_subcommands() {
        let words = sub.get_positionals().flat_map(clap::Arg::get_possible_values);
        let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
        if !words.is_empty() {
            let (name, words) = (sub.get_name(), words.join(" "));
            lines.push_str(&format!(
                "complete -c toolgate -n \"__fish_toolgate_using_subcommand {name}\" -f -a \"{words}\"\n"
            ));
        }
    }
    lines
}
