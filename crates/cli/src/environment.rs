//! What the command line means in this environment: credentials, variables, the data directory.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clients::{Os, Places, Secret};
use http::HeaderName;
use upstream::child::Command;
use upstream::http::Endpoint;

use crate::env_file::Variables;
use crate::failure::{Failure, Trying};

/// The data directory that was asked for, or the platform's place.
///
/// # Errors
/// When there is no home directory to put it in.
pub fn data_dir(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = asked {
        return Ok(dir.to_path_buf());
    }
    if let Some(dir) = variable("TOOLGATE_DATA_DIR") {
        return Ok(dir.into());
    }
    if cfg!(target_os = "macos") {
        if let Some(home) = variable("HOME") {
            return Ok(PathBuf::from(home).join("Library/Application Support/toolgate"));
        }
    } else if let Some(data) = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute()) {
        return Ok(data.join("toolgate"));
    } else if let Some(home) = variable("HOME") {
        return Ok(PathBuf::from(home).join(".local/share/toolgate"));
    }
    Err(Failure::Usage("there is no home directory to keep data in: name one with --data DIR".to_owned()))
}

/// Opens a data directory that exists: commands about what was counted make none.
///
/// # Errors
/// When there is none, or it cannot be used.
pub fn existing_data(asked: Option<&Path>) -> Result<store::DataDir, Failure> {
    let path = existing(asked)?;
    store::DataDir::open(&path).trying(format!("the data directory {}", path.display()))
}

/// Where the audit log of a data directory that exists lies: commands that only look write nothing there.
///
/// # Errors
/// When there is none, or it cannot be used.
pub fn audit_log(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = existing(asked)?;
    store::DataDir::audit_of(&path).trying(format!("the data directory {}", path.display()))
}

fn existing(asked: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = data_dir(asked)?;
    if !path.is_dir() {
        return Err(Failure::Usage(format!(
            "there is no data directory {}: nothing has run yet, or it lies elsewhere (--data DIR)",
            path.display()
        )));
    }
    Ok(path)
}

/// The home directory.
///
/// # Errors
/// When none is named.
pub fn home() -> Result<PathBuf, Failure> {
    let home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let why = "there is no home directory, below which clients keep their files: set HOME to its absolute path";
    home.ok_or_else(|| Failure::Usage(why.to_owned()))
}

/// Where clients keep their files on this machine.
///
/// # Errors
/// When there is no home directory, or a path is no text.
pub fn places(project: Option<&Path>) -> Result<Places, Failure> {
    let os = match std::env::consts::OS {
        "macos" => Os::Macos,
        "windows" => Os::Windows,
        _ => Os::Linux,
    };
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| Failure::Usage(format!("the path {} is no text in UTF-8", path.display())))
    };
    let variables = std::env::vars_os();
    let variables = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Places { os, home: text(&home()?)?, variables: variables.collect(), project: project.map(text).transpose()? })
}

/// A person's own configuration.
///
/// # Errors
/// When there is no home directory.
pub fn configuration() -> Result<PathBuf, Failure> {
    let named = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = named.map_or_else(|| home().map(|home| home.join(".config")), Ok)?;
    Ok(folder.join("toolgate"))
}

/// Where a person's policies lie.
///
/// # Errors
/// When there is no home directory.
pub fn policies() -> Result<PathBuf, Failure> {
    Ok(configuration()?.join("policies"))
}

/// Where secrets lie that have left the files of clients.
///
/// # Errors
/// When there is no home directory.
pub fn secrets() -> Result<PathBuf, Failure> {
    Ok(configuration()?.join("secrets"))
}

/// The folders in which programs are looked for.
pub fn program_folders() -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

/// The path of this program as it was called, not as it lies: links of package managers stay when it is updated.
///
/// # Errors
/// When nobody knows it.
pub fn program() -> Result<PathBuf, Failure> {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if called.is_absolute() && called.is_file() {
        return Ok(called);
    }
    let alone = called.components().count() == 1;
    let found = program_folders().into_iter().map(|folder| folder.join(&called)).find(|path| alone && path.is_file());
    found.map_or_else(|| std::env::current_exe().trying("this program's path"), Ok)
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable's value as text.
pub fn text_variable(name: &str) -> Option<String> {
    variable(name).and_then(|value| value.into_string().ok())
}

/// Who runs this: the user's name by the system's list, else the number.
pub fn person() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {uid}"))
}

/// What `--header-from` says: a header, and the variable that holds its value.
///
/// # Errors
/// When it is no such pair.
pub fn header_from(pair: &str) -> Result<(&str, &str), Failure> {
    let variable = |name: &str| !name.is_empty() && name.chars().all(|l| l.is_ascii_alphanumeric() || l == '_');
    let parts = pair.split_once('=').filter(|(name, _)| HeaderName::from_bytes(name.as_bytes()).is_ok());
    parts.filter(|(_, named)| variable(named)).ok_or_else(|| {
        let text = "--header-from is written NAME=VARIABLE: a header, and the variable that holds its value";
        Failure::Usage(text.to_owned())
    })
}

/// Headers for a server, and which variables their values came from.
#[derive(Debug, Default)]
pub struct Headers {
    /// Names and values.
    pub headers: Vec<(String, Secret)>,
    /// Variables that were used: children do not inherit them.
    pub variables: BTreeSet<String>,
    /// Names of headers whose value stood on the command line itself.
    pub literal: Vec<String>,
    /// Variables that stand in a file, and are looked for there before the environment.
    pub given: Variables,
}

