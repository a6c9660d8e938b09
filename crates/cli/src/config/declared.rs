//! What a `toolgate.toml` declares of an instance: policies, servers and grants, by the names that they have there.
//!
//! Secrets are told by where they come from, and taken from there only when they are sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clients::{Secret, is_secret};
use serde_json::{Map, Value, json};
use store::control::servers::Transport;

use crate::args::TransportWord;

use super::{AcceptWord, Config, DenialsWord, GrantTable, NumbersWord, ServerTable};
use crate::env_file;
use crate::environment::{Headers, expand, said_by};
use crate::failure::{Failure, Trying};

/// The longest name of a policy.
const LONGEST: usize = 40;

/// Everything that a file declares.
#[derive(Debug)]
pub struct Declared {
    /// Policies by name.
    pub policies: BTreeMap<String, DeclaredPolicy>,
    /// Servers by name.
    pub servers: BTreeMap<String, DeclaredServer>,
    /// Grants, in their order.
    pub grants: Vec<DeclaredGrant>,
}

/// For what a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// It is brought about at an instance: what cannot be had there is refused.
    Instance,
    /// It is served, and shown as it is.
    View,
}

/// A policy.
#[derive(Debug)]
pub struct DeclaredPolicy {
    /// The file.
    pub file: PathBuf,
    /// What it says.
    pub text: String,
}

/// A server.
#[derive(Debug)]
pub struct DeclaredServer {
    /// How it is reached.
    pub reach: DeclaredReach,
    /// Headers or variables, whose values are secrets.
    pub secrets: BTreeMap<String, Origin>,
    /// What it is trusted with, as the API writes it.
    pub settings: Map<String, Value>,
    /// The policy of grants that have none of their own.
    pub policy: Option<String>,
    /// Classes of tools.
    pub classes: BTreeMap<String, &'static str>,
}

/// How a server is reached.
#[derive(Debug)]
pub enum DeclaredReach {
    /// An endpoint, and its transport where that need not be found out.
    Http(String, Option<Transport>),
    /// A program with its arguments.
    Child(Vec<String>),
}

/// Where a secret comes from.
#[derive(Debug)]
pub enum Origin {
    /// A text in which `${VARIABLE}` stands for a variable of the environment.
    Text(String),
    /// A command that prints it, and the folder in which it is started.
    Command(Vec<String>, PathBuf),
    /// A file, which was read.
    File(Secret),
}

impl Origin {
    /// The secret.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn value(&self) -> Result<Secret, String> {
        match self {
            Self::Text(text) => Ok(Secret::new(expand(text)?.0)),
            Self::Command(words, base) => said_by(words, base),
            Self::File(value) => Ok(value.clone()),
        }
    }
}

/// A grant. It is known by its label at any of its servers.
#[derive(Debug)]
pub struct DeclaredGrant {
    /// Its label.
    pub label: String,
    /// Where it leads.
    pub leads: DeclaredLeads,
    /// Who holds it.
    pub agent: String,
    /// Its own policy.
    pub policy: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What policies may read of it.
    pub tags: BTreeMap<String, String>,
    /// The networks from which it may be used.
    pub networks: Vec<String>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// Where its token is.
    pub token: TokenPlace,
}

/// Where a grant leads.
#[derive(Debug, PartialEq, Eq)]
pub enum DeclaredLeads {
    /// To one server.
    Server(String),
    /// To several, offered as one.
    Stack {
        /// In their order.
        servers: Vec<String>,
        /// Policies on single ones of them.
        policies: BTreeMap<String, String>,
        /// Those whose tools keep their own names.
        unprefixed: Vec<String>,
        /// Whether tools are found by searching.
        search: bool,
    },
}

impl DeclaredGrant {
    /// Its servers.
    pub fn servers(&self) -> &[String] {
        match &self.leads {
            DeclaredLeads::Server(server) => std::slice::from_ref(server),
            DeclaredLeads::Stack { servers, .. } => servers,
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        format!("{}/{}", self.servers().join("+"), self.label)
    }
}

/// Where the token of a grant is.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In this file: one that the instance mints is written there.
    File(PathBuf),
    /// Somewhere else, where nothing can be written.
    Elsewhere,
}

impl Config {
    /// What the file declares.
    ///
    /// # Errors
    /// When something of it cannot be had at an instance.
    pub fn declared(&self) -> Result<Declared, Failure> {
        self.read_for(Purpose::Instance)
    }

