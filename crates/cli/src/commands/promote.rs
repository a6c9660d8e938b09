//! `toolgate promote`: policies that observe stop calls from now on, after a look at what they would have stopped.

mod evidence;
mod proposal;
mod shown;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway::pins::PinFiles;
use gateway::policy_file::compile;
use risk::pins::Section;
use risk::recommend::Temper;
use serde_json::{Value, json};

use self::evidence::{Stop, foreseen, recorded};
use self::proposal::{Proposal, propose};
use crate::activity::{self, Watched};
use crate::args::{PromoteOptions, TemperWord};
use crate::client_files::covered::{Machine, machine};
use crate::client_files::{policies, shown as path_shown, supported, visible};
use crate::commands::scan::bounds;
use crate::commands::scan::json::printed;
use crate::commands::status::Mode;
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};
use crate::pins::lock_of;
use crate::policy_watch::show;
use crate::terminal::{Look, agreed, can_ask};
use crate::text_diff::unified;

/// A server and its policy.
struct Target {
    server: String,
    path: PathBuf,
    text: String,
    digest: String,
    tools: Section,
}

/// What becomes of one policy.
struct Outcome {
    target: Target,
    watched: Watched,
    stops: Vec<Stop>,
    /// Whether the stops are what observed rules said at the time.
    recorded: bool,
    proposal: Result<Proposal, String>,
    diff: String,
    written: Option<Result<(), String>>,
}

struct Doing<'a> {
    options: &'a PromoteOptions,
    home: PathBuf,
    data: PathBuf,
    look: Look,
}

/// Lets policies stop calls, or goes back.
pub fn promote(options: &PromoteOptions) -> Result<ExitCode, Failure> {
    supported()?;
    let (home, data) = (home()?, data_dir(options.data.dir.as_deref())?);
    Doing { options, home, data, look: Look::of_output() }.run()
}

