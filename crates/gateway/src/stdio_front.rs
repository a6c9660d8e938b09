//! The front for an agent that started the gateway itself and speaks to it on stdin and stdout.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mcp::line::Lines as Framing;
use mcp::message::{self, Message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use upstream::child::{Exit, StderrSink};
use upstream::http::Client;

use crate::caller::Caller;
use crate::child_link::{self, ChildLink};
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::grant::Grant;
use crate::http_front::MAX_BODY;
use crate::names;
use crate::pipeline::{self, AskForTools, Judged};
use crate::refusal;
use crate::relay::{Relay, Seen};
use crate::seal::SessionNumber;
use crate::server::Reach;
use crate::sessions::Conversation;
use crate::ticket::Ended;
use crate::trace::Trace;

mod endpoint;

/// Messages for the agent that may wait for stdout.
const PENDING: usize = 256;

/// How often silence is looked for.
const LOOK_FOR_SILENCE: Duration = Duration::from_secs(1);

/// How a run ended.
#[derive(Debug)]
pub enum RunEnd {
    /// The agent closed stdin; the child, if there was one, has ended so.
    AgentLeft(Option<Exit>),
    /// The child ended first.
    ChildEnded(Option<Exit>),
}

/// Serves one agent until its stdin ends or its child does.
///
/// # Errors
/// When stdin cannot be read, or no randomness is to be had for a session.
pub async fn run(
    gateway: &Arc<Gateway>,
    grant: Arc<Grant>,
    client: Client,
    stderr: StderrSink,
    input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> io::Result<RunEnd> {
    let number = SessionNumber::random().ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
    let caller = Caller {
        grant,
        token: None,
        session: Some(number),
        stack: None,
        revision: None,
        client_ip: None,
        trace: None,
        continues: false,
    };
    let (to_agent, messages) = mpsc::channel::<String>(PENDING);
    let writer = tokio::spawn(write(output, messages));
    announce_changes(&caller, to_agent.clone());
    let mut lines = Lines::new(input);
    let end = match &caller.grant.server().config.reach {
        Reach::Http(endpoint) => {
            let endpoint = endpoint.clone();
            match endpoint::serve(gateway, caller.clone(), endpoint, client, &mut lines, to_agent.clone()).await? {
                None => RunEnd::AgentLeft(None),
                // It speaks the older transport, in which one connection is a conversation.
                Some(hello) => with_child(gateway, caller, stderr, &mut lines, Some(hello), to_agent.clone()).await?,
            }
        }
        Reach::Child(_) | Reach::Sse(_) => {
            with_child(gateway, caller, stderr, &mut lines, None, to_agent.clone()).await?
        }
    };
    drop(to_agent);
    let _ = writer.await;
    Ok(end)
}

async fn with_child(
    gateway: &Arc<Gateway>,
    mut caller: Caller,
    stderr: StderrSink,
    lines: &mut Lines<impl AsyncRead + Unpin + Send>,
    first: Option<Line>,
    to_agent: mpsc::Sender<String>,
) -> io::Result<RunEnd> {
    // Started lazily: a client that only looks whether the program exists starts nothing.
    let first = match first {
        Some(first) => first,
        None => match lines.next().await? {
            Some(first) => first,
            None => return Ok(RunEnd::AgentLeft(None)),
        },
    };
    let (link, output) = child_link::start(gateway, caller.grant.server(), None, stderr).map_err(io::Error::other)?;
    let reading =
        tokio::spawn(read_child(Arc::clone(gateway), caller.clone(), Arc::clone(&link), output, to_agent.clone()));
    let mut next = Some(first);
    let end = loop {
        if let Some(line) = next.take() {
            from_agent(gateway, &mut caller, &link, &line, &to_agent).await;
        }
        tokio::select! {
            line = lines.next() => match line? {
                Some(line) => next = Some(line),
                None => break RunEnd::AgentLeft(link.child.stop().await),
            },
            exit = link.child.ended() => break RunEnd::ChildEnded(exit),
        }
    };
    // What the child still said is relayed; then there is nothing more to wait for.
    let _ = reading.await;
    // A request that was taken while the child went down is answered by nobody else.
    give_up_all(gateway, &caller.conversation(), &to_agent).await;
    Ok(end)
}

async fn from_agent(
    gateway: &Arc<Gateway>,
    caller: &mut Caller,
    link: &Arc<ChildLink>,
    line: &Line,
    to_agent: &mpsc::Sender<String>,
) {
    if let Some(revision) = link.negotiated.get() {
        caller.revision = Some(*revision);
    }
    let messages = match read_messages(gateway, caller, line) {
        Ok(messages) => messages,
        Err(answer) => {
            let _ = to_agent.send(answer).await;
            return;
        }
    };
    for message in messages {
        if let Some(revision) = names::revision(&message).and_then(mcp::revision::Revision::parse) {
            caller.revision = Some(revision);
            if revision.is_modern() {
                link.speaks(revision);
            }
        }
        if let Message::Request(request) = &message
            && gateway.sessions().waits(&caller.conversation(), &request.id.key())
        {
            let text = "a request of this id is under way; use each id once";
            let answer = refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 400).body;
            let _ = to_agent.send(answer).await;
            continue;
        }
        caller.trace = Trace::of(gateway, None, &message);
        let (edited, expected) = match pipeline::judge(gateway, caller, &message, &**link as &dyn AskForTools).await {
            Judged::Answer(refusal) => {
                let _ = to_agent.send(refusal.body).await;
                continue;
            }
            Judged::Drop => continue,
            Judged::Forward { edited, expected } => (edited, expected),
        };
        let id = expected.as_ref().map(|expected| expected.id().clone());
        if let (Some(id), Some(expected)) = (&id, expected) {
            gateway.sessions().wait(&caller.conversation(), id.clone(), expected, None);
        }
        let bytes = edited.map_or_else(|| Bytes::copy_from_slice(one_line(message.raw()).as_bytes()), Bytes::from);
        let limit = caller.grant.server().config.limits.first_byte;
        let not_sent = match tokio::time::timeout(limit, link.child.send(bytes)).await {
            Ok(Ok(())) => None,
            Ok(Err(ended)) => Some(ended.to_string()),
            Err(_) => Some(format!("the server process took no message for {limit:?}")),
        };
        if let Some(reason) = not_sent
            && let Some(expected) = id.and_then(|id| gateway.sessions().found(&caller.conversation(), &id))
        {
            let answer = give_up(expected, Ended::NotSent, &reason);
            let _ = to_agent.send(answer).await;
        }
        // A server that obeys will not answer what was cancelled, and no agent waits for it.
        if let Some(id) = names::cancelled(&message)
            && let Some(expected) = gateway.sessions().found(&caller.conversation(), &id)
        {
            expected.failed(Ended::Cancelled, "the agent cancelled it");
        }
    }
}

/// The messages of one line, or what to answer instead.
fn read_messages<'a>(gateway: &Arc<Gateway>, caller: &Caller, line: &'a Line) -> Result<Vec<Message<'a>>, String> {
    let Line::Whole(line) = line else {
        let text = format!("the message is longer than {MAX_BODY} bytes");
        return Err(refusal::error("null", refusal::code::INVALID_REQUEST, &text, 413).body);
    };
    match message::parse_client(line) {
        Ok(message::Body::One(message)) => Ok(vec![message]),
        Ok(message::Body::Batch(messages)) if caller.revision.is_some_and(|revision| revision.allows_batch()) => {
            Ok(messages)
        }
        Ok(message::Body::Batch(_)) => {
            let text = "batches belong to 2025-03-26, which was not agreed on; send one message a line";
            Err(refusal::error("null", refusal::code::INVALID_REQUEST, text, 400).body)
        }
        Err(malformed) => {
            gateway.count_refused("malformed message", caller);
            let id = malformed.id.as_deref().unwrap_or("null");
            Err(refusal::error(id, malformed.code, &malformed.message, 400).body)
        }
    }
}

