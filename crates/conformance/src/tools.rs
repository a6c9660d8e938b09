//! The tools: what they are called, and which module carries a call out.

mod asking;
mod content;
mod definitions;
mod rounds;
mod tasks;
mod telling;

use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, JsonObject};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

pub use self::definitions::list;
use crate::input::{self, rounds};
use crate::resources;
use crate::server::{Change, Fixture, build};

/// One call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The server that it reached.
    pub server: &'a Fixture,
    /// What was sent.
    pub request: &'a CallToolRequestParams,
    /// Who sent it, and how to tell them something meanwhile.
    pub context: &'a RequestContext<RoleServer>,
}

impl Call<'_> {
    /// A text argument.
    ///
    /// # Errors
    /// When it is missing or not a text.
    pub fn text(&self, name: &str) -> Result<&str, ErrorData> {
        let given = self.request.arguments.as_ref().and_then(|arguments| arguments.get(name)).and_then(Value::as_str);
        given.ok_or_else(|| ErrorData::invalid_params(format!("argument `{name}` must be a string"), None))
    }

    /// The arguments, none if there are none.
    fn arguments(&self) -> JsonObject {
        self.request.arguments.clone().unwrap_or_default()
    }
}

/// Carries a call out.
///
/// # Errors
/// When there is no such tool, or its arguments do not fit.
pub async fn call(
    server: &Fixture,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let call = Call { server, request: &request, context };
    match request.name.as_ref() {
        "test_simple_text" => content::simple_text(),
        "test_image_content" => content::image(),
        "test_audio_content" => content::audio(),
        "test_embedded_resource" => content::embedded_resource(),
        "test_multiple_content_types" => content::multiple(),
        "test_error_handling" => error("This tool intentionally returns an error for testing"),
        "test_custom_header" | "json_schema_2020_12_tool" => done(&Value::Object(call.arguments()).to_string()),

        "test_tool_with_logging" | "test_logging_tool" => telling::logging(&call).await,
        "test_tool_with_progress" => telling::progress(&call).await,
        "test_reconnection" => telling::reconnection(&call).await,
        "test_trigger_tool_change" => telling::change(&call, Change::Tools).await,
        "test_trigger_prompt_change" => telling::change(&call, Change::Prompts).await,
        "test_trigger_resource_change" => telling::change(&call, Change::Resource(resources::WATCHED.to_owned())).await,

        "test_sampling" => rounds(&call, asking::sampling).await,
        "test_elicitation" => rounds(&call, asking::elicitation).await,
        "test_elicitation_sep1034_defaults" => rounds(&call, asking::defaults).await,
        "test_elicitation_sep1330_enums" => rounds(&call, asking::enums).await,
        "test_roots" => rounds(&call, asking::roots).await,

        "test_missing_capability" => {
            input::demand(&context.client_capabilities().unwrap_or_default(), "sampling/createMessage")?;
            done("The client declared sampling.")
        }
        "test_streaming_elicitation" => rounds(&call, rounds::streaming).await,
        "test_input_required_result_elicitation" => rounds(&call, rounds::elicitation).await,
        "test_input_required_result_sampling" => rounds(&call, rounds::sampling).await,
        "test_input_required_result_list_roots" => rounds(&call, rounds::roots).await,
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            rounds(&call, rounds::state).await
        }
        "test_input_required_result_multiple_inputs" => rounds(&call, rounds::multiple).await,
        "test_input_required_result_multi_round" => rounds(&call, rounds::several).await,
        "test_input_required_result_capabilities" => rounds(&call, rounds::capabilities).await,

        "greet" => done(&format!("Hello, {}!", call.text("name")?)),
        "slow_compute" => tasks::slow(&call).await,
        "failing_job" => tasks::failing(&call),
        "protocol_error_job" => tasks::protocol_error(&call),
        "confirm_delete" => tasks::confirm(&call).await,
        "multi_input" => tasks::multiple(&call),
        "test_tool_with_task" => tasks::after_a_round(&call),
        name => Err(ErrorData::invalid_params(format!("unknown tool `{name}`"), None)),
    }
}

/// A result of one text.
pub fn done(text: &str) -> Result<CallToolResponse, ErrorData> {
    contents(json!([{ "type": "text", "text": text }]))
}

/// A result that says the tool failed.
pub fn error(text: &str) -> Result<CallToolResponse, ErrorData> {
    let content = json!([{ "type": "text", "text": text }]);
    let result: CallToolResult = build(json!({ "content": content, "isError": true, "resultType": "complete" }))?;
    Ok(result.into())
}

/// A result of any contents.
pub fn contents(content: Value) -> Result<CallToolResponse, ErrorData> {
    let result: CallToolResult = build(json!({ "content": content, "resultType": "complete" }))?;
    Ok(result.into())
}
