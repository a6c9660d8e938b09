//! What tools could do together that none of them does alone.
//!
//! An agent with several servers is one program: what one server's tool reads, another's can send.
//! Each chain here is a sequence of roles; it exists when every role has a tool.

use policy::Class;
use risk::{Facet, Severity};

/// A tool, as far as a chain cares for it.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The server's name.
    pub server: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// What it does.
    pub class: Class,
    /// What else is dangerous about it.
    pub facets: &'a [Facet],
}

/// Something that tools could do together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    /// The rule's name, which stays.
    pub rule: &'static str,
    /// How bad that would be.
    pub severity: Severity,
    /// What could happen, in one sentence.
    pub says: &'static str,
    /// What helps, in one sentence.
    pub remedy: &'static str,
    /// The tools by role, as server and name.
    pub links: Vec<Link<'a>>,
    /// Whether no server has a tool in every role.
    pub across: bool,
}

/// A role in a chain and who can play it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    /// What the role is.
    pub role: &'static str,
    /// Server and name of each tool that can play it.
    pub tools: Vec<(&'a str, &'a str)>,
}

/// A role: its name, and what plays it.
type Role = (&'static str, fn(&Part<'_>) -> bool);

struct Rule {
    name: &'static str,
    severity: Severity,
    says: &'static str,
    remedy: &'static str,
    roles: &'static [Role],
}

const UNTRUSTED: Role = ("ingests_untrusted", |part| part.facets.contains(&Facet::IngestsUntrusted));
const PRIVATE: Role = ("reads_private", |part| part.facets.contains(&Facet::ReadsPrivate));
const SENDS: Role = ("sends_external", |part| part.facets.contains(&Facet::SendsExternal));
const RUNS: Role = ("runs_code", |part| part.facets.contains(&Facet::RunsCode));
const SECRETS: Role = ("touches_credentials", |part| part.facets.contains(&Facet::TouchesCredentials));
const SPENDS: Role =
    ("spends_money", |part| part.class == Class::Financial || part.facets.contains(&Facet::SpendsMoney));
const DESTROYS: Role = ("destructive", |part| part.class == Class::Destructive);

/// From the worst.
const RULES: [Rule; 5] = [
    Rule {
        name: "chain-exfiltration",
        severity: Severity::Critical,
        says: "Text that an outsider wrote can tell the agent to read what is private and to send it away.",
        remedy: "Let no grant have all three: deny or ask before what sends, or give what reads outside text a grant of its own.",
        roles: &[UNTRUSTED, PRIVATE, SENDS],
    },
    Rule {
        name: "chain-remote-code",
        severity: Severity::Critical,
        says: "Text that an outsider wrote can tell the agent which code to run.",
        remedy: "Ask before what runs code, or give it a grant of its own.",
        roles: &[UNTRUSTED, RUNS],
    },
    Rule {
        name: "chain-payment",
        severity: Severity::Critical,
        says: "Text that an outsider wrote can tell the agent to pay.",
        remedy: "Ask before what spends money, and cap what one call may spend.",
        roles: &[UNTRUSTED, SPENDS],
    },
    Rule {
        name: "chain-destruction",
        severity: Severity::High,
        says: "Text that an outsider wrote can tell the agent to delete.",
        remedy: "Ask before what deletes.",
        roles: &[UNTRUSTED, DESTROYS],
    },
    Rule {
        name: "chain-credentials",
        severity: Severity::High,
        says: "Keys, passwords or rights that one tool reads or makes can leave by another.",
        remedy: "Deny or ask before what sends wherever credentials can be read.",
        roles: &[SECRETS, SENDS],
    },
];

/// What these tools could do together, the worst first. A chain that one tool makes alone is none.
pub fn chains<'a>(parts: &[Part<'a>]) -> Vec<Chain<'a>> {
    RULES.iter().filter_map(|rule| chain(rule, parts)).collect()
}

fn chain<'a>(rule: &Rule, parts: &[Part<'a>]) -> Option<Chain<'a>> {
    let links: Vec<Link<'a>> = rule
        .roles
        .iter()
        .map(|(role, plays)| Link {
            role,
            tools: parts.iter().filter(|part| plays(part)).map(|part| (part.server, part.tool)).collect(),
        })
        .collect();
    if links.iter().any(|link| link.tools.is_empty()) {
        return None;
    }
    // One tool that plays every role is judged by what it is.
    let first = links.first()?.tools.first()?;
    if links.iter().all(|link| link.tools == [*first]) {
        return None;
    }
    let whole = |server: &str| links.iter().all(|link| link.tools.iter().any(|(other, _)| *other == server));
    let across = !parts.iter().any(|part| whole(part.server));
    Some(Chain { rule: rule.name, severity: rule.severity, says: rule.says, remedy: rule.remedy, links, across })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part<'a>(server: &'a str, tool: &'a str, facets: &'a [Facet]) -> Part<'a> {
        Part { server, tool, class: Class::Read, facets }
    }

    #[test]
    fn three_roles_on_three_servers_are_a_chain() {
        let parts = [
            part("web", "fetch", &[Facet::IngestsUntrusted]),
            part("files", "read", &[Facet::ReadsPrivate]),
            part("mail", "send", &[Facet::SendsExternal]),
            part("mail", "list", &[Facet::ReadsPrivate]),
        ];
        let found = chains(&parts);
        assert_eq!(found.iter().map(|chain| chain.rule).collect::<Vec<_>>(), ["chain-exfiltration"]);
        assert!(found[0].across);
        assert_eq!(found[0].links[1].tools, [("files", "read"), ("mail", "list")]);
        // Without one of the roles there is none.
        for missing in 0..3 {
            let fewer: Vec<_> = (0..3).filter(|one| *one != missing).map(|one| parts[one]).collect();
            assert!(chains(&fewer).is_empty(), "{missing}");
        }
    }

    #[test]
    fn one_server_may_have_the_whole_chain() {
        let parts = [
            part("mail", "read", &[Facet::IngestsUntrusted, Facet::ReadsPrivate]),
            part("mail", "send", &[Facet::SendsExternal]),
            part("files", "read", &[Facet::ReadsPrivate]),
        ];
        assert!(!chains(&parts)[0].across);
    }

    #[test]
    fn one_tool_alone_is_no_chain() {
        let facets = [Facet::IngestsUntrusted, Facet::ReadsPrivate, Facet::SendsExternal];
        assert!(chains(&[part("x", "all", &facets)]).is_empty());
        assert!(chains(&[]).is_empty());
    }

    #[test]
    fn classes_play_roles_too() {
        let web = part("web", "fetch", &[Facet::IngestsUntrusted]);
        let with = |class| chains(&[web, Part { server: "b", tool: "t", class, facets: &[] }]);
        assert_eq!(with(Class::Financial)[0].rule, "chain-payment");
        assert_eq!(with(Class::Destructive)[0].rule, "chain-destruction");
        assert!(with(Class::Write).is_empty());
    }
}
