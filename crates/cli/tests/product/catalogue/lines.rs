//! Lines of files as they come, and names as they are: what is read, what is refused, and how it is named afterwards.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Place, Said};
use crate::pages::Pages;

fn tool(server: &str, name: &str) -> String {
    json!({ "server": server, "name": name, "description": "Lists all leads", "input_schema": { "type": "object" } })
        .to_string()
}

fn server(name: &str) -> String {
    json!({ "name": name, "repository": format!("https://github.com/acme/{name}") }).to_string()
}

/// Runs a command with something on standard input.
fn fed(place: &Place, words: &[&str], bytes: &[u8]) -> anyhow::Result<Said> {
    let mut child = place.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Whoever refuses its words reads nothing.
    let _ = child.stdin.take().context("stdin")?.write_all(bytes);
    let output = child.wait_with_output()?;
    Ok(Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

impl Place {
    fn raw(&self, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path.display().to_string())
    }
}

#[test]
fn tools_are_named_with_every_slash_of_theirs() -> anyhow::Result<()> {
    let place = Place::new()?;
    let lines = [
        tool("acme/leads", "issues/list"),
        tool("acme/leads", "a/b/c"),
        tool("acme/leads", "list"),
        tool("acme/leads", "."),
        tool("acme/leads", ".."),
    ];
    let file = place.file("tools.jsonl", &lines)?.display().to_string();
    let said = place.say(&["import", "--refused", "--tools", &file])?;
    ensure!(said.code == Some(0) && said.out.contains("2  lines, refused: a name of dots"), "{said:?}");
    ensure!(said.err.contains("tools.jsonl:4: . is no tool: a name of dots"), "{said:?}");
    let slug = place.json(&["show", "acme/leads"])?["slug"].as_str().unwrap_or_default().to_owned();
    for base in ["acme/leads", slug.as_str(), "https://github.com/acme/leads"] {
        for (asked, name) in
            [("issues/list", "issues/list"), ("Issues/List", "issues/list"), ("a/b/c", "a/b/c"), ("list/", "list")]
        {
            let what = format!("{base}/{asked}");
            let shown = place.json(&["show", &what])?;
            ensure!(shown["name"] == name && shown["server"]["slug"] == slug.as_str(), "{what}: {shown}");
        }
    }
    ensure!(place.say(&["check", &format!("{slug}/issues/list")])?.code == Some(0));
    let said = place.say(&["override", &format!("{slug}/a/b/c"), "class", "destructive", "--reason", "it does"])?;
    ensure!(said.code == Some(0) && said.out.contains(&format!("{slug}/a/b/c: class is destructive")), "{said:?}");
    ensure!(place.say(&["check", &format!("{slug}/a/b/c")])?.code == Some(1));
    let unknown = place.say(&["show", &format!("{slug}/issues/none")])?;
    ensure!(unknown.code == Some(2) && unknown.err.contains("has no such tool"), "{unknown:?}");
    Ok(())
}

#[test]
fn marks_and_empty_lines_are_nothing() -> anyhow::Result<()> {
    let place = Place::new()?;
    let text = format!("\u{feff}{}\n\n   \r\n{}\r\n{{ broken\n\n", server("one"), server("two"));
    let plain = place.raw("servers.jsonl", text.as_bytes())?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes())?;
    let gzip = place.raw("servers.jsonl.gz", &gzip.finish()?)?;
    for (file, new) in [(plain, 2), (gzip, 0)] {
        let said = place.say(&["import", "--json", "--servers", &file])?;
        ensure!(said.code == Some(0), "{said:?}");
        let counts = &serde_json::from_str::<Value>(&said.out)?["files"][0]["counts"];
        ensure!(counts["servers_new"] == new && counts["broken"] == 1, "{file}: {counts}");
        // The number is that of the file, and the column that of the line.
        ensure!(said.err.contains(":5: skipped:") && said.err.contains(" at column "), "{file}: {said:?}");
    }
    let empty = place.raw("empty.jsonl", b"\n\n")?;
    let said = place.say(&["import", "--servers", &empty])?;
    ensure!(said.code == Some(0) && said.out.contains("nothing in it"), "{said:?}");
    Ok(())
}

#[test]
fn an_array_is_no_list_of_lines() -> anyhow::Result<()> {
    let place = Place::new()?;
    let pretty = format!("[\n  {},\n  {}\n]\n", server("one"), server("two"));
    let short = format!("[{},{}]", server("one"), server("two"));
    let texts = json!(["name", "description", "https://github.com/acme/one"]).to_string();
    for text in [pretty, short, texts] {
        let file = place.raw("servers.json", text.as_bytes())?;
        let said = place.say(&["import", "--servers", &file])?;
        ensure!(said.code == Some(2), "{said:?}");
        ensure!(said.err.contains("one JSON object a line") && said.err.contains("jq -c '.[]'"), "{said:?}");
        ensure!(!said.err.contains("is kept") && !said.err.contains("are imported"), "{said:?}");
    }
    // Among lines, one is skipped with the same words.
    let mixed = format!("{}\n[1]\n", server("one"));
    let file = place.raw("mixed.jsonl", mixed.as_bytes())?;
    let said = place.say(&["import", "--servers", &file])?;
    ensure!(said.code == Some(0) && said.err.contains(":2: skipped: a JSON array"), "{said:?}");
    Ok(())
}

