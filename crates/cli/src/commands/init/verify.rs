//! What was written, tried: the command of an entry is started as its client starts it, and lists its tools.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use clients::{Entry, Launch};
use serde_json::{Value, json};

use crate::client_files::change::{Plan, Planned, What};
use crate::client_files::journal::Journal;
use crate::client_files::outcome::Outcome;
use crate::client_files::secrets;
use crate::commands::counted;
use crate::commands::scan::ask_until_stopped;
use crate::commands::scan::client_config::Way;
use crate::commands::scan::source::{Source, filled};
use crate::failure::Failure;
use crate::stop::Stop;

/// How many tools are named that are not listed any more.
const NAMED: usize = 8;

/// What is said where somebody ended the verification.
pub const STOPPED: &str = "what was not verified yet is as it was before, unless said otherwise above";

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
    /// Somebody ended it before; whether the entry was put back.
    Stopped(Result<(), String>),
}

/// What came of every entry.
#[derive(Debug, Default)]
pub struct Checks {
    /// By the numbers of its file and of itself in it.
    all: BTreeMap<(usize, usize), Check>,
    /// Whether somebody ended it before all were tried.
    pub stopped: Option<Stop>,
}

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
            Self::Stopped(Ok(())) => "put back as it was, because it was not verified yet".to_owned(),
            Self::Stopped(Err(left)) => format!("not verified, and not put back: {left}"),
        }
    }

    /// Whether the entry is still there.
    pub fn stays(&self) -> bool {
        matches!(
            self,
            Self::Same(_) | Self::Fewer(..) | Self::Untried(_) | Self::Failed(_, Err(_)) | Self::Stopped(Err(_))
        )
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::Same(tools) => json!({ "state": "verified", "tools": tools }),
            Self::Fewer(tools, missing) => json!({ "state": "verified", "tools": tools, "hidden_or_held": missing }),
            Self::Untried(why) => json!({ "state": "not_verified", "why": why }),
            Self::Failed(why, Ok(())) => json!({ "state": "put_back", "why": why }),
            Self::Failed(why, Err(left)) => json!({ "state": "failed", "why": why, "left": left }),
            Self::Stopped(Ok(())) => json!({ "state": "put_back", "why": "it was not verified yet" }),
            Self::Stopped(Err(left)) => json!({ "state": "failed", "why": "it was not verified yet", "left": left }),
        }
    }
}

impl Checks {
    /// How many entries were to be put back.
    pub fn failed(&self) -> usize {
        self.all.values().filter(|check| matches!(check, Check::Failed(..))).count()
    }

    /// Says so where somebody ended it.
    ///
    /// # Errors
    /// Then.
    pub fn ended(&self) -> Result<(), Failure> {
        self.stopped.map_or(Ok(()), |stop| Err(Failure::Stopped(stop, STOPPED.to_owned())))
    }

