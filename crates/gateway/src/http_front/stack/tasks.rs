//! Tasks of a stack: each is one server's, whose seal its id bears.

use std::sync::Arc;

use futures_util::future::join_all;
use http::{Response, StatusCode};
use mcp::message::Request;
use serde_json::Value;

use super::At;
use super::listening::rename;
use crate::body::Body;
use crate::http_front::{Front, json, plain};
use crate::refusal;

impl Front {
    /// Sends a request to the server whose task it names, or lists the tasks of all of them.
    pub(super) async fn task_of_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        let Some(task) = request.params.task_id.as_deref() else { return self.tasks_of_stack(at, request).await };
        // What is nobody's task is unknown to the first server as it would be to any.
        let place = self.owner_of_task(at, task).unwrap_or_default();
        match self.voice(at, place).await {
            Ok(voice) => rename(at, &voice).answer(Arc::clone(&at.stack), voice.send(request.raw).await).await,
            Err(unasked) => plain(&refusal::error(id, refusal::code::INTERNAL, &unasked.reason, 200)),
        }
    }

    /// The place of the server that a task is one of.
    pub(super) fn owner_of_task(&self, at: &At, task: &str) -> Option<usize> {
        let seal = self.gateway.seal();
        at.stack.members().iter().position(|member| seal.open_task(task, member.grant.key(), member.id()).is_some())
    }

    async fn tasks_of_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        let voices = self.open_voices(at);
        let listed = join_all(voices.iter().map(|(_, voice)| voice.ask(&request.method, request.params.raw))).await;
        if listed.iter().all(Result::is_err) {
            return plain(&refusal::method_not_found(id, &request.method, at.dialect()));
        }
        let mut tasks = Vec::new();
        for result in listed.into_iter().flatten() {
            let result: Value = serde_json::from_str(&result).unwrap_or_default();
            tasks.extend(result.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default());
        }
        let tasks = Value::Array(tasks);
        json(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tasks":{tasks}}}}}"#))
    }
}
