//! `toolgate catalogue import`.

mod sources;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use catalogue::import::{BadImport, Holds, News, import_as};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::DataDir;
use store::catalogue::{Catalogue, Counts, Importing};

use self::sources::{Source, Sources, shown};
use super::settle::{Change, Relations, style};
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
    let sources = Sources::open(options)?;
    let path = data_dir(options.data.dir.as_deref())?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", shown(&path)))?;
    let catalogue = Catalogue::open(&data).await.trying("the catalogue")?;
    let begun = Instant::now();
    let change = Change::begin(&catalogue, &data)?;
    let mut done: Vec<(String, Counts)> = Vec::new();
    let mut ended = sources.import(&catalogue, change.right(), options.refused, &mut done).await;
    if let (Ok(()), Some(snapshot)) = (&ended, &snapshot) {
        match snapshot.import(&catalogue, change.right()).await {
            Ok(counts) => done.push((snapshot.name().to_owned(), counts)),
            // Part of what was signed may be written.
            Err(failure) => ended = Err(Stopped { failure, kept: 1 }),
        }
    }
    let read = begun.elapsed();
    // What was written until an end that came early is found all the same.
    let kept = ended.as_ref().is_err_and(|stopped| stopped.kept > 0);
    let settled = change.settle(kept || done.iter().any(|(_, counts)| counts.changed())).await?;
    let size = catalogue.size().await.trying("the catalogue")?;
    catalogue.close().await;
    let took = Took { read, all: begun.elapsed() };
    if let Err(stopped) = ended {
        // What was imported before is said, where it is read by people.
        if !options.json && !done.is_empty() {
            print(options, &done, settled.as_ref(), size, took)?;
        }
        return Err(stopped.failure);
    }
    print(options, &done, settled.as_ref(), size, took)?;
    Ok(ExitCode::SUCCESS)
}

/// Why an import ended early, and how many lines were written before.
struct Stopped {
    failure: Failure,
    kept: u64,
}

/// Imports one file.
async fn one(catalogue: &Catalogue, right: &Importing, source: &Source, name_refused: bool) -> Result<Counts, Stopped> {
    let shown = &source.shown;
    // On stderr, and only where that is a terminal.
    let bar = ProgressBar::new(source.length).with_style(style("{msg} {wide_bar} {percent}% {eta}"));
    bar.set_message(shown.clone());
    let (mut broken, mut first, mut kept) = (0_u64, None, 0_u64);
    let mut news = |news: News<'_>| match news {
        News::Progress { bytes, lines } => {
            kept = lines;
            bar.set_position(bytes);
            bar.set_message(format!("{shown}: {}", counted(lines, "line")));
        }
        News::Resumed(lines) => {
            kept = lines;
            bar.suspend(|| {
                tell!("toolgate: {shown}: an import did not end; it goes on behind line {lines}");
            });
        }
        News::Broken { line, why } => {
            let why = audit::visible::shown(why);
            broken += 1;
            if broken <= NAMED {
                bar.suspend(|| tell!("toolgate: {shown}:{line}: skipped: {why}"));
            }
            first.get_or_insert(why);
        }
        News::Refused { line, name, why } => {
            if name_refused {
                let name = audit::visible::word(name);
                bar.suspend(|| tell!("toolgate: {shown}:{line}: {name} is no tool: {why}"));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let counts = import_as(catalogue, right, &source.file, source.name, threads, Timestamp::now(), &mut news).await;
    bar.finish_and_clear();
    if broken > NAMED {
        tell!("toolgate: {shown}: {} more could not be read", counted(broken - NAMED, "line"));
    }
    let counts = counts.map_err(|error| {
        let rest = match (kept, &error) {
            (0, _) => "nothing of it was imported".to_owned(),
            (_, BadImport::File { .. }) => {
                format!("its first {} are imported; once it is whole, import it again", counted(kept, "line"))
            }
            (_, BadImport::Store(_)) => {
                format!("its first {} are imported; the same import goes on behind them", counted(kept, "line"))
            }
        };
        Stopped { failure: Failure::Usage(format!("{error}; {rest}")), kept }
    })?;
    if counts.broken > 0 && counts == (Counts { broken: counts.broken, ..Counts::default() }) {
        let (wanted, other) = match source.file.holds {
            Holds::Servers => ("a server", "tools are read by --tools"),
            Holds::Tools => ("a tool", "servers are read by --servers"),
        };
        let why = first.map(|why| format!(" ({why})")).unwrap_or_default();
        let says = format!(
            "no line of {shown} could be read{why}: each must be a JSON object that describes {wanted}; {other}"
        );
        return Err(Stopped { failure: Failure::Usage(says), kept: 0 });
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
    done: &[(String, Counts)],
    settled: Option<&Relations>,
    (servers, tools): (u64, u64),
    took: Took,
) -> Result<(), Failure> {
    if options.json {
        let files: Vec<Value> = done.iter().map(|(file, counts)| json!({ "file": file, "counts": counts })).collect();
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
        say!("{}", audit::visible::shown(file))?;
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
