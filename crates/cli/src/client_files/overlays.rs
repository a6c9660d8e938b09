//! A person's own tables of clients, laid over the one that is compiled in.

use std::io::ErrorKind;
use std::path::Path;

use clients::Table;

use crate::failure::{Failure, Trying};

/// Lays every `*.toml` of a folder over a table, in the order of their names. A folder that is not there has none.
///
/// # Errors
/// When one of them cannot be read or is no table: which, and where in it.
pub fn laid_over(mut table: Table, folder: &Path) -> Result<Table, Failure> {
    let inside = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(table),
        inside => inside.trying(format!("the folder {} of tables of clients", folder.display()))?,
    };
    let mut files = Vec::new();
    for entry in inside {
        let path = entry.trying(folder.display())?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files.sort();
    for path in files {
        let remedy = "make it readable, or remove it; no file of a client was touched";
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| Failure::Usage(format!("{}: {error}: {remedy}", path.display())))?;
        table = table.with(&text).trying(path.display())?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"version = 1
[[client]]
id = "mine"
name = "Mine"
status = "active"
entry.stdio = { command = "command", args = "args", env = "env" }
reload = "restart"
list_changed = "unknown"
approvals = { form = "no", url = "no" }
checked = "2026-11-21"
[[client.surface]]
scope = "user"
path = ["{home}/.mine.json"]
format = "json"
pointer = ["servers"]
"#;

    #[test]
    fn tables_are_laid_over_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::compiled().unwrap();
        let known = table.clients.len();
        let none = laid_over(table.clone(), &folder.path().join("none")).unwrap();
        assert_eq!(none.clients.len(), known);
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        file("20-second.toml", &ONE.replace("Mine", "Second"));
        file("10-first.toml", &ONE.replace("Mine", "First"));
        file(".hidden.toml", "?");
        file("notes.txt", "?");
        let laid = laid_over(table.clone(), folder.path()).unwrap();
        assert_eq!((laid.clients.len(), laid.client("mine").unwrap().name.as_str()), (known + 1, "Second"));
        file("30-wrong.toml", &ONE.replace("reload =", "relaod ="));
        let why = laid_over(table, folder.path()).unwrap_err().to_string();
        assert!(why.contains("30-wrong.toml: line 7, column ") && why.contains("relaod"), "{why}");
    }
}
