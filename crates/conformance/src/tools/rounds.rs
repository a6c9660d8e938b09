//! Tools that need more than one round (2026-07-28): the first answer asks, the call is repeated
//! with the answers.

use rmcp::model::{CallToolResponse, ErrorData};
use serde_json::{Map, Value, json};

use super::{Call, done};
use crate::input::{self, Answers, open, seal};

/// Asks for a name.
pub fn elicitation(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    match answers(call).accepted("user_name", "name")? {
        Some(name) => done(&format!("Hello, {name}!")),
        None => ask(call, json!({ "user_name": name_question() }), None),
    }
}

/// Asks, and keeps the stream open for nothing else: no request may travel on it.
pub fn streaming(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    match answers(call).accepted("confirm", "ok")? {
        Some(ok) => done(&format!("Confirmed: {ok}")),
        None => ask(call, json!({ "confirm": confirmation() }), None),
    }
}

/// Asks the client's model.
pub fn sampling(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    match answers(call).get("capital_question")? {
        Some(answer) => done(answer.pointer("/content/text").and_then(Value::as_str).unwrap_or_default()),
        None => ask(call, json!({ "capital_question": input::sampling("What is the capital of France?", 100) }), None),
    }
}

/// Asks for the client's roots.
pub fn roots(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    match answers(call).get("client_roots")? {
        Some(answer) => {
            let roots = answer.get("roots").and_then(Value::as_array).into_iter().flatten();
            let uris: Vec<&str> = roots.filter_map(|root| root.get("uri")?.as_str()).collect();
            done(&format!("Roots: {}", uris.join(", ")))
        }
        None => ask(call, json!({ "client_roots": input::roots() }), None),
    }
}

/// Asks for a confirmation, and takes it only with the state that went out with the question.
pub fn state(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    match answers(call).accepted("confirm", "ok")? {
        Some(ok) => {
            open(&call.request.name, call.request.request_state.as_deref())?;
            done(&format!("state-ok, confirmed: {ok}"))
        }
        None => ask(call, json!({ "confirm": confirmation() }), Some("asked")),
    }
}

/// Asks three things at once.
pub fn multiple(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let answers = answers(call);
    let name = answers.accepted("user_name", "name")?;
    let (greeting, roots) = (answers.get("greeting")?, answers.get("client_roots")?);
    let (Some(name), Some(greeting), Some(roots)) = (name, greeting, roots) else {
        let wanted = json!({
            "user_name": name_question(),
            "greeting": input::sampling("Generate a greeting", 50),
            "client_roots": input::roots(),
        });
        return ask(call, wanted, Some("asked"));
    };
    open(&call.request.name, call.request.request_state.as_deref())?;
    let greeting = greeting.pointer("/content/text").and_then(Value::as_str).unwrap_or_default();
    let count = roots.get("roots").and_then(Value::as_array).map_or(0, Vec::len);
    done(&format!("{name}: {greeting} ({count} roots)"))
}

/// Asks twice, one question after the other.
pub fn several(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let answers = answers(call);
    let sealed = call.request.request_state.as_deref();
    if let Some(color) = answers.accepted("step2", "color")? {
        return match open(&call.request.name, sealed)?.strip_prefix("step2:") {
            Some(name) => done(&format!("{name} likes {color}.")),
            None => Err(ErrorData::invalid_params("`requestState` is of another step", None)),
        };
    }
    if let Some(name) = answers.accepted("step1", "name")? {
        open(&call.request.name, sealed)?;
        let question = input::elicitation("Step 2: What is your favorite color?", "color", "string");
        return ask(call, json!({ "step2": question }), Some(&format!("step2:{name}")));
    }
    let question = input::elicitation("Step 1: What is your name?", "name", "string");
    ask(call, json!({ "step1": question }), Some("step1"))
}

/// Asks only what the client said it can answer.
pub fn capabilities(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let declared = call.context.client_capabilities().unwrap_or_default();
    let questions = [
        ("user_name", name_question()),
        ("greeting", input::sampling("Generate a greeting", 50)),
        ("client_roots", input::roots()),
    ];
    let mut wanted = Map::new();
    for (key, question) in questions {
        let method = question.get("method").and_then(Value::as_str).unwrap_or_default();
        if input::can(&declared, method) && answers(call).get(key)?.is_none() {
            wanted.insert(key.to_owned(), question);
        }
    }
    if wanted.is_empty() {
        return done("Nothing is left to be asked.");
    }
    ask(call, Value::Object(wanted), None)
}

fn answers<'a>(call: &Call<'a>) -> Answers<'a> {
    Answers::new(call.request.input_responses.as_ref())
}

fn ask(call: &Call<'_>, wanted: Value, state: Option<&str>) -> Result<CallToolResponse, ErrorData> {
    let state = state.map(|state| seal(&call.request.name, state)).transpose()?;
    Ok(input::required(call.context, wanted, state)?.into())
}

fn name_question() -> Value {
    input::elicitation("What is your name?", "name", "string")
}

fn confirmation() -> Value {
    input::elicitation("Please confirm", "ok", "boolean")
}
