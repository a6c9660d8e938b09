//! The npm packages: one with the program for one kind of machine, and one that all install, which picks the former by
//! `optionalDependencies` and starts the program. Nothing is fetched when both are installed, and no script runs.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::archive::{Content, Files, tar_gz};
use super::contents::tree;
use super::program::Arch;
use super::{Package, Release};

/// Packs both.
pub fn pack(release: &Release) -> Result<Vec<Package>> {
    let arch = release.program.arch;
    let program = json!({
        "name": platform(arch),
        "description": format!("The toolgate program for Linux on {}; install `toolgate`, which brings it.", arch.name()),
        "os": ["linux"], "cpu": [arch.node()], "libc": ["glibc"],
        "files": ["bin/toolgate"],
        "preferUnplugged": true,
    });
    // Only what is made beside it: npm would ask its registry for any other, whoever has published that there.
    let optional: Map<String, Value> = Map::from_iter([(platform(arch), json!(release.version))]);
    let launcher = json!({
        "name": "toolgate",
        "description": "A gateway between AI agents and MCP servers: no call reaches a server without passing your policy.",
        "bin": { "toolgate": "bin/toolgate.js" },
        "files": ["bin/toolgate.js"],
        "engines": { "node": ">=18" },
        "optionalDependencies": optional,
    });
    let toolgate = Content::program(release.program.bytes.clone());
    let script = Content::program(tree("packaging/npm/toolgate.js")?);
    Ok(vec![
        packed(release, &format!("toolgate-cli-linux-{}", arch.node()), program, "bin/toolgate", toolgate)?,
        packed(release, "toolgate", launcher, "bin/toolgate.js", script)?,
    ])
}

fn platform(arch: Arch) -> String {
    format!("@toolgate/cli-linux-{}", arch.node())
}

/// One package, with what every one has.
fn packed(release: &Release, name: &str, mut package: Value, path: &str, content: Content) -> Result<Package> {
    let fields = package.as_object_mut().context("a package is an object")?;
    fields.insert("version".to_owned(), json!(release.version));
    fields.insert("license".to_owned(), json!("Apache-2.0"));
    let texts = [
        ("package.json", format!("{package:#}\n")),
        ("README.md", tree("packaging/README.md")?),
        ("LICENSE", release.contents.licence.clone()),
    ];
    let mut files: Files =
        texts.into_iter().map(|(name, text)| (format!("package/{name}"), Content::text(text))).collect();
    files.insert(format!("package/{path}"), content);
    Ok(Package { name: format!("{name}-{}.tgz", release.version), bytes: tar_gz(&files, release.time)? })
}
