//! What npm and PyPI say of a package: one document, read when somebody asks for it. No package is fetched, unpacked or run.
//!
//! Whoever publishes a package can name any repository in it. So the package is the identity, and the repository
//! only what it says; where that is another's than the server's, the server is flagged ([`crate::impostors`]).

mod document;

use std::fmt;

use jiff::Timestamp;
use store::BadDatabase;
use store::catalogue::{Batch, Catalogue, Counts, Importing, Package, Visibility};

use self::document::Document;
use crate::entry::{Described, one_line};
use crate::identity::{Identity, Registry};
use crate::language::language;
use crate::registry::{NoPage, Source};
use crate::resolve::Resolver;

/// The address of npm's registry.
pub const NPM: &str = "https://registry.npmjs.org";

/// The address of PyPI.
pub const PYPI: &str = "https://pypi.org";

/// What names the entries.
const SOURCE: &str = "crawl";

/// A package to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    registry: Registry,
    name: String,
}

/// Why nothing is known of a package.
#[derive(Debug, thiserror::Error)]
pub enum BadCrawl {
    /// No answer.
    #[error(transparent)]
    Page(#[from] NoPage),
    /// The registry has no such package.
    #[error("there is no such package")]
    NoPackage,
    /// The answer is about something else.
    #[error("its answer is no description of that package ({0})")]
    NoDocument(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
}

/// What became of a package.
#[derive(Debug)]
pub struct Crawled {
    /// The slug of its server; one that was not known has it now.
    pub slug: String,
    /// What the registry says.
    pub package: Package,
    /// What changed of the server.
    pub counts: Counts,
}

impl Wanted {
    /// `npm:NAME` or `pypi:NAME`.
    ///
    /// # Errors
    /// A sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let (word, name) = text.split_once(':').ok_or("a package is written npm:NAME or pypi:NAME")?;
        let registry = Registry::of(word).filter(|registry| matches!(registry, Registry::Npm | Registry::Pypi));
        let registry = registry.ok_or("packages of npm and pypi can be asked for: npm:NAME, pypi:NAME")?;
        // Of a name with a version, the version says nothing here.
        match Identity::package(registry, name) {
            Some(Identity::Package { name, .. }) if is_name(registry, &name) => Ok(Self { registry, name }),
            _ => Err(format!("this is no name of a package of {}", registry.as_str())),
        }
    }

    /// Where its registry tells of it.
    fn target(&self) -> String {
        match self.registry {
            Registry::Pypi => format!("/pypi/{}/json", self.name),
            _ => format!("/{}", self.name.replacen('/', "%2F", 1)),
        }
    }

    /// The registry of it, of the two addresses.
    #[must_use]
    pub fn base<'a>(&self, npm: &'a str, pypi: &'a str) -> &'a str {
        if self.registry == Registry::Pypi { pypi } else { npm }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.registry.as_str(), self.name)
    }
}

/// Letters, digits and what stands between them; a scope before a slash on npm.
fn is_name(registry: Registry, name: &str) -> bool {
    let good = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match name.strip_prefix('@').filter(|_| registry == Registry::Npm) {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| good(scope) && good(name)),
        None => name.len() <= 214 && good(name),
    }
}

/// Asks the registry at `base` of a package, and puts down what it says.
///
/// # Errors
/// [`BadCrawl`].
pub async fn crawl(
    catalogue: &Catalogue,
    _right: &Importing,
    wanted: &Wanted,
    base: &str,
    visibility: Visibility,
    now: Timestamp,
) -> Result<Crawled, BadCrawl> {
    let bytes = match Source::at(base)?.get(&wanted.target()).await {
        Err(NoPage::Status(status)) if status.as_u16() == 404 => return Err(BadCrawl::NoPackage),
        other => other?,
    };
    let document = Document::read(wanted.registry, &bytes).map_err(BadCrawl::NoDocument)?;
    let own = |name: &str| Identity::package(wanted.registry, name);
    if own(&document.name) != own(&wanted.name) {
        return Err(BadCrawl::NoDocument("it is about another".to_owned()));
    }
    let described = wanted.described(&document);
    let mut resolver = Resolver::new(catalogue.known_servers().await?);
    let resolved = resolver.resolve(&described);
    let server = resolved.id;
    let package = Package {
        server,
        version: one_line(document.version),
        versions: i64::try_from(document.versions).unwrap_or(i64::MAX),
        first_published: document.first_published,
        last_published: document.last_published,
        publisher: one_line(document.publisher),
        repository: one_line(document.repository),
        deprecated: one_line(document.deprecated),
        seen: now,
    };
    let batch = Batch {
        lines: 1,
        servers: vec![resolved.entry(described, visibility, false)],
        packages: vec![package.clone()],
        ..Batch::default()
    };
    let mut run =
        catalogue.begin_run(&format!("{SOURCE} {}:{} {now}", wanted.registry.as_str(), wanted.name), now).await?;
    catalogue.write(&mut run, &batch, now).await?;
    catalogue.end_run(&run, now).await?;
    let slug = catalogue.server(server).await?.map(|server| server.slug).unwrap_or_default();
    Ok(Crawled { slug, package, counts: run.counts })
}

impl Wanted {
    fn described(&self, document: &Document) -> Described {
        let identities: Vec<Identity> = Identity::package(self.registry, &self.name).into_iter().collect();
        Described {
            name: document.name.clone(),
            // The scope of a package is its owner's; names of persons are not names of publishers.
            publisher: identities.iter().find_map(Identity::publisher).map(str::to_owned),
            identities,
            repository: document.repository.clone(),
            package: Some((self.registry.as_str().to_owned(), document.name.clone())),
            transport: None,
            licence: document.licence.clone(),
            language: document.description.as_deref().and_then(language).map(str::to_owned),
            description: document.description.clone(),
            endpoint: None,
            sources: vec![self.registry.as_str().to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_with_its_registry() {
        for (text, target) in [
            ("npm:files-mcp", "/files-mcp"),
            ("npm:@acme/Files", "/@acme%2Ffiles"),
            ("PyPI:Files.MCP", "/pypi/files-mcp/json"),
        ] {
            assert_eq!(Wanted::read(text).map(|wanted| wanted.target()).as_deref(), Ok(target), "{text}");
        }
        for text in
            ["files", "npm:", "oci:acme/files", "npm:../x", "npm:a/b", "npm:@a/b/c", "pypi:a?b", "npm:a b", "pypi:@a/b"]
        {
            assert!(Wanted::read(text).is_err(), "{text}");
        }
    }
}
