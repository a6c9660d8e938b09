//! The servers that would be wrapped, each once: what several clients start in the same words is one server.

use std::path::Path;
use std::time::Duration;

use clients::Launch;

use crate::args::TemperWord;
use crate::client_files::change::Planned;
use crate::client_files::policies::OBSERVE;
use crate::client_files::shown as path_shown;
use crate::client_files::survey::Survey;
use crate::commands::scan::ask;
use crate::commands::scan::client_config::Way;
use crate::commands::scan::recommended;
use crate::commands::scan::report::{Report, Scanned};
use crate::commands::scan::source::{Source, filled};
use crate::failure::Failure;

/// A server that would be wrapped.
pub struct Server {
    /// Its id, as `toolgate status` and `promote` know it.
    pub id: String,
    /// Its name, which no other of them has: its id, with `@` and the client or the file where several have that.
    pub name: String,
    /// The folder in which it is started, where its entry names one.
    pub cwd: Option<String>,
    /// How it is reached.
    pub launch: Launch,
    /// Whether a client uses it.
    pub enabled: bool,
    /// The id of the first client that has it.
    pub client: String,
    /// The clients that have it.
    pub clients: Vec<String>,
    /// The files that name it.
    pub files: Vec<String>,
    /// The policy that it gets.
    pub policy: Policy,
}

/// The policy of a server.
pub struct Policy {
    /// Its file.
    pub path: std::path::PathBuf,
    /// What is proposed; none, where there is one that is kept.
    pub temper: Option<TemperWord>,
}

/// The servers of the plans.
pub fn of(survey: &Survey, home: &Path) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for plan in &survey.plans {
        let (client, file) = (&plan.client.name, path_shown(&plan.file.path, home));
        for planned in &plan.planned {
            let Some(policy) = &planned.policy else { continue };
            if let Some(known) = servers.iter_mut().find(|known| known.is(planned)) {
                known.enabled |= planned.enabled;
                for (list, one) in [(&mut known.clients, client), (&mut known.files, &file)] {
                    if !list.contains(one) {
                        list.push(one.clone());
                    }
                }
                continue;
            }
            let id = policy.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            servers.push(Server {
                name: id.clone(),
                id,
                cwd: planned.cwd.clone(),
                launch: planned.launch.clone(),
                enabled: planned.enabled,
                client: plan.client.id.clone(),
                clients: vec![client.clone()],
                files: vec![file.clone()],
                policy: Policy { path: policy.path.clone(), temper: None },
            });
        }
    }
    name(&mut servers);
    servers
}

/// Tells servers of one id apart by their first client, or else by its file.
fn name(servers: &mut [Server]) {
    let file = |one: &Server| one.files.first().cloned().unwrap_or_default();
    let about: Vec<[String; 3]> = servers
        .iter()
        .map(|one| [one.id.clone(), format!("{}@{}", one.id, one.client), format!("{}@{}", one.id, file(one))])
        .collect();
    for (number, server) in servers.iter_mut().enumerate() {
        let Some(own) = about.get(number) else { continue };
        let alone = |at: usize| about.iter().filter(|other| other.get(at) == own.get(at)).count() == 1;
        let name = (0..own.len()).find(|at| alone(*at)).and_then(|at| own.get(at));
        server.name = name.cloned().unwrap_or_else(|| format!("{}@{}", server.id, number + 1));
    }
}

impl Server {
    /// Whether an entry is of this server.
    pub fn is(&self, planned: &Planned) -> bool {
        let same = planned.policy.as_ref().is_some_and(|policy| policy.path == self.policy.path);
        same && planned.launch == self.launch && planned.cwd == self.cwd
    }

    /// What it listed.
    pub fn scanned<'a>(&self, report: &'a Report) -> Option<&'a Scanned> {
        report.servers.iter().find(|scanned| scanned.name == self.name)
    }

    /// Why there is no list of its tools.
    pub fn why_not(&self, report: &Report) -> String {
        let failed = report.failed.iter().find(|failed| failed.name == self.name);
        match failed {
            Some(failed) => failed.why.clone(),
            None if self.enabled => "it was not started".to_owned(),
            None => "it is switched off".to_owned(),
        }
    }
}

/// Starts the servers that are in use, and asks each for its tools.
///
/// # Errors
/// When somebody ends this.
pub fn list(servers: &[Server], patience: Duration) -> Result<Report, Failure> {
    let used = servers.iter().filter(|server| server.enabled);
    let named = used.map(|server| {
        let file = server.files.first().map_or("", String::as_str);
        (server.name.clone(), Source::entry(&server.name, file, file), Way::of(&server.launch, server.cwd.as_deref()))
    });
    let folder = std::env::current_dir().unwrap_or_default();
    let asked = ask(filled(named.collect(), &folder.display().to_string()), patience);
    let (listed, failed) = asked.map_err(|failure| match failure {
        Failure::Stopped(stop, _) => Failure::Stopped(stop, "nothing was changed".to_owned()),
        other => other,
    })?;
    Ok(Report::new(listed, failed))
}

/// Proposes a policy for each server, from what its tools can do. One that is there is kept; where nothing is
/// known of the tools, it observes.
///
/// # Errors
/// None that a test would let pass.
pub fn propose(
    survey: &mut Survey,
    servers: &mut [Server],
    report: &Report,
    temper: TemperWord,
) -> Result<(), Failure> {
    for server in servers.iter_mut().filter(|server| !server.policy.path.exists()) {
        server.policy.temper = Some(TemperWord::Observe);
        let Some(scanned) = server.scanned(report) else { continue };
        let made = recommended::made(&risk::recommend::Bounds::default(), scanned.tools.iter(), temper);
        let text = recommended::text(&made)?;
        let fits = text.is_some();
        let text = text.unwrap_or_else(|| OBSERVE.to_owned());
        if fits {
            server.policy.temper = Some(temper);
        }
        let all = survey.plans.iter_mut().flat_map(|plan| &mut plan.planned);
        for policy in all.filter(|planned| server.is(planned)).filter_map(|planned| planned.policy.as_mut()) {
            policy.text.clone_from(&text);
        }
    }
    Ok(())
}
