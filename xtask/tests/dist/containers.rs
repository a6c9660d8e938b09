//! The Containerfile: read by the library that editors check such files with. No engine builds it here.

use std::fs;
use std::process::Command;

use anyhow::Context;

use crate::made::{said, tree};

#[test]
fn the_containerfile_has_no_findings() -> anyhow::Result<()> {
    let Ok(peers) = fs::read_to_string(tree(".cache/peers/commands")) else {
        eprintln!("skipped: dockerfile-utils is not installed; `cargo xtask test` installs it");
        return Ok(());
    };
    let line = peers.lines().find_map(|line| line.strip_prefix("containerfile\t"));
    let mut words = line.context("dockerfile-utils is not installed; run `cargo xtask peers`")?.split('\t');
    let mut lint = Command::new(words.next().context("a command")?);
    let found = lint.args(words).arg("lint").arg(tree("packaging/Containerfile")).output()?;
    let text = said(&found)?;
    assert!(!text.contains("Line"), "{text}");
    Ok(())
}

#[test]
fn the_container_has_no_root_and_no_secret_and_says_whether_it_lives() -> anyhow::Result<()> {
    let text = fs::read_to_string(tree("packaging/Containerfile"))?;
    let last = text.rsplit("\nFROM ").next().context("a stage")?;
    let instructions: Vec<&str> = last.lines().filter(|line| !line.starts_with([' ', '#'])).collect();
    let of = |name: &str| instructions.iter().filter(|line| line.starts_with(name)).copied().collect::<Vec<_>>();
    assert_eq!(of("USER "), ["USER 8040:8040"]);
    assert_eq!(of("VOLUME "), ["VOLUME [\"/data\"]"]);
    assert_eq!(of("ENV "), ["ENV TOOLGATE_DATA_DIR=/data"]);
    assert_eq!(of("HEALTHCHECK ").len(), 1);
    assert!(last.contains("GET /healthz HTTP/1.1"));
    Ok(())
}
