//! What a server, its definitions or its package do.

use policy::Class;
use policy::cases::Expect;

use super::condition::Condition;
use super::{Control, Exposure, Group, Incident, Kind, Pattern, Rule, Shown, allowed, stopped};
use crate::severity::Severity;

/// Held by the lock file.
const CHANGED: &str = "product::pins::a_changed_tool_is_held";

pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        id: "tool-poisoning",
        title: "Tool poisoning",
        group: Group::Servers,
        severity: Severity::Critical,
        summary: "A definition holds orders to the model, which reads it before any tool is called and before any person does.",
        steps: &[
            "A description, an argument's text, a listed value or a name holds an instruction, often where people do not look or cannot see it.",
            "The client puts every definition into the model's context.",
            "The agent obeys while it uses another tool: it reads a key, changes a recipient, keeps silent about it.",
        ],
        exposure: Exposure::Tool(Condition::Poisoned),
        because: "the model reads that as an order, whether or not the tool is ever called",
        incidents: &[
            Incident {
                date: "2026-02-20",
                kind: Kind::Happened,
                what: "The npm worm SANDWORM_MODE put a server of its own into the configurations of coding agents, whose tools told the model to collect keys.",
                source_url: "https://socket.dev/blog/sandworm-mode-npm-worm-ai-toolchain-poisoning",
            },
            Incident {
                date: "2025-04-01",
                kind: Kind::Research,
                what: "Invariant Labs showed a tool for adding numbers whose description made the agent hand over key files.",
                source_url: "https://invariantlabs.ai/blog/mcp-security-notification-tool-poisoning-attacks",
            },
        ],
        controls: &[
            Control::Pin(Shown {
                says: "A definition is served only as it was accepted; a new or changed one waits for a person who has read it.",
                shown_by: CHANGED,
            }),
            Control::Always(Shown {
                says: "A scan reads every text of a definition, writes out what cannot be seen, and obeys none of it.",
                shown_by: "product::scan::hostile_texts_are_shown_and_not_obeyed",
            }),
            Control::Rule(Rule {
                says: "What the poisoned text asks for needs other tools: those that are not named do not exist.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": { "add_numbers": {} }
}"#,
                stops: stopped("read_file", Class::Read, r#"{"path":"/home/ann/.ssh/id_ed25519"}"#, Expect::Deny),
                allows: allowed("add_numbers", Class::Read, r#"{"a":1,"b":2}"#),
            }),
        ],
        remains: "A scan finds known forms of words; new ones pass it. Whoever accepts a definition has to read it. Tools of the client itself do not pass the gateway.",
    },
    Pattern {
        id: "tool-shadowing",
        title: "Tool shadowing",
        group: Group::Servers,
        severity: Severity::High,
        summary: "One server's tool bears the name of another's, or its text changes how the agent uses another's, so that calls and data go astray.",
        steps: &[
            "A stack has a server that is trusted with data and one that is not.",
            "The other offers a tool with the same or a similar name, or describes when and how to use the trusted one.",
            "The agent calls the wrong tool, or the right one with the attacker's arguments.",
        ],
        exposure: Exposure::SeveralServers,
        because: "the text of one can change how the agent uses the tools of another, and equal names can be mixed up",
        incidents: &[
            Incident {
                date: "2026-03-07",
                kind: Kind::Vulnerability,
                what: "CVE-2026-30856: in WeKnora a server could register a tool under a name that overwrote another server's, and got its calls.",
                source_url: "https://nvd.nist.gov/vuln/detail/CVE-2026-30856",
            },
            Incident {
                date: "2025-04-07",
                kind: Kind::Research,
                what: "A second server, whose tools were never called, made an agent send its user's WhatsApp history to the attacker through the WhatsApp server.",
                source_url: "https://invariantlabs.ai/blog/whatsapp-mcp-exploited",
            },
        ],
        controls: &[
            Control::Grant(Shown {
                says: "Each server has its own endpoint and its own grants; a call reaches the server at whose endpoint it was made, whatever others are named.",
                shown_by: "product::tokens::a_grant_of_another_server_is_no_grant",
            }),
            Control::Pin(Shown {
                says: "A text that begins to speak of other tools is a changed definition, and waits.",
                shown_by: CHANGED,
            }),
            Control::Rule(Rule {
                says: "The trusted tool obeys only arguments that the rule knows, whoever talked the agent into the call.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "send_message": {
      "require": [ { "conditions": [ { "path": "args.recipient", "op": "in", "value": ["+4930111", "+4930222"] } ],
                     "on_deny": "Messages go to known numbers only." } ]
    }
  }
}"#,
                stops: stopped(
                    "send_message",
                    Class::Execute,
                    r#"{"recipient":"+1555000","text":"history"}"#,
                    Expect::Deny,
                ),
                allows: allowed("send_message", Class::Execute, r#"{"recipient":"+4930111","text":"hello"}"#),
            }),
        ],
        remains: "The agent's context is one: texts of all servers stand in it side by side. A separate agent for a server that is not trusted is the only full separation.",
    },
    Pattern {
        id: "mcp-rug-pull",
        title: "Rug pull",
        group: Group::Servers,
        severity: Severity::High,
        summary: "A server shows harmless tools, is accepted, and changes them later.",
        steps: &[
            "The tools are looked at once and accepted.",
            "After a while, for one customer, or on a second page, the server serves other texts or other tools.",
            "The client takes the new list without asking again.",
        ],
        exposure: Exposure::Server("any server whose list of tools is fetched anew"),
        because: "what was looked at once can be another thing tomorrow",
        incidents: &[Incident {
            date: "2025-08",
            kind: Kind::Vulnerability,
            what: "MCPoison, CVE-2025-54136: Cursor asked once before it started a configured server, and not again when the command behind it had been exchanged.",
            source_url: "https://nvd.nist.gov/vuln/detail/CVE-2025-54136",
        }],
        controls: &[
            Control::Pin(Shown {
                says: "Definitions are pinned in `toolgate.lock`: what is new or changed is held until it is accepted, the rest goes on.",
                shown_by: CHANGED,
            }),
            Control::Always(Shown {
                says: "A second scan of a source says what has changed since the last.",
                shown_by: "product::scan::a_second_scan_says_what_has_changed",
            }),
            Control::Rule(Rule {
                says: "A tool that appears later is named by no rule, and is denied.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": { "search_docs": {} }
}"#,
                stops: stopped("search_and_export", Class::Execute, "{}", Expect::Deny),
                allows: allowed("search_docs", Class::Read, r#"{"query":"limits"}"#),
            }),
        ],
        remains: "A server can do something else under an unchanged definition. No pin of definitions sees that; the rules on arguments and the credential's scope bound it.",
    },
    Pattern {
        id: "mcp-typosquatting",
        title: "A package under a borrowed name",
        group: Group::Servers,
        severity: Severity::High,
        summary: "A package bears the name of a product, or nearly, and is somebody else's.",
        steps: &[
            "Somebody publishes a server under the name that people, or their agents, would guess.",
            "It works as expected, perhaps for many versions.",
            "Then it copies what passes through it, or takes what it finds on the machine.",
        ],
        exposure: Exposure::Server("any server that is installed from a package registry by its name"),
        because: "a name in a registry says nothing about who published it",
        incidents: &[
            Incident {
                date: "2026-02-20",
                kind: Kind::Happened,
                what: "SANDWORM_MODE: at least 19 npm packages with names close to known ones put a rogue server into the configurations of five coding tools and looked for keys.",
                source_url: "https://socket.dev/blog/sandworm-mode-npm-worm-ai-toolchain-poisoning",
            },
            Incident {
                date: "2025-09",
                kind: Kind::Happened,
                what: "The npm package postmark-mcp was not Postmark's. After fifteen clean versions it sent a blind copy of every mail to its author; it had been downloaded 1,643 times.",
                source_url: "https://www.koi.ai/blog/postmark-mcp-npm-malicious-backdoor-email-theft",
            },
        ],
        controls: &[
            Control::Always(Shown {
                says: "A scan starts nothing that a client's configuration names before it has shown the command and been told to.",
                shown_by: "product::scan::nothing_is_started_without_a_word",
            }),
            Control::Grant(Shown {
                says: "The program gets the variables that are meant for it and no credential of another server.",
                shown_by: "product::children::a_child_inherits_no_credential_of_others",
            }),
            Control::Rule(Rule {
                says: "Nothing but what is needed is handed to it: what it never sees it cannot copy.",
                policy: r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "send_email": {
      "require": [ { "conditions": [ { "path": "args.to", "op": "email_domain_in", "value": ["example.com"] } ] } ]
    }
  }
}"#,
                stops: stopped(
                    "send_email",
                    Class::Execute,
                    r#"{"to":"client@elsewhere.test","body":"offer"}"#,
                    Expect::Deny,
                ),
                allows: allowed("send_email", Class::Execute, r#"{"to":"ops@example.com","body":"disk full"}"#),
            }),
        ],
        remains: "What a server does with the data that it is given is not seen here. Install from a source that you have checked, in a fixed version, in a sandbox.",
    },
    Pattern {
        id: "compromised-mcp-package",
        title: "A good package gone bad",
        group: Group::Servers,
        severity: Severity::Critical,
        summary: "A package that was sound gets a malicious version, its own or that of something it depends on, and runs with the rights of whoever starts it.",
        steps: &[
            "A maintainer's account or build is taken over.",
            "A new version carries code that collects keys and spreads.",
            "A server that is started in its latest version runs it at the next start; its tools look as before.",
        ],
        exposure: Exposure::Server("any server that runs as a program on your machine"),
        because: "it runs with the rights of whoever starts it, and so does everything it depends on",
        incidents: &[
            Incident {
                date: "2026-04-15",
                kind: Kind::Vulnerability,
                what: "OX Security reported, as CVE-2026-30623 among others, that products let whoever may add a stdio server run any command on the host.",
                source_url: "https://sandhillscto.com/insights/mcp-design-vulnerability",
            },
            Incident {
                date: "2025-09-15",
                kind: Kind::Happened,
                what: "The worm Shai-Hulud published itself into hundreds of npm packages with the keys that it stole from their maintainers.",
                source_url: "https://www.cisa.gov/news-events/alerts/2025/09/23/widespread-supply-chain-compromise-impacting-npm-ecosystem",
            },
        ],
        controls: &[
            Control::Grant(Shown {
                says: "The program inherits no secret of the gateway.",
                shown_by: "product::children::a_child_inherits_no_secret_of_toolgate",
            }),
            Control::Grant(Shown {
                says: "Nor a credential that is meant for another server or agent.",
                shown_by: "product::children::a_child_inherits_no_credential_of_others",
            }),
            Control::Pin(Shown { says: "Where the new version changes a definition, it is held.", shown_by: CHANGED }),
        ],
        remains: "Under unchanged definitions a malicious version is not noticed here, and a program has the rights of its user: fix versions, and run it as a user of its own, without network where it needs none.",
    },
];
