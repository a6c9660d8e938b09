//! The rows of the catalogue as values.

use jiff::Timestamp;
use policy::Class;
use risk::{Facet, Severity};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::BadDatabase;
use crate::at_once::record;
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
    Ok(is_yes(row.try_get::<Option<String>, _>(column)?.as_deref()))
}

/// Whether a person said yes.
pub(crate) fn is_yes(said: Option<&str>) -> bool {
    said == Some("yes")
}

/// A list of facets, as it stands in a row.
pub(crate) fn facets(list: &str) -> Result<Vec<Facet>, BadDatabase> {
    let words: Vec<String> = json("a list of facets", list)?;
    words.iter().map(|word| facet(word)).collect()
}

record! {
    /// A row of `servers_said`.
    struct ServerRow {
        id: i64,
        slug: String,
        name: String,
        publisher: Option<String>,
        said_publisher: Option<String>,
        repository: Option<String>,
        package: Option<String>,
        registry: Option<String>,
        endpoint: Option<String>,
        transport: Option<String>,
        version: Option<String>,
        auth: Option<String>,
        registry_status: Option<String>,
        registry_since: Option<i64>,
        licence: Option<String>,
        description: Option<String>,
        language: Option<String>,
        visibility: String,
        said_visibility: Option<String>,
        from_tools: i64,
        tombstoned: i64,
        said_verified: Option<String>,
        said_hidden: Option<String>,
        first_seen: i64,
        last_seen: i64,
    }
}

impl TryFrom<ServerRow> for Server {
    type Error = BadDatabase;

    fn try_from(row: ServerRow) -> Result<Self, BadDatabase> {
        let listed = match row.registry_status {
            Some(word) => {
                let since = row.registry_since.map(time).transpose()?;
                Some((known("a status of a registry", &word, Status::of(&word))?, since))
            }
            None => None,
        };
        Ok(Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            publisher: row.said_publisher.or(row.publisher),
            repository: row.repository,
            package: row.package,
            registry: row.registry,
            endpoint: row.endpoint,
            transport: row.transport,
            version: row.version,
            auth: row.auth,
            listed,
            licence: row.licence,
            description: row.description,
            language: row.language,
            visibility: visibility(row.said_visibility.as_deref().unwrap_or(&row.visibility))?,
            from_tools: row.from_tools != 0,
            tombstoned: row.tombstoned != 0,
            verified: is_yes(row.said_verified.as_deref()),
            hidden: is_yes(row.said_hidden.as_deref()),
            first_seen: time(row.first_seen)?,
            last_seen: time(row.last_seen)?,
        })
    }
}

record! {
    /// A row of `tools_said`.
    struct ToolRow {
        id: i64,
        server: i64,
        name: String,
        title: Option<String>,
        description: String,
        input_schema: Option<String>,
        annotations: Option<String>,
        digest: String as "HEX(digest)",
        class: String,
        severity: String,
        severity_fine: String,
        facets: String,
        confidence: f64,
        evidence: String,
        said_class: Option<String>,
        said_hidden: Option<String>,
        first_seen: i64,
        changed: i64,
    }
}

impl TryFrom<ToolRow> for Tool {
    type Error = BadDatabase;

    fn try_from(row: ToolRow) -> Result<Self, BadDatabase> {
        let mut judged = Judgement {
            class: class(&row.class)?,
            severity: severity(&row.severity)?,
            severity_fine: severity(&row.severity_fine)?,
            facets: facets(&row.facets)?,
            confidence: row.confidence,
            evidence: json("a list of evidence", &row.evidence)?,
        };
        let mut own = None;
        if let Some(word) = row.said_class {
            own = Some((judged.class, judged.severity_fine));
            judged.class = class(&word)?;
            judged.severity = Severity::of(judged.class);
            judged.severity_fine = judged.severity;
        }
        Ok(Self {
            id: row.id,
            server: row.server,
            name: row.name,
            title: row.title,
            description: row.description,
            input_schema: row.input_schema,
            annotations: row.annotations,
            digest: known("a digest", &row.digest, bytes(&row.digest))?,
            judged,
            own,
            hidden: is_yes(row.said_hidden.as_deref()),
            first_seen: time(row.first_seen)?,
            changed: time(row.changed)?,
        })
    }
}

/// Bytes from hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
