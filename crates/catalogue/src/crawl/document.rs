//! What npm and PyPI answer, as far as it is read here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::entry::said;
use crate::identity::Registry;

/// A package, whichever registry tells of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) versions: usize,
    pub(super) first_published: Option<Timestamp>,
    pub(super) last_published: Option<Timestamp>,
    pub(super) publisher: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) deprecated: Option<String>,
    pub(super) description: Option<String>,
}

impl Document {
    pub(super) fn read(registry: Registry, bytes: &[u8]) -> Result<Self, String> {
        let read = match registry {
            Registry::Pypi => serde_json::from_slice::<Pypi>(bytes).map(Self::from),
            _ => serde_json::from_slice::<Npm>(bytes).map(Self::from),
        };
        read.map_err(|error| error.to_string())
    }
}

#[derive(Debug, Deserialize)]
struct Npm {
    name: String,
    #[serde(default, rename = "dist-tags")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, NpmVersion>,
    #[serde(default)]
    time: BTreeMap<String, Value>,
    description: Option<String>,
    #[serde(default)]
    license: Value,
    #[serde(default)]
    repository: Value,
    #[serde(default)]
    maintainers: Value,
}

#[derive(Debug, Deserialize)]
struct NpmVersion {
    #[serde(default)]
    deprecated: Value,
    #[serde(default)]
    license: Value,
    #[serde(default)]
    repository: Value,
    #[serde(default, rename = "_npmUser")]
    publisher: Value,
}

/// A text, or the member of an object that is one.
fn text(value: &Value, member: &str) -> Option<String> {
    said(value.as_str().or_else(|| value.get(member)?.as_str()))
}

