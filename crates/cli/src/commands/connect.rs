//! `toolgate connect`: one more server for a client, behind the gateway from the beginning.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clients::{Client, Document, Edit, Launch, Scope, State, Surface};
use serde_json::json;

use crate::args::ConnectOptions;
use crate::client_files::change::{Made, Noted, within};
use crate::client_files::found::{self, Contents, File};
use crate::client_files::journal::{self, Changed, Journal};
use crate::client_files::policies::{self, Names, Wanted};
use crate::client_files::put_back::{Taken, put_back};
use crate::client_files::survey::wanted;
use crate::client_files::{outcome, shown as path_shown, supported, visible, write};
use crate::commands::init::verify::{self, Check};
use crate::commands::scan::json::printed;
use crate::commands::status::option_words;
use crate::environment::{self, data_dir, home, places, program};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};
use crate::stop::Hold;

/// What is added.
struct Addition {
    client: Client,
    file: File,
    surface: Surface,
    key: String,
    launch: Launch,
    policy: Option<Wanted>,
    exists: bool,
}

/// Adds.
pub fn connect(options: &ConnectOptions) -> Result<ExitCode, Failure> {
    supported()?;
    let (home, data) = (home()?, data_dir(options.data.dir.as_deref())?);
    let project = options.project.then(std::env::current_dir).transpose().trying("the current directory")?;
    let addition = addition(options, project.as_deref())?;
    let path = addition.file.path.clone();
    let shown = path_shown(&path, &home);
    let within = within(&path, &home, project.as_deref());
    let bytes = if addition.exists { found::bytes(&path).map_err(|why| at(&shown, &why))? } else { Vec::new() };
    let (edit, _) = addition.make(&bytes).map_err(|why| at(&shown, &why))?;
    let before = Document::read(addition.surface.format, &bytes).trying(&shown)?;
    let diff = before.diff(&edit, &shown).trying(&shown)?;
    if !options.json {
        output::text(&diff)?;
        if let Some(left) = addition.policy.as_ref().and_then(|policy| policy.said(&home)) {
            say!("{}: {left}", visible(&addition.key))?;
        }
        if !addition.exists {
            say!("{shown} is not there yet: it would be made.")?;
        }
    }
    let written = may_write(options)?;
    let mut verified = None;
    if written {
        let _hold = options.verify.then(Hold::new).transpose()?;
        let run = addition.write(&data, &within).map_err(|why| Failure::No(at(&shown, &why).to_string()))?;
        if options.verify {
            let back = || taken_back(&data, &run);
            verified = Some(verify::one(&addition.launch, &data, crate::commands::scan::PATIENCE, back));
        }
    }
    let check = verified.as_ref().map(|(check, _)| check);
    if options.json {
        let document = json!({
            "client": addition.client.id, "file": path, "server": addition.key, "created": written && !addition.exists,
            "policy": addition.policy.as_ref().map(|policy| &policy.path),
            "policy_left": addition.policy.as_ref().is_some_and(|policy| policy.left), "diff": diff, "written": written,
            "verified": check.map(Check::json), "undo": written.then_some("toolgate undo"),
        });
        output::text(&(printed(&document).trying("the report")? + "\n"))?;
    } else if written {
        say!("{}, {shown}: {} added, through toolgate", addition.client.name, visible(&addition.key))?;
        if let Some(check) = check {
            say!("  {}: {}", visible(&addition.key), check.says())?;
        }
        if check.is_none_or(Check::stays) {
            say!("{}", outcome::reload(&addition.client.name, addition.client.reload))?;
            say!("To take this back: toolgate undo")?;
        }
    }
    match verified {
        Some((_, Some(stop))) => return Err(Failure::Stopped(stop, verify::STOPPED.to_owned())),
        Some((check, None)) if !check.stays() => {
            return Err(Failure::No("1 server was put back as before, as said above".to_owned()));
        }
        _ => {}
    }
    match written || options.dry_run {
        true => Ok(ExitCode::SUCCESS),
        false => Err(outcome::unasked()),
    }
}

fn at(file: &str, why: &str) -> Failure {
    Failure::Usage(format!("{file}: {why}"))
}

fn may_write(options: &ConnectOptions) -> Result<bool, Failure> {
    if options.yes || options.dry_run || options.json || !output::can_ask() {
        return Ok(options.yes && !options.dry_run);
    }
    match output::agreed("Write this file?")? {
        true => Ok(true),
        false => Err(Failure::No("nothing was changed".to_owned())),
    }
}

