//! Definitions to test with: our own within the project, and public ones beside it where they are
//! at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Lines of JSON.
pub fn lines(path: &Path) -> Vec<Value> {
    let text = match path.extension().is_some_and(|ending| ending == "gz") {
        true => {
            let output =
                Command::new("gzip").arg("-dc").arg(path).output().expect("gzip is needed to read the definitions");
            String::from_utf8(output.stdout).unwrap()
        }
        false => std::fs::read_to_string(path).unwrap(),
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Definitions of our own, in eight languages.
pub fn own() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/languages");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| lines(file)).collect()
}

/// A file of the public definitions; says so and gives `None` in a clone that stands alone.
pub fn public(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: {name} is not beside this clone");
        return None;
    }
    Some(lines(&path))
}

/// A text field of a line.
pub fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line.get(key).and_then(Value::as_str).unwrap_or_default()
}
