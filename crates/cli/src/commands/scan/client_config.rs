//! Servers in the configuration of an MCP client: in JSON, `mcpServers` of Claude and Cursor, `servers` or
//! `mcp.servers` of VS Code; in TOML and YAML, as the table of clients says. Nothing here starts or asks anything.

use std::collections::BTreeMap;
use std::path::Path;

use clients::{Client, Document, Format, Launch, PathPattern, Surface, Table};
use serde_json::{Map, Value};

/// One entry of a configuration, as it is written there: variables are not yet filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key that it stands under.
    pub name: String,
    /// How the server is reached.
    pub way: Way,
    /// What the entry asks for that a scan does not do.
    pub ignored: Vec<&'static str>,
}

/// How an entry reaches its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A program.
    Program {
        /// The command and its arguments.
        words: Vec<String>,
        /// Variables that it gets.
        env: BTreeMap<String, String>,
        /// The folder in which it is started, if it is another one.
        cwd: Option<String>,
    },
    /// A Streamable HTTP endpoint.
    Url {
        /// Where.
        url: String,
        /// Headers that it gets.
        headers: BTreeMap<String, String>,
    },
    /// Nothing that can be scanned, and why.
    Not(String),
}

impl Way {
    /// How an entry of a client is reached, in a folder if it names one.
    pub fn of(launch: &Launch, cwd: Option<&str>) -> Self {
        let exposed = |pairs: &[(String, clients::Secret)]| {
            pairs.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
        };
        match launch {
            Launch::Stdio { command, args, env } => {
                let words = std::iter::once(command).chain(args).cloned().collect();
                Self::Program { words, env: exposed(env), cwd: cwd.map(str::to_owned) }
            }
            Launch::Http { url, headers } => Self::Url { url: url.clone(), headers: exposed(headers) },
            Launch::Other(why) => Self::Not(why.to_string()),
        }
    }
}

/// Reads the entries of a configuration, in its order, as the end of its name says. Entries that are switched off are
/// left out.
///
/// # Errors
/// A sentence, when the text is no such configuration.
pub fn read(path: &Path, text: &str, table: &Table) -> Result<Vec<Entry>, String> {
    let of = |formats| Clients { path, table, formats };
    match path.extension().and_then(|end| end.to_str()) {
        Some("yaml" | "yml") => of(&[Format::Yaml]).read(text),
        Some("toml") => of(&[Format::Toml]).read(text),
        _ => {
            let clients = of(&[Format::Jsonc, Format::Json]);
            match json(text) {
                Ok(entries) => Ok(clients.own_ways(text, entries)),
                Err(why) => clients.read(text).map_err(|_| why),
            }
        }
    }
}

/// How the clients of a table read a file.
struct Clients<'a> {
    path: &'a Path,
    table: &'a Table,
    /// What the file may be written in; the first takes all that the others take.
    formats: &'a [Format],
}

impl Clients<'_> {
    /// Whether a client keeps its servers in files whose last so many names are those of the file.
    fn is_named(&self, surface: &Surface, names: usize) -> bool {
        let last = |path: &str| path.rsplit('/').take(names).map(str::to_owned).collect::<Vec<_>>();
        let own = last(&self.path.to_string_lossy());
        surface.path.iter().map(|path| last(path)).any(|path| {
            path.len() == own.len() && path.iter().zip(&own).all(|(pattern, name)| PathPattern::matches(pattern, name))
        })
    }

    fn surfaces(&self) -> Vec<(&Client, &Surface)> {
        let all = self.table.clients.iter().flat_map(|client| client.surfaces.iter().map(move |one| (client, one)));
        all.filter(|(_, surface)| self.formats.contains(&surface.format)).collect()
    }

    fn document(&self, text: &str) -> Result<Document, String> {
        let format = self.formats.first().copied().ok_or("it is in no format that is known")?;
        Document::read(format, text.as_bytes()).map_err(|bad| bad.to_string())
    }

    /// The entries as the first client reads them that finds any: those first whose files have that name.
    fn read(&self, text: &str) -> Result<Vec<Entry>, String> {
        let document = self.document(text)?;
        let mut all = self.surfaces();
        all.sort_by_key(|(_, surface)| !self.is_named(surface, 1));
        let mut known: Vec<String> = Vec::new();
        for (client, surface) in all {
            let entries = document.entries(client, surface).map_err(|bad| bad.to_string())?;
            if !entries.is_empty() {
                let used = entries.iter().filter(|entry| entry.enabled);
                let used = used.map(|entry| Entry {
                    name: entry.key.clone(),
                    way: Way::of(&entry.launch, entry.cwd.as_deref()),
                    ignored: Vec::new(),
                });
                return Ok(used.collect());
            }
            let place = format!("`{}` ({})", surface.pointer.join("."), client.name);
            if !known.contains(&place) {
                known.push(place);
            }
        }
        Err(format!("it names no servers: in such a file they stand under {}", known.join(" or ")))
    }

    /// Entries that the common form cannot tell, as the client tells them whose file it is.
    fn own_ways(&self, text: &str, mut entries: Vec<Entry>) -> Vec<Entry> {
        let Ok(document) = self.document(text) else { return entries };
        let own = self.surfaces().into_iter().filter(|(_, surface)| self.is_named(surface, 2));
        let own: Vec<_> =
            own.filter_map(|(client, surface)| document.entries(client, surface).ok()).flatten().collect();
        for entry in entries.iter_mut().filter(|entry| matches!(entry.way, Way::Not(_))) {
            let known = own.iter().find(|known| known.key == entry.name && !matches!(known.launch, Launch::Other(_)));
            if let Some(known) = known {
                entry.way = Way::of(&known.launch, known.cwd.as_deref());
            }
        }
        entries
    }
}

