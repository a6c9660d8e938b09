//! Whether what a configuration names may be started: who wrote the file, and what its reader says.
//!
//! A configuration is a list of commands. One that came with a project was written by whoever
//! wrote the project, so a word that a person gives for his own files does not cover it.

use std::path::{Component, Path, PathBuf};

use audit::visible::word;
use clients::{PathPattern, Places, Scope, Table};

use super::client_config::{Entry, Way};
use crate::args::ScanOptions;
use crate::environment::text_variable;
use crate::failure::{Failure, Trying};
use crate::output::{self, tell};

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It lies in the user's home, and in no project.
    User,
    /// It lies in a project.
    Project,
    /// It lies elsewhere.
    Others,
}

/// Files by which clients are configured.
#[derive(Debug)]
pub struct Files {
    /// For one project: the names down to each, from the project's folder on.
    projects: Vec<Vec<String>>,
    /// For a person.
    own: Vec<PathBuf>,
}

impl Files {
    /// Those that a table names; a person's own where somebody knows where they lie.
    pub fn of(table: &Table, places: Option<&Places>) -> Self {
        let surfaces = || table.clients.iter().flat_map(|client| &client.surfaces);
        let project = surfaces().filter(|surface| surface.scope == Scope::Project).flat_map(|surface| &surface.path);
        let project = project.filter_map(|path| path.strip_prefix("{project}/"));
        let own = surfaces().filter(|surface| surface.scope == Scope::User);
        let own = own.flat_map(|surface| places.map(|places| surface.paths(places)).unwrap_or_default());
        Self {
            projects: project.map(|path| path.split('/').map(str::to_owned).collect()).collect(),
            own: own.filter_map(|path| path.path().map(PathBuf::from)).collect(),
        }
    }

    /// Whether a file configures a client for the project in a folder that is one.
    fn configures(&self, file: &Path, is_project: impl Fn(&Path) -> bool) -> bool {
        let is_of = |names: &Vec<String>| {
            let folder = file.ancestors().nth(names.len()).filter(|folder| is_project(folder));
            let below = folder.and_then(|folder| file.strip_prefix(folder).ok());
            let below = below.into_iter().flat_map(Path::components).map(|part| part.as_os_str().to_string_lossy());
            folder.is_some() && names.iter().zip(below).all(|(pattern, name)| PathPattern::matches(pattern, &name))
        };
        !self.own.iter().any(|own| own == file) && self.projects.iter().any(is_of)
    }
}

/// Tells whose a file is. All paths are absolute.
pub fn owner(file: &Path, current: &Path, home: Option<&Path>, files: &Files) -> Owner {
    // The home directory is no project, though a client's own files lie right in it, and neither is
    // what lies above it.
    let is_home = |folder: &Path| home.is_some_and(|home| home.starts_with(folder));
    let configures = files.configures(file, |folder| !is_home(folder));
    if configures || (file.starts_with(current) && !is_home(current)) {
        return Owner::Project;
    }
    match home.is_some_and(|home| file.starts_with(home)) {
        true => Owner::User,
        false => Owner::Others,
    }
}

/// The owner of a file as it is named and, where links lead elsewhere, as it lies: the stricter one.
fn owner_of(file: &Path, files: &Files) -> Result<Owner, Failure> {
    let current = std::env::current_dir().trying("the current directory")?;
    let named = clean(&current.join(file));
    let home = text_variable("HOME").map(PathBuf::from);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (there, here, at_home) = (real(&named), real(&current), home.as_deref().map(real));
    let owners = [
        owner(&named, &current, home.as_deref(), files),
        owner(&there, &here, at_home.as_deref(), files),
        owner(&named, &here, at_home.as_deref(), files),
    ];
    // `User` needs the real place; the other two need only one of them.
    Ok(match owners {
        _ if owners.contains(&Owner::Project) => Owner::Project,
        [_, Owner::User, _] => Owner::User,
        _ => Owner::Others,
    })
}

/// The path without `.` and `..`, as it is written.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// Shows what a configuration names, and asks unless the command line has answered.
///
/// # Errors
/// When nothing may be started.
pub fn obtain(options: &ScanOptions, file: &Path, files: &Files, entries: &[Entry]) -> Result<(), Failure> {
    let owner = owner_of(file, files)?;
    let shown = word(&file.display().to_string());
    let mut text =
        format!("toolgate: {shown} names these servers; a scan starts the programs and asks the endpoints:\n");
    for entry in entries {
        text.push_str(&format!("  {}: {}\n", word(&entry.name), line(&entry.way)));
    }
    output::prompt(&text);
    if options.yes {
        return match owner {
            Owner::User => Ok(()),
            Owner::Project | Owner::Others if options.project => Ok(()),
            Owner::Project => Err(Failure::Usage(format!(
                "nothing was started: {shown} lies in a project, whose authors wrote these commands. --yes answers for your own files only; if you have read the commands above, add --project"
            ))),
            Owner::Others => Err(Failure::Usage(format!(
                "nothing was started: {shown} does not lie in your home. --yes answers for your own files only; if you have read the commands above, add --project"
            ))),
        };
    }
    if !output::can_ask() {
        return Err(Failure::Usage(
            "nothing was started: there is no terminal to ask on. Read the commands above, then answer by --yes (and --project, if the file lies in a project)"
                .to_owned(),
        ));
    }
    if owner == Owner::Project {
        tell!("The file lies in a project: whoever wrote the project wrote these commands.");
    }
    match output::agreed("Start and ask them?")? {
        true => Ok(()),
        false => Err(Failure::Usage("nothing was started".to_owned())),
    }
}

