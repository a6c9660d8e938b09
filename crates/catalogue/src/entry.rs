//! One line of a file: a server or a tool, as sources write them.

use audit::visible::is_plain;
use serde::Deserialize;
use serde_json::Value;

use crate::identity::{Identity, Registry};
use crate::language::language;

/// The longest description that is kept, in bytes.
const DESCRIPTION: usize = 64 << 10;

/// A line of a file of servers.
#[derive(Debug, Clone, Deserialize)]
pub struct ServerLine {
    /// The name, of the registry or for people.
    pub name: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// The repository.
    pub repository: Option<String>,
    /// The folder in the repository.
    pub path: Option<String>,
    /// The package.
    pub package: Option<String>,
    /// Where the package is published.
    pub registry: Option<String>,
    /// An endpoint, or a page about the server.
    pub url: Option<String>,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// The licence.
    #[serde(alias = "license")]
    pub licence: Option<String>,
    /// What named it.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// A line of a file of tools.
#[derive(Debug, Clone, Deserialize)]
pub struct ToolLine {
    /// The server, as the source calls it.
    pub server: String,
    /// The name.
    pub name: String,
    /// The name for people.
    pub title: Option<String>,
    /// What it says of itself.
    #[serde(default)]
    pub description: Option<String>,
    /// The schema of its arguments.
    #[serde(default, alias = "inputSchema")]
    pub input_schema: Option<Value>,
    /// What the server claims of it.
    #[serde(default)]
    pub annotations: Option<Value>,
    /// The repository of the server.
    #[serde(default)]
    pub server_repo: Option<String>,
    /// What the list comes from: `source:OWNER/NAME` for the source code of the server itself.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The source file.
    #[serde(default)]
    pub path: Option<String>,
}

/// A server as an entry describes it, with its identities.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Described {
    /// The name for people.
    pub name: String,
    /// Its identities, the strongest first; never empty.
    pub identities: Vec<Identity>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// The repository, as it was written.
    pub repository: Option<String>,
    /// The package and its registry, as they were written.
    pub package: Option<(String, String)>,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// How it is spoken with.
    pub transport: Option<String>,
    /// The licence.
    pub licence: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// The language of that.
    pub language: Option<String>,
    /// What named it.
    pub sources: Vec<String>,
}

pub(crate) fn said(text: Option<&str>) -> Option<String> {
    let text = text.map(str::trim).filter(|text| text.chars().any(char::is_alphanumeric))?;
    let end = (0..=DESCRIPTION.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).map(str::to_owned)
}

/// The ways to speak with a server that the protocol has. Others are kept as they were said, and narrow no list.
pub const TRANSPORTS: [&str; 3] = ["stdio", "streamable-http", "sse"];

/// A fact as it is kept and shown: spaces and line breaks of any kind are one space, and what nobody sees is
/// written out (`\u{202e}`).
#[must_use]
pub fn visible(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let mut seen = String::with_capacity(word.len());
        for letter in word.chars() {
            match is_plain(letter) {
                true => seen.push(letter),
                false => seen.extend(letter.escape_unicode()),
            }
        }
        seen
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The same of what may not be said.
pub(crate) fn one_line(text: Option<String>) -> Option<String> {
    text.map(|text| visible(&text)).filter(|text| !text.is_empty())
}

impl ServerLine {
    /// The server that the line describes.
    ///
    /// # Errors
    /// Why it describes none.
    pub fn described(&self, source: &str) -> Result<Described, &'static str> {
        let repository = said(self.repository.as_deref()).map(|url| Identity::bare_address(&url));
        let package = said(self.package.as_deref());
        let registry = self.registry.as_deref().and_then(Registry::of);
        let name = said(self.name.as_deref());
        let url = said(self.url.as_deref());
        let mut identities: Vec<Identity> = Vec::new();
        identities.extend(name.as_deref().and_then(Identity::name));
        identities.extend(repository.as_deref().and_then(|text| Identity::repository(text, self.path.as_deref())));
        if let (Some(package), Some(registry)) = (package.as_deref(), registry) {
            identities.extend(Identity::package(registry, package));
        }
        identities.extend(url.as_deref().and_then(smithery));
        let endpoint = url.as_deref().and_then(Identity::endpoint);
        let has_endpoint = endpoint.is_some();
        identities.extend(endpoint);
        let source = self.sources.first().map_or(source, String::as_str);
        let sources = if self.sources.is_empty() { vec![source.to_owned()] } else { self.sources.clone() };
        let publisher = identities.iter().find_map(Identity::publisher).map(str::to_owned);
        let name = match (name, &repository, &package) {
            (Some(name), ..) => name,
            (None, Some(repository), _) => {
                repository.trim_end_matches('/').rsplit('/').next().unwrap_or(repository).to_owned()
            }
            (None, None, Some(package)) => package.clone(),
            (None, None, None) => return Err("a server without a name, repository or package"),
        };
        if identities.is_empty() {
            identities.push(Identity::called(source, &name));
        }
        identities.dedup();
        let description = said(self.description.as_deref());
        Ok(Described {
            language: description.as_deref().and_then(language).map(str::to_owned),
            publisher,
            package: registry.zip(package).map(|(registry, package)| (registry.as_str().to_owned(), package)),
            endpoint: url.filter(|_| has_endpoint).map(|url| Identity::bare_address(&url)),
            transport: said(self.transport.as_deref()),
            licence: said(self.licence.as_deref()),
            name,
            identities,
            repository,
            description,
            sources,
        })
    }
}

