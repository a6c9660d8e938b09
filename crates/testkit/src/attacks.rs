//! The attack inputs beside the project: hostile requests with the verdict that each deserves.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::place;

/// One input.
#[derive(Debug, Clone)]
pub struct Attack {
    /// Its id, group first.
    pub id: String,
    /// What must become of it: `reject`, `canonical`, `strip`, …
    pub expect: String,
    /// What it tries.
    pub why: String,
    /// The bytes, where it is made of bytes.
    pub bytes: Vec<u8>,
    /// The rule under which it is judged, where it has one.
    pub rule: Value,
    /// Everything else, where it is not made of bytes.
    pub data: Value,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    group: String,
    expect: String,
    why: String,
    #[serde(default)]
    b64: String,
    #[serde(default)]
    rule: Value,
    #[serde(default)]
    data: Value,
}

/// The inputs of one group, or `None` (after saying so) where the file is absent.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn load(group: &str) -> anyhow::Result<Option<Vec<Attack>>> {
    let Some(shared) = place::shared() else { return Ok(None) };
    let file = shared.join("data/security/own/gateway-attacks.jsonl");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut attacks = Vec::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line)?;
        if line.group == group {
            let bytes = STANDARD.decode(&line.b64).with_context(|| line.id.clone())?;
            attacks.push(Attack {
                id: line.id,
                expect: line.expect,
                why: line.why,
                bytes,
                rule: line.rule,
                data: line.data,
            });
        }
    }
    anyhow::ensure!(!attacks.is_empty(), "no attacks of the group {group} in {}", file.display());
    Ok(Some(attacks))
}
