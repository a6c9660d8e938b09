//! How an entry is written.

use serde::Deserialize;

/// How a client writes its entries.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// An entry that starts a program.
    #[serde(default)]
    pub stdio: Option<Stdio>,
    /// An entry that leads to a Streamable HTTP endpoint; none, where the client takes no URL in its file.
    #[serde(default)]
    pub http: Option<Http>,
    /// The key under which some entries nest what is said of the transport.
    #[serde(default)]
    pub nested: Option<String>,
    /// The key that switches an entry off.
    #[serde(default)]
    pub off: Option<Off>,
}

/// An entry that starts a program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stdio {
    /// The key that says what the entry is.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// The key of the program.
    pub command: String,
    /// The key of its arguments; none, where they stand in one list with the program.
    #[serde(default)]
    pub args: Option<String>,
    /// The key of its variables.
    pub env: String,
    /// The key of a list of variables that it inherits by name.
    #[serde(default)]
    pub env_names: Option<String>,
    /// What else a new entry has.
    #[serde(default)]
    pub extra: toml::Table,
}

/// An entry that leads to an endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The key that says what the entry is.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// What an address without that key means.
    #[serde(default)]
    pub untyped: Untyped,
    /// The key of the address.
    pub url: String,
    /// The key of the address of the older transport, where it has one of its own.
    #[serde(default)]
    pub sse: Option<String>,
    /// The keys down to the headers.
    pub headers: Vec<String>,
    /// The key that names a variable with a bearer token.
    #[serde(default)]
    pub bearer_env: Option<String>,
    /// Keys that only such an entry may have: they go when it starts a program.
    #[serde(default)]
    pub only: Vec<String>,
    /// Keys that make an entry one that cannot be covered: headers that a command or the client makes.
    #[serde(default)]
    pub by_client: Vec<String>,
    /// What else a new entry has.
    #[serde(default)]
    pub extra: toml::Table,
}

/// The key that says what an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The key.
    pub key: String,
    /// What is written.
    pub value: String,
    /// What else is understood.
    #[serde(default)]
    pub also: Vec<String>,
    /// Whether a new entry can do without.
    #[serde(default)]
    pub optional: bool,
}

/// What an address means in an entry that does not say what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Untyped {
    /// A Streamable HTTP endpoint.
    #[default]
    Http,
    /// The older transport, with server-sent events.
    Sse,
    /// A mistake.
    Invalid,
}

/// The key that switches an entry off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Off {
    /// The key.
    pub key: String,
    /// What it says when the entry is off.
    pub when: bool,
}

impl Kind {
    pub(crate) fn means(&self, value: &str) -> bool {
        self.value == value || self.also.iter().any(|also| also == value)
    }
}

impl Shape {
    pub(crate) fn check(&self) -> Result<(), String> {
        let (Some(stdio), Some(http)) = (&self.stdio, &self.http) else { return Ok(()) };
        if http.headers.is_empty() || http.headers.len() > 2 {
            return Err("`headers` is one key, or two that lie in each other".to_owned());
        }
        let keys = |kind: &Option<Kind>| kind.as_ref().map(|kind| kind.key.clone());
        if http.kind.is_some() && keys(&http.kind) != keys(&stdio.kind) {
            return Err("`stdio` needs a `kind` of the same key as `http`".to_owned());
        }
        Ok(())
    }
}
