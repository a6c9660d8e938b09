//! `toolgate catalogue`: what is known of servers and their tools.

pub(super) mod beside;
mod check;
mod crawl;
mod find;
mod import;
mod index;
mod json;
mod mcp;
mod overrides;
mod pages;
pub(super) mod settle;
mod show;
mod snapshot;
mod sync;
mod values;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use catalogue::show::{Meant, meant};
use catalogue::starter;
use jiff::Timestamp;
use store::DataDir;
use store::catalogue::{Catalogue, Server, Tool};
use tokio::runtime::Builder;

use self::settle::Change;
use super::scan;
use crate::args::{CatalogueCommand, DataOptions};
use crate::environment::data_dir;
use crate::failure::{Failure, Trying};
use crate::output::tell;

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;

/// Runs one of the commands.
pub fn catalogue(command: &CatalogueCommand) -> Result<ExitCode, Failure> {
    let mut runtime = match command {
        // Nobody waits for what somebody else searches.
        CatalogueCommand::Serve(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build().trying("the runtime")?;
    runtime.block_on(async {
        match command {
            CatalogueCommand::Import(options) => import::import(options).await,
            CatalogueCommand::Index(options) => index::index(options).await,
            CatalogueCommand::Sync(options) => sync::sync(options).await,
            CatalogueCommand::Crawl(options) => crawl::crawl(options).await,
            CatalogueCommand::Export(options) => snapshot::export(options).await,
            CatalogueCommand::Key(options) => snapshot::key(options),
            CatalogueCommand::Search(options) => find::search(options).await,
            CatalogueCommand::Show(options) => show::show(options).await,
            CatalogueCommand::Check(options) => check::check(options).await,
            CatalogueCommand::Serve(options) => pages::serve(options).await,
            CatalogueCommand::Mcp(options) => mcp::speak(options).await,
            CatalogueCommand::Override(options) => overrides::put(options).await,
            CatalogueCommand::Overrides(options) => overrides::list(options).await,
        }
    })
}

/// The catalogue of a data directory; one that nothing was ever put into begins with the well known servers.
async fn open(data: &DataOptions) -> Result<(DataDir, Catalogue), Failure> {
    open_at(&data_dir(data.dir.as_deref())?).await
}

/// The catalogue that lies below a path.
async fn open_at(path: &Path) -> Result<(DataDir, Catalogue), Failure> {
    let data = DataDir::open(path).trying(format!("the data directory {}", path.display()))?;
    let catalogue = Catalogue::open(&data).await.trying("the catalogue")?;
    // One that was killed while it began has no index yet, and begins again.
    if search::is_stale(&data.search()) && starter::is_alone(&catalogue).await.trying("the catalogue")? {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let change = Change::begin(&catalogue, &data)?;
        starter::import(&catalogue, change.right(), threads, Timestamp::now()).await.trying("the catalogue")?;
        change.settle(true).await?;
        let (servers, tools) = catalogue.size().await.trying("the catalogue")?;
        tell!(
            "toolgate: the catalogue begins with {servers} well known servers and {tools} tools; `import` and `sync` add others"
        );
    }
    Ok((data, catalogue))
}

/// What one argument means; what means nothing, or too much, is a wrong argument.
async fn one(catalogue: &Catalogue, text: &str) -> Result<Meant, Failure> {
    let shown = audit::visible::word(text);
    match meant(catalogue, text).await.trying("the catalogue")? {
        Meant::Unknown => Err(Failure::Usage(format!(
            "{shown} is no server of the catalogue, and no tool of one; `toolgate catalogue search` finds what there is"
        ))),
        Meant::Several(servers) => {
            let slugs: Vec<String> = servers.iter().map(|server| audit::visible::word(&server.slug)).collect();
            Err(Failure::Usage(format!("{shown} could be each of these; name one of them: {}", slugs.join(", "))))
        }
        Meant::NoSuchTool(server) => Err(Failure::Usage(format!(
            "{shown}: the server {} is known, but has no such tool; `toolgate catalogue show {}` lists those that it has",
            audit::visible::word(&server.name),
            audit::visible::word(&server.slug),
        ))),
        found => Ok(found),
    }
}

/// The slug of the server that this one could be taken for, where it is one, and why.
async fn impostor(catalogue: &Catalogue, server: &Server) -> Result<Option<(Option<String>, String)>, Failure> {
    let Some(found) = catalogue.impostor(server.id).await.trying("the catalogue")? else { return Ok(None) };
    let original = match found.original {
        Some(id) => catalogue.server(id).await.trying("the catalogue")?.map(|server| server.slug),
        None => None,
    };
    Ok(Some((original, found.reason)))
}

/// The columns of the terminal.
fn columns() -> usize {
    let asked = crate::environment::text_variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let own = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let own = own.filter(|_| std::io::stdout().is_terminal());
    own.or(asked).unwrap_or(COLUMNS).clamp(60, 180)
}

/// Rows below heads, each column as wide as its widest cell, the last as wide as there is place.
fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(scan::layout::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(scan::layout::width(cell)).min(columns() / 3);
        }
    }
    let before: usize = widths.iter().take(N.saturating_sub(1)).map(|width| width + 2).sum();
    if let Some(last) = widths.last_mut() {
        *last = columns().saturating_sub(before + 2).max(12);
    }
    let mut out = String::new();
    let mut line = |cells: Vec<(&str, usize)>| {
        for line in scan::layout::row(2, &cells) {
            out.push_str(&line);
            out.push('\n');
        }
    };
    line(heads.iter().copied().zip(widths).collect());
    for row in rows {
        line(row.iter().map(String::as_str).zip(widths).collect());
    }
    out
}

/// The class of a tool; one that a person gave it is marked.
fn class(tool: &Tool) -> String {
    let mark = if tool.own.is_some() { "*" } else { "" };
    format!("{}{mark}", tool.judged.class)
}

/// What the mark means, where it stands.
fn footnote<'a>(mut tools: impl Iterator<Item = &'a Tool>) -> &'static str {
    match tools.any(|tool| tool.own.is_some()) {
        true => "* a person says so; `toolgate catalogue overrides` says who and why\n",
        false => "",
    }
}

/// The beginning of a text: one line, in visible characters.
fn gist(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut gist: String = line.chars().take(most).collect();
    if gist.len() < line.len() {
        gist.push('…');
    }
    audit::visible::shown(&gist)
}
