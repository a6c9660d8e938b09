//! Sessions whose tools may close the stream of their own call, so that the client must come back
//! for the result with `Last-Event-ID` (2025-11-25, "polling").
//!
//! The library can close a stream, but does not tell a tool which one is its own. So the stream is
//! made here, and a handle to it travels with the request.

use std::time::Duration;

use rmcp::model::{ClientJsonRpcMessage, GetExtensions, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::common::server_side_http::{ServerSseMessage, SessionId};
use rmcp::transport::streamable_http_server::session::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionManager, LocalSessionManagerError, LocalSessionWorker, SessionConfig, SessionError,
};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;

/// The library's sessions in memory, and streams that know how to be closed.
pub struct Sessions {
    inner: LocalSessionManager,
    retry: Duration,
}

/// Closes the stream that answers one call.
#[derive(Clone)]
pub struct OwnStream {
    session: LocalSessionHandle,
    id: u64,
    retry: Duration,
}

impl OwnStream {
    /// Ends the HTTP response, after an event that says from where and after what time to resume.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn close(&self) -> Result<(), SessionError> {
        self.session.close_sse_stream(self.id, Some(self.retry)).await
    }
}

impl Sessions {
    /// Sessions whose streams are to be resumed after `retry`.
    pub fn new(retry: Duration) -> Self {
        let mut config = SessionConfig::default();
        config.sse_retry = Some(retry);
        let mut inner = LocalSessionManager::default();
        inner.session_config = config;
        Self { inner, retry }
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = WorkerTransport<LocalSessionWorker>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.inner.create_session().await
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.inner.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.inner.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.inner.sessions.read().await.get(id).cloned();
        let session = session.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?;
        let receiver = session.establish_request_wise_channel().await?;
        if let (ClientJsonRpcMessage::Request(request), Some(stream)) = (&mut message, receiver.http_request_id) {
            let own = OwnStream { session: session.clone(), id: stream, retry: self.retry };
            request.request.extensions_mut().insert(own);
        }
        session.push_message(message, receiver.http_request_id).await?;
        Ok(ReceiverStream::new(receiver.inner))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.inner.sessions.read().await.get(id).cloned();
        let session = session.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?;
        Ok(ReceiverStream::new(session.establish_common_channel().await?.inner))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.inner.sessions.read().await.get(id).cloned();
        let session = session.ok_or_else(|| LocalSessionManagerError::SessionNotFound(id.clone()))?;
        Ok(ReceiverStream::new(session.resume(last_event_id.parse()?).await?.inner))
    }
}
