//! Snapshots: the public part of a catalogue in one signed file.
//!
//! The first line says what the file is and names the SHA-256 of its body; the second is the signature of
//! the first. The body is compressed lines, each server before its tools. Nothing of it is read before both
//! were verified. What people said goes along, without who said it; what concerns this installation
//! alone (who may see what, what is left out of searches) does not.

mod line;
mod seal;

use std::io::{BufReader, Cursor, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use store::BadDatabase;
use store::catalogue::{
    Batch, Catalogue, Counts, Importing, Override, PastEntry, Server, Standing, Status, Tool, Visibility,
};

use self::line::{PackageRow, PastRow, Row, SaidRow, ServerRow, ToolRow};
pub use self::seal::{Head, Key, PublicKey, Untrusted};
use crate::entry::{Described, one_line, visible};
use crate::identity::Identity;
use crate::judge::{self, Read};
use crate::lines::Lines;
use crate::overrides::Field;
use crate::resolve::Resolver;

/// Lines that are written at once.
const PIECE: usize = 2_000;

/// What is said for everybody, and not for one installation.
const SHARED: [Field; 5] = [Field::Class, Field::Original, Field::Publisher, Field::Verified, Field::NotImpostor];

/// Who said what came with a snapshot: begins with this, and goes on with the fingerprint of its key.
const WHO: &str = "snapshot";

/// Why a snapshot was not made or read.
#[derive(Debug, thiserror::Error)]
pub enum BadSnapshot {
    /// The seal.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
    /// A body that was signed and is none.
    #[error("what was signed cannot be read ({0}); ask whoever made it for another")]
    Body(String),
}

fn body(error: impl ToString) -> BadSnapshot {
    BadSnapshot::Body(error.to_string())
}

/// The public part of a catalogue, sealed; with how many servers and tools are in it.
///
/// # Errors
/// [`BadSnapshot`].
pub async fn export(catalogue: &Catalogue, key: &Key, now: Timestamp) -> Result<(Vec<u8>, u64, u64), BadSnapshot> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    let (mut servers, mut tools) = (0, 0);
    let mut put = |row: &Row| -> Result<(), BadSnapshot> {
        serde_json::to_writer(&mut out, row).map_err(body)?;
        out.write_all(b"\n").map_err(body)
    };
    for server in catalogue.servers().await? {
        if server.visibility != Visibility::Public || server.hidden {
            continue;
        }
        let offered: Vec<Tool> = catalogue.tools_of(server.id).await?.into_iter().filter(|tool| !tool.hidden).collect();
        let row = server_row(catalogue, &server, &offered).await?;
        put(&Row::Server(Box::new(row)))?;
        servers += 1;
        let mut histories = catalogue.histories(server.id).await?;
        for tool in offered {
            let past = histories.remove(&tool.id).unwrap_or_default();
            let past = past.into_iter().map(|past| PastRow {
                digest: past.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
                class: past.class.as_str().to_owned(),
                until: past.until.as_microsecond(),
            });
            let parsed = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
            let row = ToolRow {
                server: server.slug.clone(),
                past: past.collect(),
                name: tool.name,
                title: tool.title,
                description: tool.description,
                input_schema: parsed(tool.input_schema),
                annotations: parsed(tool.annotations),
            };
            put(&Row::Tool(Box::new(row)))?;
            tools += 1;
        }
    }
    let bytes = out.finish().map_err(body)?;
    Ok((key.seal(&now.to_string(), servers, tools, &bytes)?, servers, tools))
}

async fn server_row(catalogue: &Catalogue, server: &Server, tools: &[Tool]) -> Result<ServerRow, BadSnapshot> {
    let shared = |one: &Override| {
        let tool = one.tool.as_ref().is_none_or(|name| tools.iter().any(|tool| tool.name == *name));
        tool && SHARED.iter().any(|field| field.as_str() == one.field)
    };
    let said = catalogue.overrides(server.id).await?.into_iter().filter(shared).map(|one| SaidRow {
        tool: one.tool,
        field: one.field,
        value: one.value,
        reason: one.reason,
        at: one.at.as_microsecond(),
    });
    let own = server.clone();
    Ok(ServerRow {
        identities: catalogue.identities(server.id).await?,
        sources: catalogue.sources(server.id).await?.into_iter().map(|(name, ..)| name).collect(),
        said: said.collect(),
        slug: own.slug,
        name: own.name,
        publisher: own.publisher,
        repository: own.repository,
        package: own.registry.zip(own.package),
        endpoint: own.endpoint,
        transport: own.transport,
        licence: own.licence,
        description: own.description,
        language: own.language,
        from_tools: own.from_tools,
        tombstoned: own.tombstoned,
        version: own.version,
        auth: own.auth,
        status: own.listed.map(|(status, _)| status.as_str().to_owned()),
        status_since: own.listed.and_then(|(_, since)| since).map(Timestamp::as_microsecond),
        first_seen: own.first_seen.as_microsecond(),
        package_says: catalogue.package(server.id).await?.map(PackageRow::of),
    })
}

