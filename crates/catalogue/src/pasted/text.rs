//! A configuration as a value: JSON with comments, TOML, or YAML.

use serde_json::Value;

use super::BadPaste;

/// Nodes of a YAML text. No client's configuration comes near it.
const NODES: usize = 50_000;

/// Reads a text in whichever of them it is.
pub(super) fn parsed(text: &str) -> Result<Value, BadPaste> {
    if text.trim_start().starts_with(['{', '"', '/']) {
        return json(text);
    }
    match toml::from_str(text) {
        Err(_) if is_yaml(text) => yaml(text),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            Err(BadPaste::At { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 })
        }
        Ok(read) => Ok(read),
    }
}

fn json(text: &str) -> Result<Value, BadPaste> {
    // Some paste without the braces around it.
    let options = jsonc_parser::ParseOptions::default();
    let bare = text.trim_start().starts_with('"');
    let braced = if bare { format!("{{{text}}}") } else { text.to_owned() };
    jsonc_parser::parse_to_serde_value(&braced, &options).map_err(|error| BadPaste::At {
        line: error.line_display(),
        column: error.column_display().saturating_sub(usize::from(bare && error.line_display() == 1)).max(1),
    })
}

/// Whether the first line that says something is one of YAML: a key and a colon, an item, or three hyphens.
fn is_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| {
        let key = line.split(':').next().unwrap_or_default();
        line.starts_with("---") || line.starts_with("- ") || (key.len() < line.len() && !key.contains(['=', '[']))
    })
}

/// Within bounds: names that stand for what was written before may make a short text a long value.
fn yaml(text: &str) -> Result<Value, BadPaste> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: NODES, max_events: 4 * NODES, max_aliases: 1_000, max_documents: 1 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: NODES },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location();
        let number = |number: u64| usize::try_from(number).unwrap_or(1).max(1);
        BadPaste::At {
            line: place.map_or(1, |place| number(place.line())),
            column: place.map_or(1, |place| number(place.column())),
        }
    })
}
