//! An MCP server as a child process that speaks on stdin and stdout.
//!
//! A child leads a process group of its own, so that whatever it starts ends with it. Standard
//! output is cut into lines here; what is no JSON object is skipped and counted, because real
//! servers print banners. Standard error is handed on line by line and the last lines are kept.

mod lines;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin};
use tokio::sync::{mpsc, watch};

pub use self::lines::{Junk, JunkSink, Room};

/// The longest line a child may print: longer ones are skipped and counted. Real tool lists of
/// one megabyte exist.
pub const MAX_LINE: usize = 32 * 1024 * 1024;

/// How many lines of standard error are kept for error messages.
const STDERR_LINES: usize = 50;

/// Time between closing a child's stdin and SIGTERM, and between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How often an ended leader's group is looked at.
const GROUP_CHECK: Duration = Duration::from_millis(20);

/// What is started.
#[derive(Clone)]
pub struct Command {
    /// The program, looked up in `PATH`.
    pub program: OsString,
    /// Its arguments, passed as they are: no shell is involved.
    pub args: Vec<OsString>,
    /// Variables that the child gets beside those it inherits.
    pub env: Vec<(OsString, OsString)>,
    /// Variables that the child does not inherit.
    pub env_remove: Vec<OsString>,
    /// The folder in which it is started; else ours.
    pub cwd: Option<PathBuf>,
}

impl std::fmt::Debug for Command {
    // The values of variables are often secrets, and so are arguments such as `--api-key=`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("env", &self.env.len())
            .finish_non_exhaustive()
    }
}

/// Receives a line of the child's standard error, without its line end.
pub type StderrSink = Arc<dyn Fn(&str) + Send + Sync>;

/// A running child. Dropping the last handle closes its stdin and ends its process group.
pub struct Child {
    input: Mutex<Option<mpsc::Sender<Bytes>>>,
    group: Pid,
    exit: watch::Receiver<Option<Exit>>,
    stop: watch::Sender<bool>,
    junk: Arc<AtomicU64>,
    stderr: Arc<Mutex<VecDeque<String>>>,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The status that its parent sees.
    pub status: ExitStatus,
}

/// The child does not take messages any more.
#[derive(Debug, thiserror::Error)]
#[error("the server process has ended")]
pub struct Ended;

impl Child {
    /// Starts `command`. Every line of its stdout that can be a message goes to `output`, whose
    /// closing tells that stdout has ended; `told` hears of the others. `room` is what its lines may
    /// take while they are longer than 64 KiB.
    ///
    /// # Errors
    /// The operating system's, when the program cannot be started.
    pub fn spawn(
        command: &Command,
        output: mpsc::Sender<Bytes>,
        stderr: StderrSink,
        told: JunkSink,
        room: Box<dyn Room>,
    ) -> io::Result<Self> {
        let mut process = tokio::process::Command::new(&command.program);
        process
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for name in &command.env_remove {
            process.env_remove(name);
        }
        if let Some(folder) = &command.cwd {
            process.current_dir(folder);
        }
        process.envs(command.env.iter().map(|(name, value)| (name, value)));
        let mut process = process.spawn()?;
        let lost = || io::Error::other("the process has no pipes");
        let group = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).ok_or_else(lost)?;
        let stdin = process.stdin.take().ok_or_else(lost)?;
        let stdout = process.stdout.take().ok_or_else(lost)?;
        let errors = process.stderr.take().ok_or_else(lost)?;

