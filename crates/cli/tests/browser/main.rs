//! The pages of the catalogue in a real browser: what it shows, what it measures, and what people do in it.
//!
//! `cargo xtask peers` installs the browser and what drives it (`cargo xtask test` does that first); where they are
//! not, this test says that it is skipped. Pictures of every page lie in `target/tmp/pages/` afterwards.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use testkit::peers;
use testkit::stdio::McpStdio;
use testkit::wait::{self, PATIENCE};

const EXE: &str = env!("CARGO_BIN_EXE_toolgate");

/// What the walk looks at, at the least: one that stopped half-way has found nothing wrong either.
const CHECKS: usize = 1000;

fn here(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(file)
}

/// The catalogue that every data directory begins with, and hostile entries beside it; one of them changes later.
fn fill(data: &Path) -> anyhow::Result<()> {
    let say = |words: &[&str], files: &[(&str, &str)]| {
        let files = files.iter().flat_map(|(option, file)| [option.into(), here(file).into_os_string()]);
        let output = Command::new(EXE).arg("catalogue").args(words).args(files).arg("--data").arg(data).output()?;
        ensure!(output.status.success(), "{words:?}: {output:?}");
        Ok(())
    };
    say(&["search", "note"], &[])?;
    say(&["import"], &[("--servers", "servers.jsonl"), ("--tools", "tools.jsonl")])?;
    say(&["import"], &[("--tools", "changed.jsonl")])
}

#[test]
fn the_pages_are_sound_in_a_real_browser() -> anyhow::Result<()> {
    let Some(peers) = peers::find() else { return Ok(()) };
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    fill(&data)?;
    let mut serve = Command::new(EXE);
    serve.args(["catalogue", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let program = McpStdio::start(&mut serve)?;
    let address = wait::until("the address of the pages", PATIENCE, || {
        program.stderr().lines().find_map(|line| line.strip_prefix("catalogue ").map(str::to_owned))
    })?;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&pictures)?;
    let chromium = peers.command("chromium", &[])?;
    let words = peers.command("pages", &[])?;
    let [node, packages] = words.as_slice() else { anyhow::bail!("{words:?}") };
    let walk = Command::new(node)
        .arg(here("walk.mjs"))
        .arg(address)
        .args(chromium)
        .arg(packages)
        .arg(&pictures)
        .output()
        .context("Node cannot be started")?;
    eprint!("{}", String::from_utf8_lossy(&walk.stderr));
    ensure!(walk.status.success(), "{walk:?}");
    let said = String::from_utf8(walk.stdout)?;
    let (faults, checks) = said.trim_end().rsplit_once("checked ").context("the walk stopped half-way")?;
    assert!(faults.is_empty(), "{faults}(pictures in {})", pictures.display());
    assert!(checks.parse::<usize>()? > CHECKS, "{checks} checks");
    Ok(())
}
