//! `tee-server FILE -- COMMAND…`: runs a stdio server and writes what it is sent to FILE.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use testkit::tee::{Event, record};

fn main() -> anyhow::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let file = PathBuf::from(words.next().context("tee-server FILE -- COMMAND…")?);
    if words.next().is_none_or(|word| word != "--") {
        bail!("tee-server FILE -- COMMAND…");
    }
    let program = words.next().context("no command")?;
    let mut child = Command::new(program).args(words).stdin(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("no stdin")?;
    record(&file, &Event::Started { pid: child.id(), environment: Vec::new() })?;
    let mut line = Vec::new();
    let mut stdin = std::io::stdin().lock();
    while stdin.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
        record(&file, &Event::Line(text))?;
        if input.write_all(&line).and_then(|()| input.flush()).is_err() {
            break;
        }
        line.clear();
    }
    record(&file, &Event::End)?;
    drop(input);
    let status = child.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
