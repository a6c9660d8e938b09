//! The way of a message from an agent: judged, limited, recorded, and only then forwarded.
//!
//! This is the one decision point. Every front (HTTP, stdio) and every reach (endpoint, child)
//! brings its parsed messages here and does what [`Judged`] says.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use audit::Would;
use jiff::Timestamp;
use mcp::message::{Message, Notification, Request};
use mcp::method::Kind;
use policy::{Call, Decision, Effect};
use smallvec::SmallVec;
use store::log::AuditDown;

use crate::caller::Caller;
use crate::expected::Expected;
use crate::gateway::Gateway;
use crate::grant::Book;
use crate::halt::halted;
use crate::limits::{self, Beside, Outcome, Uses};
use crate::methods;
use crate::record::{Judgement, Subject};
use crate::refusal::{self, Refusal, Verdict};
use crate::relay::quoted;
use crate::tasks;
use crate::ticket::{Held, Ticket};
use crate::tools::ToolList;

/// Asks the caller's upstream for one page of `tools/list`, with an id of the gateway's own.
pub trait AskForTools: Send + Sync {
    /// The raw `result` of one page, or why there is none.
    fn page(&self, cursor: Option<String>) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>>;
}

/// What is to be done with a message.
pub enum Judged {
    /// Send it to the server: as it came, or as it was edited.
    Forward {
        /// The message in place of the one that came.
        edited: Option<String>,
        /// What is awaited, if the message is a request.
        expected: Option<Expected>,
    },
    /// Send this to the agent; the server sees nothing.
    Answer(Refusal),
    /// A notification or response that goes nowhere.
    Drop,
}

/// Judges one message.
pub async fn judge(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    message: &Message<'_>,
    upstream: &dyn AskForTools,
) -> Judged {
    if let Some(refused) = halt(gateway, caller, message).or_else(|| tasks::unknown(gateway, caller, message)) {
        return refused;
    }
    let judged = judge_known(gateway, caller, message, upstream).await;
    tasks::forwarded(gateway, caller, message, judged)
}

/// Judges a message that names no task of others.
async fn judge_known(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    message: &Message<'_>,
    upstream: &dyn AskForTools,
) -> Judged {
    match message {
        Message::Request(request) => {
            let judged = match request.kind {
                kind if methods::is_of_another_revision(caller, kind, &request.method) => {
                    methods::not_found(caller, request)
                }
                Kind::ToolsCall => {
                    let begun = Instant::now();
                    let judged = call(gateway, caller, request, upstream).await;
                    gateway.measures().decision_time.observe(begun.elapsed());
                    judged
                }
                Kind::ToolsList if caller.grant.server().pins.comes_first(&caller.grant.server().tools) => {
                    // What is listed is what is accepted, and nothing is before the whole first list was
                    // seen. If the server cannot give it, the agent sees its answer, without tools.
                    let _ = known_list(gateway, caller, upstream).await;
                    methods::request(gateway, caller, request, request.kind)
                }
                Kind::Tasks => Box::pin(tasks::request(gateway, caller, request, upstream)).await,
                Kind::SubscriptionsListen => Box::pin(tasks::subscription(gateway, caller, request, upstream)).await,
                kind => methods::request(gateway, caller, request, kind),
            };
            written(gateway, caller, request, judged).await
        }
        Message::Notification(notification) => notified(gateway, caller, notification),
        Message::Response(response) => methods::response(gateway, caller, response),
    }
}

/// What is said where nothing may be forwarded at all, whatever the message is: fronts ask before they do anything for
/// it, such as listing the tools that its headers are compared with.
pub(crate) fn halt(gateway: &Arc<Gateway>, caller: &Caller, message: &Message<'_>) -> Option<Judged> {
    halted(gateway, caller).map(|halt| halt.answer(gateway, caller, message))
}

fn notified(gateway: &Arc<Gateway>, caller: &Caller, notification: &Notification<'_>) -> Judged {
    methods::notification(gateway, caller, notification)
}

