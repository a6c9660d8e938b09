//! Reading the rules of a tool, class or `all_tools`.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use crate::diagnostic::{Code, Diagnostic};
use crate::entry::{Action, Approval, ClauseKind, Entry, SchemaMode, Section};
use crate::facts::Class;
use crate::opening::Opening;
use crate::pattern::Pattern;
use crate::rule_id::{RuleId, child};
use crate::source::{Node, shown};
use crate::suggest::nearest;
use crate::text::time::instant;

use super::limits::Place;
use super::reader::{Fields, Reader, listed};

const ENTRY_FIELDS: &[&str] = &[
    "action",
    "reason",
    "visible",
    "require",
    "deny_if",
    "require_approval_if",
    "limits",
    "rate_limit",
    "approval",
    "schema",
    "mode",
    "valid_until",
];

/// The field that entries of `classes` have beside those.
const OPENS: &str = "opens";

const APPROVAL_FIELDS: &[&str] =
    &["approvers", "quorum", "uses", "expires_in", "redeem_within", "on_expiry", "max_pending"];

/// Where the entry being read stands.
struct Head {
    section: Section,
    pattern: Option<Pattern>,
    name: String,
    rule: RuleId,
    key_range: Range<usize>,
}

impl Reader {
    /// Reads `tools`. The entries come in the order in which they are reported: the more specific first.
    pub(super) fn tools(&mut self, node: &Node) -> Vec<Arc<Entry>> {
        let Some(members) = node.as_object() else {
            self.wrong_type(node, "`tools`", "an object");
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(members.len());
        for member in members {
            let pattern = self.pattern(&member.key, &member.key_range);
            let pattern = pattern.filter(|pattern| {
                let bare = pattern.literal_chars() == 0;
                if bare {
                    let message = format!("the pattern `{}` names every tool", shown(&member.key));
                    self.report(
                        Diagnostic::new(Code::BarePattern, member.key_range.clone(), message)
                            .label("no literal character")
                            .help("rules for every call belong under `all_tools`; to allow every tool write `\"default\": \"allow\"`"),
                    );
                }
                !bare
            });
            if let Some(pattern) = &pattern {
                self.spans_name(pattern, &member.key_range);
            }
            let pointer = child("/tools", &member.key);
            let head = Head {
                section: Section::Tools,
                name: member.key.clone(),
                rule: RuleId::new(pointer.clone(), pointer),
                key_range: member.key_range.clone(),
                pattern,
            };
            entries.extend(self.entry(&member.value, head, "an entry of `tools`"));
        }
        entries.sort_by(|a, b| match (&a.pattern, &b.pattern) {
            (Some(a), Some(b)) => a.specificity().cmp(&b.specificity()),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        entries
    }

    /// Reads `classes`, in the order of the classes, and which of them open their tools.
    pub(super) fn classes(&mut self, node: &Node) -> (Vec<(Class, Arc<Entry>)>, Vec<Opening>) {
        let mut openings = Vec::new();
        let Some(members) = node.as_object() else {
            self.wrong_type(node, "`classes`", "an object");
            return (Vec::new(), openings);
        };
        let names = Class::ALL.map(Class::as_str);
        let mut entries = Vec::with_capacity(members.len());
        for member in members {
            let Ok(class) = member.key.parse::<Class>() else {
                let message = format!("there is no class `{}`", shown(&member.key));
                let found = Diagnostic::new(Code::UnknownValue, member.key_range.clone(), message)
                    .label(format!("expected {}", listed(names)));
                self.report(match nearest(&member.key, names) {
                    Some(near) if members.iter().any(|other| other.key == near) => {
                        found.help(format!("`{near}` stands here already: put the rules of both there"))
                    }
                    Some(near) => {
                        found.fix(member.key_range.clone(), format!("\"{near}\""), "a class with a similar name exists")
                    }
                    None => found,
                });
                continue;
            };
            let pointer = child("/classes", &member.key);
            let head = Head {
                section: Section::Class(class),
                pattern: None,
                name: member.key.clone(),
                rule: RuleId::new(pointer.clone(), pointer),
                key_range: member.key_range.clone(),
            };
            let opens = self.opens(&member.value, class);
            let Some(entry) = self.entry(&member.value, head, "an entry of `classes`") else { continue };
            openings.extend(opens.and_then(|range| Opening::new(class, &entry, range)));
            entries.push((class, entry));
        }
        entries.sort_by_key(|(class, _)| *class);
        (entries, openings)
    }

    /// Where `"opens": true` stands in an entry of `classes`.
    fn opens(&mut self, node: &Node, class: Class) -> Option<Range<usize>> {
        let member = node.as_object()?.iter().find(|member| member.key == OPENS)?;
        if class == Class::Unclassified {
            self.report(
                Diagnostic::new(
                    Code::Combination,
                    member.key_range.clone(),
                    "`opens` has no meaning in `unclassified`",
                )
                .label("a tool that nobody classified could be anything")
                .help("name under `tools` what is to be callable, or set the class of those tools"),
            );
            return None;
        }
        self.boolean(&member.value, "`opens`")?.then(|| member.key_range.clone())
    }

    /// Reads `all_tools`.
    pub(super) fn all_tools(&mut self, node: &Node, key_range: Range<usize>) -> Option<Arc<Entry>> {
        let head = Head {
            section: Section::AllTools,
            pattern: None,
            name: "all_tools".to_owned(),
            rule: RuleId::new("/all_tools", "/all_tools"),
            key_range,
        };
        self.entry(node, head, "`all_tools`")
    }

    fn entry(&mut self, node: &Node, head: Head, of: &str) -> Option<Arc<Entry>> {
        if let Some(action) = node.as_str() {
            let message = format!("{of} must be an object");
            self.report(Diagnostic::new(Code::WrongType, node.range.clone(), message).label("this is a string").fix(
                node.range.clone(),
                format!("{{ \"action\": {} }}", serde_json::Value::from(action)),
                "write the action as a field",
            ));
            return None;
        }
        let more: &[&str] = if matches!(head.section, Section::Class(_)) { &[OPENS] } else { &[] };
        let fields = self.fields(node, of, &[ENTRY_FIELDS, more].concat(), &[])?;
        let rule = head.rule;
        let errors = self.errors();
        let mode = fields.get("mode").and_then(|node| self.mode(node));
        let observed = self.observed || mode == Some(true);
        let actions = [
            ("allow", Action::Allow),
            ("deny", Action::Deny),
            ("hide", Action::Hide),
            ("require_approval", Action::RequireApproval),
        ];
        let action =
            fields.get("action").and_then(|node| self.choice(node, "`action`", &actions)).unwrap_or(Action::Allow);
        let reason = self.text(fields.get("reason"), "`reason`");
        let visible = fields.get("visible").and_then(|node| self.boolean(node, "`visible`")).unwrap_or(false);
        // Beside what cannot be read, nobody knows what would have an effect.
        if self.errors() == errors {
            self.check_texts(fields, action);
        }
        let clauses = |reader: &mut Reader, kind: ClauseKind| match fields.get(kind.field()) {
            Some(node) => reader.clauses(node, kind, &rule),
            None => Vec::new(),
        };
        let require = clauses(self, ClauseKind::Require);
        let deny_if = clauses(self, ClauseKind::DenyIf);
        let approval_if = clauses(self, ClauseKind::ApprovalIf);
        let place = Place { entry: &rule, observed };
        let mut limits = fields.get("limits").map(|node| self.limits(node, &place)).unwrap_or_default();
        if let Some(node) = fields.get("rate_limit") {
            limits.extend(self.rate_limit(node, &place).map(|limit| (limit, node.range.clone())));
        }
        let (limits, limit_ranges) = limits.into_iter().unzip();
        let approval = fields.get("approval").and_then(|node| self.approval(node));
        if let Some(member) = fields.member("approval")
            && action != Action::RequireApproval
            && self.errors() == errors
            && !fields.has(ClauseKind::ApprovalIf.field())
        {
            self.no_effect(
                &member.key_range,
                "approval",
                "it says how calls are approved, and this entry asks for no approval",
            );
        }
        let modes = [("check", SchemaMode::Check), ("closed", SchemaMode::Closed), ("off", SchemaMode::Off)];
        let schema = fields.get("schema").and_then(|node| self.choice(node, "`schema`", &modes));
        let valid_until = fields.get("valid_until").and_then(|node| self.time(node, "`valid_until`"));
        Some(Arc::new(Entry {
            section: head.section,
            pattern: head.pattern,
            name: head.name,
            action,
            action_rule: Arc::new(RuleId::new(child(&rule.pointer, "action"), child(&rule.rule, "action"))),
            reason: reason.map(Arc::from),
            visible,
            require,
            deny_if,
            approval_if,
            limits,
            approval,
            schema,
            schema_rule: Arc::new(RuleId::new(child(&rule.pointer, "schema"), crate::rule_id::SCHEMA_MISMATCH)),
            observed,
            valid_until,
            key_range: head.key_range,
            limit_ranges,
            rule: Arc::new(rule),
        }))
    }

    /// `true` for observe.
    pub(super) fn mode(&mut self, node: &Node) -> Option<bool> {
        self.choice(node, "`mode`", &[("enforce", false), ("observe", true)])
    }

    fn check_texts(&mut self, fields: Fields<'_>, action: Action) {
        if let Some(member) = fields.member("reason")
            && matches!(action, Action::Allow | Action::Hide)
        {
            let why = "it is told when `action` denies a call or asks for approval; texts of clauses and limits are `on_deny`";
            self.no_effect(&member.key_range, "reason", why);
        }
        if let Some(member) = fields.member("visible")
            && action != Action::Deny
        {
            self.no_effect(&member.key_range, "visible", "it keeps a tool listed beside `\"action\": \"deny\"`");
        }
    }

    fn no_effect(&mut self, range: &Range<usize>, field: &str, why: &str) {
        let message = format!("`{field}` has no effect here");
        self.report(Diagnostic::new(Code::NoEffect, range.clone(), message).label(why));
    }

    pub(super) fn time(&mut self, node: &Node, what: &str) -> Option<Timestamp> {
        let text = self.string(node, what)?;
        match instant(text) {
            Some(time) => Some(time),
            None => {
                let message = format!("{what} must be an RFC 3339 time with an offset");
                self.report(
                    Diagnostic::new(Code::Format, node.range.clone(), message)
                        .help("write `\"2026-12-31T23:59:59Z\"` or `\"2026-12-31T23:59:59+01:00\"`"),
                );
                None
            }
        }
    }

    fn approval(&mut self, node: &Node) -> Option<Approval> {
        let fields = self.fields(node, "`approval`", APPROVAL_FIELDS, &[])?;
        let mut approval = Approval::default();
        if let Some(items) = fields.get("approvers").and_then(|node| self.array(node, "`approvers`")) {
            approval.approvers = items.iter().filter_map(|item| self.approver(item)).collect();
        }
        let mut count = |name: &str, most: u64, target: &mut u32| {
            if let Some(node) = fields.get(name)
                && let Some(value) = self.integer(node, &format!("`{name}`"), 1, most)
            {
                *target = u32::try_from(value).unwrap_or(u32::MAX);
            }
        };
        count("quorum", 100, &mut approval.quorum);
        count("uses", 1_000_000, &mut approval.uses);
        count("max_pending", 1_000_000, &mut approval.max_pending);
        if let Some(node) = fields.get("expires_in") {
            approval.expires_in_s = self.duration(node, "`expires_in`");
        }
        if let Some(node) = fields.get("redeem_within")
            && let Some(seconds) = self.duration(node, "`redeem_within`")
        {
            approval.redeem_within_s = seconds;
        }
        if let Some(node) = fields.get("on_expiry") {
            self.choice(node, "`on_expiry`", &[("deny", ())]);
        }
        Some(approval)
    }

    fn approver(&mut self, node: &Node) -> Option<String> {
        const ROLES: &[&str] = &["approver", "policy_manager", "admin"];
        let text = self.string(node, "an approver")?;
        let Some((kind, name)) = text.split_once(':').filter(|(_, name)| !name.is_empty()) else {
            self.unknown_approver(node, text);
            return None;
        };
        match kind {
            "member" | "group" => {}
            "role" if ROLES.contains(&name) => {}
            "role" => {
                self.unknown_value(
                    &node.range,
                    text,
                    "an approver",
                    &["role:approver", "role:policy_manager", "role:admin"],
                );
                return None;
            }
            _ => {
                self.unknown_approver(node, text);
                return None;
            }
        }
        Some(text.to_owned())
    }

    fn unknown_approver(&mut self, node: &Node, text: &str) {
        let message = format!("an approver cannot be `{}`", shown(text));
        self.report(
            Diagnostic::new(Code::Format, node.range.clone(), message)
                .help("approvers are written `role:approver`, `member:ada@example.com` or `group:finance`"),
        );
    }

    /// A number of seconds, minutes, hours or days, such as `15m`; at most a year.
    fn duration(&mut self, node: &Node, what: &str) -> Option<u64> {
        const YEAR: u64 = 366 * 86_400;
        let text = self.string(node, what)?;
        let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
        let seconds = units.iter().find_map(|&(unit, seconds)| {
            let number = text.strip_suffix(unit)?;
            let plain =
                number.len() <= 9 && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
            let number = number.parse::<u64>().ok().filter(|_| plain)?;
            number.checked_mul(seconds).filter(|seconds| *seconds <= YEAR)
        });
        if seconds.is_none() {
            let message = format!("{what} must be a time such as `90s`, `15m`, `24h` or `7d`, at most a year");
            self.report(Diagnostic::new(Code::Format, node.range.clone(), message));
        }
        seconds
    }
}
