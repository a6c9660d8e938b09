//! What was written, tried: the command of an entry is started as its client starts it, and lists its tools.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use clients::{Entry, Launch};
use serde_json::{Value, json};

use super::servers::way;
use crate::client_files::change::{Plan, Planned};
use crate::client_files::journal::Journal;
use crate::client_files::outcome::Outcome;
use crate::commands::counted;
use crate::commands::scan::ask;
use crate::commands::scan::client_config::Way;
use crate::commands::scan::source::{Source, filled};

/// How many tools are named that are not listed any more.
const NAMED: usize = 8;

/// What is known of a server before the gateway stands in front of it.
pub enum Expected {
    /// The tools that it listed.
    Tools(Vec<String>),
    /// Nothing, and why.
    Nothing(String),
}

/// What came of an entry.
#[derive(Debug)]
pub enum Check {
    /// It lists what it listed before, so many tools.
    Same(usize),
    /// It lists so many tools, and not these.
    Fewer(usize, Vec<String>),
    /// Nobody tried, and why.
    Untried(String),
    /// It lists nothing, and why; whether the entry was put back.
    Failed(String, Result<(), String>),
}

/// What came of every entry, by the numbers of its file and of itself in it.
#[derive(Debug, Default)]
pub struct Checks(BTreeMap<(usize, usize), Check>);

impl Check {
    /// As people read it.
    pub fn says(&self) -> String {
        match self {
            Self::Same(tools) => format!("{} through the gateway", counted(tools, "tool")),
            Self::Fewer(tools, missing) => {
                let mut names: Vec<String> =
                    missing.iter().take(NAMED).map(|name| audit::visible::word(name)).collect();
                if missing.len() > NAMED {
                    names.push(format!("{} more", missing.len() - NAMED));
                }
                let tools = counted(tools, "tool");
                format!(
                    "{tools} through the gateway; hidden by its policy, or held until somebody accepts them (toolgate \
                     server held): {}",
                    names.join(", ")
                )
            }
            Self::Untried(why) => format!("not verified: {why}"),
            Self::Failed(why, Ok(())) => format!("put back as it was, because through the gateway {why}"),
            Self::Failed(why, Err(left)) => {
                format!("it lists nothing through the gateway ({why}), and was not put back: {left}")
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Same(tools) => json!({ "state": "verified", "tools": tools }),
            Self::Fewer(tools, missing) => json!({ "state": "verified", "tools": tools, "hidden_or_held": missing }),
            Self::Untried(why) => json!({ "state": "not_verified", "why": why }),
            Self::Failed(why, Ok(())) => json!({ "state": "put_back", "why": why }),
            Self::Failed(why, Err(left)) => json!({ "state": "failed", "why": why, "left": left }),
        }
    }
}

impl Checks {
    /// How many entries were to be put back.
    pub fn failed(&self) -> usize {
        self.0.values().filter(|check| matches!(check, Check::Failed(..))).count()
    }

    /// What came of the entries of one file.
    pub fn of<'a>(&'a self, file: usize, outcome: &'a Outcome<'_>) -> impl Iterator<Item = (&'a str, &'a Check)> {
        let named = outcome.plan.planned.iter().enumerate();
        named.filter_map(move |(entry, planned)| Some((planned.key.as_str(), self.0.get(&(file, entry))?)))
    }

    /// Adds what came of entries to the files as JSON.
    pub fn add_to(&self, files: &mut [Value]) {
        for ((file, entry), check) in &self.0 {
            let server = files.get_mut(*file).and_then(|file| file.get_mut("servers")?.get_mut(*entry));
            if let Some(Value::Object(server)) = server {
                server.insert("verified".to_owned(), check.json());
            }
        }
    }
}

