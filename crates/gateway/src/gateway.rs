//! The state that all calls share. Whatever changes is an immutable value behind an atomic swap,
//! so that no call ever waits for a change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use audit::{Change, Event, PolicyNotice, Upstream};
use jiff::Timestamp;
use quota::{Counters, Memory};
use store::log::AuditLog;
use store::processes::Processes;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use upstream::child::Exit;
use upstream::http::Client;

use crate::caller::Caller;
use crate::counting::Counting;
use crate::grant::{Grant, Hashing, Lead, TokenDigest};
use crate::http_front::{Children, Translation};
use crate::lease::Lease;
use crate::measures::Measures;
use crate::phase::Phase;
use crate::refused::{Counted, Refused};
use crate::returning::Returning;
use crate::seal::{Seal, SessionNumber};
use crate::server::{Server, TimeLimits};
use crate::sessions::Sessions;
use crate::spans::Spans;
use crate::streams::Streams;

/// The grants, by the digest of their tokens.
#[derive(Debug, Default)]
pub struct Grants {
    hashing: Hashing,
    by_token: HashMap<TokenDigest, (Lead, Option<Timestamp>)>,
    /// What requests without a token act under, one a server.
    anonymous: Vec<Lead>,
    /// Tokens that are good and lead nowhere at present, each with a sentence that says why.
    closed: HashMap<TokenDigest, String>,
}

impl Grants {
    /// All grants of a gateway. `anonymous` act for requests that bring no token.
    pub fn new(tokens: Vec<(TokenDigest, Lead)>, anonymous: Vec<Lead>) -> Self {
        let by_token = tokens.into_iter().map(|(digest, lead)| (digest, (lead, None))).collect();
        Self { hashing: Hashing::Plain, by_token, anonymous, closed: HashMap::new() }
    }

    /// All grants that a control plane has given, each token with the time from which on it is no longer one.
    pub fn controlled(hashing: Hashing, by_token: HashMap<TokenDigest, (Lead, Option<Timestamp>)>) -> Self {
        Self { hashing, by_token, anonymous: Vec::new(), closed: HashMap::new() }
    }

    /// The same, with tokens that are good and lead nowhere at present.
    #[must_use]
    pub fn closed(self, closed: HashMap<TokenDigest, String>) -> Self {
        Self { closed, ..self }
    }

    /// Why a token that is good leads nowhere at present.
    pub fn why_closed(&self, token: &[u8]) -> Option<&str> {
        self.closed.get(&self.hashing.digest(token)?).map(String::as_str)
    }

    /// What a token leads to, as it came, and what is kept of the token.
    pub fn of_token(&self, token: &[u8], now: Timestamp) -> Option<(TokenDigest, Lead)> {
        let digest = self.hashing.digest(token)?;
        let (lead, _) = self.of_digest(&digest, now)?;
        Some((digest, lead))
    }

    /// Where what is kept of a token leads, and from when on the token is none.
    pub fn of_digest(&self, token: &TokenDigest, now: Timestamp) -> Option<(Lead, Option<Timestamp>)> {
        let (lead, until) = self.by_token.get(token)?;
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        Some((lead.clone(), *until))
    }

    /// All of them; those with several tokens several times.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Grant>> {
        self.by_token.values().map(|(lead, _)| lead).chain(&self.anonymous).flat_map(Lead::grants)
    }

    /// What requests without a token act under; where no server is named, there must be one such thing only.
    pub fn anonymous(&self, server: Option<&str>) -> Option<Lead> {
        match (server, self.anonymous.as_slice()) {
            (Some(id), all) => all.iter().find(|lead| lead.on(id).is_some()).cloned(),
            (None, [only]) => Some(only.clone()),
            (None, _) => None,
        }
    }
}

/// The gateway.
pub struct Gateway {
    grants: ArcSwap<Grants>,
    /// How far it is on its way out. Whoever has work under way also hears here that other grants are in force.
    phase: watch::Sender<Phase>,
    readiness_is_watched: AtomicBool,
    lease: Lease,
    counting: Counting,
    /// Counts of limits that let calls pass while the store is down: bounded here at least.
    stand_in: Memory,
    log: AuditLog,
    seal: Seal,
    replica: SessionNumber,
    sessions: Sessions,
    streams: Streams,
    returning: Returning,
    unfinished: Returning,
    refused: Refused,
    measures: Measures,
    spans: OnceLock<Spans>,
    processes: Processes,
    children: Children,
    translation: Translation,
    child_stderr: ChildStderr,
    only_stderr: OnceLock<upstream::child::StderrSink>,
    background: Handle,
    client_beside: OnceLock<Option<Client>>,
    under_way: Mutex<JoinSet<()>>,
}