/// A request goes on when its record counts as written: at once, or with strict durability when it
/// is on disk.
async fn written(gateway: &Gateway, caller: &Caller, request: &Request<'_>, mut judged: Judged) -> Judged {
    if let Judged::Forward { expected: Some(expected), .. } = &mut judged
        && let Err(down) = expected.written().await
    {
        gateway.measures().unrecorded.count();
        return Judged::Answer(match request.kind {
            Kind::ToolsCall => unrecorded(caller, request, &down),
            _ => methods::unrecorded(request, &down),
        });
    }
    judged
}

/// The audit log cannot be written, so nothing is decided at all.
fn unrecorded(caller: &Caller, request: &Request<'_>, down: &AuditDown) -> Refusal {
    let verdict = Verdict {
        id: "unrecorded",
        effect: "deny",
        rule: "(evaluation error)",
        reason: &format!("The call cannot be recorded ({down}), so it was not made."),
        retry_after: None,
        detail: None,
    };
    refusal::denied_call(request.id.raw(), &verdict, caller.dialect())
}

/// The whole way of a `tools/call`, in the order of the policy language's "Order of evaluation".
async fn call(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>, upstream: &dyn AskForTools) -> Judged {
    let tool = request.params.name.as_deref().unwrap_or_default();
    let mut way = Way { gateway, caller, request, tool, now: Timestamp::now() };

    // A grant without a policy may do nothing.
    let Some(policy) = &caller.grant.binding.policy else {
        return way.deny("(no policy)", "This grant has no policy, so it may call nothing.");
    };

    // The tool must be one that the server lists; the gateway asks the server itself.
    let list = match known_list(gateway, caller, upstream).await {
        Ok(list) => list,
        Err(reason) => {
            let reason = quoted(&caller.grant, format!("The call cannot be judged: {reason}."));
            return way.deny("(evaluation error)", &reason);
        }
    };
    // The server may have taken its time: what is judged and counted is the call as it goes on now, under what is in
    // force now.
    let now = Timestamp::now();
    way.now = now;
    if let Some(halt) = halted(gateway, caller) {
        return halt.call(gateway, caller, request);
    }
    let in_force = policy.on(caller.grant.server().id());
    let book = caller.grant.binding.book(&in_force, &list);
    let Some((listed, rules)) = book.get(tool) else {
        return way.unknown("(unknown tool)", &book);
    };
    if let Some(why) = listed.held().or_else(|| rules.held()) {
        return way.deny_under(
            &book,
            policy::rule_id::DEFINITION_CHANGED,
            &format!("The tool's definition cannot be judged: {why}."),
        );
    }
    if let Some(why) = book.accepted.held(listed) {
        return way.deny_under(&book, policy::rule_id::DEFINITION_CHANGED, &why);
    }

    // Decide: pure, and on the arguments that will be forwarded.
    let session = caller.counted_session().map(|session| session.text());
    let mut decision = rules.decide(&Call {
        arguments: request.params.arguments,
        grant: &caller.grant.facts,
        session: session.as_deref(),
        client_ip: caller.client_ip,
        now,
    });
    match decision.effect {
        Effect::Hide => return way.unknown("(hidden)", &book),
        Effect::Deny => return way.denied(&book, &decision).await,
        Effect::Ask => return way.unapproved(&book, &decision).await,
        Effect::Allow => {}
    }

    // One of the calls that may be under way at once.
    let Ok(permit) = Arc::clone(&caller.grant.server().calls).try_acquire_owned() else {
        return way.deny_under(
            &book,
            "(evaluation error)",
            "Too many calls to this server are under way; repeat the call when one has ended.",
        );
    };

    // A further round of a call that was counted is the same call.
    if caller.continues {
        decision.limits.clear();
    }
    // Limits: all together or not at all.
    let (enforced, observed): (policy::LimitUses, policy::LimitUses) =
        std::mem::take(&mut decision.limits).into_iter().partition(|limit_use| !limit_use.limit.observed);
    let beside = Beside { observed: &observed, attempts: &decision.attempts, caller, tool };
    let mut held = Box::new(Held { uses: Uses::new(enforced, caller, tool), ..Held::default() });
    let full = match held.take(gateway, &beside, now).await {
        Outcome::Taken(full) => full,
        Outcome::Full(full) => return way.full(&book, &held.uses, &full),
        Outcome::Down(down) => {
            return way.deny_under(
                &book,
                "(evaluation error)",
                &format!("The counts of this policy's limits cannot be read: {down}."),
            );
        }
    };
    // Counts that are shared may have taken their time: what was stopped meanwhile is not forwarded.
    if gateway.counting().is_shared()
        && let Some(halt) = halted(gateway, caller)
    {
        held.settle(gateway, limits::Ending::NotSent, now);
        return halt.call(gateway, caller, request);
    }
    let mut would: SmallVec<[Would<'_>; 2]> = decision
        .would
        .iter()
        .map(|would| Would { rule: would.rule.rule.as_str().into(), effect: in_record(would.effect) })
        .collect();
    would.extend(beside.would(&full));

    // Record, then forward: a call of which no record can be written is not made.
    let id = gateway.new_id();
    let recorded = {
        let judgement = Judgement {
            effect: audit::Effect::Allow,
            rule: &decision.rule,
            reason: None,
            policy: &in_force.digest,
            subject: Subject::Tool(tool),
            arguments: request.params.arguments,
            counts: &held.uses.counts(held.uncounted),
            would: &would,
        };
        gateway.record(caller, id, request, &judgement)
    };
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(down) => {
            held.settle(gateway, limits::Ending::NotSent, now);
            return Judged::Answer(unrecorded(caller, request, &down));
        }
    };
    let ticket = Ticket::new(gateway, caller, id, now, held, recorded);
    let edited = methods::without_denied_capabilities(&in_force.policy, request);
    Judged::Forward { edited, expected: Some(Expected::call(caller, request, ticket, permit)) }
}

