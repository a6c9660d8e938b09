//! A disk that fails under a program that runs: what the program does with some of its files is held up or refused by
//! `strace`, as the system would.
//!
//! The product lets nobody look into it but root, so this needs root.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// What becomes of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It answers nothing.
    Frozen,
    /// Everything takes two seconds.
    Slow,
    /// Nothing may be written.
    ReadOnly,
    /// There is no room.
    Full,
}

/// What writes.
const WRITES: &str = "write,pwrite64,pwritev,writev,ftruncate,fallocate";

/// What waits for the disk.
const USES: &str = "write,pwrite64,pwritev,writev,ftruncate,fallocate,read,pread64,fsync,fdatasync";

/// What gives names; not every machine has all of them.
const NAMES: &str = "?rename,renameat,renameat2";

impl Trouble {
    /// The option of strace, for calls of these names.
    fn injected(self, writes: &str, uses: &str) -> String {
        match self {
            Self::Frozen => format!("inject={uses}:delay_enter=86400s"),
            Self::Slow => format!("inject={uses}:delay_enter=2s"),
            Self::ReadOnly => format!("inject={writes}:error=EROFS"),
            Self::Full => format!("inject={writes}:error=ENOSPC"),
        }
    }
}

/// A disk in trouble under a process, until this is dropped.
#[derive(Debug)]
pub struct Troubled {
    tracer: Child,
}

impl Troubled {
    /// From now on, for what a process does with these files.
    ///
    /// # Errors
    /// When strace is missing, or may not attach.
    pub fn begin(process: u32, trouble: Trouble, files: &[PathBuf]) -> anyhow::Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-I", "1", "-f", "-o", "/dev/null", "-e", &trouble.injected(WRITES, USES)]);
        for file in files {
            command.arg("-P").arg(file);
        }
        command.args(["-p", &process.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut tracer = command.spawn().context("strace is missing: apt-get install -y strace")?;
        let mut lines = BufReader::new(tracer.stderr.take().context("no stderr")?).lines().map_while(Result::ok);
        let mut heard = String::new();
        // For each path it says what it resolves to; then that it has attached.
        for line in lines.by_ref() {
            if line.contains(&format!("Process {process} attached")) {
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { tracer });
            }
            heard.push_str(&line);
        }
        let _ = tracer.wait();
        bail!("strace cannot attach, which takes root: {heard}")
    }

    /// Lets the disk be well again.
    ///
    /// # Errors
    /// When strace has ended before.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.detach()
    }

    fn detach(&mut self) -> anyhow::Result<()> {
        // It lets go of the process in an orderly way.
        kill_process(Pid::from_child(&self.tracer), Signal::TERM)?;
        self.tracer.wait()?;
        Ok(())
    }
}

impl Drop for Troubled {
    fn drop(&mut self) {
        let _ = self.detach();
    }
}

/// The words that start a program whose disk is in trouble from the beginning, where it uses these files. The program
/// keeps its number; [`cured`] ends the trouble.
pub fn from_the_start(trouble: Trouble, files: &[PathBuf]) -> Vec<String> {
    let (writes, uses) = (format!("{WRITES},openat"), format!("{USES},openat"));
    let mut words: Vec<String> = ["strace", "-D", "-I", "1", "-f", "-o", "/dev/null", "-e"].map(str::to_owned).into();
    words.push(trouble.injected(&writes, &uses));
    words.extend(files.iter().flat_map(|file| ["-P".to_owned(), file.display().to_string()]));
    words
}

/// The same for a program that gives anything a name, as the beginning of each chain of the log does.
pub fn no_names(trouble: Trouble) -> Vec<String> {
    let mut words: Vec<String> = ["strace", "-D", "-I", "1", "-f", "-o", "/dev/null", "-e"].map(str::to_owned).into();
    words.push(trouble.injected(NAMES, NAMES));
    words
}

/// Ends the trouble of a program that was started with it.
///
/// # Errors
/// When nobody traces it.
pub fn cured(process: u32) -> anyhow::Result<()> {
    let tracer = || -> Option<i32> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim().parse().ok()
    };
    let pid = tracer().and_then(Pid::from_raw).context("nobody traces it")?;
    kill_process(pid, Signal::TERM)?;
    crate::wait::for_it("strace to let go", || tracer() == Some(0))
}
