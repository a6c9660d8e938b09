//! `fixture`: an MCP server with the tools, resources and prompts that the official conformance
//! suite asks for by name. It is an upstream for tests, and nothing else: it has no access to
//! anything and keeps no state but that of its sessions and tasks.
//!
//! Both eras are served at once, or one of them alone: 2024-11-05 to 2025-11-25 with sessions, and 2026-07-28 without.

#![expect(
    deprecated,
    reason = "logging, sampling and roots are deprecated by the newest revision and alive in the older ones"
)]

mod http;
mod input;
mod media;
mod prompts;
mod resources;
mod server;
mod sessions;
mod tools;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rmcp::ServiceExt;

use crate::server::{Era, Fixture};

const USAGE: &str = "\
usage: fixture --listen ADDRESS [OPTION]... | fixture --stdio [OPTION]...

  --listen ADDRESS   serve Streamable HTTP there, at /mcp; port 0 takes a free one.
                     The URL is printed on stdout, alone on its line.
  --stdio            serve stdin and stdout
  --page N           lists come in pages of N
  --era ERA          speak `legacy` or `modern` revisions alone, not both
";

/// What the command line asks for.
struct Options {
    listen: Option<String>,
    page: Option<usize>,
    era: Option<Era>,
}

fn main() -> ExitCode {
    let done = options(std::env::args().skip(1)).and_then(|options| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(options))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn serve(options: Options) -> Result<()> {
    let fixture = Fixture::new(options.page, options.era);
    match options.listen {
        Some(address) => http::serve(&address, fixture).await,
        None => {
            fixture.serve(rmcp::transport::stdio()).await?.waiting().await?;
            Ok(())
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { listen: None, page: None, era: None };
    let mut stdio = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--listen" => options.listen = Some(words.next().context(USAGE)?),
            "--stdio" => stdio = true,
            "--page" => options.page = Some(words.next().context(USAGE)?.parse().context("`--page` takes a number")?),
            "--era" => {
                options.era = Some(match words.next().as_deref() {
                    Some("legacy") => Era::Legacy,
                    Some("modern") => Era::Modern,
                    _ => bail!("`--era` takes `legacy` or `modern`\n{USAGE}"),
                });
            }
            _ => bail!("`{word}` is not known\n{USAGE}"),
        }
    }
    if stdio == options.listen.is_some() {
        bail!("one of `--listen` and `--stdio` is needed\n{USAGE}");
    }
    if options.page == Some(0) {
        bail!("a page holds at least one entry");
    }
    Ok(options)
}
