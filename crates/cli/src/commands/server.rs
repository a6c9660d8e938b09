//! `toolgate server held|accept`: definitions that wait for somebody, what they change, and the word
//! that lets them through.
//!
//! What is shown is what a gateway saw last, or what the server lists now. What is accepted is that
//! very text, by its digest: a server that shows another one later is held again.

mod calls;
mod show;

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use gateway::pins::{PinFiles, Written};
use gateway::server::{Server, ServerConfig};
use jiff::Timestamp;
use policy::Class;
use risk::pins::{Pin, Section};

use crate::args::{AcceptOptions, HeldOptions, PinPlace, ServerCommand, ServerOptions};
use crate::commands::scan::list_one;
use crate::commands::{counted, run};
use crate::config::Config;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::pins::{LOCK, lock_of};

/// A definition that waits to be accepted.
struct Waiting {
    server: String,
    tool: String,
    /// As it would be accepted; its time is when it was seen first.
    now: Pin,
    /// What was accepted before, if anything was.
    before: Option<Pin>,
}

/// Shows or accepts.
pub fn server(command: &ServerCommand) -> Result<ExitCode, Failure> {
    match command {
        ServerCommand::Held(options) => held(options),
        ServerCommand::Accept(options) => accept(options),
    }
}

fn held(options: &HeldOptions) -> Result<ExitCode, Failure> {
    let (files, _) = place(&options.place)?;
    let servers = match &options.server {
        Some(id) => vec![id.clone()],
        None => files.held_servers().trying("what is held")?,
    };
    let mut waiting = Vec::new();
    for id in servers {
        waiting.extend(seen(&files, &id)?);
    }
    show::all(&waiting, &files, &options.place)?;
    Ok(ExitCode::from(u8::from(!waiting.is_empty())))
}

fn accept(options: &AcceptOptions) -> Result<ExitCode, Failure> {
    let (files, mut configs) = place(&options.place)?;
    if options.upstream.is_some() || !options.program.is_empty() {
        configs.push(run::server(&ServerOptions {
            upstream: options.upstream.clone(),
            header: options.header.clone(),
            program: options.program.clone(),
            name: options.server.clone().unwrap_or_else(|| "local".to_owned()),
            grant: "local".to_owned(),
            ..ServerOptions::default()
        })?);
    }
    let classes = classes(&options.class)?;
    if !classes.is_empty() && options.server.is_none() {
        return Err(Failure::Usage("--class is for the tools of one server: name it first".to_owned()));
    }
    let named: Vec<(&str, Option<&str>)> = options.tools.iter().map(|word| shown_as(word)).collect();
    if let Some(id) = &options.server {
        configs.retain(|config| &config.id == id);
        if configs.is_empty() && options.place.config.is_some() {
            return Err(Failure::Usage(format!("there is no [servers.{id}] in the configuration")));
        }
    }
    let (mut waiting, mut new_servers) = (Vec::new(), Vec::new());
    for config in &configs {
        let section = files.section(&config.id).trying("the accepted definitions")?;
        if section.is_none() {
            new_servers.push(config.id.clone());
        }
        waiting.extend(listed(config, &section.unwrap_or_default())?);
    }
    if configs.is_empty() {
        let servers = match &options.server {
            Some(id) => vec![id.clone()],
            None => files.held_servers().trying("what is held")?,
        };
        for id in servers {
            waiting.extend(seen(&files, &id)?);
        }
    }
    for (name, digest) in named.iter().copied().chain(classes.keys().map(|name| (name.as_str(), None))) {
        if let Some(one) = waiting.iter().find(|one| one.tool == name) {
            if let Some(digest) = digest.filter(|digest| !one.now.digest.starts_with(&format!("sha256:{digest}"))) {
                let name = audit::visible::word(name);
                return Err(Failure::Usage(format!(
                    "the definition of {name} is not {digest} any more; look at it again with `toolgate server held`. Nothing was accepted"
                )));
            }
            continue;
        }
        match &options.server {
            Some(id) => waiting.push(confirmed(&files, id, name)?),
            None => return Err(Failure::Usage(format!("the tool {} is not held", audit::visible::word(name)))),
        }
    }
    show::all(&waiting, &files, &options.place)?;
    if waiting.is_empty() && new_servers.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if (!named.is_empty() || !classes.is_empty()) && !options.all {
        waiting.retain(|one| named.iter().any(|(name, _)| *name == one.tool) || classes.contains_key(&one.tool));
    } else if !options.all && !waiting.is_empty() && !agreed(&waiting)? {
        return Ok(ExitCode::from(1));
    }
    let mut servers: Vec<String> = waiting.iter().map(|one| one.server.clone()).collect();
    servers.extend(new_servers);
    servers.sort();
    servers.dedup();
    for id in &servers {
        write(&files, id, &waiting, &classes)?;
    }
    if !options.place.json {
        let what = counted(waiting.len(), "definition");
        println!("accepted {what} in {}; running gateways see it within a second", files.lock().display());
    }
    Ok(ExitCode::SUCCESS)
}

/// `TOOL@DIGEST` as `held` shows it, or the name alone.
fn shown_as(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once('@') {
        Some((name, digest)) if digest.len() >= 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (name, Some(digest))
        }
        _ => (word, None),
    }
}

