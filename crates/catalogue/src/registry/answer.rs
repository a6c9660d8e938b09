//! What a registry answers: pages of `server.json` documents. Each entry is read by itself, so that one
//! that is broken costs no other.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::catalogue::{Said, Status};

use crate::entry::{Described, one_line, said, visible};
use crate::identity::{Identity, Registry};
use crate::language::language;

/// The longest version that is kept, in characters.
const VERSION: usize = 255;

/// A page as it was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Entries, not read yet.
    pub(super) servers: Vec<Value>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(rename = "nextCursor", alias = "next_cursor")]
    next: Option<String>,
}

impl Page {
    /// The cursor of the page after this one.
    pub(super) fn next(&self) -> Option<&str> {
        self.metadata.next.as_deref().filter(|next| !next.is_empty())
    }
}

/// An entry of a page.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// The server, with its identities.
    pub(super) described: Described,
    /// What the registry says of it.
    pub(super) said: Said,
    /// Whether it is the latest version of the server.
    pub(super) latest: bool,
    /// When the entry last changed.
    pub(super) updated: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    server: Document,
    #[serde(rename = "_meta", default)]
    meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(rename = "io.modelcontextprotocol.registry/official", default)]
    official: Option<Official>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Official {
    status: Option<String>,
    status_changed_at: Option<String>,
    updated_at: Option<String>,
    is_latest: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Document {
    name: String,
    description: Option<String>,
    version: Option<String>,
    repository: Option<Repository>,
    #[serde(default)]
    packages: Option<Vec<Package>>,
    #[serde(default)]
    remotes: Option<Vec<Remote>>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    url: Option<String>,
    subfolder: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    #[serde(rename = "registryType", alias = "registry_type", alias = "registry_name")]
    registry: Option<String>,
    #[serde(alias = "name")]
    identifier: Option<String>,
    transport: Option<Transport>,
    #[serde(rename = "environmentVariables", alias = "environment_variables", default)]
    variables: Option<Vec<Input>>,
}

#[derive(Debug, Deserialize)]
struct Transport {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Remote {
    #[serde(rename = "type", alias = "transport_type")]
    kind: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: Option<Vec<Input>>,
}

#[derive(Debug, Deserialize)]
struct Input {
    name: Option<String>,
    description: Option<String>,
    #[serde(rename = "isSecret", alias = "is_secret", default)]
    secret: Option<bool>,
    #[serde(rename = "isRequired", alias = "is_required", default)]
    required: Option<bool>,
}

/// Reads an entry. `source` is what names the server.
///
/// # Errors
/// Why it is none.
pub(super) fn listed(entry: Value, source: &str) -> Result<Listed, String> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let document = entry.server;
    let name = Identity::name(&document.name).ok_or("its name is no name of a registry, such as com.example/server")?;
    let official = entry.meta.official.unwrap_or_default();
    let updated = official.updated_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let since = official.status_changed_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok()).or(updated);
    let status = official.status.as_deref().and_then(Status::of);
    let packages = document.packages.unwrap_or_default();
    let remotes = document.remotes.unwrap_or_default();
    let repository = document.repository.as_ref().and_then(|repository| said(repository.url.as_deref()));
    let repository = repository.map(|url| Identity::bare_address(&url));
    let folder = document.repository.as_ref().and_then(|repository| repository.subfolder.as_deref());
    let publisher = name.publisher().map(str::to_owned);
    let mut identities = vec![name];
    identities.extend(repository.as_deref().and_then(|url| Identity::repository(url, folder)));
    for package in &packages {
        let registry = package.registry.as_deref().and_then(Registry::of);
        let identity = registry.zip(package.identifier.as_deref());
        identities.extend(identity.and_then(|(registry, name)| Identity::package(registry, name)));
    }
    identities.extend(remotes.iter().filter_map(|remote| Identity::endpoint(remote.url.as_deref()?)));
    identities.dedup();
    let description = said(document.description.as_deref());
    let transport = packages
        .iter()
        .find_map(|package| package.transport.as_ref()?.kind.as_deref())
        .or_else(|| remotes.iter().find_map(|remote| remote.kind.as_deref()));
    let told = Said {
        language: description.as_deref().and_then(language).map(str::to_owned),
        description,
        version: one_line(said(document.version.as_deref())).map(|version| version.chars().take(VERSION).collect()),
        repository: one_line(repository),
        package: packages.iter().find_map(package).map(|(registry, name)| (visible(&registry), visible(&name))),
        endpoint: remotes
            .iter()
            .find_map(|remote| said(remote.url.as_deref()))
            .map(|url| visible(&Identity::bare_address(&url))),
        transport: one_line(said(transport)),
        auth: auth(&packages, &remotes).map(str::to_owned),
        status,
        since: status.and(since).map(Timestamp::as_microsecond),
    };
    let described = Described {
        name: document.name.trim().to_owned(),
        identities,
        publisher,
        repository: told.repository.clone(),
        package: told.package.clone(),
        endpoint: told.endpoint.clone(),
        transport: told.transport.clone(),
        licence: None,
        description: told.description.clone(),
        language: told.language.clone(),
        sources: vec![source.to_owned()],
    };
    Ok(Listed { described, said: told, latest: official.is_latest.unwrap_or(true), updated })
}

