//! `toolgate wrap` and `toolgate unwrap`: the gateway before the servers of clients, or out again.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::init::verify::{self, Checks};
use crate::args::WrapOptions;
use crate::client_files::change::{Planned, What};
use crate::client_files::journal::{Change, Journal};
use crate::client_files::outcome::{self, Outcome};
use crate::client_files::survey::{Left, Survey, survey};
use crate::client_files::{shown as path_shown, supported, visible};
use crate::commands::counted;
use crate::commands::scan::json::printed;
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};
use crate::stop::Hold;

/// Puts the gateway before servers.
pub fn wrap(options: &WrapOptions) -> Result<ExitCode, Failure> {
    Doing::new(options, true)?.run()
}

/// Takes it out again.
pub fn unwrap(options: &WrapOptions) -> Result<ExitCode, Failure> {
    Doing::new(options, false)?.run()
}

struct Doing<'a> {
    options: &'a WrapOptions,
    wraps: bool,
    home: PathBuf,
    data: PathBuf,
}

impl<'a> Doing<'a> {
    fn new(options: &'a WrapOptions, wraps: bool) -> Result<Self, Failure> {
        supported()?;
        Ok(Self { options, wraps, home: home()?, data: data_dir(options.data.dir.as_deref())? })
    }

    fn run(&self) -> Result<ExitCode, Failure> {
        let known = Journal::changes(&self.data)?;
        let survey = survey(self.options, self.wraps, &known)?;
        let mut outcomes = Outcome::of(&survey, &self.home, &known);
        if !self.options.json {
            outcomes.iter().try_for_each(|outcome| output::text(&outcome.diff))?;
            outcome::left_policies(&survey, &self.home).iter().try_for_each(|line| say!("{line}"))?;
        }
        let mut checks = Checks::default();
        if self.allowed(&outcomes)? {
            let verifies = self.wraps && self.options.verify;
            // From here on what is not verified is put back before this ends.
            let _hold = verifies.then(Hold::new).transpose()?;
            let run = outcome::write(&mut outcomes, &self.data)?;
            if verifies {
                checks = verify::all(&outcomes, &run, &self.data, &|_| None, crate::commands::scan::PATIENCE);
            }
        }
        self.report(&survey, &outcomes, &checks, &known)?;
        if self.options.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        checks.ended()?;
        // What stays bare is no fault, unless somebody named it; what stays behind the gateway is.
        let named = |left: &&Left| left.server.as_ref().is_some_and(|key| self.options.server.contains(key));
        let asked = survey.left.iter().filter(|left| !self.wraps || named(left)).count();
        outcome::ended(&survey, &outcomes, checks.failed(), asked).map(|()| ExitCode::SUCCESS)
    }

    /// Whether files may be written now. Without a terminal nobody is asked.
    fn allowed(&self, outcomes: &[Outcome<'_>]) -> Result<bool, Failure> {
        let open = outcomes.iter().filter(|outcome| outcome.written.is_none()).count();
        if open == 0 || self.options.dry_run || self.options.yes {
            return Ok(open > 0 && self.options.yes);
        }
        if self.options.json || !output::can_ask() {
            return Ok(false);
        }
        match output::agreed(&format!("Write {}?", counted(open, "file")))? {
            true => Ok(true),
            false => Err(Failure::No("nothing was changed".to_owned())),
        }
    }

    fn report(
        &self,
        survey: &Survey,
        outcomes: &[Outcome<'_>],
        checks: &Checks,
        known: &[Change],
    ) -> Result<(), Failure> {
        let is_written = outcomes.iter().any(Outcome::is_written);
        if self.options.json {
            let mut files: Vec<_> = outcomes.iter().map(Outcome::json).collect();
            checks.add_to(&mut files);
            let (left, broken) = outcome::left_json(survey);
            let undo = is_written.then_some("toolgate undo");
            let unmoved = outcome::lefts_json(&survey.unmoved);
            let document =
                json!({ "files": files, "not_covered": left, "not_moved": unmoved, "broken": broken, "undo": undo });
            return output::text(&(printed(&document).trying("the report")? + "\n"));
        }
        for (number, outcome) in outcomes.iter().enumerate() {
            let (file, name) = (path_shown(&outcome.plan.file.path, &self.home), &outcome.plan.client.name);
            match &outcome.written {
                Some(Ok(true)) => {
                    let (moved, turned): (Vec<_>, Vec<_>) =
                        outcome.plan.planned.iter().partition(|one| matches!(one.what, What::SecretsOut));
                    let keys = |all: Vec<&Planned>| {
                        let keys: Vec<String> = all.into_iter().map(|one| visible(&one.key)).collect();
                        keys.join(", ")
                    };
                    let how = if self.wraps { "now through toolgate" } else { "without toolgate again" };
                    if !turned.is_empty() {
                        say!("{name}, {file}: {} {how}", keys(turned))?;
                    }
                    if !moved.is_empty() {
                        say!(
                            "{name}, {file}: {} through toolgate as before, without secrets in the file",
                            keys(moved)
                        )?;
                    }
                }
                Some(Ok(false)) => say!("{name}, {file}: it is so already")?,
                Some(Err(why)) => say!("{name}, {file}: {}", visible(why))?,
                None => {}
            }
            for (planned, check) in checks.of(number, outcome) {
                say!("  {}: {}", visible(&planned.key), check.says())?;
            }
        }
        let secrets = match self.wraps {
            true => outcome::secrets_moved(outcomes, &self.home),
            false => outcome::secrets_again(outcomes, known, &self.home),
        };
        secrets.iter().try_for_each(|line| say!("{line}"))?;
        for (file, why) in &survey.broken {
            say!("{}: {why}", path_shown(file, &self.home))?;
        }
        let how = if self.wraps { "not covered" } else { "left as it is" };
        survey.left.iter().try_for_each(|left| say!("{how}: {}", outcome::left(left, &self.home)))?;
        survey.unmoved.iter().try_for_each(|left| say!("not moved: {}", outcome::left(left, &self.home)))?;
        if outcomes.is_empty() {
            return say!("{}", survey.nothing(self.wraps, &self.home));
        }
        if self.options.dry_run {
            return say!("Nothing was changed. To do it: the same command without --dry-run");
        }
        if is_written {
            outcome::reloads(outcomes).iter().try_for_each(|line| say!("{line}"))?;
            say!("To take this back: toolgate undo")?;
        }
        Ok(())
    }
}