/// Reads the entries of a configuration in JSON.
fn json(text: &str) -> Result<Vec<Entry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let whole: Value = jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default())
        .map_err(|error| format!("it is not JSON, also with comments allowed: {error}"))?;
    let places = [
        whole.get("mcpServers"),
        whole.get("servers"),
        whole.get("mcp").and_then(|mcp| mcp.get("servers")),
        whole.get("mcp.servers"),
    ];
    let mut found = places.into_iter().flatten().filter_map(Value::as_object).peekable();
    if found.peek().is_none() {
        return Err(
            "it names no servers: they stand under `mcpServers` (Claude, Cursor), `servers` or `mcp.servers` (VS Code)"
                .to_owned(),
        );
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (name, value) in found.flatten() {
        if value.get("disabled").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        if entries.iter().any(|entry| entry.name == *name) {
            return Err(format!("it names the server {} in two places", audit::visible::word(name)));
        }
        entries.push(entry(name, value));
    }
    Ok(entries)
}

fn entry(name: &str, value: &Value) -> Entry {
    let ignored = ["envFile", "headersHelper"].into_iter().filter(|key| value.get(key).is_some()).collect();
    let way = match value.as_object() {
        Some(members) => way(members).unwrap_or_else(Way::Not),
        None => Way::Not("the entry is no object".to_owned()),
    };
    Entry { name: name.to_owned(), way, ignored }
}

fn way(members: &Map<String, Value>) -> Result<Way, String> {
    let kind = members.get("type").and_then(Value::as_str);
    let command = members.get("command").and_then(Value::as_str);
    let url = members.get("url").and_then(Value::as_str);
    match (kind, command, url) {
        (Some("stdio" | "local") | None, Some(command), None) => {
            let mut words = vec![command.to_owned()];
            if let Some(args) = members.get("args") {
                let args = args.as_array().ok_or("`args` is no array")?;
                for arg in args {
                    words.push(arg.as_str().ok_or("`args` holds something that is no string")?.to_owned());
                }
            }
            let cwd = members.get("cwd").filter(|cwd| !cwd.is_null());
            let cwd = cwd.map(|cwd| cwd.as_str().ok_or("`cwd` is no string")).transpose()?.map(str::to_owned);
            Ok(Way::Program { words, env: texts(members, "env")?, cwd })
        }
        (Some("http" | "streamable-http" | "streamableHttp" | "sse") | None, None, Some(url)) => {
            Ok(Way::Url { url: url.to_owned(), headers: texts(members, "headers")? })
        }
        (None, Some(_), Some(_)) => Err("it has both `command` and `url`".to_owned()),
        (None, None, None) => Err("it has neither `command` nor `url`".to_owned()),
        (Some("stdio" | "local"), None, _) => Err("it has no `command`".to_owned()),
        (Some("http" | "streamable-http" | "streamableHttp" | "sse"), _, None) => Err("it has no `url`".to_owned()),
        (Some(kind), _, _) => Err(format!(
            "its type {} is none of stdio, http and sse, or does not go with the rest",
            audit::visible::word(kind)
        )),
    }
}