/// A package with the word of its registry; one that we do not know keeps its own word.
fn package(package: &Package) -> Option<(String, String)> {
    let word = package.registry.as_deref()?.trim().to_ascii_lowercase();
    let word = Registry::of(&word).map_or(word, |registry| registry.as_str().to_owned());
    Some((word, said(package.identifier.as_deref())?))
}

/// What a server wants before it serves, as far as its entry says: `env` for secrets in the environment of
/// a package, `header` or `oauth` for headers of a remote, `none` for a package that wants nothing. A remote
/// without headers may ask all the same when it is reached, so nothing is said of it.
fn auth(packages: &[Package], remotes: &[Remote]) -> Option<&'static str> {
    if !packages.is_empty() {
        let mut variables = packages.iter().flat_map(|package| package.variables.iter().flatten());
        return Some(if variables.any(|one| one.secret == Some(true)) { "env" } else { "none" });
    }
    let headers: Vec<&Input> = remotes.iter().flat_map(|remote| remote.headers.iter().flatten()).collect();
    let says =
        |one: &Input, word: &str| one.description.as_deref().is_some_and(|text| text.to_lowercase().contains(word));
    let named = |one: &Input, word: &str| one.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(word));
    if headers.iter().any(|one| says(one, "oauth")) {
        return Some("oauth");
    }
    let asks = |one: &&Input| one.secret == Some(true) || (one.required == Some(true) && named(one, "authorization"));
    headers.iter().any(asks).then_some("header")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(server: Value, official: Value) -> Listed {
        let meta = json!({ "io.modelcontextprotocol.registry/official": official });
        listed(json!({ "server": server, "_meta": meta }), "a registry").unwrap()
    }

    #[test]
    fn an_entry_says_what_it_is_and_what_it_wants() {
        let package = |variables: Value| {
            json!({ "name": "io.github.ann/mail", "version": "1.2.0", "packages": [
                { "registryType": "npm", "identifier": "@ann/mail", "transport": { "type": "stdio" },
                  "environmentVariables": variables } ] })
        };
        let remote = |headers: Value| {
            json!({ "name": "com.example/mail", "remotes": [
            { "type": "streamable-http", "url": "https://mcp.example.com/mcp", "headers": headers } ] })
        };
        let table = [
            (package(json!([{ "name": "KEY", "isSecret": true }])), Some("env")),
            (package(json!([{ "name": "LEVEL" }])), Some("none")),
            (package(Value::Null), Some("none")),
            (remote(json!([{ "name": "X-Key", "isSecret": true }])), Some("header")),
            (remote(json!([{ "name": "Authorization", "isRequired": true }])), Some("header")),
            (remote(json!([{ "name": "Authorization", "description": "OAuth 2 token" }])), Some("oauth")),
            (remote(json!([{ "name": "X-Team" }])), None),
            (remote(Value::Null), None),
        ];
        for (server, wanted) in table {
            assert_eq!(read(server.clone(), json!({})).said.auth.as_deref(), wanted, "{server}");
        }
        let found = read(
            package(Value::Null),
            json!({ "status": "deprecated", "isLatest": false, "updatedAt": "2026-01-02T03:04:05Z" }),
        );
        assert_eq!((found.said.status, found.latest), (Some(Status::Deprecated), false));
        assert_eq!(found.updated.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(found.said.package, Some(("npm".to_owned(), "@ann/mail".to_owned())));
        let identities: Vec<String> = found.described.identities.iter().map(ToString::to_string).collect();
        assert_eq!(identities, ["name:io.github.ann/mail", "npm:@ann/mail"]);
        assert_eq!(found.described.publisher.as_deref(), Some("ann"));
    }

    #[test]
    fn what_is_no_entry_is_refused_by_itself() {
        for bad in
            [json!(1), json!({}), json!({ "server": { "name": "no slash" } }), json!({ "server": { "name": 5 } })]
        {
            assert!(listed(bad.clone(), "a registry").is_err(), "{bad}");
        }
        // What a registry does not say of the state of an entry is not made up.
        let bare = listed(json!({ "server": { "name": "a.b/c" } }), "a registry").unwrap();
        assert_eq!((bare.said.status, bare.latest, bare.updated), (None, true, None));
    }
}
