//! A real PostgreSQL, started for the tests of one program, in a folder of its own.
//!
//! It listens on a socket in that folder, so no port is taken. It ends with the process that started it, however
//! that ends: a shell waits for the end of a pipe whose other side this process holds.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::slow::Slow;
use crate::toolgate::is_alive;
use crate::wait::{self, PATIENCE};

/// PostgreSQL refuses to run as root; this is `nobody` on Debian.
const NOBODY: u32 = 65534;

/// Runs the server, again for each line on its standard input, and ends it and removes its folder when that closes.
const KEEPER: &str = r#"
begin() {
    "$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 </dev/null &
    server=$!
    echo "pid $server" >&2
}
begin "$1" "$2"
while read -r line; do
    wait "$server"
    begin "$1" "$2"
done
kill -CONT "$server" 2>/dev/null
kill -QUIT "$server" 2>/dev/null
wait
rm -rf "$2"
"#;

/// A running PostgreSQL.
pub struct Postgres {
    folder: PathBuf,
    server: Pid,
    keeper: ChildStdin,
    said: Mutex<Receiver<String>>,
    _keeper: Child,
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
        let lines = BufReader::new(keeper.stderr.take().context("no pipe")?).lines();
        let (say, said) = channel();
        // Whatever it says is read, so that it never waits for us.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(say.send(line))));
        let server = ready(&said)?;
        Ok(Self { folder, server, keeper: pipe, said: Mutex::new(said), _keeper: keeper })
    }

    /// Makes an empty database, and tells its URL.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql(&[&format!("CREATE DATABASE {name}")])?;
        Ok(format!("postgres://toolgate@localhost/{name}?host={}", self.folder.display()))
    }

    /// Makes an empty database, and tells its URL by a way that may be slow.
    ///
    /// # Errors
    /// When it cannot be made, or there is no port.
    pub fn database_behind(&self) -> Result<(String, Slow)> {
        let way = Slow::before_socket(self.folder.join(".s.PGSQL.5432"))?;
        let url = self.database()?;
        let name = url.split(['/', '?']).nth(3).context("no name")?;
        Ok((format!("postgres://toolgate@127.0.0.1:{}/{name}", way.port()), way))
    }

    /// Runs a statement in a database, and gives what it shows.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, database: &str, statement: &str) -> Result<String> {
        let mut command = Command::new("psql");
        command.args(["-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]);
        let done = command.output().context("psql is missing: apt-get install -y postgresql-client")?;
        ensure!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8(done.stdout)?.trim().to_owned())
    }

    fn sql(&self, statements: &[&str]) -> Result<()> {
        let mut command = Command::new("psql");
        command.arg("-h").arg(&self.folder).args(["-X", "-U", "toolgate", "-w", "-d", "postgres"]);
        for statement in statements {
            command.args(["-c", statement]);
        }
        let done = command.output().context("psql is missing: apt-get install -y postgresql-client")?;
        ensure!(done.status.success(), "{statements:?}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Ends it at once, as a crash would: it makes no checkpoint, and every connection breaks.
    ///
    /// # Errors
    /// When it goes on.
    pub fn stop(&self) -> Result<()> {
        let _ = kill_process(self.server, Signal::QUIT);
        wait::for_it("PostgreSQL to end", || !self.runs())
    }

    /// Starts it again after [`stop`](Self::stop), or where it has ended by itself.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.keeper.write_all(b"again\n")?;
        self.server = ready(self.said.get_mut().unwrap_or_else(PoisonError::into_inner))?;
        Ok(())
    }

    fn runs(&self) -> bool {
        u32::try_from(self.server.as_raw_nonzero().get()).is_ok_and(is_alive)
    }

    /// Lets nothing be written, as a server does that follows another one, or lets it be written again.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn read_only(&self, on: bool) -> Result<()> {
        let setting = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        self.sql(&[&setting, "SELECT pg_reload_conf()"])?;
        // Each process reads its settings when it comes to that; one that begins now has the new ones.
        let wanted = format!("SELECT 1 / (current_setting('transaction_read_only')::boolean = {on})::int");
        wait::for_it("the new setting", || self.sql(&[&wanted]).is_ok())
    }

    /// Leaves it no room for anything, or as much as there is. Without room for its log it ends by itself, and when there
    /// is room it is started again.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn out_of_space(&mut self, on: bool) -> Result<()> {
        if on {
            self.limit("1")?;
            // The first change is the last one.
            let _ = self.sql(&["CREATE TABLE no_room ()"]);
            return wait::for_it("PostgreSQL to end", || !self.runs());
        }
        let _ = self.limit("unlimited");
        wait::until("PostgreSQL to serve again", PATIENCE, || {
            let alive = self.runs() || self.restart().is_ok();
            (alive && self.sql(&["SELECT 1"]).is_ok()).then_some(())
        })
    }

    /// How large its files may become. Only its own user may say so, and root only where it has that right as well.
    fn limit(&self, bytes: &str) -> Result<()> {
        self.each(|process| {
            let mut command = Command::new("prlimit");
            command.args(["--pid", &process.as_raw_nonzero().to_string(), &format!("--fsize={bytes}:")]);
            if rustix::process::geteuid().is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            // One that has just ended has no files.
            let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        })
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

    fn signal_all(&self, signal: Signal) -> Result<()> {
        kill_process(self.server, signal)?;
        // One that has just ended needs no signal.
        self.each(|process| {
            let _ = kill_process(process, signal);
        })
    }

    /// The server and the processes that serve its connections.
    fn each(&self, each: impl Fn(Pid)) -> Result<()> {
        each(self.server);
        let children = format!("/proc/{0}/task/{0}/children", self.server.as_raw_nonzero());
        for child in fs::read_to_string(children)?.split_whitespace() {
            Pid::from_raw(child.parse()?).into_iter().for_each(&each);
        }
        Ok(())
    }
}

/// Waits until it serves, and tells its number.
fn ready(said: &Receiver<String>) -> Result<Pid> {
    let mut server = None;
    let mut heard = String::new();
    loop {
        let line = match said.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(error) => bail!("PostgreSQL did not start ({error}): {heard}"),
        };
        if let Some(pid) = line.strip_prefix("pid ") {
            server = Pid::from_raw(pid.parse()?);
        }
        // What an earlier one has said before its end counts for nothing.
        if server.is_some() && line.contains("database system is ready to accept connections") {
            return server.context("the server's number was not told");
        }
        if server.is_some() && line.contains("database system is shut down") {
            bail!("PostgreSQL did not start: {heard}");
        }
        heard.push_str(&line);
        heard.push('\n');
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