/// Receives a server's id and a line of its program's standard error.
pub type ChildStderr = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// What a gateway stands on.
pub struct Foundation {
    /// Where uses of limits are counted.
    pub counting: Counting,
    /// The audit log.
    pub log: AuditLog,
    /// The key of session ids.
    pub session_key: [u8; 32],
    /// The register of children.
    pub processes: Processes,
    /// Where lines of children's standard error go.
    pub child_stderr: ChildStderr,
    /// Where children are watched and read: it outlives the workers.
    pub background: Handle,
    /// Until when it may forward anything.
    pub lease: Lease,
}

impl Gateway {
    /// A gateway; `None` if the session key cannot be used, or the system gives no random numbers.
    pub fn new(foundation: Foundation, grants: Grants) -> Option<Arc<Self>> {
        Some(Arc::new(Self {
            grants: ArcSwap::from_pointee(grants),
            phase: watch::Sender::default(),
            readiness_is_watched: AtomicBool::new(false),
            lease: foundation.lease,
            counting: foundation.counting,
            stand_in: Memory::default(),
            log: foundation.log,
            seal: Seal::new(&foundation.session_key)?,
            replica: SessionNumber::random()?,
            sessions: Sessions::default(),
            streams: Streams::default(),
            returning: Returning::default(),
            unfinished: Returning::default(),
            refused: Refused::default(),
            measures: Measures::default(),
            spans: OnceLock::new(),
            processes: foundation.processes,
            children: Children::default(),
            translation: Translation::default(),
            child_stderr: foundation.child_stderr,
            only_stderr: OnceLock::new(),
            background: foundation.background,
            client_beside: OnceLock::new(),
            under_way: Mutex::default(),
        }))
    }

    /// The grants in force.
    pub fn grants(&self) -> Arc<Grants> {
        self.grants.load_full()
    }

    /// Puts other grants in force, for every request that begins from now on. What is under way without a grant any more is
    /// ended.
    pub fn replace_grants(&self, grants: Grants) {
        self.grants.store(Arc::new(grants));
        self.phase.send_modify(|_| {});
        self.children.review(self);
    }

    /// How far it is on its way out.
    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// The phase, for somebody who decides by it where calls are sent: whoever stops the gateway lets them notice.
    pub(crate) fn asked_whether_ready(&self) -> Phase {
        self.readiness_is_watched.store(true, Ordering::Relaxed);
        self.phase()
    }

    /// Whether anybody ever asked if it is ready.
    pub(crate) fn readiness_is_watched(&self) -> bool {
        self.readiness_is_watched.load(Ordering::Relaxed)
    }

    /// Goes on to a phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Tells of each change of grants or phase from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// The lease under which it forwards.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Where uses of limits are counted.
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    pub(crate) fn stand_in(&self) -> &dyn Counters {
        &self.stand_in
    }

