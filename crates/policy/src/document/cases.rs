//! Reading `tests`.

use std::net::IpAddr;

use crate::cases::{Case, Expect, Given};
use crate::diagnostic::{Code, Diagnostic};
use crate::facts::{Class, GrantFacts};
use crate::rule_id::child;
use crate::source::{Node, Value};

use super::limits::exact_amount;
use super::reader::{NotObeyed, Reader};

const CASE_FIELDS: &[&str] = &["name", "call", "args", "given", "repeat", "expect", "rule"];
const GIVEN_FIELDS: &[&str] = &["time", "grant", "client", "class", "used"];
const GIVEN_NOT_OBEYED: &[NotObeyed] = &[NotObeyed { name: "labels", what: "say what the agent has already touched" }];
const GRANT_FIELDS: &[&str] = &["label", "owner", "tags", "agent"];

impl Reader {
    /// Reads `tests`.
    pub(super) fn cases(&mut self, node: &Node) -> Vec<Case> {
        let Some(items) = self.array(node, "`tests`") else { return Vec::new() };
        let mut cases = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            cases.extend(self.case(item, child("/tests", &index.to_string())));
        }
        cases
    }

    fn case(&mut self, node: &Node, pointer: String) -> Option<Case> {
        let fields = self.fields(node, "a test", CASE_FIELDS, &[])?;
        let name = self.text(fields.get("name"), "`name`");
        let call = self.required(fields, "call", "a test", "\"tool_name\"").and_then(|node| self.name(node, "`call`"));
        let args = match fields.get("args") {
            Some(node) if matches!(node.value, Value::Object(_)) => Some(node.to_json()),
            Some(node) => {
                self.wrong_type(node, "`args`", "an object");
                None
            }
            None => None,
        };
        let given = fields.get("given").and_then(|node| self.given(node)).unwrap_or_default();
        let repeat = fields.get("repeat").and_then(|node| self.integer(node, "`repeat`", 1, 100_000)).unwrap_or(1);
        let choices = Expect::ALL.map(|expect| (expect.as_str(), expect));
        let expect = self
            .required(fields, "expect", "a test", "\"deny\"")
            .and_then(|node| self.choice(node, "`expect`", &choices));
        let rule = self.text(fields.get("rule"), "`rule`");
        Some(Case {
            name: name.or_else(|| call.clone())?,
            call: call?,
            arguments: args,
            given,
            repeat: u32::try_from(repeat).unwrap_or(1),
            expect: expect?,
            rule,
            pointer,
            range: node.range.clone(),
        })
    }

    fn given(&mut self, node: &Node) -> Option<Given> {
        let fields = self.fields(node, "`given`", GIVEN_FIELDS, GIVEN_NOT_OBEYED)?;
        let mut given = Given::default();
        if let Some(node) = fields.get("time")
            && let Some(time) = self.time(node, "`time`")
        {
            given.time = time;
        }
        if let Some(node) = fields.get("grant") {
            given.grant = self.grant(node);
        }
        if let Some(node) = fields.get("client") {
            given.client = self.address(node);
        }
        if let Some(node) = fields.get("class") {
            let choices = Class::ALL.map(|class| (class.as_str(), class));
            if let Some(class) = self.choice(node, "`class`", &choices) {
                given.class = class;
            }
        }
        if let Some(node) = fields.get("used") {
            given.used = self.used(node);
        }
        Some(given)
    }

    fn address(&mut self, node: &Node) -> Option<IpAddr> {
        let text = self.string(node, "`client`")?;
        let address = text.parse::<IpAddr>().ok();
        if address.is_none() {
            let found = Diagnostic::new(Code::Format, node.range.clone(), "`client` must be an IP address");
            self.report(found.help("write `\"192.0.2.7\"` or `\"2001:db8::7\"`"));
        }
        address
    }

    fn grant(&mut self, node: &Node) -> GrantFacts {
        if let Some(label) = node.as_str() {
            return GrantFacts::labelled(label);
        }
        let mut grant = GrantFacts::labelled("local");
        if node.as_object().is_none() {
            self.wrong_type(node, "`grant`", "a label or an object");
            return grant;
        }
        let Some(fields) = self.fields(node, "`grant`", GRANT_FIELDS, &[]) else { return grant };
        if let Some(label) = self.text(fields.get("label"), "`label`") {
            grant = GrantFacts::labelled(&label);
        }
        grant.owner = self.text(fields.get("owner"), "`owner`");
        if let Some(agent) = self.text(fields.get("agent"), "`agent`") {
            grant.agent_label = agent;
        }
        if let Some(node) = fields.get("tags") {
            match node.as_object() {
                None => self.wrong_type(node, "`tags`", "an object"),
                Some(members) => {
                    for member in members {
                        if let Some(text) = self.string(&member.value, "a tag") {
                            grant.tags.insert(member.key.clone(), text.to_owned());
                        }
                    }
                }
            }
        }
        grant
    }

    fn used(&mut self, node: &Node) -> Vec<(String, quota::Amount)> {
        let Some(members) = node.as_object() else {
            self.wrong_type(node, "`used`", "an object of counters and how much of them is used");
            return Vec::new();
        };
        let mut used = Vec::with_capacity(members.len());
        for member in members {
            let amount = match &member.value.value {
                Value::Number(literal) => exact_amount(literal),
                _ => None,
            };
            match amount {
                Some(amount) => used.push((member.key.clone(), amount)),
                None => self.report(Diagnostic::new(
                    Code::OutOfRange,
                    member.value.range.clone(),
                    "a use must be a number of at least 0 with at most 6 decimals",
                )),
            }
        }
        used
    }
}
