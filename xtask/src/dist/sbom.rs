//! What is linked into the program, as CycloneDX: every crate with its version and licence, as cargo says.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Package, Release, printed};
use crate::system::root;

/// Writes it.
pub fn pack(release: &Release) -> Result<Vec<Package>> {
    let target = release.program.target();
    let words =
        ["tree", "--locked", "--package", "toolgate", "--edges", "normal", "--prefix", "none", "--target", &target];
    let tree = printed(Command::new("cargo").args(words).args(["--format", "{p}\t{l}"]).current_dir(root()))?;
    let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let components =
        crates.into_iter().filter(|line| !line.contains(" (/")).map(component).collect::<Result<Vec<_>>>()?;
    let sbom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": "toolgate", "name": "toolgate", "version": release.version,
            "licenses": [{ "expression": "Apache-2.0" }],
        } },
        "components": components,
    });
    let name = format!("toolgate-{}-{target}.cdx.json", release.version);
    Ok(vec![Package { name, bytes: format!("{sbom:#}\n").into_bytes() }])
}

/// A line of `cargo tree` that is no crate of the workspace: `serde v1.0.229<TAB>MIT OR Apache-2.0`.
fn component(line: &str) -> Result<Value> {
    let (package, licence) = line.split_once('\t').unwrap_or((line, ""));
    let mut words = package.split(' ');
    let name = words.next().with_context(|| format!("`{line}` names no crate"))?;
    let version =
        words.next().and_then(|word| word.strip_prefix('v')).with_context(|| format!("`{line}` has no version"))?;
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component = json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
    if let Some(fields) = component.as_object_mut().filter(|_| !licence.is_empty()) {
        // Old crates write a slash where SPDX has OR.
        fields.insert("licenses".to_owned(), json!([{ "expression": licence.replace('/', " OR ") }]));
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_has_its_version_and_licence() {
        let serde = component("serde v1.0.229\tMIT/Apache-2.0").unwrap();
        assert_eq!(serde["purl"], "pkg:cargo/serde@1.0.229");
        assert_eq!(serde["licenses"][0]["expression"], "MIT OR Apache-2.0");
        let macros = component("serde_derive v1.0.229 (proc-macro)\tMIT").unwrap();
        assert_eq!(macros["version"], "1.0.229");
    }
}