    /// The audit log.
    pub fn log(&self) -> &AuditLog {
        &self.log
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The room for what is on its way back.
    pub(crate) fn returning(&self) -> &Returning {
        &self.returning
    }

    /// The room for long lines of programs, until their ends have come and they were taken: not that of what is on its way
    /// back, because what nobody reads there must not leave out a line here, whose id may be at its end.
    pub(crate) fn unfinished(&self) -> &Returning {
        &self.unfinished
    }

    /// How many streams are open on which agents listen.
    pub fn open_streams(&self) -> usize {
        self.streams.count()
    }

    pub(crate) fn refused(&self) -> &Refused {
        &self.refused
    }

    /// What is counted of it.
    pub(crate) fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Keeps spans of all calls from now on. To be called once, before the first call.
    pub fn keep_spans(&self, spans: Spans) {
        // A second queue would be one that nobody asked for.
        let _ = self.spans.set(spans);
    }

    pub(crate) fn keeps_spans(&self) -> bool {
        self.spans.get().is_some()
    }

    pub(crate) fn spans(&self) -> Option<&Spans> {
        self.spans.get()
    }

    pub(crate) fn children(&self) -> &Children {
        &self.children
    }

    /// The name of this replica, from its start to its end, in what it seals: who holds what cannot be handed on.
    pub(crate) fn replica(&self) -> SessionNumber {
        self.replica
    }

    pub(crate) fn translation(&self) -> &Translation {
        &self.translation
    }

    pub(crate) fn background(&self) -> &Handle {
        &self.background
    }

    /// A client for what is said to servers beside calls; its connections belong to no worker.
    pub(crate) fn client_beside(&self) -> Option<Client> {
        let made = || Client::new(TimeLimits::default().connect).ok();
        self.client_beside.get_or_init(made).clone()
    }

    /// Does work that no answer waits for, and that is done before the gateway ends.
    pub(crate) fn finish(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while under_way.try_join_next().is_some() {}
        under_way.spawn_on(work, &self.background);
    }

    /// The sink for the standard error of one server's program.
    pub(crate) fn child_stderr(&self, server: &str) -> upstream::child::StderrSink {
        if let Some(sink) = self.only_stderr.get() {
            return Arc::clone(sink);
        }
        let (sink, server) = (Arc::clone(&self.child_stderr), server.to_owned());
        Arc::new(move |line: &str| sink(&server, line))
    }

    /// Where there is one server only: what its programs say goes here as it is.
    pub(crate) fn programs_say_to(&self, sink: upstream::child::StderrSink) {
        let _ = self.only_stderr.set(sink);
    }

    pub(crate) fn new_id(&self) -> audit::Id {
        store::log::ids::next()
    }

    pub(crate) fn count_refused(&self, reason: &'static str, caller: &Caller) {
        self.refused.count(reason, caller.client_ip);
    }

    pub(crate) fn child_started(&self, server: &Server, group: i32) {
        self.processes.child_started(group);
        self.log.append_later(&Event::Upstream(Upstream {
            server: server.id(),
            change: Change::Started,
            pid: u32::try_from(group).ok(),
            ..Upstream::default()
        }));
    }

    pub(crate) fn child_ended(&self, server: &Server, group: i32, exit: Option<Exit>, junk: u64) {
        self.processes.child_ended(group);
        let status = exit.map(|exit| exit.status.to_string());
        let junk = (junk > 0).then(|| format!("{junk} lines of its stdout were no messages"));
        self.log.append_later(&Event::Upstream(Upstream {
            server: server.id(),
            change: Change::Exited,
            pid: u32::try_from(group).ok(),
            status: status.as_deref(),
            reason: junk.as_deref(),
        }));
    }

    /// Records that a policy file was read: taken, or refused with a reason.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn record_policy(&self, notice: PolicyNotice<'_>) -> Result<(), store::log::AuditDown> {
        self.log.append(&Event::Policy(notice))
    }

    /// Work that is not tied to a call: counts of refusals, leases, forgotten sessions. Runs for
    /// as long as it is polled.
    pub async fn housekeeping(self: Arc<Self>) {
        let mut outcomes = tokio::time::interval(Duration::from_millis(100));
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut heartbeat = tokio::time::interval(Duration::from_secs(10));
        let mut minute = tokio::time::interval(Duration::from_secs(60));
        minute.tick().await;
        loop {
            tokio::select! {
                // What cannot be written now is written with the next record.
                _ = outcomes.tick() => drop(self.log.flush()),
                _ = second.tick() => {
                    let counting = self.counting.clone();
                    // The disk may take its time; calls do not wait for it.
                    tokio::task::spawn_blocking(move || counting.sync());
                    // Grants also expire, without anybody saying so.
                    self.children.review(&self);
                    self.grants().all().for_each(|grant| self.tell_trust(grant.server()));
                }
                _ = heartbeat.tick() => {
                    let counting = self.counting.clone();
                    // A store that is away takes its time to say so; records do not wait for it.
                    tokio::spawn(async move { counting.heartbeat().await });
                }
                _ = minute.tick() => {
                    self.write_refused();
                    self.sessions.sweep();
                    self.children.sweep(&self);
                    self.translation.sweep(&self);
                }
            }
        }
    }

    /// Tells the operator something of a server.
    pub(crate) fn tell(&self, server: &str, line: &str) {
        (self.child_stderr)(server, line);
    }

    /// Says whether the certificate of a server is trusted no longer, or again.
    pub(crate) fn tell_trust(&self, server: &Server) {
        for line in server.trust.news() {
            (self.child_stderr)(server.id(), &line);
        }
    }

    /// Writes the counts of what has no record of its own.
    pub fn write_refused(&self) {
        for (Counted { reason, server, client }, times) in self.refused.take() {
            let server = server.as_deref();
            self.log.append_later(&Event::Refused(audit::Refused { reason, times, server, client }));
        }
    }

    /// Ends every child, finishes what is under way, and closes the log.
    pub async fn shut_down(&self, reason: &str) {
        self.children.stop_all().await;
        let mut under_way = std::mem::take(&mut *self.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        while under_way.join_next().await.is_some() {}
        self.write_refused();
        self.counting.sync();
        // A log that cannot be written ends as after a crash, and verification says so.
        let _ = self.log.stop(Some(reason));
    }
}
