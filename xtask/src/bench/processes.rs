//! The programs of a measurement: started, watched, and ended with their handles.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A process that ends with its handle.
pub struct Running(Child);

impl Running {
    /// A process that was started.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a process says which address it took.
pub enum Talk {
    /// The first line of stdout is the address.
    Stdout,
    /// The line of stderr that begins so says it.
    Stderr(&'static str),
}

/// Starts a program and waits until it says where it listens.
pub fn started(command: &mut Command, talk: Talk) -> Result<(Running, String)> {
    command.stdin(Stdio::null());
    match talk {
        Talk::Stdout => command.stdout(Stdio::piped()).stderr(Stdio::inherit()),
        Talk::Stderr(_) => command.stderr(Stdio::piped()).stdout(Stdio::null()),
    };
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let lines: Box<dyn BufRead + Send> = match talk {
        Talk::Stdout => Box::new(BufReader::new(child.stdout.take().context("no stdout")?)),
        Talk::Stderr(_) => Box::new(BufReader::new(child.stderr.take().context("no stderr")?)),
    };
    let running = Running(child);
    let mut lines = lines.lines();
    for line in lines.by_ref() {
        let line = line?;
        let address = match talk {
            Talk::Stdout => Some(line.clone()),
            Talk::Stderr(begins) => line.strip_prefix(begins).map(str::to_owned),
        };
        if let Some(address) = address {
            // Whatever else it says must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, address));
        }
    }
    bail!("{command:?} ended before it said where it listens")
}

/// nginx with one worker, as a plain proxy.
pub struct Nginx {
    running: Running,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A killed master leaves its worker behind; one that is told to stop does not.
        let told = Command::new("kill").args(["-TERM", &self.running.id().to_string()]).status();
        if told.is_ok() {
            let _ = self.running.0.wait();
        }
    }
}

impl Nginx {
    /// The process that does the work.
    pub fn worker(&self) -> Result<u32> {
        let master = self.running.id();
        for entry in std::fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            let parent =
                stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            if parent == Some(master) {
                return Ok(pid);
            }
        }
        bail!("nginx has no worker")
    }
}

/// Starts nginx at `port`, before `upstream`.
pub fn nginx(work: &Path, port: u16, upstream: &str) -> Result<Nginx> {
    let config = work.join("nginx.conf");
    let shown = work.display();
    std::fs::write(
        &config,
        format!(
            "worker_processes 1; daemon off; pid {shown}/nginx.pid; error_log {shown}/nginx.err;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {shown}/body; proxy_temp_path {shown}/proxy;\n\
             fastcgi_temp_path {shown}/f; uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s;\n\
             upstream up {{ server {upstream}; keepalive 64; }}\n\
             server {{ listen 127.0.0.1:{port}; keepalive_requests 100000000;\n\
             location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}\n"
        ),
    )?;
    let child = Command::new("nginx").arg("-c").arg(&config).stdin(Stdio::null()).spawn().context("nginx")?;
    let nginx = Nginx { running: Running(child) };
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(nginx);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    bail!("nginx does not listen")
}

/// A port that nobody listens at.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// User and system time of a process, in microseconds.
pub fn cpu_us(pid: u32) -> Result<u64> {
    Ok(ticks_us(&std::fs::read_to_string(format!("/proc/{pid}/stat"))?))
}

/// That of its threads that serve calls; none where no thread is named so.
pub fn workers_cpu_us(pid: u32) -> Result<u64> {
    let mut all = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ends meanwhile serves nothing.
        let Ok(stat) = std::fs::read_to_string(thread?.path().join("stat")) else { continue };
        if stat.contains("(worker-") {
            all += ticks_us(&stat);
        }
    }
    Ok(all)
}

fn ticks_us(stat: &str) -> u64 {
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second on every platform that is supported.
    ticks * 10_000
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0))
}

/// Whether a program can be started.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// The folder of this build's release programs, wherever builds go.
pub fn release() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let builds = own.parent().and_then(Path::parent).context("this program lies in no folder")?;
    Ok(builds.join("release"))
}

/// A program of this build.
pub fn program(name: &str) -> Result<Command> {
    Ok(Command::new(release()?.join(name)))
}