/// Verifies a snapshot, and imports it as public. A second time it changes nothing.
///
/// # Errors
/// [`BadSnapshot`]; where it is not trusted, nothing was written.
pub async fn import(
    catalogue: &Catalogue,
    _right: &Importing,
    file: &[u8],
    trusted: &PublicKey,
    now: Timestamp,
) -> Result<(Head, Counts), BadSnapshot> {
    let (head, bytes) = trusted.open(file)?;
    let mut run = catalogue.begin_run(&format!("snapshot {} {}", head.made, trusted.fingerprint()), now).await?;
    let mut reader = Reader {
        resolver: Resolver::new(catalogue.known_servers().await?),
        who: format!("{WHO} {}", trusted.fingerprint()),
        server: None,
        done: run.position,
    };
    let decoder = BufReader::new(MultiGzDecoder::new(Cursor::new(bytes.to_vec())));
    let mut lines = Lines::of(Box::new(decoder));
    loop {
        let piece = lines.piece(PIECE).map_err(body)?;
        if piece.is_empty() {
            break;
        }
        let mut batch = Batch::default();
        for (number, line) in piece {
            reader.take(number, &line.map_err(body)?, &mut batch)?;
        }
        if batch.lines > 0 {
            catalogue.write(&mut run, &batch, now).await?;
        }
    }
    catalogue.end_run(&run, now).await?;
    Ok((head, run.counts))
}

/// What goes from line to line.
struct Reader {
    resolver: Resolver,
    who: String,
    /// The server whose tools follow.
    server: Option<i64>,
    /// Lines that an earlier run has written.
    done: u64,
}

impl Reader {
    fn take(&mut self, number: u64, line: &str, batch: &mut Batch) -> Result<(), BadSnapshot> {
        let row: Row = serde_json::from_str(line).map_err(body)?;
        let done = number <= self.done;
        match row {
            Row::Server(row) => self.server(*row, done, batch)?,
            Row::Tool(_) if done => {}
            Row::Tool(row) => self.tool(*row, batch)?,
        }
        batch.lines += u64::from(!done);
        Ok(())
    }

    fn server(&mut self, row: ServerRow, done: bool, batch: &mut Batch) -> Result<(), BadSnapshot> {
        let described = Described {
            identities: row.identities.iter().filter_map(|text| Identity::read(text)).collect(),
            name: row.name,
            publisher: row.publisher,
            repository: row.repository,
            package: row.package,
            endpoint: row.endpoint,
            transport: row.transport,
            licence: row.licence,
            description: row.description,
            language: row.language,
            sources: row.sources,
        };
        if described.identities.is_empty() || described.name.is_empty() {
            return Err(body("a server without a name or identity"));
        }
        let resolved = self.resolver.resolve(&described);
        self.server = Some(resolved.id);
        if done {
            return Ok(());
        }
        let time = |micros| Timestamp::from_microsecond(micros).map_err(body);
        for one in row.said {
            batch.said.push(Override {
                server: resolved.id,
                tool: one.tool,
                field: one.field,
                value: one_line(one.value),
                who: self.who.clone(),
                reason: visible(&one.reason),
                at: time(one.at)?,
            });
        }
        if let Some(package) = row.package_says {
            batch.packages.push(package.package(resolved.id).map_err(body)?);
        }
        batch.standings.push(Standing {
            server: resolved.id,
            version: one_line(row.version),
            auth: one_line(row.auth),
            status: row.status.as_deref().and_then(Status::of),
            since: row.status_since,
            tombstoned: row.tombstoned,
            first_seen: time(row.first_seen)?,
        });
        batch.counted.servers_from_tools += u64::from(row.from_tools && resolved.new);
        let kept = self.resolver.keeps_private(resolved.id);
        batch.counted.kept_private += u64::from(kept);
        let visibility = if kept { Visibility::Private } else { Visibility::Public };
        batch.servers.push(resolved.entry(described, visibility, row.from_tools));
        Ok(())
    }

    fn tool(&mut self, mut row: ToolRow, batch: &mut Batch) -> Result<(), BadSnapshot> {
        let server = self.server.ok_or_else(|| body("a tool before any server"))?;
        let past = std::mem::take(&mut row.past);
        // It is judged here: this version may know better than the one that made the snapshot.
        match judge::tool(&serde_json::to_string(&row).map_err(body)?) {
            Read::Entry(judged) => {
                let mut entry = judged.entry;
                entry.server = server;
                for one in past {
                    batch.past.push(PastEntry {
                        server,
                        tool: entry.name.clone(),
                        digest: unhex(&one.digest).ok_or_else(|| body("a digest of another form"))?,
                        class: one.class.parse().map_err(body)?,
                        until: Timestamp::from_microsecond(one.until).map_err(body)?,
                    });
                }
                batch.tools.push(entry);
            }
            Read::Refused { why, .. } => *batch.counted.refused.entry(why.as_str().to_owned()).or_default() += 1,
            Read::Broken(_) => batch.counted.broken += 1,
        }
        Ok(())
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| Some(pair.first()? * 16 + pair.get(1)?)).collect()
}
