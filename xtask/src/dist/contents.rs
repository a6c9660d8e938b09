//! What lies beside the program: what it writes itself (manual pages, completions), and texts of the tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::printed;
use crate::system::root;

/// What lies beside the program.
pub struct Contents {
    /// Manual pages by their file names.
    pub man: BTreeMap<String, String>,
    /// Bash completes with it.
    pub bash: String,
    /// Zsh completes with it.
    pub zsh: String,
    /// Fish completes with it.
    pub fish: String,
    /// The text of the licence.
    pub licence: String,
    /// The tree's README.
    pub readme: String,
    /// What changed.
    pub changelog: String,
}

impl Contents {
    /// Asks the program for what it writes, and reads the rest.
    ///
    /// # Errors
    /// When the program does not run here, or a text is not there.
    pub fn gather(program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        printed(Command::new(program).arg("man").arg(folder.path()))?;
        let mut man = BTreeMap::new();
        for entry in fs::read_dir(folder.path())? {
            let entry = entry?;
            man.insert(entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?);
        }
        let completions = |shell: &str| printed(Command::new(program).args(["completions", shell]));
        Ok(Self {
            man,
            bash: completions("bash")?,
            zsh: completions("zsh")?,
            fish: completions("fish")?,
            licence: tree("LICENSE")?,
            readme: tree("README.md")?,
            changelog: tree("CHANGELOG.md")?,
        })
    }
}

/// A text of the tree.
pub fn tree(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// A text of the tree in which `@NAME@` stands for a value.
pub fn filled(path: &str, values: &[(&str, &str)]) -> Result<String> {
    let text = tree(path)?;
    Ok(values.iter().fold(text, |text, (name, value)| text.replace(&format!("@{name}@"), value)))
}