impl Headers {
    /// Adds one `NAME: VALUE`, in which `${VARIABLE}` stands for a variable of the environment.
    ///
    /// # Errors
    /// When it is no header, or a variable is not set.
    pub fn add(&mut self, line: &str) -> Result<(), Failure> {
        // What is no name may be a secret in the wrong place: it is not repeated.
        let parts = line.split_once(':').filter(|(name, _)| HeaderName::from_bytes(name.trim().as_bytes()).is_ok());
        let Some((name, value)) = parts else {
            let text = "a header is written NAME: VALUE, where NAME is of letters, digits and -";
            return Err(Failure::Usage(text.to_owned()));
        };
        let (value, variables) =
            filled(value.trim(), &|name| self.variable(name)).trying(format!("header {}", name.trim()))?;
        if variables.is_empty() {
            self.literal.push(name.trim().to_owned());
        }
        self.variables.extend(variables);
        self.headers.push((name.trim().to_owned(), Secret::new(value)));
        Ok(())
    }

    /// Adds one `NAME=VARIABLE`: a header whose value is that of a variable. Nothing of it is filled in by
    /// programs that fill in `${VARIABLE}` in the files that name this command.
    ///
    /// # Errors
    /// When it is no such pair, or the variable is not set or empty.
    pub fn add_from(&mut self, pair: &str) -> Result<(), Failure> {
        let (name, variable) = header_from(pair)?;
        let Some(value) = self.variable(variable) else {
            let why = format!("--header-from {name}: the environment variable `{variable}` is not set, or empty");
            return Err(Failure::Usage(why));
        };
        self.variables.insert(variable.to_owned());
        self.headers.push((name.to_owned(), Secret::new(value)));
        Ok(())
    }

    /// Adds the headers of a file, one a line; blank lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn add_file(&mut self, path: &Path) -> Result<(), Failure> {
        let text = std::fs::read_to_string(path).trying(path.display())?;
        let literal = std::mem::take(&mut self.literal);
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if !line.is_empty() && !line.starts_with('#') {
                self.add(line).trying(format_args!("{}:{number}", path.display()))?;
            }
        }
        // A file is where a literal secret belongs.
        self.literal = literal;
        Ok(())
    }

    fn variable(&self, name: &str) -> Option<String> {
        let given = self.given.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose().to_owned());
        given.filter(|value| !value.is_empty()).or_else(|| text_variable(name))
    }

    /// Puts the headers on an endpoint.
    ///
    /// # Errors
    /// When one of them cannot be sent.
    pub fn apply(&self, endpoint: &mut Endpoint) -> Result<(), Failure> {
        let mut all = self.headers.iter();
        all.try_for_each(|(name, value)| endpoint.add_header(name, value.expose()))
            .map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// What a command prints, without the end of its last line: a secret that lies where only that command gets it.
///
/// # Errors
/// When it cannot be started, fails, or prints nothing. What it prints is not repeated.
pub fn said_by(words: &[String], base: &Path) -> Result<Secret, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("name the program, then its arguments".to_owned());
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(if base.as_os_str().is_empty() { Path::new(".") } else { base });
    command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::inherit());
    let done = command.output().map_err(|error| format!("the command {program}: {error}"))?;
    if !done.status.success() {
        return Err(format!("the command {program} ended with {}", done.status));
    }
    let text = String::from_utf8(done.stdout).map_err(|_| format!("the command {program} prints no UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    match text.strip_suffix('\r').unwrap_or(text) {
        "" => Err(format!("the command {program} prints nothing")),
        text => Ok(Secret::new(text)),
    }
}

/// Replaces `${NAME}` by the variable's value and tells which variables were used.
pub fn expand(template: &str) -> Result<(String, BTreeSet<String>), String> {
    filled(template, &text_variable)
}

fn filled(template: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<(String, BTreeSet<String>), String> {
    let mut text = String::new();
    let mut used = BTreeSet::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            return Err("`${` is not closed by `}`".to_owned());
        };
        let value = variable(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))?;
        text.push_str(before);
        text.push_str(&value);
        used.insert(name.to_owned());
        rest = after;
    }
    text.push_str(rest);
    Ok((text, used))
}

/// A program with the environment that it inherits: everything but the gateway's own variables
/// and those that hold other servers' credentials.
///
/// # Errors
/// When no program is named.
pub fn command(
    words: &[OsString],
    env: Vec<(OsString, OsString)>,
    hidden: &BTreeSet<String>,
) -> Result<Command, Failure> {
    let Some((program, args)) = words.split_first() else {
        return Err(Failure::Usage("no program is named after --".to_owned()));
    };
    let env_remove = own_variables(|name| hidden.contains(name));
    Ok(Command { program: program.clone(), args: args.to_vec(), env, env_remove, cwd: None })
}

/// The variables that no program of a server inherits: the gateway's own, and what else is said.
pub fn own_variables(also: impl Fn(&str) -> bool) -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    let hidden = |name: &OsString| {
        let name = name.to_string_lossy();
        // What lets the gateway in at its collector of traces.
        let collector = name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("HEADERS");
        name.starts_with("TOOLGATE_") || collector || also(&name)
    };
    names.filter(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_and_named() {
        // PATH is set wherever tests run.
        let (text, used) = expand("Bearer ${PATH}!").unwrap();
        assert!(text.starts_with("Bearer ") && text.ends_with('!') && !text.contains("${"));
        assert!(used.contains("PATH"));
        assert!(expand("${NO_SUCH_VARIABLE_HERE}").unwrap_err().contains("NO_SUCH_VARIABLE_HERE"));
        assert!(expand("${OPEN").is_err());
    }
}