/// A call of what no server of a stack has: recorded as every decision is, at the first of them.
pub(crate) fn nobodys_tool(gateway: &Arc<Gateway>, caller: &Caller, request: &Request<'_>) -> Refusal {
    let tool = request.params.name.as_deref().unwrap_or_default();
    let way = Way { gateway, caller, request, tool, now: Timestamp::now() };
    let digest = caller.grant.binding.policy.as_ref().map(|cell| Arc::clone(&cell.now().digest)).unwrap_or_default();
    match way.write(&digest, &policy::rule_id::built_in(policy::rule_id::UNKNOWN_TOOL), audit::Effect::Hide, None) {
        Ok(_) => refusal::unknown_tool(request.id.raw(), tool),
        Err(down) => unrecorded(caller, request, &down),
    }
}

/// The server's tools, known or fetched now, and compared with what is accepted.
pub(crate) async fn known_list(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    upstream: &dyn AskForTools,
) -> Result<Arc<ToolList>, String> {
    let server = caller.grant.server();
    let list = server.tools.get(upstream).await.map_err(|error| error.to_string())?;
    match server.pins.settle(&list, gateway).await {
        Ok(()) => Ok(list),
        Err(error) => Err(format!("which definitions are accepted cannot be kept: {error}")),
    }
}

/// One call on its way, and the ways in which it can end here.
struct Way<'a> {
    gateway: &'a Arc<Gateway>,
    caller: &'a Caller,
    request: &'a Request<'a>,
    tool: &'a str,
    now: Timestamp,
}

