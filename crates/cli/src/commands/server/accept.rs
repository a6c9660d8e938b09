//! `toolgate server accept`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use gateway::pins::PinFiles;
use gateway::server::{Server, ServerConfig};
use jiff::Timestamp;
use policy::Class;
use risk::pins::{Pin, Section};

use super::{Waiting, known, place, seen_of, show, waiting};
use crate::args::{AcceptOptions, ServerOptions};
use crate::commands::scan::{list, tools::Tool};
use crate::commands::{counted, run};
use crate::environment::person;
use crate::failure::{Failure, Trying};
use crate::output::{self, say, tell};

/// So many tools are named when they were accepted.
const MOST_NAMED: usize = 5;

/// What servers offer and nobody has accepted.
#[derive(Default)]
struct Offered {
    waiting: Vec<Waiting>,
    /// Servers that nothing was accepted of before, though they may list nothing.
    new: Vec<String>,
    /// How many servers could not be asked.
    silent: usize,
}

pub(super) fn accept(options: &AcceptOptions) -> Result<ExitCode, Failure> {
    let (files, configs) = place(&options.place)?;
    files.check().trying("the accepted definitions")?;
    let configs = asked(options, configs)?;
    let classes = classes(&options.class)?;
    if !classes.is_empty() && options.server.is_none() {
        return Err(Failure::Usage("--class is for the tools of one server: name it first".to_owned()));
    }
    let mut offered = if configs.is_empty() {
        known(&options.place, &files)?;
        Offered { waiting: seen_of(&files, options.server.as_deref())?, ..Offered::default() }
    } else {
        // A server that was named, or is the only one, is what the command is about.
        listed(&files, configs, options.server.is_none() && options.place.config.is_some())?
    };
    let named: Vec<(&str, Option<&str>)> = options.tools.iter().map(|word| shown_as(word)).collect();
    if let Some(id) = &options.server {
        let wanted = named.iter().copied().chain(classes.keys().map(|name| (name.as_str(), None)));
        let confirmed = named_of(&files, id, &offered.waiting, wanted)?;
        offered.waiting.extend(confirmed);
    }
    let selected: BTreeSet<&str> = match options.all {
        true => BTreeSet::new(),
        false => named.iter().map(|(name, _)| *name).chain(classes.keys().map(String::as_str)).collect(),
    };
    if !selected.is_empty() {
        offered.waiting.retain(|one| selected.contains(one.tool.as_str()));
    }
    show::all(&offered.waiting, &files, &options.place)?;
    let silent = offered.silent;
    let accepted = decided(options, &files, offered, !selected.is_empty(), &classes)?;
    if accepted {
        gather(options, &files)?;
    }
    match silent {
        0 => Ok(ExitCode::from(u8::from(!accepted))),
        silent => Err(Failure::Usage(format!(
            "{} could not be asked; run this again when all of them answer",
            counted(silent, "server")
        ))),
    }
}

/// The servers to be asked; none where what gateways have seen is to be accepted.
fn asked(options: &AcceptOptions, mut configs: Vec<ServerConfig>) -> Result<Vec<ServerConfig>, Failure> {
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
    if let Some(id) = &options.server {
        configs.retain(|config| &config.id == id);
        if configs.is_empty() && options.place.config.is_some() {
            return Err(Failure::Usage(format!("there is no [servers.{id}] in the configuration")));
        }
    }
    Ok(configs)
}

/// What the servers list now and nobody has accepted. `go_on`: those that cannot be asked are named
/// and left out.
fn listed(files: &PinFiles, configs: Vec<ServerConfig>, go_on: bool) -> Result<Offered, Failure> {
    let mut offered = Offered::default();
    for (id, tools) in list(configs.into_iter().map(Server::new))? {
        match tools {
            Ok(tools) => {
                let section = files.section(&id).trying("the accepted definitions")?;
                if section.is_none() {
                    offered.new.push(id.clone());
                }
                offered.waiting.extend(waiting(&id, pins(tools), &section.unwrap_or_default()));
            }
            Err(why) if go_on => {
                tell!("toolgate: server {id} could not be asked: {why}");
                offered.silent += 1;
            }
            Err(why) => return Err(Failure::Usage(format!("server {id}: {why}"))),
        }
    }
    Ok(offered)
}

/// What is listed now, as it would be accepted.
fn pins(tools: Vec<Tool>) -> Section {
    let time = now();
    let one = |tool: Tool| {
        let class = risk::assess(&tool.definition()).class;
        let digest = format!("sha256:{}", tool.digest);
        let by = "it was listed now".to_owned();
        (tool.name, Pin { digest, class, set: None, accepted: time.clone(), by, definition: tool.canonical })
    };
    tools.into_iter().map(one).collect()
}

/// Looks that what is named is what waits. What does not wait is confirmed by its name.
fn named_of<'a>(
    files: &PinFiles,
    id: &str,
    waiting: &[Waiting],
    named: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<Vec<Waiting>, Failure> {
    let digests: HashMap<&str, &str> = waiting.iter().map(|one| (one.tool.as_str(), one.now.digest.as_str())).collect();
    let mut confirmed = BTreeMap::new();
    let mut section = None;
    for (name, wanted) in named {
        match (digests.get(name), wanted) {
            (Some(digest), Some(wanted)) if !digest.starts_with(&format!("sha256:{wanted}")) => {
                let name = audit::visible::word(name);
                return Err(Failure::Usage(format!(
                    "the definition of {name} is not {wanted} any more; look at it again with `toolgate server held`. Nothing was accepted"
                )));
            }
            (Some(_), _) => {}
            (None, _) => {
                let section = match &section {
                    Some(section) => section,
                    None => section.insert(files.section(id).trying("the accepted definitions")?.unwrap_or_default()),
                };
                confirmed.insert(name, self::confirmed(files, id, name, section)?);
            }
        }
    }
    Ok(confirmed.into_values().collect())
}