    /// The same of a file that is served, to be shown.
    ///
    /// # Errors
    /// When something of it cannot be read.
    pub fn view(&self) -> Result<Declared, Failure> {
        self.read_for(Purpose::View)
    }

    fn read_for(&self, purpose: Purpose) -> Result<Declared, Failure> {
        let mut policies = BTreeMap::new();
        let mut servers = BTreeMap::new();
        for (name, table) in &self.servers {
            let what = format!("server {name}");
            if !gateway::server::is_server_id(name) {
                return Err(Failure::Usage(format!("{what}: a server's name is 1 to 40 of a-z, 0-9 and -")));
            }
            let policy = table.policy.as_deref().map(|file| self.policy(file, &mut policies, purpose)).transpose()?;
            servers.insert(name.clone(), table.declared(policy, &self.base, purpose).trying(what)?);
        }
        let (mut grants, mut labels) = (Vec::new(), BTreeSet::new());
        for table in &self.grants {
            let what = format!("grant {}", table.label);
            let reaches = table.reaches().trying(&what)?;
            for server in &reaches {
                let what = format!("grant {server}/{}", table.label);
                if !servers.contains_key(*server) {
                    return Err(Failure::Usage(format!("{what}: there is no [servers.{server}]")));
                }
                if !labels.insert(((*server).to_owned(), table.label.clone())) {
                    return Err(Failure::Usage(format!("{what} is declared twice")));
                }
            }
            let mut name = |file: &PathBuf| self.policy(file, &mut policies, purpose);
            let policy = table.policy.as_ref().map(&mut name).transpose()?;
            let of_one = table.policies.iter().map(|(server, file)| Ok((server.clone(), name(file)?)));
            let of_one = of_one.collect::<Result<BTreeMap<_, _>, Failure>>()?;
            let leads = match &table.server {
                Some(server) => DeclaredLeads::Server(server.clone()),
                None => DeclaredLeads::Stack {
                    servers: reaches.iter().map(|server| (*server).to_owned()).collect(),
                    policies: of_one,
                    unprefixed: table.unprefixed.clone(),
                    search: table.search,
                },
            };
            grants.push(table.declared(leads, policy, &self.base, purpose).trying(&what)?);
        }
        Ok(Declared { policies, servers, grants })
    }

    /// The name of the policy in a file.
    fn policy(
        &self,
        file: &Path,
        policies: &mut BTreeMap<String, DeclaredPolicy>,
        purpose: Purpose,
    ) -> Result<String, Failure> {
        let path = self.base.join(file);
        let other = |name: &String| policies.get(name).is_some_and(|other| other.file != path);
        let name = match (policy_name(file), purpose) {
            (Some(name), _) if !other(&name) => name,
            // What is only shown needs some name.
            (_, Purpose::View) => {
                let known = policies.iter().find(|(_, policy)| policy.file == path);
                known.map_or_else(|| format!("policy-{}", policies.len() + 1), |(name, _)| name.clone())
            }
            (None, Purpose::Instance) => {
                let how = "its name becomes that of the policy, of which there is nothing left: name it otherwise";
                return Err(Failure::Usage(format!("the policy {}: {how}", path.display())));
            }
            (Some(name), Purpose::Instance) => {
                let other = policies.get(&name).map(|other| other.file.display().to_string()).unwrap_or_default();
                let one = path.display();
                return Err(Failure::Usage(format!("{one} and {other} would both be the policy {name}: rename one")));
            }
        };
        if !policies.contains_key(&name) {
            let text = std::fs::read_to_string(&path).trying(format!("the policy {}", path.display()))?;
            policies.insert(name.clone(), DeclaredPolicy { file: path, text });
        }
        Ok(name)
    }
}

/// The name of the policy in a file: `mail.ci.policy.json` is `mail-ci`.
fn policy_name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let stem = name.strip_suffix(".json").or_else(|| name.strip_suffix(".jsonc")).unwrap_or(name);
    let stem = stem.strip_suffix(".policy").unwrap_or(stem);
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter @ ('a'..='z' | '0'..='9') => letter,
        _ => '-',
    };
    let plain: String = stem.chars().map(letter).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    Some(parts.join("-")).filter(|name| (1..=LONGEST).contains(&name.len()))
}

