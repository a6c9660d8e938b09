//! `toolgate init`: what the servers of this machine's clients can do, a policy for each, and the gateway before
//! them, verified.

mod document;
mod servers;
pub mod shown;
pub mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum as _;
use clients::Launch;

use self::servers::Server;
use self::verify::{Checks, Expected};
use crate::args::{InitOptions, TemperWord, WrapOptions};
use crate::client_files::change::Planned;
use crate::client_files::journal::Journal;
use crate::client_files::outcome::{self, Outcome};
use crate::client_files::supported;
use crate::client_files::survey::{Survey, survey};
use crate::commands::counted;
use crate::commands::scan::PATIENCE;
use crate::commands::scan::json::printed;
use crate::commands::scan::report::Report;
use crate::environment::{data_dir, home};
use crate::failure::{Failure, Trying};
use crate::output::{self, tell};
use crate::stop::Hold;
use crate::terminal::Look;

struct Wizard<'a> {
    options: &'a InitOptions,
    home: PathBuf,
    data: PathBuf,
    look: Look,
}

/// Looks, asks, wraps and verifies.
pub fn init(options: &InitOptions) -> Result<ExitCode, Failure> {
    supported()?;
    Wizard { options, home: home()?, data: data_dir(options.data.dir.as_deref())?, look: Look::of_output() }.run()
}

impl Wizard<'_> {
    fn run(&self) -> Result<ExitCode, Failure> {
        let known = Journal::changes(&self.data)?;
        let mut survey = survey(&self.wrap(), true, &known)?;
        let mut servers = servers::of(&survey, &self.home);
        if servers.is_empty() {
            self.print(|| shown::nothing(&survey, &self.home, self.look))?;
            self.document(&survey, &servers, &Report::new(Vec::new(), Vec::new()), &[], &Checks::default())?;
            return outcome::ended(&survey, &[], 0, 0).map(|()| ExitCode::SUCCESS);
        }
        self.print(|| shown::headline(&servers, &survey, self.look))?;
        let started = self.may_start(&servers)?;
        let report = match started {
            true => servers::list(&servers, self.options.wait.map_or(PATIENCE, Duration::from_secs))?,
            false => Report::new(Vec::new(), Vec::new()),
        };
        self.print(|| shown::servers(&servers, &report, &survey, &self.home, self.look))?;
        let temper = self.temper(&report)?;
        servers::propose(&mut survey, &mut servers, &report, temper)?;
        self.print(|| shown::policies(&servers, &report, temper, &self.home, self.look))?;
        let mut outcomes = Outcome::of(&survey, &self.home, &known);
        self.print(|| outcomes.iter().map(|outcome| self.look.diff(&outcome.diff)).collect())?;
        let mut checks = Checks::default();
        if self.may_write(&outcomes)? {
            // From here on what is not verified is put back before this ends.
            let _hold = Hold::new()?;
            let run = outcome::write(&mut outcomes, &self.data)?;
            let patience = self.options.wait.map_or(PATIENCE, Duration::from_secs);
            let expected = |planned: &Planned| planned.policy.as_ref().map(|_| expected(&servers, &report, planned));
            checks = verify::all(&outcomes, &run, &self.data, &expected, patience);
        }
        self.print(|| shown::done(&servers, &outcomes, &checks, &self.home, self.look))?;
        self.document(&survey, &servers, &report, &outcomes, &checks)?;
        if self.options.dry_run {
            self.print(|| "Nothing was changed. To do it: the same command without --dry-run\n".to_owned())?;
            return Ok(ExitCode::SUCCESS);
        }
        checks.ended()?;
        outcome::ended(&survey, &outcomes, checks.failed(), self.named(&survey)).map(|()| ExitCode::SUCCESS)
    }

    /// What `wrap` would be told.
    fn wrap(&self) -> WrapOptions {
        let options = self.options;
        WrapOptions {
            clients: options.clients.clone(),
            server: options.server.clone(),
            dry_run: options.dry_run,
            yes: options.yes,
            project: options.project,
            json: options.json,
            new_policy: options.new_policy,
            secrets_to_file: options.secrets_to_file,
            verify: true,
            data: options.data.clone(),
        }
    }

    /// How many servers somebody named that are left as they are.
    fn named(&self, survey: &Survey) -> usize {
        let named = |key: &String| self.options.server.contains(key);
        survey.left.iter().filter(|left| left.server.as_ref().is_some_and(named)).count()
    }

    /// Prints a part for people.
    fn print(&self, part: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.options.json { Ok(()) } else { output::text(&part()) }
    }

    fn document(
        &self,
        survey: &Survey,
        servers: &[Server],
        report: &Report,
        outcomes: &[Outcome<'_>],
        checks: &Checks,
    ) -> Result<(), Failure> {
        if !self.options.json {
            return Ok(());
        }
        let document = document::document(survey, servers, report, outcomes, checks);
        output::text(&(printed(&document).trying("the report")? + "\n"))
    }

    fn asks(&self) -> bool {
        !self.options.yes && !self.options.json && output::can_ask()
    }

    /// Shows every command, and asks whether they may be started now.
    fn may_start(&self, servers: &[Server]) -> Result<bool, Failure> {
        if !servers.iter().any(|server| server.enabled && !matches!(server.launch, Launch::Other(_))) {
            return Ok(false);
        }
        output::prompt(&shown::commands(servers, self.options.yes, self.look));
        match self.asks() {
            true => output::agreed("Start and ask them?"),
            false => Ok(self.options.yes),
        }
    }

    /// How strict the policies are.
    fn temper(&self, report: &Report) -> Result<TemperWord, Failure> {
        if let Some(temper) = self.options.temper {
            return Ok(temper);
        }
        if !self.asks() || self.options.dry_run || report.servers.is_empty() {
            return Ok(TemperWord::Observe);
        }
        output::prompt(&shown::tempers(self.look));
        loop {
            let answer = output::asked("Which policies? [observe] ")?;
            match TemperWord::from_str(&answer, true) {
                Ok(temper) => return Ok(temper),
                Err(_) if answer.is_empty() => return Ok(TemperWord::Observe),
                Err(_) => tell!("Type observe, balanced or locked-down, or nothing for observe."),
            }
        }
    }

    /// Whether files may be written now. Without a terminal nobody is asked.
    fn may_write(&self, outcomes: &[Outcome<'_>]) -> Result<bool, Failure> {
        let open = outcomes.iter().filter(|outcome| outcome.written.is_none()).count();
        if open == 0 || self.options.dry_run || !self.asks() {
            return Ok(open > 0 && self.options.yes && !self.options.dry_run);
        }
        match output::agreed(&format!("Write {}?", counted(open, "file")))? {
            true => Ok(true),
            false => Err(Failure::No("nothing was changed".to_owned())),
        }
    }
}

/// What an entry should list through the gateway.
fn expected(servers: &[Server], report: &Report, planned: &Planned) -> Expected {
    let Some(server) = servers.iter().find(|server| server.is(planned)) else {
        return Expected::Nothing("nothing is known of it".to_owned());
    };
    match server.scanned(report) {
        Some(scanned) => Expected::Tools(scanned.tools.iter().map(|one| one.tool.name.clone()).collect()),
        None if report.failed.iter().any(|failed| failed.name == server.name) => {
            Expected::Nothing("without the gateway it listed no tools either".to_owned())
        }
        None => Expected::Nothing(server.why_not(report)),
    }
}
