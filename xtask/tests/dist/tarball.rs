//! The tarball, the checksums and the list of what is linked in.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::Context;

use crate::made::{VERSION, once, package, runs, said, tried, twice};

#[test]
fn two_runs_give_the_same_bytes_and_their_checksums() -> anyhow::Result<()> {
    let Some([first, second]) = twice()? else { return Ok(()) };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&first)? {
        let name = entry?.file_name();
        assert!(fs::read(first.join(&name))? == fs::read(second.join(&name))?, "{name:?} differs");
        names.insert(name.to_string_lossy().into_owned());
    }
    assert_eq!(names.len(), fs::read_dir(&second)?.count());
    assert_eq!(names.len(), 7, "{names:?}");
    let sums = fs::read_to_string(first.join("SHA256SUMS"))?;
    assert_eq!(sums.lines().count(), names.len() - 1, "{sums}");
    let checked = tried(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&first))?;
    said(&checked.context("sha256sum")?)?;
    Ok(())
}

#[test]
fn the_tarball_is_unpacked_into_a_prefix() -> anyhow::Result<()> {
    let Some(made) = once()? else { return Ok(()) };
    let file = package(&made, "toolgate-", "-linux-gnu.tar.gz")?;
    let prefix = tempfile::tempdir()?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&file).args(["--strip-components=1", "-C"]).arg(prefix.path());
    said(&tar.output()?)?;
    runs(&prefix.path().join("bin/toolgate"))?;
    for path in [
        "share/man/man1/toolgate.1",
        "share/man/man1/toolgate-wrap.1",
        "share/bash-completion/completions/toolgate",
        "share/zsh/site-functions/_toolgate",
        "share/fish/vendor_completions.d/toolgate.fish",
        "share/doc/toolgate/LICENSE",
        "share/doc/toolgate/README.md",
        "lib/systemd/system/toolgate.service",
    ] {
        assert!(prefix.path().join(path).is_file(), "{path}");
    }
    let unit = fs::read_to_string(prefix.path().join("share/systemd/user/toolgate.service"))?;
    assert!(unit.contains("ExecStart=%h/.local/bin/toolgate serve"), "{unit}");

    let listed = said(&Command::new("tar").arg("--numeric-owner").arg("-tvzf").arg(&file).output()?)?;
    assert!(listed.lines().all(|line| line.split_whitespace().nth(1) == Some("0/0")), "{listed}");
    let times: BTreeSet<_> =
        listed.lines().map(|line| line.split_whitespace().skip(3).take(2).collect::<Vec<_>>()).collect();
    assert_eq!(times.len(), 1, "{listed}");
    Ok(())
}

#[test]
fn the_list_of_crates_names_version_and_licence() -> anyhow::Result<()> {
    let Some(made) = once()? else { return Ok(()) };
    let list: serde_json::Value = serde_json::from_slice(&fs::read(package(&made, "toolgate-", ".cdx.json")?)?)?;
    assert_eq!(list["metadata"]["component"]["version"], VERSION);
    let components = list["components"].as_array().context("components")?;
    assert!(components.len() > 100, "{}", components.len());
    for component in components {
        assert!(component["licenses"][0]["expression"].is_string(), "{component}");
    }
    assert!(components.iter().any(|component| component["name"] == "rustls"));
    assert!(!components.iter().any(|component| component["name"] == "proptest"), "only what is linked in");
    Ok(())
}
