//! The policies of wrapped servers, and what is held.

use std::path::Path;

use gateway::policy_file::compile;

use super::Finding;
use crate::client_files::covered::{Covered, Machine};
use crate::client_files::{shown, visible};
use crate::commands::counted;
use crate::commands::status::{Mode, shell_word};
use crate::pins;

const GROUP: &str = "Policies";

/// Looks.
pub fn findings(machine: &Machine, data: &Path, home: &Path) -> Vec<Finding> {
    machine.covered.iter().flat_map(|covered| of(covered, data, home)).collect()
}

fn of(covered: &Covered, data: &Path, home: &Path) -> Vec<Finding> {
    let server = visible(&covered.server);
    let Some(policy) = &covered.policy else {
        let text = format!("{server}: its entry names no policy, so it does not start");
        return vec![Finding::bad(GROUP, "policy", text).remedy("toolgate unwrap, and toolgate wrap again")];
    };
    let file = shown(policy, home);
    let edit = format!("toolgate policy edit {}", shell_word(Path::new(&covered.server)));
    let mut found = vec![match Mode::of(Some(policy)) {
        mode @ (Mode::Observing | Mode::Enforcing) => {
            Finding::good(GROUP, "policy", format!("{server}: {file}, {}", mode.as_str()))
        }
        Mode::Missing => {
            Finding::bad(GROUP, "policy", format!("{server}: {file} is missing, so it does not start")).remedy(edit)
        }
        Mode::Broken => {
            let why = why(policy);
            let text = format!("{server}: {file} cannot be used, so it does not start: {why}");
            Finding::bad(GROUP, "policy", text).remedy(edit)
        }
    }];
    match pins::held(policy, data, &covered.server) {
        Ok(0) => {}
        Ok(held) => {
            let what = format!("{server}: {} held", counted(held, "definition"));
            let remedy = format!("toolgate server held {server} --policy {}", shell_word(policy));
            found.push(Finding::note(GROUP, "held", what).remedy(remedy));
        }
        Err(why) => {
            let text =
                format!("{server}: accepted definitions cannot be read, so it does not start: {}", visible(&why));
            found.push(Finding::bad(GROUP, "definitions", text));
        }
    }
    found
}

/// The first thing that is wrong with a policy.
fn why(policy: &Path) -> String {
    let text = match std::fs::read_to_string(policy) {
        Ok(text) => text,
        Err(error) => return error.to_string(),
    };
    let Err(rejected) = compile(text) else { return String::new() };
    let first = rejected.diagnostics.iter().find(|finding| finding.is_error());
    first.map_or_else(String::new, |finding| visible(&finding.message))
}