    /// What came of the entries of one file.
    pub fn of<'a>(&'a self, file: usize, outcome: &'a Outcome<'_>) -> impl Iterator<Item = (&'a Planned, &'a Check)> {
        let named = outcome.plan.planned.iter().enumerate();
        named.filter_map(move |(entry, planned)| Some((planned, self.all.get(&(file, entry))?)))
    }

    /// Adds what came of entries to the files as JSON.
    pub fn add_to(&self, files: &mut [Value]) {
        for ((file, entry), check) in &self.all {
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
    let mut tried: Vec<(usize, usize, Start)> = Vec::new();
    for (file, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_written()) {
        let read = outcome.plan.file.read(&outcome.plan.client);
        for (number, planned) in outcome.plan.planned.iter().enumerate() {
            let why = match (&read, expected(planned)) {
                (Err(why), _) => why.clone(),
                (_, Some(Expected::Nothing(why))) => why,
                _ if !planned.enabled => "it is switched off".to_owned(),
                (Ok(contents), _) => match contents.entries.iter().find(|entry| entry.place == planned.place) {
                    Some(Entry { launch, cwd, .. }) => {
                        tried.push((file, number, (launch.clone(), cwd.clone())));
                        continue;
                    }
                    None => "its client has taken it out meanwhile".to_owned(),
                },
            };
            checks.all.insert((file, number), Check::Untried(why));
        }
    }
    let starts: Vec<&Start> = tried.iter().map(|(_, _, start)| start).collect();
    let (listed, stopped) = list(&starts, data, patience);
    checks.stopped = stopped;
    let mut failed: BTreeMap<(usize, usize), Option<String>> = BTreeMap::new();
    for ((file, number, _), listed) in tried.into_iter().zip(listed) {
        let planned = outcomes.get(file).and_then(|outcome| outcome.plan.planned.get(number));
        match check(listed, planned.and_then(expected)) {
            Ok(check) => drop(checks.all.insert((file, number), check)),
            Err(why) => drop(failed.insert((file, number), why)),
        }
    }
    if stopped.is_some() {
        // What could not be tried is not verified either.
        let untried = checks.all.extract_if(.., |_, check| matches!(check, Check::Untried(_)));
        failed.extend(untried.map(|(at, _)| (at, None)));
    }
    let back = put_back_all(outcomes, &failed, run, data);
    for ((file, number), why) in failed {
        let back = back.get(&file).cloned().unwrap_or(Ok(()));
        let check = why.map_or_else(|| Check::Stopped(back.clone()), |why| Check::Failed(why, back.clone()));
        checks.all.insert((file, number), check);
    }
    checks
}

/// Tries one entry that was written, and has it put back where it lists nothing; whether somebody ended this before.
pub fn one(
    launch: &Launch,
    data: &Path,
    patience: Duration,
    put_back: impl FnOnce() -> Result<(), String>,
) -> (Check, Option<Stop>) {
    let (listed, stopped) = list(&[&(launch.clone(), None)], data, patience);
    let listed = listed.into_iter().next().unwrap_or(Listed::Untried("nobody asked".to_owned()));
    let check = match check(listed, None) {
        Ok(Check::Untried(_)) if stopped.is_some() => Check::Stopped(put_back()),
        Ok(check) => check,
        Err(Some(why)) => Check::Failed(why, put_back()),
        Err(None) => Check::Stopped(put_back()),
    };
    (check, stopped)
}

/// What came of an entry that stays, or why it does not; nobody knows, where somebody ended this.
fn check(listed: Listed, expected: Option<Expected>) -> Result<Check, Option<String>> {
    Ok(match (listed, expected) {
        (Listed::Stopped, _) => return Err(None),
        (Listed::Failed(why), _) => return Err(Some(why)),
        (Listed::Untried(why), _) => Check::Untried(why),
        (Listed::Tools(tools), Some(Expected::Tools(before))) if tools.is_empty() && !before.is_empty() => {
            return Err(Some(format!(
                "none of its {} is listed: its policy hides them all, or they are held since a server of this name \
                 listed others (toolgate server held)",
                counted(before.len(), "tool")
            )));
        }
        (Listed::Tools(tools), Some(Expected::Tools(before))) => {
            let missing: Vec<String> = before.into_iter().filter(|name| !tools.contains(name)).collect();
            if missing.is_empty() { Check::Same(tools.len()) } else { Check::Fewer(tools.len(), missing) }
        }
        (Listed::Tools(tools), _) => Check::Same(tools.len()),
    })
}

/// What is started, and in which folder, where its entry names one.
type Start = (Launch, Option<String>);

/// What came of one command.
#[derive(Clone)]
enum Listed {
    Tools(BTreeSet<String>),
    Untried(String),
    Failed(String),
    /// Somebody ended this before.
    Stopped,
}

/// The tools behind each command, each distinct one started once, and whether somebody ended this before.
fn list(tried: &[&Start], data: &Path, patience: Duration) -> (Vec<Listed>, Option<Stop>) {
    let mut distinct: Vec<&Start> = Vec::new();
    for start in tried {
        if !distinct.contains(start) {
            distinct.push(start);
        }
    }
    let named = distinct.iter().enumerate().map(|(number, (launch, cwd))| {
        let mut way = Way::of(launch, cwd.as_deref());
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
    let mut unanswered = Listed::Untried("nobody asked".to_owned());
    let mut stopped = None;
    match ask_until_stopped(targets, patience) {
        Ok((servers, failed, told)) => {
            if told.is_some() {
                (stopped, unanswered) = (told, Listed::Stopped);
            }
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
    let of = |start: &Start| {
        let number = distinct.iter().position(|known| *known == start).unwrap_or_default();
        listed.get(&number.to_string()).unwrap_or(&unanswered).clone()
    };
    (tried.iter().map(|start| of(start)).collect(), stopped)
}

/// Entries that are to be put back, by the numbers of file and entry.
type Failed = BTreeMap<(usize, usize), Option<String>>;

/// Takes the gateway out of entries again, in the same run: one undo takes all of it back. What came of it, by files.
fn put_back_all(
    outcomes: &[Outcome<'_>],
    failed: &Failed,
    run: &str,
    data: &Path,
) -> BTreeMap<usize, Result<(), String>> {
    let files: BTreeSet<usize> = failed.keys().map(|(file, _)| *file).collect();
    let of_file = |file: usize| failed.keys().filter(move |(known, _)| *known == file).map(|(_, number)| *number);
    let back = files.into_iter().filter_map(|file| {
        let outcome = outcomes.get(file)?;
        Some((file, put_back(outcome, &of_file(file).collect::<Vec<_>>(), run, data)))
    });
    let back: BTreeMap<usize, Result<(), String>> = back.collect();
    // Secrets that no entry needs any more go with them.
    let mut needed = BTreeSet::new();
    let mut gone = BTreeSet::new();
    for (file, outcome) in outcomes.iter().enumerate() {
        for (number, planned) in outcome.plan.planned.iter().enumerate() {
            let Some(secrets) = &planned.secrets else { continue };
            let is_back = failed.contains_key(&(file, number)) && back.get(&file).is_some_and(Result::is_ok);
            if is_back {
                gone.insert(&secrets.path)
            } else {
                needed.insert(&secrets.path)
            };
        }
    }
    if let Ok(journal) = Journal::open(data) {
        gone.difference(&needed).for_each(|path| secrets::take_back(path, &journal, run));
    }
    back
}

fn put_back(outcome: &Outcome<'_>, entries: &[usize], run: &str, data: &Path) -> Result<(), String> {
    let Plan { client, file, within, .. } = outcome.plan;
    let now = file.read(client)?;
    let planned = entries.iter().filter_map(|number| {
        let planned = outcome.plan.planned.get(*number)?;
        let entry = now.entries.iter().find(|entry| entry.place == planned.place)?;
        let (key, place, launch) = (planned.key.clone(), planned.place.clone(), entry.launch.clone());
        let (cwd, secrets, stays) = (planned.cwd.clone(), None, Vec::new());
        let what = match planned.what {
            What::SecretsOut => What::Back(run.to_owned()),
            What::Before(_) | What::Out | What::Back(_) => What::Out,
        };
        Some(Planned { key, place, launch, cwd, what, policy: None, secrets, stays, enabled: planned.enabled })
    });
    let plan = Plan { client: client.clone(), file: file.clone(), within: within.clone(), planned: planned.collect() };
    let journal = Journal::open(data).map_err(|failure| failure.to_string())?;
    let known = journal.open_changes().map_err(|failure| failure.to_string())?;
    plan.apply(&journal, run, &known).map(|_| ())
}
