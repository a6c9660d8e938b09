//! The Python wheel: the program as a script of the environment that it is installed into.

use std::io::{Cursor, Write};

use anyhow::{Result, bail};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::archive::{Content, Files};
use super::contents::{filled, tree};
use super::{Package, Release};

/// Packs it.
pub fn pack(release: &Release) -> Result<Vec<Package>> {
    let name = format!("toolgate-{}", release.version);
    let [major, minor] = release.program.glibc()?.as_slice() else { bail!("glibc's version has two parts") };
    // Which libraries beside glibc a system of that name has is laid down: libgcc_s is one of them.
    let tag = format!("py3-none-manylinux_{major}_{minor}_{}", release.program.arch.name());
    let info = format!("{name}.dist-info");
    let metadata =
        filled("packaging/python/METADATA", &[("VERSION", release.version)])? + &tree("packaging/README.md")?;
    let wheel =
        format!("Wheel-Version: 1.0\nGenerator: toolgate ({})\nRoot-Is-Purelib: false\nTag: {tag}\n", release.version);
    let mut files = Files::from([
        (format!("{name}.data/scripts/toolgate"), Content::program(release.program.bytes.clone())),
        (format!("{info}/METADATA"), Content::text(metadata)),
        (format!("{info}/WHEEL"), Content::text(wheel)),
        (format!("{info}/licenses/LICENSE"), Content::text(release.contents.licence.clone())),
    ]);
    let record = format!("{info}/RECORD");
    let mut lines: String = files.iter().map(|(path, content)| line(path, content.bytes())).collect();
    lines.push_str(&format!("{record},,\n"));
    files.insert(record, Content::text(lines));
    Ok(vec![Package { name: format!("{name}-{tag}.whl"), bytes: zipped(&files)? }])
}

/// What RECORD says of a file.
fn line(path: &str, bytes: &[u8]) -> String {
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
    format!("{path},sha256={digest},{}\n", bytes.len())
}

fn zipped(files: &Files) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        // The first day that zip knows: the time in an archive says nothing, and its zone would be the builder's.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(content.mode());
        zip.start_file(path.as_str(), options)?;
        zip.write_all(content.bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