/// Takes back what a run has written.
fn taken_back(data: &Path, run: &str) -> Result<(), String> {
    let said = |failure: Failure| failure.to_string();
    let (table, journal) = (found::table().map_err(said)?, Journal::open(data).map_err(said)?);
    let mut changes = journal.open_changes().map_err(said)?;
    changes.retain(|change| change.run == run);
    for taken in Taken::of(changes) {
        let back = put_back(&table, &journal, &taken)?;
        if let Some(conflict) = back.conflicts.first() {
            return Err(conflict.clone());
        }
    }
    Ok(())
}

/// What is to be added, and where.
fn addition(options: &ConnectOptions, project: Option<&Path>) -> Result<Addition, Failure> {
    let table = found::table()?;
    let ids = wanted(&table, std::slice::from_ref(&options.client))?;
    let client = ids.first().and_then(|id| table.client(id)).cloned();
    let client = client.ok_or_else(|| Failure::Usage("name the client".to_owned()))?;
    if let Some(why) = &client.not_covered {
        return Err(Failure::Usage(format!("{} cannot be covered: {why}", client.name)));
    }
    let places = places(project)?;
    let all = found::all(&table, &places);
    let scope = if options.project { Scope::Project } else { Scope::User };
    let candidates: Vec<(PathBuf, &Surface)> = client
        .surfaces
        .iter()
        .filter(|surface| surface.scope == scope && !surface.pointer.iter().any(|key| key == "*"))
        .flat_map(|surface| surface.paths(&places).into_iter().map(move |path| (path, surface)))
        .filter_map(|(path, surface)| Some((PathBuf::from(path.path()?), surface)))
        .collect();
    let there = candidates.iter().find(|(path, _)| path.is_file());
    let Some((path, surface)) =
        there.or(candidates.first()).map(|(path, surface)| (path.clone(), Surface::clone(surface)))
    else {
        let whose = if options.project { "a project" } else { "a person" };
        return Err(Failure::Usage(format!("{} keeps no file with servers for {whose} on this system", client.name)));
    };
    let exists = path.is_file();
    let is_here = all.iter().any(|found| found.client.id == client.id);
    if !exists && !is_here && !options.yes {
        return Err(Failure::Usage(format!(
            "{} was not found on this machine: install it first, or add --yes to make its file {} all the same",
            client.name,
            path.display()
        )));
    }
    let key = match (&options.name, &options.server) {
        (Some(name), _) => name.clone(),
        (None, Some(url)) => name_of_address(url),
        (None, None) => name_of_program(&options.program),
    };
    let folder = policy_folder(project)?;
    let mut names = if options.new_policy { Names::avoiding(folder) } else { Names::default() };
    for file in all.iter().flat_map(|found| found.files.iter().map(move |file| (found, file))) {
        let (found, file) = file;
        if (file.scope == Scope::Project) == options.project
            && let Ok(contents) = file.read(&found.client)
        {
            contents.entries.iter().for_each(|entry| names.known(entry));
        }
    }
    let words = options.program.clone();
    let identity = match &options.server {
        Some(url) => url.clone(),
        None => words.iter().fold("run".to_owned(), |all, word| all + "\0" + word),
    };
    let name = names.of(&key, &identity);
    let (policy, named) = policy(options, project, &name, names.is_left(&name))?;
    let mut args: Vec<String> = ["run".to_owned(), "--policy".to_owned(), named, format!("--name={name}")].into();
    match &options.server {
        Some(url) => {
            let address = upstream::http::Endpoint::parse(url);
            address.map_err(|error| Failure::Usage(format!("--server: {error}")))?;
            options.header_from.iter().try_for_each(|pair| environment::header_from(pair).map(drop))?;
            args.extend(["--upstream".to_owned(), url.clone()]);
            args.extend(options.header_from.iter().flat_map(|pair| ["--header-from".to_owned(), pair.clone()]));
        }
        None => args.extend(std::iter::once("--".to_owned()).chain(words)),
    }
    let command = if options.project { "toolgate".to_owned() } else { text(&program()?)? };
    let launch = Launch::Stdio { command, args, env: Vec::new() };
    let file = File { path, scope, surfaces: vec![surface.clone()] };
    Ok(Addition { client, file, surface, key, launch, policy, exists })
}

/// Where new policies lie.
fn policy_folder(project: Option<&Path>) -> Result<PathBuf, Failure> {
    project.map_or_else(environment::policies, |project| Ok(project.join(".toolgate")))
}

