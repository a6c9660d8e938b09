//! The policies printed in the seed pages beside the project.

use anyhow::Context;
use serde_json::Value;

use crate::place;

/// One page and its policy.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The file's name.
    pub file: String,
    /// The policy that it prints.
    pub policy: Value,
    /// The tool that it is about.
    pub tool: String,
    /// The limit's maximum.
    pub max: u64,
}

/// Every page's policy, or `None` (after saying so) where they are absent.
///
/// # Errors
/// When a page has no policy.
pub fn load() -> anyhow::Result<Option<Vec<Seed>>> {
    let Some(shared) = place::shared() else { return Ok(None) };
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(shared.join("seeds"))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path)?;
        let policy = policy(&text).with_context(|| format!("no policy in {file}"))?;
        let tools = policy.get("tools").and_then(Value::as_object).with_context(|| format!("no tools in {file}"))?;
        let (tool, rules) = tools.iter().next().with_context(|| format!("no tool in {file}"))?;
        let max =
            rules.pointer("/limits/0/max").and_then(Value::as_u64).with_context(|| format!("no limit in {file}"))?;
        let tool = tool.clone();
        seeds.push(Seed { file, policy, tool, max });
    }
    seeds.sort_by(|one, other| one.file.cmp(&other.file));
    anyhow::ensure!(!seeds.is_empty(), "no seeds");
    Ok(Some(seeds))
}

/// The JSON document that begins where the page's policy does.
fn policy(page: &str) -> Option<Value> {
    let begin = page.get(..page.find("\"version\"")?)?.rfind('{')?;
    serde_json::Deserializer::from_str(page.get(begin..)?).into_iter().next()?.ok()
}
