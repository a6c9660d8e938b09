//! `recording-server SCRIPT RECORD`: the recording server over stdio.
//!
//! SCRIPT is a [`Script`] as JSON; RECORD gets an [`Event`] a line. Gates are files beside
//! RECORD, named `gate-NAME`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use testkit::message::result;
use testkit::script::Script;
use testkit::tee::{Event, messages, record};
use testkit::upstream::{Step, plan};
use testkit::wait;

/// How long the server and what it starts live at most, so that a broken test leaves nothing.
const LIFE: Duration = Duration::from_secs(300);

fn main() -> anyhow::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let script = words.next().context("recording-server SCRIPT RECORD")?;
    if script == "--idle" {
        std::thread::sleep(LIFE);
        return Ok(ExitCode::SUCCESS);
    }
    let file = PathBuf::from(words.next().context("recording-server SCRIPT RECORD")?);
    let script: Script = serde_json::from_slice(&std::fs::read(&script)?).context("the script")?;
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    record(&file, &Event::Started { pid: std::process::id(), environment: environment.collect() })?;
    if let Some(status) = script.crash_at_start {
        eprintln!("recording-server: told to crash");
        return Ok(ExitCode::from(u8::try_from(status)?));
    }
    if script.grandchild {
        let idle = Command::new(std::env::current_exe()?)
            .arg("--idle")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        record(&file, &Event::Grandchild { pid: idle.id() })?;
    }
    eprintln!("recording-server: ready");
    serve(&script, &file)?;
    record(&file, &Event::End)?;
    if script.ignore_close {
        std::thread::sleep(LIFE);
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(script: &Script, file: &Path) -> anyhow::Result<()> {
    let output = Output::default();
    output.junk(script);
    for (number, line) in std::io::stdin().lock().split(b'\n').enumerate() {
        let line = line?;
        let text = String::from_utf8_lossy(&line).into_owned();
        record(file, &Event::Line(text))?;
        let Ok(message) = serde_json::from_slice::<Value>(&line) else { continue };
        let steps = plan(script, &message, number);
        let (script, file, output) = (script.clone(), file.to_path_buf(), output.clone());
        let work = move || {
            if let Err(error) = carry_out(&script, &file, &output, steps) {
                eprintln!("recording-server: {error:#}");
            }
        };
        // Calls may wait: each has a thread, as a server's calls run side by side.
        if message.get("method").is_some_and(|method| method == "tools/call") {
            std::thread::spawn(work);
        } else {
            work();
        }
    }
    Ok(())
}

fn carry_out(script: &Script, file: &Path, output: &Output, steps: Vec<Step>) -> anyhow::Result<()> {
    for step in steps {
        match step {
            Step::Accept | Step::Http(..) => {}
            Step::Send(message) => output.line(&message.to_string())?,
            Step::Answer(message) => {
                output.junk(script);
                output.line(&message.to_string())?;
            }
            Step::Pause(pause) => std::thread::sleep(Duration::from_millis(pause)),
            Step::Gate(gate) => {
                let gate = file.with_file_name(format!("gate-{gate}"));
                wait::until("the gate", LIFE, || gate.exists().then_some(()))?;
            }
            Step::Ask(asked, call) => {
                output.line(&asked.to_string())?;
                let id = asked.get("id").cloned().unwrap_or_default();
                let reply = wait::until("the client's reply", LIFE, || {
                    messages(file).into_iter().find(|said| said.get("id") == Some(&id) && said.get("method").is_none())
                })?;
                let said = reply.get("result").or_else(|| reply.get("error")).cloned().unwrap_or_default();
                let text = serde_json::json!({ "content": [{ "type": "text", "text": said.to_string() }] });
                output.line(&result(&call, text).to_string())?;
            }
            Step::Listen(id, wanted) => {
                let meta = serde_json::json!({ "io.modelcontextprotocol/subscriptionId": id });
                let tag = serde_json::json!({ "_meta": meta, "notifications": wanted });
                let acknowledged = testkit::message::notification("notifications/subscriptions/acknowledged", tag);
                output.line(&acknowledged.to_string())?;
            }
            Step::Hang => std::thread::sleep(LIFE),
            Step::Die => std::process::exit(3),
            Step::Bytes(bytes) => output.line(&bytes)?,
        }
    }
    Ok(())
}

/// stdout, line by line.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<()>>);

impl Output {
    fn line(&self, text: &str) -> anyhow::Result<()> {
        let _alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{text}\n").as_bytes())?;
        Ok(out.flush()?)
    }

    fn junk(&self, script: &Script) {
        for line in &script.junk {
            // Nobody reads on: the end of stdin will be seen next.
            let _ = self.line(line);
        }
    }
}
