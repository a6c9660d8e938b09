//! What is measured: the import, search and pages over HTTP, and memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::blown_up::BlownUp;
use super::client::{Client, Took};
use super::questions::questions;
use crate::bench::{Row, Running, Talk, program, started};

/// An import of everything, in seconds.
const IMPORT: f64 = 60.0;

/// The 99th percentile of an answer, in milliseconds.
const ANSWER: f64 = 20.0;

/// The median of a page, in milliseconds.
const PAGE: f64 = 5.0;

/// Resident memory, in MiB.
const RESIDENT: u64 = 500;

/// The pages that are asked for, at most.
const PAGES: usize = 1_000;

/// Imports the files into a new data directory.
pub fn import(data: &BlownUp, home: &Path) -> Result<Vec<Row>> {
    // The files lie in memory: they were written just now, and are read once more.
    for file in [&data.servers, &data.tools] {
        std::io::copy(&mut std::fs::File::open(file)?, &mut std::io::sink())?;
    }
    let begun = Instant::now();
    let output = program("toolgate")?
        .args(["catalogue", "import", "--public", "--json", "--data"])
        .arg(home)
        .arg("--servers")
        .arg(&data.servers)
        .arg("--tools")
        .arg(&data.tools)
        .stderr(Stdio::inherit())
        .output()?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(output.status.success(), "the import failed: {}", String::from_utf8_lossy(&output.stdout));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let number = |field: &str| said.get(field).and_then(Value::as_u64).unwrap_or_default();
    let what = format!("import of {} servers and {} tools", number("servers"), number("tools"));
    let mut rows = vec![Row::of(what, format!("{took:.1} s"), "≤ 60 s", took <= IMPORT)];
    if let Some(parts) = said.get("seconds").and_then(Value::as_object) {
        for (part, seconds) in parts {
            let seconds = seconds.as_f64().unwrap_or_default();
            rows.push(Row::shown(format!("of that: {part}"), format!("{seconds:.1} s")));
        }
    }
    rows.push(Row::shown("database", mib(size(&home.join("toolgate.db"))?)));
    rows.push(Row::shown("search index", mib(size(&home.join("search"))?)));
    Ok(rows)
}

/// Bytes of a file, or of all that lies in a folder.
fn size(path: &Path) -> Result<u64> {
    if !path.is_dir() {
        return Ok(std::fs::metadata(path).with_context(|| path.display().to_string())?.len());
    }
    std::fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Asks, over one connection, and looks at the memory in the end.
pub fn asked(data: &BlownUp, home: &Path, count: usize) -> Result<Vec<Row>> {
    let mut command = program("toolgate")?;
    command.args(["catalogue", "serve", "--public", "--listen", "127.0.0.1:0", "--data"]).arg(home);
    let (server, host) = served(&mut command)?;
    let mut client = Client::new(&host)?;
    let questions = questions(data, count);
    // The counts of the whole catalogue are taken once, and what is asked for first comes from the disk.
    for path in ["/", "/servers/", "/search/?q=file"] {
        client.get(path)?;
    }
    let mut rows = Vec::new();
    let mut found = BTreeSet::new();
    let ways = [
        ("search as it is typed", "/search/index.json?limit=8&"),
        ("the page of a search", "/search/?"),
        ("search of the API, 100 entries", "/api/v1/catalogue/search?"),
    ];
    for (nth, (what, path)) in ways.into_iter().enumerate() {
        let mut took = Vec::new();
        for question in questions.iter().skip(nth).step_by(ways.len()) {
            let (body, time) = client.get(&format!("{path}{question}"))?;
            took.push(time);
            if nth == 0 {
                found.extend(paths(&body)?);
            }
        }
        rows.extend(latency(what, took, None));
    }
    let is_tool = |path: &&String| path.split('/').filter(|part| !part.is_empty()).count() > 3;
    let tools: Vec<&String> = found.iter().filter(is_tool).take(PAGES).collect();
    let servers: BTreeSet<String> = found.iter().filter_map(|path| server_of(path)).take(PAGES).collect();
    let mut pages = |paths: &mut dyn Iterator<Item = &str>| -> Result<Vec<_>> {
        paths.map(|path| Ok(client.get(path)?.1)).collect()
    };
    rows.extend(latency("the page of a tool", pages(&mut tools.iter().map(|path| path.as_str()))?, Some(PAGE)));
    rows.extend(latency("the page of a server", pages(&mut servers.iter().map(String::as_str))?, Some(PAGE)));
    let resident = resident(server.id())?;
    let what = format!("resident (anonymous and mapped) after {count} queries");
    rows.push(Row::of(what, format!("{resident} MiB"), "≤ 500 MiB", resident <= RESIDENT));
    Ok(rows)
}

/// Starts the pages, and waits until they say where they are.
fn served(command: &mut Command) -> Result<(Running, String)> {
    let (running, address) = started(command, Talk::Stderr("catalogue http://"))?;
    Ok((running, address.trim_end_matches('/').to_owned()))
}

/// The paths of the pages of what was found.
fn paths(body: &[u8]) -> Result<Vec<String>> {
    let said: Value = serde_json::from_slice(body)?;
    let found = said.get("found").and_then(Value::as_array).context("what was found")?;
    Ok(found.iter().filter_map(|one| one.get("path")?.as_str()).map(str::to_owned).collect())
}

/// The path of the server's page above a page.
fn server_of(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    Some(format!("/{}/{}/{}/", parts.next()?, parts.next()?, parts.next()?))
}

fn latency(what: &str, took: Vec<std::time::Duration>, median: Option<f64>) -> [Row; 2] {
    let count = took.len();
    let took = Took::of(took);
    let (p50, p99) = (took.percentile(50), took.percentile(99));
    let name = format!("{what}, median of {count}");
    [
        match median {
            Some(most) => Row::of(name, format!("{p50:.1} ms"), "≤ 5 ms", p50 <= most),
            None => Row::shown(name, format!("{p50:.1} ms")),
        },
        Row::of(format!("{what}, 99th percentile"), format!("{p99:.1} ms"), "≤ 20 ms", p99 <= ANSWER),
    ]
}

/// Memory of its own and mapped from files, in MiB.
fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
    };
    Ok((of("RssAnon:") + of("RssFile:")) >> 10)
}
