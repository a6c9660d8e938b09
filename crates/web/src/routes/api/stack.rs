//! A stack for programs: sent, looked at, and kept nowhere.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use catalogue::pages::stack::{Stack, StackPage};
use risk::recommend::Temper;
use serde::{Deserialize, Serialize};

use super::super::stack::{LONG, MAX_FORM};
use super::super::{Shared, temper};
use super::answer;
use crate::chosen::Chosen;
use crate::failure::Failure;

/// The most names that are looked up.
const NAMES: usize = 100;

/// Which servers, and how strict the policies are to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Names, repositories, packages or endpoints.
    #[serde(default)]
    servers: Vec<String>,
    /// A client's configuration.
    config: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    page: usize,
}

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
        let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
            // What the reader says may quote what it read, which may be a secret.
            let (line, column) = (error.line(), error.column());
            Failure::Unclear(format!(
                "an object with `servers` (texts) or `config` (a text) is read here; this is another from line {line}, column {column} on"
            ))
        })?;
        let temper = asked.policy.as_deref().map_or(Ok(Temper::Balanced), temper)?;
        let mut chosen = Chosen::default();
        chosen.unknown += asked.servers.len().saturating_sub(NAMES);
        for name in asked.servers.iter().take(NAMES) {
            chosen.add_named(&site, name).await?;
        }
        if let Some(config) = &asked.config {
            chosen.add_pasted(&site, config).await?;
        }
        let stack = Stack::of(&site.catalogue, chosen.servers).await?.page(temper, asked.page);
        if stack.tools.is_empty() && stack.page > 1 {
            return Err(Failure::NotFound);
        }
        Ok(Answer { stack, unknown: chosen.unknown })
    };
    answer(&headers, made.await)
}
