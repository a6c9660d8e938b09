//! Where chains lie: `<audit>/<chain>/<segment>.log`, and whether their process still lives.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use audit::Id;

/// Locked by the process that writes the chain, as long as it lives.
const LOCK: &str = "lock";

/// A chain as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its identifier, made when its process began.
    pub id: Id,
    /// Its directory.
    pub path: PathBuf,
    /// The numbers of the segments that are there, in order.
    pub segments: Vec<u32>,
}

/// All chains below `audit`, oldest first. A directory that does not exist has none.
///
/// # Errors
/// When a directory cannot be read.
pub fn chains(audit: &Path) -> io::Result<Vec<Chain>> {
    let mut found = Vec::new();
    for id in chain_ids(audit)? {
        let path = audit.join(id.to_string());
        let segments = match segment_numbers(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            numbers => numbers?,
        };
        found.push(Chain { id, path, segments });
    }
    Ok(found)
}

impl Chain {
    /// The file of a segment.
    pub fn segment(&self, number: u32) -> PathBuf {
        self.path.join(file_name(number))
    }

    /// Whether the process that writes it is alive.
    pub fn is_running(&self) -> bool {
        is_running(&self.path)
    }
}

/// Names of chain directories, in order.
pub(super) fn chain_ids(audit: &Path) -> io::Result<Vec<Id>> {
    let entries = match fs::read_dir(audit) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        // Other names are none of ours: a chain that is being made, the kept heads.
        if let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            ids.push(id);
        }
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Makes the directory of a chain, with its lock taken: whoever sees the directory can tell that
/// its process lives.
pub(super) fn create_chain(audit: &Path, chain: Id) -> io::Result<(PathBuf, File)> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(audit)?;
    let hidden = audit.join(format!(".{chain}"));
    private.recursive(false).create(&hidden)?;
    let path = audit.join(chain.to_string());
    // One that cannot be begun leaves nothing behind: whoever tries again begins another.
    let lock = begun(&hidden, &path).inspect_err(|_| drop(fs::remove_dir_all(&hidden)))?;
    Ok((path, lock))
}

fn begun(hidden: &Path, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let lock = options.write(true).create_new(true).mode(0o600).open(hidden.join(LOCK))?;
    lock.lock()?;
    fs::rename(hidden, path)?;
    Ok(lock)
}

pub(super) fn is_running(chain: &Path) -> bool {
    let Ok(lock) = File::open(chain.join(LOCK)) else {
        return false;
    };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

pub(super) fn segment_numbers(chain: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(chain)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
        // One spelling: `1.log` and `+00001.log` are not segments.
        numbers.extend(number.filter(|number| name.to_str() == Some(&file_name(*number))));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn file_name(segment: u32) -> String {
    format!("{segment:06}.log")
}