async fn read_child(
    gateway: Arc<Gateway>,
    caller: Caller,
    link: Arc<ChildLink>,
    mut output: mpsc::Receiver<Bytes>,
    to_agent: mpsc::Sender<String>,
) {
    let mut relay = Relay::new(&gateway, caller.clone(), None);
    let conversation = caller.conversation();
    let limit = caller.grant.server().config.limits.idle;
    let mut ticks = tokio::time::interval(LOOK_FOR_SILENCE.min(limit));
    loop {
        let line = tokio::select! {
            line = output.recv() => match line {
                Some(line) => line,
                None => break,
            },
            _ = ticks.tick() => {
                for expected in gateway.sessions().overdue(&conversation, limit) {
                    let reason = format!("the server said nothing for {limit:?}");
                    let _ = to_agent.send(give_up(expected, Ended::Timeout, &reason)).await;
                }
                continue;
            }
        };
        if link.takes(&line) {
            continue;
        }
        gateway.sessions().heard(&conversation);
        if let Some(id) = link.unreadable(&gateway, caller.grant.server(), &line) {
            if let Some(expected) = gateway.sessions().found(&conversation, &id) {
                let reason = "the server's answer is not valid JSON-RPC";
                let _ = to_agent.send(give_up(expected, Ended::Unknown, reason)).await;
            }
            continue;
        }
        let seen = relay.see(&line);
        if let Some(revision) = relay.negotiated.take() {
            let _ = link.negotiated.set(revision);
        }
        let text = match seen {
            // Only what parsed is passed, so it is UTF-8.
            Seen::Pass => String::from_utf8_lossy(&line).into_owned(),
            Seen::Replace(text) => text,
            Seen::Withhold { answer } => {
                if let Some(answer) = answer {
                    let _ = link.child.send(answer.into()).await;
                }
                continue;
            }
        };
        if to_agent.send(text).await.is_err() {
            break;
        }
    }
    link.hang_up();
    give_up_all(&gateway, &conversation, &to_agent).await;
}

