//! Imports: lines of a file become rows of the store.
//!
//! One thread reads and judges (on several more), this one finds the servers and writes. What is written
//! is written together with how far the run has come: a run that was killed goes on from there, and a
//! run over the same file changes nothing.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use store::BadDatabase;
use store::catalogue::{Batch, Catalogue, Counts, Importing, Run, Visibility};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::entry::{Described, ServerLine, visible};
use crate::identity::Identity;
use crate::judge::{self, Judged, Read, on_threads, reason};
use crate::junk::Junk;
use crate::lines::{Line, Lines};
use crate::registry::OFFICIAL_SOURCE;
use crate::resolve::Resolver;

/// Lines that are judged and written at once.
const PIECE: usize = 2_000;

/// What names the private entry of a server that everybody sees.
const PRIVATE: &str = "private";

/// Pieces that wait to be written.
const WAITING: usize = 2;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A server a line.
    Servers,
    /// A tool a line.
    Tools,
}

/// A file to import.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub holds: Holds,
    /// Who may see what comes from it.
    pub visibility: Visibility,
}

/// What is heard of a run while it goes on.
#[derive(Debug)]
pub enum News<'a> {
    /// So many bytes of the file are read, so many lines are written.
    Progress {
        /// Bytes of the file.
        bytes: u64,
        /// Lines.
        lines: u64,
    },
    /// The run goes on where an earlier one stood.
    Resumed(u64),
    /// A line could not be read, and was skipped.
    Broken {
        /// Its number.
        line: u64,
        /// Why.
        why: &'a str,
    },
    /// A line holds something that is no tool.
    Refused {
        /// Its number.
        line: u64,
        /// What stands where a name belongs.
        name: &'a str,
        /// Why.
        why: Junk,
    },
}

/// Why an import ended early. What was written until then stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum BadImport {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// The operating system's reason.
        error: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
}

/// Lines of a file, read; in their order. Those that hold nothing are counted by their numbers alone.
type Piece<T> = io::Result<Vec<(u64, Option<Read<T>>)>>;

/// What the entries of standard input are named by.
pub const STANDARD_INPUT: &str = "standard input";

