//! Findings within one clause.

use crate::condition::Op;
use crate::diagnostic::{Code, Diagnostic};
use crate::entry::{Clause, ClauseKind, Leaf};
use crate::path::Root;

pub(super) fn check(kind: ClauseKind, clause: &Clause, found: &mut Vec<Diagnostic>) {
    for leaf in &clause.leaves {
        found.extend(empty_list(leaf));
        found.extend(unanchored(kind, leaf));
        found.extend(deny_list(kind, leaf));
    }
    found.extend(contradiction(kind, clause));
}

/// `in` an empty array.
fn empty_list(leaf: &Leaf) -> Option<Diagnostic> {
    if !leaf.empty || !matches!(leaf.op, Op::In | Op::UrlHostIn | Op::EmailDomainIn | Op::Cidr) {
        return None;
    }
    let message = format!("`{}` an empty array is never true", leaf.op);
    Some(Diagnostic::new(Code::NeverMatches, leaf.value_range.clone(), message))
}

/// A `regex` that must match, and that text around the match passes.
fn unanchored(kind: ClauseKind, leaf: &Leaf) -> Option<Diagnostic> {
    if kind != ClauseKind::Require || leaf.op != Op::Regex || leaf.negated {
        return None;
    }
    let pattern = leaf.strings.first()?;
    let begins = pattern.starts_with('^') || pattern.starts_with("\\A");
    let ends = (pattern.ends_with('$') && !pattern.ends_with("\\$")) || pattern.ends_with("\\z");
    // Without a bracket around them, `^a|b$` anchors each branch on one side only.
    if begins && ends && !pattern.contains('|') {
        return None;
    }
    let message = "`regex` finds its match anywhere, and any text around it passes";
    Some(
        Diagnostic::new(Code::Unanchored, leaf.value_range.clone(), message)
            .also(leaf.op_range.clone(), "searches")
            .fix(leaf.op_range.clone(), "\"matches\"", "compare the whole string"),
    )
}

/// Texts to deny, by spelling.
fn deny_list(kind: ClauseKind, leaf: &Leaf) -> Option<Diagnostic> {
    if leaf.strings.is_empty() || !matches!(leaf.path.root(), Root::Args | Root::Item) {
        return None;
    }
    let picks = matches!(leaf.op, Op::In | Op::Contains | Op::StartsWith | Op::EndsWith | Op::Regex | Op::Matches);
    let avoids = matches!(leaf.op, Op::NotIn | Op::Neq);
    let denies = match kind {
        ClauseKind::Require => (picks && leaf.negated) || (avoids && !leaf.negated),
        ClauseKind::DenyIf => (picks && !leaf.negated) || (leaf.op == Op::NotIn && leaf.negated),
        ClauseKind::ApprovalIf => false,
    };
    if !denies {
        return None;
    }
    let message = format!("this denies some spellings of `{}`, and every other passes", leaf.path);
    Some(
        Diagnostic::new(Code::DenyList, leaf.range.clone(), message).help(
            "say what is allowed instead, in `require`: `in`, `matches`, `within`, `url_host_in`, `url_public`, `email_domain_in`, `sql_reads`",
        ),
    )
}

/// Two conditions of one clause that cannot both be true.
fn contradiction(kind: ClauseKind, clause: &Clause) -> Option<Diagnostic> {
    // Only where every test is joined by AND.
    if clause.leaves.len() != clause.conditions.len() {
        return None;
    }
    let mut equal = clause.leaves.iter().filter(|leaf| {
        leaf.op == Op::Eq
            && !leaf.negated
            && leaf.each.is_none()
            && !leaf.path.has_wildcard()
            && leaf.strings.len() == 1
    });
    let (first, second) = loop {
        let first = equal.next()?;
        let second = equal.clone().find(|other| {
            other.path.as_str() == first.path.as_str()
                && other.strings.iter().zip(&first.strings).any(|(a, b)| a.to_lowercase() != b.to_lowercase())
        });
        if let Some(second) = second {
            break (first, second);
        }
    };
    let message = match kind {
        ClauseKind::Require => "this can never hold, so every call is denied",
        ClauseKind::DenyIf | ClauseKind::ApprovalIf => "this can never match",
    };
    Some(
        Diagnostic::new(Code::NeverMatches, second.range.clone(), message)
            .also(first.range.clone(), "both must be true")
            .help("for OR write `{ \"any_of\": [ … ] }`, or `in` with both values"),
    )
}
