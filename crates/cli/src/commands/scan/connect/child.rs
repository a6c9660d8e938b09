//! Listing over a program's stdin and stdout.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::http_link::{answer_to, list_params, own_id};
use mcp::message::{Body, Message};
use mcp::revision::Revision;
use tokio::sync::mpsc;
use tokio::time::Instant;
use upstream::child::{Child, Command, Junk};

use super::{Collector, Listed, MODERN, Running, agreed, complete, discovered, hello};

/// How long a server may leave `server/discover` unanswered before `initialize` is said as well: some
/// servers of the older era are silent about what they do not know.
const SILENCE: Duration = Duration::from_secs(4);

/// How long a program may take to begin: what `npx` and `uvx` start is fetched first.
const START: Duration = Duration::from_secs(120);

/// How long one page may take.
const PAGE: Duration = Duration::from_secs(30);

/// How often a silent program is looked at: one that reads from its terminal is stopped by it.
const LOOK: Duration = Duration::from_millis(500);

/// Lines of a program that may wait to be read.
const LINES: usize = 256;

/// How many of its last words are repeated when a program fails.
const LAST_WORDS: usize = 4;

/// A program and what it has said.
struct Dialogue {
    child: Arc<Child>,
    lines: mpsc::Receiver<Bytes>,
    /// How long it may take to begin.
    start: Duration,
}

