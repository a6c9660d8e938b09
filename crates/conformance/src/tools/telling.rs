//! Tools that tell the client something while they work: log messages, progress, changes; and the
//! one that lets go of its own stream.

use std::time::Duration;

use rmcp::model::{CallToolResponse, ErrorData, LoggingLevel};
use serde_json::json;
use tokio::time::sleep;

use super::{Call, done};
use crate::server::{Change, build, internal};
use crate::sessions::OwnStream;

/// The time between two messages, so that they arrive one by one.
const STEP: Duration = Duration::from_millis(50);

/// The time a client has to come back before the result is there.
const AWAY: Duration = Duration::from_millis(300);

/// Three log messages, if the client wants any.
pub async fn logging(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let messages = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    for (number, message) in messages.into_iter().enumerate() {
        if number > 0 {
            sleep(STEP).await;
        }
        if call.server.logs(LoggingLevel::Info, call.context) {
            let params = build(json!({ "level": "info", "logger": "fixture", "data": message }))?;
            call.context.peer.notify_logging_message(params).await.map_err(internal)?;
        }
    }
    done("Tool with logging executed.")
}

/// Progress in three steps, if the client gave a token.
pub async fn progress(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    let token = call.context.meta.get_progress_token();
    for progress in [0, 50, 100] {
        if progress > 0 {
            sleep(STEP).await;
        }
        if let Some(token) = &token {
            let params = build(json!({ "progressToken": token, "progress": progress, "total": 100 }))?;
            call.context.peer.notify_progress(params).await.map_err(internal)?;
        }
    }
    done("Tool with progress executed.")
}

/// Ends the HTTP response before the result is there. Where there is no such stream (stdio,
/// 2026-07-28) the result just takes its time.
pub async fn reconnection(call: &Call<'_>) -> Result<CallToolResponse, ErrorData> {
    if let Some(stream) = call.context.extensions.get::<OwnStream>() {
        stream.close().await.map_err(internal)?;
    }
    sleep(AWAY).await;
    done("The result was sent after the stream had been closed.")
}

/// Tells of a change.
pub async fn change(call: &Call<'_>, change: Change) -> Result<CallToolResponse, ErrorData> {
    call.server.changed(change, call.context).await?;
    done("Listeners were told.")
}
