//! `toolgate policy edit` on a policy of an instance: a person's editor on a copy of the newest version.

use std::process::{Command, ExitCode};

use super::edit::editor;
use super::kept::{document_of, keep, looked_at, path};
use crate::api::Api;
use crate::args::PolicyEdit;
use crate::failure::{Failure, Trying};
use crate::output::{self, say, tell};
use crate::terminal::{Look, agreed, can_ask};
use crate::text_diff::unified;

/// Edits. The edit is kept as a version that is not in force.
pub fn edit(api: &Api, options: &PolicyEdit) -> Result<ExitCode, Failure> {
    let name = &options.name;
    let there = api.get(&path(name))?.body;
    let latest = there.get("latest").and_then(serde_json::Value::as_i64).unwrap_or(1);
    let before = document_of(api, name, latest)?;
    // The name ends as a policy's does, by which editors know the language.
    let draft = tempfile::Builder::new().prefix(&format!("{name}-")).suffix(".json").tempfile().trying("the draft")?;
    std::fs::write(draft.path(), &before).trying("the draft")?;
    let editor = editor()?;
    loop {
        let status =
            Command::new("/bin/sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(draft.path()).status();
        let status = status.trying(format!("the editor {editor}"))?;
        let now = std::fs::read_to_string(draft.path()).trying("the draft")?;
        if !status.success() || now == before {
            say!("{name}: nothing was changed")?;
            return Ok(ExitCode::from(u8::from(!status.success()) * 2));
        }
        let done = looked_at(&now, draft.path()).and_then(|()| keep(api, name, &now, &options.reason));
        match done {
            Ok(kept) => {
                output::text(&Look::of_output().diff(&unified(&before, &now, name)))?;
                say!("{name}: kept as version {}, at {}", kept.version, api.url())?;
                say!("It is not in force: toolgate policy publish {name} --version {} --reason WHY", kept.version)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(failure) => {
                tell!("toolgate: {failure}");
                if can_ask() && agreed("Edit it again?", true)? {
                    continue;
                }
                let (_, kept) = draft.keep().trying("the draft")?;
                return Err(Failure::No(format!("{name} is as it was; your edit is kept in {}", kept.display())));
            }
        }
    }
}
