//! Servers in a client's configuration that somebody pasted: which they are, and nothing else of it.
//!
//! Only what names a server is taken: the key that it stands under, the package that its command starts,
//! host and path of its URL. Variables, headers, other arguments, queries and user names are never looked
//! at, and no message quotes the text.

mod command;
mod text;

use serde_json::{Map, Value};
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use crate::identity::Identity;
use crate::scanned::seen;

/// The most entries that are looked for.
pub const ENTRIES: usize = 64;

/// How deep a configuration may lie within others.
const DEPTH: usize = 6;

/// Keys under which clients keep servers: Claude, Cursor, Gemini and most others; VS Code; Zed; Codex; Crush
/// and OpenCode; Amp; Goose.
const PLACES: [&str; 8] =
    ["mcpServers", "servers", "context_servers", "mcp_servers", "mcp", "mcp.servers", "amp.mcpServers", "extensions"];

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// The key that it stands under; empty where there is none. It is the owner's word: pages never show it.
    pub key: String,
    /// What it surely is, where the entry says so.
    pub identity: Option<Identity>,
    /// What it may be called, where nothing surer is said: its key, and its program.
    pub names: Vec<String>,
}

/// Why a text cannot be read. The text is never quoted: it may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPaste {
    /// It is neither JSON nor TOML nor YAML.
    #[error(
        "The text cannot be read from line {line}, column {column} on. JSON (with comments), TOML and YAML are read; for other formats add the servers by name."
    )]
    At {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// There are no servers in it.
    #[error(
        "The text names no servers. They stand under `mcpServers` (Claude, Cursor, Continue), `servers` (VS Code), `context_servers` (Zed), `extensions` (Goose) or `[mcp_servers.NAME]` (Codex)."
    )]
    NoServers,
}

/// Reads the entries of a configuration. Those that are switched off are left out.
///
/// # Errors
/// [`BadPaste`].
pub fn read(text: &str) -> Result<Vec<Pasted>, BadPaste> {
    let text = text.trim_start_matches('\u{feff}');
    let whole = text::parsed(text)?;
    let mut entries = Vec::new();
    search(&whole, 0, &mut entries);
    // Some paste what stands within the braces of `mcpServers`, or one entry of it.
    if entries.is_empty() {
        table(&whole, 0, &mut entries);
        entries.extend(whole.as_object().and_then(|members| entry("", members)));
    }
    if entries.is_empty() { Err(BadPaste::NoServers) } else { Ok(entries) }
}

/// The server of an entry, if it is known and `shows` lets it be seen.
///
/// # Errors
/// [`BadDatabase`].
pub async fn server_of(
    catalogue: &Catalogue,
    pasted: &Pasted,
    shows: impl Fn(&Server) -> bool,
) -> Result<Option<Server>, BadDatabase> {
    if let Some(identity) = &pasted.identity {
        let mut best = None;
        // Where nobody knows its tools, what the operator saw of it says more.
        for identity in [identity.clone(), seen(identity)] {
            let known = catalogue.server_of(&identity.to_string()).await?;
            let Some(server) = known.filter(|server| shows(server)) else { continue };
            if !catalogue.tools_of(server.id).await?.is_empty() {
                return Ok(Some(server));
            }
            best = best.or(Some(server));
        }
        return Ok(best);
    }
    for name in &pasted.names {
        let mut named = catalogue.servers_named(name).await?;
        named.retain(|server| shows(server));
        let own = named.iter().position(|server| server.slug == name.to_lowercase());
        match (own, named.len()) {
            (Some(place), _) => return Ok(named.into_iter().nth(place)),
            (None, 1) => return Ok(named.pop()),
            // Of several with one name, nobody can say which is meant.
            _ => {}
        }
    }
    Ok(None)
}

/// The package that a command starts, or the endpoint that it leads to, where that can be told.
#[must_use]
pub fn started(words: &[&str]) -> Option<Identity> {
    match command::started(words) {
        command::Started::Known(identity) => Some(identity),
        command::Started::Program(_) => None,
    }
}

/// The endpoint of a URL: no user, query or fragment.
#[must_use]
pub fn reached(url: &str) -> Option<Identity> {
    place(url).as_deref().and_then(Identity::endpoint)
}

/// Looks for the places of servers, at any depth that clients use.
fn search(value: &Value, depth: usize, entries: &mut Vec<Pasted>) {
    let Some(members) = value.as_object().filter(|_| depth < DEPTH) else { return };
    for (key, value) in members {
        if PLACES.contains(&key.as_str()) {
            table(value, depth + 1, entries);
        } else if value.is_object() && !matches!(key.as_str(), "env" | "headers" | "inputs") {
            search(value, depth + 1, entries);
        }
    }
}

/// Takes the entries of a table: a map by name, or a list with names.
fn table(value: &Value, depth: usize, entries: &mut Vec<Pasted>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let Some(within) = value.as_object() else { continue };
                match entry(name, within) {
                    Some(pasted) => entries.push(pasted),
                    None if PLACES.contains(&name.as_str()) => table(value, depth + 1, entries),
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            for within in items.iter().filter_map(Value::as_object) {
                entries.extend(entry(within.get("name").and_then(Value::as_str).unwrap_or_default(), within));
            }
        }
        _ => {}
    }
}

