//! Requests to an instance: each is done once, and what was answered holds.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use clients::Secret;
use http::header::{ACCEPT, AUTHORIZATION, ETAG, IF_MATCH, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tokio::runtime::Runtime;
use upstream::http::{Client, SendError};

use super::place::{Place, encoded};
use super::problem;
use crate::client_files::visible;
use crate::failure::{Failure, Trying};
use crate::output::{done, tell};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an instance may think: a change waits for replicas, up to the longest lease.
const PATIENCE: Duration = Duration::from_secs(630);

/// The largest answer, in bytes.
const LARGEST: usize = 64 << 20;

/// Entries of a page.
const PAGE: &str = "200";

/// The most entries of a page.
const LARGEST_PAGE: usize = 200;

/// How often a request is sent again that came too often, and that is still under way.
const AGAIN: u32 = 5;

/// The longest that is waited until it is sent again.
const LONGEST: Duration = Duration::from_secs(60);

/// How long is waited for a request that is still under way.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// What an instance has answered.
#[derive(Debug)]
pub struct Answer {
    /// The version of the object, to be sent back with a change of it.
    pub etag: Option<String>,
    /// What it says.
    pub body: Value,
}

/// An instance, and who asks.
pub struct Api {
    place: Place,
    token: Option<Secret>,
    client: Client,
    runtime: Runtime,
}

struct Ask<'a> {
    method: Method,
    path: &'a str,
    body: Option<&'a Value>,
    etag: Option<&'a str>,
    key: Option<String>,
}

enum Failed {
    /// Whether it was done is not known.
    Broken(String),
    Final(Failure),
}

impl Api {
    /// An instance that somebody asks with a token, or as a stranger.
    ///
    /// # Errors
    /// When the system's certificate authorities cannot be used.
    pub fn new(place: Place, token: Option<Secret>) -> Result<Self, Failure> {
        let client = Client::new(CONNECT).trying(place.url())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().trying("the runtime")?;
        Ok(Self { place, token, client, runtime })
    }

    /// The instance's address.
    pub fn url(&self) -> &str {
        self.place.url()
    }

