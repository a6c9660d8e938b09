//! An agent on stdio before a program that speaks its era: line by line, in order, under the agent's own ids.
//!
//! Which era that is shows at the beginning. A program that refuses `initialize` is asked for the other era; one that is
//! spoken to in 2026-07-28 is asked before anything is passed on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mcp::message::{self, IdKey, Message, Outcome};
use mcp::method::Kind;
use mcp::revision::Revision;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use upstream::child::StderrSink;

use super::lines::{Line, Lines, one_line, read_messages};
use super::{RunEnd, announce_changes};
use crate::caller::Caller;
use crate::child_link::{self, ChildLink};
use crate::era::Era;
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::given_up::{GivenUp, USED_AGAIN};
use crate::http_front::is_sound;
use crate::http_link::list_params;
use crate::names;
use crate::pipeline::{self, AskForTools, Judged};
use crate::refusal;
use crate::relay::{Relay, Seen};
use crate::sessions::Conversation;
use crate::ticket::Ended;
use crate::trace::Trace;

/// How often silence is looked for.
const LOOK_FOR_SILENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// How it ended.
pub(super) enum End {
    /// With the run.
    Over(RunEnd),
    /// The program speaks the other era only, and nothing was done yet: this is what the agent began with.
    OtherEra(Line),
}

/// How a conversation began, until it is known which era the program speaks.
#[derive(Default)]
struct Opening(Mutex<Option<IdKey>>);

impl Opening {
    /// The agent has said hello in this request.
    fn asked(&self, id: IdKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
    }

    /// Whether the program refuses the agent's hello with this message. It is asked of every message until it was answered.
    fn is_refused_by(&self, raw: &[u8]) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(id) = &*asked else { return false };
        let Ok(message::Body::One(Message::Response(response))) = message::parse_upstream(raw) else { return false };
        if response.id.as_ref().is_some_and(|theirs| theirs.key() != *id) {
            return false;
        }
        *asked = None;
        matches!(response.outcome, Outcome::Error(_))
    }
}

/// What a run with one program shares.
struct Run {
    gateway: Arc<Gateway>,
    caller: Caller,
    link: Arc<ChildLink>,
    opening: Opening,
    /// Requests whose answers nobody waits for any more.
    given_up: GivenUp,
    to_agent: mpsc::Sender<String>,
}

/// Serves the agent until its input or its program ends, or the program turns out to be of the other era.
pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    mut caller: Caller,
    stderr: StderrSink,
    lines: &mut Lines<impl AsyncRead + Unpin + Send>,
    to_agent: &mpsc::Sender<String>,
) -> io::Result<End> {
    // Started lazily: a client that only looks whether the program exists starts nothing.
    let Some(first) = lines.next().await? else { return Ok(End::Over(RunEnd::AgentLeft(None))) };
    let (link, output) = child_link::start(gateway, &caller.grant, None, stderr).map_err(io::Error::other)?;
    let (refused, mut refusals) = mpsc::channel(1);
    let run = Arc::new(Run {
        gateway: Arc::clone(gateway),
        caller: caller.clone(),
        link: Arc::clone(&link),
        opening: Opening::default(),
        given_up: GivenUp::default(),
        to_agent: to_agent.clone(),
    });
    let reading = tokio::spawn(Arc::clone(&run).read_child(output, refused));
    let mut beside = JoinSet::new();
    beside.spawn(announce_changes(caller.clone(), to_agent.downgrade()));
    if let Some(revision) = spoken(&first)
        && !run.speaks_modern(revision).await
    {
        run.leave(reading).await;
        return Ok(End::OtherEra(first));
    }
    let mut hello = None;
    let mut next = Some(first);
    let end = loop {
        if let Some(line) = next.take() {
            run.agent_said(&mut caller, &line).await;
            if hello.is_none() && is_hello(&line) {
                hello = Some(line);
            }
        }
        tokio::select! {
            line = lines.next() => match line? {
                Some(line) => next = Some(line),
                None => break RunEnd::AgentLeft(link.child.stop().await),
            },
            exit = link.child.ended() => break RunEnd::ChildEnded(exit),
            Some(answer) = refusals.recv() => {
                if let Some(hello) = hello.take()
                    && run.speaks_modern(Revision::V2026_07_28).await
                {
                    caller.grant.server().era.learn(Era::Legacy, false);
                    run.leave(reading).await;
                    return Ok(End::OtherEra(hello));
                }
                let _ = to_agent.send(answer).await;
            }
        }
    };
    // What the child still said is relayed; then there is nothing more to wait for.
    let _ = reading.await;
    // It may have been the last thing that it said.
    while let Ok(answer) = refusals.try_recv() {
        let _ = to_agent.send(answer).await;
    }
    // A request that was taken while the child went down is answered by nobody else.
    run.give_up_all(&caller.conversation()).await;
    Ok(End::Over(end))
}

/// The stateless revision that a line is written in.
fn spoken(line: &Line) -> Option<Revision> {
    let Line::Whole(line) = line else { return None };
    let Ok(message::Body::One(message)) = message::parse_client(line) else { return None };
    names::revision(&message).and_then(Revision::parse).filter(|revision| revision.is_modern())
}

/// Whether a line says hello, in a way that a server of its era understands.
fn is_hello(line: &Line) -> bool {
    let Line::Whole(line) = line else { return false };
    let Ok(message::Body::One(Message::Request(request))) = message::parse_client(line) else { return false };
    request.kind == Kind::Initialize && is_sound(&request)
}

