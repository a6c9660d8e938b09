//! What tools of several servers could do together, and what one server's names and texts do to another's.

use std::collections::BTreeSet;

use risk::findings::{Level, stack_findings};
use risk::patterns::{Chain, Link, chains};
use risk::{Definition, Severity};
use serde::Serialize;

use super::Stack;
use crate::address::tool_path;
use crate::pages::summary;

/// Tools of one server that are named at one step.
const NAMED: usize = 4;

/// Look-alikes that are named.
const ALIKE: usize = 100;

/// A way from tool to tool across servers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// The attack.
    pub pattern: &'static str,
    /// Its name.
    pub title: &'static str,
    /// How bad it is.
    #[serde(serialize_with = "summary::severity")]
    pub severity: Severity,
    /// What could happen.
    pub says: &'static str,
    /// Why it could happen here.
    pub why: String,
    /// What helps.
    pub remedy: &'static str,
    /// Whether no server could be used for it alone.
    pub needs_several: bool,
    /// Who can do what, in the order of the attack.
    pub steps: Vec<Step>,
}

/// A step of an attack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The role.
    pub role: &'static str,
    /// The same in words, as the beginning of a sentence: `can send it out`.
    pub does: &'static str,
    /// The servers that have a tool for it.
    pub servers: Vec<Who>,
}

/// A server that has tools for a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Who {
    /// The server.
    pub server: String,
    /// The riskiest of the tools, with the paths of their pages.
    pub tools: Vec<Named>,
    /// How many there are beside those named here.
    pub more: usize,
}

/// A tool and its page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// The tool.
    pub name: String,
    /// The path of its page.
    pub path: String,
}

/// A name that is taken for another server's, or a text that speaks of another server's tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alike {
    /// The rule that found it.
    pub rule: &'static str,
    /// How much it weighs.
    #[serde(serialize_with = "level")]
    pub level: Level,
    /// What it means.
    pub why: &'static str,
    /// Where it is.
    pub server: String,
    /// The tool; nothing where it is about the server's name.
    pub tool: Option<Named>,
    /// Whose name is meant.
    pub other_server: String,
    /// That tool.
    pub other_tool: Option<Named>,
    /// The words.
    pub text: String,
}

impl Stack {
    /// What tools of several servers could do together, the worst first; what no server could do alone before the rest.
    pub(super) fn flows(&self) -> Vec<Flow> {
        let playing = self.playing();
        let mut flows: Vec<Flow> = chains(&playing)
            .into_iter()
            .filter(|chain| {
                let servers = chain.links.iter().flat_map(|link| link.tools.iter().map(|(server, _)| server));
                servers.collect::<BTreeSet<_>>().len() > 1
            })
            .map(|chain| self.flow(chain))
            .collect();
        flows.sort_by_key(|flow| (!flow.needs_several, std::cmp::Reverse(flow.severity)));
        flows
    }

    fn flow(&self, chain: Chain<'_>) -> Flow {
        Flow {
            pattern: chain.rule,
            title: chain.title,
            severity: chain.severity,
            says: chain.says,
            why: chain.why,
            remedy: chain.remedy,
            needs_several: chain.across,
            steps: chain.links.iter().map(|link| self.step(link)).collect(),
        }
    }

    fn step(&self, link: &Link<'_>) -> Step {
        let mut servers: Vec<Who> = Vec::new();
        for (server, tool) in &link.tools {
            let known = servers.iter().position(|who| who.server == *server);
            let index = known.unwrap_or_else(|| {
                servers.push(Who { server: (*server).to_owned(), tools: Vec::new(), more: 0 });
                servers.len() - 1
            });
            let Some(who) = servers.get_mut(index) else { continue };
            match self.named(server, tool).filter(|_| who.tools.len() < NAMED) {
                Some(named) => who.tools.push(named),
                None => who.more += 1,
            }
        }
        Step { role: link.role, does: does(link.role), servers }
    }

    fn named(&self, label: &str, tool: &str) -> Option<Named> {
        let member = self.labelled(label)?;
        Some(Named { name: tool.to_owned(), path: tool_path(&member.server, tool) })
    }

    /// Look-alikes and shadowing between servers, the gravest first.
    pub(super) fn alike(&self) -> Vec<Alike> {
        if self.members.len() < 2 {
            return Vec::new();
        }
        let definitions: Vec<(&str, Vec<Definition<'_>>)> = self
            .members
            .iter()
            .map(|member| (member.label.as_str(), member.tools.iter().map(|tool| tool.definition()).collect()))
            .collect();
        let borrowed: Vec<(&str, &[Definition<'_>])> =
            definitions.iter().map(|(label, tools)| (*label, tools.as_slice())).collect();
        let tool_of = |server: &str, tool: &str| if tool.is_empty() { None } else { self.named(server, tool) };
        let mut found: Vec<Alike> = stack_findings(&borrowed)
            .into_iter()
            .map(|one| Alike {
                rule: one.rule,
                level: one.level,
                why: one.why,
                tool: tool_of(&one.server, &one.tool),
                other_tool: tool_of(&one.other_server, &one.other_tool),
                server: one.server,
                other_server: one.other_server,
                text: one.text,
            })
            .collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.level));
        found.truncate(ALIKE);
        found
    }
}

/// A role in words.
fn does(role: &str) -> &'static str {
    match role {
        "ingests_untrusted" => "reads what outsiders wrote",
        "reads_private" => "reads what is private",
        "touches_credentials" => "reads or makes credentials",
        "sends_external" => "can send it out",
        "runs_code" => "can run code",
        "spends_money" => "can spend money",
        "destructive" => "can destroy",
        _ => "takes part",
    }
}

fn level<S: serde::Serializer>(level: &Level, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(level.as_str())
}

#[cfg(test)]
mod tests {
    use risk::patterns::{Exposure, patterns};

    use super::does;

    #[test]
    fn every_role_has_words() {
        let roles = patterns().filter_map(|pattern| match &pattern.exposure {
            Exposure::Together(roles) => Some(*roles),
            _ => None,
        });
        for role in roles.flatten() {
            assert_ne!(does(role.name), "takes part", "{}", role.name);
        }
    }
}
