//! `toolgate catalogue import`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use catalogue::import::{File, Holds, News, import as import_file};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::{Catalogue, Counts, Visibility};

use super::settle::{Relations, settle, style};
use super::snapshot::Verified;
use crate::args::ImportOptions;
use crate::commands::counted;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell};

/// Lines that could not be read and are named one by one; the rest is counted.
const NAMED: u64 = 20;

/// Imports, and makes the index anew where something changed.
pub async fn import(options: &ImportOptions) -> Result<ExitCode, Failure> {
    let snapshot = options.snapshot.as_deref().zip(options.trust.as_deref());
    let snapshot = snapshot.map(|(file, trust)| Verified::read(file, trust)).transpose()?;
    let scan = match &options.scan {
        Some(file) => Some((file.clone(), std::fs::read_to_string(file).trying(file.display())?)),
        None => None,
    };
    let path = data_dir(options.data.dir.as_deref())?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", path.display()))?;
    let catalogue = Catalogue::open(&data).await.trying("the catalogue")?;
    let visibility = if options.public { Visibility::Public } else { Visibility::Private };
    let files = [(&options.servers, Holds::Servers), (&options.tools, Holds::Tools)];
    let files = files.into_iter().filter_map(|(path, holds)| Some(File { path: path.clone()?, holds, visibility }));
    let begun = Instant::now();
    let mut done: Vec<(PathBuf, Counts)> = Vec::new();
    // Before anything changes: an import that is killed leaves this behind for the next one.
    let stale = search::is_stale(&data.search());
    search::mark_stale(&data.search()).trying("the search index")?;
    for file in files {
        let counts = match one(&catalogue, &file, options.refused).await {
            Ok(counts) => counts,
            Err(failure) => {
                // What was written until then is found all the same.
                settle(&catalogue, &data).await?;
                return Err(failure);
            }
        };
        done.push((file.path, counts));
    }
    if let Some((file, text)) = scan {
        let counts = catalogue::scanned::import(&catalogue, &text, Timestamp::now()).await.trying(file.display())?;
        done.push((file, counts));
    }
    if let (Some(snapshot), Some(path)) = (&snapshot, &options.snapshot) {
        done.push((path.clone(), snapshot.import(&catalogue).await?));
    }
    let read = begun.elapsed();
    let settled = match stale || done.iter().any(|(_, counts)| counts.changed()) {
        true => Some(settle(&catalogue, &data).await?),
        false => {
            search::mark_fresh(&data.search()).trying("the search index")?;
            None
        }
    };
    let size = catalogue.size().await.trying("the catalogue")?;
    catalogue.close().await;
    let took = Took { read, all: begun.elapsed() };
    print(options, &done, settled.as_ref(), size, took)?;
    Ok(ExitCode::SUCCESS)
}