fn entry(name: &str, members: &Map<String, Value>) -> Option<Pasted> {
    let flag = |key: &str| members.get(key).and_then(Value::as_bool);
    if flag("disabled") == Some(true) || flag("enabled") == Some(false) {
        return None;
    }
    // Cline keeps how a server is reached in a table of its own.
    let members = members.get("transport").and_then(Value::as_object).unwrap_or(members);
    let key = name.trim().to_owned();
    let url = ["url", "serverUrl", "httpUrl", "uri"].iter().find_map(|key| members.get(*key)?.as_str());
    if let Some(url) = url {
        let identity = reached(url);
        // A URL that nobody knows is another server, whatever its key says.
        return Some(Pasted { key, identity, names: Vec::new() });
    }
    let words = words(members)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (identity, names) = match command::started(&words) {
        command::Started::Known(identity) => (Some(identity), Vec::new()),
        command::Started::Program(program) => (None, named(name).into_iter().chain(program).collect()),
    };
    Some(Pasted { key, identity, names })
}

fn named(name: &str) -> Vec<String> {
    let name = name.trim();
    if name.is_empty() { Vec::new() } else { vec![name.to_owned()] }
}

/// The words of a command, as clients write it: a text and a list, one list, or a table.
fn words(members: &Map<String, Value>) -> Option<Vec<String>> {
    let command = members.get("command").or_else(|| members.get("cmd"))?;
    let (command, args) = match command.as_object() {
        Some(within) => (within.get("path")?, within.get("args")),
        None => (command, members.get("args")),
    };
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut words = match command {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        list => texts(list),
    };
    words.extend(args.map(texts).unwrap_or_default());
    if words.is_empty() { None } else { Some(words) }
}

/// Host and path of a URL: no user, query or fragment.
fn place(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let shown = |one: Pasted| one.identity.map_or_else(|| one.names.join("|"), |identity| identity.to_string());
        read(text).unwrap_or_default().into_iter().map(shown).collect()
    }

    #[test]
    fn every_client_form_is_read() {
        let entry = r#""a": { "command": "npx", "args": ["-y", "pkg"], "env": { "url": "https://no.test/mcp" } }"#;
        for text in [
            format!(r#"{{ "mcpServers": {{ {entry} }} }}"#),
            format!(r#"{{ "servers": {{ {entry} }}, "inputs": [{{ "type": "command", "command": "x" }}] }}"#),
            format!(r#"{{ "mcp": {{ "servers": {{ {entry} }} }} }}"#),
            format!(r#"{{ "context_servers": {{ {entry} }}, "theme": {{ "mode": "dark" }} }}"#),
            format!(r#"{{ "projects": {{ "/home/x": {{ "mcpServers": {{ {entry} }} }} }} }}"#),
            format!("// mine\n{{ {entry}, }}"),
            entry.to_owned(),
            r#"{ "command": "npx", "args": ["pkg"] }"#.to_owned(),
            r#"{ "mcp": { "a": { "type": "local", "command": ["npx", "-y", "pkg"] } } }"#.to_owned(),
            r#"{ "context_servers": { "a": { "command": { "path": "npx", "args": ["pkg"] } } } }"#.to_owned(),
            r#"{ "mcpServers": [{ "name": "a", "command": "npx -y pkg" }] }"#.to_owned(),
            "# mine\nextensions:\n  a:\n    type: stdio\n    cmd: npx\n    args: [-y, pkg]\n    envs: { KEY: v }\n  developer:\n    type: builtin\n    enabled: true\n".to_owned(),
            "name: Mine\nmcpServers:\n  - name: a\n    type: stdio\n    command: npx\n    args:\n      - -y\n      - pkg\n    env:\n      KEY: ${{ secrets.X }}\n".to_owned(),
            "---\nmcp_servers:\n  a: { command: npx, args: [pkg] }\n  b: { command: npx, args: [other], enabled: false }\n".to_owned(),
            "[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"-y\", \"pkg\"]\n[mcp_servers.a.env]\nK = \"v\"\n".to_owned(),
        ] {
            assert_eq!(said(&text), ["npm:pkg"], "{text}");
        }
        for key in ["url", "serverUrl", "httpUrl"] {
            let text = format!(r#"{{"mcpServers":{{"a":{{"{key}":"https://u:p@e.test/mcp?token=1#x"}}}}}}"#);
            assert_eq!(said(&text), ["endpoint:e.test/mcp"]);
        }
        assert_eq!(said(r#"{"mcpServers":{"files":{"command":"/opt/bin/files-mcp"}}}"#), ["files|files-mcp"]);
        assert_eq!(read(r#"{"mcpServers":{"a":{"command":"x","disabled":true}}}"#), Err(BadPaste::NoServers));
    }

    #[test]
    fn what_cannot_be_read_says_where_and_quotes_nothing() {
        for (text, line, column) in [
            ("{\n  \"mcpServers\": sk-secret\n}", 2, 17),
            ("[mcp_servers.a]\ncommand = sk-secret\n", 2, 11),
            ("mcpServers:\n  a: { command: sk-secret\nb: [\n", 3, 2),
        ] {
            let Err(error @ BadPaste::At { .. }) = read(text) else { panic!("{text}") };
            assert_eq!(error, BadPaste::At { line, column }, "{text}");
            assert!(!error.to_string().contains("secret"));
        }
        assert!(read(&"[".repeat(100_000)).is_err() && read(&"{\"a\":".repeat(40_000)).is_err());
        assert_eq!(read("{}"), Err(BadPaste::NoServers));
        assert_eq!(read(""), Err(BadPaste::NoServers));
    }

    #[test]
    fn a_text_that_grows_as_it_is_read_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for depth in 1..12 {
            let other = format!("*a{}, ", depth - 1).repeat(10);
            bomb.push_str(&format!("a{depth}: &a{depth} [{other}]\n"));
        }
        for text in [bomb, format!("a: {}", "[".repeat(10_000)), "a:\n".to_owned() + &"- - - - - - - -".repeat(5_000)] {
            let begun = std::time::Instant::now();
            assert!(read(&text).is_err());
            assert!(begun.elapsed().as_secs() < 20);
        }
    }
}
