//! The packages, made twice, once for all tests.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, ensure};

/// The version of the workspace.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folders of two runs, or `None` (after saying so) where the program is not built.
pub(crate) fn twice() -> anyhow::Result<Option<[PathBuf; 2]>> {
    static MADE: OnceLock<Result<[PathBuf; 2], String>> = OnceLock::new();
    let program = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("toolgate");
    if !program.exists() {
        eprintln!("skipped: {} is not built; run `cargo build -p toolgate`", program.display());
        return Ok(None);
    }
    let made = MADE.get_or_init(|| make(&program).map_err(|error| format!("{error:#}")));
    made.clone().map(Some).map_err(anyhow::Error::msg)
}

/// The packages of one run.
pub(crate) fn once() -> anyhow::Result<Option<PathBuf>> {
    Ok(twice()?.map(|[first, _]| first))
}

fn make(program: &Path) -> anyhow::Result<[PathBuf; 2]> {
    let folders = ["dist", "dist-again"].map(|name| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    let mut running = Vec::new();
    for folder in &folders {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let mut dist = Command::new(env!("CARGO_BIN_EXE_xtask"));
        dist.args(["dist", "--bin"]).arg(program).arg("--out").arg(folder);
        running.push(dist.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    }
    for dist in running {
        said(&dist.wait_with_output()?)?;
    }
    Ok(folders)
}

/// The one package whose name begins and ends so.
pub(crate) fn package(folder: &Path, begins: &str, ends: &str) -> anyhow::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(begins) && name.ends_with(ends) {
            found.push(path);
        }
    }
    ensure!(found.len() == 1, "{begins}…{ends}: {found:?}");
    found.pop().context("a package")
}

/// What a program prints, which must succeed.
pub(crate) fn said(output: &Output) -> anyhow::Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}{stderr}", output.status, String::from_utf8_lossy(&output.stdout));
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// Runs a program to its end, or gives `None`, after saying so, where it is not installed.
pub(crate) fn tried(command: &mut Command) -> anyhow::Result<Option<Output>> {
    match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = command.get_program().to_string_lossy().into_owned();
            eprintln!("skipped: {name} is not installed; `cargo xtask test` installs it or says how");
            Ok(None)
        }
        output => output.map(Some).with_context(|| format!("{command:?}")),
    }
}

/// The program, where it was installed, says its version.
pub(crate) fn runs(program: &Path) -> anyhow::Result<()> {
    let output = Command::new(program).arg("--version").output().with_context(|| program.display().to_string())?;
    assert_eq!(said(&output)?, format!("toolgate {VERSION}\n"));
    Ok(())
}

/// A text of the tree.
pub(crate) fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
