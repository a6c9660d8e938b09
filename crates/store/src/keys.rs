//! Keys that belong to a data directory.

use std::io;
use std::path::PathBuf;

use crate::DataDir;
use crate::data_dir::write_once;

/// Where the master keys of an instance lie that keeps everything in its own directory.
///
/// # Errors
/// When the folder cannot be made.
pub fn master(data: &DataDir) -> io::Result<PathBuf> {
    Ok(data.directory("keys")?.join("master"))
}

/// The key under which session ids are sealed: 32 random bytes, made by whoever comes first, so
/// that every process of the directory can open what another has sealed.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub fn session_key(data: &DataDir) -> io::Result<[u8; 32]> {
    let path = data.directory("keys")?.join("session");
    if !path.exists() {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        write_once(&path, &key)?;
    }
    let bytes = std::fs::read(&path)?;
    bytes.try_into().map_err(|_| {
        io::Error::other(format!("{} does not hold a key: remove it, and agents start new sessions", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_a_directory() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let key = session_key(&data).unwrap();
        assert_eq!(session_key(&data).unwrap(), key);
        assert_ne!(key, [0; 32]);
        let mode = std::fs::metadata(dir.path().join("keys/session")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
