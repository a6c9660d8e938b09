//! What agents do by themselves.

use policy::Class;
use policy::cases::Expect;

use super::condition::Condition;
use super::{Call, Control, Exposure, Group, Incident, Kind, Pattern, Rule, Shown, allowed, stopped};
use crate::facet::Facet;
use crate::severity::Severity;

pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        id: "destructive-action-autonomy",
        title: "Deletion nobody asked for",
        group: Group::AgentBehaviour,
        severity: Severity::Critical,
        summary: "An agent deletes or resets something because it seemed the shortest way to its goal, with rights that no person uses without thinking twice.",
        steps: &[
            "The agent holds a credential that may delete, usually that of the person who set it up.",
            "A step fails, or the task is worded loosely; starting afresh looks like the simplest repair.",
            "The agent deletes, and only then reports, if it reports at all. An instruction not to is text, and text does not bind it.",
        ],
        exposure: Exposure::Tool(Condition::Any(&[
            Condition::Class(Class::Destructive),
            Condition::All(&[Condition::Facet(Facet::RunsCode), Condition::Facet(Facet::Irreversible)]),
        ])),
        because: "an agent that takes a wrong turn can call it before anybody notices",
        incidents: &[
            Incident {
                date: "2025-12",
                kind: Kind::Happened,
                what: "An AWS cost service in one region was down for 13 hours after the coding agent Kiro deleted an environment to create it anew, the Financial Times reported. Amazon puts it down to access rights that were too wide, not to the agent.",
                source_url: "https://www.vibegraveyard.ai/story/aws-kiro-ai-agent-outage",
            },
            Incident {
                date: "2025-07-18",
                kind: Kind::Happened,
                what: "Replit's agent deleted a customer's production database during a declared code freeze, and said wrongly that it could not be restored.",
                source_url: "https://failureindex.ai/failures/replit-ai-deleted-production-database",
            },
        ],
        controls: &[
            Control::Rule(Rule {
                says: "Every deletion waits for a person; reading goes on.",
                policy: r#"{
  "version": "1",
  "default": "allow",
  "classes": {
    "destructive": { "action": "require_approval", "reason": "A person agrees to each deletion." }
  }
}"#,
                stops: stopped("drop_database", Class::Destructive, r#"{"name":"production"}"#, Expect::Approval),
                allows: allowed("list_databases", Class::Read, "{}"),
            }),
            Control::Rule(Rule {
                says: "For an agent that never has to delete, the tools do not exist.",
                policy: r#"{
  "version": "1",
  "default": "allow",
  "classes": { "destructive": { "action": "hide" } }
}"#,
                stops: stopped("drop_database", Class::Destructive, r#"{"name":"production"}"#, Expect::Hide),
                allows: allowed("create_branch", Class::Write, r#"{"name":"fix"}"#),
            }),
        ],
        remains: "A tool that runs commands or free queries can delete without being called Destructive; it needs a rule on its arguments or a sandbox. A person who approves can be wrong. Backups stay necessary.",
    },
    Pattern {
        id: "runaway-tool-loops",
        title: "An agent in a loop",
        group: Group::AgentBehaviour,
        severity: Severity::High,
        summary: "An agent, or two of them, repeat a call that costs money or has an effect outside, thousands of times, while every single call looks fine.",
        steps: &[
            "A result does not satisfy the agent, or another agent asks back.",
            "It tries again with small changes. Nothing fails, so nothing raises an alarm.",
            "The bill, the flood of messages or the exhausted quota is what is noticed first.",
        ],
        exposure: Exposure::Tool(Condition::Any(&[
            Condition::Class(Class::Execute),
            Condition::Class(Class::Financial),
            Condition::Class(Class::Unclassified),
            Condition::Facet(Facet::SpendsMoney),
            Condition::Facet(Facet::SendsExternal),
            Condition::Facet(Facet::Bulk),
        ])),
        because: "each repetition has its cost or its effect again",
        incidents: &[
            Incident {
                date: "2026-03",
                kind: Kind::Happened,
                what: "A report tells of four research agents of which two asked each other for clarification for eleven days, at about 47,000 dollars, before the invoice was read.",
                source_url: "https://dev.to/utibe_okodi_339fb47a13ef5/the-ai-agent-that-cost-47000-while-everyone-thought-it-was-working-1lg6",
            },
            Incident {
                date: "2026-01",
                kind: Kind::Research,
                what: "A study made agents spend up to 658 times what a task costs, through tools that led them in circles; the answers stayed right, and it was seldom detected.",
                source_url: "https://arxiv.org/abs/2601.10955",
            },
        ],
        controls: &[
            Control::Rule(Rule {
                says: "A limit on all calls ends a loop, and a smaller one on what has effects ends it sooner.",
                policy: r#"{
  "version": "1",
  "default": "allow",
  "all_tools": { "limits": [ { "counter": "calls", "window": "minute", "max": 60 } ] },
  "classes": {
    "execute": { "limits": [ { "counter": "effects", "window": "hour", "max": 30 } ] }
  }
}"#,
                stops: Call {
                    tool: "start_job",
                    class: Class::Execute,
                    arguments: r#"{"job":"crawl"}"#,
                    repeat: 31,
                    expect: Expect::Limit,
                },
                allows: Call {
                    tool: "start_job",
                    class: Class::Execute,
                    arguments: r#"{"job":"crawl"}"#,
                    repeat: 30,
                    expect: Expect::Allow,
                },
            }),
            Control::Always(Shown {
                says: "A limit is exact when several processes share it: copies of an agent cannot each spend the whole of it.",
                shown_by: "product::sharing::four_processes_forward_exactly_the_maximum",
            }),
        ],
        remains: "Up to the limit the loop runs. What the model itself costs does not pass the gateway, and is not counted here.",
    },
    Pattern {
        id: "confused-deputy",
        title: "Confused deputy",
        group: Group::AgentBehaviour,
        severity: Severity::High,
        summary: "A server acts with its own standing rights for whoever asks, so that one person's request reaches what only another may see or change.",
        steps: &[
            "The server holds one credential for many people, customers or projects.",
            "The agent is asked, by its user or by a text that it reads, for something of somebody else.",
            "The server sees a valid credential and obeys: nobody checked for whom the request was made.",
        ],
        exposure: Exposure::Tool(Condition::Any(&[
            Condition::Facet(Facet::TouchesCredentials),
            Condition::Class(Class::Financial),
            Condition::All(&[Condition::Facet(Facet::ReadsPrivate), Condition::Facet(Facet::Bulk)]),
            Condition::All(&[Condition::Facet(Facet::ReadsPrivate), Condition::Facet(Facet::RunsCode)]),
        ])),
        because: "it acts with the server's rights, which reach further than those of the person for whom it is called",
        incidents: &[
            Incident {
                date: "2026-05",
                kind: Kind::Research,
                what: "A study of 119 OAuth servers for MCP found a flaw in each; 96.6 per cent had one in how clients register, the place where a deputy is confused.",
                source_url: "https://arxiv.org/abs/2605.22333",
            },
            Incident {
                date: "2026-03-31",
                kind: Kind::Vulnerability,
                what: "FastMCP's OAuth proxy did not check at the callback that the person in the browser was the one who had agreed; a foreign client could ride on a consent.",
                source_url: "https://github.com/advisories/GHSA-rww4-4w9c-7733",
            },
        ],
        controls: &[
            Control::Rule(Rule {
                says: "The argument that says whose data it is may only name those that this grant is for.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "get_invoices": {
      "require": [ { "conditions": [ { "path": "args.customer", "op": "in", "value": ["acme"] } ],
                     "on_deny": "This grant is for the customer acme." } ]
    }
  }
}"#,
                stops: stopped("get_invoices", Class::Read, r#"{"customer":"globex"}"#, Expect::Deny),
                allows: allowed("get_invoices", Class::Read, r#"{"customer":"acme"}"#),
            }),
            Control::Identity(Shown {
                says: "A token opens one grant: with that of another server it is refused like none at all.",
                shown_by: "product::tokens::a_grant_of_another_server_is_no_grant",
            }),
            Control::Identity(Shown {
                says: "The agent's credential never reaches the server, nor the server's the agent.",
                shown_by: "product::tokens::credentials_do_not_cross",
            }),
        ],
        remains: "Where no argument says whose data is meant, no rule can tell. The server's credential should be no wider than the grant's work: that is set at the server.",
    },
    Pattern {
        id: "approval-fatigue",
        title: "Approval fatigue",
        group: Group::AgentBehaviour,
        severity: Severity::High,
        summary: "A person is asked so often, or shown so little of the truth, that the approval says nothing any more.",
        steps: &[
            "Many tools ask before each call, or an agent asks again and again.",
            "The person learns that agreeing is what makes the work go on.",
            "The one request that matters, perhaps dressed up by a text that the agent read, is agreed to like the others.",
        ],
        exposure: Exposure::Many(
            10,
            Condition::Any(&[Condition::Class(Class::Destructive), Condition::Class(Class::Financial)]),
        ),
        because: "if each of them asks before each call, whoever is asked will soon agree without reading",
        incidents: &[Incident {
            date: "2025-09",
            kind: Kind::Research,
            what: "Checkmarx showed approval dialogs whose words the attacker had chosen, under the name Lies-in-the-Loop: the person agrees to something other than what runs.",
            source_url: "https://grimoire.artificerdigital.com/scouts/2026-06-11-consent-integrity-lies-in-the-loop",
        }],
        controls: &[
            Control::Rule(Rule {
                says: "Requests that ask a person are themselves limited: after five an hour the answer is no, without a person.",
                policy: r#"{
  "version": "1",
  "default": "allow",
  "classes": {
    "destructive": {
      "action": "require_approval",
      "limits": [ { "counter": "asks", "window": "hour", "max": 5, "count": "attempts" } ]
    }
  }
}"#,
                stops: Call {
                    tool: "delete_record",
                    class: Class::Destructive,
                    arguments: r#"{"id":7}"#,
                    repeat: 6,
                    expect: Expect::Limit,
                },
                allows: allowed("get_record", Class::Read, r#"{"id":7}"#),
            }),
            Control::Rule(Rule {
                says: "What is certainly wrong is refused by a rule, so that people are asked only about the rest.",
                policy: r#"{
  "version": "1",
  "default": "allow",
  "tools": {
    "delete_*": {
      "deny_if": [ { "conditions": [ { "path": "args.environment", "op": "neq", "value": "staging" } ],
                     "on_deny": "Only staging is cleaned up by agents." } ]
    }
  }
}"#,
                stops: stopped("delete_volume", Class::Destructive, r#"{"environment":"production"}"#, Expect::Deny),
                allows: allowed("delete_volume", Class::Destructive, r#"{"environment":"staging"}"#),
            }),
        ],
        remains: "No rule makes a person read. Fewer and clearer questions are the whole remedy.",
    },
    Pattern {
        id: "excessive-scope",
        title: "More tools than the work needs",
        group: Group::AgentBehaviour,
        severity: Severity::Medium,
        summary: "An agent is given everything that its servers offer, and whoever misleads it has all of that too.",
        steps: &[
            "Servers are connected whole; nobody chooses tools.",
            "Most of them are never needed for the work at hand.",
            "A mistake or an injected instruction picks the one that does the most harm.",
        ],
        exposure: Exposure::Many(
            20,
            Condition::Any(&[
                Condition::Class(Class::Write),
                Condition::Class(Class::Execute),
                Condition::Class(Class::Destructive),
                Condition::Class(Class::Financial),
                Condition::Class(Class::Unclassified),
            ]),
        ),
        because: "hardly any task needs so many that change something",
        incidents: &[Incident {
            date: "2025-07-13",
            kind: Kind::Happened,
            what: "With a token of too wide a scope somebody put a prompt into Amazon Q's editor extension that told its agent to delete files and cloud resources; it shipped in version 1.84.0. AWS says that a syntax error kept it from running.",
            source_url: "https://aws.amazon.com/security/security-bulletins/AWS-2025-015/",
        }],
        controls: &[
            Control::Rule(Rule {
                says: "Only the tools that are named exist for the agent.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": { "list_issues": {}, "get_issue": {}, "add_comment": {} }
}"#,
                stops: stopped("delete_repository", Class::Destructive, r#"{"repo":"acme/site"}"#, Expect::Deny),
                allows: allowed("add_comment", Class::Write, r#"{"issue":5,"text":"done"}"#),
            }),
            Control::Grant(Shown {
                says: "What may not be called is not listed either, so the agent does not plan with it.",
                shown_by: "product::lists::only_what_may_be_called_is_listed",
            }),
        ],
        remains: "The tools that the work does need can be misused as before; the rules on their arguments matter.",
    },
];
