//! The files that pages refer to: compiled in, named by their content so that they may be kept for ever.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

/// A file.
pub(crate) struct Asset {
    text: &'static str,
    media_type: &'static str,
    /// Its path.
    pub(crate) path: String,
}

impl Asset {
    fn new(name: &str, end: &str, media_type: &'static str, text: &'static str) -> Self {
        let sum = digest(&SHA256, text.as_bytes());
        let sum: String = sum.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { text, media_type, path: format!("/assets/{name}.{sum}.{end}") }
    }
}

/// The style of every page.
pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../assets/style.css")));

/// What pages gain where scripts run: nothing needs it.
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "js", "text/javascript; charset=utf-8", include_str!("../assets/page.js")));

/// What strips a pasted configuration before anything of it is sent.
pub(crate) static STACK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("stack", "js", "text/javascript; charset=utf-8", include_str!("../assets/stack.js")));

/// The sign in the corner of a tab.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg")));

/// The file of a path.
pub(crate) fn answer(path: &str) -> Option<Response<Body>> {
    let all: [&Asset; 4] = [&STYLE, &SCRIPT, &STACK, &ICON];
    let asset = all.into_iter().find(|asset| asset.path == path)?;
    let mut response = Response::new(Body::from(asset.text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let ever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, ever);
    Some(response)
}
