//! Forty secrets of many kinds go in, and stand nowhere: not on stderr, in files (the write-ahead log of the tables too),
//! exports, answers, errors, backups, numbers or traces.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use testkit::client::McpHttp;
use testkit::collector::Collector;
use testkit::script::{Script, Tool};
use testkit::toolgate::Toolgate;
use testkit::upstream::Upstream;
use testkit::wait::{self, PATIENCE};
use testkit::wire::find;

use crate::desk::{Desk, EXE, api, endpoint, instance, said};

/// What is planted, and where it was looked for.
#[derive(Default)]
struct Search {
    planted: Vec<String>,
    looked: Vec<(String, String)>,
}

impl Search {
    fn plant(&mut self, kind: &str) -> String {
        let secret = format!("planted-{kind}-{:02}-Xk29fQpL0z", self.planted.len());
        self.planted.push(secret.clone());
        secret
    }

    fn many(&mut self, kind: &str, count: usize) -> Map<String, Value> {
        (0..count).map(|number| (format!("X-{kind}-{number}"), json!(self.plant(kind)))).collect()
    }

    fn look(&mut self, place: &str, bytes: impl AsRef<[u8]>) {
        // What is planted is text, whatever stands around it.
        self.looked.push((place.to_owned(), String::from_utf8_lossy(bytes.as_ref()).into_owned()));
    }

    fn files(&mut self, folder: &Path) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)?.flatten() {
            match entry.path() {
                // The master key is what all others are sealed under.
                keys if keys.ends_with("keys") => {}
                path if path.is_dir() => self.files(&path)?,
                path => self.look(&path.display().to_string(), std::fs::read(&path)?),
            }
        }
        Ok(())
    }

    /// Something that is no secret was found, so that looking is worth something.
    fn sees(&self, place: &str, text: &str) -> anyhow::Result<()> {
        let mut all = self.looked.iter().filter(|(name, _)| name.contains(place));
        ensure!(all.any(|(_, found)| found.contains(text)), "{text} is not in {place}");
        Ok(())
    }

    fn nothing(&self) -> anyhow::Result<()> {
        ensure!(self.planted.len() >= 40, "only {} were planted", self.planted.len());
        for secret in &self.planted {
            for (place, found) in &self.looked {
                ensure!(!found.contains(secret.as_str()), "{secret} stands in {place}");
            }
        }
        Ok(())
    }
}

/// What commands and the API show to somebody who may see everything.
fn shown(toolgate: &Toolgate, desk: &Desk, auditor: &str, search: &mut Search) -> anyhow::Result<()> {
    let url = api(toolgate)?;
    let words: [&[&str]; 8] = [
        &["logs", "--json"],
        &["logs", "--export", "csv"],
        &["logs", "--export", "ndjson"],
        &["events", "--json"],
        &["server", "list", "--json"],
        &["grant", "list", "--json"],
        &["member", "list", "--json"],
        &["token", "list", "--json"],
    ];
    for words in words {
        let mut command = Command::new(EXE);
        command.args(words).env_clear().env("TOOLGATE_INSTANCE", url.trim_end_matches("/api/v1/"));
        let token = if ["logs", "events"].contains(&words[0]) { auditor } else { desk.token() };
        let output = command.env("TOOLGATE_API_TOKEN", token).output()?;
        ensure!(output.status.success(), "{words:?}: {output:?}");
        search.look(&words.join(" "), output.stdout);
    }
    Ok(())
}

/// What is refused holds secrets too, where they belong and where they do not.
fn refused(desk: &Desk, search: &mut Search) -> anyhow::Result<()> {
    let http = |headers: Value| json!({ "kind": "http", "url": "https://x.example/mcp", "headers": headers });
    let broken = format!("{}\n", search.plant("refused"));
    let bad = [
        ("servers", json!({ "name": "Bad name", "reach": http(json!({ "X": search.plant("refused") })) })),
        ("servers", json!({ "name": "bad", "reach": http(json!({ "X": broken })) })),
        ("servers", json!({ "name": "bad", "reach": http(json!({ "X": [search.plant("refused")] })) })),
        ("servers", json!({ "name": "bad", "reach": { "kind": search.plant("refused") } })),
        ("members", json!({ "name": "eve", "role": "root", "password": search.plant("refused") })),
        ("sessions", json!({ "name": "ada", "password": search.plant("refused") })),
        ("setup", json!({ "token": search.plant("refused"), "name": "eve", "password": search.plant("refused") })),
    ];
    for (path, body) in bad {
        let (status, answer) = desk.ask("POST", path, &body)?;
        ensure!((400..500).contains(&status), "{path}: {status} {answer}");
        search.look(&format!("the refusal of {path}"), answer.to_string());
    }
    Ok(())
}