/// Starts a program, lists its tools and ends it.
pub(super) async fn list(command: &Command, running: &Running, patience: Duration) -> Result<Listed, String> {
    let (lines, output) = mpsc::channel(LINES);
    // Its words are kept by the child itself and repeated if it fails.
    let child = Child::spawn(command, lines, Arc::new(|_: &str| {}), Arc::new(|_: Junk<'_>| {}), Box::new(()))
        .map_err(|error| {
            let program = audit::visible::word(&command.program.to_string_lossy());
            format!("the program {program} cannot be started: {error}")
        })?;
    let child = Arc::new(child);
    running.started(&child);
    let mut dialogue = Dialogue { child: Arc::clone(&child), lines: output, start: START.min(patience) };
    let listed = dialogue.list().await;
    let words = child.last_stderr();
    child.stop().await;
    listed.map_err(|error| {
        let variables = command.env.iter().filter_map(|(name, value)| name.to_str().zip(value.to_str()));
        let variables: Vec<(&str, &str)> = variables.collect();
        let said = |line: &String| audit::visible::shown(&clients::without_secrets(line, variables.iter().copied()));
        let last: Vec<String> = words.iter().rev().take(LAST_WORDS).rev().map(said).collect();
        match last.is_empty() {
            true => error,
            false => format!("{error}; its last words on stderr:\n  {}", last.join("\n  ")),
        }
    })
}

impl Dialogue {
    async fn list(&mut self) -> Result<Listed, String> {
        let start = Instant::now() + self.start;
        let probe = self.ask("server/discover", &list_params(None, Some(MODERN))).await?;
        let mut refusal = None;
        let mut waits = vec![probe.clone()];
        let first = match self.answer(&waits, start.min(Instant::now() + SILENCE)).await {
            Ok((_, answer)) => Some(answer),
            Err(Silence::Time) => None,
            Err(silence) => return Err(silence.sentence("server/discover", SILENCE)),
        };
        if let Some(Ok(name)) = first.as_ref().map(speaks_modern) {
            return self.pages(Some(MODERN), MODERN, name).await;
        }
        if first.is_some() {
            waits.clear();
        }
        let hello = self.ask("initialize", &hello()).await?;
        waits.push(hello.clone());
        loop {
            let (id, answer) = self
                .answer(&waits, start)
                .await
                .map_err(|silence| refusal.take().unwrap_or_else(|| silence.sentence("initialize", self.start)))?;
            waits.retain(|other| *other != id);
            if id == probe {
                // A slow start, and the modern era after all.
                if let Ok(name) = speaks_modern(&answer) {
                    return self.pages(Some(MODERN), MODERN, name).await;
                }
            } else {
                match answer {
                    Ok(result) => {
                        let (revision, name) = agreed(&result)?;
                        self.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned()).await?;
                        return self.pages(None, revision, name).await;
                    }
                    Err(error) => {
                        refusal = Some(format!("the server refuses initialize: {}", audit::visible::shown(&error)));
                    }
                }
            }
            if waits.is_empty() {
                return Err(refusal.unwrap_or_else(|| "the server speaks no revision that is known".to_owned()));
            }
        }
    }

    async fn pages(
        &mut self,
        modern: Option<Revision>,
        revision: Revision,
        name: Option<String>,
    ) -> Result<Listed, String> {
        let mut collector = Collector::default();
        let mut cursor: Option<String> = None;
        loop {
            let id = self.ask("tools/list", &list_params(cursor.as_deref(), modern)).await?;
            let (_, page) = self
                .answer(&[id], Instant::now() + PAGE)
                .await
                .map_err(|silence| silence.sentence("tools/list", PAGE))?;
            let page = page
                .map_err(|error| format!("the server's tools cannot be listed: {}", audit::visible::shown(&error)))?;
            cursor = collector.add(&page)?;
            if cursor.is_none() {
                return Ok(complete(collector, revision, name));
            }
        }
    }

    /// Asks something and gives the id of the question.
    async fn ask(&self, method: &str, params: &str) -> Result<String, String> {
        let id = own_id();
        self.say(format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#)).await?;
        Ok(id)
    }

    async fn say(&self, message: String) -> Result<(), String> {
        match self.child.send(message.into()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.end().await.sentence("", PAGE)),
        }
    }

    /// The first answer to one of these questions.
    async fn answer(&mut self, ids: &[String], until: Instant) -> Result<(String, Result<String, String>), Silence> {
        loop {
            let line = match tokio::time::timeout_at(until.min(Instant::now() + LOOK), self.lines.recv()).await {
                Err(_) if is_stopped(self.child.group()) => return Err(Silence::Terminal),
                Err(_) if Instant::now() < until => continue,
                Err(_) => return Err(Silence::Time),
                Ok(None) => return Err(self.end().await),
                Ok(Some(line)) => line,
            };
            // Own ids are too long to stand in a message by chance; a line without one is no answer to us.
            let text = String::from_utf8_lossy(&line);
            let named = ids.iter().find(|id| text.contains(id.as_str()));
            if let Some(id) = named
                && let Some(answer) = answer_to(id, &line)
            {
                return Ok((id.clone(), answer));
            }
            if let Some(reply) = reply(&line) {
                let _ = self.say(reply).await;
            }
        }
    }

    /// How the program ended. Its stdout is closed, so it is about to.
    async fn end(&self) -> Silence {
        let ended = tokio::time::timeout(Duration::from_secs(1), self.child.ended()).await;
        Silence::End(ended.ok().flatten().map(|exit| exit.status.to_string()))
    }
}

/// Why no answer came.
enum Silence {
    Time,
    Terminal,
    End(Option<String>),
}

impl Silence {
    fn sentence(&self, method: &str, limit: Duration) -> String {
        match self {
            Self::Time => format!(
                "the server did not answer {method} within {} s (if it asks something when it starts, answer that once by hand)",
                limit.as_secs()
            ),
            Self::Terminal => {
                "the program asks something on its terminal, where it gets no answer: start it once by hand \
                               and answer there, or give it by a variable what it asks for"
                    .to_owned()
            }
            Self::End(Some(status)) => format!("the program ended before it listed its tools ({status})"),
            Self::End(None) => "the program closed its stdout before it listed its tools".to_owned(),
        }
    }
}

/// The server's name, if its answer to `server/discover` says that it speaks the stateless revision.
fn speaks_modern(answer: &Result<String, String>) -> Result<Option<String>, ()> {
    answer.as_ref().ok().and_then(|result| discovered(result)).ok_or(())
}

/// Whether the leader of a process group is stopped. A terminal does that to who reads from it in the background.
/// Where the system does not say it in `/proc`, the time limit ends the wait.
fn is_stopped(group: i32) -> bool {
    let about = std::fs::read_to_string(format!("/proc/{group}/stat")).unwrap_or_default();
    about.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// What a server is told that asks something: a ping is answered, nothing else was offered.
pub(super) fn reply(line: &[u8]) -> Option<String> {
    let Ok(Body::One(Message::Request(request))) = mcp::message::parse_upstream(line) else { return None };
    let id = request.id.raw();
    Some(match request.method.as_ref() {
        "ping" => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        _ => format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}"#),
    })
}