        let (input, lines) = mpsc::channel::<Bytes>(64);
        let (exit_tx, exit) = watch::channel(None);
        let (stop, stop_rx) = watch::channel(false);
        let junk = Arc::new(AtomicU64::new(0));
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(write_lines(stdin, lines));
        tokio::spawn(lines::read_lines(stdout, output, Arc::clone(&junk), told, room));
        tokio::spawn(read_stderr(errors, Arc::clone(&kept), stderr));
        tokio::spawn(watch_over(process, group, stop_rx, exit_tx));
        Ok(Self { input: Mutex::new(Some(input)), group, exit, stop, junk, stderr: kept })
    }

    /// Writes one message, which holds no line break, and its line end.
    ///
    /// # Errors
    /// [`Ended`] when nothing was written because the child is gone.
    pub async fn send(&self, message: Bytes) -> Result<(), Ended> {
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match input {
            Some(input) => input.send(message).await.map_err(|_| Ended),
            None => Err(Ended),
        }
    }

    /// The id of the child's process group, which is its process id.
    pub fn group(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Lines of stdout that were no message, so far.
    pub fn junk_lines(&self) -> u64 {
        self.junk.load(Ordering::Relaxed)
    }

    /// The last lines of standard error.
    pub fn last_stderr(&self) -> Vec<String> {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether and how the child has ended.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Closes stdin, which asks the child to end.
    pub fn close_input(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits until the child has ended.
    pub async fn ended(&self) -> Option<Exit> {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit)
    }

    /// Whether somebody has told it to end.
    pub fn is_told_to_stop(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends the child: stdin is closed, then SIGTERM and SIGKILL go to its whole group, two
    /// seconds apart. Returns when it is gone.
    pub async fn stop(&self) -> Option<Exit> {
        self.close_input();
        let _ = self.stop.send(true);
        self.ended().await
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The watching task ends the group; it is detached and outlives this handle.
        let _ = self.stop.send(true);
    }
}

async fn write_lines(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
    let mut buffer = Vec::new();
    while let Some(line) = lines.recv().await {
        buffer.clear();
        buffer.extend_from_slice(&line);
        buffer.push(b'\n');
        if stdin.write_all(&buffer).await.is_err() || stdin.flush().await.is_err() {
            break;
        }
        if buffer.capacity() > 1 << 20 {
            buffer = Vec::new();
        }
    }
}

async fn read_stderr(stderr: ChildStderr, kept: Arc<Mutex<VecDeque<String>>>, sink: StderrSink) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A bound on the line keeps a child that never ends one from filling the memory.
        match (&mut reader).take(64 * 1024).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        sink(text);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == STDERR_LINES {
            kept.pop_front();
        }
        kept.push_back(text.to_owned());
    }
}

/// Owns the process: reaps it, and ends its group when told or when its leader has ended.
async fn watch_over(
    mut process: tokio::process::Child,
    group: Pid,
    mut stop: watch::Receiver<bool>,
    exit: watch::Sender<Option<Exit>>,
) {
    let asked = async {
        // An error means that every handle is gone, which asks for the same.
        let _ = stop.wait_for(|asked| *asked).await;
    };
    let mut ended = None;
    tokio::select! {
        status = process.wait() => ended = Some(status),
        () = asked => {}
    }
    let status = match ended {
        Some(status) => status,
        None => match tokio::time::timeout(GRACE, process.wait()).await {
            Ok(status) => status,
            Err(_) => {
                let _ = kill_process_group(group, Signal::TERM);
                match tokio::time::timeout(GRACE, process.wait()).await {
                    Ok(status) => status,
                    Err(_) => {
                        let _ = kill_process_group(group, Signal::KILL);
                        process.wait().await
                    }
                }
            }
        },
    };
    // The leader is gone; what it started may not be. The end is told when the group is empty, so
    // that whoever waits for it leaves nothing behind.
    let _ = kill_process_group(group, Signal::TERM);
    let mut patience = GRACE;
    while test_kill_process_group(group).is_ok() {
        if patience.is_zero() {
            let _ = kill_process_group(group, Signal::KILL);
            break;
        }
        tokio::time::sleep(GROUP_CHECK).await;
        patience = patience.saturating_sub(GROUP_CHECK);
    }
    let _ = exit.send(status.ok().map(|status| Exit { status }));
}
