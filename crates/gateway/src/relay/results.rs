//! What `results` of the policy does to messages on their way back to the agent.
//!
//! It is the last look at a message, on what would go on after every other edit. Without `results` it costs nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp::message::Response;
use mcp::method::Kind;
use policy::results::{Edits, Part, Results, Unjudged};

use super::{Relay, Seen};
use crate::gateway::Gateway;
use crate::grant::Grant;
use crate::policy_file::{InForce, PolicyCell};
use crate::refusal::{self, Withheld};
use crate::server::Server;
use crate::ticket::Ticket;

/// How long one message is searched for patterns of the policy's own. It is done on the thread that serves the connection,
/// as all of a call is, so what a server wrote must not hold it for long.
const SEARCHING: Duration = Duration::from_millis(250);

/// Whether there is time left for searching, from now on.
fn in_time() -> impl Fn() -> bool {
    let begun = Instant::now();
    move || begun.elapsed() < SEARCHING
}

/// What an agent reads in place of a message that could not be judged.
fn unjudged(error: &Unjudged) -> String {
    match error {
        Unjudged::Json(error) => format!("The server's answer cannot be read, so it cannot be judged: {error}."),
        Unjudged::Late { pattern } => format!(
            "The server's answer is withheld: searching it for the pattern `{pattern}` of its policy takes more than {} ms. \
             Whatever was asked for was done. Ask for less at once, or ask the operator to shorten what the pattern repeats.",
            SEARCHING.as_millis(),
        ),
    }
}

/// What is looked into of an answer to a request of this kind. Whatever was decided one by one is looked into as a whole,
/// whatever shape the server gives it.
pub(super) fn part(shape: Kind, decided: bool) -> Part {
    match shape {
        _ if decided => Part::Result,
        Kind::ToolsList => Part::List("tools"),
        Kind::PromptsList => Part::List("prompts"),
        Kind::ResourcesList => Part::List("resources"),
        Kind::TemplatesList => Part::List("resourceTemplates"),
        Kind::Initialize | Kind::Discover => Part::Handshake,
        _ => Part::Result,
    }
}

/// What was found in a message, as the record has it.
fn recorded(results: &Results, edits: Edits) -> audit::Edits {
    let Edits { redacted, stripped, late } = edits;
    audit::Edits { redacted, stripped, late, observed: results.is_observe(), ..audit::Edits::default() }
}

/// A sentence of the gateway's own that quotes a server: its last words, or why a list was not to be had.
pub(crate) fn quoted(grant: &Grant, text: String) -> String {
    let in_force = grant.binding.policy.as_ref().map(|cell| cell.now());
    let results = in_force.as_ref().and_then(|now| now.policy.results());
    match results.map(|results| results.clean_text(&text, &in_time())) {
        Some(Ok(Some(edited))) => edited,
        Some(Err(_)) => "The server's own words are withheld, because searching them takes too long.".to_owned(),
        Some(Ok(None)) | None => text,
    }
}

/// What is told of a server to whoever runs the gateway: without what any policy redacts under which it is asked.
pub(crate) fn quoted_to_all(gateway: &Gateway, server: &Arc<Server>, text: String) -> String {
    let grants = gateway.grants();
    let mut asked: Vec<&Arc<PolicyCell>> = Vec::new();
    grants.all().filter(|grant| Arc::ptr_eq(grant.server(), server)).fold(text, |text, grant| {
        match &grant.binding.policy {
            Some(policy) if !asked.iter().any(|other| Arc::ptr_eq(other, policy)) => {
                asked.push(policy);
                quoted(grant, text)
            }
            _ => text,
        }
    })
}

impl Relay {
    /// The policy in force, if it says anything about results.
    pub(super) fn watching(&self) -> Option<Arc<InForce>> {
        let in_force = self.caller.grant.binding.policy.as_ref()?.now();
        in_force.policy.results().is_some().then_some(in_force)
    }

