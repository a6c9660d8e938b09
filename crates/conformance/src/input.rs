//! Asking the client in the middle of a request. In 2026-07-28 the request is answered with what is
//! wanted, and sent again with the answers; before, the client is sent requests of the server's own.

use rmcp::model::{
    CallToolResponse, ClientCapabilities, ErrorCode, ErrorData, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, RequestStateCodec, SealOptions, ServerRequest,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::server::{build, internal, is_modern};
use crate::tools::{self, Call};

/// Signs the state that clients carry. It guards nothing: it only has to notice a change.
const KEY: &[u8; 40] = b"a key for tests, which guards no secrets";

/// The answers that came with a request.
pub struct Answers<'a> {
    given: Option<&'a InputResponses>,
}

impl<'a> Answers<'a> {
    /// Those of one request.
    pub fn new(given: Option<&'a InputResponses>) -> Self {
        Self { given }
    }

    /// The answer under a key, if it is there. Keys nobody asked for are ignored.
    ///
    /// # Errors
    /// When it is not an object.
    pub fn get(&self, key: &str) -> Result<Option<&'a Value>, ErrorData> {
        match self.given.and_then(|given| given.get(key)) {
            None => Ok(None),
            Some(answer) if answer.is_object() => Ok(Some(answer)),
            Some(_) => Err(ErrorData::invalid_params(format!("the input response `{key}` is not an object"), None)),
        }
    }

    /// A field of the form under a key, in words; `None` when it was not asked for yet.
    ///
    /// # Errors
    /// When the answer has no `action`.
    pub fn accepted(&self, key: &str, field: &str) -> Result<Option<String>, ErrorData> {
        let Some(answer) = self.get(key)? else {
            return Ok(None);
        };
        let Some(action) = answer.get("action").and_then(Value::as_str) else {
            return Err(ErrorData::invalid_params(format!("the input response `{key}` has no `action`"), None));
        };
        let value = answer.get("content").and_then(|content| content.get(field));
        Ok(Some(match value {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => action.to_owned(),
        }))
    }
}

/// A question to the user, with one field to fill in.
pub fn elicitation(message: &str, field: &str, kind: &str) -> Value {
    json!({
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": message,
            "requestedSchema": { "type": "object", "properties": { field: { "type": kind } }, "required": [field] },
        },
    })
}

/// A question to the client's model.
pub fn sampling(question: &str, max_tokens: u32) -> Value {
    json!({
        "method": "sampling/createMessage",
        "params": {
            "messages": [{ "role": "user", "content": { "type": "text", "text": question } }],
            "maxTokens": max_tokens,
        },
    })
}

/// A question for the client's roots.
pub fn roots() -> Value {
    json!({ "method": "roots/list", "params": {} })
}

/// The result that asks: `wanted` holds the questions by key.
///
/// # Errors
/// When the client did not declare a capability that a question needs.
pub fn required(
    context: &RequestContext<RoleServer>,
    wanted: Value,
    state: Option<String>,
) -> Result<InputRequiredResult, ErrorData> {
    let declared = context.client_capabilities().unwrap_or_default();
    let methods = wanted.as_object().into_iter().flat_map(|wanted| wanted.values());
    for method in methods.filter_map(|question| question.get("method")?.as_str()) {
        demand(&declared, method)?;
    }
    let requests: InputRequests = build(wanted)?;
    Ok(InputRequiredResult::new(Some(requests), state))
}

/// Carries out a call of a tool that asks. In 2026-07-28 what the tool wants is the answer to the call; before, the
/// client is asked here, one question after the other, and the tool goes on with the answers.
///
/// # Errors
/// Those of the tool.
pub async fn rounds(
    call: &Call<'_>,
    tool: fn(&Call<'_>) -> Result<CallToolResponse, ErrorData>,
) -> Result<CallToolResponse, ErrorData> {
    if is_modern(call.context) {
        return tool(call);
    }
    let mut request = call.request.clone();
    loop {
        let wanted = match tool(&Call { request: &request, ..*call }) {
            Ok(CallToolResponse::InputRequired(wanted)) => wanted,
            Err(missing) if missing.code == ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY => {
                return tools::error("The client did not declare what it would be asked for.");
            }
            other => return other,
        };
        let mut answers = InputResponses::new();
        for (key, question) in wanted.input_requests.into_iter().flatten() {
            match asked(call.context, question).await {
                Ok(answer) => answers.insert(key, answer),
                Err(refused) => return tools::error(&format!("The client refused: {refused}")),
            };
        }
        request.input_responses = Some(answers);
        request.request_state = wanted.request_state;
    }
}

/// The client's answer to one request of the server's own.
async fn asked(context: &RequestContext<RoleServer>, question: InputRequest) -> Result<Value, String> {
    let request = match question {
        InputRequest::CreateMessage(request) => ServerRequest::CreateMessageRequest(request),
        InputRequest::Elicitation(request) => ServerRequest::ElicitRequest(request),
        InputRequest::ListRoots(request) => ServerRequest::ListRootsRequest(request),
        _ => return Err("it cannot be asked this".to_owned()),
    };
    let answer = context.peer.send_request(request).await.map_err(|error| error.to_string())?;
    serde_json::to_value(answer).map_err(|error| error.to_string())
}

/// Whether the client can be asked by this method.
pub fn can(declared: &ClientCapabilities, method: &str) -> bool {
    match method {
        "elicitation/create" => declared.elicitation.is_some(),
        "sampling/createMessage" => declared.sampling.is_some(),
        "roots/list" => declared.roots.is_some(),
        _ => false,
    }
}

/// Fails with -32021, naming the capability, when the client cannot be asked by this method.
pub fn demand(declared: &ClientCapabilities, method: &str) -> Result<(), ErrorData> {
    if can(declared, method) {
        return Ok(());
    }
    let capability = method.split('/').next().unwrap_or(method);
    Err(ErrorData::missing_required_client_capability(build(json!({ capability: {} }))?))
}

/// State for the client to carry to the next round, good for one tool.
pub fn seal(tool: &str, state: &str) -> Result<String, ErrorData> {
    let codec = RequestStateCodec::try_new(KEY).map_err(internal)?;
    Ok(codec.seal_with(state.as_bytes(), &SealOptions::new().associated_data(tool.as_bytes())))
}

/// The state of the round before.
///
/// # Errors
/// When it is missing, was changed on the way, or is another tool's.
pub fn open(tool: &str, sealed: Option<&str>) -> Result<String, ErrorData> {
    let sealed = sealed.ok_or_else(|| ErrorData::invalid_params("`requestState` is missing", None))?;
    let codec = RequestStateCodec::try_new(KEY).map_err(internal)?;
    let opened = codec.open_with(sealed, tool.as_bytes());
    let opened =
        opened.map_err(|error| ErrorData::invalid_params(format!("`requestState` is not ours: {error}"), None))?;
    String::from_utf8(opened).map_err(internal)
}
