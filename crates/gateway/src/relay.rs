//! What comes back from a server: shown to the policy, edited where it must be, then passed on.
//!
//! Untouched messages keep every byte. Lists lose what the policy hides, capabilities of which it
//! allows nothing go, and whatever a server puts under the gateway's own `_meta` prefix goes too.

mod parts;
mod results;
mod tasks;

use std::sync::Arc;

use mcp::json;
use mcp::message::{Body, IdKey, Message, Notification, Outcome, Request, Response};
use mcp::method::Kind;
use mcp::result::Call;
use mcp::revision::Revision;
use policy::Access;
use policy::results::Part;

pub(crate) use parts::{answered_code, error_code, error_message, negotiated};
use parts::{changed, forbidden_input, forbidden_pages, protocol_version, read, strip};
pub(crate) use results::{quoted, quoted_to_all};

use crate::admission::{Withdrawn, Work, until_withdrawn};
use crate::caller::{Caller, Dialect};
use crate::expected::{Expected, shape};
use crate::gateway::{Gateway, Grants};
use crate::methods;
use crate::refusal;
use crate::ticket::{Ended, Ticket};
use crate::tools::{BadList, ListBuilder, ToolList};

/// The prefix of `_meta` keys that only the gateway writes.
pub const OWN_META: &str = "toolgate/";

/// What is to be done with a message from a server.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// Pass it on as it came.
    Pass,
    /// Pass this on instead.
    Replace(String),
    /// Pass nothing on, and send `answer` to the server if there is one.
    Withhold {
        /// The gateway's answer to a question that the policy forbids.
        answer: Option<String>,
    },
}

/// Watches one stream of messages from a server to an agent.
pub struct Relay {
    gateway: Arc<Gateway>,
    caller: Caller,
    expected: Option<Expected>,
    /// What a question is about, where nothing is awaited here and yet it can be told.
    about: Option<IdKey>,
    /// What was done to messages of which it is not known yet which call they belong to.
    untied: audit::Edits,
    /// The revision that an `initialize` answer named.
    pub negotiated: Option<Revision>,
}

