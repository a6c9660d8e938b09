//! What a schema may cost, checked before it is compiled.

use serde_json::Value;

use super::SchemaError;
use super::walk::{Id, Walk};

/// The longest schema, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// How deep schemas may stand inside of each other.
pub const MAX_DEPTH: usize = 32;
/// How many schemas may stand in one, itself counted.
pub const MAX_SUBSCHEMAS: usize = 2_000;
/// How many schemas may apply to one value at once, references followed.
pub const MAX_WORK: usize = 10_000;

/// How many patterns may stand in a schema.
pub const MAX_PATTERNS: usize = 500;
/// What all patterns of a schema may take together when compiled, in bytes.
pub const MAX_PATTERN_MEMORY: usize = 8 << 20;

/// Walks the schema and bounds it.
///
/// Depth and number bound the text. References can multiply without adding text (`allOf` of twice the same, and so on
/// from there), so what they come to is counted: for every subschema, all those that apply to the same value. The largest
/// such number is returned beside the walk.
///
/// # Errors
/// When a limit is exceeded, or when a schema refers to itself without going into a part of the value.
pub(super) fn check(schema: &Value) -> Result<(Walk<'_>, usize), SchemaError> {
    let walk = Walk::new(schema)?;
    let mut work = vec![Work::Unknown; walk.subschemas.len()];
    let mut most = 0;
    for id in 0..walk.subschemas.len() {
        most = most.max(work_of(&walk, id, &mut work, 0)?);
    }
    Ok((walk, most))
}

/// What each pattern may take when compiled, in bytes: an equal part of what all may.
///
/// # Errors
/// When there are too many.
pub(super) fn pattern_memory(walk: &Walk<'_>) -> Result<usize, SchemaError> {
    let count = |value: &Value| {
        let keys = value.get("patternProperties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        // Keys are compiled twice: for the schema, and to say which arguments it declares.
        usize::from(value.get("pattern").is_some()) + 2 * keys
    };
    let patterns: usize = walk.subschemas.iter().map(|subschema| count(subschema.value)).sum();
    if patterns > MAX_PATTERNS {
        return Err(SchemaError::new(format!("it has more than {MAX_PATTERNS} patterns")));
    }
    Ok(MAX_PATTERN_MEMORY / patterns.max(1))
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Unknown,
    Open,
    Known(usize),
}

fn work_of(walk: &Walk<'_>, id: Id, work: &mut Vec<Work>, depth: usize) -> Result<usize, SchemaError> {
    match work.get(id) {
        Some(Work::Known(known)) => return Ok(*known),
        Some(Work::Open) => return Err(SchemaError::new("a schema in it refers to itself without end")),
        _ => {}
    }
    // References chain beyond the depth of the text.
    if depth > MAX_DEPTH * 8 {
        return Err(SchemaError::new("its references chain too long"));
    }
    if let Some(place) = work.get_mut(id) {
        *place = Work::Open;
    }
    let mut total = 1_usize;
    for (_, inner) in walk.get(id).map(|subschema| subschema.in_place.as_slice()).unwrap_or_default() {
        total = total.saturating_add(work_of(walk, *inner, work, depth + 1)?);
        if total > MAX_WORK {
            return Err(SchemaError::new(format!("more than {MAX_WORK} schemas in it apply to one value")));
        }
    }
    if let Some(place) = work.get_mut(id) {
        *place = Work::Known(total);
    }
    Ok(total)
}
