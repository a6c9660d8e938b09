//! Where an import reads from: files, and standard input.

use std::io;
use std::path::{Path, PathBuf};

use catalogue::import::{File, Holds, STANDARD_INPUT};
use jiff::Timestamp;
use store::catalogue::{Catalogue, Counts, Importing, Visibility};
use tempfile::NamedTempFile;

use super::{Stopped, one};
use crate::args::ImportOptions;
use crate::failure::{Failure, Trying};

/// The word for standard input.
const STDIN: &str = "-";

/// A file of lines.
pub struct Source {
    /// The file.
    pub file: File,
    /// What it is called where its own name says nothing.
    pub name: Option<&'static str>,
    /// What it is called in messages.
    pub shown: String,
    /// Its length in bytes.
    pub length: u64,
    /// What was read from standard input lies here until it is imported.
    _kept: Option<NamedTempFile>,
}

/// All that is imported but snapshots.
pub struct Sources {
    files: Vec<Source>,
    /// What a scan printed, and what it is called.
    scan: Option<(String, String)>,
}

/// A path in messages.
pub fn shown(path: &Path) -> String {
    audit::visible::shown(&path.display().to_string())
}

impl Sources {
    /// Opens what is asked for, before anything is written.
    pub fn open(options: &ImportOptions) -> Result<Self, Failure> {
        let asked = [&options.servers, &options.tools, &options.scan];
        if asked.into_iter().flatten().filter(|path| path.as_os_str() == STDIN).count() > 1 {
            return Err(Failure::Usage(
                "standard input can be one of --servers, --tools and --scan, and not two".to_owned(),
            ));
        }
        let visibility = if options.public { Visibility::Public } else { Visibility::Private };
        let files = [(&options.servers, Holds::Servers), (&options.tools, Holds::Tools)];
        let files = files.into_iter().filter_map(|(path, holds)| Some((path.as_ref()?, holds)));
        Ok(Self {
            files: files.map(|(path, holds)| Source::open(path, holds, visibility)).collect::<Result<_, _>>()?,
            scan: options.scan.as_deref().map(scan).transpose()?,
        })
    }

    /// Imports one after the other, and puts down what became of each.
    pub async fn import(
        &self,
        catalogue: &Catalogue,
        right: &Importing,
        name_refused: bool,
        done: &mut Vec<(String, Counts)>,
    ) -> Result<(), Stopped> {
        for source in &self.files {
            let counts = one(catalogue, right, source, name_refused).await?;
            done.push((source.called(), counts));
        }
        if let Some((name, text)) = &self.scan {
            let taken = catalogue::scanned::import(catalogue, right, text, Timestamp::now()).await;
            let counts = taken.trying(audit::visible::shown(name)).map_err(|failure| Stopped { failure, kept: 0 })?;
            done.push((name.clone(), counts));
        }
        Ok(())
    }
}

impl Source {
    fn open(path: &PathBuf, holds: Holds, visibility: Visibility) -> Result<Self, Failure> {
        if path.as_os_str() == STDIN {
            return Self::standard_input(holds, visibility);
        }
        let shown = shown(path);
        let about = std::fs::metadata(path).trying(&shown)?;
        if !about.is_file() {
            // It is read twice: once to know it again, once for its lines.
            return Err(Failure::Usage(format!("{shown} is no regular file; `-` reads standard input")));
        }
        let file = File { path: path.clone(), holds, visibility };
        Ok(Self { file, name: None, shown, length: about.len(), _kept: None })
    }

    /// Reads all of it first, since it is gone once it was read.
    fn standard_input(holds: Holds, visibility: Visibility) -> Result<Self, Failure> {
        // Of an error only what it is: the name of a file in between says nothing to anybody.
        let plain = |error: io::Error| io::Error::from(error.kind());
        let mut kept = NamedTempFile::new().map_err(plain).trying(shown(&std::env::temp_dir()))?;
        let length = io::copy(&mut io::stdin().lock(), kept.as_file_mut()).trying(STANDARD_INPUT)?;
        let file = File { path: kept.path().to_path_buf(), holds, visibility };
        Ok(Self { file, name: Some(STANDARD_INPUT), shown: STANDARD_INPUT.to_owned(), length, _kept: Some(kept) })
    }

    fn called(&self) -> String {
        self.name.map_or_else(|| self.file.path.display().to_string(), str::to_owned)
    }
}

fn scan(path: &Path) -> Result<(String, String), Failure> {
    if path.as_os_str() == STDIN {
        let text = io::read_to_string(io::stdin().lock()).trying(STANDARD_INPUT)?;
        return Ok((STANDARD_INPUT.to_owned(), text));
    }
    let text = std::fs::read_to_string(path).trying(shown(path))?;
    Ok((path.display().to_string(), text))
}