/// Where pins lie, and the servers of a configuration.
fn place(place: &PinPlace) -> Result<(PinFiles, Vec<ServerConfig>), Failure> {
    if let Some(path) = &place.config {
        let config = Config::read(path)?;
        let files = config.pin_files(place.lock.as_deref(), place.data.dir.as_deref())?;
        return Ok((files, config.servers()?));
    }
    let lock = match (&place.lock, &place.policy) {
        (Some(lock), _) => lock.clone(),
        (None, Some(policy)) => lock_of(policy, None),
        (None, None) => Path::new(LOCK).to_path_buf(),
    };
    let files = PinFiles::new(&lock, &data_dir(place.data.dir.as_deref())?);
    if place.lock.is_none() && place.policy.is_none() && !files.exist() {
        return Err(Failure::Usage(format!(
            "there is no {LOCK} in this directory: name the policy (--policy FILE), the lock file (--lock FILE) or the configuration (--config FILE)"
        )));
    }
    Ok((files, Vec::new()))
}

/// A definition that was accepted without a person, or under another class: whoever names it confirms it.
fn confirmed(files: &PinFiles, id: &str, tool: &str) -> Result<Waiting, Failure> {
    let mut section = files.section(id).trying("the accepted definitions")?.unwrap_or_default();
    let Some(pin) = section.remove(tool) else {
        let (tool, lock) = (audit::visible::word(tool), files.lock().display());
        return Err(Failure::Usage(format!("the tool {tool} of server {id} is neither held nor accepted in {lock}")));
    };
    let by = format!("accepted before by {}", pin.by);
    Ok(Waiting { server: id.to_owned(), tool: tool.to_owned(), before: None, now: Pin { by, ..pin } })
}

/// What a gateway has seen last and holds.
fn seen(files: &PinFiles, id: &str) -> Result<Vec<Waiting>, Failure> {
    let accepted = files.section(id).trying("the accepted definitions")?;
    let held = files.held(id).trying("what is held")?;
    if accepted.is_none() && held.is_empty() {
        let lock = files.lock().display();
        return Err(Failure::Usage(format!(
            "no gateway has seen a server {} with {lock}; `toolgate server accept {id}` with --upstream URL, -- COMMAND or --config FILE asks the server itself",
            audit::visible::word(id)
        )));
    }
    Ok(waiting(id, held, &accepted.unwrap_or_default()))
}

/// What the server lists now and nobody has accepted.
fn listed(config: &ServerConfig, accepted: &Section) -> Result<Vec<Waiting>, Failure> {
    let tools = list_one(Server::new(config.clone())).trying(format!("server {}", config.id))?;
    let time = now();
    let now = tools.into_iter().map(|tool| {
        let class = risk::assess(&tool.definition()).class;
        let digest = format!("sha256:{}", tool.digest);
        let by = "it was listed now".to_owned();
        let pin = Pin { digest, class, set: None, accepted: time.clone(), by, definition: tool.canonical };
        (tool.name, pin)
    });
    Ok(waiting(&config.id, now.collect(), accepted))
}

fn waiting(id: &str, now: Section, accepted: &Section) -> Vec<Waiting> {
    now.into_iter()
        .filter(|(tool, now)| accepted.get(tool).is_none_or(|pin| pin.digest != now.digest))
        .map(|(tool, now)| Waiting { server: id.to_owned(), before: accepted.get(&tool).cloned(), tool, now })
        .collect()
}

fn classes(words: &[String]) -> Result<BTreeMap<String, Class>, Failure> {
    let one = |word: &String| {
        let (tool, name) = word.rsplit_once('=')?;
        let class = Class::ALL.into_iter().find(|class| class.as_str() == name)?;
        (class != Class::Unclassified).then(|| (tool.to_owned(), class))
    };
    let read = |word: &String| {
        one(word).ok_or_else(|| {
            let known = "read, write, execute, destructive or financial";
            Failure::Usage(format!("--class `{word}`: write TOOL=CLASS, where the class is {known}"))
        })
    };
    words.iter().map(read).collect()
}

/// Asks the person at the terminal.
fn agreed(waiting: &[Waiting]) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("name the tools to accept, or say --all; nothing was accepted".to_owned()));
    }
    eprint!("Accept {}? [y/N] ", counted(waiting.len(), "definition"));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).trying("the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn write(files: &PinFiles, id: &str, waiting: &[Waiting], classes: &BTreeMap<String, Class>) -> Result<(), Failure> {
    let (time, by) = (now(), person());
    let written = files.change(id, |section| {
        let pins = section.get_or_insert_default();
        for one in waiting.iter().filter(|one| one.server == id) {
            let set = pins.get(&one.tool).and_then(|pin| pin.set);
            let pin = Pin { set, accepted: time.clone(), by: by.clone(), ..one.now.clone() };
            pins.insert(one.tool.clone(), pin);
        }
        for (tool, class) in classes {
            if let Some(pin) = pins.get_mut(tool) {
                (pin.set, pin.accepted, pin.by) = (Some(*class), time.clone(), by.clone());
            }
        }
        true
    });
    if let Written::Spare(why) = written.trying("the accepted definitions")? {
        eprintln!("toolgate: the lock file cannot be written ({why}); accepted in the data directory");
    }
    let mut held = files.held(id).trying("what is held")?;
    held.retain(|tool, pin| {
        !waiting.iter().any(|one| one.server == id && &one.tool == tool && one.now.digest == pin.digest)
    });
    files.keep_held(id, &held).trying("what is held")
}

fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}

/// Who runs this: the user's name by the system's list, else the number.
fn person() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
}
