//! What one definition says otherwise than another, readable.

use serde_json::Value;

/// One place in which two definitions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place: `description`, `inputSchema.properties.amount.maximum`.
    pub place: String,
    /// What stood there; `None` where nothing did.
    pub before: Option<String>,
    /// What stands there now; `None` where nothing does.
    pub after: Option<String>,
}

/// How deep objects are looked into; what lies deeper is compared whole.
const DEPTH: usize = 16;

/// All places in which two definitions differ, in the order of their names. Texts are given as they
/// are: who shows them escapes what nobody sees.
///
/// ```
/// use risk::pins::differences;
///
/// let found = differences(r#"{"name":"a","inputSchema":{"x":1}}"#, r#"{"name":"a","inputSchema":{"x":2}}"#);
/// assert_eq!(found[0].place, "inputSchema.x");
/// assert_eq!(found[0].before.as_deref(), Some("1"));
/// ```
#[must_use]
pub fn differences(before: &str, after: &str) -> Vec<Difference> {
    let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let mut found = Vec::new();
    compare("", Some(&read(before)), Some(&read(after)), 0, &mut found);
    if found.is_empty() && before != after {
        // Numbers that are spelled otherwise: a reader of the tree sees no difference, the digest does.
        found.push(Difference {
            place: "definition".to_owned(),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
        });
    }
    found
}

fn compare(place: &str, before: Option<&Value>, after: Option<&Value>, depth: usize, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) if depth < DEPTH => {
            let mut names: Vec<&String> =
                one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))).collect();
            names.sort();
            for name in names {
                compare(&below(name), one.get(name), other.get(name), depth + 1, found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() && depth < DEPTH => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place}[{index}]"), Some(one), Some(other), depth + 1, found);
            }
        }
        _ => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            found.push(Difference { place: place.to_owned(), before: before.map(text), after: after.map(text) });
        }
    }
}

/// Whether nothing but the spelling of `title` and `description` has changed: case, white space and a
/// full stop at the end. Invisible characters are no spelling.
#[must_use]
pub fn is_cosmetic(before: &str, after: &str) -> bool {
    let found = differences(before, after);
    !found.is_empty()
        && found.iter().all(|one| {
            let (Some(before), Some(after)) = (&one.before, &one.after) else { return false };
            matches!(one.place.as_str(), "title" | "description")
                && !after.chars().any(crate::findings::is_invisible)
                && spelled(before) == spelled(after)
        })
}

/// A text whatever its case, its white space and the full stop at its end. Punctuation within it
/// can turn what it says around.
fn spelled(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_told() {
        let before =
            r#"{"name":"a","description":"Adds.","inputSchema":{"properties":{"x":{"maximum":1}},"required":["x"]}}"#;
        let after = r#"{"name":"a","inputSchema":{"properties":{"x":{"maximum":9},"y":{}},"required":["x","y"]}}"#;
        let told: Vec<String> = differences(before, after)
            .into_iter()
            .map(|one| {
                format!("{}: {:?} {:?}", one.place, one.before.unwrap_or_default(), one.after.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                r#"description: "Adds." """#,
                r#"inputSchema.properties.x.maximum: "1" "9""#,
                r#"inputSchema.properties.y: "" "{}""#,
                r#"inputSchema.required: "[\"x\"]" "[\"x\",\"y\"]""#,
            ]
        );
        assert!(differences(before, before).is_empty());
        assert_eq!(differences(r#"{"x":1.0}"#, r#"{"x":1.00}"#).len(), 1, "a number spelled otherwise");
    }

    #[test]
    fn spelling_is_cosmetic_and_words_are_not() {
        let of = |text: &str| serde_json::json!({ "name": "a", "description": text }).to_string();
        assert!(is_cosmetic(&of("Adds two numbers"), &of("adds two  numbers.")));
        for other in
            ["Adds two numbers. Now.", "Adds two numbers\u{200b}", "Adds -two numbers", "Adds: two numbers", ""]
        {
            assert!(!is_cosmetic(&of("Adds two numbers"), &of(other)), "{other}");
        }
        assert!(!is_cosmetic(&of("a"), &of("a")), "no change is no cosmetic change");
        assert!(!is_cosmetic(r#"{"name":"a"}"#, r#"{"name":"A"}"#));
    }
}
