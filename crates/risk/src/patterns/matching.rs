//! Which patterns concern a tool, and which a stack.

use std::collections::BTreeSet;

use super::condition::{Ground, class_name, facet_words};
use super::{Exposure, Pattern, Role, patterns};
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::findings::shown;

/// A pattern that concerns a tool.
#[derive(Clone, Debug)]
pub struct Match {
    /// The pattern.
    pub pattern: &'static Pattern,
    /// Why it concerns this tool, in a sentence. The tool's name and words of its definition stand
    /// in it, with every character that cannot be seen written out.
    pub why: String,
}

/// A tool of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The server that has it.
    pub server: &'a str,
    /// Its definition.
    pub definition: Definition<'a>,
    /// What it can do.
    pub assessment: &'a Assessment,
}

/// A pattern that concerns a stack.
#[derive(Clone, Debug)]
pub struct StackMatch {
    /// The pattern.
    pub pattern: &'static Pattern,
    /// Who plays which role, where the pattern has roles; else empty.
    pub roles: Vec<Played>,
    /// Whether no server has a tool in every role. False where there are no roles.
    pub across: bool,
    /// Why it concerns this stack, in a sentence.
    pub why: String,
}

/// A role, and who can play it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The role.
    pub role: &'static str,
    /// The tools, by their place in the stack.
    pub tools: Vec<usize>,
}

/// The patterns that concern a tool by what it can do, in the order of [`patterns`].
#[must_use]
pub fn of_tool(definition: &Definition<'_>, assessment: &Assessment) -> Vec<Match> {
    patterns()
        .filter_map(|pattern| {
            let Exposure::Tool(condition) = &pattern.exposure else { return None };
            let grounds = condition.holds(definition, assessment)?;
            Some(Match { pattern, why: why(definition, assessment, &grounds, pattern.because) })
        })
        .collect()
}

/// The patterns that concern a stack as a whole, in the order of [`patterns`]: those of several
/// tools together, and once those of any server.
///
/// ```
/// use risk::patterns::{Member, of_stack};
/// use risk::{Definition, assess};
///
/// let tools = [("fetch_page", "Fetch a web page"), ("run_command", "Run a shell command")]
///     .map(|(name, description)| Definition { name, description, ..Definition::default() });
/// let assessments = tools.map(|tool| assess(&tool));
/// let stack: Vec<Member> = tools.iter().zip(&assessments)
///     .map(|(definition, assessment)| Member { server: "local", definition: *definition, assessment })
///     .collect();
/// assert!(of_stack(&stack).iter().any(|found| found.pattern.id == "prompt-injection-via-tool-results"));
/// ```
#[must_use]
pub fn of_stack(tools: &[Member<'_>]) -> Vec<StackMatch> {
    if tools.is_empty() {
        return Vec::new();
    }
    patterns().filter_map(|pattern| in_stack(pattern, tools)).collect()
}

fn in_stack(pattern: &'static Pattern, tools: &[Member<'_>]) -> Option<StackMatch> {
    let of = |why: String| StackMatch { pattern, roles: Vec::new(), across: false, why };
    match &pattern.exposure {
        Exposure::Tool(_) => None,
        Exposure::Together(roles) => together(pattern, roles, tools),
        Exposure::Many(least, condition) => {
            let holds = |tool: &&Member<'_>| condition.holds(&tool.definition, tool.assessment).is_some();
            let number = tools.iter().filter(holds).count();
            (number >= *least)
                .then(|| of(format!("{number} tools of this stack are of that kind: {}.", pattern.because)))
        }
        Exposure::SeveralServers => {
            let servers: BTreeSet<&str> = tools.iter().map(|tool| tool.server).collect();
            (servers.len() > 1)
                .then(|| of(format!("{} servers stand together in this stack: {}.", servers.len(), pattern.because)))
        }
        Exposure::Server(who) => Some(of(format!("It concerns {who}: {}.", pattern.because))),
    }
}

/// A chain exists when every role has a tool. One tool that plays every role alone is judged by
/// what it is.
fn together(pattern: &'static Pattern, roles: &[Role], tools: &[Member<'_>]) -> Option<StackMatch> {
    let played: Vec<Played> = roles
        .iter()
        .map(|role| {
            let plays = |tool: &Member<'_>| role.condition.holds(&tool.definition, tool.assessment).is_some();
            let able = tools.iter().enumerate().filter(|(_, tool)| plays(tool)).map(|(place, _)| place);
            Played { role: role.name, tools: able.collect() }
        })
        .collect();
    let first = played.first()?.tools.first()?;
    if played.iter().any(|one| one.tools.is_empty()) || played.iter().all(|one| one.tools == [*first]) {
        return None;
    }
    let servers = |one: &Played| -> BTreeSet<&str> {
        one.tools.iter().filter_map(|place| tools.get(*place)).map(|tool| tool.server).collect()
    };
    let whole = played.iter().map(servers).reduce(|all, some| all.intersection(&some).copied().collect());
    let across = whole.is_none_or(|whole| whole.is_empty());
    let named: Vec<String> = roles
        .iter()
        .zip(&played)
        .filter_map(|(role, one)| {
            let first = one.tools.first().and_then(|place| tools.get(*place))?;
            let others = match one.tools.len() - 1 {
                0 => String::new(),
                1 => " and one other".to_owned(),
                others => format!(" and {others} others"),
            };
            let can = role.condition.words();
            Some(format!("`{}`{others} ({can})", shown(first.definition.name).replace('`', "'")))
        })
        .collect();
    let why = format!("This stack has {}: {}.", named.join(", "), pattern.because);
    Some(StackMatch { pattern, roles: played, across, why })
}

/// A sentence that names the tool, its class and the words that decided it, what it can do, and
/// what follows.
fn why(definition: &Definition<'_>, assessment: &Assessment, grounds: &[Ground], because: &str) -> String {
    let class = format!("is {}{}", class_name(assessment.class), decided(assessment));
    let mut name = format!("`{}`", quotable(definition.name));
    if grounds.iter().all(|ground| matches!(ground, Ground::Facet(_))) {
        name = format!("{name}, which {class},");
    }
    let can: Vec<String> = grounds
        .iter()
        .map(|ground| match ground {
            Ground::Class(_) => class.clone(),
            Ground::Facet(facet) => facet_words(*facet),
            Ground::Takes(argument, name) => format!("takes {} in `{}`", argument.words(), quotable(name)),
            Ground::Poisoned(words) => format!("says “{}”", quotable(words)),
        })
        .collect();
    format!("{name} {}: {because}.", can.join(" and "))
}

/// The words that decided the class, at most two, each once.
fn decided(assessment: &Assessment) -> String {
    let mut words: Vec<&str> = Vec::new();
    for evidence in &assessment.evidence {
        let word = evidence.text.as_str();
        if words.len() < 2 && !words.iter().any(|known| known.to_lowercase() == word.to_lowercase()) {
            words.push(word);
        }
    }
    let words: Vec<String> = words.into_iter().map(|word| format!("“{}”", quotable(word))).collect();
    if words.is_empty() { String::new() } else { format!(" (by {})", words.join(" and ")) }
}

/// Words of a server in a sentence of ours.
fn quotable(words: &str) -> String {
    shown(words).replace('`', "'")
}
