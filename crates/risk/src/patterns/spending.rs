//! What agents do with money, and twice.

use policy::Class;
use policy::cases::Expect;

use super::condition::Condition;
use super::{Call, Control, Exposure, Group, Pattern, Rule, Shown, allowed, stopped};
use crate::facet::Facet;
use crate::severity::Severity;

pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        id: "unbounded-spending",
        title: "Spending without bound",
        group: Group::AgentBehaviour,
        severity: Severity::Critical,
        summary: "An agent pays too much, too often or the wrong party: by mistake, or because a text told it to.",
        steps: &[
            "The agent may pay, refund, order or bid.",
            "An amount is misread, a unit mistaken, or a recipient comes from a text that somebody planted.",
            "Each payment is valid by itself; the sum, or the recipient, is what is wrong.",
        ],
        exposure: Exposure::Tool(Condition::Any(&[
            Condition::Class(Class::Financial),
            Condition::Facet(Facet::SpendsMoney),
        ])),
        because: "one call commits money, and so does the next",
        incidents: &[],
        controls: &[
            Control::Rule(Rule {
                says: "An amount has a ceiling for each call and for the day, and one currency; what is no plain number is refused.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "create_refund": {
      "require": [ { "conditions": [ { "path": "args.amount", "op": "lte", "value": 100 },
                                     { "path": "args.currency", "op": "eq", "value": "EUR" } ],
                     "on_deny": "Refunds go up to 100 EUR." } ],
      "limits": [ { "counter": "refunds", "window": "day", "max": 500, "amount": "args.amount" } ]
    }
  }
}"#,
                stops: stopped(
                    "create_refund",
                    Class::Financial,
                    r#"{"amount":"100.01","currency":"EUR"}"#,
                    Expect::Deny,
                ),
                allows: allowed("create_refund", Class::Financial, r#"{"amount":99.5,"currency":"EUR"}"#),
            }),
            Control::Rule(Rule {
                says: "Within the ceiling of a call, the sum of the day ends it.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "create_refund": {
      "limits": [ { "counter": "refunds", "window": "day", "max": 500, "amount": "args.amount" } ]
    }
  }
}"#,
                stops: Call {
                    tool: "create_refund",
                    class: Class::Financial,
                    arguments: r#"{"amount":100}"#,
                    repeat: 6,
                    expect: Expect::Limit,
                },
                allows: Call {
                    tool: "create_refund",
                    class: Class::Financial,
                    arguments: r#"{"amount":100}"#,
                    repeat: 5,
                    expect: Expect::Allow,
                },
            }),
            Control::Always(Shown {
                says: "Amounts are compared as exact decimals: texts, exponents, negative and overlong numbers are no small amounts.",
                shown_by: "product::rules::amounts_that_are_no_small_amounts",
            }),
        ],
        remains: "A payment within the bounds to the wrong party passes, unless the rule names the parties or a person is asked.",
    },
    Pattern {
        id: "duplicate-execution",
        title: "The same effect twice",
        group: Group::AgentBehaviour,
        severity: Severity::High,
        summary: "An answer is lost, somebody tries again, and a payment or a message happens twice.",
        steps: &[
            "The call reaches the server and takes effect; the answer does not come back.",
            "Agent, client library or proxy cannot know that, and repeats the call.",
            "The protocol has no mark by which a server must recognise the repetition.",
        ],
        exposure: Exposure::Tool(Condition::Any(&[
            Condition::Class(Class::Financial),
            Condition::Facet(Facet::SpendsMoney),
            Condition::All(&[Condition::Class(Class::Execute), Condition::Facet(Facet::SendsExternal)]),
        ])),
        because: "a call that is repeated after a lost answer takes effect twice",
        incidents: &[],
        controls: &[
            Control::Always(Shown {
                says: "The gateway never repeats a call that may have reached the server.",
                shown_by: "product::results::servers_that_close_connections_lose_no_call_and_get_none_twice",
            }),
            Control::Rule(Rule {
                says: "A limit makes a quick repetition fail, so that somebody looks before it is tried again.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": { "send_payment": { "rate_limit": { "max": 1, "window": 60 } } }
}"#,
                stops: Call {
                    tool: "send_payment",
                    class: Class::Financial,
                    arguments: r#"{"order":"A-17","amount":40}"#,
                    repeat: 2,
                    expect: Expect::Limit,
                },
                allows: allowed("send_payment", Class::Financial, r#"{"order":"A-17","amount":40}"#),
            }),
        ],
        remains: "An agent that repeats a call after the window pays again. Only a server that knows an order by its number can refuse the second.",
    },
];
