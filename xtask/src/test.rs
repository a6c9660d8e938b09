//! The test command of the README: installs what the tests need, then runs them all.

use anyhow::Result;

use crate::system;

/// Runs everything. `--offline` skips what has to be installed (real servers, the official suite).
pub fn run(arguments: &[String]) -> Result<()> {
    let offline = arguments.iter().any(|argument| argument == "--offline");
    crate::tidy::run()?;
    // Tests find the binaries of other packages beside their own.
    system::run("cargo", &["build", "--workspace", "--bins", "--locked"])?;
    if !offline {
        crate::peers::install()?;
    }
    system::run("cargo", &["test", "--workspace", "--locked", "--no-fail-fast"])?;
    if !offline {
        crate::conformance::run(&[])?;
    }
    Ok(())
}
