//! Keys that belong to a data directory.

use std::io;
use std::path::{Path, PathBuf};

use audit::{PublicKey, SigningKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;

use crate::DataDir;
use crate::data_dir::write_once;

/// The file of the public half of the key that signs the audit log, below the data directory.
pub const AUDIT_PUBLIC: &str = "keys/audit.pub";

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

/// The key that signs the audit log of a data directory without a control plane, made by whoever comes first; true
/// where it was made just now. Its public half lies beside it.
///
/// # Errors
/// When the file cannot be read or made, or holds something else.
pub fn signing_key(data: &DataDir) -> io::Result<(SigningKey, bool)> {
    let path = data.directory("keys")?.join("audit");
    let fresh = !path.exists();
    if fresh {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new());
        let document = document.map_err(|_| io::Error::other("the system gives no random numbers"))?;
        write_once(&path, SigningKey::file(document.as_ref()).as_bytes())?;
    }
    let text = std::fs::read_to_string(&path)?;
    let key = SigningKey::read(&text).map_err(|bad| {
        let remedy = "restore it from a backup, or move it away: then the log goes on under another key";
        io::Error::other(format!("{}: {bad}; {remedy}", path.display()))
    })?;
    show_public(data, &key.public())?;
    Ok((key, fresh))
}

/// Puts the public half of the key that signs the audit log where others can read it off.
///
/// # Errors
/// When it cannot be written.
pub fn show_public(data: &DataDir, key: &PublicKey) -> io::Result<()> {
    data.directory("keys")?;
    let path = data.path().join(AUDIT_PUBLIC);
    let text = key.file();
    if read_if_there(&path)?.is_some_and(|there| there == text) {
        return Ok(());
    }
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_once(&path, text.as_bytes())
}

fn read_if_there(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
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

    #[test]
    fn one_signing_key_a_directory_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let (key, made) = signing_key(&data).unwrap();
        let (again, made_again) = signing_key(&data).unwrap();
        assert_eq!((made, made_again, key.public()), (true, false, again.public()));
        let mode = std::fs::metadata(dir.path().join("keys/audit")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = std::fs::read_to_string(dir.path().join(AUDIT_PUBLIC)).unwrap();
        assert_eq!(PublicKey::read(&public), Ok(key.public()));
        std::fs::write(dir.path().join("keys/audit"), "x").unwrap();
        assert!(signing_key(&data).unwrap_err().to_string().contains("restore it"));
    }
}
