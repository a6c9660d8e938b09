//! The pages of the catalogue beside a gateway: on a thread of their own, opened when first asked for.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::to_bytes;
use gateway::body::Body;
use gateway::http_front::Beside;
use gateway::listen;
use http::{HeaderValue, Request, Response, StatusCode, header};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use web::{Audience, Site, Web};

use super::open_at;
use crate::args::AudienceWord;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};

/// The pages.
#[derive(Debug)]
pub struct Pages {
    data: PathBuf,
    audience: Audience,
    hosts: Vec<String>,
    web: Arc<OnceCell<Web>>,
    /// Where the work is done. Gone only while the value is dropped.
    runtime: Option<Runtime>,
}

/// The pages that an operator wants beside the gateway.
///
/// # Errors
/// When they would show to the network what is for this machine alone.
pub fn pages(
    asked: Option<AudienceWord>,
    listen: SocketAddr,
    data: Option<&Path>,
    hosts: &HashSet<String>,
) -> Result<Option<Arc<Pages>>, Failure> {
    let loopback = listen.ip().is_loopback();
    let audience = match asked {
        Some(AudienceWord::Off) => return Ok(None),
        None if !loopback => return Ok(None),
        Some(AudienceWord::Local) if !loopback => {
            return Err(Failure::Usage(
                "--catalogue local shows what you scanned and imported, so it is for loopback only; --catalogue public shows what is public".to_owned(),
            ));
        }
        Some(AudienceWord::Local) | None => Audience::Members,
        Some(AudienceWord::Public) => Audience::Everybody,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("pages")
        .enable_all()
        .build()
        .trying("the runtime of the pages")?;
    Ok(Some(Arc::new(Pages {
        data: data_dir(data)?,
        audience,
        hosts: hosts.iter().cloned().collect(),
        web: Arc::default(),
        runtime: Some(runtime),
    })))
}

impl Beside for Pages {
    fn is_api(&self, _: &str) -> bool {
        false
    }

    fn answer(
        &self,
        request: Request<hyper::body::Incoming>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        Box::pin(async move {
            let request = match listen::read_whole(request).await {
                Ok(request) => request.map(axum::body::Body::from),
                Err(unread) => return self.refuse(unread.head, unread.status, unread.why).await,
            };
            self.asked(move |web| async move { web.answer(request).await }).await.unwrap_or_else(|| {
                said(StatusCode::INTERNAL_SERVER_ERROR, "the catalogue cannot be read; `toolgate doctor` says why\n")
            })
        })
    }

    fn refuse(
        &self,
        head: http::request::Parts,
        status: StatusCode,
        why: &'static str,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>> {
        Box::pin(async move {
            let asked = move |web: Web| async move { web.refuse(&head.uri, &head.headers, status, why) };
            self.asked(asked).await.unwrap_or_else(|| said(status, why))
        })
    }
}

impl Pages {
    /// What the pages answer, on their thread; nothing where they cannot be opened.
    async fn asked<Answer>(&self, ask: impl FnOnce(Web) -> Answer + Send + 'static) -> Option<Response<Body>>
    where
        Answer: Future<Output = Response<axum::body::Body>> + Send,
    {
        let (cell, data) = (Arc::clone(&self.web), self.data.clone());
        let (audience, hosts) = (self.audience, self.hosts.clone());
        let made = self.runtime.as_ref()?.spawn(async move {
            let web = cell.get_or_try_init(|| open(data, audience, hosts)).await?;
            let (head, body) = ask(web.clone()).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.trying("the page")?;
            Ok::<_, Failure>(Response::from_parts(head, Body::whole(body)))
        });
        made.await.ok()?.ok()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // A runtime must not be waited for where another one runs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn open(data: PathBuf, audience: Audience, hosts: Vec<String>) -> Result<Web, Failure> {
    let (data, catalogue) = open_at(&data).await?;
    Ok(Web::new(Site::new(catalogue, &data.search(), audience, "", hosts)))
}

/// An answer of one sentence.
pub fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
