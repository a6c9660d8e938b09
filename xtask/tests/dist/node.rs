//! The npm packages, installed from their files, without a network.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, ensure};

use crate::made::{VERSION, once, package, said, tried};

/// A folder into which both packages are installed, once for all tests, or `None` where npm is not.
fn installed() -> anyhow::Result<Option<PathBuf>> {
    static INSTALLED: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
    let install = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        Ok(install(&folder, true)?.then_some(folder))
    };
    let installed = INSTALLED.get_or_init(|| install().map_err(|error: anyhow::Error| format!("{error:#}")));
    installed.clone().map_err(anyhow::Error::msg)
}

/// Installs the launcher, and with it the program or not. Says whether there is an npm to do it.
fn install(folder: &Path, program: bool) -> anyhow::Result<bool> {
    let Some(made) = once()? else { return Ok(false) };
    std::fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
    let mut npm = npm("npm", folder);
    npm.args(["install", "--offline", "--no-audit", "--no-fund"]);
    npm.arg(package(&made, &format!("toolgate-{VERSION}"), ".tgz")?);
    if program {
        npm.arg(package(&made, "toolgate-cli-linux-", ".tgz")?);
    }
    let Some(output) = tried(&mut npm)? else { return Ok(false) };
    said(&output)?;
    Ok(true)
}

/// A program of npm that knows no settings and no cache but its own.
fn npm(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("npm_config_cache", folder.join("cache"));
    command.env("npm_config_userconfig", folder.join("npmrc")).env("npm_config_update_notifier", "false");
    command
}

fn launcher(folder: &Path) -> PathBuf {
    folder.join("node_modules/.bin/toolgate")
}

#[test]
fn npx_runs_it() -> anyhow::Result<()> {
    let Some(folder) = installed()? else { return Ok(()) };
    let output = npm("npx", &folder).args(["--offline", "toolgate", "--version"]).stdin(Stdio::null()).output()?;
    assert_eq!(said(&output)?, format!("toolgate {VERSION}\n"));
    Ok(())
}

#[test]
fn the_launcher_passes_input_output_and_status() -> anyhow::Result<()> {
    let Some(folder) = installed()? else { return Ok(()) };
    let mut command = Command::new(launcher(&folder));
    let mut child =
        command.arg("classify").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let tool = r#"{"name":"delete_file","description":"Deletes a file.","inputSchema":{"type":"object"}}"#;
    child.stdin.take().context("stdin")?.write_all(format!("{tool}\n").as_bytes())?;
    let answer = said(&child.wait_with_output()?)?;
    assert!(answer.contains("Destructive"), "{answer}");

    let wrong = Command::new(launcher(&folder)).arg("no-such-command").stdin(Stdio::null()).output()?;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no-such-command"), "{wrong:?}");
    Ok(())
}

/// `toolgate serve` by the launcher, once it listens, with its files in `data`.
fn serving(folder: &Path, data: &Path) -> anyhow::Result<(Child, BufReader<impl Read>)> {
    std::fs::write(data.join("policy.json"), r#"{ "version": "1", "default": "deny" }"#)?;
    let mut command = Command::new(launcher(folder));
    command.args([
        "serve",
        "--policy",
        "policy.json",
        "--data",
        "data",
        "--listen",
        "127.0.0.1:0",
        "--anonymous",
        "--",
        "cat",
    ]);
    let mut child = command.current_dir(data).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("stderr")?);
    let mut text = String::new();
    while !text.contains("endpoint http://") {
        ensure!(lines.read_line(&mut text)? > 0, "it ended: {text}");
    }
    Ok((child, lines))
}

fn kill(signal: &str, process: u32) -> anyhow::Result<()> {
    said(&Command::new("kill").args([signal, &process.to_string()]).output()?)?;
    Ok(())
}

#[test]
fn the_launcher_passes_signals_to_the_program() -> anyhow::Result<()> {
    let Some(folder) = installed()? else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let (mut child, mut lines) = serving(&folder, data.path())?;
    kill("-TERM", child.id())?;
    let mut rest = String::new();
    lines.read_to_string(&mut rest)?;
    assert!(rest.contains("SIGTERM: finishing what is under way"), "{rest}");
    assert_eq!(child.wait()?.code(), Some(0));
    Ok(())
}

#[test]
fn the_launcher_ends_by_the_signal_that_ended_the_program() -> anyhow::Result<()> {
    let Some(folder) = installed()? else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let (mut child, _lines) = serving(&folder, data.path())?;
    let id = child.id();
    let program = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    kill("-KILL", program.trim().parse()?)?;
    assert_eq!(child.wait()?.signal(), Some(9));
    Ok(())
}

#[test]
fn without_the_package_of_the_program_it_says_what_to_do() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    if !install(folder.path(), false)? {
        return Ok(());
    }
    let output = Command::new(launcher(folder.path())).arg("--version").stdin(Stdio::null()).output()?;
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("@toolgate/cli-linux-") && text.contains("--omit=optional"), "{text}");
    Ok(())
}
