//! Requests with an `Idempotency-Key`: done once, answered again. The answer that is kept is sealed, for it may hold a
//! token that was shown once; a repetition of a mint shows the same token again.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use control::repeated::Repeated;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::control::access::Actor;

use super::Api;
use super::problem::{Kind, Problem};

/// The longest key.
const LONGEST: usize = 255;

/// An answer that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// What is to be done.
pub(super) enum Turn {
    /// The request, for the first time.
    Do,
    /// Nothing: this was answered.
    Again(Kept),
}

/// The key of a request.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let good = |key: &&str| (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    match value.to_str().ok().filter(good) {
        Some(key) => Ok(Some(key.to_owned())),
        None => {
            let how = format!("a key has 1 to {LONGEST} visible ASCII characters, such as a random UUID");
            Err(Problem::header("Idempotency-Key", how))
        }
    }
}

/// A digest of all that matters of a request.
pub(super) fn digest(parts: &Parts, body: &[u8]) -> String {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        digest.update(part.as_bytes());
        digest.update(b"\n");
    }
    digest.update(body);
    digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Begins a request, or finds that it came before.
pub(super) async fn begin(api: &Api, actor: &Actor, key: &str, request: &str) -> Result<Turn, Problem> {
    match api.instance.begin_request(actor, key, request).await? {
        Repeated::Fresh => Ok(Turn::Do),
        Repeated::UnderWay => {
            let how = "the first request with this key is not answered yet, or its process ended on the way: try again in a moment, or look whether it was done";
            Err(Problem::new(Kind::UnderWay, how))
        }
        Repeated::Other => {
            Err(Problem::new(Kind::KeyUsed, "another request came with this key in the last 24 hours: use a new one"))
        }
        Repeated::Answered(kept) => {
            let kept = serde_json::from_str(kept.expose_secret()).map_err(|_| Problem::broken())?;
            Ok(Turn::Again(kept))
        }
    }
}
