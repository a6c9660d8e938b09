//! Findings about whole entries.

use crate::diagnostic::{Code, Diagnostic};
use crate::entry::{Action, Entry, Section};
use crate::facts::Class;
use crate::limit::{Count, Refund};
use crate::opening::Opening;
use crate::pattern::Pattern;
use crate::policy::Document;
use crate::source::shown;

pub(super) fn check(document: &Document, found: &mut Vec<Diagnostic>) {
    found.extend(document.openings.iter().filter_map(|opening| idle(document, opening)));
    for entry in document.entries() {
        found.extend(hidden(document, entry));
        found.extend(behind_action(entry));
        found.extend(approvals(entry));
        if let Section::Class(class) = entry.section {
            refunds(entry, class, found);
        }
    }
}

/// `opens` where it opens nothing.
fn idle(document: &Document, opening: &Opening) -> Option<Diagnostic> {
    let entry = opening.entry();
    let found = Diagnostic::new(Code::NoEffect, opening.range(), "`opens` has no effect here");
    if document.default_allow {
        let found = found.label("nothing needs to be opened");
        return Some(found.also(document.default_range.clone(), "what nothing names is allowed anyway"));
    }
    let hides = entry.action == Action::Hide && !entry.observed;
    hides.then(|| found.label("`\"action\": \"hide\"` hides every tool of this class"))
}

/// Whether every name that `inner` matches is matched by `outer`. May say no where the answer is yes.
fn covers(outer: &Pattern, inner: &Pattern) -> bool {
    // The text of `inner` stands for all its names, unless a `?` of `outer` meets a `*` of it.
    outer.as_str() == inner.as_str()
        || (outer.matches(inner.as_str()) && (inner.is_exact() || !outer.as_str().contains('?')))
}

/// Rules for tools that `hide` hides.
fn hidden(document: &Document, entry: &Entry) -> Option<Diagnostic> {
    let pattern = entry.pattern.as_ref()?;
    if document.observed {
        return None;
    }
    let hiding = document.hide.iter().find(|hidden| covers(&hidden.named.pattern, pattern))?;
    let message = format!("no call reaches the rules of `{}`", shown(&entry.name));
    Some(
        Diagnostic::new(Code::Unreachable, entry.key_range.clone(), message)
            .label("these tools are hidden")
            .also(hiding.range.clone(), "by this"),
    )
}

/// Rules beside an action that already decides.
fn behind_action(entry: &Entry) -> Option<Diagnostic> {
    if !matches!(entry.action, Action::Deny | Action::Hide) {
        return None;
    }
    let clause = entry.clauses().next().map(|(_, clause)| clause.range.clone());
    let limit = entry.limits.iter().zip(&entry.limit_ranges).find(|(limit, _)| {
        // Attempts count although they are denied; nothing counts for a hidden tool.
        limit.count == Count::Forwarded || entry.action == Action::Hide
    });
    let range = clause.or_else(|| limit.map(|(_, range)| range.clone()))?;
    let action = if entry.action == Action::Deny { "deny" } else { "hide" };
    Some(
        Diagnostic::new(Code::Unreachable, range, "no call reaches this rule")
            .label("this comes after the action")
            .also(entry.key_range.clone(), format!("`\"action\": \"{action}\"` decides every call"))
            .help("remove the rule, or the action"),
    )
}

fn approvals(entry: &Entry) -> Option<Diagnostic> {
    let range = if entry.action == Action::RequireApproval {
        entry.key_range.clone()
    } else {
        entry.approval_if.first()?.range.clone()
    };
    let message = "calls that need approval are refused by this build";
    Some(
        Diagnostic::new(Code::ApprovalRefused, range, message)
            .help("it does not hold calls for approval yet; the agent is told so"),
    )
}

/// Refunds on error in rules of a class that may have acted before it failed.
pub(super) fn refunds(entry: &Entry, class: Class, found: &mut Vec<Diagnostic>) {
    if class == Class::Read {
        return;
    }
    for (limit, range) in entry.limits.iter().zip(&entry.limit_ranges) {
        if limit.refund == Refund::OnError {
            let message = "a call that failed may have acted before it did, and is given back";
            found.push(
                Diagnostic::new(Code::RefundOnError, range.clone(), message)
                    .label(format!("these tools are `{class}`"))
                    .help("leave `refund` out: what provably did not reach the server is given back anyway"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pattern_covers_another() {
        for (outer, inner, expected) in [
            ("a*", "a*", true),
            ("a*", "ab*", true),
            ("a*", "ab", true),
            ("*", "ab*c", true),
            ("ab*", "a*", false),
            ("a?", "a*", false),
            ("a?", "ab", true),
            ("a?*", "a*", false),
            ("*_delete", "x_*_delete", true),
        ] {
            let (outer, inner) = (Pattern::parse(outer).unwrap(), Pattern::parse(inner).unwrap());
            assert_eq!(covers(&outer, &inner), expected, "{outer} {inner}");
        }
    }
}