fn texts(members: &Map<String, Value>, key: &str) -> Result<BTreeMap<String, String>, String> {
    let Some(value) = members.get(key).filter(|value| !value.is_null()) else { return Ok(BTreeMap::new()) };
    let object = value.as_object().ok_or_else(|| format!("`{key}` is no object"))?;
    let text = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            // Clients take these for their text.
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(format!("`{key}.{}` is no string", audit::visible::shown(name))),
        };
        Ok((name.clone(), text))
    };
    object.iter().map(text).collect()
}

/// Fills in what clients fill in: `${NAME}`, `${NAME:-otherwise}`, `${env:NAME}`, `${userHome}` and
/// `${workspaceFolder}`. `variable` gives a variable's value. The names that were used are added to `used`.
///
/// # Errors
/// A sentence, when something cannot be filled in.
pub fn expand(
    template: &str,
    workspace: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    used: &mut Vec<String>,
) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, after) = after.split_once('}').ok_or("`${` is not closed by `}`")?;
        text.push_str(before);
        rest = after;
        match inner {
            "workspaceFolder" => text.push_str(workspace),
            "userHome" => text.push_str(&variable("HOME").ok_or("there is no home directory for ${userHome}")?),
            _ if inner.starts_with("input:") => {
                return Err(format!(
                    "${{{}}} is asked for by the client: scan this server by --upstream or -- COMMAND instead",
                    audit::visible::shown(inner)
                ));
            }
            _ => {
                let inner = inner.strip_prefix("env:").unwrap_or(inner);
                let (name, otherwise) = match inner.split_once(":-") {
                    Some((name, otherwise)) => (name, Some(otherwise.to_owned())),
                    None => (inner, None),
                };
                let value = variable(name);
                if value.is_some() {
                    used.push(name.to_owned());
                }
                let value = value
                    .or(otherwise)
                    .ok_or_else(|| format!("the environment variable {} is not set", audit::visible::word(name)))?;
                text.push_str(&value);
            }
        }
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_form_is_read() {
        let program = Way::Program {
            words: vec!["npx".into(), "-y".into(), "x".into()],
            env: BTreeMap::from([("K".into(), "v".into()), ("N".into(), "1".into())]),
            cwd: Some("/".into()),
        };
        let url = Way::Url { url: "https://e.test/mcp".into(), headers: BTreeMap::from([("A".into(), "b".into())]) };
        let entries = r#"{
            // what it is
            "one": { "command": "npx", "args": ["-y", "x"], "env": { "K": "v", "N": 1 }, "cwd": "/", "envFile": ".env" },
            "two": { "type": "http", "url": "https://e.test/mcp", "headers": { "A": "b" } }, /* and */
            "off": { "command": "never", "disabled": true },
        }"#;
        for text in [
            format!(r#"{{ "mcpServers": {entries} }}"#),
            format!(r#"{{ "servers": {entries}, "inputs": [] }}"#),
            format!(r#"{{ "editor.fontSize": 12, "mcp": {{ "servers": {entries} }} }}"#),
        ] {
            let entries = json(&text).unwrap();
            assert_eq!(entries.len(), 2, "{text}");
            assert_eq!((entries[0].name.as_str(), &entries[0].way), ("one", &program));
            assert_eq!(entries[0].ignored, ["envFile"]);
            assert_eq!(entries[1].way, url);
        }
    }

    #[test]
    fn what_cannot_be_scanned_says_why() {
        let why = |entry: &str| match json(&format!(r#"{{"mcpServers":{{"x":{entry}}}}}"#)).unwrap().remove(0).way {
            Way::Not(why) => why,
            way => panic!("{way:?}"),
        };
        assert!(why(r#"{"type":"sse"}"#).contains("no `url`"));
        assert!(why("{}").contains("neither"));
        assert!(why("7").contains("no object"));
        assert!(why(r#"{"command":"a","url":"b"}"#).contains("both"));
        assert!(why(r#"{"command":"a","args":"b"}"#).contains("args"));
        assert!(why(r#"{"command":"a","args":[1]}"#).contains("args"));
        assert!(why(r#"{"type":"carrier-pigeon","url":"b"}"#).contains("carrier-pigeon"));
        assert!(json("{}").unwrap_err().contains("mcpServers"));
        assert!(json("{").is_err());
    }

    #[test]
    fn variables_are_filled_in() {
        let variable = |name: &str| (name == "KEY").then(|| "v".to_owned());
        let mut used = Vec::new();
        let mut fill = |text: &str| expand(text, "/w", &variable, &mut used);
        assert_eq!(fill("a${KEY}b${env:KEY}c${workspaceFolder}").unwrap(), "avbvc/w");
        assert_eq!(fill("${NO:-d}${KEY:-d}").unwrap(), "dv");
        for bad in ["${NO}", "${input:token}", "${", "${userHome}"] {
            assert!(fill(bad).is_err(), "{bad}");
        }
        assert_eq!(used, ["KEY", "KEY", "KEY"]);
    }

    #[test]
    fn what_the_common_form_cannot_tell_is_read_as_the_client_does() {
        let table = Table::compiled().unwrap();
        let url = Way::Url { url: "https://e.test/mcp".into(), headers: [].into() };
        let read = |path: &str, text: &str| read(Path::new(path), text, &table).map(|mut all| all.remove(0).way);
        for (path, text) in [
            ("/h/.gemini/settings.json", r#"{"mcpServers":{"a":{"httpUrl":"https://e.test/mcp"}}}"#),
            ("/h/.codeium/windsurf/mcp_config.json", r#"{"mcpServers":{"a":{"serverUrl":"https://e.test/mcp"}}}"#),
            ("/h/.config/zed/settings.json", r#"{"context_servers":{"a":{"url":"https://e.test/mcp"}} /* mine */}"#),
            ("/h/.cursor/mcp.json", r#"{"mcpServers":{"a":{"type":"sse","url":"https://e.test/mcp"}}}"#),
            ("/h/opencode.json", r#"{"mcp":{"a":{"type":"remote","url":"https://e.test/mcp"}}}"#),
        ] {
            assert_eq!(read(path, text).unwrap(), url, "{path}");
        }
        // What only looks like the file of another client is told by nobody.
        let unknown = read("/h/settings.json", r#"{"mcpServers":{"a":{"httpUrl":"https://e.test/mcp"}}}"#);
        assert!(matches!(unknown, Ok(Way::Not(_))), "{unknown:?}");
        assert!(read("/h/x.json", "{}").unwrap_err().contains("mcpServers"));
    }

    #[test]
    fn yaml_and_toml_are_read_as_their_clients_do() {
        let table = Table::compiled().unwrap();
        let program = |words: &[&str]| Way::Program {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            env: [("K".to_owned(), "v".to_owned())].into(),
            cwd: None,
        };
        let goose = "extensions:\n  one:\n    type: stdio\n    cmd: npx\n    args: [-y, a]\n    envs: { K: v }\n  off:\n    type: stdio\n    cmd: never\n    enabled: false\n  web: { type: streamable_http, uri: 'https://e.test/mcp' }\n";
        let continued = "name: x\nmcpServers:\n  - name: one\n    command: npx\n    args: [-y, a]\n    env: { K: v }\n";
        let codex = "[mcp_servers.one]\ncommand = \"npx\"\nargs = [\"-y\", \"a\"]\nenv = { K = \"v\" }\n";
        for (name, text, number) in [
            ("config.yaml", goose, 2),
            ("config.yaml", continued, 1),
            ("mine.yml", continued, 1),
            ("config.toml", codex, 1),
        ] {
            let entries = read(Path::new(name), text, &table).unwrap();
            assert_eq!(entries.len(), number, "{name}: {entries:?}");
            assert_eq!((entries[0].name.as_str(), &entries[0].way), ("one", &program(&["npx", "-y", "a"])), "{name}");
        }
        let why = |name: &str, text: &str| read(Path::new(name), text, &table).unwrap_err();
        assert!(why("config.yaml", "a: 1\n").contains("`extensions` (Goose)"), "{}", why("config.yaml", "a: 1\n"));
        assert!(why("config.yaml", "a: [").contains("line 1"), "{}", why("config.yaml", "a: ["));
        assert!(why("config.toml", "a = 1\n").contains("`mcp_servers` (Codex"), "{}", why("config.toml", "a = 1\n"));
    }
}
