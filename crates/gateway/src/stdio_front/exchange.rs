//! An agent on stdio as one that speaks HTTP would be: each of its messages is an exchange, which goes the way that all
//! exchanges go, translated where the server is of the other era.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp::message::{self, IdKey, Message, Request};
use mcp::method::Kind;
use mcp::revision::Revision;
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::lines::{Line, Lines, read_messages};
use super::{RunEnd, announce_changes};
use crate::caller::{Caller, Dialect};
use crate::http_front::{Front, Said};
use crate::http_link::SESSION_ID;
use crate::names;
use crate::refusal::{self, code};
use crate::seal::{Session, SessionNumber};

/// How long calls that are under way may take when the agent has left: as long as a program has to end then.
const GRACE: Duration = Duration::from_secs(2);

/// One agent.
struct Run {
    front: Front,
    caller: Caller,
    /// The number of the run: its session, where the server keeps none.
    number: Option<SessionNumber>,
    session: Option<Session>,
    to_agent: mpsc::Sender<String>,
    /// Requests under way.
    open: HashMap<IdKey, Open>,
    work: JoinSet<IdKey>,
    /// Lists of tools under way. What is found out by them is told, also where the agent has left.
    lists: JoinSet<IdKey>,
    /// What says something unasked.
    beside: JoinSet<()>,
}

/// How a request under way is given up.
struct Open {
    /// Whether the agent hears nothing of it any more.
    silent: Arc<AtomicBool>,
    /// Drops it, which is how a request of 2026-07-28 is cancelled.
    stop: oneshot::Sender<()>,
}

/// Serves the agent until its input or the server's program ends. `first` was read before.
pub(super) async fn serve(
    front: Front,
    caller: Caller,
    first: Option<Line>,
    lines: &mut Lines<impl AsyncRead + Unpin + Send>,
    to_agent: mpsc::Sender<String>,
) -> io::Result<RunEnd> {
    let number = caller.session;
    // Whatever sessions the server keeps: limits count the run.
    let caller = Caller { stack: number, ..caller };
    let mut programs = front.gateway.children().endings();
    let mut run = Run {
        front,
        caller,
        number,
        session: None,
        to_agent,
        open: HashMap::new(),
        work: JoinSet::new(),
        lists: JoinSet::new(),
        beside: JoinSet::new(),
    };
    let mut next = first;
    let end = loop {
        if let Some(line) = next.take() {
            run.line(&line).await;
        }
        tokio::select! {
            biased;
            Some(done) = run.work.join_next() => run.done(done.ok()),
            Some(done) = run.lists.join_next() => run.done(done.ok()),
            line = lines.next() => match line? {
                Some(line) => next = Some(line),
                None => break RunEnd::AgentLeft(None),
            },
            Ok(()) = programs.changed() => break RunEnd::ChildEnded(*programs.borrow_and_update()),
        }
    };
    run.end().await;
    Ok(end)
}

impl Run {
    async fn line(&mut self, line: &Line) {
        let gateway = Arc::clone(&self.front.gateway);
        let messages = match read_messages(&gateway, &self.caller, line) {
            Ok(messages) => messages,
            Err(answer) => return self.say(answer).await,
        };
        for message in messages {
            self.message(&message).await;
        }
    }

    async fn message(&mut self, message: &Message<'_>) {
        // A legacy revision is what the answer to initialize says, not what was asked for.
        let named = names::revision(message).and_then(Revision::parse).filter(|revision| revision.is_modern());
        if let Some(revision) = named {
            self.caller.revision = Some(revision);
        }
        match message {
            Message::Request(request) if request.kind == Kind::Initialize => self.open_session(message, request).await,
            Message::Request(request) => self.request(request).await,
            Message::Notification(_) | Message::Response(_) => self.tell(message).await,
        }
    }

    /// Says hello. Nothing else is said before the answer, which settles what it is said in.
    async fn open_session(&mut self, message: &Message<'_>, request: &Request<'_>) {
        self.caller.revision = None;
        self.take_session(None);
        let answer = self.front.hear(self.caller.clone(), None, message).await;
        let sealed = answer.headers().get(&SESSION_ID).and_then(|id| id.to_str().ok());
        let grant = &self.caller.grant;
        let session = sealed.and_then(|id| self.front.gateway.seal().open(id, grant.key(), grant.server().id()));
        let mut said = Said::of(answer);
        while let Some(raw) = said.next().await {
            let text = text_of(&raw, request.id.raw());
            if let Some(revision) = crate::relay::negotiated(&text) {
                self.caller.revision = Some(revision);
            }
            self.say(text).await;
        }
        self.take_session(session);
    }

    fn take_session(&mut self, session: Option<Session>) {
        self.caller.session = session.as_ref().map(|session| session.number).or(self.number);
        self.caller.revision = session.as_ref().and_then(|session| session.revision).or(self.caller.revision);
        self.session = session;
    }

