//! What is scanned: one file, one server, or every server of a client's configuration.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use catalogue::identity::Identity;
use catalogue::pasted;
use gateway::server::{Denials, Reach, Server, ServerConfig, TimeLimits};
use gateway::tools::ListBytes;
use policy::Numbers;
use upstream::child::Command;
use upstream::http::Endpoint;

use super::client_config::{self, Way, expand};
use super::tools::{Tool, digest};
use super::{consent, file};
use crate::args::{ScanOptions, ServerOptions};
use crate::client_files::found::table;
use crate::commands::run;
use crate::environment::{command, places, text_variable};
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// The name of the server where there is only one.
pub const ONLY: &str = "local";

/// The longest file that is read.
const MAX_FILE: u64 = 64 << 20;

/// How long an endpoint may take to begin an answer, and be silent in it.
const SILENCE: Duration = Duration::from_secs(30);

/// One list of tools to be had.
#[derive(Debug)]
pub struct Target {
    /// The server's name in this scan.
    pub name: String,
    /// Where the list comes from.
    pub source: Source,
    /// How to get it, or why that cannot be.
    pub way: Result<Get, String>,
}

/// How a list is had.
#[derive(Debug)]
pub enum Get {
    /// It was read from a file.
    Have(Vec<Tool>, usize),
    /// The server is asked.
    Ask(Arc<Server>),
}

/// Where a list comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// `file`, `url`, `command` or `config`.
    pub kind: &'static str,
    /// As it is shown: never a secret of headers or variables.
    pub text: String,
    /// What tells sources apart from scan to scan.
    pub digest: String,
    /// The package or endpoint that it surely is, as the catalogue writes it.
    pub identity: Option<String>,
    /// The file in which it stands, for those who point at places in files.
    pub file: Option<(String, String)>,
}

impl Source {
    /// A server that is registered already.
    pub fn of(server: &Server) -> Self {
        Self::new("config", server.id().to_owned(), &[server.id()])
    }

    /// An entry of a client's file, which is shown in one way and lies in one place.
    pub fn entry(name: &str, shown: &str, place: &str) -> Self {
        Self::new("config", format!("{name} in {shown}"), &[place, name])
    }

    fn new(kind: &'static str, text: String, parts: &[&str]) -> Self {
        // The parts are joined by what none of them can hold.
        Self {
            kind,
            text,
            digest: digest(format!("{kind}\0{}", parts.join("\0")).as_bytes()),
            identity: None,
            file: None,
        }
    }

    fn known(self, identity: Option<Identity>) -> Self {
        Self { identity: identity.map(|identity| identity.to_string()), ..self }
    }
}

