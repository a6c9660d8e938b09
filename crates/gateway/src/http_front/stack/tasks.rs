//! Tasks of a stack: each is one server's, whose seal its id bears.

use std::sync::Arc;

use futures_util::future::join_all;
use http::{Response, StatusCode};
use mcp::message::Request;
use serde_json::Value;

use super::At;
use super::listening::rename;
use super::lists::one_page;
use super::voice::{Unasked, Voice};
use crate::body::Body;
use crate::http_front::{Front, json, plain};
use crate::http_link::list_params;
use crate::refusal;
use crate::tools::{BadList, MAX_PAGES};

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

    /// All tasks of all servers, on one page.
    async fn tasks_of_stack(&self, at: &At, request: &Request<'_>) -> Response<Body> {
        let id = request.id.raw();
        if request.params.cursor.is_some() {
            return one_page(id);
        }
        let voices = self.open_voices(at);
        let listed = join_all(voices.iter().map(|(_, voice)| tasks_of(voice, &request.method))).await;
        if listed.iter().all(|of_one| of_one.as_ref().is_err_and(Unasked::is_unknown_method)) {
            return plain(&refusal::method_not_found(id, &request.method, at.dialect()));
        }
        for ((_, voice), unasked) in
            voices.iter().zip(&listed).filter_map(|(at, of_one)| Some((at, of_one.as_ref().err()?)))
        {
            if !unasked.is_unknown_method() {
                self.gateway
                    .tell(voice.member.id(), &format!("left out of the tasks of several servers: {}", unasked.reason));
            }
        }
        let tasks = listed.into_iter().flatten().flatten().collect::<Vec<_>>().join(",");
        json(StatusCode::OK, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tasks":[{tasks}]}}}}"#))
    }
}

/// Every page of a server's tasks.
async fn tasks_of(voice: &Voice<'_>, method: &str) -> Result<Vec<String>, Unasked> {
    let unlisted = |bad: BadList| Unasked::because(bad.to_string());
    let (mut tasks, mut bytes, mut cursor) = (Vec::new(), 0, None::<String>);
    for _ in 0..MAX_PAGES {
        let page = voice.ask(method, Some(&list_params(cursor.as_deref(), voice.modern()))).await?;
        bytes += page.len();
        voice.member.server().config.list_bytes.check(bytes).map_err(unlisted)?;
        let page: Value = serde_json::from_str(&page).map_err(|error| Unasked::because(error.to_string()))?;
        let listed = page.get("tasks").and_then(Value::as_array).into_iter().flatten();
        tasks.extend(listed.map(Value::to_string));
        let next = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            return Ok(tasks);
        }
        if next == cursor {
            return Err(unlisted(BadList::Endless(next.unwrap_or_default())));
        }
        cursor = next;
    }
    Err(Unasked::because(format!("its list has more than {MAX_PAGES} pages")))
}
