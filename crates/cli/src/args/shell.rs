//! Options of what goes beside the program: completions and manual pages.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A shell that completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellWord {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
    /// PowerShell
    #[value(name = "powershell")]
    PowerShell,
}

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate completions bash > ~/.local/share/bash-completion/completions/toolgate
  toolgate completions zsh > ~/.zfunc/_toolgate
  toolgate completions fish > ~/.config/fish/completions/toolgate.fish
  toolgate completions powershell >> $PROFILE")]
pub struct CompletionsOptions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: ShellWord,
}

/// Options of `man`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  toolgate man /usr/local/share/man/man1")]
pub struct ManOptions {
    /// The folder they go into, one page a command; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}
