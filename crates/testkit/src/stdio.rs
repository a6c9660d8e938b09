//! An MCP client over the stdin and stdout of a program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::message::{LEGACY, Outcome, call, hello, notification, request};
use crate::wait::{self, PATIENCE};

/// A running program that is spoken to line by line. It is killed when this is dropped.
#[derive(Debug)]
pub struct McpStdio {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Gathered,
    /// Messages that were read while another was waited for.
    pub aside: Vec<Value>,
    ids: i64,
}

impl McpStdio {
    /// Starts a program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{:?}", command.get_program()))?;
        let output = child.stdout.take().context("no stdout")?;
        let stderr = Gathered::from(child.stderr.take().context("no stderr")?);
        let input = child.stdin.take();
        Ok(Self { child, input, lines: lines(output), stderr, aside: Vec::new(), ids: 1 })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until stderr has this text.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_stderr(&self, text: &str) -> anyhow::Result<()> {
        wait::for_it(&format!("{text:?} on stderr, which has\n{}", self.stderr()), || self.stderr().contains(text))
    }

    /// Writes bytes and a line feed.
    ///
    /// # Errors
    /// When the program has closed its stdin.
    pub fn line(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("stdin was closed")?;
        let mut line = bytes.to_vec();
        line.push(b'\n');
        input.write_all(&line)?;
        Ok(input.flush()?)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the program has closed its stdin.
    pub fn send(&mut self, message: &Value) -> anyhow::Result<()> {
        self.line(message.to_string().as_bytes())
    }

    /// The next line of stdout, `None` at its end.
    ///
    /// # Errors
    /// When nothing comes within `patience`.
    pub fn read(&mut self, patience: Duration) -> anyhow::Result<Option<String>> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("no line within {patience:?}; stderr has\n{}", self.stderr()),
        }
    }

    /// The next message that `wanted` takes; others are put [aside](Self::aside).
    ///
    /// # Errors
    /// When stdout ends, is silent, or has a line that is no message.
    pub fn next_that(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        if let Some(at) = self.aside.iter().position(&wanted) {
            return Ok(self.aside.remove(at));
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.read(left).with_context(|| what.to_owned())?;
            let line = line.with_context(|| format!("stdout ended before {what}; stderr has\n{}", self.stderr()))?;
            let message: Value = serde_json::from_str(&line).with_context(|| format!("the line {line:?}"))?;
            if wanted(&message) {
                return Ok(message);
            }
            self.aside.push(message);
        }
    }

    /// Waits for the response to the request with this id.
    ///
    /// # Errors
    /// When it does not come.
    pub fn response(&mut self, id: &Value) -> anyhow::Result<Value> {
        self.next_that(&format!("the response to {id}"), |message| {
            message.get("id") == Some(id) && message.get("method").is_none()
        })
    }

    /// A fresh id.
    pub fn id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    /// Asks and waits for the response.
    ///
    /// # Errors
    /// When it does not come.
    pub fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = self.id();
        self.send(&request(id, method, params))?;
        self.response(&json!(id))
    }

    /// Says hello in the newest legacy revision, and that it is ready.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn initialize(&mut self) -> anyhow::Result<Value> {
        let answer = self.request("initialize", hello(LEGACY))?;
        if answer.pointer("/result/protocolVersion").is_none() {
            bail!("initialize was answered with {answer}; stderr has\n{}", self.stderr());
        }
        self.send(&notification("notifications/initialized", json!({})))?;
        Ok(answer)
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When no response comes.
    pub fn call(&mut self, tool: &str, arguments: Value) -> anyhow::Result<Outcome> {
        let id = self.id();
        self.send(&call(id, tool, arguments))?;
        Ok(Outcome::of(&self.response(&json!(id))?))
    }

    /// The names of the tools that are listed, all pages.
    ///
    /// # Errors
    /// When the list cannot be had.
    pub fn tools(&mut self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let answer = self.request("tools/list", params)?;
            let tools = answer.pointer("/result/tools").and_then(Value::as_array);
            let tools = tools.with_context(|| format!("tools/list was answered with {answer}"))?;
            names.extend(tools.iter().filter_map(|tool| tool.get("name")?.as_str().map(str::to_owned)));
            match answer.pointer("/result/nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(names),
            }
        }
    }

    /// Closes its stdin.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = wait::until("the program's end", PATIENCE, || self.child.try_wait().ok().flatten());
        let status = ended.with_context(|| self.stderr.text())?;
        self.stderr.complete()?;
        Ok(status)
    }
}

impl Drop for McpStdio {
    fn drop(&mut self) {
        // Closing stdin is how a program is asked to end, which lets it end its own children.
        self.input = None;
        let ended = wait::until("its end", Duration::from_secs(8), || self.child.try_wait().ok().flatten());
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

/// What comes on a pipe, as it comes.
#[derive(Debug, Clone)]
pub(crate) struct Gathered(Arc<Mutex<(String, bool)>>);

impl Gathered {
    /// Begins to read.
    pub(crate) fn from(output: impl std::io::Read + Send + 'static) -> Self {
        let gathered = Self(Arc::default());
        let kept = gathered.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let mut state = kept.lock();
                state.0.push_str(&String::from_utf8_lossy(&line));
                state.0.push('\n');
            }
            kept.lock().1 = true;
        });
        gathered
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (String, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        self.lock().0.clone()
    }

    /// Waits for the end of the pipe, which comes soon after the end of the last process that
    /// holds it.
    ///
    /// # Errors
    /// When something holds it.
    pub(crate) fn complete(&self) -> anyhow::Result<String> {
        wait::for_it("the end of stderr, which a process of the program still holds", || self.lock().1)?;
        Ok(self.text())
    }
}
