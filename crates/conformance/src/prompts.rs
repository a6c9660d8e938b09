//! The prompts the suite asks for.

use rmcp::model::{ErrorData, GetPromptRequestParams, GetPromptResponse, GetPromptResult, JsonObject, Prompt};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::input::{self, Answers};
use crate::media;
use crate::server::build;

/// The list of prompts.
pub fn list() -> Result<Vec<Prompt>, ErrorData> {
    build(json!([
        { "name": "test_simple_prompt", "description": "A prompt without arguments" },
        {
            "name": "test_prompt_with_arguments",
            "description": "A prompt that repeats its arguments",
            "arguments": [
                { "name": "arg1", "description": "First argument", "required": true },
                { "name": "arg2", "description": "Second argument", "required": true },
            ],
        },
        {
            "name": "test_prompt_with_embedded_resource",
            "description": "A prompt that holds a resource",
            "arguments": [{ "name": "resourceUri", "description": "The resource's URI", "required": true }],
        },
        { "name": "test_prompt_with_image", "description": "A prompt that holds a picture" },
        { "name": "test_input_required_result_prompt", "description": "A prompt that asks the user first" },
    ]))
}

/// Whether there is a prompt of this name.
pub fn exists(name: &str) -> bool {
    list().is_ok_and(|prompts| prompts.iter().any(|prompt| prompt.name == name))
}

/// A prompt's messages.
///
/// # Errors
/// When there is no such prompt, or an argument is missing.
pub fn get(
    request: GetPromptRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<GetPromptResponse, ErrorData> {
    let argument = |name: &str| argument(request.arguments.as_ref(), name);
    match request.name.as_str() {
        "test_simple_prompt" => messages(vec![user(text("This is a simple prompt for testing."))]),
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1")?, argument("arg2")?);
            messages(vec![user(text(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'")))])
        }
        "test_prompt_with_embedded_resource" => {
            let resource = json!({
                "uri": argument("resourceUri")?,
                "mimeType": "text/plain",
                "text": "Embedded resource content for testing.",
            });
            messages(vec![
                user(json!({ "type": "resource", "resource": resource })),
                user(text("Please process the embedded resource above.")),
            ])
        }
        "test_prompt_with_image" => messages(vec![
            user(json!({ "type": "image", "data": media::png(), "mimeType": "image/png" })),
            user(text("Please analyze the image above.")),
        ]),
        "test_input_required_result_prompt" => {
            let answers = Answers::new(request.input_responses.as_ref());
            match answers.accepted("user_context", "context")? {
                Some(given) => messages(vec![user(text(&format!("Use this context: {given}")))]),
                None => {
                    let question = "What context should the prompt use?";
                    let wanted = json!({ "user_context": input::elicitation(question, "context", "string") });
                    Ok(input::required(context, wanted, None)?.into())
                }
            }
        }
        name => Err(ErrorData::invalid_params(format!("unknown prompt `{name}`"), None)),
    }
}

fn argument<'a>(arguments: Option<&'a JsonObject>, name: &str) -> Result<&'a str, ErrorData> {
    let given = arguments.and_then(|arguments| arguments.get(name)).and_then(Value::as_str);
    given.ok_or_else(|| ErrorData::invalid_params(format!("argument `{name}` is missing"), None))
}

fn messages(messages: Vec<Value>) -> Result<GetPromptResponse, ErrorData> {
    let result: GetPromptResult = build(json!({ "messages": messages, "resultType": "complete" }))?;
    Ok(result.into())
}

fn user(content: Value) -> Value {
    json!({ "role": "user", "content": content })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
