//! What `results` of the policy does to messages on their way back to the agent.
//!
//! It is the last look at a message, on what would go on after every other edit. Without `results` it costs nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp::message::Response;
use mcp::method::Kind;
use policy::results::{Edits, Part, Results, Unjudged};

use super::{Relay, Seen};
use crate::grant::Grant;
use crate::policy_file::InForce;
use crate::refusal::{self, Withheld};

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

/// What was done to an answer, to be recorded.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) edits: Edits,
    /// The cap that it went over.
    over: Option<u64>,
    observed: bool,
}

impl Done {
    /// As the record has it; `None` where there is nothing to say.
    pub(super) fn recorded(self) -> Option<audit::Edits> {
        let Edits { redacted, stripped } = self.edits;
        let edits = audit::Edits { redacted, stripped, over: self.over, observed: self.observed };
        (!edits.is_empty()).then_some(edits)
    }
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

impl Relay {
    /// The policy in force, if it says anything about results.
    pub(super) fn watching(&self) -> Option<Arc<InForce>> {
        let in_force = self.caller.grant.binding.policy.as_ref()?.now();
        in_force.policy.results().is_some().then_some(in_force)
    }

    /// The answer as it goes on. `result` is the size of the server's result, where a cap is about it.
    pub(super) fn cleaned(
        &mut self,
        seen: Seen,
        response: &Response<'_>,
        part: Part,
        result: Option<(usize, Kind, Option<audit::Id>)>,
    ) -> (Seen, Done) {
        let mut done = Done { edits: std::mem::take(&mut self.unsettled), ..Done::default() };
        let Some(in_force) = self.watching() else { return (seen, done) };
        let Some(results) = in_force.policy.results() else { return (seen, done) };
        done.observed = results.is_observe();
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
                done.edits.add(cleaned.edits);
                (cleaned.text.map_or(seen, Seen::Replace), done)
            }
            Err(error) => {
                self.gateway.count_refused("answer that could not be judged", &self.caller);
                (Seen::Replace(refusal::error(id, refusal::code::INTERNAL, &unjudged(&error), 200).body), done)
            }
        }
    }

    /// A question or a notification as it goes on; `None` where none of it may.
    pub(super) fn cleaned_params(&mut self, raw: &str, stripped: Option<String>) -> Option<Seen> {
        let seen = |text: Option<String>| Some(text.map_or(Seen::Pass, Seen::Replace));
        let Some(in_force) = self.watching() else { return seen(stripped) };
        let Some(results) = in_force.policy.results() else { return seen(stripped) };
        if is_over(results, raw) {
            self.gateway.count_refused("message of a server over max_bytes", &self.caller);
            if !results.is_observe() {
                return None;
            }
        }
        let Ok(cleaned) = results.clean(stripped.as_deref().unwrap_or(raw), Part::Params, &in_time()) else {
            self.gateway.count_refused("message of a server that could not be judged", &self.caller);
            return None;
        };
        if self.expected.as_ref().is_some_and(|expected| expected.ticket.is_some()) {
            // The record of the call whose stream it is tells of it.
            self.unsettled.add(cleaned.edits);
        } else if !cleaned.edits.is_empty() {
            let what = if results.is_observe() {
                "message of a server with what results would edit"
            } else {
                "message of a server edited by results"
            };
            self.gateway.count_refused(what, &self.caller);
        }
        seen(cleaned.text.or(stripped))
    }
}

/// Whether a message that is no answer goes over the cap.
fn is_over(results: &Results, raw: &str) -> bool {
    results.cap().is_some_and(|cap| raw.len() as u64 > cap.bytes)
}