/// An entry on one line, as it is written in the file; values of variables and headers are masked, and what looks
/// like a secret among words and in addresses.
pub fn line(way: &Way) -> String {
    match way {
        Way::Program { words, env, cwd } => {
            let env = env.keys().map(|name| format!("{}=***", word(name)));
            let folder = cwd.iter().flat_map(|cwd| ["in".to_owned(), whole(cwd) + ":"]);
            // Every word whole: what is cut off is what nobody has agreed to.
            let words = clients::shown_words(words);
            folder.chain(env).chain(words.iter().map(|one| whole(one))).collect::<Vec<_>>().join(" ")
        }
        Way::Url { url, headers } => {
            let headers: Vec<String> = headers.keys().map(|name| format!(", header {}: ***", word(name))).collect();
            format!("{}{}", whole(&clients::shown_address(url)), headers.concat())
        }
        Way::Not(why) => format!("left out: {why}"),
    }
}

/// A word in visible characters, however long it is.
fn whole(text: &str) -> String {
    let pieces: Vec<char> = text.chars().collect();
    match pieces.len() <= 160 {
        true => word(text),
        false => {
            let pieces = pieces.chunks(160).map(|piece| audit::visible::shown(&piece.iter().collect::<String>()));
            format!("\"{}\"", pieces.collect::<String>().replace('"', "\\\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_projects_are_told_from_those_of_the_user() {
        let (table, home) = (Table::compiled().unwrap(), "/home/ann".to_owned());
        let places = Places { os: clients::Os::Linux, home, variables: [].into(), project: None };
        let files = Files::of(&table, Some(&places));
        let cases = [
            ("/home/ann/.config/opencode/opencode.json", "/home/ann/work", Owner::User),
            ("/home/ann/.gemini/settings.json", "/home/ann/work", Owner::User),
            ("/home/ann/other/opencode.json", "/home/ann/work", Owner::Project),
            ("/home/ann/other/.gemini/settings.json", "/home/ann/work", Owner::Project),
            ("/home/ann/other/.zed/settings.json", "/home/ann/work", Owner::Project),
            ("/home/ann/.claude.json", "/home/ann/work", Owner::User),
            ("/home/ann/.cursor/mcp.json", "/home/ann/work/src", Owner::User),
            ("/home/ann/.claude.json", "/home/ann", Owner::User),
            ("/home/ann/.claude.json", "/", Owner::User),
            ("/home/ann/.config/Code/User/mcp.json", "/home/ann/work", Owner::User),
            ("/home/ann/work/.mcp.json", "/home/ann/work/src", Owner::Project),
            ("/home/ann/work/.vscode/mcp.json", "/home/ann/work/src", Owner::Project),
            ("/home/ann/work/.cursor/mcp.json", "/home/ann", Owner::Project),
            ("/home/ann/work/any.json", "/home/ann/work", Owner::Project),
            ("/home/ann/work/deep/any.json", "/home/ann/work", Owner::Project),
            ("/srv/work/.mcp.json", "/srv/work/src", Owner::Project),
            ("/home/ann/.codex/config.toml", "/home/ann/work", Owner::User),
            ("/home/ann/other/.codex/config.toml", "/home/ann/work", Owner::Project),
            ("/home/ann/.continue/mcpServers/a.yaml", "/home/ann/work", Owner::User),
            ("/home/ann/other/.continue/mcpServers/a.yaml", "/home/ann/work", Owner::Project),
            ("/etc/claude-code/managed-mcp.json", "/home/ann", Owner::Others),
            ("/home/annie/x.json", "/home/ann", Owner::Others),
        ];
        for (file, current, expected) in cases {
            let found = owner(Path::new(file), Path::new(current), Some(Path::new("/home/ann")), &files);
            assert_eq!(found, expected, "{file} from {current}");
        }
        assert_eq!(owner(Path::new("/home/ann/x"), Path::new("/srv"), None, &files), Owner::Others);
        assert_eq!(clean(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }

    #[test]
    fn values_are_masked_and_nothing_else_is() {
        let env = [("TOKEN".to_owned(), "s3cr3t".to_owned())].into();
        let long = format!("{}; rm -rf \u{202e}/", "x".repeat(300));
        let shown = line(&Way::Program { words: vec!["sh".into(), "-c".into(), long], env, cwd: None });
        assert!(shown.starts_with("TOKEN=*** sh -c \"xxx"), "{shown}");
        assert!(shown.contains("; rm -rf \\u{202e}/") && !shown.contains("s3cr3t"), "{shown}");
        let words = ["npx", "files", "--api-key", "s3cr3t", "--token=s3cr3t"].map(str::to_owned).to_vec();
        let shown = line(&Way::Program { words, env: [].into(), cwd: Some("/srv/my work".to_owned()) });
        assert_eq!(shown, "in \"/srv/my work\": npx files --api-key ●●● \"--token=●●●\"");
        let headers = [("Authorization".to_owned(), "Bearer s3cr3t".to_owned())].into();
        let shown = line(&Way::Url { url: "https://me:s3cr3t@e.test/mcp?key=s3cr3t".into(), headers });
        assert_eq!(shown, "\"https://●●●@e.test/mcp?key=●●●\", header Authorization: ***");
    }
}
