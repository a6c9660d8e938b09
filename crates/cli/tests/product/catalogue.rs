//! `toolgate catalogue`: files become a catalogue that is searched, shown and checked.

mod agents;
mod checks;
mod crawls;
mod ends;
mod impostors;
mod lines;
mod overrides;
mod privacy;
mod registry;
mod scans;
mod snapshots;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pages::Pages;
use crate::setup::EXE;

/// A folder with files and a data directory.
struct Place {
    folder: TempDir,
}

/// What a command said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn file(&self, name: &str, lines: &[String]) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, lines.join("\n") + "\n")?;
        Ok(path)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(EXE);
        command.arg("catalogue").args(words).arg("--data").arg(self.folder.path().join("data"));
        command.stdin(Stdio::null()).env("COLUMNS", "120");
        command
    }

    fn say(&self, words: &[&str]) -> anyhow::Result<Said> {
        let output = self.command(words).output()?;
        Ok(Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    /// A command that needs no data directory.
    fn bare(&self, words: &[&str]) -> anyhow::Result<Said> {
        let output = Command::new(EXE).arg("catalogue").args(words).stdin(Stdio::null()).output()?;
        Ok(Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }

    fn json(&self, words: &[&str]) -> anyhow::Result<Value> {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let said = self.say(&words)?;
        serde_json::from_str(&said.out).with_context(|| format!("{words:?}: {said:?}"))
    }

    /// A small catalogue.
    fn filled() -> anyhow::Result<Self> {
        let place = Self::new()?;
        place.file("servers.jsonl", &servers())?;
        place.file("tools.jsonl", &tools())?;
        let said = place.import()?;
        ensure!(said.code == Some(0), "{said:?}");
        Ok(place)
    }

    fn import(&self) -> anyhow::Result<Said> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        self.say(&["import", "--json", "--servers", &path("servers.jsonl"), "--tools", &path("tools.jsonl")])
    }
}

fn servers() -> Vec<String> {
    [
        json!({ "name": "Leads", "description": "A CRM", "repository": "https://github.com/One/Leads-MCP.git",
                "package": "leads-mcp", "registry": "npm", "sources": ["npm list"] }),
        // The same repository, written otherwise.
        json!({ "name": "one/leads-mcp", "repository": "http://www.github.com/one/leads-mcp/", "licence": "MIT",
                "sources": ["a list"] }),
        json!({ "name": "Copy", "repository": "https://github.com/two/leads-mcp", "sources": ["a list"] }),
        json!({ "name": "Files", "package": "files-mcp", "registry": "pypi", "description": "Ficheiros e pastas para todos" }),
        json!({ "name": "Bare", "package": "bare", "registry": "npm" }),
    ]
    .iter()
    .map(ToString::to_string)
    .chain(["{ not json".to_owned(), json!({ "sources": ["x"] }).to_string()])
    .collect()
}

fn tools() -> Vec<String> {
    let tool = |server: &str, name: &str, description: &str| {
        json!({ "server": server, "name": name, "description": description,
                "input_schema": { "type": "object", "properties": { "id": { "type": "string" } } } })
    };
    let mut lines = vec!["[]".to_owned()];
    for server in ["one/leads-mcp", "two/leads-mcp"] {
        lines.push(tool(server, "update_lead", "Update a lead").to_string());
        lines.push(tool(server, "delete_lead", "Permanently delete a lead").to_string());
        lines.push(tool(server, "list_leads", "List all leads").to_string());
    }
    lines.push(tool("nobody/knows", "excluirUsuario", "Exclui um usuário").to_string());
    lines.push(tool("nobody/knows", "listar_arquivos", "Lista os arquivos").to_string());
    lines.push(json!({ "server": "nobody/knows", "name": "${PREFIX}_x", "description": "" }).to_string());
    lines.push(json!({ "server": "nobody/knows", "name": "## Usage", "description": "" }).to_string());
    lines
}

#[test]
fn an_import_is_repeated_without_a_change() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.file("servers.jsonl", &servers())?;
    place.file("tools.jsonl", &tools())?;
    let first = place.import()?;
    ensure!(first.code == Some(0), "{first:?}");
    ensure!(first.err.contains("servers.jsonl:6: skipped:"), "a broken line is named: {first:?}");
    ensure!(first.err.contains("servers.jsonl:7: skipped: a server without a name"), "{first:?}");
    ensure!(first.err.contains("tools.jsonl:1: skipped:"), "{first:?}");
    let report: Value = serde_json::from_str(&first.out)?;
    let (servers, tools) = (&report["files"][0]["counts"], &report["files"][1]["counts"]);
    ensure!(servers["servers_new"] == 4 && servers["servers_merged"] == 1 && servers["broken"] == 2, "{report}");
    ensure!(tools["tools_new"] == 8 && tools["servers_from_tools"] == 1, "{report}");
    ensure!(tools["refused"] == json!({ "a heading": 1, "template text": 1 }), "{report}");
    ensure!(report["forks"] == json!({ "servers": 2, "with_known_original": 2 }), "{report}");
    let tools = place.folder.path().join("tools.jsonl").display().to_string();
    let said = place.say(&["import", "--tools", &tools, "--refused"])?;
    ensure!(said.err.contains("\"## Usage\" is no tool: a heading"), "{said:?}");
    ensure!(said.out.contains("       1  line, refused: a heading\n"), "{said:?}");
    let before = place.json(&["search"])?;

    let again: Value = serde_json::from_str(&place.import()?.out)?;
    for file in 0..2 {
        for count in
            ["servers_new", "servers_filled", "servers_from_tools", "tools_new", "tools_changed", "tools_rejudged"]
        {
            ensure!(again["files"][file]["counts"][count] == 0, "{count} {again}");
        }
    }
    ensure!(again["servers"] == report["servers"] && again["tools"] == report["tools"], "{again}");
    let without_dates = |mut document: Value| {
        for one in document["found"].as_array_mut().into_iter().flatten() {
            one.as_object_mut().into_iter().for_each(|one| drop(one.remove("last_seen")));
        }
        document
    };
    ensure!(without_dates(before) == without_dates(place.json(&["search"])?));
    Ok(())
}

