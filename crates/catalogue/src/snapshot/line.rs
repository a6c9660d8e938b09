//! A line of a snapshot: a server, or a tool of the server before it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::catalogue::Package;

use crate::entry::one_line;

/// A server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ServerRow {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) identities: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) publisher: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) package: Option<(String, String)>,
    pub(super) endpoint: Option<String>,
    pub(super) transport: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) description: Option<String>,
    pub(super) language: Option<String>,
    pub(super) from_tools: bool,
    pub(super) tombstoned: bool,
    pub(super) version: Option<String>,
    pub(super) auth: Option<String>,
    pub(super) status: Option<String>,
    /// Microseconds since 1970, as all times here.
    pub(super) status_since: Option<i64>,
    pub(super) first_seen: i64,
    pub(super) said: Vec<SaidRow>,
    /// What the registry of its package says; snapshots of older programs have none.
    pub(super) package_says: Option<PackageRow>,
}

/// What the registry of a package said of it, and when it was asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PackageRow {
    pub(super) version: Option<String>,
    pub(super) versions: i64,
    pub(super) first_published: Option<i64>,
    pub(super) last_published: Option<i64>,
    pub(super) publisher: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) deprecated: Option<String>,
    pub(super) seen: i64,
}

impl PackageRow {
    pub(super) fn of(package: Package) -> Self {
        Self {
            version: package.version,
            versions: package.versions,
            first_published: package.first_published.map(Timestamp::as_microsecond),
            last_published: package.last_published.map(Timestamp::as_microsecond),
            publisher: package.publisher,
            repository: package.repository,
            deprecated: package.deprecated,
            seen: package.seen.as_microsecond(),
        }
    }

    pub(super) fn package(self, server: i64) -> Result<Package, jiff::Error> {
        let time = |micros: Option<i64>| micros.map(Timestamp::from_microsecond).transpose();
        Ok(Package {
            server,
            version: one_line(self.version),
            versions: self.versions,
            first_published: time(self.first_published)?,
            last_published: time(self.last_published)?,
            publisher: one_line(self.publisher),
            repository: one_line(self.repository),
            deprecated: one_line(self.deprecated),
            seen: Timestamp::from_microsecond(self.seen)?,
        })
    }
}

/// What a person said of the server or a tool of it; not who.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SaidRow {
    pub(super) tool: Option<String>,
    pub(super) field: String,
    pub(super) value: Option<String>,
    pub(super) reason: String,
    pub(super) at: i64,
}

/// A tool. The definition is under the names that files of tools have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ToolRow {
    pub(super) server: String,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) input_schema: Option<Value>,
    pub(super) annotations: Option<Value>,
    pub(super) past: Vec<PastRow>,
}

/// What a tool was before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PastRow {
    pub(super) digest: String,
    pub(super) class: String,
    pub(super) until: i64,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Row {
    Server(Box<ServerRow>),
    Tool(Box<ToolRow>),
}
