//! A real PostgreSQL, started for the tests of one program, in a folder of its own.
//!
//! It listens on a socket in that folder, so no port is taken. It ends with the process that started it, however
//! that ends: a shell waits for the end of a pipe whose other side this process holds.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// PostgreSQL refuses to run as root; this is `nobody` on Debian.
const NOBODY: u32 = 65534;

/// Runs the server, and ends it and removes its folder when the pipe on its standard input closes.
const KEEPER: &str = r#"
"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 </dev/null &
echo "pid $!" >&2
cat >/dev/null
kill -CONT $! 2>/dev/null
kill -QUIT $! 2>/dev/null
wait
rm -rf "$2"
"#;

/// A running PostgreSQL.
pub struct Postgres {
    folder: PathBuf,
    server: Pid,
    _keeper: Child,
    _pipe: ChildStdin,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Result<Self> {
        let bin = programs()?;
        let folder = TempDir::new()?.keep();
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
        }
        let as_nobody = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder).env("LC_ALL", "C");
            if root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let mut init = as_nobody(&bin.join("initdb"));
        init.arg("-D").arg(folder.join("data")).args(["-U", "toolgate", "-A", "trust", "-N", "-E", "UTF8"]);
        let made = init.output().context("initdb")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut keeper = as_nobody(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "sh"]).arg(bin.join("postgres")).arg(&folder);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut keeper = keeper.spawn().context("sh")?;
        let pipe = keeper.stdin.take().context("no pipe")?;
        let mut server = None;
        let mut said = String::new();
        let mut lines = BufReader::new(keeper.stderr.take().context("no pipe")?).lines();
        for line in lines.by_ref() {
            let line = line?;
            if let Some(pid) = line.strip_prefix("pid ") {
                server = Pid::from_raw(pid.parse()?);
            }
            if line.contains("database system is ready to accept connections") {
                let server = server.context("the server's number was not told")?;
                // Whatever else it says is read, so that it never waits for us.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { folder, server, _keeper: keeper, _pipe: pipe });
            }
            said.push_str(&line);
            said.push('\n');
        }
        bail!("PostgreSQL did not start: {said}")
    }

    /// Makes an empty database, and tells its URL.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut create = Command::new("psql");
        create.arg("-h").arg(&self.folder).args(["-X", "-U", "toolgate", "-w", "-d", "postgres"]);
        create.args(["-c", &format!("CREATE DATABASE {name}")]);
        let made = create.output().context("psql is missing: apt-get install -y postgresql-client")?;
        ensure!(made.status.success(), "CREATE DATABASE: {}", String::from_utf8_lossy(&made.stderr));
        Ok(format!("postgres://toolgate@localhost/{name}?host={}", self.folder.display()))
    }

    /// Stops it in its tracks: it answers nothing, and its connections stand.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Result<()> {
        self.signal_all(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it is gone.
    pub fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::CONT)
    }

    /// The server and the processes that serve its connections.
    fn signal_all(&self, signal: Signal) -> Result<()> {
        kill_process(self.server, signal)?;
        let children = format!("/proc/{0}/task/{0}/children", self.server.as_raw_nonzero());
        for child in fs::read_to_string(children)?.split_whitespace() {
            if let Some(child) = Pid::from_raw(child.parse()?) {
                // One that has just ended needs no signal.
                let _ = kill_process(child, signal);
            }
        }
        Ok(())
    }
}

/// Where the server's programs lie: Debian keeps them out of the path.
fn programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    let mut folders = std::env::split_paths(&path).chain(debian);
    let whole = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).exists());
    folders.find(whole).context("PostgreSQL is missing: apt-get install -y postgresql")
}