/// The policy that is to be there, and how the entry names it.
fn policy(
    options: &ConnectOptions,
    project: Option<&Path>,
    name: &str,
    is_left: bool,
) -> Result<(Option<Wanted>, String), Failure> {
    if let Some(file) = &options.policy {
        let path = std::path::absolute(file).trying(file.display())?;
        crate::policy_watch::load(&path)?;
        let shared = project.and_then(|project| path.strip_prefix(project).ok());
        return match (options.project, shared) {
            (true, None) => Err(Failure::Usage(
                "others use this project's file: --policy must name a file within the project".to_owned(),
            )),
            (true, Some(within)) => Ok((None, text(within)?)),
            (false, _) => Ok((None, text(&path)?)),
        };
    }
    let file = format!("{name}.json");
    let path = policy_folder(project)?.join(&file);
    let named = if project.is_some() { format!(".toolgate/{file}") } else { text(&path)? };
    policies::usable(&path).map_err(Failure::No)?;
    Ok((Some(Wanted::observing(path, is_left)), named))
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::Usage(format!("the path {} is no text in UTF-8", path.display())))
}

/// A name for what is behind an address: what its owner is called.
fn name_of_address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let common = |label: &&str| !matches!(*label, "mcp" | "api" | "www" | "server");
    host.split('.').find(common).filter(|label| !label.is_empty()).unwrap_or("server").to_owned()
}

/// A name for what a command starts: that of its package, or of the program.
fn name_of_program(words: &[String]) -> String {
    let last = |word: &str| {
        let name = word.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        name.trim_end_matches(".js").trim_end_matches(".py").to_owned()
    };
    let program = words.first().map(|word| last(word)).unwrap_or_default();
    let starter = matches!(program.as_str(), "npx" | "uvx" | "bunx" | "pnpm" | "pipx" | "node" | "python" | "python3");
    let skipped = |word: &&String| !word.starts_with('-') && !matches!(word.as_str(), "run" | "dlx" | "exec");
    let package = words.iter().skip(1).find(skipped).filter(|_| starter);
    let name = package.map_or(program, |word| last(word));
    let short = ["mcp-server-", "server-"].iter().find_map(|start| name.strip_prefix(start));
    let short = short.or_else(|| name.strip_suffix("-mcp")).unwrap_or(&name);
    if short.is_empty() { "server".to_owned() } else { short.to_owned() }
}

impl Addition {
    fn make(&self, bytes: &[u8]) -> Result<(Edit, Made), String> {
        let Contents { document, entries } = self.file.parse(&self.client, bytes)?;
        if entries.iter().any(|entry| entry.key == self.key) {
            let (name, server) = (audit::visible::word(&self.key), option_words("--server", &self.key));
            return Err(format!(
                "there is a server {name} already: choose another name with --name, or put the gateway before that one \
                 with `toolgate wrap {} {server}`",
                self.client.id
            ));
        }
        let edit = document.add(&self.client, &self.surface, &self.key, &self.launch);
        let edit = edit.map_err(|refusal| refusal.to_string())?;
        let after = edit.apply(bytes).map_err(|stale| stale.to_string())?;
        let then = self.file.parse(&self.client, &after)?;
        let entry = then.entries.iter().find(|entry| entry.key == self.key).ok_or("the entry would be lost")?;
        if !matches!(entry.state, State::Wrapped(_)) {
            return Err("this client would not read these words as they are meant: wrap the server by hand".to_owned());
        }
        let written = then.document.text_of(entry).map_err(|refusal| refusal.to_string())?.to_owned();
        let entries = vec![Changed { place: entry.place.clone(), original: String::new(), written }];
        Ok((edit, Made { bytes: after, entries }))
    }

    /// Writes it, and gives the id of the run.
    fn write(&self, data: &Path, within: &Path) -> Result<String, String> {
        let failed = |failure: Failure| failure.to_string();
        let journal = Journal::open(data).map_err(failed)?;
        let run = journal::id().map_err(failed)?;
        self.policy.as_ref().map_or(Ok(()), policies::write)?;
        let mut make = |bytes: &[u8]| self.make(bytes).map(|(_, made)| Some(made));
        let noted = Noted::new(&journal, &run, &self.client.id, &self.file.path, within, &mut make);
        if self.exists {
            let mut noted = noted;
            return write::replace(&self.file.path, within, &mut noted).map(|_| run);
        }
        let mut folders: Vec<PathBuf> =
            self.file.path.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
        folders.reverse();
        let mut noted = noted.creating(folders.clone());
        write::create(&self.file.path, within, &folders, &mut noted).map(|()| run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_after_what_they_are() {
        for (url, name) in [
            ("https://mcp.linear.app/mcp", "linear"),
            ("https://user@api.example.com:8443/x", "example"),
            ("http://localhost:3000/mcp", "localhost"),
            ("https://mcp/", "server"),
        ] {
            assert_eq!(name_of_address(url), name);
        }
        for (words, name) in [
            ("npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /tmp", "filesystem"),
            ("uvx mcp-server-git --repository x", "git"),
            ("/opt/notes-mcp", "notes"),
            ("node ./server.js", "server"),
            ("npx -y", "npx"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(name_of_program(&words), name);
        }
    }
}
