//! The JSON Schema test suite through [`ToolSchema`], the optional and the remote parts excepted.

use std::path::Path;

use policy::operand::Numbers;
use policy::tool_schema::{Closing, ToolSchema};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::shared_data;

#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    description: String,
    data: Box<RawValue>,
    valid: bool,
}

/// What is said of a schema that refers to what the suite serves at this address: nothing is ever fetched.
const REMOTE: &str = "http://localhost:1234/";

#[test]
fn draft_2020_12() {
    run("draft2020-12", None);
}

#[test]
fn draft_7() {
    run("draft7", Some("http://json-schema.org/draft-07/schema#"));
}

fn run(draft: &str, dialect: Option<&str>) {
    let Some(data) = shared_data() else { return };
    let directory = data.join("security/json-schema-test-suite/tests").join(draft);
    let mut files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut judged, mut wrong, mut remote) = (0, Vec::new(), Vec::new());
    for file in files {
        judged += run_file(&file, dialect, &mut wrong, &mut remote);
    }
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    // Beside refRemote.json a few groups refer to the suite's server.
    remote.retain(|place| !place.starts_with("refRemote.json"));
    assert!(judged > 800 && remote.len() <= 12, "{judged} judged, remote:\n{}", remote.join("\n"));
    println!("{judged} judged, {} remote", remote.len());
}

fn run_file(file: &Path, dialect: Option<&str>, wrong: &mut Vec<String>, remote: &mut Vec<String>) -> usize {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).unwrap();
    let groups: Vec<Group> = serde_json::from_str(&text).unwrap();
    let mut judged = 0;
    for group in groups {
        let schema = with_dialect(group.schema.get(), dialect);
        let place = format!("{name}: {}", group.description);
        let compiled = ToolSchema::compile(&schema);
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) if error.to_string().contains(REMOTE) => {
                remote.push(place);
                continue;
            }
            Err(error) => {
                wrong.push(format!("{place}: {error}"));
                continue;
            }
        };
        for case in group.tests {
            judged += 1;
            let args = mcp::json::parse(case.data.get()).unwrap();
            let found = compiled.validate(&args, Closing::Check, Numbers::Exact);
            if found.is_ok() != case.valid {
                wrong.push(format!("{place}: {}: {found:?}", case.description));
            }
        }
    }
    judged
}

/// Schemas of the older draft do not all name it.
fn with_dialect(schema: &str, dialect: Option<&str>) -> String {
    match (dialect, schema.trim().strip_prefix('{')) {
        (Some(dialect), Some(rest)) if !schema.contains("\"$schema\"") => {
            let comma = if rest.trim() == "}" { "" } else { "," };
            format!("{{\"$schema\":\"{dialect}\"{comma}{rest}")
        }
        _ => schema.to_owned(),
    }
}
