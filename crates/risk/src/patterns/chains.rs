//! What tools could do together that none of them does alone.
//!
//! An agent with several servers is one program: what one server's tool reads, another's can send.
//! The attacks that need several tools are chains of roles; each exists when every role has a tool.

use super::{Control, Member, StackMatch, of_stack};
use crate::severity::Severity;

/// Something that tools could do together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<'a> {
    /// The pattern's name, which stays.
    pub rule: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How bad that would be.
    pub severity: Severity,
    /// What could happen, in one sentence.
    pub says: &'static str,
    /// Why it could happen here, in one sentence.
    pub why: String,
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

/// An attack that concerns the servers as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wide {
    /// The pattern's name, which stays.
    pub pattern: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How bad that would be.
    pub severity: Severity,
    /// Why it concerns these servers, in one sentence.
    pub why: String,
    /// What helps, in one sentence.
    pub remedy: &'static str,
}

/// What these tools could do together, the worst first. A chain that one tool makes alone is none.
#[must_use]
pub fn chains<'a>(members: &[Member<'a>]) -> Vec<Chain<'a>> {
    let found = of_stack(members).into_iter().filter(|found| !found.roles.is_empty());
    let mut chains: Vec<Chain<'a>> = found.map(|found| chain(found, members)).collect();
    chains.sort_by_key(|chain| std::cmp::Reverse(chain.severity));
    chains
}

fn chain<'a>(found: StackMatch, members: &[Member<'a>]) -> Chain<'a> {
    let named = |place: &usize| members.get(*place).map(|one| (one.server, one.definition.name));
    let links = found
        .roles
        .iter()
        .map(|played| Link { role: played.role, tools: played.tools.iter().filter_map(named).collect() });
    Chain {
        rule: found.pattern.id,
        title: found.pattern.title,
        severity: found.pattern.severity,
        says: found.pattern.summary,
        remedy: remedy(&found),
        links: links.collect(),
        across: found.across,
        why: found.why,
    }
}

/// The attacks that concern these servers whatever their tools do, or by how many there are.
#[must_use]
pub fn wide(members: &[Member<'_>]) -> Vec<Wide> {
    let found = of_stack(members).into_iter().filter(|found| found.roles.is_empty());
    found
        .map(|found| Wide {
            pattern: found.pattern.id,
            title: found.pattern.title,
            severity: found.pattern.severity,
            remedy: remedy(&found),
            why: found.why,
        })
        .collect()
}

/// What the best control says.
fn remedy(found: &StackMatch) -> &'static str {
    found.pattern.controls.first().map(Control::says).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use policy::Class;

    use super::*;
    use crate::{Assessment, Definition, Facet, assess};

    #[test]
    fn chains_name_their_tools_and_what_helps() {
        let can = |facet| Assessment { class: Class::Read, facets: vec![facet], ..assess(&Definition::default()) };
        let (reads, runs) = (can(Facet::IngestsUntrusted), can(Facet::RunsCode));
        let member = |server, name, assessment| Member {
            server,
            definition: Definition { name, ..Definition::default() },
            assessment,
        };
        let members = [member("web", "fetch", &reads), member("shell", "run", &runs)];
        let found = chains(&members);
        assert_eq!(found.iter().map(|chain| chain.rule).collect::<Vec<_>>(), ["prompt-injection-via-tool-results"]);
        assert!(found[0].across && !found[0].remedy.is_empty() && found[0].why.contains("`run`"), "{found:?}");
        assert_eq!(found[0].links[1], Link { role: "runs_code", tools: vec![("shell", "run")] });
        assert!(chains(&members[..1]).is_empty());
        let around: Vec<&str> = wide(&members).iter().map(|one| one.pattern).collect();
        assert!(around.contains(&"mcp-rug-pull") && around.contains(&"tool-shadowing"), "{around:?}");
    }
}
