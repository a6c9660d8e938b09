//! Key files: text that the owner alone may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::crypto::CryptoFailed;
use crate::ring::{BadRing, KeyRing, MAX_TEXT, RingError};

/// Why a key file was not read or written. A file that was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none.
    #[error(
        "there is no key file {}: give the path of the one that was used before; only for a new instance make one", .0.display()
    )]
    Missing(PathBuf),
    /// A directory, a device or a pipe.
    #[error("{} is no regular file, so it is not read as a key file", .0.display())]
    NotAFile(PathBuf),
    /// Group or others may do something with it.
    #[error(
        "the key file {} is open to others than its owner (mode {mode:04o}): `chmod 600` it, and if somebody may have read it, rotate the key", path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else than this process or root.
    #[error(
        "the key file {} belongs to user {owner}, and this process runs as user {user}: `chown` it to that one", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The process's user.
        user: u32,
    },
    /// There is one already.
    #[error("{} is there already and was not overwritten: the keys in it may be the only ones that open stored secrets", .0.display())]
    Exists(PathBuf),
    /// Somebody else is changing it, or was interrupted.
    #[error(
        "{} is there: the key file is being changed by somebody else, or a change was interrupted. In that case the key file is as it was: remove the other one, and try again", .0.display()
    )]
    Changing(PathBuf),
    /// It holds no ring.
    #[error("the key file {} cannot be used: {why}", path.display())]
    Ring {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: BadRing,
    },
    /// The change asked for is not possible.
    #[error("the key file {} was not changed: {why}", path.display())]
    Change {
        /// The file.
        path: PathBuf,
        /// Why.
        why: RingError,
    },
    /// The operating system's reason.
    #[error("the key file {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailed),
}

/// Reads a key file. Links are followed; what they lead to is looked at.
///
/// # Errors
/// [`KeyFileError`].
pub fn read(path: &Path) -> Result<KeyRing, KeyFileError> {
    let io = |error| match error {
        error if io::Error::kind(&error) == io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        error => KeyFileError::Io { path: path.to_owned(), error },
    };
    // Not blocking, since a pipe in its place would hold up the start for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|error| io(error.into()))?);
    // The permissions of what was opened: the name may lead elsewhere by now.
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    let (owner, user) = (metadata.uid(), geteuid().as_raw());
    if owner != user && owner != 0 {
        return Err(KeyFileError::Foreign { path: path.to_owned(), owner, user });
    }
    // Room from the beginning: growing would leave keys behind in freed memory.
    let mut text = Zeroizing::new(vec![0; MAX_TEXT + 1]);
    let length = fill(&file, &mut text).map_err(io)?;
    let text = text.get(..length).unwrap_or_default();
    let origin = format!("the key file {}", path.display());
    KeyRing::parse(text, origin).map_err(|why| KeyFileError::Ring { path: path.to_owned(), why })
}

/// Makes a key file with one fresh key, where there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn create(path: &Path) -> Result<KeyRing, KeyFileError> {
    let ring = KeyRing::generate(format!("the key file {}", path.display()))?;
    let draft = draft_of(path);
    write_new(&draft, &ring)?;
    // A link, unlike a change of name, never takes the place of a file.
    let linked = fs::hard_link(&draft, path).and_then(|()| sync_folder(path));
    let removed = fs::remove_file(&draft);
    match linked.and(removed) {
        Ok(()) => Ok(ring),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyFileError::Exists(path.to_owned())),
        Err(error) => Err(KeyFileError::Io { path: path.to_owned(), error }),
    }
}

/// Changes the ring of a key file, such as by [`KeyRing::rotate`]. The new file takes the old one's place in one step,
/// when it is on disk; comments that were in it are gone. What `change` gives back is given back.
///
/// # Errors
/// [`KeyFileError`].
pub fn change<T>(
    path: &Path,
    change: impl FnOnce(&mut KeyRing) -> Result<T, RingError>,
) -> Result<(KeyRing, T), KeyFileError> {
    // Where it is a link, the file that it leads to is changed.
    let path = &match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyFileError::Missing(path.to_owned())),
        Err(error) => Err(KeyFileError::Io { path: path.to_owned(), error }),
        Ok(path) => Ok(path),
    }?;
    let io = |error| KeyFileError::Io { path: path.clone(), error };
    let draft = draft_of(path);
    // Made before the file is read, it also keeps others out, whose key would be lost.
    let mut file = open_new(&draft)?;
    let changed = (|| {
        let mut ring = read(path)?;
        let given = change(&mut ring).map_err(|why| KeyFileError::Change { path: path.clone(), why })?;
        write(&mut file, &ring).map_err(io)?;
        fs::rename(&draft, path).map_err(io)?;
        Ok((ring, given))
    })();
    match changed {
        // From here on the draft's name may be somebody else's.
        Ok(changed) => sync_folder(path).map_err(io).map(|()| changed),
        Err(why) => {
            let _ = fs::remove_file(&draft);
            Err(why)
        }
    }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}

fn open_new(path: &Path) -> Result<File, KeyFileError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Changing(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), error },
    })
}

fn write_new(path: &Path, ring: &KeyRing) -> Result<(), KeyFileError> {
    let mut file = open_new(path)?;
    write(&mut file, ring).map_err(|error| {
        let _ = fs::remove_file(path);
        KeyFileError::Io { path: path.to_owned(), error }
    })
}

fn write(file: &mut File, ring: &KeyRing) -> io::Result<()> {
    file.write_all(ring.text().expose_secret().as_bytes())?;
    file.sync_all()
}

/// A name lasts when its folder is on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Reads until the buffer is full or the file ends.
fn fill(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