impl Relay {
    /// A stream on which `expected` is awaited, or nothing (a GET stream).
    pub fn new(gateway: &Arc<Gateway>, caller: Caller, expected: Option<Expected>) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            caller,
            expected,
            about: None,
            untied: audit::Edits::default(),
            negotiated: None,
        }
    }

    /// Judges from now on by what the caller's grant is under in `grants`: what a server says unasked may come long after its
    /// session was opened. False where the grant leads there no more, and then nothing goes on.
    pub(crate) fn follow(&mut self, grants: &Grants) -> bool {
        let (key, server) = (self.caller.grant.key(), self.caller.grant.server());
        let now = grants.all().find(|grant| grant.key() == key && Arc::ptr_eq(grant.server(), server));
        let now = now.map(Arc::clone);
        now.is_some_and(|now| {
            self.caller.grant = now;
            true
        })
    }

    /// The gateway through which it goes.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Waits until nothing more may be passed on, and tells why.
    pub(crate) async fn until_withdrawn(&self, work: Work) -> Withdrawn {
        until_withdrawn(&self.gateway, &self.caller, work).await
    }

    /// Whether a server that was silent for `limit` waits for what its agent thinks of a question that may be about what is
    /// awaited.
    pub(crate) fn agent_thinks(&self, limit: std::time::Duration) -> bool {
        let Some(expected) = &self.expected else { return false };
        self.gateway.sessions().thinks(&self.caller.conversation(), limit, &expected.id)
    }

    /// Says what a question that is seen from now on can only be about.
    pub(crate) fn concerns(&mut self, request: Option<IdKey>) {
        self.about = request;
    }

    /// Whether the answer is still awaited.
    pub fn waits(&self) -> bool {
        self.expected.is_some()
    }

    /// What is awaited.
    pub fn expected(&self) -> Option<&Expected> {
        self.expected.as_ref()
    }

    /// Takes what is awaited, to be told of a failure.
    pub fn take_expected(&mut self) -> Option<Expected> {
        self.expected.take()
    }

    /// The server has done nothing of what is awaited, whatever it answers.
    pub(crate) fn not_carried_out(&mut self, reason: &str) {
        if let Some(ticket) = self.expected.as_mut().and_then(|expected| expected.ticket.take()) {
            ticket.settle(Ended::NotSent, Some(reason), 0);
        }
    }

    /// The stream ended without the answer. In a session it may come on another stream.
    pub fn park(&mut self) {
        if let Some(mut expected) = self.expected.take() {
            if let Some(ticket) = &mut expected.ticket {
                ticket.if_dropped(Ended::Unknown);
            }
            let id = expected.id.clone();
            let limit = self.caller.grant.server().config.limits.idle;
            self.gateway.sessions().wait(&self.caller.conversation(), id, expected, Some(limit));
        }
    }

    /// Looks at one message.
    pub fn see(&mut self, raw: &[u8]) -> Seen {
        let (seen, done) = self.see_untied(raw);
        self.tell_untied(done);
        seen
    }

    /// Looks at one message that may belong to a call that is awaited elsewhere. What was done to it is given as well, to be
    /// told of by whoever awaits that call.
    pub(crate) fn see_untied(&mut self, raw: &[u8]) -> (Seen, audit::Edits) {
        let seen = self.look(raw);
        (seen, std::mem::take(&mut self.untied))
    }

    fn look(&mut self, raw: &[u8]) -> Seen {
        match mcp::message::parse_upstream(raw) {
            Ok(Body::One(message)) => self.see_message(&message, raw.len()),
            Ok(Body::Batch(messages)) => self.see_batch(&messages),
            Err(malformed) => match json::mend_surrogates(raw) {
                None => self.unreadable(&malformed.message),
                Some(mended) => match self.look(&mended) {
                    Seen::Pass => Seen::Replace(String::from_utf8_lossy(&mended).into_owned()),
                    other => other,
                },
            },
        }
    }

    fn see_message(&mut self, message: &Message<'_>, bytes: usize) -> Seen {
        match message {
            Message::Response(response) => self.answered(response, bytes),
            Message::Request(request) => self.questioned(request),
            Message::Notification(notification) => self.notified(notification),
        }
    }

    /// A batch (2025-03-26) is taken apart; what is left of it is put together again.
    fn see_batch(&mut self, messages: &[Message<'_>]) -> Seen {
        let mut kept = Vec::new();
        for message in messages {
            let raw = message.raw();
            match self.see_message(message, raw.len()) {
                Seen::Pass => kept.push(raw.to_owned()),
                Seen::Replace(text) => kept.push(text),
                // A question inside a batch is not answered on the server's behalf.
                Seen::Withhold { .. } => {}
            }
        }
        if kept.is_empty() { Seen::Withhold { answer: None } } else { Seen::Replace(format!("[{}]", kept.join(","))) }
    }

    /// What cannot be read cannot be judged, and is not passed on.
    fn unreadable(&mut self, why: &str) -> Seen {
        match self.expected.take() {
            Some(expected) => {
                let reason = quoted(&self.caller.grant, format!("the server's answer is not valid JSON-RPC: {why}"));
                let text = expected.apology(Ended::Unknown, &reason).body;
                expected.failed(Ended::Unknown, &reason);
                Seen::Replace(text)
            }
            None => Seen::Withhold { answer: None },
        }
    }

    fn answered(&mut self, response: &Response<'_>, bytes: usize) -> Seen {
        let key = response.id.as_ref().map(|id| id.key());
        let ours = match (&self.expected, &key) {
            (Some(expected), Some(key)) => expected.id == *key,
            // An error without id on the answer's own stream can mean nothing else.
            (Some(_), None) => matches!(response.outcome, Outcome::Error(_)),
            (None, _) => false,
        };
        let expected = if ours {
            self.expected.take()
        } else {
            let found = key.and_then(|key| self.gateway.sessions().found(&self.caller.conversation(), &key));
            found.map(|expected| expected.remembered(&response.outcome))
        };
        let Some(mut expected) = expected else {
            if self.expected.is_some() {
                // It stands where the awaited answer should, and answers something else.
                return Seen::Withhold { answer: None };
            }
            // An answer that nobody here awaits, on a resumed stream: judged by its shape.
            let (seen, part, result) = match response.outcome {
                Outcome::Result(result) => {
                    let shape = shape(result);
                    let seen = self.edit(response, result, &read(result), None);
                    (
                        seen,
                        results::part(shape, false),
                        (shape == Kind::Unknown).then_some((weight(result, bytes), shape, None)),
                    )
                }
                Outcome::Error(error) => (self.failed(response, error, None), Part::Error, None),
            };
            let seen = self.answer_with_tasks(response, seen, None);
            let (seen, done) = self.cleaned(seen, response, part, result);
            self.tell(None, done);
            return seen;
        };
        let mut ticket = expected.ticket.take();
        if let Some(ticket) = &mut ticket {
            // What stands before it in the same batch.
            ticket.note(std::mem::take(&mut self.untied));
        }
        let decision = ticket.as_ref().map(Ticket::id);
        let (seen, ended, reason, done) = match response.outcome {
            Outcome::Error(error) => {
                // The server's words stay out of the record: they may hold what nobody wanted logged.
                let code = error_code(error).filter(|_| ticket.is_some()).map(|code| format!("JSON-RPC error {code}"));
                let result = decision.map(|id| (error.len(), expected.kind, Some(id)));
                let failed = self.failed(response, error, Some(&expected));
                let failed = self.answer_with_tasks(response, failed, Some(&expected));
                let (seen, done) = self.cleaned(failed, response, Part::Error, result);
                (seen, Ended::RpcError, code, done)
            }
            Outcome::Result(result) => {
                let read = read(result);
                let failed = match expected.kind {
                    Kind::ToolsCall => read.is_error,
                    Kind::Tasks => crate::tasks::has_failed(result),
                    _ => false,
                };
                let edited = self.edit(response, result, &read, Some(&expected));
                let edited = self.answer_with_tasks(response, edited, Some(&expected));
                let part = results::part(expected.kind, decision.is_some());
                let size = decision.map(|id| (weight(result, bytes), expected.kind, Some(id)));
                let (seen, done) = self.cleaned(edited, response, part, size);
                (seen, if failed { Ended::ToolError } else { Ended::Ok }, None, done)
            }
        };
        self.tell(ticket.as_mut(), done);
        if let Some(ticket) = ticket {
            ticket.settle(ended, reason.as_deref(), bytes);
        }
        seen
    }

    /// Takes out of a result what the policy hides. Without `expected` the result's shape says
    /// what it is.
    fn edit(&mut self, response: &Response<'_>, result: &str, read: &Call<'_>, expected: Option<&Expected>) -> Seen {
        if let Err(too_long) = self.short_enough(result, expected) {
            let id = response.id.as_ref().map_or("null", |id| id.raw());
            return Seen::Replace(refusal::error(id, refusal::code::INTERNAL, &sentence(&too_long), 200).body);
        }
        let Some(cell) = self.caller.grant.binding.policy.clone() else {
            return self.stripped(response);
        };
        let in_force = cell.on(self.caller.grant.server().id());
        let policy = &in_force.policy;
        let shape = match expected.map(|expected| expected.kind) {
            Some(kind) => kind,
            None => shape(result),
        };
        let edited = match shape {
            Kind::ToolsList => self.tools_listed(&in_force, result, expected),
            Kind::PromptsList => mcp::result::prompts(result)
                .map(|list| {
                    changed(list.retain_private(|prompt| allows(policy.prompt(&prompt.name)), FILTERED_TTL), result)
                })
                .map_err(|error| error.to_string()),
            Kind::ResourcesList => mcp::result::resources(result)
                .map(|list| {
                    changed(list.retain_private(|found| allows(policy.resource(&found.name)), FILTERED_TTL), result)
                })
                .map_err(|error| error.to_string()),
            Kind::TemplatesList => mcp::result::templates(result)
                .map(|list| {
                    changed(
                        list.retain_private(|found| allows(policy.resource_template(&found.name)), FILTERED_TTL),
                        result,
                    )
                })
                .map_err(|error| error.to_string()),
            Kind::Initialize | Kind::Discover => {
                if shape == Kind::Initialize {
                    self.negotiated = protocol_version(result);
                }
                let dialect = if shape == Kind::Discover { Dialect::Modern } else { Dialect::Legacy };
                self.caller.grant.server().tasks.learn(dialect, result);
                let denied = methods::denied_server_capabilities(policy);
                mcp::result::without_capabilities(result, &denied).map_err(|error| error.to_string())
            }
            _ => Ok(None),
        };
        let edited = match edited {
            Ok(edited) => edited,
            Err(error) => {
                let text = format!("The server's answer cannot be read, so it cannot be filtered: {error}.");
                let id = response.id.as_ref().map_or("null", |id| id.raw());
                return Seen::Replace(refusal::error(id, refusal::code::INTERNAL, &text, 200).body);
            }
        };
        if let Some(question) = forbidden_input(policy, read) {
            let text = format!(
                "The server asked for `{question}` in the middle of the call, which the policy does not allow."
            );
            return self.blocked(response, expected, &text);
        }
        let Some(edited) = edited else { return self.stripped(response) };
        let id = response.id.as_ref().map_or("null", |id| id.raw());
        let whole = match json::locate(response.raw, &["result"]) {
            Ok(Some(span)) => mcp::message::splice(response.raw, &[(span.range(), &edited)]),
            _ => None,
        };
        match whole {
            Some(whole) => Seen::Replace(strip(&whole).unwrap_or(whole)),
            None => Seen::Replace(
                refusal::error(id, refusal::code::INTERNAL, "The server's answer cannot be filtered.", 200).body,
            ),
        }
    }

    /// What the agent reads in place of an answer that must not reach it.
    fn blocked(&self, response: &Response<'_>, expected: Option<&Expected>, text: &str) -> Seen {
        let id = response.id.as_ref().map_or("null", |id| id.raw());
        let call = expected.is_some_and(|expected| expected.kind == Kind::ToolsCall);
        let refusal = match call {
            true => refusal::blocked_call(id, text, self.caller.dialect()),
            false => refusal::error(id, refusal::code::DENIED, text, 200),
        };
        Seen::Replace(refusal.body)
    }

    /// An error passes, save one that sends a person where the policy or good sense does not let them.
    fn failed(&self, response: &Response<'_>, error: &str, expected: Option<&Expected>) -> Seen {
        if error_code(error).as_deref() == Some(mcp::elicitation::URL_REQUIRED) {
            let policy = self.caller.grant.binding.policy.as_ref().map(|cell| cell.now());
            if let Some(why) = forbidden_pages(policy.as_ref().map(|now| &now.policy), error) {
                self.gateway.count_refused("question of a server", &self.caller);
                let text = format!("The server wants a person to open a page before it goes on, and {why}.");
                return self.blocked(response, expected, &text);
            }
        }
        self.stripped(response)
    }

    /// Whether a list has no more bytes than lists of its server may have; whatever is no list has bounds of its own.
    fn short_enough(&self, result: &str, expected: Option<&Expected>) -> Result<(), BadList> {
        let Err(too_long) = self.caller.grant.server().tools.most.check(result.len()) else { return Ok(()) };
        match expected.map_or_else(|| shape(result), |expected| expected.kind) {
            Kind::ToolsList | Kind::PromptsList | Kind::ResourcesList | Kind::TemplatesList => Err(too_long),
            _ => Ok(()),
        }
    }

    fn tools_listed(
        &self,
        in_force: &Arc<crate::policy_file::InForce>,
        result: &str,
        expected: Option<&Expected>,
    ) -> Result<Option<String>, String> {
        let tools = mcp::result::tools(result).map_err(|error| error.to_string())?;
        let server = self.caller.grant.server();
        // The rules for a page are worked out from the page itself; a whole list is also learnt.
        let mut builder = ListBuilder::within(server.tools.most);
        let page = builder.add(result).map_err(|error| error.to_string())?;
        let list = builder.finish();
        let list = match expected.and_then(|expected| expected.asked) {
            Some(asked) if page.is_none() => self.learnt(server.tools.learn(list, asked)),
            _ => {
                server.tools.doubt(&list);
                Arc::new(list)
            }
        };
        let book = self.caller.grant.binding.book(in_force, &list);
        Ok(changed(
            tools.retain_private(|tool| book.listed(&tool.name, &self.caller.grant.facts), FILTERED_TTL),
            result,
        ))
    }

    /// A whole list that has come by is compared with what is accepted, beside the answer's way: the
    /// answer is filtered by what was accepted before.
    fn learnt(&self, list: Arc<ToolList>) -> Arc<ToolList> {
        self.caller.grant.server().pins.settle_later(&list, &self.gateway);
        list
    }

    /// The message without forged decisions.
    fn stripped(&self, response: &Response<'_>) -> Seen {
        match strip(response.raw) {
            None => Seen::Pass,
            Some(text) => Seen::Replace(text),
        }
    }

    /// The server asks the agent something.
    fn questioned(&mut self, request: &Request<'_>) -> Seen {
        let policy = self.caller.grant.binding.policy.as_ref().map(|cell| cell.now());
        if !methods::may_ask(policy.as_ref().map(|now| &now.policy), &request.method) {
            self.gateway.count_refused("question of a server", &self.caller);
            return Seen::Withhold { answer: Some(methods::refused_question(request.id.raw(), &request.method)) };
        }
        let params = request.params.raw.and_then(|params| json::parse(params).ok());
        let unsafe_page = request.kind == Kind::Elicitation
            && params.as_ref().is_some_and(|params| mcp::elicitation::fault(params).is_some());
        // An agent that runs tasks for the server has said so; otherwise nobody would ever fetch the answer.
        let task = request.params.task.is_some()
            && !policy.as_ref().is_some_and(|now| crate::tasks::of_agents_allowed(&now.policy));
        if unsafe_page || task {
            self.gateway.count_refused("question of a server", &self.caller);
            return Seen::Withhold { answer: Some(methods::refused_question(request.id.raw(), &request.method)) };
        }
        let Some(seen) = self.cleaned_params(request.raw, strip(request.raw)) else {
            let text = "the question is longer than the policy lets pass";
            let answer = refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 200).body;
            return Seen::Withhold { answer: Some(answer) };
        };
        let about = self.expected.as_ref().map(|expected| expected.id.clone()).or_else(|| self.about.clone());
        if !self.gateway.sessions().asked(&self.caller.conversation(), request.id.key(), about) {
            let text = "too many questions are open, or one of this id already is";
            let answer = refusal::error(request.id.raw(), refusal::code::INVALID_REQUEST, text, 200).body;
            return Seen::Withhold { answer: Some(answer) };
        }
        self.aside_with_tasks(request.raw, seen)
    }

    fn notified(&mut self, notification: &Notification<'_>) -> Seen {
        let method: &str = &notification.method;
        if method == "notifications/tools/list_changed" {
            self.caller.grant.server().tools.forget();
        }
        let server = self.caller.grant.server().id();
        let policy = self.caller.grant.binding.policy.as_ref().map(|cell| cell.on(server));
        let passes = methods::may_say(policy.as_ref().map(|now| &now.policy), notification);
        if !passes {
            return Seen::Withhold { answer: None };
        }
        match self.cleaned_params(notification.raw, strip(notification.raw)) {
            Some(seen) => self.aside_with_tasks(notification.raw, seen),
            None => Seen::Withhold { answer: None },
        }
    }
}

/// How long a client may keep a list that was filtered for it: the policy can change at any time.
const FILTERED_TTL: u64 = 5_000;

/// An error as a sentence of its own.
fn sentence(error: &BadList) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// How much of an answer counts as its result: all of the message, but for what is around a result in every one.
fn weight(result: &str, message: usize) -> usize {
    const AROUND: usize = 1024;
    result.len().max(message.saturating_sub(AROUND))
}

fn allows(access: Access) -> bool {
    matches!(access, Access::Allow { .. })
}