#[test]
fn standard_input_is_a_file_like_others() -> anyhow::Result<()> {
    let place = Place::new()?;
    let lines = format!("{}\n", json!({ "name": "Only a name" }));
    let said = fed(&place, &["import", "--servers", "-"], lines.as_bytes())?;
    ensure!(
        said.code == Some(0) && said.out.contains("standard input\n") && said.out.contains("1  server, new"),
        "{said:?}"
    );
    let shown = place.json(&["show", "Only a name"])?;
    ensure!(shown["sources"][0]["name"] == "standard input", "no name of a file in between: {shown}");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(tool("acme/leads", "list_leads").as_bytes())?;
    let said = fed(&place, &["import", "--tools", "-"], &gzip.finish()?)?;
    ensure!(said.code == Some(0) && said.out.contains("1  tool, new"), "{said:?}");
    let said = fed(&place, &["import", "--tools", "-"], b"no json\n")?;
    ensure!(said.code == Some(2) && said.err.contains("no line of standard input could be read"), "{said:?}");
    let said = fed(&place, &["import", "--tools", "-", "--servers", "-"], b"")?;
    ensure!(said.code == Some(2) && said.err.contains("and not two"), "{said:?}");
    let said = fed(&place, &["import", "--scan", "-"], b"{}")?;
    ensure!(said.code == Some(2) && said.err.contains("standard input: it is no report of"), "{said:?}");
    Ok(())
}

#[test]
fn what_nobody_sees_is_written_out() -> anyhow::Result<()> {
    let place = Place::new()?;
    let line = json!({ "name": "\u{202e}sdaeL\u{200b} \n Tool", "repository": "https://github.com/acme/leads", "licence": "MIT\u{2066}",
        "transport": "pigeon\u{1b}[31m", "description": "First line.\nSecond line.\u{202e}", "sources": ["a\tlist\u{feff}"] });
    let file = place.file("one.jsonl", &[line.to_string()])?.display().to_string();
    ensure!(place.say(&["import", "--public", "--servers", &file])?.code == Some(0));
    let shown = place.json(&["show", "acme/leads"])?;
    ensure!(shown["name"] == "\\u{202e}sdaeL\\u{200b} Tool", "{shown}");
    ensure!(shown["licence"] == "MIT\\u{2066}" && shown["transport"] == "pigeon\\u{1b}[31m", "{shown}");
    ensure!(shown["sources"][0]["name"] == "a list\\u{feff}", "{shown}");
    let words = ["override", "acme/leads", "publisher", "Ann\u{202e}\nLee", "--reason", "two\nlines\u{200b}"];
    let said = place.say(&words)?;
    ensure!(said.code == Some(0), "{said:?}");
    let one = &place.json(&["overrides"])?["overrides"][0];
    ensure!(one["value"] == "Ann\\u{202e} Lee" && one["reason"] == "two lines\\u{200b}", "{one}");

    // A transport that the protocol has not is said of the server, and narrows nothing.
    ensure!(place.json(&["search", "--transport", "stdio"])?["total"] == 0);
    let pages = Pages::start_with(&place.folder.path().join("data"), &["--public", "--base-url", "https://t.example"])?;
    for path in ["/servers/", "/search/?q=tool"] {
        let page = pages.get(path)?;
        ensure!(!page.contains("pigeon") && !page.contains('\u{202e}'), "{path}: {page}");
    }
    // What is written on several lines is one in lists and feeds.
    for path in ["/servers/index.md", "/changes/feed.atom", "/changes/", "/search/?q=tool", "/servers/"] {
        let page = pages.get(path)?;
        ensure!(!page.contains("First line.\n"), "{path}: {page}");
    }
    ensure!(pages.get("/search/?q=tool")?.contains("First line. Second line."));
    Ok(())
}

/// The words of a command as a shell reads them.
fn words(command: &str) -> anyhow::Result<Vec<String>> {
    let output = Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {command}")).output()?;
    ensure!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

#[test]
fn the_command_that_a_page_shows_means_its_tool_in_a_shell() -> anyhow::Result<()> {
    let place = Place::new()?;
    let names = ["list_leads", "Archive Ann's lead", "a&b | c > d", "~/x* ?? [!]", "a/b", "back\\slash 5%"];
    let lines: Vec<String> = names.iter().map(|name| tool("acme/leads", name)).collect();
    let file = place.file("tools.jsonl", &lines)?.display().to_string();
    let report = place.json(&["import", "--tools", &file])?;
    ensure!(report["tools"] == names.len(), "{report}");
    let slug = place.json(&["show", "acme/leads"])?["slug"].as_str().unwrap_or_default().to_owned();
    let pages = Pages::start(&place.folder.path().join("data"))?;
    for name in names {
        let address: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        // Letters need no escape, and an address with them escaped is another spelling.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let address = name.bytes().zip(address.split('%').skip(1)).map(|(byte, code)| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{code}"),
        });
        let page = pages.get(&format!("/s/acme/{slug}/{}/", address.collect::<String>()))?;
        let (_, rest) = page.split_once("toolgate catalogue override ").context("no command")?;
        let (command, _) = rest.split_once("</code>").context("no end")?;
        let command = command
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let words = words(&command)?;
        ensure!(words.first() == Some(&format!("{slug}/{name}")), "{name}: {command}: {words:?}");
        ensure!(words.get(1..) == Some(&["class", "CLASS", "--reason", "TEXT"].map(str::to_owned)), "{words:?}");
        // And the words name the tool to the program.
        let asked = words.first().map(String::as_str).unwrap_or_default();
        ensure!(place.json(&["show", asked])?["name"] == name, "{asked}");
    }
    Ok(())
}
