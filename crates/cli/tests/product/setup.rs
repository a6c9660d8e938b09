//! What the tests start from.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use testkit::script::Script;
use testkit::toolgate::Setup;

/// The binary under test.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_toolgate");

/// A toolgate to be described further.
pub(crate) fn toolgate() -> anyhow::Result<Setup> {
    Setup::new(EXE)
}

/// Allows these tools and nothing else.
pub(crate) fn allow(tools: &[&str]) -> Value {
    let tools: Map<String, Value> = tools.iter().map(|tool| ((*tool).to_owned(), json!({}))).collect();
    json!({ "version": "1", "default": "deny", "tools": tools })
}

/// Allows one tool, so many times in a window that does not end during a test.
pub(crate) fn limited(tool: &str, max: u64) -> Value {
    let limits = json!([{ "counter": "calls", "window": 2_678_400, "max": max, "scope": "grant" }]);
    json!({ "version": "1", "default": "deny", "tools": { tool: { "limits": limits } } })
}

/// Allows everything, client features included.
pub(crate) fn open() -> Value {
    let methods = json!({ "allow": ["sampling/createMessage", "elicitation/create", "roots/list"] });
    json!({ "version": "1", "default": "allow", "methods": methods })
}

/// The recording server on stdio: the words of its command line, and its record.
pub(crate) fn recording(setup: &Setup, script: &Script) -> anyhow::Result<(Vec<PathBuf>, PathBuf)> {
    setup.recording(script)
}

/// A member of a record as text, empty where it has none.
pub(crate) fn word<'a>(record: &'a Value, member: &str) -> &'a str {
    record.get(member).and_then(Value::as_str).unwrap_or_default()
}