/// A definition that was accepted without a person, or under another class: whoever names it confirms it.
fn confirmed(files: &PinFiles, id: &str, tool: &str, section: &Section) -> Result<Waiting, Failure> {
    let Some(pin) = section.get(tool) else {
        let (tool, lock) = (audit::visible::word(tool), files.places());
        return Err(Failure::Usage(format!("the tool {tool} of server {id} is neither held nor accepted in {lock}")));
    };
    let by = format!("accepted before by {}", pin.by);
    Ok(Waiting { server: id.to_owned(), tool: tool.to_owned(), before: None, now: Pin { by, ..pin.clone() } })
}

/// Accepts what was selected by name or is agreed to, and says where it stands; false where the person said no.
fn decided(
    options: &AcceptOptions,
    files: &PinFiles,
    offered: Offered,
    selected: bool,
    classes: &BTreeMap<String, Class>,
) -> Result<bool, Failure> {
    let Offered { waiting, new, .. } = offered;
    if waiting.is_empty() && new.is_empty() {
        return Ok(true);
    }
    if !selected && !options.all && !waiting.is_empty() && !agreed(&waiting)? {
        return Ok(false);
    }
    let mut servers: BTreeMap<&str, Vec<&Waiting>> = new.iter().map(|id| (id.as_str(), Vec::new())).collect();
    for one in &waiting {
        servers.entry(&one.server).or_default().push(one);
    }
    let mut places = BTreeSet::new();
    for (id, accepted) in &servers {
        places.insert(write(files, id, accepted, classes)?.display().to_string());
    }
    if !options.place.json {
        let what = counted(waiting.len(), "definition");
        let places: Vec<String> = places.into_iter().collect();
        let named = names(&waiting, servers.len() > 1);
        say!("accepted {what} in {}{named}; running gateways see it within a second", places.join(" and "))?;
    }
    Ok(true)
}

/// The first few of what was accepted, after a colon.
pub(super) fn names(accepted: &[Waiting], of_several: bool) -> String {
    let name = |one: &Waiting| match of_several {
        true => format!("{} of {}", audit::visible::word(&one.tool), audit::visible::word(&one.server)),
        false => audit::visible::word(&one.tool).to_string(),
    };
    let named: Vec<String> = accepted.iter().take(MOST_NAMED).map(name).collect();
    match accepted.len().saturating_sub(named.len()) {
        0 if named.is_empty() => String::new(),
        0 => format!(": {}", named.join(", ")),
        more => format!(": {} and {more} more", named.join(", ")),
    }
}

/// What had to be put aside before moves to the lock file, where that can be written now.
fn gather(options: &AcceptOptions, files: &PinFiles) -> Result<(), Failure> {
    let aside = files.aside().trying("the accepted definitions")?;
    for id in aside.iter().filter(|id| options.server.as_ref().is_none_or(|server| server == *id)) {
        let written = files.change(id, |section| section.is_some()).trying("the accepted definitions")?;
        if written.instead.is_none() && !options.place.json {
            say!("what was accepted of server {id} before stands in {} now", written.path.display())?;
        }
    }
    Ok(())
}

/// `TOOL@DIGEST` as `held` shows it, or the name alone.
pub(super) fn shown_as(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once('@') {
        Some((name, digest)) if digest.len() >= 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            (name, Some(digest))
        }
        _ => (word, None),
    }
}

/// The classes that were said of tools.
pub(super) fn classes(words: &[String]) -> Result<BTreeMap<String, Class>, Failure> {
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
pub(super) fn agreed(waiting: &[Waiting]) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("name the tools to accept, or say --all; nothing was accepted".to_owned()));
    }
    output::prompt(&format!("Accept {}? [y/N] ", counted(waiting.len(), "definition")));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).trying("the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Accepts definitions of one server, and gives the file where they stand now.
fn write(
    files: &PinFiles,
    id: &str,
    accepted: &[&Waiting],
    classes: &BTreeMap<String, Class>,
) -> Result<PathBuf, Failure> {
    let (time, by) = (now(), person());
    let written = files.change(id, |section| {
        let pins = section.get_or_insert_default();
        for one in accepted {
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
    let written = written.trying(format!("nothing of server {id} was accepted"))?;
    if let Some(why) = &written.instead {
        tell!("toolgate: the lock file cannot be written ({why}); accepted in the data directory");
    }
    let digests: HashMap<&str, &str> =
        accepted.iter().map(|one| (one.tool.as_str(), one.now.digest.as_str())).collect();
    let mut held = files.held(id).trying("what is held")?;
    held.retain(|tool, pin| digests.get(tool.as_str()) != Some(&pin.digest.as_str()));
    files.keep_held(id, &held).trying("what is held")?;
    Ok(written.path)
}

fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}
