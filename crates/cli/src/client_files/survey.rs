//! What `wrap` and `unwrap` would do on this machine, and what they leave alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clients::{Client, Entry, Launch, NotCovered, Scope, State, Table, Wrapped, Wrapper};

use super::change::{Plan, Planned, What, within};
use super::covered::option;
use super::found::{self, Contents, File, Found};
use super::journal::Change;
use super::policies::{self, Names, Wanted};
use super::secrets::{Moved, Shelf, file_of};
use crate::args::WrapOptions;
use crate::environment::{self, home, places, program};
use crate::failure::{Failure, Trying};

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Files that would change.
    pub plans: Vec<Plan>,
    /// The names of the clients that were asked for; none, where all are meant.
    pub asked: Vec<String>,
    /// The names of those that are here.
    pub clients: Vec<String>,
    /// How many servers they name.
    pub servers: usize,
    /// Servers that are left alone, with the reason.
    pub left: Vec<Left>,
    /// Servers behind the gateway whose secrets were to leave their file and stay, with the reason.
    pub unmoved: Vec<Left>,
    /// Files that cannot be read, with the reason.
    pub broken: Vec<(PathBuf, String)>,
    /// The servers that the gateway stands before already, each once.
    pub wrapped: Vec<Launch>,
}

/// A server that is left alone.
#[derive(Debug)]
pub struct Left {
    /// The name of its client.
    pub client: String,
    /// Its file, if it has one.
    pub file: Option<PathBuf>,
    /// Its name; none for a whole client.
    pub server: Option<String>,
    /// Why.
    pub why: String,
}

/// What is done with an entry; nothing, where it is as it should be.
type Plans = Result<Option<Planned>, String>;

/// How entries are wrapped.
struct Ground {
    program: String,
    policies: PathBuf,
    home: PathBuf,
    project: Option<PathBuf>,
    names: Names,
    project_names: Names,
    /// Where secrets go, if they are to.
    shelf: Option<Shelf>,
}

