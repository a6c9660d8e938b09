//! What a parameter takes, wherever it stands: behind a question mark, in an argument of a tool, in a body. What it
//! takes is said in one place, and so is what is said of a value that it does not take.

use catalogue::since::{SINCE, since};
use jiff::Timestamp;
use policy::Class;
use risk::recommend::Temper;
use risk::{Facet, Severity};
use serde_json::{Value, json};

use crate::failure::Failure;

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Takes {
    /// One of these words.
    Word(Vec<&'static str>),
    /// A text that is not empty, of at most so many characters.
    Text(usize),
    /// At most so many texts, each of at most so many characters.
    Texts(usize, usize),
    /// A whole number from one to another.
    Number(usize, usize),
    /// Since when.
    Since,
    /// The letter that a name begins with.
    Letter,
}

impl Takes {
    /// What a parameter takes that means the same wherever it stands.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "kind" => Self::Word(vec!["server", "tool"]),
            "class" => Self::Word(Class::ALL.map(Class::as_str).to_vec()),
            "severity" => {
                let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
                Self::Word(all.map(Severity::as_str).to_vec())
            }
            "facet" => Self::Word(Facet::ALL.map(Facet::as_str).to_vec()),
            "standing" => Self::Word(vec!["official", "community"]),
            "copies" => Self::Word(vec!["folded", "apart"]),
            "policy" => Self::Word(Temper::ALL.map(Temper::as_str).to_vec()),
            "page" => Self::Number(1, usize::MAX),
            "publisher" => Self::Text(200),
            "since" => Self::Since,
            "letter" => Self::Letter,
            _ => return None,
        })
    }

    /// Refuses a value that is none of those it takes. Only its kind is said again: it may be a secret.
    pub(crate) fn check(&self, name: &str, value: &Value) -> Result<(), Failure> {
        let given = match (self, value) {
            (Self::Texts(most, long), Value::Array(all)) => match all.len() {
                many if many > *most => format!("{many} were given"),
                _ => {
                    let each = Self::Text(*long);
                    let wrong = (1..).zip(all).find_map(|(at, one)| each.check(name, one).err().map(|_| at));
                    let Some(at) = wrong else { return Ok(()) };
                    format!("entry {at} is none")
                }
            },
            (Self::Number(least, most), Value::Number(number)) => {
                let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
                if number.is_some_and(|number| (*least..=*most).contains(&number)) {
                    return Ok(());
                }
                "another number was given".to_owned()
            }
            (Self::Texts(..) | Self::Number(..), _) => format!("{} was given", kind(value)),
            (_, Value::String(text)) => match self.unmet(text) {
                None => return Ok(()),
                Some(given) => given,
            },
            _ => format!("{} was given", kind(value)),
        };
        Err(Failure::Unclear(format!("`{name}` must be {}; {given}.", self.said())))
    }

    /// The same for a text.
    pub(crate) fn check_text(&self, name: &str, text: &str) -> Result<(), Failure> {
        match self {
            Self::Number(..) => self.number(name, text).map(|_| ()),
            _ => self.check(name, &Value::from(text)),
        }
    }

    /// The number that stands in a text.
    pub(crate) fn number(&self, name: &str, text: &str) -> Result<usize, Failure> {
        let number = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|text| text.parse::<usize>().ok());
        match (self, number) {
            (Self::Number(least, most), Some(number)) if (*least..=*most).contains(&number) => Ok(number),
            _ => Err(Failure::Unclear(format!("`{name}` must be {}.", self.said()))),
        }
    }

    /// What a text is instead of what it should be.
    fn unmet(&self, text: &str) -> Option<String> {
        let is_one = match self {
            Self::Word(words) => words.contains(&text),
            Self::Since => since(text, Timestamp::UNIX_EPOCH).is_ok(),
            Self::Letter => matches!(text.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z' | b'0']),
            Self::Text(most) => {
                return match text.chars().count() {
                    0 => Some("an empty one was given".to_owned()),
                    long if long > *most => Some(format!("one of {long} characters was given")),
                    _ => None,
                };
            }
            Self::Texts(..) | Self::Number(..) => false,
        };
        (!is_one).then(|| if text.is_empty() { "nothing was given" } else { "something else was given" }.to_owned())
    }

    /// What it takes, in words.
    pub(crate) fn said(&self) -> String {
        match self {
            Self::Word(words) => format!("one of {}", listed(words)),
            Self::Text(most) => format!("a text of 1 to {most} characters"),
            Self::Texts(most, long) => format!("a list of at most {most} texts, each of 1 to {long} characters"),
            Self::Number(least, usize::MAX) => format!("a whole number from {least} on"),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Since => SINCE.to_owned(),
            Self::Letter => "a letter from a to z, or 0 for names that begin with none of them".to_owned(),
        }
    }

    /// What it takes, as JSON Schema says it.
    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
            Self::Texts(most, long) => {
                json!({ "type": "array", "maxItems": most, "items": Self::Text(*long).schema() })
            }
            Self::Number(least, usize::MAX) => json!({ "type": "integer", "minimum": least }),
            Self::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Self::Since => json!({ "type": "string", "minLength": 1 }),
            Self::Letter => json!({ "type": "string", "pattern": "^[a-zA-Z0]$" }),
        }
    }
}

