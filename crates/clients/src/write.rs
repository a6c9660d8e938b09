//! How values are written, like those beside them.

use crate::document::Format;
use crate::tree::yaml_reads_as_no_text;

/// A value to be written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Data {
    Text(String),
    Bare(String),
    List(Vec<Data>),
    Map(Vec<(String, Data)>),
}

impl Data {
    pub(crate) fn texts(words: &[String]) -> Self {
        Self::List(words.iter().cloned().map(Self::Text).collect())
    }
}

impl From<&toml::Value> for Data {
    fn from(value: &toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text.clone()),
            toml::Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            toml::Value::Table(table) => {
                Self::Map(table.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect())
            }
            other => Self::Bare(other.to_string()),
        }
    }
}

/// A text in the quotes that another one has, where they can hold it.
pub(crate) fn text(format: Format, value: &str, like: &str) -> String {
    match (format, like.chars().next()) {
        (Format::Toml, Some('\'')) if !like.starts_with("'''") && holds(value, &['\'']) => format!("'{value}'"),
        (Format::Yaml, Some('\'')) if holds(value, &[]) => format!("'{}'", value.replace('\'', "''")),
        (Format::Yaml, Some('"')) => quoted(value),
        (Format::Yaml, _) if is_plain(value) => value.to_owned(),
        _ => quoted(value),
    }
}

/// A key, quoted or bare as another one.
pub(crate) fn key(format: Format, name: &str, like: &str) -> String {
    match format {
        Format::Json | Format::Jsonc => quoted(name),
        Format::Yaml => text(format, name, like),
        Format::Toml => {
            let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
            let quotes = like.starts_with(['"', '\'']);
            if !quotes && !name.is_empty() && name.chars().all(bare) {
                name.to_owned()
            } else {
                text(format, name, like)
            }
        }
    }
}

/// A value on one line.
pub(crate) fn line(format: Format, data: &Data) -> String {
    match data {
        Data::Text(value) if format == Format::Yaml && value.contains([',', '[', ']', '{', '}']) => quoted(value),
        Data::Text(value) => text(format, value, ""),
        Data::Bare(bare) => bare.clone(),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(|item| line(format, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Data::Map(members) if members.is_empty() => "{}".to_owned(),
        Data::Map(members) => {
            let between = if format == Format::Toml { " = " } else { ": " };
            let members = members.iter().map(|(name, value)| key(format, name, "") + between + &line(format, value));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value of JSON over several lines: maps are, lists are not.
pub(crate) fn lines(format: Format, data: &Data, outer: &str, step: &str, line_end: &str) -> String {
    let Data::Map(members) = data else { return line(format, data) };
    if members.is_empty() {
        return "{}".to_owned();
    }
    let inner = format!("{outer}{step}");
    let members = members.iter().map(|(name, value)| {
        format!("{line_end}{inner}{}: {}", key(format, name, ""), lines(format, value, &inner, step, line_end))
    });
    format!("{{{}{line_end}{outer}}}", members.collect::<Vec<_>>().join(","))
}

/// The members of a map of YAML, each on a line of its own, without the first one's indentation.
pub(crate) fn block(members: &[(String, Data)], indent: &str, line_end: &str) -> String {
    let members = members.iter().map(|(name, value)| {
        let name = key(Format::Yaml, name, "");
        match value {
            Data::List(items) if !items.is_empty() => {
                let items = items.iter().map(|item| format!("{line_end}{indent}  - {}", line(Format::Yaml, item)));
                format!("{name}:{}", items.collect::<String>())
            }
            Data::Map(members) if !members.is_empty() => {
                let inner = format!("{indent}  ");
                format!("{name}:{line_end}{inner}{}", block(members, &inner, line_end))
            }
            other => format!("{name}: {}", line(Format::Yaml, other)),
        }
    });
    members.collect::<Vec<_>>().join(&format!("{line_end}{indent}"))
}

/// Whether quotes without escapes can hold a text.
fn holds(value: &str, not: &[char]) -> bool {
    !value.contains(not) && !value.chars().any(must_be_escaped)
}

fn must_be_escaped(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text in double quotes, as JSON, TOML and YAML read it alike.
fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for letter in value.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if must_be_escaped(letter) => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Whether YAML reads a text without quotes as that text, wherever it stands on a line.
fn is_plain(value: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "/._@%+=&?:\\-$~".contains(letter);
    let first = value.starts_with(|letter: char| letter.is_ascii_alphanumeric() || "/._-$".contains(letter));
    let hyphens = value.chars().all(|letter| letter == '-') || value.starts_with("---") || value.starts_with("...");
    let word = value.to_ascii_lowercase();
    // What YAML 1.1 reads as a boolean or, with colons, as a number to the base of 60.
    let old = matches!(word.as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    let number = value.starts_with(|letter: char| letter.is_ascii_digit());
    first
        && value.chars().all(inner)
        && !value.ends_with(':')
        && !hyphens
        && !old
        && !number
        && !yaml_reads_as_no_text(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_take_the_quotes_of_their_neighbours() {
        for (format, value, like, written) in [
            (Format::Json, "a\"b\\\n", "", r#""a\"b\\\n""#),
            (Format::Toml, "C:\\x", "'y'", "'C:\\x'"),
            (Format::Toml, "it's", "'y'", "\"it's\""),
            (Format::Toml, "x", "'''y'''", "\"x\""),
            (Format::Yaml, "it's", "'y'", "'it''s'"),
            (Format::Yaml, "npx", "\"y\"", "\"npx\""),
            (Format::Yaml, "https://e.test/mcp", "y", "https://e.test/mcp"),
            (Format::Yaml, "--policy", "y", "--policy"),
            (Format::Yaml, "--", "y", "\"--\""),
            (Format::Yaml, "true", "y", "\"true\""),
            (Format::Yaml, "1.5", "y", "\"1.5\""),
            (Format::Yaml, "a b", "y", "\"a b\""),
            (Format::Yaml, "", "y", "\"\""),
            (Format::Yaml, "\u{85}", "'y'", "\"\\u0085\""),
        ] {
            assert_eq!(text(format, value, like), written);
        }
        assert_eq!(key(Format::Toml, "A-B", "x"), "A-B");
        assert_eq!(key(Format::Toml, "A B", "x"), "\"A B\"");
        assert_eq!(key(Format::Toml, "A", "'x'"), "'A'");
    }
}