    /// The session that messages are said in, in the era that has any.
    fn session(&self) -> Option<Session> {
        self.session.clone().filter(|_| self.caller.dialect() == Dialect::Legacy)
    }

    async fn request(&mut self, request: &Request<'_>) {
        let key = request.id.key();
        if self.open.contains_key(&key) {
            let text = "a request of this id is under way; use each id once";
            return self.say(refusal::error(request.id.raw(), code::INVALID_REQUEST, text, 400).body).await;
        }
        let (stop, stopped) = oneshot::channel();
        let silent = Arc::new(AtomicBool::new(false));
        self.open.insert(key.clone(), Open { silent: Arc::clone(&silent), stop });
        let asked = Asked {
            front: self.front.clone(),
            caller: self.caller.clone(),
            session: self.session(),
            to_agent: self.to_agent.clone(),
            silent,
            text: request.raw.to_owned(),
        };
        let among = if request.kind == Kind::ToolsList { &mut self.lists } else { &mut self.work };
        among.spawn(async move {
            tokio::select! {
                () = asked.answered() => {}
                Ok(()) = stopped => {}
            }
            key
        });
    }

    fn done(&mut self, request: Option<IdKey>) {
        if let Some(key) = request {
            self.open.remove(&key);
        }
    }

    /// Says what has no answer.
    async fn tell(&mut self, message: &Message<'_>) {
        let cancelled = names::cancelled(message).and_then(|id| self.open.remove(&id));
        if let Some(request) = &cancelled {
            request.silent.store(true, Ordering::Relaxed);
        }
        // Closing its stream cancels a request of 2026-07-28; the server needs no message.
        if self.caller.dialect() == Dialect::Legacy || names::cancelled(message).is_none() {
            let told = self.front.hear(self.caller.clone(), self.session(), message).await;
            // Nobody reads what is said of it.
            drop(told);
        }
        if let Some(request) = cancelled {
            let _ = request.stop.send(());
        }
        if names::method(message) == Some("notifications/initialized") {
            let (front, caller, session) = (self.front.clone(), self.caller.clone(), self.session());
            let to_agent = self.to_agent.downgrade();
            self.beside.spawn(async move {
                listen(front, caller.clone(), session, &to_agent).await;
                announce_changes(caller, to_agent).await;
            });
        }
    }

    async fn say(&self, text: String) {
        let _ = self.to_agent.send(text).await;
    }

    /// What is under way may end, and the server may forget the session: a courtesy.
    async fn end(mut self) {
        let limit = self.caller.grant.server().config.limits.first_byte;
        let _ = tokio::time::timeout(limit, all_of(&mut self.lists)).await;
        let _ = tokio::time::timeout(GRACE, all_of(&mut self.work)).await;
        self.lists.shutdown().await;
        self.work.shutdown().await;
        self.beside.shutdown().await;
        if self.session.is_some() {
            let limit = self.caller.grant.server().config.limits.connect;
            let leaving = self.front.leave(self.caller.clone(), self.session.clone());
            let _ = tokio::time::timeout(limit, leaving).await;
        }
    }
}

async fn all_of(work: &mut JoinSet<IdKey>) {
    while work.join_next().await.is_some() {}
}

/// A request and where its answer goes.
struct Asked {
    front: Front,
    caller: Caller,
    session: Option<Session>,
    to_agent: mpsc::Sender<String>,
    /// Whether it was given up: then nothing is said of it.
    silent: Arc<AtomicBool>,
    text: String,
}

impl Asked {
    async fn answered(self) {
        let Ok(message::Body::One(message)) = message::parse_client(self.text.as_bytes()) else { return };
        let id = names::raw_id(&message).unwrap_or("null");
        let mut said = Said::of(self.front.hear(self.caller, self.session, &message).await);
        while let Some(raw) = said.next().await {
            if self.silent.load(Ordering::Relaxed) || self.to_agent.send(text_of(&raw, id)).await.is_err() {
                return;
            }
        }
    }
}

/// A message for the agent. An error to nobody in particular means the request that it was given to: stdio has no other tie.
fn text_of(raw: &[u8], id: &str) -> String {
    // Only what parsed is passed, so it is UTF-8.
    let text = String::from_utf8_lossy(raw).into_owned();
    names::with_id(&text, id).unwrap_or(text)
}

/// The stream on which a legacy server speaks unasked, and hears of a replaced policy. Servers may not offer one.
async fn listen(front: Front, caller: Caller, session: Option<Session>, to_agent: &mpsc::WeakSender<String>) {
    let mut said = Said::of(front.listen(caller, session, None).await);
    if !said.status.is_success() || !said.streams() {
        return;
    }
    while let Some(raw) = said.next().await {
        let Some(to_agent) = to_agent.upgrade() else { return };
        if to_agent.send(text_of(&raw, "null")).await.is_err() {
            return;
        }
    }
}
