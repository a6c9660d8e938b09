//! The wheel, installed by pip into an environment, without an index.

use std::process::Command;

use crate::made::{once, package, runs, said, tried};

/// Says which files of a wheel RECORD lacks, or has with another digest or size.
const CHECK: &str = r#"
import base64, csv, hashlib, io, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
assert wheel.testzip() is None
name = next(name for name in wheel.namelist() if name.endswith('.dist-info/RECORD'))
lines = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(name).decode()))}
assert set(lines) == set(wheel.namelist()), set(lines) ^ set(wheel.namelist())
for path, (digest, size) in lines.items():
    data = wheel.read(path)
    want = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')
    assert path == name or (digest, int(size)) == ('sha256=' + want, len(data)), path
print(len(lines))
"#;

#[test]
fn pip_installs_the_wheel() -> anyhow::Result<()> {
    let Some(made) = once()? else { return Ok(()) };
    let wheel = package(&made, "toolgate-", ".whl")?;
    let folder = tempfile::tempdir()?;
    let Some(made) = tried(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(folder.path()))? else {
        return Ok(());
    };
    said(&made)?;
    let mut pip = Command::new(folder.path().join("venv/bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-index"]).arg(&wheel);
    said(&pip.output()?)?;
    runs(&folder.path().join("venv/bin/toolgate"))?;
    let shown = said(&Command::new(folder.path().join("venv/bin/pip")).args(["show", "toolgate"]).output()?)?;
    assert!(shown.contains("Name: toolgate"), "{shown}");

    let checked = Command::new("python3").args(["-c", CHECK]).arg(&wheel).output()?;
    assert_eq!(said(&checked)?, "5\n");
    Ok(())
}