impl Doing<'_> {
    fn run(&self) -> Result<ExitCode, Failure> {
        if self.options.back && !self.options.bounds.is_empty() {
            let why = "--domain, --root, --host and --cap are for rules that are made, and --back makes none";
            return Err(Failure::Usage(why.to_owned()));
        }
        let targets = self.targets(&machine()?)?;
        if targets.is_empty() {
            if self.options.json {
                output::text("{\n  \"policies\": []\n}\n")?;
            } else {
                say!("No policy of a wrapped server observes: toolgate status shows what is in force.")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut outcomes = if self.options.back { self.back(targets) } else { self.forward(targets)? };
        if !self.options.json {
            outcomes.iter().try_for_each(|outcome| output::text(&self.shown(outcome)))?;
        }
        if self.allowed(&outcomes)? {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_open()) {
                let Some(now) = outcome.text() else { continue };
                outcome.written = Some(policies::replace(&outcome.target.path, &outcome.target.text, now));
            }
        }
        self.report(&outcomes)?;
        self.ended(&outcomes)
    }

    /// The policies that are meant.
    fn targets(&self, machine: &Machine) -> Result<Vec<Target>, Failure> {
        let mut named: Vec<(String, PathBuf)> = Vec::new();
        if self.options.names.is_empty() {
            let observing =
                machine.covered.iter().filter(|covered| Mode::of(covered.policy.as_deref()) == Mode::Observing);
            named.extend(observing.filter_map(|covered| Some((covered.server.clone(), covered.policy.clone()?))));
        }
        for name in &self.options.names {
            let mut found: Vec<_> = machine
                .named(name)
                .filter_map(|covered| Some((covered.server.clone(), covered.policy.clone()?)))
                .collect();
            if found.is_empty() {
                found.push((name.clone(), policies::own(name)?));
            }
            named.extend(found);
        }
        named.sort();
        named.dedup_by(|one, other| one.1 == other.1);
        named.into_iter().map(|(server, path)| self.target(server, path)).collect()
    }

    fn target(&self, server: String, path: PathBuf) -> Result<Target, Failure> {
        let text = std::fs::read_to_string(&path).trying(format!("the policy {}", path.display()))?;
        let digest = match compile(text.clone()) {
            Ok((in_force, _)) => in_force.digest.to_string(),
            Err(_) if self.options.back => String::new(),
            Err(_) => {
                let what = format!("{} is not a valid policy: toolgate policy edit {server} says why", path.display());
                return Err(Failure::Usage(what));
            }
        };
        let files = PinFiles::new(&lock_of(&path, None), &self.data);
        let tools = files.section(&server).trying("the accepted definitions")?.unwrap_or_default();
        Ok(Target { server, path, text, digest, tools })
    }

    fn forward(&self, targets: Vec<Target>) -> Result<Vec<Outcome>, Failure> {
        let since = activity::since(&self.options.since)?;
        let bounds = bounds::bounds(&self.options.bounds)?;
        let temper = self.options.temper.map(|word| match word {
            TemperWord::Observe => Temper::Observe,
            TemperWord::Balanced => Temper::Balanced,
            TemperWord::LockedDown => Temper::LockedDown,
        });
        let servers: Vec<_> = targets.iter().map(|target| (target.server.as_str(), target.digest.as_str())).collect();
        let all = activity::watched(&self.data, since, &servers)?;
        let outcome = |(target, watched): (Target, Watched)| {
            let proposal = propose(&target.text, temper, &bounds, &target.tools);
            let (stops, recorded) = match &proposal {
                Ok(Proposal::Rules { text, temper, .. }) if *temper != Temper::Observe => {
                    (foreseen(text, &target.server, &target.tools, &watched.called), false)
                }
                _ => (recorded(&watched), true),
            };
            Outcome::new(target, watched, stops, recorded, proposal, &self.home)
        };
        Ok(targets.into_iter().zip(all).map(outcome).collect())
    }

    fn back(&self, targets: Vec<Target>) -> Vec<Outcome> {
        let outcome = |target: Target| {
            let path = policies::before(&target.path);
            let proposal = match std::fs::read_to_string(&path) {
                Ok(text) if text == target.text => Ok(Proposal::Nothing),
                Ok(text) => usable(text, &path).map(Proposal::Enforce),
                Err(error) => Err(format!("there is no policy of before to go back to ({}: {error})", path.display())),
            };
            Outcome::new(target, Watched::default(), Vec::new(), true, proposal, &self.home)
        };
        targets.into_iter().map(outcome).collect()
    }

    /// Whether policies may be written now.
    fn allowed(&self, outcomes: &[Outcome]) -> Result<bool, Failure> {
        let open = outcomes.iter().filter(|outcome| outcome.is_open()).count();
        if open == 0 || self.options.dry_run || self.options.yes {
            return Ok(open > 0 && self.options.yes);
        }
        if self.options.json || !can_ask() {
            return Ok(false);
        }
        let what = if open == 1 { "1 policy".to_owned() } else { format!("{open} policies") };
        match agreed(&format!("Write {what}?"), false)? {
            true => Ok(true),
            false => Err(Failure::No("nothing was changed".to_owned())),
        }
    }

    fn report(&self, outcomes: &[Outcome]) -> Result<(), Failure> {
        if self.options.json {
            let all: Vec<Value> = outcomes.iter().map(|outcome| self.document(outcome)).collect();
            return output::text(&(printed(&json!({ "policies": all })).trying("the report")? + "\n"));
        }
        for outcome in outcomes {
            let server = visible(&outcome.target.server);
            match &outcome.written {
                Some(Ok(())) => {
                    let mode = Mode::of(Some(&outcome.target.path)).as_str();
                    say!("{server}: now {mode}. A gateway that runs takes it up within a second.")?;
                    let again = if self.options.back { "forth again" } else { "back" };
                    say!("To go {again}: toolgate promote {server} --back")?;
                }
                Some(Err(why)) => say!("{server}: {}", visible(why))?,
                None => {}
            }
        }
        if self.options.dry_run && outcomes.iter().any(Outcome::is_open) {
            say!("Nothing was changed. To do it: the same command without --dry-run")?;
        }
        Ok(())
    }

    fn document(&self, outcome: &Outcome) -> Value {
        let stops = outcome.stops.iter().map(|stop| {
            json!({
                "name": stop.name, "effect": stop.effect, "rule": stop.rule, "times": stop.times.times,
                "first": stop.times.first.to_string(), "last": stop.times.last.to_string(),
            })
        });
        let temper = match &outcome.proposal {
            Ok(Proposal::Rules { temper, .. }) => Some(temper.as_str()),
            _ => None,
        };
        let done = matches!(outcome.written, Some(Ok(())));
        let error = match (&outcome.proposal, &outcome.written) {
            (Err(why), _) | (_, Some(Err(why))) => Some(why),
            _ => None,
        };
        json!({
            "server": outcome.target.server, "policy": outcome.target.path,
            "calls": outcome.watched.called.values().map(|times| times.times).sum::<u64>(),
            "evidence": if outcome.recorded { "recorded" } else { "foreseen" },
            "would_have_been_stopped": stops.collect::<Vec<_>>(), "temper": temper, "diff": outcome.diff,
            "written": done, "error": error,
            "back": done.then(|| format!("toolgate promote {} --back", outcome.target.server)),
        })
    }

    fn ended(&self, outcomes: &[Outcome]) -> Result<ExitCode, Failure> {
        let failed =
            outcomes.iter().filter(|outcome| outcome.proposal.is_err() || matches!(outcome.written, Some(Err(_))));
        let failed = failed.count();
        if !self.options.dry_run && outcomes.iter().any(Outcome::is_open) {
            let why =
                "nothing was changed: nobody can be asked here, so add --yes to write this (or --dry-run to only look)";
            return Err(Failure::Usage(why.to_owned()));
        }
        match failed {
            0 => Ok(ExitCode::SUCCESS),
            1 => Err(Failure::No("1 policy was left as it was, as said above".to_owned())),
            number => Err(Failure::No(format!("{number} policies were left as they were, as said above"))),
        }
    }
}

/// A text that a gateway can use; shows what is wrong with another.
fn usable(text: String, path: &Path) -> Result<String, String> {
    match compile(text.clone()) {
        Ok(_) => Ok(text),
        Err(rejected) => {
            show(&rejected.diagnostics, path, &rejected.text);
            Err(format!("the policy of before, {}, is not a valid one: put it right, and try again", path.display()))
        }
    }
}

impl Outcome {
    fn new(
        target: Target,
        watched: Watched,
        stops: Vec<Stop>,
        recorded: bool,
        proposal: Result<Proposal, String>,
        home: &Path,
    ) -> Self {
        let mut outcome = Self { target, watched, stops, recorded, proposal, diff: String::new(), written: None };
        let name = path_shown(&outcome.target.path, home);
        outcome.diff = outcome.text().map(|now| unified(&outcome.target.text, now, &name)).unwrap_or_default();
        outcome
    }

    /// The text that it would have.
    fn text(&self) -> Option<&str> {
        match &self.proposal {
            Ok(Proposal::Enforce(text) | Proposal::Rules { text, .. }) => Some(text),
            Ok(Proposal::Nothing) | Err(_) => None,
        }
    }

    /// Whether something is still to be written.
    fn is_open(&self) -> bool {
        self.text().is_some() && self.written.is_none()
    }
}
