//! `toolgate catalogue export`, `key`, and the import of what was exported.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use catalogue::snapshot::{Key, PublicKey, export as sealed, import as unsealed};
use jiff::Timestamp;
use serde_json::json;
use store::catalogue::{Catalogue, Counts, Importing};

use crate::args::{ExportOptions, KeyOptions};
use crate::commands::counted;
use crate::failure::{Failure, Trying};
use crate::output::say;

/// Makes a key.
pub fn key(options: &KeyOptions) -> Result<ExitCode, Failure> {
    let (key, text) = Key::make().trying("no key was made")?;
    let mut public = options.file.clone().into_os_string();
    public.push(".pub");
    let public = Path::new(&public);
    let shown = |path: &Path| audit::visible::shown(&path.display().to_string());
    // A key that is there may have signed what others trust: it is never written over.
    let write = |path: &Path, mode: u32, text: &str| {
        let file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).trying(shown(path))
    };
    if public.exists() {
        return Err(Failure::Usage(format!("{} is there already; name another file", shown(public))));
    }
    write(&options.file, 0o600, &text)?;
    write(public, 0o644, &key.public().text())?;
    say!("{} signs snapshots; keep it to yourself.", shown(&options.file))?;
    say!("{} is for those who import them; its fingerprint is", shown(public))?;
    say!("{}", key.public().fingerprint())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a snapshot.
pub async fn export(options: &ExportOptions) -> Result<ExitCode, Failure> {
    let name = |path: &Path| audit::visible::shown(&path.display().to_string());
    let text = std::fs::read_to_string(&options.key).trying(name(&options.key))?;
    let key = Key::read(&text).trying(name(&options.key))?;
    let (_, catalogue) = super::open(&options.data).await?;
    let made = sealed(&catalogue, &key, Timestamp::now()).await;
    catalogue.close().await;
    let (file, servers, tools) = made.trying("the snapshot")?;
    // Whole or not at all: whoever fetches it meanwhile gets the one before.
    let folder = options.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::Usage(format!("{}: there is no such folder; make it first", name(folder))));
    }
    // Of an error only what it is: the name of a file in between says nothing to anybody.
    let plain = |error: std::io::Error| std::io::Error::from(error.kind());
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(plain).trying(name(folder))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    part.write_all(&file)
        .and_then(|()| part.as_file().set_permissions(mode))
        .and_then(|()| part.as_file().sync_all())
        .map_err(plain)
        .trying(name(&options.out))?;
    part.persist(&options.out).map_err(|error| error.error).trying(name(&options.out))?;
    if options.json {
        let fingerprint = key.public().fingerprint();
        return say!(
            "{}",
            json!({ "version": 1, "servers": servers, "tools": tools, "bytes": file.len(), "key": fingerprint })
        )
        .map(|()| ExitCode::SUCCESS);
    }
    say!(
        "{}: {} and {}, signed by {}",
        name(&options.out),
        counted(servers, "public server"),
        counted(tools, "tool"),
        key.public().fingerprint()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A snapshot that was signed by the key that is trusted.
pub struct Verified {
    bytes: Vec<u8>,
    trusted: PublicKey,
    name: String,
}

impl Verified {
    /// Reads a snapshot, and refuses one that is not to be trusted, before anything is touched.
    pub fn read(file: &Path, trust: &Path) -> Result<Self, Failure> {
        let name = |path: &Path| audit::visible::shown(&path.display().to_string());
        let trusted = std::fs::read_to_string(trust).trying(name(trust))?;
        let trusted = PublicKey::read(&trusted).trying(name(trust))?;
        let bytes = std::fs::read(file).trying(name(file))?;
        trusted.open(&bytes).trying(name(file))?;
        Ok(Self { bytes, trusted, name: name(file) })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Imports it.
    pub async fn import(&self, catalogue: &Catalogue, right: &Importing) -> Result<Counts, Failure> {
        let imported = unsealed(catalogue, right, &self.bytes, &self.trusted, Timestamp::now()).await;
        imported.map(|(_, counts)| counts).trying(&self.name)
    }
}