#[test]
fn forty_planted_secrets_stand_nowhere() -> anyhow::Result<()> {
    let (upstream, collector) = (Upstream::start(Script::with([Tool::named("read")]))?, Collector::start()?);
    let folder = testkit::toolgate::folder()?;
    let data = folder.path().join("data");
    let options = ["--metrics-listen", "127.0.0.1:0", "--otlp", &collector.url()];
    let mut toolgate = instance(&data)?.options(options).serve()?;
    let desk = Desk::set_up(&toolgate)?;
    let mut search = Search::default();
    let allow = r#"{ "version": "1", "default": "deny", "tools": { "read": {} } }"#;
    let first = desk.grant_under("files", &upstream.url(), allow)?;
    let headers = search.many("header", 16);
    let reach = json!({ "kind": "http", "url": upstream.url(), "headers": headers });
    let settings = json!({ "accept_first": true });
    let given = json!({ "name": "mail", "reach": reach, "settings": settings, "policy": "careful" });
    search.look("a server", desk.done("POST", "servers", &given)?.to_string());
    let reach = json!({ "kind": "child", "command": ["/bin/true"], "env": search.many("env", 8) });
    let given = json!({ "name": "tool", "reach": reach, "settings": settings, "policy": "careful" });
    search.look("a program", desk.done("POST", "servers", &given)?.to_string());
    for name in ["bob", "carol"] {
        let member = json!({ "name": name, "role": "viewer", "password": search.plant("password") });
        search.look("a member", desk.done("POST", "members", &member)?.to_string());
    }
    let token = desk.done("POST", "tokens", &json!({ "label": "audit", "role": "auditor" }))?;
    let auditor = token["token"].as_str().context("no token")?.to_owned();
    let (mail, program) = (desk.mint("mail", "mail")?, desk.mint("program", "tool")?);
    search.planted.extend([&first.token, &mail.token, &program.token, &auditor].map(String::clone));
    search.planted.push(desk.token().to_owned());
    refused(&desk, &mut search)?;

    // Arguments of calls that are forwarded, denied, and cannot be sent.
    let agent = McpHttp::legacy(&endpoint(&toolgate, "mail"), Some(&mail.token))?;
    assert!(agent.call("read", json!({ "password": search.plant("argument") }))?.is_done());
    let denied = agent.call("delete", json!({ "password": search.plant("argument") }))?;
    search.look("a denial", format!("{denied:?}"));
    let child = McpHttp::new(&endpoint(&toolgate, "tool"), Some(&program.token))?;
    let hello = testkit::message::hello("2025-06-18");
    search.look("a program that ends", child.post_message(&hello)?.text());
    let stranger = McpHttp::new(&endpoint(&toolgate, "mail"), Some(&search.plant("token")))?;
    let answer = stranger.post_message(&hello)?;
    assert_eq!(answer.status(), 401);
    search.look("a stranger's answer", answer.text());
    let arrived = upstream.raw().concat();
    for secret in search.planted.iter().filter(|secret| secret.contains("-header-")) {
        ensure!(find(&arrived, secret.as_bytes()).is_some(), "{secret} has not reached the server");
    }

    collector.wait_for(2)?;
    wait::for_it("the decisions", || {
        let asked = desk.done("GET", "decisions", &Value::Null);
        asked.is_ok_and(|page| page["items"].as_array().is_some_and(|items| items.len() >= 2))
    })?;
    shown(&toolgate, &desk, &auditor, &mut search)?;
    let numbers = McpHttp::new(&said(&toolgate, "metrics ").context("no numbers")?, None)?;
    let host = ("Host".to_owned(), numbers.address().to_string());
    search.look("numbers", numbers.send("GET", &[host], b"")?.answer(PATIENCE)?.text());
    for request in collector.requests() {
        search.look("traces", request.json().to_string());
    }
    let backup = folder.path().join("backup");
    let made = Command::new(EXE).arg("backup").arg(&backup).arg("--data").arg(&data).output()?;
    ensure!(made.status.success(), "{made:?}");
    search.look("backup", std::fs::read(&backup)?);
    // While it serves, with the write-ahead log, and when that has gone into the file.
    search.files(&data)?;
    search.sees("control.db-wal", "X-header-3")?;
    toolgate.stop()?;
    search.files(&data)?;
    search.look("stderr", toolgate.stderr());

    for (place, text) in [
        ("control.db", "X-header-3"),
        (".log", "\"tool\":\"delete\""),
        ("csv", "delete"),
        ("ndjson", "delete"),
        ("events", "server"),
        ("server list", "X-header-3"),
        ("backup", "X-header-3"),
        ("numbers", "toolgate_"),
        ("traces", "mail"),
        ("stderr", "endpoint "),
    ] {
        search.sees(place, text)?;
    }
    search.nothing()
}
