//! The Debian package. It is an `ar` of two tarballs, written here: so its bytes are the same on every machine, and
//! none needs dpkg to make it.

use anyhow::{Result, bail};
use jiff::Timestamp;
use md5::{Digest, Md5};

use super::archive::{Content, Files, gzip, tar_gz};
use super::contents::{filled, tree};
use super::program::{Program, of_glibc};
use super::{Package, Release, hex};

/// Packs it.
pub fn pack(release: &Release) -> Result<Vec<Package>> {
    let arch = release.program.arch.debian();
    let data = data(release)?;
    let control = control(release, &data)?;
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", tar_gz(&control, release.time)?),
        ("data.tar.gz", tar_gz(&data, release.time)?),
    ];
    let name = format!("toolgate_{}_{arch}.deb", release.version);
    Ok(vec![Package { name, bytes: ar(&members, release.time) }])
}

/// What is installed.
fn data(release: &Release) -> Result<Files> {
    let contents = &release.contents;
    let mut files = Files::new();
    let mut add = |path: &str, content: Content| files.insert(path.to_owned(), content);
    add("usr/bin/toolgate", Content::program(release.program.bytes.clone()));
    for (page, text) in &contents.man {
        add(&format!("usr/share/man/man1/{page}.gz"), Content::text(gzip(text.as_bytes())?));
    }
    add("usr/share/bash-completion/completions/toolgate", Content::text(contents.bash.clone()));
    add("usr/share/zsh/vendor-completions/_toolgate", Content::text(contents.zsh.clone()));
    add("usr/share/fish/vendor_completions.d/toolgate.fish", Content::text(contents.fish.clone()));
    add("usr/lib/systemd/user/toolgate.service", Content::text(tree("packaging/systemd/toolgate.service")?));
    add("lib/systemd/system/toolgate.service", Content::text(tree("packaging/systemd/toolgate-system.service")?));
    add("usr/share/doc/toolgate/copyright", Content::text(tree("packaging/deb/copyright")?));
    add("usr/share/doc/toolgate/README.md", Content::text(contents.readme.clone()));
    add("usr/share/doc/toolgate/NEWS.md.gz", Content::text(gzip(contents.changelog.as_bytes())?));
    let date = Timestamp::from_second(i64::try_from(release.time)?)?.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let values = [("VERSION", release.version), ("DATE", &date.to_string())];
    add(
        "usr/share/doc/toolgate/changelog.gz",
        Content::text(gzip(filled("packaging/deb/changelog", &values)?.as_bytes())?),
    );
    Ok(files)
}

/// What dpkg reads.
fn control(release: &Release, data: &Files) -> Result<Files> {
    // In KiB, a block a file and folder, as dpkg counts it.
    let size: usize = data.values().map(|content| content.bytes().len().div_ceil(1024) + 1).sum();
    let values = [
        ("VERSION", release.version),
        ("ARCH", release.program.arch.debian()),
        ("DEPENDS", &depends(&release.program)?),
        ("SIZE", &size.to_string()),
    ];
    let sums: String =
        data.iter().map(|(path, content)| format!("{}  {path}\n", hex(&Md5::digest(content.bytes())))).collect();
    Ok(Files::from([
        ("control".to_owned(), Content::text(filled("packaging/deb/control", &values)?)),
        ("md5sums".to_owned(), Content::text(sums)),
    ]))
}

/// The packages that bring the libraries: in none older than these are the interfaces that the program uses.
fn depends(program: &Program) -> Result<String> {
    let mut depends = vec![format!("libc6 (>= {})", dotted(program.glibc()?))];
    for (library, version) in program.libraries.iter().filter(|(library, _)| !of_glibc(library)) {
        match library.as_str() {
            // The package has had this name since GCC 10, with every interface of before.
            "libgcc_s.so.1" if version.as_slice() < [11].as_slice() => depends.push("libgcc-s1".to_owned()),
            other => bail!("which Debian package brings {other} {}? Say it in {}", dotted(version), file!()),
        }
    }
    Ok(depends.join(", "))
}

fn dotted(version: &[u32]) -> String {
    version.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// An `ar` archive.
fn ar(members: &[(&str, Vec<u8>)], time: u64) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        archive
            .extend(format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, "100644", bytes.len()).into_bytes());
        archive.extend(bytes);
        // Members begin at even places.
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}