impl Run {
    /// Whether the program speaks 2026-07-28: asked in it, it says who it is. One that ends over that has said nothing.
    async fn speaks_modern(&self, revision: Revision) -> bool {
        let speaks = self.link.ask("server/discover", &list_params(None, Some(revision))).await.is_ok();
        if !speaks && self.link.has_hung_up() {
            return true;
        }
        self.caller.grant.server().era.learn(Era::Modern, speaks);
        speaks
    }

    /// Ends the program, which is spoken to no more.
    async fn leave(&self, reading: tokio::task::JoinHandle<()>) {
        self.link.child.stop().await;
        let _ = reading.await;
    }

    async fn agent_said(&self, caller: &mut Caller, line: &Line) {
        let Self { gateway, link, to_agent, .. } = self;
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
                && let Some(text) = self.has_used(&caller.conversation(), &request.id.key())
            {
                let answer = refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 400).body;
                let _ = to_agent.send(answer).await;
                continue;
            }
            caller.trace = Trace::of(gateway, None, &message);
            let (edited, expected) = match pipeline::judge(gateway, caller, &message, &**link as &dyn AskForTools).await
            {
                Judged::Answer(refusal) => {
                    let _ = to_agent.send(refusal.body).await;
                    continue;
                }
                Judged::Drop => continue,
                Judged::Forward { edited, expected } => (edited, expected),
            };
            let id = expected.as_ref().map(|expected| expected.id().clone());
            if let (Some(id), true) = (&id, expected.as_ref().is_some_and(Expected::is_initialize)) {
                self.opening.asked(id.clone());
            }
            if let (Some(id), Some(expected)) = (&id, expected) {
                gateway.sessions().wait(&caller.conversation(), id.clone(), expected, None);
            }
            if let Some(id) = names::cancelled(&message) {
                self.cancel(&caller.conversation(), id);
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
        }
    }

    /// Why a request cannot have this id, if it cannot.
    fn has_used(&self, conversation: &Conversation, id: &IdKey) -> Option<&'static str> {
        if self.gateway.sessions().waits(conversation, id) {
            return Some("a request of this id is under way; use each id once");
        }
        self.given_up.may_be_answered(id).then_some(USED_AGAIN)
    }

    /// A server that obeys will not answer what was cancelled, and no agent waits for it.
    fn cancel(&self, conversation: &Conversation, id: IdKey) {
        // Before it is looked for, or an answer that comes meanwhile would be nobody's.
        self.given_up.note(id.clone());
        match self.gateway.sessions().found(conversation, &id) {
            Some(expected) => expected.failed(Ended::Cancelled, "the agent cancelled it"),
            None => drop(self.given_up.was_answered(&id)),
        }
    }

    /// Whether a line answers what was given up.
    fn comes_too_late(&self, line: &[u8]) -> bool {
        if self.given_up.is_empty() {
            return false;
        }
        let Ok(message::Body::One(Message::Response(response))) = message::parse_upstream(line) else { return false };
        response.id.is_some_and(|id| self.given_up.was_answered(&id.key()))
    }

    /// Passes on what the program says; how it refuses the agent's hello, to whoever finds out about it.
    async fn read_child(self: Arc<Self>, mut output: mpsc::Receiver<Bytes>, refused: mpsc::Sender<String>) {
        let Self { gateway, caller, link, to_agent, .. } = &*self;
        let mut relay = Relay::new(gateway, caller.clone(), None);
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
                        self.given_up.note(expected.id().clone());
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
            if self.comes_too_late(&line) {
                continue;
            }
            let is_refusal = self.opening.is_refused_by(&line);
            let (seen, done) = relay.see_untied(&line);
            self.tell(&mut relay, done);
            if let Some(revision) = relay.negotiated.take() {
                let _ = link.negotiated.set(revision);
            }
            let text = match seen {
                // Only what parsed is passed, so it is UTF-8.
                Seen::Pass => String::from_utf8_lossy(&line).into_owned(),
                Seen::Replace(text) => text,
                Seen::Withhold { answer } => {
                    if let Some(answer) = answer {
                        // It was taken: a program that writes on before it reads must not wait for itself.
                        drop(line);
                        let _ = link.child.send(answer.into()).await;
                    } else if let Some(id) = link.unreadable(gateway, caller.grant.server(), &line)
                        && let Some(expected) = gateway.sessions().found(&conversation, &id)
                    {
                        let reason = "the server's answer is not valid JSON-RPC";
                        let _ = to_agent.send(give_up(expected, Ended::Unknown, reason)).await;
                    }
                    continue;
                }
            };
            drop(line);
            let way = if is_refusal { &refused } else { to_agent };
            if way.send(text).await.is_err() {
                break;
            }
        }
        link.hang_up();
        self.give_up_all(&conversation).await;
    }

    /// Lets the record of the call that is under way tell what was done to what the program said beside; where there are
    /// several, nobody knows which of them it was.
    fn tell(&self, relay: &mut Relay, done: audit::Edits) {
        if done.is_empty() {
            return;
        }
        let noted = self.gateway.sessions().with_the_only(&self.caller.conversation(), |expected| {
            expected.ticket.as_mut().map(|ticket| ticket.note(done.clone())).is_some()
        });
        if noted != Some(true) {
            relay.tell_untied(done);
        }
    }

    /// The child has ended: nobody answers any more.
    async fn give_up_all(&self, conversation: &Conversation) {
        for expected in self.gateway.sessions().all_waiting(conversation) {
            let answer = give_up(expected, Ended::Unknown, "the server process ended before it answered");
            let _ = self.to_agent.send(answer).await;
        }
    }
}

fn give_up(expected: Expected, ended: Ended, reason: &str) -> String {
    let apology = expected.apology(ended, reason);
    expected.failed(ended, reason);
    apology.body
}
