//! What `toolgate scan --json` saw of an operator's servers, taken into the catalogue.
//!
//! Each server is an entry of its own that nothing else is taken for, and private: what somebody saw on their own
//! machine is in no public page, even where everybody knows the server.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::BadDatabase;
use store::catalogue::{Batch, Catalogue, Counts, Importing, Visibility};

use crate::entry::{Described, said};
use crate::identity::Identity;
use crate::judge::{self, Read};
use crate::resolve::Resolver;

/// What names the entries.
pub(crate) const SOURCE: &str = "scan";

/// The form of report that is read.
const VERSION: u64 = 1;

/// Why a scan was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BadScan {
    /// It is something else.
    #[error("it is no report of `toolgate scan --json`: {0}")]
    NoReport(serde_json::Error),
    /// It is of another form.
    #[error("it is a report of version {0}; this program reads version {VERSION}")]
    Version(u64),
    /// It leaves out what is to be judged.
    #[error("it holds no definitions, since an older program wrote it; scan again")]
    NoDefinitions,
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
}

/// A report, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Report {
    version: u64,
    servers: Vec<Scanned>,
}

#[derive(Debug, Deserialize)]
struct Scanned {
    name: String,
    source: Source,
    /// What it calls itself.
    server: Option<String>,
    tools: Vec<Tool>,
}

#[derive(Debug, Deserialize)]
struct Source {
    kind: String,
    text: String,
    identity: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    definition: Option<Value>,
}

/// The identity of what a scan saw of the server that is known so.
#[must_use]
pub fn seen(identity: &Identity) -> Identity {
    Identity::called(SOURCE, &identity.to_string())
}

/// Takes a report, and says what became of it.
///
/// # Errors
/// [`BadScan`].
pub async fn import(catalogue: &Catalogue, _right: &Importing, text: &str, now: Timestamp) -> Result<Counts, BadScan> {
    let text = text.trim_start_matches('\u{feff}');
    let report: Report = serde_json::from_str(text).map_err(BadScan::NoReport)?;
    if report.version != VERSION {
        return Err(BadScan::Version(report.version));
    }
    if report.servers.iter().flat_map(|server| &server.tools).any(|tool| tool.definition.is_none()) {
        return Err(BadScan::NoDefinitions);
    }
    let mut run = catalogue.begin_run(&format!("{SOURCE} sha256:{}", hash(text)), now).await?;
    if run.position == 0 {
        let mut resolver = Resolver::new(catalogue.known_servers().await?);
        let mut batch = Batch { lines: 1, ..Batch::default() };
        for server in report.servers {
            server.put(&mut resolver, &mut batch);
        }
        catalogue.write(&mut run, &batch, now).await?;
    }
    catalogue.end_run(&run, now).await?;
    Ok(run.counts)
}

impl Scanned {
    fn put(self, resolver: &mut Resolver, batch: &mut Batch) {
        let described = self.described();
        let resolved = resolver.resolve(&described);
        let id = resolved.id;
        batch.servers.push(resolved.entry(described, Visibility::Private, false));
        for definition in self.tools.into_iter().filter_map(|tool| tool.definition) {
            match judge::tool(&line(&definition).to_string()) {
                Read::Entry(judged) => {
                    let mut entry = judged.entry;
                    entry.server = id;
                    batch.tools.push(entry);
                }
                Read::Refused { why, .. } => *batch.counted.refused.entry(why.as_str().to_owned()).or_default() += 1,
                Read::Broken(_) => batch.counted.broken += 1,
            }
        }
    }

    fn described(&self) -> Described {
        let known = self.source.identity.as_deref().and_then(Identity::read);
        // A command may hold a secret: what nobody knows is told apart by its digest.
        let own = || Identity::called(SOURCE, &hash(&format!("{}\0{}", self.source.kind, self.source.text)));
        let endpoint = match &known {
            Some(Identity::Endpoint(place)) => {
                let plain = self.source.kind == "url" && self.source.text.starts_with("http://");
                Some(format!("{}://{place}", if plain { "http" } else { "https" }))
            }
            _ => None,
        };
        // A client's configuration has a name for it; where there is one server alone, its own says more.
        let name = if self.source.kind == "config" { Some(self.name.as_str()) } else { self.server.as_deref() };
        let name = said(name).unwrap_or_else(|| match &known {
            Some(identity) => identity.to_string().split_once(':').map(|(_, name)| name.to_owned()).unwrap_or_default(),
            None => self.name.clone(),
        });
        Described {
            name,
            identities: vec![known.as_ref().map_or_else(own, seen)],
            transport: endpoint.as_ref().map(|_| "streamable-http".to_owned()),
            endpoint,
            sources: vec![SOURCE.to_owned()],
            ..Described::default()
        }
    }
}

/// A definition as a line of a file of tools.
fn line(definition: &Value) -> Value {
    let member = |name: &str| definition.get(name).cloned().unwrap_or_default();
    json!({
        "server": SOURCE, "name": member("name"), "title": member("title"), "description": member("description"),
        "input_schema": member("inputSchema"), "annotations": member("annotations"),
    })
}

fn hash(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
