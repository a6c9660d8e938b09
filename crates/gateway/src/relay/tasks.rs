//! Tasks in what comes back: under the agent's names of them, and only those that are the agent's.

use mcp::message::Response;
use mcp::method::Kind;
use mcp::task::{Naming, Place};

use super::{Relay, Seen, forbidden_input, read};
use crate::expected::Expected;
use crate::refusal;
use crate::tasks::{self, Named};

impl Relay {
    /// An answer, with the agent's names of the tasks in it. `expected` is what it answers, where that is known.
    pub(super) fn answer_with_tasks(&self, response: &Response<'_>, seen: Seen, expected: Option<&Expected>) -> Seen {
        let text = match &seen {
            Seen::Pass => response.raw,
            Seen::Replace(text) => text,
            Seen::Withhold { .. } => return seen,
        };
        let id = response.id.as_ref().map_or("null", |id| id.raw());
        if expected.is_some_and(|expected| expected.kind == Kind::Tasks) {
            if let Some(question) = self.forbidden_in_task(text, &["result"]) {
                let text = format!("The task asks for `{question}`, which the policy does not allow.");
                return Seen::Replace(refusal::error(id, refusal::code::DENIED, &text, 200).body);
            }
        } else if !mcp::task::may_be_named(text) {
            return seen;
        }
        let is_task = mcp::json::locate(text, &["result", "resultType"])
            .ok()
            .flatten()
            .is_some_and(|span| mcp::json::unquote(span.of(text)).as_deref() == Some("task"));
        // A tool's own result may have a member of that name.
        let has_content = matches!(mcp::json::locate(text, &["result", "content"]), Ok(Some(_)));
        let of_tasks = expected.is_some_and(|expected| expected.kind == Kind::Tasks);
        let listed = expected.is_some_and(Expected::lists_tasks);
        let mut nameless = false;
        let renamed = mcp::task::rename(text, |place, upstream| {
            let named = |upstream: &str| tasks::known(&self.gateway, &self.caller, expected, upstream);
            match (place, upstream) {
                (Place::Created, Some(upstream)) if !has_content => self.create(expected, upstream, &mut nameless),
                (Place::Subject, Some(upstream)) if is_task => self.create(expected, upstream, &mut nameless),
                (Place::Subject, Some(upstream)) if of_tasks => renaming(named(upstream), Naming::LeaveOut),
                (Place::Listed, upstream) if listed => {
                    let named = upstream.and_then(named).filter(|named| tasks::may_be_told(&self.caller, named));
                    renaming(named, Naming::LeaveOut)
                }
                (Place::Related, Some(upstream)) => renaming(named(upstream), self.strangers()),
                (Place::Related, None) => Naming::LeaveOut,
                _ => Naming::Keep,
            }
        });
        if nameless {
            let text = "The call goes on as a task of the server, which cannot be named here: it was not asked for, or \
                        its id is too long. Its result cannot be fetched.";
            return Seen::Replace(refusal::error(id, refusal::code::INTERNAL, text, 200).body);
        }
        match renamed {
            Ok(None) => seen,
            Ok(Some(text)) => Seen::Replace(text),
            Err(_) => {
                let text = "The server's answer cannot be read, so its tasks cannot be named.";
                Seen::Replace(refusal::error(id, refusal::code::INTERNAL, text, 200).body)
            }
        }
    }

    /// A question or notification, with the agent's names of the tasks in it. What tells of a task that the agent does
    /// not know, or may hear of no more, goes nowhere.
    pub(super) fn aside_with_tasks(&self, raw: &str, seen: Seen) -> Seen {
        let text = match &seen {
            Seen::Pass => raw,
            Seen::Replace(text) => text,
            Seen::Withhold { .. } => return seen,
        };
        if !mcp::task::may_be_named(text) {
            return seen;
        }
        let method = mcp::json::locate(text, &["method"]).ok().flatten();
        let method = method.and_then(|span| mcp::json::unquote(span.of(text))).unwrap_or_default();
        let kind = mcp::method::lookup(&method);
        let mut stranger = false;
        let renamed = mcp::task::rename(text, |place, upstream| {
            let named = upstream
                .and_then(|upstream| tasks::known(&self.gateway, &self.caller, self.expected.as_ref(), upstream));
            match place {
                Place::Subject if kind == Kind::TaskStatus => {
                    let told = named.filter(|named| tasks::may_be_told(&self.caller, named));
                    stranger |= told.is_none();
                    renaming(told, Naming::Keep)
                }
                Place::Wanted if kind == Kind::SubscriptionsAcknowledged => renaming(named, Naming::LeaveOut),
                Place::Related => renaming(named, self.strangers()),
                _ => Naming::Keep,
            }
        });
        let forbidden = kind == Kind::TaskStatus && self.forbidden_in_task(text, &["params"]).is_some();
        match renamed {
            Ok(_) if stranger || forbidden => Seen::Withhold { answer: None },
            Ok(None) => seen,
            Ok(Some(text)) => Seen::Replace(text),
            Err(_) => Seen::Withhold { answer: None },
        }
    }

    /// The first question of a task that the policy does not let the server ask; `path` leads to the task.
    fn forbidden_in_task(&self, text: &str, path: &[&str]) -> Option<String> {
        let task = mcp::json::locate(text, path).ok()??.of(text);
        match &self.caller.grant.binding.policy {
            Some(cell) => forbidden_input(&cell.now().policy, &read(task)),
            None => Some("anything".to_owned()),
        }
    }

    fn create(&self, expected: Option<&Expected>, upstream: &str, nameless: &mut bool) -> Naming {
        let named = expected
            .and_then(Expected::tool)
            .and_then(|tool| tasks::created(&self.gateway, &self.caller, tool, upstream));
        *nameless |= named.is_none();
        renaming(named, Naming::LeaveOut)
    }

    /// What becomes of a tie to a task that is not the agent's: it may be one that the agent itself runs for the server.
    fn strangers(&self) -> Naming {
        let policy = self.caller.grant.binding.policy.as_ref().map(|cell| cell.now());
        match policy.is_some_and(|now| tasks::of_agents_allowed(&now.policy)) {
            true => Naming::Keep,
            false => Naming::LeaveOut,
        }
    }
}

fn renaming(named: Option<Named>, otherwise: Naming) -> Naming {
    named.map_or(otherwise, |named| Naming::As(named.id))
}
