//! What came of a call.

use std::borrow::Cow;

use crate::json::{self, Scanner, Span, Value};

/// A result of `tools/call`, `prompts/get` or `resources/read`, as far as a gateway reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// The tool says that it failed.
    pub is_error: bool,
    /// `resultType` of 2026-07-28: `complete`, `input_required`, `task`. Absent means complete.
    pub result_type: Option<Cow<'a, str>>,
    /// `inputRequests` of `input_required`, raw; see [`input_requests`].
    pub input_requests: Option<&'a str>,
    /// Where the id of a task that was created stands, with its quotes: `taskId` of 2026-07-28, `task.taskId` of
    /// 2025-11-25.
    pub task_id: Option<Span>,
}

impl Call<'_> {
    /// Whether the call is done, rather than waiting for input or continued as a task.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.result_type.as_deref(), None | Some("complete")) && self.task_id.is_none()
    }
}

/// Reads the result of a call.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn call(raw: &str) -> Result<Call<'_>, json::Error> {
    let mut scanner = Scanner::new(raw);
    let mut call = Call::default();
    if scanner.peek() == Some(b'{') {
        scanner.object(0, |scanner, key| {
            let name = scanner.decode(key);
            match (name.as_ref(), scanner.peek()) {
                ("isError", Some(first)) => {
                    scanner.skip(1)?;
                    call.is_error = first == b't';
                }
                ("resultType", Some(b'"')) => {
                    let quoted = scanner.string()?;
                    call.result_type = Some(scanner.decode(quoted));
                }
                ("inputRequests", Some(b'{')) => call.input_requests = Some(scanner.skip(1)?.of(raw)),
                ("taskId", Some(b'"')) => call.task_id = Some(scanner.string()?.outer()),
                ("task", Some(b'{')) => scanner.object(1, |scanner, key| {
                    let is_id = scanner.decode(key) == "taskId" && scanner.peek() == Some(b'"');
                    let span = scanner.skip(2)?;
                    if is_id {
                        call.task_id = Some(span);
                    }
                    Ok(())
                })?,
                _ => drop(scanner.skip(1)?),
            }
            Ok(())
        })?;
    } else {
        scanner.skip(0)?;
    }
    scanner.end()?;
    Ok(call)
}

/// The methods that an `inputRequests` object asks the client for, by key. A request whose method cannot be read has an
/// empty one, which no policy permits.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn input_requests(raw: &str) -> Result<Vec<(String, String)>, json::Error> {
    let value = json::parse(raw)?;
    let requests = value.as_object().into_iter().flat_map(json::Object::iter);
    Ok(requests
        .map(|(key, request)| {
            // A decoder that folds case must not find another method than the one that is judged.
            let aliased = request
                .as_object()
                .is_some_and(|request| request.iter().any(|(key, _)| key != "method" && json::folds_to(key, "method")));
            let method = request.get("method").and_then(Value::as_str).filter(|_| !aliased);
            (key.to_owned(), method.unwrap_or_default().to_owned())
        })
        .collect())
}