/// The child has ended: nobody answers any more.
async fn give_up_all(gateway: &Gateway, conversation: &Conversation, to_agent: &mpsc::Sender<String>) {
    for expected in gateway.sessions().all_waiting(conversation) {
        let answer = give_up(expected, Ended::Unknown, "the server process ended before it answered");
        let _ = to_agent.send(answer).await;
    }
}

fn give_up(expected: Expected, ended: Ended, reason: &str) -> String {
    let apology = expected.apology(ended, reason);
    expected.failed(ended, reason);
    apology.body
}

/// Tells the agent that its tools have changed when the policy was replaced.
fn announce_changes(caller: &Caller, to_agent: mpsc::Sender<String>) {
    let Some(cell) = &caller.grant.binding.policy else { return };
    let mut changes = cell.changes();
    let to_agent = to_agent.downgrade();
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            let Some(to_agent) = to_agent.upgrade() else { return };
            let notice = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
            if to_agent.send(notice.to_owned()).await.is_err() {
                return;
            }
        }
    });
}

async fn write(mut output: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<String>) {
    while let Some(message) = messages.recv().await {
        let mut line = one_line(&message).into_owned().into_bytes();
        line.push(b'\n');
        if output.write_all(&line).await.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}

/// A message as one line: outside strings a line break is only white space, and inside strings
/// JSON allows none.
fn one_line(message: &str) -> std::borrow::Cow<'_, str> {
    if message.contains(['\n', '\r']) { message.replace(['\n', '\r'], " ").into() } else { message.into() }
}

/// A line of the agent.
enum Line {
    /// As it came.
    Whole(Vec<u8>),
    /// One that was too long, and is not kept.
    TooLong,
}

/// Reads stdin line by line.
struct Lines<R> {
    input: R,
    /// Lines that were too long, and of which the agent was told.
    told: u64,
    decoder: Framing,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn new(input: R) -> Self {
        Self { input, told: 0, decoder: Framing::new(MAX_BODY), buffer: vec![0; 64 * 1024] }
    }

    /// The next line that is not blank; `None` at the end of the input.
    async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            while let Some(line) = self.decoder.next_line() {
                let line = line.trim_ascii();
                if !line.is_empty() {
                    return Ok(Some(Line::Whole(line.to_vec())));
                }
            }
            if self.told < self.decoder.skipped() {
                self.told += 1;
                return Ok(Some(Line::TooLong));
            }
            let read = self.input.read(&mut self.buffer).await?;
            if read == 0 {
                return Ok(None);
            }
            self.decoder.push(self.buffer.get(..read).unwrap_or_default());
        }
    }
}
