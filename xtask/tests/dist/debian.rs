//! The Debian package, by dpkg's own tools and Debian's own critic.

use std::fs;
use std::process::Command;

use crate::made::{VERSION, once, package, runs, said, tried};

#[test]
fn dpkg_reads_and_unpacks_it() -> anyhow::Result<()> {
    let Some(made) = once()? else { return Ok(()) };
    let file = package(&made, "toolgate_", ".deb")?;
    let Some(field) = tried(Command::new("dpkg-deb").arg("-f").arg(&file))? else { return Ok(()) };
    let fields = said(&field)?;
    assert!(fields.contains(&format!("\nVersion: {VERSION}\n")), "{fields}");
    let depends = fields.lines().find_map(|line| line.strip_prefix("Depends: ")).unwrap_or_default();
    let mut packages = depends.split(", ");
    assert!(packages.next().is_some_and(|glibc| glibc.starts_with("libc6 (>= 2.")), "{depends}");
    assert!(packages.all(|package| package == "libgcc-s1"), "{depends}");

    let listed = said(&Command::new("dpkg-deb").arg("-c").arg(&file).output()?)?;
    assert!(listed.lines().all(|line| line.split_whitespace().nth(1) == Some("root/root")), "{listed}");

    let root = tempfile::tempdir()?;
    said(&Command::new("dpkg-deb").arg("-x").arg(&file).arg(root.path()).output()?)?;
    runs(&root.path().join("usr/bin/toolgate"))?;
    for path in [
        "usr/share/man/man1/toolgate-wrap.1.gz",
        "usr/share/bash-completion/completions/toolgate",
        "usr/share/zsh/vendor-completions/_toolgate",
        "usr/share/fish/vendor_completions.d/toolgate.fish",
        "usr/lib/systemd/user/toolgate.service",
        "usr/share/doc/toolgate/copyright",
    ] {
        assert!(root.path().join(path).is_file(), "{path}");
    }
    // What dpkg will check the files against later.
    let control = tempfile::tempdir()?;
    said(&Command::new("dpkg-deb").arg("-e").arg(&file).arg(control.path()).output()?)?;
    let sums = control.path().join("md5sums");
    assert!(fs::read_to_string(&sums)?.lines().count() > 30);
    said(&Command::new("md5sum").args(["--check", "--strict"]).arg(&sums).current_dir(root.path()).output()?)?;
    Ok(())
}

#[test]
fn lintian_finds_no_error() -> anyhow::Result<()> {
    let Some(made) = once()? else { return Ok(()) };
    let file = package(&made, "toolgate_", ".deb")?;
    let Some(found) = tried(Command::new("lintian").args(["--allow-root", "--fail-on", "error,warning"]).arg(&file))?
    else {
        return Ok(());
    };
    said(&found)?;
    Ok(())
}
