//! What an agent reads of a decision that stops its call. The gateway sends these texts, and the catalogue shows them.

use jiff::{Timestamp, Unit};

use crate::limit::Limit;

/// The reason where the policy gives none.
const NO_REASON: &str = "The policy does not allow this call.";

/// A stopped call, in words.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// The sentence for the agent.
    pub reason: &'a str,
    /// Operands, where the agent may see them.
    pub detail: Option<&'a str>,
    /// Seconds until a retry can succeed, where that is known.
    pub retry_after: Option<u64>,
    /// The rule, readable.
    pub rule: &'a str,
    /// The decision's id in the audit log.
    pub id: &'a str,
}

impl Refusal<'_> {
    /// The whole text.
    ///
    /// ```
    /// let refusal = policy::refusal::Refusal {
    ///     reason: "Deletions are done by people",
    ///     detail: None,
    ///     retry_after: Some(9),
    ///     rule: "/tools/drop",
    ///     id: "7",
    /// };
    /// assert_eq!(
    ///     refusal.text(),
    ///     "[POLICY DENIED] Deletions are done by people. Retry in 9 s. (rule /tools/drop, decision 7)"
    /// );
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let reason = self.reason.trim_end();
        let stop = if reason.ends_with(['.', '!', '?']) { "" } else { "." };
        let mut text = format!("[POLICY DENIED] {reason}{stop}");
        if let Some(detail) = self.detail {
            text.push_str(&format!(" {detail}"));
        }
        if let Some(seconds) = self.retry_after {
            text.push_str(&format!(" Retry in {seconds} s."));
        }
        text.push_str(&format!(" (rule {}, decision {})", self.rule, self.id));
        text
    }
}

/// The reason of a denied call: the policy's, or one where it has none.
#[must_use]
pub fn denied(reason: Option<&str>) -> &str {
    reason.unwrap_or(NO_REASON)
}

/// The reason of a call that needs a person's word, in a build that cannot hold calls.
#[must_use]
pub fn unapproved(reason: Option<&str>) -> String {
    let reason = format!(
        "{} This call needs the approval of a person, and this gateway cannot hold calls for approval yet; it was not made.",
        reason.unwrap_or_default()
    );
    reason.trim_start().to_owned()
}

/// The reason of a call that finds a limit used up.
#[must_use]
pub fn full(limit: &Limit, full: &quota::Full) -> String {
    let state = format!("The limit `{}` is used up: {} of {}", limit.counter, full.used, full.max);
    let state = match (limit.window, full.frees_at) {
        (Some(window), Some(at)) => {
            format!("{state} per {window}; it frees at {}.", at.round(Unit::Second).unwrap_or(at))
        }
        (Some(window), None) => format!("{state} per {window}, and this call can never fit."),
        (None, _) => format!("{state} calls at once; it frees when one ends."),
    };
    match &limit.on_deny {
        Some(text) => format!("{text} {state}"),
        None => state,
    }
}

/// Seconds until a full limit frees, rounded up.
#[must_use]
pub fn retry_after(full: &quota::Full, now: Timestamp) -> Option<u64> {
    let left = full.frees_at?.duration_since(now);
    let whole = u64::try_from(left.as_secs().max(0)).unwrap_or(0);
    Some(whole + u64::from(left.subsec_nanos() > 0))
}

/// What stands in place of a result that is longer than `max_bytes` of `results`.
#[must_use]
pub fn withheld(bytes: usize, most: u64, rule: &str, id: &str) -> String {
    format!(
        "[RESULT WITHHELD] The call was made, and its result of {bytes} bytes was not passed on: the policy lets at most \
         {most} bytes pass. Ask for less, such as a smaller page or range. (rule {rule}, decision {id})"
    )
}

/// The message for a tool that is hidden, and for one that does not exist.
#[must_use]
pub fn unknown_tool(name: &str) -> String {
    format!("Unknown tool: {name}")
}