impl Way<'_> {
    /// A denial that no line of the policy says, before any policy was taken.
    fn deny(&self, rule: &'static str, reason: &str) -> Judged {
        self.refuse("", &policy::rule_id::built_in(rule), "deny", reason, None, None)
    }

    /// A denial that no line of the policy says.
    fn deny_under(&self, book: &Book, rule: &'static str, reason: &str) -> Judged {
        self.refuse(&book.in_force.digest, &policy::rule_id::built_in(rule), "deny", reason, None, None)
    }

    /// A name that is hidden, and one that does not exist: one answer, told apart in the record only.
    fn unknown(&self, rule: &'static str, book: &Book) -> Judged {
        let answer = refusal::unknown_tool(self.request.id.raw(), self.tool);
        match self.write(&book.in_force.digest, &policy::rule_id::built_in(rule), audit::Effect::Hide, None) {
            Ok(_) => Judged::Answer(answer),
            Err(down) => Judged::Answer(unrecorded(self.caller, self.request, &down)),
        }
    }

    async fn denied(&self, book: &Book, decision: &Decision) -> Judged {
        // Limits that count attempts count this one, whether or not they are full, and before anybody learns of it.
        if !decision.attempts.is_empty() {
            Uses::default().look(self.gateway.counting(), &self.beside(decision), self.now).await;
        }
        let reason = policy::refusal::denied(decision.reason.as_deref());
        let detail = self.detail(decision);
        self.refuse(&book.in_force.digest, &decision.rule, "deny", reason, None, detail)
    }

    /// A call that needs a person's word. This build cannot hold calls, so it is refused.
    async fn unapproved(&self, book: &Book, decision: &Decision) -> Judged {
        let enforced = decision.limits.iter().filter(|limit_use| !limit_use.limit.observed).cloned().collect();
        let uses = Uses::new(enforced, self.caller, self.tool);
        // A full limit denies instead of asking, so that nobody is asked for nothing.
        if let Some(full) = uses.look(self.gateway.counting(), &self.beside(decision), self.now).await {
            return self.full(book, &uses, &full);
        }
        let reason = policy::refusal::unapproved(decision.reason.as_deref());
        self.refuse(&book.in_force.digest, &decision.rule, "approval", &reason, None, None)
    }

    fn full(&self, book: &Book, uses: &Uses, full: &quota::Full) -> Judged {
        self.caller.grant.server().measures.limited.count();
        let Some(limit) = uses.limit(full.index) else {
            return self.deny_under(book, "(evaluation error)", "A limit of this policy is used up.");
        };
        let seconds = policy::refusal::retry_after(full, self.now);
        let reason = policy::refusal::full(limit, full);
        self.refuse(&book.in_force.digest, &limit.rule, "limit", &reason, seconds, None)
    }

    fn refuse(
        &self,
        policy: &str,
        rule: &policy::RuleId,
        effect: &str,
        reason: &str,
        retry_after: Option<u64>,
        detail: Option<&str>,
    ) -> Judged {
        let in_record = if effect == "approval" { audit::Effect::Ask } else { audit::Effect::Deny };
        let id = match self.write(policy, rule, in_record, Some(reason)) {
            Ok(id) => id,
            Err(down) => return Judged::Answer(unrecorded(self.caller, self.request, &down)),
        };
        let verdict = Verdict { id: &id, effect, rule: &rule.rule, reason, retry_after, detail };
        Judged::Answer(refusal::denied_call(self.request.id.raw(), &verdict, self.caller.dialect()))
    }

    fn write(
        &self,
        policy: &str,
        rule: &policy::RuleId,
        effect: audit::Effect,
        reason: Option<&str>,
    ) -> Result<String, AuditDown> {
        let id = self.gateway.new_id();
        let judgement = Judgement {
            effect,
            rule,
            reason,
            policy,
            subject: Subject::Tool(self.tool),
            arguments: self.request.params.arguments,
            counts: &[],
            would: &[],
        };
        // A denial is not held up by the disk: nothing follows from it that the record must precede.
        self.gateway.record(self.caller, id, self.request, &judgement)?;
        Ok(id.to_string())
    }

    /// What is counted of a call that is not made.
    fn beside<'a>(&'a self, decision: &'a Decision) -> Beside<'a> {
        Beside { observed: &[], attempts: &decision.attempts, caller: self.caller, tool: self.tool }
    }

    fn detail<'a>(&self, decision: &'a Decision) -> Option<&'a str> {
        match self.caller.grant.server().config.denials {
            crate::server::Denials::Full => decision.detail.as_deref(),
            crate::server::Denials::Plain => None,
        }
    }
}

/// A decision's effect, as the record spells it.
pub(crate) fn in_record(effect: Effect) -> audit::Effect {
    match effect {
        Effect::Allow => audit::Effect::Allow,
        Effect::Deny => audit::Effect::Deny,
        Effect::Hide => audit::Effect::Hide,
        Effect::Ask => audit::Effect::Ask,
    }
}
