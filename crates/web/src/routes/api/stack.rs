//! A stack for programs: sent, looked at, and kept nowhere.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use catalogue::pages::stack::{Stack, StackPage};
use risk::recommend::Temper;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::Shared;
use super::super::stack::{LONG, MAX_FORM};
use super::answer;
use crate::arguments::{Argument, Arguments};
use crate::asked::temper;
use crate::chosen::{self, Chosen};
use crate::failure::Failure;

/// A stack, and how much of what was named is not in it.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    stack: StackPage,
    /// How many servers were named that nobody knows.
    unknown: usize,
}

pub(super) async fn stack(State(site): Shared, headers: HeaderMap, request: Request) -> Response<Body> {
    let made = async {
        let long = |_| Failure::TooLong(LONG.to_owned());
        let body = to_bytes(request.into_body(), MAX_FORM).await.map_err(long)?;
        let sent = object(&body)?;
        let declared: Vec<Argument> = chosen::arguments()
            .into_iter()
            .chain([Argument::known("policy", ""), Argument::known("page", "")].into_iter().flatten())
            .collect();
        // What is sent is not said again, and a name of it is a part of it.
        let asked = Arguments::read(&declared, &sent, |_| "The object has a member that is not read here".to_owned())?;
        let temper = asked.text("policy").and_then(temper).unwrap_or(Temper::Balanced);
        let mut chosen = Chosen::default();
        chosen.add_sent(&site, asked).await?;
        let stack = Stack::of(&site.catalogue, chosen.servers).await?.page(temper, asked.number("page").unwrap_or(1));
        if stack.tools.is_empty() && stack.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(Answer { stack, unknown: chosen.unknown })
    };
    answer(&headers, made.await)
}

/// The object that a body is.
fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    const WANTED: &str = "An object with `servers` (a list of texts) or `config` (a text) is read here";
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::Unclear(format!("{WANTED}; other JSON was sent."))),
        // What the reader says may quote what it read, which may be a secret.
        Err(error) => Err(Failure::Unclear(match (body.trim_ascii().is_empty(), error.is_eof()) {
            (true, _) => format!("{WANTED}; nothing was sent."),
            (false, true) => format!("{WANTED}; what was sent ends before the JSON does."),
            (false, false) => {
                format!("{WANTED}; what was sent is no JSON from line {}, column {} on.", error.line(), error.column())
            }
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_said_with_its_place() {
        let table = [
            ("", "; nothing was sent."),
            (" \n", "; nothing was sent."),
            ("{\"servers\": [", "; what was sent ends before the JSON does."),
            ("{\n  \"servers\": secret\n}", "; what was sent is no JSON from line 2, column 14 on."),
            ("[1]", "; other JSON was sent."),
            ("\"secret\"", "; other JSON was sent."),
        ];
        for (body, end) in table {
            let wrong = object(body.as_bytes()).unwrap_err().to_string();
            assert!(wrong.ends_with(end) && !wrong.contains("secret"), "{body}: {wrong}");
        }
        assert!(object(b"{}").is_ok());
    }
}
