//! What an instance says when it does not do something (RFC 9457), as a sentence for whoever asked.

use http::StatusCode;
use serde_json::Value;

use super::place::Place;
use crate::client_files::visible;
use crate::failure::Failure;

/// The failure that a refusal is: 1 where the answer is no, 2 where it was never asked.
pub(super) fn refused(place: &Place, status: StatusCode, body: &Value) -> Failure {
    let word = |name: &str| body.get(name).and_then(Value::as_str).map(visible);
    let Some(detail) = word("detail") else {
        let url = place.url();
        return Failure::Usage(format!(
            "{url} answers with status {status}, and not as an instance of Toolgate does: look at the address"
        ));
    };
    let mut text = detail;
    let places = [("pointer", "field"), ("parameter", "parameter"), ("header", "header")];
    for (name, what) in places {
        if let Some(named) = word(name).filter(|named| !named.is_empty()) {
            text.push_str(&format!(" ({what} {named})"));
        }
    }
    for found in body.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
        text.push_str(&format!("\n  {}", diagnostic(found)));
    }
    match status.as_u16() {
        401 if body.get("type").and_then(Value::as_str) == Some("/problems/unknown-caller") => {
            let url = place.url();
            Failure::Usage(format!(
                "{url} does not know the token that was sent: it has ended, was revoked, or belongs to another instance; `toolgate login --instance {url} --name NAME` signs in anew"
            ))
        }
        429 | 500.. => Failure::Usage(text),
        _ => Failure::No(text),
    }
}

/// A diagnostic of a policy, in a line.
pub fn diagnostic(found: &Value) -> String {
    let word = |name: &str| found.get(name).and_then(Value::as_str).map(visible).unwrap_or_default();
    let mut line = format!("{} {}: {}", word("severity"), word("code"), word("message"));
    let help = word("help");
    if !help.is_empty() {
        line.push_str(&format!("; {help}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: u16, body: &Value) -> (u8, String) {
        let place = Place::parse("https://example.com").unwrap();
        let failure = refused(&place, StatusCode::from_u16(status).unwrap(), body);
        (failure.code(), failure.to_string())
    }

    #[test]
    fn a_problem_is_a_sentence_with_the_field_and_what_to_do() {
        let problem = json!({ "detail": "another agent has this name", "pointer": "/name" });
        assert_eq!(told(422, &problem), (1, "another agent has this name (field /name)".to_owned()));
        let policy = json!({ "detail": "nothing was kept", "pointer": "/document",
            "diagnostics": [{ "code": "P001", "severity": "error", "message": "no version", "help": "write one" }] });
        assert_eq!(
            told(422, &policy),
            (1, "nothing was kept (field /document)\n  error P001: no version; write one".to_owned())
        );
        for (status, code) in [(403, 1), (404, 1), (409, 1), (412, 1), (429, 2), (500, 2), (503, 2)] {
            assert_eq!(told(status, &json!({ "detail": "so it is" })), (code, "so it is".to_owned()), "{status}");
        }
        let unknown = json!({ "type": "/problems/unknown-caller", "detail": "no" });
        assert!(
            matches!(told(401, &unknown), (2, text) if text.contains("toolgate login --instance https://example.com"))
        );
        let wrong = json!({ "type": "/problems/wrong-credentials", "detail": "the password is wrong" });
        assert_eq!(told(401, &wrong), (1, "the password is wrong".to_owned()));
        assert!(matches!(told(404, &Value::Null), (2, text) if text.contains("look at the address")));
    }

    #[test]
    fn a_terminal_obeys_nothing_that_an_instance_says() {
        let (_, text) = told(409, &json!({ "detail": "\u{1b}[2J", "pointer": "\u{202e}" }));
        assert!(text.chars().all(audit::visible::is_plain), "{text}");
    }
}
