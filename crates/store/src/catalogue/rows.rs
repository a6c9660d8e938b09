//! The rows of the catalogue as values.

use jiff::Timestamp;
use policy::Class;
use risk::{Facet, Severity};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::BadDatabase;
use crate::database::{json, known};

/// Who may see an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Members, or whoever is at the machine.
    Private,
    /// Everybody.
    Public,
}

impl Visibility {
    /// The word that stands in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

pub(crate) fn visibility(word: &str) -> Result<Visibility, BadDatabase> {
    let all = [Visibility::Private, Visibility::Public];
    known("a visibility", word, all.into_iter().find(|one| one.as_str() == word))
}

/// What a registry says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is offered.
    Active,
    /// It is offered, and nobody should begin to use it.
    Deprecated,
    /// It was withdrawn.
    Deleted,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Deleted => "deleted",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Active, Self::Deprecated, Self::Deleted].into_iter().find(|one| one.as_str() == word)
    }
}

/// A server. What people say of it holds already.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its number.
    pub id: i64,
    /// The name in addresses.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// Who publishes it: the owner of the repository, or the scope of the package.
    pub publisher: Option<String>,
    /// The repository, as a URL.
    pub repository: Option<String>,
    /// The package.
    pub package: Option<String>,
    /// Where the package is published: `npm`, `pypi`, `oci`, `smithery`.
    pub registry: Option<String>,
    /// The remote endpoint.
    pub endpoint: Option<String>,
    /// `stdio`, `streamable-http`, `sse`.
    pub transport: Option<String>,
    /// The version that a registry names.
    pub version: Option<String>,
    /// What it wants before it serves, as a registry says: `none`, `header`, `oauth`, `env`.
    pub auth: Option<String>,
    /// What a registry says of it, and since when.
    pub listed: Option<(Status, Option<Timestamp>)>,
    /// The licence.
    pub licence: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// The language of the description.
    pub language: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Known from a list of tools alone.
    pub from_tools: bool,
    /// Its publisher or registry has withdrawn it.
    pub tombstoned: bool,
    /// A person says that it is what it claims to be.
    pub verified: bool,
    /// A person took it out of searches.
    pub hidden: bool,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When a source last named it.
    pub last_seen: Timestamp,
}

/// What a tool can do, as it was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The class.
    pub class: Class,
    /// The severity of the class.
    pub severity: Severity,
    /// The severity of this tool.
    pub severity_fine: Severity,
    /// What else is dangerous about it.
    pub facets: Vec<Facet>,
    /// How probable it is that the class is right.
    pub confidence: f64,
    /// The words that decided.
    pub evidence: Vec<Quote>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Where it stands in the definition.
    pub place: String,
    /// The words.
    pub text: String,
    /// How much they spoke for the class; nothing where a rule decided.
    pub weight: Option<f32>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its number.
    pub id: i64,
    /// The number of its server.
    pub server: i64,
    /// Its name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it says of itself; empty when it says nothing.
    pub description: String,
    /// The schema of its arguments, as JSON.
    pub input_schema: Option<String>,
    /// What the server claims of it, as JSON.
    pub annotations: Option<String>,
    /// SHA-256 of the definition in canonical form.
    pub digest: Vec<u8>,
    /// What it can do. A class that a person gave it holds already.
    pub judged: Judgement,
    /// The program's own class and severity, where a person says otherwise.
    pub own: Option<(Class, Severity)>,
    /// A person took it out of searches.
    pub hidden: bool,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When its definition last changed.
    pub changed: Timestamp,
}

/// A tool and its server.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The server.
    pub server: Server,
    /// The tool.
    pub tool: Tool,
}

/// Microseconds since 1970 as a time.
pub(crate) fn time(micros: i64) -> Result<Timestamp, BadDatabase> {
    known("a time", &micros.to_string(), Timestamp::from_microsecond(micros).ok())
}

pub(crate) fn class(word: &str) -> Result<Class, BadDatabase> {
    known("a class", word, word.parse().ok())
}

pub(crate) fn severity(word: &str) -> Result<Severity, BadDatabase> {
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    known("a severity", word, all.into_iter().find(|one| one.as_str() == word))
}

fn facet(word: &str) -> Result<Facet, BadDatabase> {
    known("a facet", word, Facet::ALL.into_iter().find(|one| one.as_str() == word))
}

/// What a person says of a yes or no.
pub(crate) fn yes(row: &SqliteRow, column: &str) -> Result<bool, BadDatabase> {
    Ok(row.try_get::<Option<String>, _>(column)?.as_deref() == Some("yes"))
}

/// A list of facets, as it stands in a row.
pub(crate) fn facets(list: &str) -> Result<Vec<Facet>, BadDatabase> {
    let words: Vec<String> = json("a list of facets", list)?;
    words.iter().map(|word| facet(word)).collect()
}

/// A row of `servers_said`.
pub(crate) fn server(row: &SqliteRow) -> Result<Server, BadDatabase> {
    let flag = |name: &str| row.try_get::<i64, _>(name).map(|flag| flag != 0);
    let said = |name: &str| row.try_get::<Option<String>, _>(name);
    let listed = match said("registry_status")? {
        Some(word) => {
            let since: Option<i64> = row.try_get("registry_since")?;
            Some((known("a status of a registry", &word, Status::of(&word))?, since.map(time).transpose()?))
        }
        None => None,
    };
    let seen_by = match said("said_visibility")? {
        Some(word) => word,
        None => row.try_get("visibility")?,
    };
    Ok(Server {
        id: row.try_get("id")?,
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        publisher: said("said_publisher")?.or(row.try_get("publisher")?),
        repository: row.try_get("repository")?,
        package: row.try_get("package")?,
        registry: row.try_get("registry")?,
        endpoint: row.try_get("endpoint")?,
        transport: row.try_get("transport")?,
        version: row.try_get("version")?,
        auth: row.try_get("auth")?,
        listed,
        licence: row.try_get("licence")?,
        description: row.try_get("description")?,
        language: row.try_get("language")?,
        visibility: visibility(&seen_by)?,
        from_tools: flag("from_tools")?,
        tombstoned: flag("tombstoned")?,
        verified: yes(row, "said_verified")?,
        hidden: yes(row, "said_hidden")?,
        first_seen: time(row.try_get("first_seen")?)?,
        last_seen: time(row.try_get("last_seen")?)?,
    })
}

/// A row of `tools_said`.
pub(crate) fn tool(row: &SqliteRow) -> Result<Tool, BadDatabase> {
    let mut judged = Judgement {
        class: class(row.try_get("class")?)?,
        severity: severity(row.try_get("severity")?)?,
        severity_fine: severity(row.try_get("severity_fine")?)?,
        facets: facets(row.try_get("facets")?)?,
        confidence: row.try_get("confidence")?,
        evidence: json("a list of evidence", row.try_get("evidence")?)?,
    };
    let mut own = None;
    if let Some(word) = row.try_get::<Option<String>, _>("said_class")? {
        own = Some((judged.class, judged.severity_fine));
        judged.class = class(&word)?;
        judged.severity = Severity::of(judged.class);
        judged.severity_fine = judged.severity;
    }
    Ok(Tool {
        id: row.try_get("id")?,
        server: row.try_get("server")?,
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        input_schema: row.try_get("input_schema")?,
        annotations: row.try_get("annotations")?,
        digest: row.try_get("digest")?,
        judged,
        own,
        hidden: yes(row, "said_hidden")?,
        first_seen: time(row.try_get("first_seen")?)?,
        changed: time(row.try_get("changed")?)?,
    })
}
