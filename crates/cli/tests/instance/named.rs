//! The tests that a page names are in the tree.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// The sources of all tests in a folder.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        match entry.path() {
            path if path.is_dir() => sources(&path, into)?,
            path if path.extension().is_some_and(|end| end == "rs") => into.push(path),
            _ => {}
        }
    }
    Ok(())
}

#[test]
fn every_test_that_the_page_about_reliability_names_is_there() -> anyhow::Result<()> {
    let root = testkit::place::repository();
    let page = std::fs::read_to_string(root.join("docs/reliability.md"))?;
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files)?;
    let text = files.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?.join("\n");
    // Every second piece stands between backticks.
    let quoted: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let tests = quoted.iter().filter(|name| name.contains("::"));
    let mut known = 0;
    for name in tests {
        let words = name.split("::").filter(|word| !word.is_empty() && *word != "*");
        let last = words.last().with_context(|| format!("`{name}` names nothing"))?.trim_end_matches('*');
        let there = ["fn ", "mod ", "        "].iter().any(|kind| text.contains(&format!("{kind}{last}")));
        let is_last = |part: Option<&std::ffi::OsStr>| part.is_some_and(|part| part == last);
        // A program of tests is called by its folder.
        let file = files.iter().any(|file| {
            is_last(file.file_stem()) || file.ends_with("main.rs") && is_last(file.parent().and_then(Path::file_name))
        });
        ensure!(there || file, "`{name}` is not in the tree");
        known += 1;
    }
    for path in quoted.iter().filter(|name| name.starts_with("crates/")) {
        ensure!(root.join(path).exists(), "`{path}` is not there");
    }
    ensure!(known > 25, "only {known} were found");
    Ok(())
}