    /// The answer as it goes on, and what was done to it. `result` is the size of the server's result, where a cap is about it.
    pub(super) fn cleaned(
        &self,
        seen: Seen,
        response: &Response<'_>,
        part: Part,
        result: Option<(usize, Kind, Option<audit::Id>)>,
    ) -> (Seen, audit::Edits) {
        let nothing = audit::Edits::default();
        let Some(in_force) = self.watching() else { return (seen, nothing) };
        let Some(results) = in_force.policy.results() else { return (seen, nothing) };
        let mut done = recorded(results, Edits::default());
        let id = response.id.as_ref().map_or("null", |id| id.raw());
        if let Some((bytes, kind, decision)) = result
            && let Some(cap) = results.cap().filter(|cap| bytes as u64 > cap.bytes)
        {
            done.over = Some(cap.bytes);
            if !results.is_observe() {
                let decision = decision.map(|id| id.to_string());
                let withheld = Withheld { bytes, cap, decision: decision.as_deref().unwrap_or("unknown") };
                return (Seen::Replace(withheld.answer(id, kind, self.caller.dialect()).body), done);
            }
        }
        let text = match &seen {
            Seen::Pass => response.raw,
            Seen::Replace(text) => text,
            Seen::Withhold { .. } => return (seen, done),
        };
        match results.clean(text, part, &in_time()) {
            Ok(cleaned) => {
                done.add(recorded(results, cleaned.edits));
                (cleaned.text.map_or(seen, Seen::Replace), done)
            }
            Err(error) => {
                let answer = refusal::error(id, refusal::code::INTERNAL, &unjudged(&error), 200).body;
                if let Unjudged::Late { pattern } = error {
                    done.late = Some(pattern);
                }
                (Seen::Replace(answer), done)
            }
        }
    }

    /// A question or a notification as it goes on; `None` where none of it may.
    pub(super) fn cleaned_params(&mut self, raw: &str, stripped: Option<String>) -> Option<Seen> {
        let seen = |text: Option<String>| Some(text.map_or(Seen::Pass, Seen::Replace));
        let Some(in_force) = self.watching() else { return seen(stripped) };
        let Some(results) = in_force.policy.results() else { return seen(stripped) };
        let mut done = recorded(results, Edits::default());
        let over = is_over(results, raw);
        let cleaned = match over && !results.is_observe() {
            true => None,
            false => results.clean(stripped.as_deref().unwrap_or(raw), Part::Params, &in_time()).ok(),
        };
        let late = cleaned.as_ref().is_some_and(|cleaned| cleaned.edits.late.is_some());
        done.dropped = u64::from(over || late || cleaned.is_none());
        let passes = cleaned.map(|cleaned| {
            // Of a message that is no answer it is told that it does not go on.
            done.add(recorded(results, Edits { late: None, ..cleaned.edits }));
            cleaned.text.or(stripped)
        });
        self.untied.add(done);
        passes.and_then(seen)
    }

    /// Lets the record of the call whose stream it is tell what was done to what came before its answer.
    pub(crate) fn tell_untied(&mut self, done: audit::Edits) {
        let mut ticket = self.expected.as_mut().and_then(|expected| expected.ticket.take());
        self.tell(ticket.as_mut(), done);
        if let Some(expected) = &mut self.expected {
            expected.ticket = ticket;
        }
    }

    /// Lets the record of the call tell what was done to a message; what belongs to no recorded call is counted.
    pub(super) fn tell(&self, ticket: Option<&mut Ticket>, done: audit::Edits) {
        match ticket {
            Some(ticket) => ticket.note(done),
            None if done.is_empty() => {}
            None => {
                let withheld = done.over.is_some() || done.late.is_some() || done.dropped > 0;
                let what = match (withheld, done.observed) {
                    (true, false) => "message of a server withheld by results",
                    (true, true) => "message of a server that results would withhold",
                    (false, false) => "message of a server edited by results",
                    (false, true) => "message of a server that results would edit",
                };
                self.gateway.count_refused(what, &self.caller);
            }
        }
    }
}

/// Whether a message that is no answer goes over the cap.
fn is_over(results: &Results, raw: &str) -> bool {
    results.cap().is_some_and(|cap| raw.len() as u64 > cap.bytes)
}
