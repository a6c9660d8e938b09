//! Tool lists in files: a `tools/list` result, a response that holds one, an array of tools, or a
//! tool a line.

use super::tools::{Collector, Tool};

/// Reads the text of such a file.
///
/// # Errors
/// A sentence that says what was found and what is read.
pub fn read(text: &str) -> Result<(Vec<Tool>, usize), String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let list = match mcp::json::parse(text) {
        Ok(value) if value.as_array().is_some() => format!(r#"{{"tools":{text}}}"#),
        Ok(_) => match located(text, &["result", "tools"]).or_else(|| located(text, &["tools"])) {
            Some(tools) => format!(r#"{{"tools":{tools}}}"#),
            None if located(text, &["name"]).is_some() => format!(r#"{{"tools":[{text}]}}"#),
            None => return Err(format!("it has neither `tools` nor `result.tools`; {EXPECTED}")),
        },
        Err(error) => lines(text).ok_or_else(|| format!("it is not JSON ({error}); {EXPECTED}"))??,
    };
    let mut collector = Collector::default();
    // A cursor was cut off above: a file is all that there is.
    collector.add(&list)?;
    Ok(collector.finish())
}

const EXPECTED: &str =
    "a list is a tools/list result, a JSON-RPC response that holds one, an array of tools, or one tool a line";

/// The raw value at a path.
fn located<'a>(text: &'a str, path: &[&str]) -> Option<&'a str> {
    mcp::json::locate(text, path).ok().flatten().map(|span| span.of(text))
}

/// The lines as one list; `None` if the first is no JSON value of its own.
fn lines(text: &str) -> Option<Result<String, String>> {
    let lines: Vec<(usize, &str)> =
        (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()).collect();
    mcp::json::parse(lines.first()?.1).ok()?;
    for (number, line) in &lines {
        if let Err(error) = mcp::json::parse(line) {
            return Some(Err(format!("line {number} is not JSON: {error}")));
        }
    }
    let joined: Vec<&str> = lines.into_iter().map(|(_, line)| line).collect();
    Some(Ok(format!(r#"{{"tools":[{}]}}"#, joined.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        read(text).map(|(tools, _)| tools.into_iter().map(|tool| tool.name).collect())
    }

    #[test]
    fn every_form_gives_the_same_tools() {
        let (a, b) = (r#"{"name":"a","inputSchema":{"type":"object"}}"#, r#"{ "name": "b" }"#);
        for text in [
            format!(r#"{{"tools":[{a},{b}],"nextCursor":"x"}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{a},{b}]}}}}"#),
            format!("[{a},{b}]"),
            format!("{a}\n\n{b}\n"),
            format!("\u{feff}[{a}, {b}]"),
        ] {
            assert_eq!(names(&text).unwrap(), ["a", "b"], "{text}");
        }
        assert_eq!(names(a).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(names("hello").unwrap_err().contains("not JSON"));
        assert!(names("{}").unwrap_err().contains("neither"));
        assert!(names("{\"name\":\"a\"}\nhello").unwrap_err().contains("line 2"));
        assert!(names(r#"[{"name":"a"},{"name":"a"}]"#).unwrap_err().contains("two tools named a"));
        let (tools, unreadable) = read(r#"[{"name":"a"}, 7, {"title":"no name"}]"#).unwrap();
        assert_eq!((tools.len(), unreadable), (1, 2));
    }

    #[test]
    fn a_digest_does_not_see_spaces_and_order() {
        let digest = |text: &str| read(text).unwrap().0[0].digest.clone();
        let one = digest(r#"[{"name":"a","description":"b"}]"#);
        assert_eq!(one, digest(r#"[{ "description": "b", "name": "a" }]"#));
        assert_ne!(one, digest(r#"[{"name":"a","description":"c"}]"#));
    }
}