#[test]
fn an_import_that_was_killed_goes_on() -> anyhow::Result<()> {
    const LINES: usize = 40_000;
    let place = Place::new()?;
    let line = |number: usize| {
        json!({ "server": format!("owner/server-{}", number % 300), "name": format!("tool_{number}"),
                "description": "Reads something from somewhere" })
        .to_string()
    };
    let file = place.file("many.jsonl", &(0..LINES).map(line).collect::<Vec<_>>())?.display().to_string();
    let mut child = place.command(&["import", "--tools", &file]).stderr(Stdio::null()).stdout(Stdio::null()).spawn()?;
    // Killed when so much is written that its first pieces are there for good, and far from all.
    let log = place.folder.path().join("data/toolgate.db-wal");
    let begun = Instant::now();
    while std::fs::metadata(&log).map_or(0, |log| log.len()) < 8_000_000 {
        ensure!(begun.elapsed() < Duration::from_secs(60), "nothing was imported");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    let said = place.say(&["import", "--tools", &file, "--json"])?;
    ensure!(said.err.contains("an import did not end; it goes on behind line"), "{said:?}");
    let report: Value = serde_json::from_str(&said.out)?;
    ensure!(report["tools"] == LINES && report["servers"] == 300, "{report}");
    ensure!(report["files"][0]["counts"]["tools_new"] == LINES, "counted over both parts: {report}");
    let found = place.json(&["search", "tool_39999"])?;
    ensure!(found["found"][0]["name"] == "tool_39999", "{found}");
    Ok(())
}

#[test]
fn what_is_searched_is_found() -> anyhow::Result<()> {
    let place = Place::filled()?;
    for words in ["update_lead", "updateLead", "lead update", "lead upd", "updaet lead"] {
        let found = place.json(&["search", words])?;
        ensure!(found["found"][0]["name"] == "update_lead", "{words}: {found}");
    }
    let found = place.json(&["search", "excluir", "usuario"])?;
    ensure!(found["found"][0]["name"] == "excluirUsuario", "{found}");
    let found = place.json(&["search", "lead", "--class", "destructive"])?;
    ensure!(found["total"] == 2 && found["found"][0]["category"] == "Destructive", "{found}");
    ensure!(place.json(&["search", "lead", "--since", "2100-01-01"])?["total"] == 0);
    ensure!(place.json(&["search", "leads", "--kind", "server", "--licence", "mit"])?["total"] == 1);
    for (option, wrong, says) in [
        ("--licence", "nonsense", "mit"),
        ("--language", "xx", ""),
        ("--transport", "pigeon", "--transport takes stdio, streamable-http, sse, not pigeon"),
    ] {
        let said = place.say(&["search", "lead", option, wrong])?;
        ensure!(said.code == Some(2) && said.err.contains(wrong) && said.err.contains(says), "{option}: {said:?}");
    }
    // Times are said as everywhere.
    for (since, total) in [("24h", 2), ("7d", 2), ("2w", 2), ("2100-01-01T00:00:00Z", 0)] {
        ensure!(place.json(&["search", "delete", "lead", "--since", since])?["total"] == total, "{since}");
    }
    let wrong = place.say(&["search", "lead", "--since", "99999999999d"])?;
    ensure!(wrong.code == Some(2) && wrong.err.contains("so many hours, days or weeks ago"), "{wrong:?}");
    // What a copy has stands with what the original has.
    let folded = place.json(&["search", "delete", "lead"])?;
    ensure!(folded["total"] == 2 && folded["found"].as_array().map(Vec::len) == Some(1), "{folded}");
    ensure!(folded["found"][0]["server"] == "leads" && folded["found"][0]["copies"] == 1, "{folded}");
    let each = place.json(&["search", "delete", "lead", "--copies"])?;
    ensure!(each["found"].as_array().map(Vec::len) == Some(2) && each["found"][0]["copies"] == 0, "{each}");
    let table = place.say(&["search", "delete", "lead"])?;
    ensure!(table.out.contains("leads and 1 copy") && table.out.contains("--copies shows each"), "{table:?}");
    let table = place.say(&["search", "delete", "lead", "-n", "1"])?;
    ensure!(table.out.contains("destructive  delete_lead") && table.out.contains("1 of 2"), "{table:?}");
    ensure!(place.say(&["search", "xyzzyplugh"])?.out.contains("Nothing was found"));
    let wrong = place.say(&["search", "lead", "--class", "nonsense"])?;
    ensure!(wrong.err.contains("`nonsense` is no class; one of read, write, execute, destructive,"), "{wrong:?}");
    let wrong = place.say(&["search", "lead", "--facet", "nonsense"])?;
    ensure!(wrong.code == Some(2) && wrong.err.contains("reads_private"), "{wrong:?}");
    Ok(())
}

#[test]
fn a_server_and_a_tool_are_shown() -> anyhow::Result<()> {
    let place = Place::filled()?;
    for what in ["leads", "LEADS", "one/leads-mcp", "https://github.com/One/leads-mcp.git", "leads-mcp"] {
        let server = place.json(&["show", what])?;
        ensure!(server["slug"] == "leads" && server["publisher"] == "one", "{what}: {server}");
        ensure!(server["visibility"] == "private" && server["licence"] == "MIT", "{server}");
        ensure!(server["tools"].as_array().map(Vec::len) == Some(3), "{server}");
        ensure!(server["same_tools"][0]["original"] == "leads", "{server}");
    }
    for what in ["leads/update_lead", "Leads/UPDATE_LEAD", "one/leads-mcp/updateLead"] {
        let tool = place.json(&["show", what])?;
        ensure!(tool["name"] == "update_lead" && tool["category"] == "Write", "{what}: {tool}");
        ensure!(tool["input_schema"]["properties"]["id"].is_object(), "{tool}");
    }
    let text = place.say(&["show", "leads"])?.out;
    ensure!(text.contains("this is the original: its package names its repository"), "{text}");
    let text = place.say(&["show", "nobody/knows"])?.out;
    ensure!(text.contains("known from a list of tools alone"), "{text}");
    let unknown = place.say(&["show", "no-such-server"])?;
    ensure!(unknown.code == Some(2) && unknown.err.contains("is no server of the catalogue"), "{unknown:?}");
    let unknown = place.say(&["show", "leads/no_such_tool"])?;
    ensure!(unknown.code == Some(2) && unknown.err.contains("has no such tool"), "{unknown:?}");
    Ok(())
}

#[test]
fn what_is_missing_is_said() -> anyhow::Result<()> {
    let place = Place::new()?;
    let said = place.say(&["import"])?;
    ensure!(said.code == Some(2) && said.err.contains("--servers"), "{said:?}");
    let said = place.say(&["import", "--tools", "/no/such/file"])?;
    ensure!(said.code == Some(2) && said.err.contains("/no/such/file"), "{said:?}");
    Ok(())
}

#[test]
fn a_catalogue_begins_with_well_known_servers() -> anyhow::Result<()> {
    let place = Place::new()?;
    let first = place.say(&["search", "pull request", "merge", "--json"])?;
    ensure!(first.code == Some(0) && first.err.contains("the catalogue begins with"), "{first:?}");
    let found: Value = serde_json::from_str(&first.out)?;
    ensure!(found["found"][0]["name"] == "merge_pull_request", "{found}");
    let files = place.say(&["show", "filesystem", "--json"])?;
    ensure!(files.err.is_empty(), "it begins once: {files:?}");
    let files: Value = serde_json::from_str(&files.out)?;
    ensure!(files["visibility"] == "public" && files["sources"][0]["name"] == "toolgate", "{files}");
    ensure!(files["package"] == "@modelcontextprotocol/server-filesystem", "{files}");
    ensure!(place.say(&["check", "stripe/create_refund"])?.code == Some(1));
    ensure!(place.say(&["check", "filesystem/read_text_file"])?.code == Some(0));
    let popped = place.json(&["show", "redis/lpop"])?;
    ensure!(popped["category"] == "Destructive" && popped["said_by"]["who"] == "toolgate", "{popped}");

    // The examples of docs/catalogue.md: in addresses a server is its slug, on the command line it has other names too.
    for what in ["filesystem", "@modelcontextprotocol/server-filesystem"] {
        ensure!(place.json(&["show", &format!("{what}/read_text_file")])?["name"] == "read_text_file", "{what}");
    }
    let pages = Pages::start(&place.folder.path().join("data"))?;
    for path in [
        "/badge/filesystem.svg",
        "/policy/filesystem/balanced.json",
        "/api/v1/catalogue/servers/filesystem/tools/read_text_file",
    ] {
        pages.get(path)?;
    }
    drop(pages);

    // What a server lists itself takes the place of what it began with.
    let own = json!({ "server": "modelcontextprotocol/servers:filesystem", "name": "read_text_file",
        "server_repo": "modelcontextprotocol/servers", "description": "Deletes a file for good",
        "input_schema": { "type": "object", "properties": { "path": { "type": "string" } } } });
    let file = place.file("own.jsonl", &[own.to_string()])?.display().to_string();
    let counts = &place.json(&["import", "--public", "--tools", &file])?["files"][0]["counts"];
    ensure!(counts["tools_changed"] == 1, "{counts}");
    ensure!(place.json(&["show", "filesystem/read_text_file"])?["category"] == "Destructive");

    // Whoever begins with a file of their own has nothing else in it.
    let own = Place::filled()?;
    ensure!(own.json(&["search", "--kind", "server"])?["total"] == 5);
    Ok(())
}
