//! `cargo xtask dist`: what people install. The same commit and program give the same bytes.

mod archive;
mod contents;
mod deb;
mod npm;
mod program;
mod sbom;
mod tarball;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::system::{self, root};
use contents::Contents;
use program::Program;

const HELP: &str = "\
cargo xtask dist [--bin FILE] [--out DIR]

  --bin FILE   package this program; else the release build, which is made first
  --out DIR    where the packages go; else target/dist

A tarball, a Debian package, two npm packages, a Python wheel, an SBOM and SHA256SUMS, for the machine that it runs on.
Archives carry the time of the commit, or that of SOURCE_DATE_EPOCH.
";

/// All that packages are made of.
pub struct Release {
    /// The version of the workspace, which is the program's.
    version: &'static str,
    /// Seconds since 1970: the time of everything in an archive.
    time: u64,
    /// The program.
    program: Program,
    /// What lies beside it.
    contents: Contents,
}

/// A file that goes out.
pub struct Package {
    name: String,
    bytes: Vec<u8>,
}

/// One kind of package, or two that belong together.
type Packer = fn(&Release) -> Result<Vec<Package>>;

const PACKERS: [Packer; 5] = [tarball::pack, deb::pack, npm::pack, wheel::pack, sbom::pack];

/// Makes the packages.
///
/// # Errors
/// When the program cannot be built, read or run, or something does not fit into a package.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = Options::read(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    let file = match options.program {
        Some(file) => file,
        None => built()?,
    };
    let release = Release::of(&file)?;
    let mut packages = packed(&release)?;
    packages.sort_by(|one, other| one.name.cmp(&other.name));

    fs::create_dir_all(&options.out).with_context(|| options.out.display().to_string())?;
    let mut sums = String::new();
    for package in &packages {
        sums.push_str(&format!("{}  {}\n", sha256(&package.bytes), package.name));
        write(&options.out, &package.name, &package.bytes)?;
    }
    write(&options.out, "SHA256SUMS", sums.as_bytes())?;
    print!("{sums}");
    eprintln!("{} packages in {}", packages.len(), options.out.display());
    Ok(())
}

struct Options {
    program: Option<PathBuf>,
    out: PathBuf,
}

impl Options {
    /// The options, or `None` where help is asked for.
    fn read(arguments: &[String]) -> Result<Option<Self>> {
        let mut options = Self { program: None, out: root().join("target/dist") };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().map(PathBuf::from).with_context(|| format!("{word} needs a value\n\n{HELP}"));
            match word.as_str() {
                "--bin" => options.program = Some(value()?),
                "--out" => options.out = value()?,
                "--help" | "-h" => return Ok(None),
                other => bail!("`{other}` is no option\n\n{HELP}"),
            }
        }
        Ok(Some(options))
    }
}

impl Release {
    fn of(file: &Path) -> Result<Self> {
        let version = env!("CARGO_PKG_VERSION");
        let said = printed(Command::new(file).arg("--version"))?;
        if said.trim() != format!("toolgate {version}") {
            bail!("{} is `{}`, and the workspace is at {version}: build it anew", file.display(), said.trim());
        }
        Ok(Self { version, time: time()?, program: Program::read(file)?, contents: Contents::gather(file)? })
    }
}

/// Every package; each kind is packed on a thread of its own, as most of the time goes into compression.
fn packed(release: &Release) -> Result<Vec<Package>> {
    std::thread::scope(|scope| {
        let packing: Vec<_> = PACKERS.iter().map(|pack| scope.spawn(move || pack(release))).collect();
        let mut packages = Vec::new();
        for thread in packing {
            packages.extend(thread.join().map_err(|_| anyhow::anyhow!("a packer panicked"))??);
        }
        Ok(packages)
    })
}

/// Builds the release, and says where it lies.
fn built() -> Result<PathBuf> {
    system::run("cargo", &["build", "--release", "--locked", "--package", "toolgate"])?;
    let metadata =
        printed(Command::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).current_dir(root()))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    let folder = folder.context("cargo metadata names no target directory")?;
    Ok(Path::new(folder).join("release/toolgate"))
}

/// The time that archives carry.
fn time() -> Result<u64> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return time.parse().with_context(|| format!("SOURCE_DATE_EPOCH is `{time}`, and no number of seconds"));
    }
    let time = printed(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()))
        .context("archives carry the time of the commit; outside a repository set SOURCE_DATE_EPOCH")?;
    Ok(time.trim().parse()?)
}

/// What a program prints; it must succeed.
fn printed(command: &mut Command) -> Result<String> {
    let output = command.env("LC_ALL", "C").output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something that is no text"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| path.display().to_string())
}

/// The digest, as `sha256sum` writes it.
fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
