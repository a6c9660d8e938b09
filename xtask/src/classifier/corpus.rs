//! Public definitions beside the project, and definitions of our own within it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::training;
use crate::system::root;

/// The folder of public definitions; `None` in a clone that stands alone.
pub fn shared() -> Option<PathBuf> {
    let folder = root().join("../shared/data");
    folder.is_dir().then_some(folder)
}

/// Lines of JSON, unpacked where the name ends in `.gz`.
pub fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = match path.extension().is_some_and(|ending| ending == "gz") {
        true => {
            let output = Command::new("gzip").arg("-dc").arg(path).output().context("gzip")?;
            if !output.status.success() {
                bail!("{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
            }
            String::from_utf8(output.stdout)?
        }
        false => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
    };
    text.lines()
        .enumerate()
        .map(|(number, line)| serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), number + 1)))
        .collect()
}

/// All files of a folder of the training, in order.
pub fn files(folder: &str) -> Result<Vec<PathBuf>> {
    let mut files = std::fs::read_dir(training().join(folder))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.sort();
    Ok(files)
}

/// The public definitions, by their identifiers.
pub fn public(shared: &Path) -> Result<HashMap<String, Value>> {
    let all = lines(&shared.join("tools.jsonl.gz"))?;
    Ok(all.into_iter().filter_map(|tool| Some((tool.get("id")?.as_str()?.to_owned(), tool))).collect())
}
