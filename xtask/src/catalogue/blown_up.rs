//! The real data blown up: as many lines as are asked for, each a variant of a real one. The same input gives the
//! same lines on every machine.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::chance::Chance;
use crate::classifier::lines;

/// One word in so many of a description is another in each variant.
const CHANGED: u64 = 6;

/// How much there is to be.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Lines of servers.
    pub servers: usize,
    /// Lines of tools.
    pub tools: usize,
}

/// The files, and what the questions are made from.
#[derive(Debug)]
pub struct BlownUp {
    /// The file of servers.
    pub servers: PathBuf,
    /// The file of tools.
    pub tools: PathBuf,
    /// Some of the tools: name and description.
    pub sample: Vec<(String, String)>,
}

/// One tool in so many is kept for questions.
const KEPT: usize = 50;

/// Writes the files into a folder.
///
/// # Errors
/// When the real data or the folder cannot be used.
pub fn write(shared: &Path, folder: &Path, size: Size) -> Result<BlownUp> {
    let servers = lines(&shared.join("servers.jsonl.gz"))?;
    let tools = lines(&shared.join("tools.jsonl.gz"))?;
    ensure!(!servers.is_empty() && !tools.is_empty(), "{} holds no data", shared.display());
    let hosts = hosts(&servers);
    ensure!(!hosts.is_empty(), "no server of {} has a repository", shared.display());
    let blown =
        BlownUp { servers: folder.join("servers.jsonl"), tools: folder.join("tools.jsonl"), sample: Vec::new() };
    let mut to = BufWriter::new(File::create(&blown.servers)?);
    for at in 0..size.servers {
        let line = servers.get(at % servers.len()).context("a server")?;
        writeln!(to, "{}", server(line, at / servers.len()))?;
    }
    to.flush()?;
    Ok(BlownUp { sample: write_tools(&tools, &hosts, &blown.tools, size.tools)?, ..blown })
}

/// A server's line in a variant: the first is the real one.
fn server(real: &Value, variant: usize) -> Value {
    let mut line = real.clone();
    if variant > 0 {
        for field in ["name", "package", "repository"] {
            if let Some(Value::String(text)) = line.get_mut(field) {
                text.push_str(&format!("-v{variant}"));
            }
        }
    }
    line
}

/// The repositories of servers, as `OWNER/NAME`, each once.
fn hosts(servers: &[Value]) -> Vec<String> {
    let place = |server: &Value| {
        let place = server.get("repository")?.as_str()?.split_once("github.com/")?.1.to_owned();
        (place.split('/').count() == 2).then_some(place)
    };
    let mut seen = HashSet::new();
    servers.iter().filter_map(place).filter(|place| seen.insert(place.clone())).collect()
}

fn write_tools(real: &[Value], hosts: &[String], path: &Path, wanted: usize) -> Result<Vec<(String, String)>> {
    let words = Words::of(real);
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut sample = Vec::new();
    let mut to = BufWriter::new(File::create(path)?);
    for at in 0..wanted {
        let (variant, line) = (at / real.len(), real.get(at % real.len()).context("a tool")?);
        let group = format!("{} {} {variant}", text(line, "server"), text(line, "dataset"));
        let next = groups.len();
        let host = *groups.entry(group).or_insert(next);
        let line = match variant {
            0 => line.clone(),
            _ => tool(line, &words, hosts.get(host % hosts.len()).context("a host")?, at, variant),
        };
        if at % KEPT == 0 {
            sample.push((text(&line, "name").to_owned(), text(&line, "description").to_owned()));
        }
        writeln!(to, "{line}")?;
    }
    to.flush()?;
    Ok(sample)
}

/// A variant of a tool, of another server: a word more in its name, other words in its description.
fn tool(real: &Value, words: &Words, host: &str, at: usize, variant: usize) -> Value {
    let mut chance = Chance::new(at as u64);
    let mut line = real.clone();
    let mut put = |field: &str, value: String| {
        if let Some(fields) = line.as_object_mut() {
            fields.insert(field.to_owned(), value.into());
        }
    };
    put("server", host.rsplit('/').next().unwrap_or(host).to_owned());
    put("server_repo", host.to_owned());
    put("dataset", format!("variant {variant}"));
    let name = text(real, "name");
    if !name.is_empty() {
        let word = chance.pick(&words.of_names).map_or("more", String::as_str);
        put("name", if name.contains('-') { format!("{name}-{word}") } else { format!("{name}_{word}") });
    }
    let description = text(real, "description");
    if !description.is_empty() {
        let other = |word: &str| match chance.below(CHANGED) {
            0 => chance.pick(&words.of_texts).cloned().unwrap_or_default(),
            _ => word.to_owned(),
        };
        put("description", description.split(' ').map(other).collect::<Vec<_>>().join(" "));
    }
    line
}

/// A field of a line; nothing where it has no text.
fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The words that real names and descriptions are made of, as often as they are used.
struct Words {
    of_names: Vec<String>,
    of_texts: Vec<String>,
}

impl Words {
    fn of(tools: &[Value]) -> Self {
        let all = |field: &'static str| tools.iter().map(move |tool| text(tool, field));
        let letters = |word: &&str| word.len() > 2 && word.chars().all(char::is_alphabetic);
        let of_names = all("name").flat_map(|name| name.split(['_', '-'])).filter(letters).map(str::to_lowercase);
        // A word of each is enough.
        let of_texts = all("description").filter_map(|text| text.split_whitespace().filter(letters).nth(1));
        Self { of_names: of_names.collect(), of_texts: of_texts.map(str::to_owned).collect() }
    }
}
