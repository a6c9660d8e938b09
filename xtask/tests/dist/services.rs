//! The units, as systemd reads them.

use std::fs;
use std::process::Command;

use crate::made::{said, tree, tried};

/// What `systemd-analyze verify` says of a unit whose program and manual page are there, or `None` where it is not.
fn verified(unit: &str, mode: &str) -> anyhow::Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let text = fs::read_to_string(tree("packaging/systemd").join(unit))?;
    assert!(text.contains("ExecStart=/usr/bin/toolgate serve --config "), "{text}");
    let path = folder.path().join("toolgate.service");
    fs::write(&path, text.replace("/usr/bin/toolgate", env!("CARGO_BIN_EXE_xtask")))?;
    let runtime = folder.path().join("runtime");
    fs::create_dir(&runtime)?;
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["verify", mode, "--man=no", "--recursive-errors=no"]).arg(&path);
    let Some(output) = tried(analyze.env("XDG_RUNTIME_DIR", &runtime).env("HOME", folder.path()))? else {
        return Ok(None);
    };
    Ok(Some(said(&output)? + &String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn systemd_accepts_the_user_unit() -> anyhow::Result<()> {
    if let Some(text) = verified("toolgate.service", "--user")? {
        assert_eq!(text, "");
    }
    Ok(())
}

#[test]
fn systemd_accepts_the_system_unit() -> anyhow::Result<()> {
    if let Some(text) = verified("toolgate-system.service", "--system")? {
        assert_eq!(text, "");
    }
    Ok(())
}