/// Tries every entry that was written; what lists nothing is put back as it was.
pub fn all(
    outcomes: &[Outcome<'_>],
    run: &str,
    data: &Path,
    expected: &dyn Fn(&Planned) -> Option<Expected>,
    patience: Duration,
) -> Checks {
    let mut checks = Checks::default();
    let mut tried: Vec<(usize, usize, Launch)> = Vec::new();
    for (file, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_written()) {
        let read = outcome.plan.file.read(&outcome.plan.client);
        for (number, planned) in outcome.plan.planned.iter().enumerate() {
            let why = match (&read, expected(planned)) {
                (Err(why), _) => why.clone(),
                (_, Some(Expected::Nothing(why))) => why,
                _ if !planned.enabled => "it is switched off".to_owned(),
                (Ok(contents), _) => match contents.entries.iter().find(|entry| entry.place == planned.place) {
                    Some(Entry { launch, .. }) => {
                        tried.push((file, number, launch.clone()));
                        continue;
                    }
                    None => "its client has taken it out meanwhile".to_owned(),
                },
            };
            checks.0.insert((file, number), Check::Untried(why));
        }
    }
    let listed = list(&tried, data, patience);
    let mut failed: BTreeMap<usize, Vec<(usize, Launch, String)>> = BTreeMap::new();
    for ((file, number, launch), listed) in tried.into_iter().zip(listed) {
        let planned = outcomes.get(file).and_then(|outcome| outcome.plan.planned.get(number));
        let check = match (listed, planned.and_then(expected)) {
            (Listed::Tools(tools), Some(Expected::Tools(before))) if tools.is_empty() && !before.is_empty() => {
                let why = format!(
                    "none of its {} is listed: its policy hides them all, or they are held since a server of this name \
                     listed others (toolgate server held)",
                    counted(before.len(), "tool")
                );
                failed.entry(file).or_default().push((number, launch, why));
                continue;
            }
            (Listed::Tools(tools), Some(Expected::Tools(before))) => {
                let missing: Vec<String> = before.into_iter().filter(|name| !tools.contains(name)).collect();
                if missing.is_empty() { Check::Same(tools.len()) } else { Check::Fewer(tools.len(), missing) }
            }
            (Listed::Tools(tools), _) => Check::Same(tools.len()),
            (Listed::Untried(why), _) => Check::Untried(why),
            (Listed::Failed(why), _) => {
                failed.entry(file).or_default().push((number, launch, why));
                continue;
            }
        };
        checks.0.insert((file, number), check);
    }
    for (file, entries) in failed {
        let Some(outcome) = outcomes.get(file) else { continue };
        let back = put_back(outcome, &entries, run, data);
        for (number, _, why) in entries {
            checks.0.insert((file, number), Check::Failed(why, back.clone()));
        }
    }
    checks
}

/// What came of one command.
#[derive(Clone)]
enum Listed {
    Tools(BTreeSet<String>),
    Untried(String),
    Failed(String),
}

/// The tools behind each command, each distinct one started once.
fn list(tried: &[(usize, usize, Launch)], data: &Path, patience: Duration) -> Vec<Listed> {
    let mut distinct: Vec<&Launch> = Vec::new();
    for (_, _, launch) in tried {
        if !distinct.contains(&launch) {
            distinct.push(launch);
        }
    }
    let named = distinct.iter().enumerate().map(|(number, launch)| {
        let mut way = way(launch);
        if let (Way::Program { env, .. }, Some(data)) = (&mut way, data.to_str()) {
            env.insert("TOOLGATE_DATA_DIR".to_owned(), data.to_owned());
        }
        (number.to_string(), Source::entry(&number.to_string(), "", ""), way)
    });
    let folder = std::env::current_dir().unwrap_or_default();
    let targets = filled(named.collect(), &folder.display().to_string());
    let mut listed: BTreeMap<String, Listed> = BTreeMap::new();
    for target in &targets {
        if let Err(why) = &target.way {
            listed.insert(target.name.clone(), Listed::Untried(why.clone()));
        }
    }
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    match ask(targets, patience) {
        Ok((servers, failed)) => {
            for server in servers {
                let tools = server.tools.into_iter().map(|one| one.tool.name).collect();
                listed.insert(server.name, Listed::Tools(tools));
            }
            for failed in failed {
                listed.entry(failed.name).or_insert(Listed::Failed(failed.why));
            }
        }
        Err(failure) => {
            for name in names {
                listed.entry(name).or_insert_with(|| Listed::Untried(failure.to_string()));
            }
        }
    }
    let of = |launch: &Launch| {
        let number = distinct.iter().position(|known| *known == launch).unwrap_or_default();
        listed.get(&number.to_string()).cloned().unwrap_or(Listed::Untried("nobody asked".to_owned()))
    };
    tried.iter().map(|(_, _, launch)| of(launch)).collect()
}

/// Takes the gateway out of entries again, in the same run: one undo takes all of it back.
fn put_back(outcome: &Outcome<'_>, entries: &[(usize, Launch, String)], run: &str, data: &Path) -> Result<(), String> {
    let planned = entries.iter().filter_map(|(number, launch, _)| {
        let planned = outcome.plan.planned.get(*number)?;
        let (key, place, launch) = (planned.key.clone(), planned.place.clone(), launch.clone());
        Some(Planned { key, place, launch, wrapper: None, policy: None, enabled: planned.enabled })
    });
    let Plan { client, file, within, .. } = outcome.plan;
    let plan = Plan { client: client.clone(), file: file.clone(), within: within.clone(), planned: planned.collect() };
    let journal = Journal::open(data).map_err(|failure| failure.to_string())?;
    let known = journal.open_changes().map_err(|failure| failure.to_string())?;
    plan.apply(&journal, run, &known).map(|_| ())
}