impl File {
    /// What names the entries that name nothing themselves: the file.
    fn named(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Imports a file, and says what became of its lines.
///
/// # Errors
/// [`BadImport`].
pub async fn import(
    catalogue: &Catalogue,
    file: &File,
    threads: usize,
    now: Timestamp,
    news: &mut (dyn FnMut(News<'_>) + Send),
) -> Result<Counts, BadImport> {
    let importing = catalogue.importing()?;
    import_as(catalogue, &importing, file, None, threads, now, news).await
}

/// As [`import`], for who has the right to. What a file holds that was made for this alone goes by another name than its own.
///
/// # Errors
/// [`BadImport`].
pub async fn import_as(
    catalogue: &Catalogue,
    _right: &Importing,
    file: &File,
    name: Option<&str>,
    threads: usize,
    now: Timestamp,
    news: &mut (dyn FnMut(News<'_>) + Send),
) -> Result<Counts, BadImport> {
    let path = name.map_or_else(|| audit::visible::shown(&file.path.display().to_string()), str::to_owned);
    let word = match file.holds {
        Holds::Servers => "servers",
        Holds::Tools => "tools",
    };
    let digest = digest(&file.path).map_err(|error| BadImport::File { path: path.clone(), error })?;
    let input = Input {
        run: format!("{word} {} sha256:{digest}", file.visibility.as_str()),
        named: name.map_or_else(|| file.named(), str::to_owned),
        holds: file.holds,
        visibility: file.visibility,
    };
    let bytes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&bytes);
    let open = |skip| Lines::open(&file.path, skip, counted);
    let mut news = |heard: News<'_>| match heard {
        News::Progress { lines, .. } => news(News::Progress { bytes: bytes.load(Ordering::Relaxed), lines }),
        other => news(other),
    };
    import_lines(catalogue, &input, open, threads, now, &mut news).await.map_err(|error| match error {
        BadImport::File { error, .. } => BadImport::File { path, error },
        other => other,
    })
}

/// What lines hold, wherever they come from.
pub(crate) struct Input {
    /// The run: the same lines have the same.
    pub(crate) run: String,
    /// What names the entries that name nothing themselves.
    pub(crate) named: String,
    /// What a line holds.
    pub(crate) holds: Holds,
    /// Who may see it.
    pub(crate) visibility: Visibility,
}

/// Imports lines; `open` leaves out so many of them.
pub(crate) async fn import_lines(
    catalogue: &Catalogue,
    input: &Input,
    open: impl FnOnce(u64) -> io::Result<Lines>,
    threads: usize,
    now: Timestamp,
    news: &mut (dyn FnMut(News<'_>) + Send),
) -> Result<Counts, BadImport> {
    let bad = |error| BadImport::File { path: input.named.clone(), error };
    let mut run = catalogue.begin_run(&input.run, now).await?;
    if run.position > 0 {
        news(News::Resumed(run.position));
    }
    let lines = open(run.position).map_err(bad)?;
    let mut writer = Writer {
        resolver: Resolver::new(catalogue.known_servers().await?),
        visibility: input.visibility,
        source: input.named.clone(),
        seen: HashSet::new(),
        kept_private: HashSet::new(),
        lists: HashMap::new(),
    };
    let mut reading = Reading { catalogue, now, news };
    match input.holds {
        Holds::Servers => {
            let pieces = pieces(lines, threads, |text| match serde_json::from_str::<ServerLine>(text) {
                Ok(line) => Read::Entry(line),
                Err(error) => Read::Broken(reason(&error)),
            });
            reading.all(pieces, &mut run, |line, batch| writer.server(&line, batch)).await
        }
        Holds::Tools => {
            let pieces = pieces(lines, threads, judge::tool);
            let put = |judged, batch: &mut Batch| {
                writer.tool(judged, batch);
                Ok(())
            };
            reading.all(pieces, &mut run, put).await
        }
    }
    .map_err(|error| match error {
        Stopped::Read(error) => bad(error),
        Stopped::Store(error) => error.into(),
    })?;
    catalogue.end_run(&run, now).await?;
    Ok(run.counts)
}

/// Reads and judges on threads of its own.
fn pieces<T: Send + 'static>(
    mut lines: Lines,
    threads: usize,
    read: impl Fn(&str) -> Read<T> + Send + Sync + 'static,
) -> Receiver<Piece<T>> {
    let (to, from): (Sender<Piece<T>>, _) = channel(WAITING);
    std::thread::spawn(move || {
        loop {
            let piece = match lines.piece(PIECE) {
                Ok(piece) if piece.is_empty() => break,
                Ok(piece) => Ok(on_threads(threads, &piece, |(number, text): &Line| {
                    let read = match text.as_deref().map(str::trim_ascii) {
                        Ok("") => None,
                        Ok(text) => Some(read(text)),
                        Err(why) => Some(Read::Broken((*why).to_owned())),
                    };
                    (*number, read)
                })),
                Err(error) => Err(error),
            };
            let last = piece.is_err();
            if to.blocking_send(piece).is_err() || last {
                break;
            }
        }
    });
    from
}

enum Stopped {
    Read(io::Error),
    Store(BadDatabase),
}

struct Reading<'a> {
    catalogue: &'a Catalogue,
    now: Timestamp,
    news: &'a mut (dyn FnMut(News<'_>) + Send),
}

impl Reading<'_> {
    async fn all<T>(
        &mut self,
        mut pieces: Receiver<Piece<T>>,
        run: &mut Run,
        mut put: impl FnMut(T, &mut Batch) -> Result<(), &'static str>,
    ) -> Result<(), Stopped> {
        while let Some(piece) = pieces.recv().await {
            let piece = piece.map_err(Stopped::Read)?;
            let mut batch = Batch { lines: u64::try_from(piece.len()).unwrap_or(0), ..Batch::default() };
            for (line, read) in piece {
                let broken = match read {
                    None => None,
                    Some(Read::Entry(entry)) => put(entry, &mut batch).err().map(str::to_owned),
                    Some(Read::Broken(why)) => Some(why),
                    Some(Read::Refused { name, why }) => {
                        *batch.counted.refused.entry(why.as_str().to_owned()).or_default() += 1;
                        (self.news)(News::Refused { line, name: &name, why });
                        None
                    }
                };
                if let Some(why) = broken {
                    batch.counted.broken += 1;
                    (self.news)(News::Broken { line, why: &why });
                }
            }
            self.catalogue.write(run, &batch, self.now).await.map_err(Stopped::Store)?;
            (self.news)(News::Progress { bytes: 0, lines: run.position });
        }
        Ok(())
    }
}

/// Finds the server of each entry.
struct Writer {
    resolver: Resolver,
    visibility: Visibility,
    source: String,
    /// Servers that a line of this run has named.
    seen: HashSet<i64>,
    /// Private servers that stay so.
    kept_private: HashSet<i64>,
    /// The servers of tool lists, by what the lists call them.
    lists: HashMap<(String, Option<String>, Option<String>), i64>,
}

impl Writer {
    fn server(&mut self, line: &ServerLine, batch: &mut Batch) -> Result<(), &'static str> {
        let described = line.described(&self.source)?;
        let id = self.put(described, false, batch);
        batch.counted.servers_merged += u64::from(!self.seen.insert(id));
        Ok(())
    }

    fn tool(&mut self, judged: Judged, batch: &mut Batch) {
        let Judged { line, mut entry } = judged;
        let key = (line.server.clone(), line.server_repo.clone(), line.dataset.clone());
        entry.server = match self.lists.get(&key) {
            Some(id) => *id,
            None => {
                let id = self.put(line.described(&self.source), true, batch);
                self.lists.insert(key, id);
                id
            }
        };
        batch.tools.push(entry);
    }

    fn put(&mut self, mut described: Described, from_tools: bool, batch: &mut Batch) -> i64 {
        // What a file says of the official registry was not heard from it.
        for source in described.sources.iter_mut().filter(|source| visible(source) == OFFICIAL_SOURCE) {
            *source = format!("{OFFICIAL_SOURCE}, by {}", self.source);
        }
        // What is private becomes no part of what everybody sees: it is an entry of its own.
        if self.visibility == Visibility::Private && self.resolver.is_public(&described) {
            let first = described.identities.first().map(ToString::to_string).unwrap_or_default();
            described.identities = vec![Identity::called(PRIVATE, &first)];
        }
        let resolved = self.resolver.resolve(&described);
        batch.counted.servers_from_tools += u64::from(from_tools && resolved.new);
        let id = resolved.id;
        // And a line for everybody does not publish what was private until then.
        let kept = self.visibility == Visibility::Public && self.resolver.keeps_private(id);
        if kept && self.kept_private.insert(id) {
            batch.counted.kept_private += 1;
        }
        let visibility = if kept { Visibility::Private } else { self.visibility };
        batch.servers.push(resolved.entry(described, visibility, from_tools));
        id
    }
}

/// SHA-256 of a file: it is the same file whatever it is called.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        context.update(buffer.get(..length).unwrap_or_default());
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}