    /// Reads one object.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.done(&Ask { method: Method::GET, path, body: None, etag: None, key: None })
    }

    /// Reads one object, or nothing where there is none.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn find(&self, path: &str) -> Result<Option<Answer>, Failure> {
        let ask = Ask { method: Method::GET, path, body: None, etag: None, key: None };
        match self.asked(&ask)? {
            (StatusCode::NOT_FOUND, answer) if answer.body.get("detail").is_some() => Ok(None),
            (status, answer) => self.good(status, answer).map(Some),
        }
    }

    /// All entries of a list that comes as one.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        Ok(entries(self.get(path)?.body).0)
    }

    /// All entries of a list that comes in pages.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn pages(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{sign}limit={PAGE}");
        let (mut all, mut next) = entries(self.get(&path)?.body);
        while let Some(cursor) = next.take() {
            let (more, after) = entries(self.get(&format!("{path}&cursor={}", encoded(&cursor)))?.body);
            all.extend(more);
            next = after.filter(|after| *after != cursor);
        }
        Ok(all)
    }

    /// The first entries of a list that comes in pages, so many of them.
    ///
    /// # Errors
    /// When it is not answered.
    pub fn first(&self, path: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut next) = (Vec::new(), Some(String::new()));
        while let Some(cursor) = next.filter(|_| all.len() < most) {
            let limit = (most - all.len()).min(LARGEST_PAGE);
            let behind = if cursor.is_empty() { String::new() } else { format!("&cursor={}", encoded(&cursor)) };
            let (more, after) = entries(self.get(&format!("{path}{sign}limit={limit}{behind}"))?.body);
            all.extend(more);
            next = after.filter(|after| *after != cursor);
        }
        Ok(all)
    }

    /// Hands what is answered on, piece by piece, as it comes.
    ///
    /// # Errors
    /// When it is not answered, or not to its end.
    pub fn export(&self, path: &str, out: &mut dyn Write) -> Result<(), Failure> {
        let ask = Ask { method: Method::GET, path, body: None, etag: None, key: None };
        let broken = |why: String| {
            let whole = "what came in whole lines is all there was";
            Failure::Usage(format!("{}: the export broke off ({why}): {whole}", self.url()))
        };
        self.runtime.block_on(async {
            let sent = match self.sent(&ask).await {
                Ok(sent) => sent,
                Err(Failed::Broken(why)) => return Err(broken(why)),
                Err(Failed::Final(failure)) => return Err(failure),
            };
            if !sent.status().is_success() {
                return match self.read(sent).await {
                    Ok(((status, _), answer)) => Err(problem::refused(&self.place, status, &answer.body)),
                    Err(Failed::Broken(why)) => Err(broken(why)),
                    Err(Failed::Final(failure)) => Err(failure),
                };
            }
            let mut body = sent.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| broken(error.to_string()))?;
                if let Some(piece) = frame.data_ref() {
                    done(out.write_all(piece))?;
                }
            }
            done(out.flush())
        })
    }

    /// Does something once: where the connection breaks it is asked for again with the same key, and not done twice.
    ///
    /// # Errors
    /// When it is refused or not answered.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let key = Some(key()?);
        self.changed(&Ask { method: Method::POST, path, body: Some(body), etag: None, key })
    }

    /// Asks for something that is not done, or by somebody who is not known yet: no key is kept for them.
    ///
    /// # Errors
    /// When it is refused or not answered.
    pub fn plain(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.done(&Ask { method: Method::POST, path, body: Some(body), etag: None, key: None })
    }

    /// Changes an object, if it still is what was read.
    ///
    /// # Errors
    /// When it is refused or not answered.
    pub fn change(&self, method: Method, path: &str, read: &Answer, body: &Value) -> Result<Answer, Failure> {
        self.changed(&Ask { method, path, body: Some(body), etag: read.etag.as_deref(), key: None })
    }

    /// Removes an object, with a reason.
    ///
    /// # Errors
    /// When it is refused or not answered.
    pub fn remove(&self, path: &str, reason: &str) -> Result<Answer, Failure> {
        let path = match reason {
            "" => path.to_owned(),
            reason => format!("{path}?reason={}", encoded(reason)),
        };
        self.changed(&Ask { method: Method::DELETE, path: &path, body: None, etag: None, key: None })
    }

    /// Says what became of replicas while the change waited for them.
    fn changed(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let answer = self.done(ask)?;
        match answer.body.get("holds").and_then(|holds| holds.get("lost")) {
            Some(Value::Null) => tell!(
                "toolgate: it is done, but whether every replica follows is not known: `toolgate replicas` shows it"
            ),
            Some(Value::Array(lost)) if !lost.is_empty() => {
                let names: Vec<String> = lost.iter().filter_map(Value::as_str).map(visible).collect();
                tell!(
                    "toolgate: it is done; {} went away meanwhile, and serve nothing until they follow",
                    names.join(", ")
                );
            }
            _ => {}
        }
        Ok(answer)
    }

    fn done(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let (status, answer) = self.asked(ask)?;
        self.good(status, answer)
    }

    fn good(&self, status: StatusCode, answer: Answer) -> Result<Answer, Failure> {
        if status.is_success() && !answer.body.is_null() {
            return Ok(answer);
        }
        Err(problem::refused(&self.place, status, &answer.body))
    }

    fn asked(&self, ask: &Ask<'_>) -> Result<(StatusCode, Answer), Failure> {
        let unknown = |why: &str| {
            let (method, path) = (&ask.method, ask.path.split('?').next().unwrap_or_default());
            let rest = match *method {
                Method::GET => String::new(),
                _ => format!("; whether {method} {path} was done is not known: look, before you do it again"),
            };
            Failure::Usage(format!("{}: {why}{rest}", self.url()))
        };
        self.runtime.block_on(async {
            let mut broken = false;
            let mut again = 0;
            loop {
                let (head, answer) = match self.once(ask).await {
                    Ok(got) => got,
                    // What was read, or has a key, can be asked for once more and is not done twice.
                    Err(Failed::Broken(_)) if !broken && (ask.key.is_some() || ask.method == Method::GET) => {
                        broken = true;
                        continue;
                    }
                    Err(Failed::Broken(why)) => return Err(unknown(&why)),
                    Err(Failed::Final(failure)) => return Err(failure),
                };
                let kind = answer.body.get("type").and_then(Value::as_str).unwrap_or_default();
                let wait = match (head.0.as_u16(), kind) {
                    (429, _) => head.1.filter(|wait| *wait <= LONGEST),
                    (409, "/problems/under-way") if broken => Some(UNDER_WAY),
                    _ => None,
                };
                match wait.filter(|_| again < AGAIN) {
                    None => return Ok((head.0, answer)),
                    Some(wait) => {
                        again += 1;
                        tokio::time::sleep(wait).await;
                    }
                }
            }
        })
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<((StatusCode, Option<Duration>), Answer), Failed> {
        self.read(self.sent(ask).await?).await
    }

    async fn sent(&self, ask: &Ask<'_>) -> Result<Response<upstream::http::Answer>, Failed> {
        let endpoint = self.place.at(ask.path).map_err(Failed::Final)?;
        let headers = self.headers(ask).map_err(Failed::Final)?;
        let body = ask.body.map(|body| Bytes::from(body.to_string()));
        let sent = self.client.send(&endpoint, ask.method.clone(), headers, body, Some(PATIENCE)).await;
        sent.map_err(|error| match error {
            SendError::NotSent(why) => {
                let url = self.url();
                let how = "start it with `toolgate serve`, or name another one with --instance";
                Failed::Final(Failure::Usage(format!("the instance {url} cannot be reached ({why}): {how}")))
            }
            SendError::Certificate(_) => {
                Failed::Final(Failure::Usage(format!("the instance {}: {}", self.url(), error.advised())))
            }
            other => Failed::Broken(other.to_string()),
        })
    }

    fn headers(&self, ask: &Ask<'_>) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        let accepted = HeaderValue::from_static("application/json, application/problem+json");
        headers.insert(ACCEPT, accepted);
        if let Some(token) = &self.token {
            // What the value holds is not repeated.
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim()));
            let mut value = value.map_err(|_| Failure::Usage("the API token is no token of Toolgate".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let texts = [(IF_MATCH, ask.etag), (HeaderName::from_static("idempotency-key"), ask.key.as_deref())];
        for (name, text) in texts {
            if let Some(text) = text {
                headers.insert(name, HeaderValue::from_str(text).trying("a header of the request")?);
            }
        }
        Ok(headers)
    }

    async fn read(
        &self,
        answer: Response<upstream::http::Answer>,
    ) -> Result<((StatusCode, Option<Duration>), Answer), Failed> {
        let (head, body) = answer.into_parts();
        let word = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if head.status.is_redirection() {
            let place = visible(word(LOCATION).unwrap_or("elsewhere"));
            let why = format!("{} sends to {place}: name that with --instance if it is meant", self.url());
            return Err(Failed::Final(Failure::Usage(why)));
        }
        let etag = word(ETAG).map(str::to_owned);
        let later = word(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let whole = Limited::new(body, LARGEST).collect();
        let bytes = match tokio::time::timeout(PATIENCE, whole).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => return Err(Failed::Broken(format!("its answer broke off: {error}"))),
            Err(_) => return Err(Failed::Broken("its answer does not end".to_owned())),
        };
        // What is no JSON comes from something else than an instance, and is told by that.
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(((head.status, later), Answer { etag, body }))
    }
}

fn entries(mut body: Value) -> (Vec<Value>, Option<String>) {
    let items = body.get_mut("items").map(Value::take);
    let next = body.get("next").and_then(Value::as_str).map(str::to_owned);
    match items {
        Some(Value::Array(items)) => (items, next),
        _ => (Vec::new(), None),
    }
}

/// What tells this request from every other one.
fn key() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::Usage("the system gives no random numbers".to_owned()))?;
    Ok(gateway::hex::encode(&bytes))
}
