//! Archives whose bytes depend on what is in them and on nothing else: sorted, of one time, owned by root.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// What a file holds, and whether it can be run.
#[derive(Debug, Clone)]
pub struct Content {
    bytes: Vec<u8>,
    mode: u32,
}

/// Files by their paths.
pub type Files = BTreeMap<String, Content>;

impl Content {
    /// A file to be read.
    pub fn text(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), mode: 0o644 }
    }

    /// A file to be run.
    pub fn program(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), mode: 0o755 }
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its permissions.
    pub fn mode(&self) -> u32 {
        self.mode
    }
}

/// A tar archive of the files and of the folders above them, compressed.
pub fn tar_gz(files: &Files, time: u64) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for folder in folders(files) {
        let mut header = header(EntryType::Directory, 0o755, 0, time)?;
        tar.append_data(&mut header, folder, std::io::empty())?;
    }
    for (path, content) in files {
        let size = u64::try_from(content.bytes.len())?;
        let mut header = header(EntryType::Regular, content.mode, size, time)?;
        tar.append_data(&mut header, path, content.bytes.as_slice())?;
    }
    // The best would take three times as long, and save a hundredth.
    compressed(&tar.into_inner()?, Compression::default())
}

/// Compressed as `gzip -n9` does it, which is how Debian wants manual pages.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    compressed(bytes, Compression::best())
}

/// Without a name and a time.
fn compressed(bytes: &[u8], level: Compression) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().write(Vec::new(), level);
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

fn header(kind: EntryType, mode: u32, size: u64, time: u64) -> Result<Header> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_mtime(time);
    header.set_size(size);
    Ok(header)
}

/// The folders of the files, each before what is in it.
fn folders(files: &Files) -> BTreeSet<String> {
    let ends = |path: &str| path.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    files.keys().flat_map(|path| ends(path).into_iter().filter_map(|end| path.get(..=end)).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_what_is_in_them() {
        let files = Files::from([("a/b/c".to_owned(), Content::text("1")), ("a/d".to_owned(), Content::text("2"))]);
        assert_eq!(folders(&files).into_iter().collect::<Vec<_>>(), ["a/", "a/b/"]);
    }
}