impl ServerTable {
    fn declared(&self, policy: Option<String>, base: &Path, purpose: Purpose) -> Result<DeclaredServer, String> {
        let reach = match (&self.url, &self.command) {
            (Some(url), None) => DeclaredReach::Http(url.clone(), self.transport.and_then(TransportWord::said)),
            (None, Some(_)) if self.transport.and_then(TransportWord::said).is_some() => {
                return Err("`transport` is for a `url`".to_owned());
            }
            (None, Some(words)) if !words.is_empty() => DeclaredReach::Child(words.clone()),
            (None, Some(_)) => return Err("`command` names the program, then its arguments".to_owned()),
            _ => return Err("give it either `url` or `command`".to_owned()),
        };
        let (texts, commands, others) = match &reach {
            DeclaredReach::Http(..) => (&self.headers, &self.header_command, &self.env),
            DeclaredReach::Child(_) => (&self.env, &self.env_command, &self.headers),
        };
        let to_child = matches!(reach, DeclaredReach::Child(_));
        let wrong = if to_child { &self.header_file } else { &self.env_file };
        let wrong_command = if to_child { &self.header_command } else { &self.env_command };
        let misplaced = !others.is_empty() || wrong.is_some() || !wrong_command.is_empty();
        if misplaced && purpose == Purpose::Instance {
            return Err("headers are for a `url`, and variables for a `command`".to_owned());
        }
        let mut secrets = BTreeMap::new();
        for (name, text) in texts {
            // Whoever reads the file would have it, and so would everybody who reads its history.
            if purpose == Purpose::Instance && is_secret(name, text) {
                return Err(format!(
                    "the value of {name} stands in the file itself and looks like a secret: take it from the environment (${{VARIABLE}}), a file (header_file, env_file) or a command (header_command, env_command)"
                ));
            }
            secrets.insert(name.clone(), Origin::Text(text.clone()));
        }
        for (name, value) in self.in_files(to_child, base)? {
            secrets.insert(name, Origin::File(value));
        }
        for (name, words) in commands {
            secrets.insert(name.clone(), Origin::Command(words.clone(), base.to_path_buf()));
        }
        let classes = self.class.iter().map(|(tool, class)| (tool.clone(), class.class().as_str())).collect();
        Ok(DeclaredServer { reach, secrets, settings: self.settings()?, policy, classes })
    }

