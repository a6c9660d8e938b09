//! `docs/cli.md`: every command, argument and option, rendered from their definition, so that
//! what is written there is what the program takes.

use clap::{Arg, Command, CommandFactory};

use crate::args::Arguments;
use crate::help;

const HEAD: &str = "\
# The command line

Written by the program's own definition of its commands; `toolgate help COMMAND` says the same in a terminal.

";

const EXIT_CODES: &str = "\
## Exit codes

| code | what it says |
| --- | --- |
| 0 | done; for a command that asks something: the answer is yes |
| 1 | the answer is no: an instance refused, `apply --dry-run` found a difference, a policy has errors or a test of it fails, a call would not be allowed, a log was altered, `doctor` found something, `scan` found something at error level, `init`, `connect`, `wrap`, `unwrap`, `undo`, `promote` or `policy edit` left a file or an entry as it was or put it back |
| 2 | wrong usage: an option, a file or a directory cannot be used, a server cannot be scanned, an instance cannot be reached or does not know who asks; stderr says which |
| 75 | what a gateway needs is away at present, such as room on the disk: the same start may work later, and is tried again by the units that come with the packages |
| 130, 143 | ended by Ctrl-C or SIGTERM while `scan`, `init`, `wrap` or `connect` asked servers; what was not verified is put back |

`toolgate run` stands in for the server's program and ends with its status: the program's own code, or 128 and the number of
the signal that ended it. In front of an endpoint, or told to stop, it ends with 0.

## Environment

| variable | what it does |
| --- | --- |
| `TOOLGATE_DATA_DIR` | the data directory, where neither `--data` nor the configuration that is served names one; without both it is `$XDG_DATA_HOME/toolgate` or `~/.local/share/toolgate` |
| `TOOLGATE_INSTANCE` | the instance that is asked, where `--instance` does not name one |
| `TOOLGATE_API_TOKEN` | an API token for the instance that `--instance` or `TOOLGATE_INSTANCE` names, where `--token-file` does not give one; it is sent to no other |
| `XDG_CONFIG_HOME` | where `toolgate/policies`, `toolgate/clients.d` and `toolgate/instances.json` lie, in place of `~/.config` |
| `VISUAL`, `EDITOR` | the editor of `toolgate policy edit`, the first that is set |
| `NO_COLOR` | set, nothing is printed in colours |
| `TOOLGATE_TOKEN` | the token of `toolgate serve`, where neither `--token` nor `--token-file` gives one |

Headers and `toolgate.toml` may name further variables: see [configuration](configuration.md).
";

/// The whole page.
fn page() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut commands = Vec::new();
    collect(&root, &mut commands);
    let mut page = String::from(HEAD);
    page.push_str("| command | what it does |\n| --- | --- |\n");
    for command in &commands {
        let name = name(command);
        page.push_str(&format!("| [`{name}`](#{}) | {} |\n", name.replace(' ', "-"), about(command)));
    }
    page.push('\n');
    for command in &commands {
        section(command, &mut page);
    }
    page.push_str(EXIT_CODES);
    page
}

/// The commands that do something, in the order of their definition.
fn collect(command: &Command, into: &mut Vec<Command>) {
    let shown = |sub: &&Command| !sub.is_hide_set() && sub.get_name() != "help";
    for sub in command.get_subcommands().filter(shown) {
        if sub.has_subcommands() { collect(sub, into) } else { into.push(sub.clone()) }
    }
}

fn section(command: &Command, page: &mut String) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ");
    page.push_str(&format!("## {}\n\n{}.\n\n```\n{usage}\n```\n\n", name(command), about(command)));
    let shown = |arg: &&Arg| !arg.is_hide_set() && arg.get_id() != "help";
    let (options, arguments): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(shown).partition(|arg| !arg.is_positional());
    table("argument", &arguments, page);
    table("option", &options, page);
    for block in help::blocks(command) {
        page.push_str(&format!("{}:\n\n```\n{}\n```\n\n", block.heading, block.lines.join("\n")));
    }
}

fn table(kind: &str, arguments: &[&Arg], page: &mut String) {
    if arguments.is_empty() {
        return;
    }
    page.push_str(&format!("| {kind} | what it says |\n| --- | --- |\n"));
    for argument in arguments {
        let mut says = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !defaults.is_empty() && argument.get_action().takes_values() {
            says.push_str(&format!(" (default: `{}`)", defaults.join(" ")));
        }
        if matches!(argument.get_action(), clap::ArgAction::Append) && !argument.is_positional() {
            says.push_str("; may be given several times");
        }
        page.push_str(&format!("| `{}` | {} |\n", spelled(argument), cell(&says)));
    }
    page.push('\n');
}

/// How an argument is written: `-n, --lines <N>`.
fn spelled(argument: &Arg) -> String {
    let text = argument.to_string();
    match argument.get_short() {
        Some(short) if !argument.is_positional() => format!("-{short}, {text}"),
        _ => text,
    }
}

/// A full name: `toolgate policy check`.
fn name(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn about(command: &Command) -> String {
    command.get_about().map(|about| cell(&about.to_string())).unwrap_or_default()
}

/// Text that stands in a table's cell as it is written.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}

#[test]
fn the_committed_page_is_the_rendered_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let rendered = page();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == rendered, "docs/cli.md is not what the commands say; write it anew with UPDATE_SNAPSHOTS=1");
}

#[test]
fn every_command_and_option_says_what_it_is() {
    let mut root = Arguments::command();
    root.build();
    let mut commands = Vec::new();
    collect(&root, &mut commands);
    assert!(commands.len() >= 10, "{commands:?}");
    for command in &commands {
        assert!(!about(command).is_empty(), "{}", name(command));
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {argument}", name(command));
        }
    }
}
