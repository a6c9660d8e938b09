//! `toolgate catalogue mcp`: the catalogue as an MCP server on stdin and stdout.

use std::process::ExitCode;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};
use web::{Audience, Site};

use super::open;
use crate::args::DataOptions;
use crate::failure::{Failure, Trying};

/// Serves until stdin ends.
pub(super) async fn speak(options: &DataOptions) -> Result<ExitCode, Failure> {
    let (data, catalogue) = open(options).await?;
    let site = Site::new(catalogue, &data.search(), Audience::Members, "", Vec::new());
    let mut lines = BufReader::new(stdin()).split(b'\n');
    let mut out = stdout();
    // A line that is no text is one that cannot be read, not the end.
    while let Some(line) = lines.next_segment().await.trying("stdin")? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Value>(&line) {
            Ok(message) => web::mcp::answer(&site, &message).await,
            Err(_) => Some(web::mcp::unreadable()),
        };
        if let Some(answer) = answer {
            out.write_all(format!("{answer}\n").as_bytes()).await.trying("stdout")?;
            out.flush().await.trying("stdout")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