/// Imports one file.
async fn one(catalogue: &Catalogue, file: &File, name_refused: bool) -> Result<Counts, Failure> {
    let about = std::fs::metadata(&file.path).trying(file.path.display())?;
    if !about.is_file() {
        // It is read twice: once to know it again, once for its lines.
        let path = audit::visible::shown(&file.path.display().to_string());
        return Err(Failure::Usage(format!(
            "{path} is no regular file; write what comes from elsewhere into one first"
        )));
    }
    let length = about.len();
    let shown = audit::visible::shown(&file.path.display().to_string());
    // On stderr, and only where that is a terminal.
    let bar = ProgressBar::new(length).with_style(style("{msg} {wide_bar} {percent}% {eta}"));
    bar.set_message(shown.clone());
    let mut broken = 0_u64;
    let mut news = |news: News<'_>| match news {
        News::Progress { bytes, lines } => {
            bar.set_position(bytes);
            bar.set_message(format!("{shown}: {}", counted(lines, "line")));
        }
        News::Resumed(lines) => bar.suspend(|| {
            tell!("toolgate: {shown}: an import did not end; it goes on behind line {lines}");
        }),
        News::Broken { line, why } => {
            broken += 1;
            if broken <= NAMED {
                bar.suspend(|| tell!("toolgate: {shown}:{line}: skipped: {}", audit::visible::shown(why)));
            }
        }
        News::Refused { line, name, why } => {
            if name_refused {
                let name = audit::visible::word(name);
                bar.suspend(|| tell!("toolgate: {shown}:{line}: {name} is no tool: {why}"));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let counts = import_file(catalogue, file, threads, Timestamp::now(), &mut news).await;
    bar.finish_and_clear();
    if broken > NAMED {
        tell!("toolgate: {shown}: {} more could not be read", counted(broken - NAMED, "line"));
    }
    let counts = counts.map_err(|error| Failure::Usage(format!("{error}; what was imported until then is kept")))?;
    if counts.broken > 0 && counts == (Counts { broken: counts.broken, ..Counts::default() }) {
        let (wanted, other) = match file.holds {
            Holds::Servers => ("a server", "tools are read by --tools"),
            Holds::Tools => ("a tool", "servers are read by --servers"),
        };
        return Err(Failure::Usage(format!(
            "no line of {shown} could be read: each must be a JSON object that describes {wanted}; {other}"
        )));
    }
    Ok(counts)
}

/// How long it took.
#[derive(Debug, Clone, Copy)]
struct Took {
    /// Until all lines were read, judged and written.
    read: Duration,
    /// Until they could be searched.
    all: Duration,
}

fn print(
    options: &ImportOptions,
    done: &[(PathBuf, Counts)],
    settled: Option<&Relations>,
    (servers, tools): (u64, u64),
    took: Took,
) -> Result<(), Failure> {
    if options.json {
        let files: Vec<Value> =
            done.iter().map(|(file, counts)| json!({ "file": file.display().to_string(), "counts": counts })).collect();
        let forks = settled.map(Relations::as_json);
        let impostors = settled.map(|relations| relations.impostors);
        let seconds = json!({
            "read_and_judged": took.read.as_secs_f64(),
            "related_and_indexed": took.all.saturating_sub(took.read).as_secs_f64(),
        });
        say!(
            "{}",
            json!({
                "version": 1, "files": files, "forks": forks, "impostors": impostors, "servers": servers, "tools": tools,
                "seconds": seconds,
            })
        )?;
        return Ok(());
    }
    for (file, counts) in done {
        say!("{}", audit::visible::shown(&file.display().to_string()))?;
        for line in lines(counts) {
            say!("  {line}")?;
        }
    }
    if let Some(relations) = settled {
        relations.say()?;
    }
    let visible =
        if options.public || options.snapshot.is_some() { "public" } else { "private; --public makes it public" };
    say!(
        "The catalogue holds {} and {} ({:.1} s). What was imported is {visible}.",
        counted(servers, "server"),
        counted(tools, "tool"),
        took.all.as_secs_f64()
    )
}

/// How many of what, in a row.
fn row(count: u64, thing: &str, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count:>8}  {thing}{end}, {what}")
}

/// What became of the lines, in words; what did not happen is not named.
fn lines(counts: &Counts) -> Vec<String> {
    let table = [
        (counts.servers_new, "server", "new"),
        (counts.servers_filled, "server", "better known"),
        (counts.servers_same, "server", "nothing new"),
        (counts.servers_merged, "server", "named by another line as well"),
        (counts.servers_from_tools, "server", "known from the list of tools alone"),
        (counts.tools_new, "tool", "new"),
        (counts.tools_changed, "tool", "changed"),
        (counts.tools_rejudged, "tool", "judged otherwise than before"),
        (counts.tools_same, "tool", "as before"),
        (counts.tools_doubled, "tool", "named by another line as well"),
        (
            counts.kept_private,
            "server",
            "private as before: `override SERVER visibility public` shows one to everybody",
        ),
        (counts.facts_new, "fact", "of the past, or said by people"),
        (counts.broken, "line", "unreadable"),
    ];
    let mut lines: Vec<String> =
        table.iter().filter(|line| line.0 > 0).map(|(count, thing, what)| row(*count, thing, what)).collect();
    for (why, count) in &counts.refused {
        lines.push(row(*count, "line", &format!("refused: {why}")));
    }
    if lines.is_empty() {
        lines.push("nothing in it".to_owned());
    }
    lines
}