/// The package on smithery that a page there is about.
fn smithery(url: &str) -> Option<Identity> {
    let rest = url.split_once("smithery.ai/server/")?.1;
    Identity::package(Registry::Smithery, rest.split(['?', '#']).next().unwrap_or_default())
}

impl ToolLine {
    /// The server of the tool, as far as the line describes it.
    #[must_use]
    pub fn described(&self, source: &str) -> Described {
        let mut identities: Vec<Identity> = Vec::new();
        let dataset = self.dataset.as_deref().unwrap_or(source);
        let own = dataset.strip_prefix("source:");
        let (base, part) = match self.server.split_once(':') {
            Some((base, part)) if base.contains('/') && !part.starts_with("//") => (base, Some(part)),
            _ => (self.server.as_str(), None),
        };
        if let Some(repository) = self.server_repo.as_deref().or(own) {
            identities.extend(Identity::repository(repository, part));
        }
        identities.extend(Identity::name(&self.server));
        if base.starts_with('@') {
            identities.extend(Identity::package(Registry::Smithery, base));
            identities.extend(Identity::package(Registry::Npm, base));
        } else if base.contains('/') && !base.contains(char::is_whitespace) {
            identities.extend(Identity::repository(base, part));
        } else if !base.contains([':', ' ', '/']) && own.is_none() {
            identities.extend(Identity::package(Registry::Smithery, base));
        }
        let mut seen = Vec::new();
        identities.retain(|identity| {
            !seen.contains(identity) && {
                seen.push(identity.clone());
                true
            }
        });
        let repository = identities.iter().find_map(|identity| match identity {
            Identity::Repository { place, .. } => Some(format!("https://{place}")),
            _ => None,
        });
        let publisher = identities.iter().find_map(Identity::publisher).map(str::to_owned);
        if identities.is_empty() {
            identities.push(Identity::called(dataset, &self.server));
        }
        Described {
            name: self.server.clone(),
            identities,
            publisher,
            repository,
            sources: vec![dataset.to_owned()],
            ..Described::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_one_line_of_what_is_seen() {
        let table = [
            ("Leads", "Leads"),
            ("  two\n lines\tand\u{a0}\u{3000}spaces ", "two lines and spaces"),
            ("\u{202e}sdaeL", "\\u{202e}sdaeL"),
            ("a\u{1b}[31mb\u{200b}c", "a\\u{1b}[31mb\\u{200b}c"),
            ("C:\\x", "C:\\x"),
            ("漢字 🚀 é", "漢字 🚀 é"),
        ];
        for (text, wanted) in table {
            assert_eq!(visible(text), wanted, "{text:?}");
            assert_eq!(visible(wanted), wanted, "what was written out stays: {wanted}");
        }
        assert_eq!(one_line(Some(" \n".to_owned())), None);
    }
}
