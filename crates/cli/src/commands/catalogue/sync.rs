//! `toolgate catalogue sync`.

use std::process::ExitCode;
use std::time::Instant;

use catalogue::registry::{BadSync, News, sync as read};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;
use store::DataDir;
use store::catalogue::{Catalogue, Importing, ListingCounts, Reading};

use super::settle::{Change, Relations, style};
use crate::args::SyncOptions;
use crate::commands::counted;
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell};

/// Entries that could not be read and are named one by one; the rest is counted.
const NAMED: u64 = 20;

/// Reads a registry, and makes the index anew where something changed.
pub async fn sync(options: &SyncOptions) -> Result<ExitCode, Failure> {
    let path = data_dir(options.data.dir.as_deref())?;
    let data = DataDir::open(&path).trying(format!("the data directory {}", path.display()))?;
    let catalogue = Catalogue::open(&data).await.trying("the catalogue")?;
    let begun = Instant::now();
    let change = Change::begin(&catalogue, &data)?;
    let mut written = 0;
    let reading = all(&catalogue, change.right(), options, &mut written).await;
    let changed = match &reading {
        Ok(reading) => reading.counts.any_changed(),
        // What was written before it broke off is found all the same.
        Err(_) => written > 0,
    };
    let settled = change.settle(changed).await?;
    let size = catalogue.size().await.trying("the catalogue")?;
    catalogue.close().await;
    print(options, &reading?, settled.as_ref(), size, begun)?;
    Ok(ExitCode::SUCCESS)
}

async fn all(
    catalogue: &Catalogue,
    right: &Importing,
    options: &SyncOptions,
    written: &mut u64,
) -> Result<Reading, Failure> {
    let shown = audit::visible::shown(&options.registry);
    // On stderr, and only where that is a terminal.
    let bar = ProgressBar::new_spinner().with_style(style("{msg}"));
    let mut broken = 0_u64;
    let mut news = |news: News<'_>| match news {
        News::Progress(entries) => {
            *written = entries;
            bar.set_message(format!("{shown}: {}", entries_of(entries)));
        }
        News::Resumed(entries) => bar.suspend(|| {
            tell!("toolgate: {shown}: a run did not end; it goes on behind {}", entries_of(entries));
        }),
        News::Broken(why) => {
            broken += 1;
            if broken <= NAMED {
                bar.suspend(|| tell!("toolgate: {shown}: an entry was skipped: {}", audit::visible::shown(why)));
            }
        }
    };
    let reading = read(catalogue, right, &options.registry, options.full, Timestamp::now(), &mut news).await;
    bar.finish_and_clear();
    if broken > NAMED {
        tell!("toolgate: {shown}: {} could not be read beside these", entries_of(broken - NAMED));
    }
    reading.map_err(|error| {
        let kept = match *written {
            0 => "nothing was read".to_owned(),
            1 => "the entry before is kept, and the next sync goes on behind it".to_owned(),
            many => format!("the {many} entries before are kept, and the next sync goes on behind them"),
        };
        Failure::Usage(match error {
            BadSync::Store(error) => format!("the catalogue: {error}"),
            error => format!("the registry {shown}: {}; {kept}", audit::visible::shown(&error.to_string())),
        })
    })
}

fn print(
    options: &SyncOptions,
    reading: &Reading,
    settled: Option<&Relations>,
    (servers, tools): (u64, u64),
    begun: Instant,
) -> Result<(), Failure> {
    if options.json {
        let since = reading.since.map(|since| since.to_string());
        let seen = reading.seen.map(|seen| seen.to_string());
        let forks = settled.map(Relations::as_json);
        let impostors = settled.map(|relations| relations.impostors);
        return say!(
            "{}",
            json!({
                "version": 1, "registry": reading.address, "since": since, "newest": seen, "counts": reading.counts,
                "forks": forks, "impostors": impostors, "servers": servers, "tools": tools,
            })
        );
    }
    say!("{}", audit::visible::shown(&reading.address))?;
    for line in lines(&reading.counts) {
        say!("  {line}")?;
    }
    if let Some(relations) = settled {
        relations.say()?;
    }
    let asked = match reading.since {
        Some(since) => format!("asked for what changed since {since:.0}; --full asks for everything"),
        None => "asked for everything".to_owned(),
    };
    say!(
        "The catalogue holds {} and {} ({:.1} s); {asked}.",
        counted(servers, "server"),
        counted(tools, "tool"),
        begun.elapsed().as_secs_f64()
    )
}

fn entries_of(count: u64) -> String {
    format!("{count} {}", if count == 1 { "entry" } else { "entries" })
}

/// How many of what, in a row.
fn row(count: u64, [one, several]: &[&str; 2], what: &str) -> String {
    format!("{count:>8}  {}, {what}", if count == 1 { one } else { several })
}

/// What became of the entries, in words; what did not happen is not named.
fn lines(counts: &ListingCounts) -> Vec<String> {
    let table = [
        (counts.new, ["server", "servers"], "new"),
        (counts.changed, ["server", "servers"], "changed"),
        (counts.same, ["server", "servers"], "as before"),
        (counts.withdrawn, ["server", "servers"], "withdrawn"),
        (counts.returned, ["server", "servers"], "offered again"),
        (counts.older, ["entry", "entries"], "of no latest version or long withdrawn"),
        (counts.broken, ["entry", "entries"], "unreadable"),
    ];
    let lines: Vec<String> =
        table.iter().filter(|line| line.0 > 0).map(|(count, thing, what)| row(*count, thing, what)).collect();
    if lines.is_empty() { vec!["nothing has changed".to_owned()] } else { lines }
}
