//! The tarball: its folder has the form of `/usr/local` and `~/.local`, and is unpacked into either.

use anyhow::Result;

use super::archive::{Content, Files, tar_gz};
use super::contents::tree;
use super::{Package, Release};

/// Packs it.
pub fn pack(release: &Release) -> Result<Vec<Package>> {
    let name = format!("toolgate-{}-{}", release.version, release.program.target());
    let contents = &release.contents;
    let mut files = Files::new();
    let mut add = |path: &str, content: Content| files.insert(format!("{name}/{path}"), content);
    add("bin/toolgate", Content::program(release.program.bytes.clone()));
    for (page, text) in &contents.man {
        add(&format!("share/man/man1/{page}"), Content::text(text.clone()));
    }
    add("share/bash-completion/completions/toolgate", Content::text(contents.bash.clone()));
    add("share/zsh/site-functions/_toolgate", Content::text(contents.zsh.clone()));
    add("share/fish/vendor_completions.d/toolgate.fish", Content::text(contents.fish.clone()));
    // A person's own services start the program of that person, the system's that of the system.
    let unit = |path: &str, program: &str| anyhow::Ok(tree(path)?.replace("/usr/bin/toolgate", program));
    add(
        "share/systemd/user/toolgate.service",
        Content::text(unit("packaging/systemd/toolgate.service", "%h/.local/bin/toolgate")?),
    );
    add(
        "lib/systemd/system/toolgate.service",
        Content::text(unit("packaging/systemd/toolgate-system.service", "/usr/local/bin/toolgate")?),
    );
    for (name, text) in
        [("LICENSE", &contents.licence), ("README.md", &contents.readme), ("CHANGELOG.md", &contents.changelog)]
    {
        add(&format!("share/doc/toolgate/{name}"), Content::text(text.clone()));
    }
    Ok(vec![Package { name: format!("{name}.tar.gz"), bytes: tar_gz(&files, release.time)? }])
}
