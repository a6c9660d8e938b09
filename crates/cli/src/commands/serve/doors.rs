//! What an instance answers beside MCP: its API, and the catalogue's pages.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::StreamExt;
use gateway::body::{Body, CutOff};
use gateway::http_front::{Beside, ClientAddress};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tower::ServiceExt;
use web::control_api;

use crate::commands::catalogue::beside::{Pages, said};

/// The API and the pages.
#[derive(Debug)]
pub struct Doors {
    /// The API.
    pub api: Router,
    /// The pages, where they are wanted.
    pub pages: Option<Arc<Pages>>,
    /// Where the API's work is done, away from the threads that serve calls.
    pub control: Handle,
}

impl Beside for Doors {
    fn is_api(&self, path: &str) -> bool {
        control_api::answers(path)
    }

    fn answer(&self, request: Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        match (&self.pages, control_api::answers(request.uri().path())) {
            (_, true) => Box::pin(self.asked(request)),
            (Some(pages), false) => pages.answer(request),
            (None, false) => Box::pin(async {
                let text = "there is nothing here; MCP is served below /mcp/, the API below /api/v1/\n";
                said(StatusCode::NOT_FOUND, text)
            }),
        }
    }

    fn refuse(
        &self,
        head: http::request::Parts,
        status: StatusCode,
        why: &'static str,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        match &self.pages {
            Some(pages) if !control_api::answers(head.uri.path()) => pages.refuse(head, status, why),
            _ => Box::pin(async move { said(status, why) }),
        }
    }
}

impl Doors {
    async fn asked(&self, request: Request<Incoming>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if let Some(ClientAddress(address)) = head.extensions.remove() {
            head.extensions.insert(ConnectInfo(SocketAddr::new(address, 0)));
        }
        let request = Request::from_parts(head, axum::body::Body::new(body));
        let answering = self.control.spawn(self.api.clone().oneshot(request));
        match answering.await {
            Ok(Ok(response)) => handed_on(response),
            Ok(Err(never)) => match never {},
            Err(_) => {
                let text = "the request could not be answered; the gateway's own messages say why\n";
                said(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }
}

/// The same answer on its way to whoever asked, piece by piece.
fn handed_on(response: Response<axum::body::Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact() {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let pieces = body.into_data_stream().map(|piece| piece.map_err(|_| CutOff));
    Response::from_parts(head, Body::Breakable(Box::pin(pieces)))
}
