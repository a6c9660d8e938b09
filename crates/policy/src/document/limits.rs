//! Reading `limits` and `rate_limit`.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::limit::{Count, Limit, OnStoreDown, Refund, Scope};
use crate::path::{Path, Root};
use crate::rule_id::{Names, RuleId, child};
use crate::source::{Node, Value, shown};

use super::reader::{Fields, Reader, listed};

const LIMIT_FIELDS: &[&str] =
    &["counter", "window", "max", "scope", "amount", "kind", "count", "refund", "on_store_down", "on_deny"];

const RATE_LIMIT_FIELDS: &[&str] = &["max", "window"];

const WINDOWS: &[(&str, quota::Window)] = &[
    ("second", quota::Window::Second),
    ("minute", quota::Window::Minute),
    ("hour", quota::Window::Hour),
    ("day", quota::Window::Day),
    ("week", quota::Window::Week),
    ("month", quota::Window::Month),
];

/// The longest rolling window, in seconds: 31 days.
const LONGEST_WINDOW: u32 = 2_678_400;

/// The entry that limits stand in.
pub(super) struct Place<'a> {
    pub(super) entry: &'a RuleId,
    pub(super) observed: bool,
}

impl Reader {
    /// Reads `limits`; beside each limit the bytes it stands in.
    pub(super) fn limits(&mut self, node: &Node, place: &Place<'_>) -> Vec<(Arc<Limit>, std::ops::Range<usize>)> {
        let Some(items) = self.array(node, "`limits`") else { return Vec::new() };
        let pointer = child(&place.entry.pointer, "limits");
        let rule = child(&place.entry.rule, "limits");
        let mut names = Names::default();
        let mut limits = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let pointer = child(&pointer, &index.to_string());
            if let Some(mut limit) = self.limit(item, place) {
                limit.rule = Arc::new(RuleId::new(pointer, format!("{rule}/{}", names.unique(&limit.counter))));
                limits.push((Arc::new(limit), item.range.clone()));
            }
        }
        limits
    }

    fn limit(&mut self, node: &Node, place: &Place<'_>) -> Option<Limit> {
        let fields = self.fields(node, "a limit", LIMIT_FIELDS, &[])?;
        let counter =
            self.required(fields, "counter", "a limit", "\"calls\"").and_then(|node| self.name(node, "`counter`"));
        let kinds = [("quota", quota::Kind::Quota), ("concurrency", quota::Kind::Concurrency)];
        let kind =
            fields.get("kind").and_then(|node| self.choice(node, "`kind`", &kinds)).unwrap_or(quota::Kind::Quota);
        let in_flight = matches!(kind, quota::Kind::Concurrency);
        if in_flight {
            self.refuse_beside_concurrency(fields);
        }
        let window = if in_flight {
            None
        } else {
            let node = self.required(fields, "window", "a limit", "\"minute\"");
            Some(node.and_then(|node| self.window(node)))
        };
        let max = self.required(fields, "max", "a limit", "30").and_then(|node| self.max(node, in_flight));
        let scope = match fields.get("scope") {
            Some(node) => self.scope(node),
            None => Some(vec![Scope::Grant]),
        };
        let amount = fields.get("amount").map(|node| self.amount(node));
        let counts = [("forwarded", Count::Forwarded), ("attempts", Count::Attempts)];
        let count = fields.get("count").map(|node| self.choice(node, "`count`", &counts));
        let refunds = [("not_sent", Refund::NotSent), ("never", Refund::Never), ("on_error", Refund::OnError)];
        let refund = fields.get("refund").map(|node| self.choice(node, "`refund`", &refunds));
        let answers = [("deny", OnStoreDown::Deny), ("allow", OnStoreDown::Allow)];
        let on_store_down = fields.get("on_store_down").map(|node| self.choice(node, "`on_store_down`", &answers));
        let on_deny = self.text(fields.get("on_deny"), "`on_deny`");
        Some(Limit {
            counter: counter?,
            window: match window {
                None => None,
                Some(window) => Some(window?),
            },
            zone: self.zone.clone(),
            kind,
            max: max?,
            scope: scope?,
            count: count.unwrap_or(Some(Count::Forwarded))?,
            refund: refund.unwrap_or(Some(Refund::NotSent))?,
            on_store_down: on_store_down.unwrap_or(Some(OnStoreDown::Deny))?,
            on_deny: on_deny.map(Arc::from),
            rule: Arc::new(place.entry.clone()),
            observed: place.observed,
            private_to_entry: false,
            spans: self.servers.is_some(),
            amount: match amount {
                None => None,
                Some(amount) => Some(amount?),
            },
        })
    }

    fn refuse_beside_concurrency(&mut self, fields: Fields<'_>) {
        for name in ["window", "amount", "refund", "count"] {
            if let Some(member) = fields.member(name) {
                let message = format!("`{name}` has no meaning for calls in flight");
                let mut found = Diagnostic::new(Code::Combination, member.key_range.clone(), message);
                if let Some(kind) = fields.get("kind") {
                    found = found.also(kind.range.clone(), "because of this");
                }
                self.report(found.help(format!("remove `{name}`, or the `kind`")));
            }
        }
    }

    /// Reads `rate_limit`.
    pub(super) fn rate_limit(&mut self, node: &Node, place: &Place<'_>) -> Option<Arc<Limit>> {
        let fields = self.fields(node, "a rate limit", RATE_LIMIT_FIELDS, &[])?;
        let max = self.required(fields, "max", "a rate limit", "10").and_then(|node| self.max(node, false));
        let window = self.required(fields, "window", "a rate limit", "60").and_then(|node| self.window(node));
        let rule = RuleId::new(child(&place.entry.pointer, "rate_limit"), child(&place.entry.rule, "rate_limit"));
        Some(Arc::new(Limit {
            counter: rule.rule.clone(),
            window: Some(window?),
            zone: self.zone.clone(),
            kind: quota::Kind::Quota,
            max: max?,
            scope: vec![Scope::Grant],
            count: Count::Forwarded,
            refund: Refund::NotSent,
            on_store_down: OnStoreDown::Deny,
            on_deny: None,
            rule: Arc::new(rule),
            observed: place.observed,
            private_to_entry: true,
            spans: self.servers.is_some(),
            amount: None,
        }))
    }

    fn window(&mut self, node: &Node) -> Option<quota::Window> {
        match &node.value {
            Value::Number(literal) => match literal.parse::<u32>() {
                Ok(seconds) if (1..=LONGEST_WINDOW).contains(&seconds) => Some(quota::Window::Rolling(seconds)),
                _ => {
                    let message = format!("a rolling window has 1 to {LONGEST_WINDOW} seconds, in whole numbers");
                    self.report(
                        Diagnostic::new(Code::OutOfRange, node.range.clone(), message)
                            .help("a calendar window has a name: `\"day\"`, `\"week\"`, `\"month\"`"),
                    );
                    None
                }
            },
            Value::String(text) => {
                if let Some((_, window)) = WINDOWS.iter().find(|(name, _)| name == text) {
                    return Some(*window);
                }
                if text.parse::<u32>().is_ok() {
                    let message = format!("a window of seconds is a number, not the text `{}`", shown(text));
                    self.report(Diagnostic::new(Code::WrongType, node.range.clone(), message).fix(
                        node.range.clone(),
                        text.clone(),
                        "write it without quotes",
                    ));
                    return None;
                }
                let names: Vec<&str> = WINDOWS.iter().map(|(name, _)| *name).collect();
                // Words that other products use.
                let near = match text.as_str() {
                    "sec" | "s" | "secondly" => Some("second"),
                    "min" | "m" => Some("minute"),
                    "h" | "hr" | "hourly" => Some("hour"),
                    "d" | "daily" | "24h" => Some("day"),
                    "weekly" => Some("week"),
                    "monthly" => Some("month"),
                    _ => None,
                };
                match near {
                    None => self.unknown_value(&node.range, text, "`window`", &names),
                    Some(near) => self.report(
                        Diagnostic::new(Code::UnknownValue, node.range.clone(), format!("`window` cannot be `{text}`"))
                            .label(format!("expected {}", listed(names)))
                            .fix(node.range.clone(), format!("\"{near}\""), "a window with that meaning exists"),
                    ),
                }
                None
            }
            _ => {
                self.wrong_type(node, "`window`", "a number of seconds or the name of a calendar window");
                None
            }
        }
    }

    fn max(&mut self, node: &Node, whole: bool) -> Option<quota::Amount> {
        let Value::Number(literal) = &node.value else {
            self.wrong_type(node, "`max`", "a number");
            return None;
        };
        let amount = exact_amount(literal);
        let Some(amount) = amount else {
            let message = "`max` must be at least 0, below 10^15, and have at most 6 decimals";
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
            return None;
        };
        if whole && amount.micros() % quota::Amount::ONE.micros() != 0 {
            let message = "`max` of calls in flight must be a whole number";
            self.report(Diagnostic::new(Code::OutOfRange, node.range.clone(), message));
            return None;
        }
        Some(amount)
    }

    fn scope(&mut self, node: &Node) -> Option<Vec<Scope>> {
        let choices = Scope::ALL.map(|scope| (scope.as_str(), scope));
        let Value::Array(items) = &node.value else {
            if !matches!(node.value, Value::String(_)) {
                self.wrong_type(node, "`scope`", "a string or an array of strings");
                return None;
            }
            return self.choice(node, "`scope`", &choices).map(|scope| vec![scope]);
        };
        if items.is_empty() {
            self.report(
                Diagnostic::new(Code::OutOfRange, node.range.clone(), "`scope` must name at least one scope")
                    .help("leave it out for `\"grant\"`, or write `[\"organisation\"]` to count all use together"),
            );
            return None;
        }
        let mut scopes = Vec::with_capacity(items.len());
        for item in items {
            let scope = self.choice(item, "`scope`", &choices)?;
            if scopes.contains(&scope) {
                let message = format!("`scope` names `{scope}` twice");
                self.report(Diagnostic::new(Code::OutOfRange, item.range.clone(), message));
            } else {
                scopes.push(scope);
            }
        }
        scopes.sort_unstable();
        Some(scopes)
    }

    fn amount(&mut self, node: &Node) -> Option<Path> {
        let path = self.path(node, "`amount`")?;
        let mut wrong = |message: &str| {
            self.report(
                Diagnostic::new(Code::Operand, node.range.clone(), message)
                    .help("write the path of one number, such as `args.amount`"),
            );
            None
        };
        if !matches!(path.root(), Root::Args) {
            return wrong("`amount` must be the path of an argument");
        }
        if path.has_wildcard() {
            return wrong("`amount` must be the path of one value, without `[*]`");
        }
        if path.is_root() {
            return wrong("`amount` must be the path of one argument, not of all");
        }
        Some(path)
    }
}

/// The exact amount of a JSON number; `None` where it is negative, too large or has more than 6 decimals.
pub(super) fn exact_amount(literal: &str) -> Option<quota::Amount> {
    literal.parse().ok()
}
