//! Where things lie: the repository, the data shared beside it, the programs of this crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use anyhow::{Context, bail};

/// The repository's root.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// `../shared`, the material that some tests read, or `None` (after saying so) where it is absent.
pub fn shared() -> Option<PathBuf> {
    let found =
        repository().ancestors().map(|folder| folder.join("shared")).find(|folder| folder.join("data").is_dir());
    if found.is_none() {
        eprintln!("skipped: ../shared is absent");
    }
    found
}

/// The path of a program of this crate (`recording-server`, `tee-server`), built if need be.
///
/// `beside` is the binary under test: the program is looked for in its folder, and built into
/// it, because cargo builds only the programs of the package that is tested.
///
/// # Errors
/// When it cannot be built.
pub fn program(name: &str, beside: &Path) -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let folder = beside.parent().context("the binary under test has no folder")?;
    let path = folder.join(name);
    if is_fresh(&path) {
        return Ok(path);
    }
    BUILT.get_or_init(|| build(folder).map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)?;
    Ok(path)
}

/// A program of another package of the workspace, if it was built into the folder of `binary`.
pub fn beside(name: &str, binary: &Path) -> Option<PathBuf> {
    Some(binary.parent()?.join(name)).filter(|path| path.exists())
}

fn build(folder: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "testkit", "--bins"]).current_dir(repository());
    command.arg("--target-dir").arg(folder.parent().context("no target directory")?);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if !command.status().context("cargo")?.success() {
        bail!("the programs of testkit could not be built");
    }
    Ok(())
}

/// Whether a program is newer than everything it is made of.
fn is_fresh(program: &Path) -> bool {
    let Some(built) = changed(program) else { return false };
    newest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).is_some_and(|source| source <= built)
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

fn newest(folder: &Path) -> Option<SystemTime> {
    std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| if entry.path().is_dir() { newest(&entry.path()) } else { changed(&entry.path()) })
        .max()
}
