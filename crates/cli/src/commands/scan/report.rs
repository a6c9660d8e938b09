//! Everything that a scan found, in the order in which it is to be read.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use mcp::revision::Revision;
use policy::Class;
use risk::findings::{Finding, Level, StackFinding, findings, stack_findings};
use risk::patterns::{Chain, Match, Member, Wide, chains, of_tool, wide};
use risk::{Assessment, Definition, assess};

use super::changes::{Changes, Kept, KeptTool};
use super::source::Source;
use super::tools::Tool;

/// The levels of findings, the worst first.
pub const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Note];

/// What a scan found.
#[derive(Debug)]
pub struct Report {
    /// The servers whose lists could be had, in the order of the source.
    pub servers: Vec<Scanned>,
    /// The others.
    pub failed: Vec<Failed>,
    /// Findings about several servers.
    pub stack: Vec<StackFinding>,
}

/// A server whose list could be had.
#[derive(Debug)]
pub struct Scanned {
    /// The server's name in this scan.
    pub name: String,
    /// Where its list came from.
    pub source: Source,
    /// The revision in which it was asked, if it was.
    pub revision: Option<Revision>,
    /// What it calls itself.
    pub server: Option<String>,
    /// Its tools, the riskiest first.
    pub tools: Vec<Judged>,
    /// Entries of its list that are no readable definition.
    pub unreadable: usize,
    /// What has changed since the last scan, if there was one.
    pub changes: Option<Changes>,
}

/// A server whose list could not be had.
#[derive(Debug)]
pub struct Failed {
    /// The server's name in this scan.
    pub name: String,
    /// Where its list was to come from.
    pub source: Source,
    /// Why there is none.
    pub why: String,
}

/// A tool and what was found out about it.
#[derive(Debug)]
pub struct Judged {
    /// The tool.
    pub tool: Tool,
    /// What it can do.
    pub can: Assessment,
    /// What its definition shows, the worst first.
    pub findings: Vec<Finding>,
    /// The attacks that it is exposed to.
    pub attacks: Vec<Match>,
}

/// Judges tools and puts the riskiest first.
pub fn judge(tools: Vec<Tool>) -> Vec<Judged> {
    let mut judged: Vec<Judged> = tools
        .into_iter()
        .map(|tool| {
            let can = assess(&tool.definition());
            let findings = findings(&tool.definition());
            let attacks = of_tool(&tool.definition(), &can);
            Judged { tool, can, findings, attacks }
        })
        .collect();
    judged.sort_by(|one, other| risk(one).cmp(&risk(other)).then_with(|| one.tool.name.cmp(&other.tool.name)));
    judged
}

/// What sorts the riskiest first.
fn risk(judged: &Judged) -> impl Ord + use<> {
    let class = match judged.can.class {
        Class::Financial => 0,
        Class::Destructive => 1,
        Class::Execute => 2,
        Class::Unclassified => 3,
        Class::Write => 4,
        Class::Read => 5,
    };
    (Reverse(judged.can.severity_fine), class, Reverse(judged.can.facets.len()))
}

impl Scanned {
    /// The scan as it is kept for the next one.
    pub fn kept(&self, at: jiff::Timestamp) -> Kept {
        let kept = |judged: &Judged| {
            let tool = KeptTool { digest: judged.tool.digest.clone(), class: judged.can.class.as_str().to_owned() };
            (judged.tool.name.clone(), tool)
        };
        Kept::new(at, self.tools.iter().map(kept).collect::<BTreeMap<_, _>>())
    }
}

impl Report {
    /// Adds what only shows when all servers are seen together.
    pub fn new(servers: Vec<Scanned>, failed: Vec<Failed>) -> Self {
        let definitions: Vec<(&str, Vec<Definition<'_>>)> = servers
            .iter()
            .map(|server| (server.name.as_str(), server.tools.iter().map(|one| one.tool.definition()).collect()))
            .collect();
        let borrowed: Vec<(&str, &[Definition<'_>])> =
            definitions.iter().map(|(name, tools)| (*name, tools.as_slice())).collect();
        let stack = if borrowed.len() > 1 { stack_findings(&borrowed) } else { Vec::new() };
        Self { servers, failed, stack }
    }

    /// What the tools could do together.
    pub fn chains(&self) -> Vec<Chain<'_>> {
        chains(&self.members())
    }

    /// The attacks that concern the servers as a whole.
    pub fn wide(&self) -> Vec<Wide> {
        wide(&self.members())
    }

    fn members(&self) -> Vec<Member<'_>> {
        self.judged()
            .map(|(server, one)| Member {
                server: &server.name,
                definition: one.tool.definition(),
                assessment: &one.can,
            })
            .collect()
    }

    /// Every tool with its server.
    pub fn judged(&self) -> impl Iterator<Item = (&Scanned, &Judged)> {
        self.servers.iter().flat_map(|server| server.tools.iter().map(move |one| (server, one)))
    }

    /// Every finding about one tool, with its server and tool.
    pub fn findings(&self) -> impl Iterator<Item = (&Scanned, &Judged, &Finding)> {
        self.judged().flat_map(|(server, one)| one.findings.iter().map(move |found| (server, one, found)))
    }

    /// How many findings there are at a level.
    pub fn count(&self, level: Level) -> usize {
        let stack = self.stack.iter().filter(|found| found.level == level).count();
        self.findings().filter(|(_, _, found)| found.level == level).count() + stack
    }

    /// Whether tools have to be named with their servers.
    pub fn several(&self) -> bool {
        self.servers.len() + self.failed.len() > 1
    }
}

/// The tools of a finding about several: server and name, where the finding is about names of tools.
pub fn involved(found: &StackFinding) -> Vec<(&str, &str)> {
    vec![(&found.server, &found.tool), (&found.other_server, &found.other_tool)]
}

/// The class as people write it: `Read`.
pub fn category(class: Class) -> &'static str {
    match class {
        Class::Read => "Read",
        Class::Write => "Write",
        Class::Execute => "Execute",
        Class::Destructive => "Destructive",
        Class::Financial => "Financial",
        Class::Unclassified => "Unclassified",
    }
}