/// Looks.
///
/// # Errors
/// When a client or server that was named is not there, or this machine has no home.
pub fn survey(options: &WrapOptions, wraps: bool, known: &[Change]) -> Result<Survey, Failure> {
    let table = found::table()?;
    let wanted = wanted(&table, &options.clients)?;
    let project = options.project.then(std::env::current_dir).transpose().trying("the current directory")?;
    let all = found::all(&table, &places(project.as_deref())?);
    let program = if wraps { program()? } else { PathBuf::new() };
    let program = program.to_str().ok_or_else(|| Failure::Usage("the path of this program is no text".to_owned()))?;
    let policies = environment::policies()?;
    let names = |folder: PathBuf| if options.new_policy { Names::avoiding(folder) } else { Names::default() };
    let mut ground = Ground {
        program: program.to_owned(),
        names: names(policies.clone()),
        project_names: project.as_ref().map(|project| names(project.join(".toolgate"))).unwrap_or_default(),
        policies,
        home: home()?,
        project,
        shelf: options.secrets_to_file.then(environment::secrets).transpose()?.map(Shelf::new),
    };
    let asked = wanted.iter().filter_map(|id| Some(table.client(id)?.name.clone()));
    let mut survey = Survey { asked: asked.collect(), ..Survey::default() };
    let mut read: Vec<(&Found, &File, Contents)> = Vec::new();
    for one in &all {
        let asked = wanted.is_empty() || wanted.contains(one.client.id.as_str());
        if asked {
            survey.clients.push(one.client.name.clone());
        }
        if let (true, true, Some(why)) = (asked, wraps, &one.client.not_covered) {
            let client = one.client.name.clone();
            survey.left.push(Left { client, file: None, server: None, why: why.clone() });
        }
        for file in &one.files {
            match file.read(&one.client) {
                Ok(contents) => {
                    let names =
                        if file.scope == Scope::Project { &mut ground.project_names } else { &mut ground.names };
                    contents.entries.iter().for_each(|entry| names.known(entry));
                    if asked {
                        read.push((one, file, contents));
                    }
                }
                Err(why) if asked => survey.broken.push((file.path.clone(), why)),
                Err(_) => {}
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut servers = BTreeSet::new();
    for (one, file, contents) in read {
        let mut planned = Vec::new();
        for entry in &contents.entries {
            if !options.server.is_empty() && !options.server.contains(&entry.key) {
                continue;
            }
            servers.insert(entry.key.clone());
            // One file may be read by several clients.
            if !seen.insert((found::real(&file.path), entry.place.clone())) {
                continue;
            }
            survey.servers += 1;
            if matches!(entry.state, State::Wrapped(_)) && !survey.wrapped.contains(&entry.launch) {
                survey.wrapped.push(entry.launch.clone());
            }
            let named = options.server.contains(&entry.key);
            let what = match (file.scope, &entry.state, wraps) {
                (Scope::Managed, State::Wrapped(_), true) => Ok(None),
                (Scope::Managed, State::Bare | State::NotCovered(_), false) => Ok(None),
                (Scope::Managed, ..) => Err("this file is managed by others".to_owned()),
                (_, State::Wrapped(wrapped), true) => match ground.secrets_out(file, entry, wrapped) {
                    Ok(what) => Ok(what),
                    Err(why) => {
                        survey.unmoved.push(left(&one.client, file, entry, why));
                        Ok(None)
                    }
                },
                (_, _, true) => ground.wrap(file, &contents, entry, named),
                (_, _, false) => out(entry),
            };
            let what = what.and_then(|what| {
                let Some(what) = what else { return Ok(None) };
                what.edit(&contents, entry, (file, &one.client), known).map(|_| Some(what))
            });
            match what {
                Ok(Some(what)) => planned.push(what),
                Ok(None) => {}
                Err(why) => survey.left.push(left(&one.client, file, entry, why)),
            }
        }
        if !planned.is_empty() {
            let within = within(&file.path, &ground.home, ground.project.as_deref());
            survey.plans.push(Plan { client: one.client.clone(), file: file.clone(), within, planned });
        }
    }
    match options.server.iter().find(|name| !servers.contains(*name)) {
        Some(name) if survey.broken.is_empty() => Err(Failure::Usage(format!(
            "there is no server {} in these files: toolgate clients lists those that are there",
            audit::visible::word(name)
        ))),
        _ => Ok(survey),
    }
}

/// The ids of clients that were named.
pub fn wanted<'a>(table: &'a Table, words: &[String]) -> Result<BTreeSet<&'a str>, Failure> {
    let find = |word: &String| {
        let client = table.client(word).map(|client| client.id.as_str());
        client.ok_or_else(|| {
            let word = audit::visible::word(word);
            Failure::Usage(format!("there is no client {word}: toolgate clients lists those that are here"))
        })
    };
    words.iter().map(find).collect()
}

fn left(client: &Client, file: &File, entry: &Entry, why: String) -> Left {
    Left { client: client.name.clone(), file: Some(file.path.clone()), server: Some(entry.key.clone()), why }
}

impl Ground {
    /// What is put before an entry; none, where the gateway stands there.
    fn wrap(&mut self, file: &File, contents: &Contents, entry: &Entry, named: bool) -> Plans {
        match &entry.state {
            State::Wrapped(_) => return Ok(None),
            State::NotCovered(why) if !(named && why.if_asked()) => return Err(why.to_string()),
            State::NotCovered(_) | State::Bare => {}
        }
        let Some(identity) = found::identity(entry) else { return Ok(None) };
        let shared = file.scope == Scope::Project;
        let names = if shared { &mut self.project_names } else { &mut self.names };
        let name = names.of(&entry.key, &identity);
        let is_left = names.is_left(&name);
        let folder = match (&self.project, shared) {
            (Some(project), true) => project.join(".toolgate"),
            _ => self.policies.clone(),
        };
        let policy = folder.join(format!("{name}.json"));
        policies::usable(&policy)?;
        let written = if shared { Path::new(".toolgate").join(format!("{name}.json")) } else { policy.clone() };
        let written = written.to_str().ok_or("the folder of policies is no text in UTF-8")?;
        let options = ["run", "--policy", written].map(str::to_owned);
        let mut wrapper = Wrapper {
            program: if shared { "toolgate".to_owned() } else { self.program.clone() },
            options: options.into_iter().chain([format!("--name={name}")]).collect(),
            portable: shared,
        };
        let policy = Wanted::observing(policy, is_left);
        let (secrets, stays) = self.moved(&name, contents, entry, &wrapper)?;
        if let Some(secrets) = &secrets {
            wrapper.options.push(secrets.option()?);
        }
        Ok(Some(Planned { policy: Some(policy), secrets, stays, ..planned(entry, What::Before(wrapper)) }))
    }

    /// The secrets that leave an entry behind the gateway, if they are to and any is there.
    fn secrets_out(&mut self, file: &File, entry: &Entry, wrapped: &Wrapped) -> Plans {
        let Some(shelf) = &mut self.shelf else { return Ok(None) };
        let plain = entry.launch.plain_secrets();
        if plain.is_empty() {
            return Ok(None);
        }
        let names = || plain.join(", ");
        if file.scope == Scope::Project {
            return Err(format!("{} stays: a file that others share must name none of this machine", names()));
        }
        if let Some(own) = file_of(&wrapped.options) {
            return Err(format!(
                "{} stays beside its file of secrets {}: move it there by hand, as NAME=\"value\" on a line of its own",
                names(),
                own.display()
            ));
        }
        let leaves = entry.launch.movable_secrets();
        if leaves.is_empty() {
            return Err(format!("{} stays in the file (docs/clients.md says why)", names()));
        }
        let stays = plain.into_iter().filter(|name| leaves.iter().all(|(moved, _)| moved != name)).collect();
        let server = option(&wrapped.options, "--name").filter(|name| gateway::server::is_server_id(name));
        let moved = shelf.place(server.unwrap_or("server"), leaves);
        Ok(Some(Planned { secrets: Some(moved), stays, ..planned(entry, What::SecretsOut) }))
    }

    /// The secrets that leave an entry, if they are to, and the names of those that stay.
    fn moved(
        &mut self,
        name: &str,
        contents: &Contents,
        entry: &Entry,
        wrapper: &Wrapper,
    ) -> Result<(Option<Moved>, Vec<String>), String> {
        let Some(shelf) = &mut self.shelf else { return Ok((None, Vec::new())) };
        let launch = contents.document.launch_wrapped(entry, wrapper).map_err(|refusal| refusal.to_string())?;
        // A file that others share must not name one of this machine.
        let leaves = if wrapper.portable { Vec::new() } else { launch.movable_secrets() };
        let stays = launch.plain_secrets().into_iter().filter(|name| leaves.iter().all(|(moved, _)| moved != name));
        let stays = stays.collect();
        Ok(((!leaves.is_empty()).then(|| shelf.place(name, leaves)), stays))
    }
}

/// The gateway out of an entry; none, where it does not stand there.
fn out(entry: &Entry) -> Plans {
    let runs = matches!(&entry.launch, Launch::Stdio { args, .. } if args.first().is_some_and(|first| first == "run"));
    match &entry.state {
        State::Wrapped(_) => Ok(Some(planned(entry, What::Out))),
        State::NotCovered(NotCovered::OwnWords) if runs => {
            Err("it starts the gateway in words of its own: take them out by hand".to_owned())
        }
        State::Bare | State::NotCovered(_) => Ok(None),
    }
}

fn planned(entry: &Entry, what: What) -> Planned {
    let (key, place, launch) = (entry.key.clone(), entry.place.clone(), entry.launch.clone());
    let cwd = entry.cwd.clone();
    Planned { key, place, launch, cwd, what, policy: None, secrets: None, stays: Vec::new(), enabled: entry.enabled }
}

impl Survey {
    /// What is said where there is nothing to do.
    pub fn nothing(&self, wraps: bool, home: &Path) -> String {
        let how = if wraps { "wrap" } else { "unwrap" };
        let connect = "To add a server to a client, behind the gateway from the beginning: toolgate connect";
        if self.clients.is_empty() {
            let who = match self.asked.as_slice() {
                [] => "no MCP client".to_owned(),
                [one] => one.clone(),
                several => format!("none of {}", several.join(", ")),
            };
            let found = if self.asked.len() == 1 { "was not found" } else { "was found" };
            let home = super::visible(&home.display().to_string());
            return format!(
                "Nothing to {how}: {who} {found}. Looked for files below {home}, in the project only with --project, \
                 and for programs on PATH. {connect}"
            );
        }
        match (self.servers, wraps) {
            (0, _) if self.broken.is_empty() && self.left.is_empty() => {
                format!("Nothing to {how}: no server stands in the files of {}. {connect}", self.clients.join(", "))
            }
            (_, true) if !self.wrapped.is_empty() => {
                "Nothing to wrap: the gateway stands before every server that it can stand before.".to_owned()
            }
            (_, true) => {
                "Nothing to wrap: nothing was found that the gateway can stand before, as said above.".to_owned()
            }
            (_, false) if !self.left.is_empty() => {
                "Nothing was unwrapped: what goes through toolgate is left as it is, as said above.".to_owned()
            }
            (_, false) => "Nothing to unwrap: no server that can be read here goes through toolgate.".to_owned(),
        }
    }
}