impl From<Npm> for Document {
    fn from(npm: Npm) -> Self {
        let version = npm.tags.get("latest").cloned();
        let latest = version.as_ref().and_then(|version| npm.versions.get(version));
        let of_latest = |part: fn(&NpmVersion) -> &Value, member: &str| text(part(latest?), member);
        let published: Vec<Timestamp> = npm
            .time
            .iter()
            .filter(|(version, _)| npm.versions.contains_key(*version))
            .filter_map(|(_, time)| time.as_str()?.parse().ok())
            .collect();
        let deprecated = latest.and_then(|latest| match &latest.deprecated {
            Value::String(why) => said(Some(why)),
            // Some publish `true` where the reason belongs.
            Value::Bool(true) => Some("its publisher gives no reason".to_owned()),
            _ => None,
        });
        Self {
            publisher: of_latest(|latest| &latest.publisher, "name")
                .or_else(|| text(npm.maintainers.get(0).unwrap_or(&Value::Null), "name")),
            licence: of_latest(|latest| &latest.license, "type").or_else(|| text(&npm.license, "type")),
            repository: of_latest(|latest| &latest.repository, "url")
                .or_else(|| text(&npm.repository, "url"))
                .map(|url| plain(&url)),
            description: said(npm.description.as_deref()),
            first_published: published.iter().min().copied(),
            last_published: published.iter().max().copied(),
            versions: npm.versions.len(),
            name: npm.name,
            version,
            deprecated,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Pypi {
    info: PypiInfo,
    #[serde(default)]
    releases: BTreeMap<String, Vec<PypiFile>>,
}

#[derive(Debug, Deserialize)]
struct PypiInfo {
    name: String,
    version: Option<String>,
    summary: Option<String>,
    license: Option<String>,
    license_expression: Option<String>,
    author: Option<String>,
    maintainer: Option<String>,
    home_page: Option<String>,
    project_urls: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    classifiers: Vec<String>,
    #[serde(default)]
    yanked: bool,
    yanked_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PypiFile {
    upload_time_iso_8601: Option<Timestamp>,
    #[serde(flatten)]
    _rest: BTreeMap<String, IgnoredAny>,
}

/// The longest licence that is a name; some put the whole text there.
const LICENCE: usize = 60;

impl From<Pypi> for Document {
    fn from(pypi: Pypi) -> Self {
        let Pypi { info, releases } = pypi;
        let published: Vec<Timestamp> =
            releases.values().flatten().filter_map(|file| file.upload_time_iso_8601).collect();
        let urls = info.project_urls.unwrap_or_default();
        let named = |wanted: &[&str]| {
            urls.iter()
                .find(|(name, _)| wanted.contains(&name.to_lowercase().as_str()))
                .and_then(|(_, url)| url.clone())
        };
        let hosted = |url: &String| {
            ["github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/"].iter().any(|host| url.contains(host))
        };
        let repository = named(&["repository", "source", "source code", "github", "code"])
            .or_else(|| urls.values().flatten().find(|url| hosted(url)).cloned())
            .or_else(|| info.home_page.clone().filter(hosted));
        let inactive = info.classifiers.iter().any(|one| one == "Development Status :: 7 - Inactive");
        let deprecated = match (info.yanked, inactive) {
            (true, _) => Some(
                said(info.yanked_reason.as_deref()).unwrap_or_else(|| "its newest version was withdrawn".to_owned()),
            ),
            (false, true) => Some("it is marked inactive".to_owned()),
            _ => None,
        };
        Self {
            version: info.version,
            versions: releases.values().filter(|files| !files.is_empty()).count(),
            first_published: published.iter().min().copied(),
            last_published: published.iter().max().copied(),
            publisher: said(info.author.as_deref()).or_else(|| said(info.maintainer.as_deref())),
            licence: said(info.license_expression.as_deref())
                .or_else(|| said(info.license.as_deref()))
                .filter(|licence| licence.len() <= LICENCE),
            repository: said(repository.as_deref()).map(|url| plain(&url)),
            description: said(info.summary.as_deref()),
            name: info.name,
            deprecated,
        }
    }
}

/// A repository as browsers open it: `git+https://…/x.git` is `https://…/x`.
fn plain(url: &str) -> String {
    let bare = url.trim().trim_start_matches("git+").trim_end_matches(".git");
    match bare.strip_prefix("git://").or_else(|| bare.strip_prefix("ssh://git@")) {
        Some(rest) => format!("https://{rest}"),
        None => match bare.strip_prefix("git@") {
            Some(rest) => format!("https://{}", rest.replacen(':', "/", 1)),
            None => bare.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_registries_say_the_same_things() {
        let npm = r#"{ "name": "@acme/files", "dist-tags": { "latest": "1.1.0" }, "maintainers": [{ "name": "ann" }],
            "versions": { "1.0.0": {}, "1.1.0": { "license": { "type": "MIT" }, "deprecated": "use @acme/new",
                "repository": { "type": "git", "url": "git+https://github.com/acme/files.git" }, "_npmUser": { "name": "bob" } } },
            "time": { "created": "2025-01-01T00:00:00.000Z", "1.0.0": "2025-01-02T00:00:00.000Z", "1.1.0": "2026-01-02T00:00:00.000Z", "unpublished": {} } }"#;
        let pypi = r#"{ "info": { "name": "files", "version": "1.1.0", "license": "MIT", "author": "bob", "yanked": true, "yanked_reason": "use @acme/new",
                "project_urls": { "Homepage": "https://acme.test", "Source": "https://github.com/acme/files" } },
            "releases": { "0.9": [], "1.0.0": [{ "upload_time_iso_8601": "2025-01-02T00:00:00.000000Z", "filename": "x" }],
                "1.1.0": [{ "upload_time_iso_8601": "2026-01-02T00:00:00Z" }] } }"#;
        let npm = Document::read(Registry::Npm, npm.as_bytes()).unwrap();
        let pypi = Document::read(Registry::Pypi, pypi.as_bytes()).unwrap();
        assert_eq!(Document { name: String::new(), ..npm }, Document { name: String::new(), ..pypi });
        let none = Document::read(Registry::Npm, br#"{ "name": "x", "license": ["MIT"], "repository": 7 }"#).unwrap();
        assert_eq!(none, Document { name: "x".to_owned(), ..Document::default() });
        assert!(Document::read(Registry::Pypi, b"{}").is_err());
    }

    #[test]
    fn repositories_are_addresses() {
        for url in [
            "git+https://github.com/a/b.git",
            "git://github.com/a/b",
            "git@github.com:a/b.git",
            "https://github.com/a/b",
        ] {
            assert_eq!(plain(url), "https://github.com/a/b");
        }
    }
}
