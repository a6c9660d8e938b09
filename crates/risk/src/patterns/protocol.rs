//! What messages, tokens and sessions let through.

use super::{Control, Exposure, Group, Incident, Kind, Pattern, Shown};
use crate::severity::Severity;

pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        id: "token-mis-redemption",
        title: "A token used where it was not meant",
        group: Group::Protocol,
        severity: Severity::Critical,
        summary: "A token that was given for one server is accepted by another, or passed on to it.",
        steps: &[
            "A client sends its token to a server, or a server in between passes it on.",
            "The receiver checks that it is valid, and not for whom it was issued.",
            "Whoever runs that server, or finds it in its logs, can act as the client elsewhere.",
        ],
        exposure: Exposure::Server("any server that asks for a token"),
        because: "a token that it is shown can be used elsewhere, unless everybody checks for whom it was issued",
        incidents: &[Incident {
            date: "2026-05",
            kind: Kind::Research,
            what: "A study of 119 OAuth servers for MCP found a flaw in the handling of authorization in each of them.",
            source_url: "https://arxiv.org/abs/2605.22333",
        }],
        controls: &[
            Control::Identity(Shown {
                says: "The agent's token ends at the gateway: the server gets the credential that is configured for it, and nothing else of the agent's.",
                shown_by: "product::tokens::credentials_do_not_cross",
            }),
            Control::Identity(Shown {
                says: "A token opens the server for which it was issued and no other.",
                shown_by: "product::tokens::a_grant_of_another_server_is_no_grant",
            }),
            Control::Always(Shown {
                says: "Of an agent's header fields only those of the protocol go on.",
                shown_by: "product::attacks::header_fields_that_must_not_reach_a_server",
            }),
        ],
        remains: "How a server itself checks the credential that the gateway sends it is out of sight.",
    },
    Pattern {
        id: "cross-tenant-leak",
        title: "An answer to the wrong client",
        group: Group::Protocol,
        severity: Severity::High,
        summary: "A server or a proxy that serves several clients mixes up their answers or sessions.",
        steps: &[
            "Clients number their requests alike: 1, 2, 3.",
            "A shared connection, cache or session keeps answers by that number.",
            "One client gets what another asked for.",
        ],
        exposure: Exposure::Server("any server that several agents or customers use"),
        because: "answers and sessions of several agents pass through one place",
        incidents: &[
            Incident {
                date: "2026-02-04",
                kind: Kind::Vulnerability,
                what: "CVE-2026-25536: in the TypeScript SDK a reused server or transport could send one client's answer to another.",
                source_url: "https://nvd.nist.gov/vuln/detail/CVE-2026-25536",
            },
            Incident {
                date: "2025-06-04",
                kind: Kind::Happened,
                what: "Asana took its MCP server down: it had been able to show customers data of others. About a thousand customers were told.",
                source_url: "https://safeguard.sh/resources/blog/asana-mcp-cross-tenant-data-leak-2025",
            },
        ],
        controls: &[
            Control::Identity(Shown {
                says: "Every call has a number of the gateway's own, and every caller gets its own answer.",
                shown_by: "product::results::every_caller_gets_its_own_answer",
            }),
            Control::Identity(Shown {
                says: "A session belongs to the grant that opened it; with another token it does not exist.",
                shown_by: "product::tokens::a_session_belongs_to_its_grant",
            }),
        ],
        remains: "A server that mixes up its own customers does so behind the gateway.",
    },
    Pattern {
        id: "parser-differential",
        title: "Two readings of one message",
        group: Group::Protocol,
        severity: Severity::Critical,
        summary: "A message is written so that whoever checks it reads one call, and the server another.",
        steps: &[
            "A key stands twice, in other letters, or with a character that some decoders fold.",
            "The checker reads the harmless value.",
            "The server, in another language, reads the other one and runs it.",
        ],
        exposure: Exposure::Server("any server behind a check that decodes differently"),
        because: "what is checked and what is run are read by two programs",
        incidents: &[Incident {
            date: "2026-02-26",
            kind: Kind::Vulnerability,
            what: "CVE-2026-27896: the Go SDK took keys in any mixture of letters, and even with look-alike letters, so that a check in front of it could be passed by.",
            source_url: "https://nvd.nist.gov/vuln/detail/CVE-2026-27896",
        }],
        controls: &[
            Control::Always(Shown {
                says: "A message that decoders could read in two ways is refused, and never reaches a server.",
                shown_by: "product::attacks::hostile_messages_over_http",
            }),
            Control::Always(Shown {
                says: "So is one whose header fields say another thing than its body.",
                shown_by: "product::attacks::headers_and_body_that_disagree",
            }),
        ],
        remains: "What a tool makes of a text that it was given correctly, a query or a command, is a second reading that is not checked here.",
    },
    Pattern {
        id: "uncovered-methods",
        title: "Round the rules for tools",
        group: Group::Protocol,
        severity: Severity::High,
        summary: "Rules cover calls of tools; the same data is fetched as a resource, by a prompt, or by a method that the rules do not know.",
        steps: &[
            "A tool is denied by a rule.",
            "The server offers the same as a resource or under a newer method.",
            "A gateway that judges calls of tools only passes it on.",
        ],
        exposure: Exposure::Server("any server that offers more than tools"),
        because: "what a rule denies as a tool may be there as a resource or under another method",
        incidents: &[],
        controls: &[Control::Always(Shown {
            says: "Resources, prompts and other methods fall under the same policy; what it knows nothing of is not offered and not passed on.",
            shown_by: "product::lists::what_the_policy_knows_nothing_of_is_not_offered",
        })],
        remains: "Two names for one thing stay two names: whoever denies a tool has to think of the resource as well where `default` is `allow`.",
    },
    Pattern {
        id: "server-asks-back",
        title: "The server asks back",
        group: Group::Protocol,
        severity: Severity::High,
        summary: "A server uses the client's model or its person: it lets the model work for it, plants instructions, or asks for secrets in a trusted window.",
        steps: &[
            "The client has declared that it answers questions of servers.",
            "A server sends a prompt for the model, or a form for the person, in the middle of a call.",
            "The model's budget is spent, its next steps are steered, or a password is typed in.",
        ],
        exposure: Exposure::Server("any server whose client answers sampling, elicitation or roots"),
        because: "it can send prompts to the model and forms to the person, through a window that they trust",
        incidents: &[Incident {
            date: "2025-12",
            kind: Kind::Research,
            what: "Unit 42 showed servers that used sampling to spend the client's model budget, to plant lasting instructions and to call tools unseen.",
            source_url: "https://unit42.paloaltonetworks.com/model-context-protocol-attack-vectors/",
        }],
        controls: &[
            Control::Always(Shown {
                says: "A server's questions are refused for the agent unless the policy names the method.",
                shown_by: "product::requests::a_servers_questions_are_refused_for_the_agent_otherwise",
            }),
            Control::Always(Shown {
                says: "So are questions that stand inside a result.",
                shown_by: "product::modern::questions_inside_a_result_are_judged_as_questions",
            }),
        ],
        remains: "Where the method is allowed, the content of a question is not judged.",
    },
    Pattern {
        id: "dns-rebinding",
        title: "A web page that calls local servers",
        group: Group::Protocol,
        severity: Severity::High,
        summary: "A page in a browser reaches a server that listens on the same machine, because that server trusts whoever comes from there.",
        steps: &[
            "A server listens on the local machine, without a token, for any name.",
            "A page lets its own name point to that machine.",
            "The page's scripts call tools with the rights of the person who opened it.",
        ],
        exposure: Exposure::Server("any server or gateway that listens on HTTP, on the local machine too"),
        because: "a page in a browser on the same machine can try to call it",
        incidents: &[Incident {
            date: "2025-12-03",
            kind: Kind::Vulnerability,
            what: "CVE-2025-64443: Docker's MCP gateway, listening over HTTP, could be called by a page in the user's browser.",
            source_url: "https://github.com/advisories/GHSA-46gc-mwh4-cc5r",
        }],
        controls: &[
            Control::Always(Shown {
                says: "Foreign hosts and origins are not served, on the local machine as elsewhere.",
                shown_by: "product::listening::foreign_hosts_and_origins_are_not_served",
            }),
            Control::Identity(Shown {
                says: "Without a valid token there is one answer, and it says nothing.",
                shown_by: "product::tokens::without_a_valid_token_there_is_one_answer",
            }),
        ],
        remains: "A server that also listens by itself can be called past the gateway.",
    },
];