/// The targets of a command line. Whoever is to agree to them has agreed when this returns.
///
/// # Errors
/// When nothing can be scanned, or nothing may be.
pub fn targets(options: &ScanOptions) -> Result<Vec<Target>, Failure> {
    match (&options.file, &options.config) {
        (Some(path), _) => from_file(path).map(|target| vec![target]),
        (_, Some(path)) => from_config(options, path),
        _ => one(options).map(|target| vec![target]),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let long = std::fs::metadata(path).trying(path.display())?.len() > MAX_FILE;
    if long {
        return Err(Failure::Usage(format!("{} is longer than {} MiB", path.display(), MAX_FILE >> 20)));
    }
    std::fs::read_to_string(path).trying(path.display())
}

/// A path by which a file is found again from any directory.
fn whole(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

fn from_file(path: &Path) -> Result<Target, Failure> {
    let text = read(path)?;
    let (tools, unreadable) = file::read(&text).trying(path.display())?;
    let mut source = Source::new("file", path.display().to_string(), &[&whole(path)]);
    source.file = Some((whole(path), text));
    Ok(Target { name: ONLY.to_owned(), source, way: Ok(Get::Have(tools, unreadable)) })
}

fn one(options: &ScanOptions) -> Result<Target, Failure> {
    if options.upstream.is_none() && options.program.is_empty() {
        return Err(Failure::Usage(
            "name what is to be scanned: --upstream URL, --config FILE, --file FILE, or -- COMMAND".to_owned(),
        ));
    }
    let server = run::server(&ServerOptions {
        policy: None,
        upstream: options.upstream.clone(),
        transport: None,
        name: ONLY.to_owned(),
        grant: ONLY.to_owned(),
        header: options.header.clone(),
        header_from: Vec::new(),
        header_file: options.header_file.clone(),
        program: options.program.clone(),
    })?;
    let source = match &options.upstream {
        Some(url) => Source::new("url", url.clone(), &[url]).known(pasted::reached(url)),
        None => {
            let words: Vec<String> = options.program.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let mut parts: Vec<&str> = words.iter().map(String::as_str).collect();
            let identity = pasted::started(&parts);
            // `node server.js` is another server in another directory; `npx -y something` is not.
            let here = std::env::current_dir().map(|dir| dir.display().to_string()).unwrap_or_default();
            if words.iter().any(|word| !word.starts_with('/') && Path::new(word).exists()) {
                parts.push(&here);
            }
            Source::new("command", words.join(" "), &parts).known(identity)
        }
    };
    Ok(Target { name: ONLY.to_owned(), source, way: Ok(Get::Ask(registered(server.reach))) })
}

fn from_config(options: &ScanOptions, path: &Path) -> Result<Vec<Target>, Failure> {
    let text = read(path)?;
    let table = table()?;
    let entries = client_config::read(path, &text, &table).trying(path.display())?;
    if entries.is_empty() {
        return Err(Failure::Usage(format!("{} names no server that is switched on", path.display())));
    }
    if entries.iter().any(|entry| !matches!(entry.way, Way::Not(_))) {
        // Without a home nobody has files of their own.
        let files = consent::Files::of(&table, places(None).ok().as_ref());
        consent::obtain(options, path, &files, &entries)?;
    }
    let place = whole(path);
    let workspace = workspace(Path::new(&place));
    let named = entries.into_iter().map(|entry| {
        for key in &entry.ignored {
            let name = audit::visible::word(&entry.name);
            tell!("toolgate: {name}: `{key}` is ignored: programs are started with `env` alone");
        }
        let mut source = Source::entry(&entry.name, &path.display().to_string(), &place).known(identity(&entry.way));
        source.file = Some((place.clone(), text.clone()));
        (entry.name, source, entry.way)
    });
    Ok(filled(named.collect(), &workspace))
}

/// Entries of clients' files as targets, with their variables filled in. Whoever is to agree has agreed.
pub fn filled(named: Vec<(String, Source, Way)>, workspace: &str) -> Vec<Target> {
    let filled: Vec<(String, Source, Result<Filled, String>)> = named
        .into_iter()
        .map(|(name, source, way)| {
            let filled = fill(&way, workspace);
            (name, source, filled)
        })
        .collect();
    // No program inherits a variable that holds what another server is sent.
    let hidden: BTreeSet<String> = filled
        .iter()
        .filter_map(|(_, _, filled)| match filled {
            Ok(Filled::Url { used, .. }) => Some(used.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let target = |(name, source, filled): (String, Source, Result<Filled, String>)| {
        let way = filled.and_then(|filled| reach(filled, &hidden)).map(|reach| Get::Ask(registered(reach)));
        Target { name, source, way }
    };
    filled.into_iter().map(target).collect()
}

/// The folder that `${workspaceFolder}` stands for: the one that a project's file configures.
fn workspace(file: &Path) -> String {
    let folder = file.parent().unwrap_or(file);
    let inner = [".vscode", ".cursor"].iter().any(|name| folder.ends_with(name));
    let folder = if inner { folder.parent().unwrap_or(folder) } else { folder };
    folder.display().to_string()
}

/// What an entry names, before variables are filled in: their values are nobody's business.
fn identity(way: &Way) -> Option<Identity> {
    match way {
        Way::Program { words, .. } => pasted::started(&words.iter().map(String::as_str).collect::<Vec<_>>()),
        Way::Url { url, .. } if !url.contains('$') => pasted::reached(url),
        Way::Url { .. } | Way::Not(_) => None,
    }
}

/// An entry whose variables are filled in.
enum Filled {
    Program { words: Vec<OsString>, env: Vec<(OsString, OsString)>, cwd: Option<PathBuf> },
    Url { url: String, headers: BTreeMap<String, String>, used: Vec<String> },
}

fn fill(way: &Way, workspace: &str) -> Result<Filled, String> {
    let mut used = Vec::new();
    let mut text = |template: &str| expand(template, workspace, &text_variable, &mut used);
    match way {
        Way::Not(why) => Err(why.clone()),
        Way::Program { words, env, cwd } => {
            let cwd = cwd.as_deref().map(|cwd| folder(&text(cwd)?, workspace)).transpose()?;
            let words = words.iter().map(|word| text(word).map(OsString::from)).collect::<Result<_, _>>()?;
            let env = env
                .iter()
                .map(|(name, value)| Ok((OsString::from(name), OsString::from(text(value)?))))
                .collect::<Result<_, String>>()?;
            Ok(Filled::Program { words, env, cwd })
        }
        Way::Url { url, headers } => {
            let url = text(url)?;
            let headers =
                headers.iter().map(|(name, value)| Ok((name.clone(), text(value)?))).collect::<Result<_, String>>()?;
            Ok(Filled::Url { url, headers, used })
        }
    }
}

/// The folder in which a program is started.
fn folder(named: &str, workspace: &str) -> Result<PathBuf, String> {
    let home = named.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let home = home.and_then(|rest| Some(text_variable("HOME")? + rest));
    let folder = Path::new(workspace).join(home.as_deref().unwrap_or(named));
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(format!("the folder in which it is to be started is not there: {}", folder.display())),
    }
}

fn reach(filled: Filled, hidden: &BTreeSet<String>) -> Result<Reach, String> {
    match filled {
        Filled::Program { words, env, cwd } => {
            let command = command(&words, env, hidden).map_err(|failure| failure.to_string())?;
            Ok(Reach::Child(Command { cwd, ..command }))
        }
        Filled::Url { url, headers, .. } => {
            let mut endpoint = Endpoint::parse(&url).map_err(|error| error.to_string())?;
            for (name, value) in &headers {
                endpoint.add_header(name, value).map_err(|error| error.to_string())?;
            }
            Ok(Reach::Http(endpoint))
        }
    }
}

/// A server that is asked for its tools and nothing else.
fn registered(reach: Reach) -> Arc<Server> {
    Server::new(ServerConfig {
        id: ONLY.to_owned(),
        reach,
        numbers: Numbers::Binary64,
        denials: Denials::Plain,
        classes: HashMap::new(),
        limits: TimeLimits { first_byte: SILENCE, idle: SILENCE, ..TimeLimits::default() },
        calls_at_once: None,
        list_bytes: ListBytes::default(),
    })
}
