//! A catalogue in a folder of its own, and how it is asked.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use catalogue::import::{File, Holds, import};
use jiff::Timestamp;
use store::DataDir;
use store::catalogue::{Catalogue, Visibility};
use tempfile::TempDir;
use web::{Audience, Site, Web};

/// A site over what these files hold. The folder must outlive it.
pub async fn site(files: &[(Holds, Visibility, &str)], audience: Audience) -> (TempDir, Site) {
    let folder = TempDir::new().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let catalogue = Catalogue::open(&data).await.unwrap();
    for (number, (holds, visibility, text)) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        std::fs::write(&path, text).unwrap();
        let file = File { path, holds: *holds, visibility: *visibility };
        let counts = import(&catalogue, &file, 1, Timestamp::UNIX_EPOCH, &mut |_| {}).await.unwrap();
        assert_eq!(counts.broken, 0);
    }
    let forks = catalogue::forks::forks(&catalogue.kin().await.unwrap());
    catalogue.write_forks(&forks).await.unwrap();
    catalogue::index::rebuild(&catalogue, &data.search(), &mut |_| {}).await.unwrap();
    let site = Site::new(catalogue, &data.search(), audience, "https://tools.example", Vec::new());
    (folder, site)
}

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Asks for a path under a name of this machine.
pub async fn get(web: &Web, path: &str) -> Answer {
    ask(web, Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap()).await
}

/// Sends a request.
pub async fn ask(web: &Web, request: Request<Body>) -> Answer {
    let (head, body) = web.answer(request).await.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: head.status, headers: head.headers, text: String::from_utf8(text.to_vec()).unwrap() }
}
