//! Tools that are carried out as tasks (the extension of 2026-07-28) for clients that can follow one: the answer names
//! the task, and what becomes of it is asked for.

use std::future::Future;
use std::time::Duration;

use rmcp::model::{CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult, ErrorData, InputRequest};
use rmcp::task_manager::{TaskContext, TaskExit, TaskOptions};
use serde_json::{Value, json};

use super::{Call, done, error};
use crate::input::{self, Answers, rounds};
use crate::server::build;

/// How often clients are told to ask.
const POLL_MS: u64 = 200;

/// How long a job takes that takes some time.
const SOME_TIME: Duration = Duration::from_millis(500);

/// The longest computation: an hour.
const LONGEST: f64 = 3600.0;

/// Takes as many seconds as it is told to: in a task if there are any, and if the client can follow one.
pub async fn slow(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let arguments = call.arguments();
    let seconds = arguments.get("seconds").and_then(Value::as_f64).unwrap_or_default();
    let time = Duration::from_secs_f64(seconds.clamp(0.0, LONGEST));
    let label = arguments.get("label").and_then(Value::as_str).unwrap_or("it").to_owned();
    let computed = move || done(&format!("Computed {label}."));
    if time.is_zero() || !can_follow(call) {
        tokio::time::sleep(time).await;
        return computed();
    }
    Ok(task(call, move |context| async move {
        tokio::select! {
            () = context.cancelled() => Err(TaskExit::Cancelled),
            () = tokio::time::sleep(time) => result(computed()),
        }
    }))
}

/// Fails as tools fail. It is a task or nothing.
pub fn failing(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    demand(call)?;
    Ok(task(call, |_| async {
        tokio::time::sleep(SOME_TIME).await;
        result(error("This job always fails."))
    }))
}

/// Ends with an error of the protocol. It is a task or nothing.
pub fn protocol_error(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    demand(call)?;
    Ok(task(call, |_| async {
        tokio::time::sleep(SOME_TIME).await;
        Err(ErrorData::internal_error("this job always ends so", None).into())
    }))
}

/// Asks before it pretends to delete: in its task, or as other tools ask.
pub async fn confirm(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    if !can_follow(call) {
        return rounds(call, |call| match Answers::new(call.request.input_responses.as_ref()).get("confirm")? {
            Some(answer) => confirmed(call.text("filename")?, answer),
            None => Ok(input::required(call.context, json!({ "confirm": confirmation() }), None)?.into()),
        })
        .await;
    }
    let (filename, question) = (call.text("filename")?.to_owned(), build(confirmation())?);
    Ok(task(call, |context| async move {
        let answer = context.request_input("confirm", question).await?;
        result(confirmed(&filename, &answer))
    }))
}

fn confirmed(filename: &str, answer: &Value) -> Result<CallToolResponse, ErrorData> {
    let yes = answer.pointer("/content/confirm").and_then(Value::as_bool).unwrap_or_default();
    done(&format!("{} {filename}.", if yes { "Deleted" } else { "Kept" }))
}

/// Asks two things at once. It is a task or nothing.
pub fn multiple(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    demand(call)?;
    let first: InputRequest = build(input::elicitation("What is your name?", "name", "string"))?;
    let second: InputRequest = build(confirmation())?;
    Ok(task(call, |context| async move {
        let both = tokio::join!(context.request_input("name", first), context.request_input("confirm", second));
        let (name, confirmed) = (both.0?, both.1?);
        result(done(&format!("Answered {name} and {confirmed}.")))
    }))
}

/// Asks for a name by way of its result, and goes on as a task. It is a task or nothing.
pub fn after_a_round(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    demand(call)?;
    let Some(name) = Answers::new(call.request.input_responses.as_ref()).accepted("user_name", "name")? else {
        let question = input::elicitation("What is your name?", "name", "string");
        return Ok(input::required(call.context, json!({ "user_name": question }), None)?.into());
    };
    Ok(task(call, |_| async move { result(done(&format!("Hello, {name}!"))) }))
}

/// Begins a task, and says which.
fn task<F>(call: &Call<'_>, job: impl FnOnce(TaskContext) -> F) -> CallToolResponse
where
    F: Future<Output = Result<CallToolResult, TaskExit>> + Send + 'static,
{
    let options = TaskOptions::new().with_poll_interval_ms(POLL_MS);
    CallToolResponse::Task(CreateTaskResult::new(call.server.tasks.spawn(options, |context| Box::pin(job(context)))))
}

/// What a finished tool said, as the end of a task.
fn result(said: Result<CallToolResponse, ErrorData>) -> Result<CallToolResult, TaskExit> {
    match said? {
        CallToolResponse::Complete(result) => Ok(result),
        _ => Err(ErrorData::internal_error("a task ends with a result", None).into()),
    }
}

fn can_follow(call: &Call<'_>) -> bool {
    call.context.client_capabilities().is_some_and(|declared| declared.supports_tasks())
}

/// Fails with -32021, naming the extension, when the client cannot follow a task.
fn demand(call: &Call<'_>) -> Result<(), ErrorData> {
    if can_follow(call) {
        return Ok(());
    }
    Err(ErrorData::missing_required_client_capability(ClientCapabilities::builder().enable_tasks().build()))
}

fn confirmation() -> Value {
    input::elicitation("Really?", "confirm", "boolean")
}