/// What kind of value it is.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Words as a sentence lists them: `a, b or c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} or {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(name: &str) -> Takes {
        Takes::of(name).unwrap()
    }

    #[test]
    fn a_parameter_takes_what_it_says() {
        let table = [
            (takes("kind"), json!("tool"), ""),
            (takes("kind"), json!("plant"), "`x` must be one of server or tool; something else was given."),
            (
                takes("severity"),
                json!("High"),
                "`x` must be one of low, medium, high or critical; something else was given.",
            ),
            (takes("copies"), json!(7), "`x` must be one of folded or apart; a number was given."),
            (takes("page"), json!(1), ""),
            (takes("page"), json!(0), "`x` must be a whole number from 1 on; another number was given."),
            (takes("page"), json!(1.5), "`x` must be a whole number from 1 on; another number was given."),
            (takes("page"), json!("1"), "`x` must be a whole number from 1 on; a text was given."),
            (Takes::Text(3), json!("äöü"), ""),
            (Takes::Text(3), json!(""), "`x` must be a text of 1 to 3 characters; an empty one was given."),
            (Takes::Text(3), json!("abcd"), "`x` must be a text of 1 to 3 characters; one of 4 characters was given."),
            (Takes::Texts(2, 3), json!(["a", "b"]), ""),
            (Takes::Texts(2, 3), json!([]), ""),
            (
                Takes::Texts(2, 3),
                json!(["a", 1]),
                "`x` must be a list of at most 2 texts, each of 1 to 3 characters; entry 2 is none.",
            ),
            (
                Takes::Texts(2, 3),
                json!(["a", "b", "c"]),
                "`x` must be a list of at most 2 texts, each of 1 to 3 characters; 3 were given.",
            ),
            (
                Takes::Texts(2, 3),
                json!("a"),
                "`x` must be a list of at most 2 texts, each of 1 to 3 characters; a text was given.",
            ),
            (takes("letter"), json!("Q"), ""),
            (
                takes("letter"),
                json!("\0"),
                "`x` must be a letter from a to z, or 0 for names that begin with none of them; something else was given.",
            ),
            (takes("since"), json!("2w"), ""),
        ];
        for (takes, value, wrong) in table {
            let found = takes.check("x", &value).err().map(|failure| failure.to_string()).unwrap_or_default();
            assert_eq!(found, wrong, "{takes:?} {value}");
            // The schema says the same. That of times cannot.
            if takes != Takes::Since {
                let valid = jsonschema::validator_for(&takes.schema()).unwrap().is_valid(&value);
                assert_eq!(valid, wrong.is_empty(), "{takes:?} {value}");
            }
        }
        let wrong = takes("since").check_text("since", "99999999999d").unwrap_err().to_string();
        assert!(wrong.starts_with("`since` must be a day (2026-11-01), a time"), "{wrong}");
    }

    #[test]
    fn numbers_in_texts() {
        let takes = Takes::Number(1, 100);
        assert_eq!(takes.number("limit", "100").ok(), Some(100));
        for text in ["", "0", "101", "+1", "-1", " 1", "1.0", "1e2", "x", "99999999999999999999999"] {
            let wrong = takes.number("limit", text).unwrap_err().to_string();
            assert_eq!(wrong, "`limit` must be a whole number from 1 to 100.", "{text}");
        }
    }
}