    fn in_files(&self, to_child: bool, base: &Path) -> Result<Vec<(String, Secret)>, String> {
        match (&self.env_file, &self.header_file) {
            (Some(file), _) if to_child => env_file::read(&base.join(file)).map_err(|why| format!("env_file: {why}")),
            (_, Some(file)) => {
                let mut headers = Headers::default();
                headers.add_file(&base.join(file)).map_err(|failure| failure.to_string())?;
                Ok(headers.headers)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What it is trusted with, as the API writes it. All that the file leaves out is as if it were not there.
    fn settings(&self) -> Result<Map<String, Value>, String> {
        let mut settings = Map::new();
        let mut set = |name: &str, value: Value| drop(settings.insert(name.to_owned(), value));
        set("exact_numbers", json!(matches!(self.numbers, Some(NumbersWord::Exact))));
        set("full_denials", json!(matches!(self.denials, Some(DenialsWord::Full))));
        set("accept_first", json!(self.accept == Some(AcceptWord::First)));
        set("accept_cosmetic", json!(self.accept_cosmetic));
        set("plain_http", json!(self.plain_http));
        let numbers = [
            ("calls_at_once", self.calls_at_once.and_then(|calls| u64::try_from(calls).ok())),
            ("connect_seconds", self.connect_seconds),
            ("first_byte_seconds", self.first_byte_seconds),
            ("idle_seconds", self.idle_seconds),
            ("list_bytes", self.list_bytes),
        ];
        for (name, number) in numbers {
            set(name, json!(number));
        }
        Ok(settings)
    }
}

impl GrantTable {
    fn declared(
        &self,
        leads: DeclaredLeads,
        policy: Option<String>,
        base: &Path,
        purpose: Purpose,
    ) -> Result<DeclaredGrant, String> {
        if self.anonymous && purpose == Purpose::Instance {
            return Err("an instance has no anonymous grants: leave `anonymous` out".to_owned());
        }
        let token = match &self.token_file {
            Some(file) => TokenPlace::File(base.join(file)),
            None => TokenPlace::Elsewhere,
        };
        Ok(DeclaredGrant {
            label: self.label.clone(),
            leads,
            agent: self.agent.clone().unwrap_or_else(|| self.label.clone()),
            policy,
            owner: self.owner.clone(),
            tags: self.tags.clone(),
            networks: self.networks.clone(),
            expires_at: self.expires_at.map(jiff::Timestamp::as_millisecond),
            token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str, files: &[(&str, &str)]) -> Result<Declared, String> {
        declared_in(&tempfile::tempdir().unwrap(), text, files)
    }

    fn declared_in(folder: &tempfile::TempDir, text: &str, files: &[(&str, &str)]) -> Result<Declared, String> {
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join("toolgate.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).and_then(|config| config.declared()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_policy_has_the_name_of_its_file() {
        for (file, name) in [
            ("mail.policy.json", Some("mail")),
            ("policies/mail.ci.policy.json", Some("mail-ci")),
            ("Read_Only.jsonc", Some("read-only")),
            ("policy.json", Some("policy")),
            ("ü.json", None),
            (".json", None),
        ] {
            assert_eq!(policy_name(Path::new(file)).as_deref(), name, "{file}");
        }
        assert_eq!(policy_name(Path::new(&format!("{}.json", "x".repeat(41)))), None);
    }

    #[test]
    fn everything_is_found_under_its_name() {
        let text = r#"
            [servers.mail]
            url = "https://mail.example.com/mcp"
            headers = { Authorization = "Bearer ${MAIL_TOKEN}", X-Mode = "plain" }
            header_command = { X-Key = ["sh", "-c", "echo k"] }
            policy = "mail.policy.json"
            numbers = "exact"
            class = { send = "execute" }
            [[grants]]
            label = "ci"
            server = "mail"
            policy = "mail.ci.policy.json"
            token_file = "ci.token"
            agent = "builder"
        "#;
        let folder = tempfile::tempdir().unwrap();
        let files = [("mail.policy.json", "{}"), ("mail.ci.policy.json", "{ }")];
        let found = declared_in(&folder, text, &files).unwrap();
        assert_eq!(found.policies.keys().collect::<Vec<_>>(), ["mail", "mail-ci"]);
        let mail = &found.servers["mail"];
        assert_eq!(mail.secrets.keys().collect::<Vec<_>>(), ["Authorization", "X-Key", "X-Mode"]);
        assert_eq!(mail.secrets["X-Key"].value().unwrap().expose(), "k");
        // No variable need be set to say what is declared.
        assert!(mail.secrets["Authorization"].value().unwrap_err().contains("MAIL_TOKEN"));
        assert_eq!((mail.policy.as_deref(), &mail.settings["exact_numbers"]), (Some("mail"), &json!(true)));
        assert_eq!(mail.classes["send"], "execute");
        let grant = &found.grants[0];
        assert_eq!(grant.name(), "mail/ci");
        assert_eq!((grant.agent.as_str(), grant.policy.as_deref()), ("builder", Some("mail-ci")));
        assert!(matches!(&grant.token, TokenPlace::File(file) if file.ends_with("ci.token")));
    }

    #[test]
    fn what_no_instance_can_have_is_refused_with_what_to_do() {
        let server = |rest: &str| format!("[servers.mail]\nurl = \"https://mail.example.com\"\n{rest}\n");
        let grant = |rest: &str| server("") + "[[grants]]\nlabel = \"a\"\nserver = \"mail\"\n" + rest;
        let table = [
            (server("headers = { Authorization = \"Bearer sk-hidden-0123456789\" }"), "from the environment"),
            (server("env = { A = \"b\" }"), "variables for a `command`"),
            (server("command = [\"x\"]"), "either `url` or `command`"),
            ("[servers.mail]\ncommand = [\"x\"]\ntransport = \"sse\"\n".to_owned(), "`transport` is for a `url`"),
            (grant("anonymous = true"), "no anonymous grants"),
            (grant("") + "\n[[grants]]\nlabel = \"a\"\nserver = \"mail\"\n", "declared twice"),
            ("[[grants]]\nlabel = \"a\"\nserver = \"b\"\n".to_owned(), "no [servers.b]"),
            ("[servers.Mail]\nurl = \"https://a\"\n".to_owned(), "1 to 40"),
        ];
        for (text, said) in table {
            let why = declared(&text, &[]).unwrap_err();
            assert!(why.contains(said) && !why.contains("hidden"), "{text}: {why}");
        }
        let two = server("policy = \"a.json\"") + "[[grants]]\nlabel = \"a\"\nserver = \"mail\"\npolicy = \"A.json\"\n";
        let why = declared(&two, &[("a.json", "{}"), ("A.json", "{}")]).unwrap_err();
        assert!(why.contains("rename one"), "{why}");
    }
}
