//! Identity: which entries name one server.
//!
//! An entry can carry four kinds of identity, from the strongest to the weakest: a name in the official
//! registry, a repository, a package, an endpoint. Each has one spelling here, however it was written.

use std::fmt;

/// One identity, in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A name of the official registry: `ai.exa/exa`.
    Name(String),
    /// A repository, and the part of it that is the server where it holds several.
    Repository {
        /// `github.com/owner/name`.
        place: String,
        /// The last folder of the way to the server.
        part: Option<String>,
    },
    /// A package.
    Package {
        /// Where it is published.
        registry: Registry,
        /// Its name.
        name: String,
    },
    /// Where it is reached: host and path.
    Endpoint(String),
    /// Nothing but what a source calls it: no other source can mean the same.
    Called {
        /// The source.
        source: String,
        /// The name.
        name: String,
    },
}

/// Where packages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Registry {
    /// npmjs.com.
    Npm,
    /// pypi.org.
    Pypi,
    /// Any registry of container images.
    Oci,
    /// smithery.ai, which hosts servers.
    Smithery,
    /// nuget.org.
    Nuget,
    /// A bundle, by its address.
    Mcpb,
}

impl Registry {
    const ALL: [Self; 6] = [Self::Npm, Self::Pypi, Self::Oci, Self::Smithery, Self::Nuget, Self::Mcpb];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Oci => "oci",
            Self::Smithery => "smithery",
            Self::Nuget => "nuget",
            Self::Mcpb => "mcpb",
        }
    }

    /// The registry of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let word = if word == "docker" { "oci" } else { &word };
        Self::ALL.into_iter().find(|registry| registry.as_str() == word)
    }
}

impl Identity {
    /// A name of the official registry: a domain backwards, a slash, a name.
    #[must_use]
    pub fn name(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (space, name) = text.split_once('/')?;
        let good = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let domain = space.contains('.') && space.split('.').all(good);
        (domain && good(name)).then_some(Self::Name(text))
    }

    /// A repository: a URL, `git@host:owner/name`, or `owner/name` on GitHub. `path` leads to the
    /// server within it.
    #[must_use]
    pub fn repository(text: &str, path: Option<&str>) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let text = text.strip_prefix("git+").unwrap_or(text);
        let bare = match text.strip_prefix("git@") {
            Some(rest) => rest.replacen(':', "/", 1),
            None => text.split_once("://").map_or(text, |(_, rest)| rest).to_owned(),
        };
        let bare = bare.rsplit_once('@').map_or(bare.as_str(), |(_, rest)| rest);
        let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/');
        let mut words = bare.split('/').filter(|word| !word.is_empty());
        let first = words.next()?;
        let (host, owner) = if first.contains('.') && words.clone().count() >= 2 {
            (first, words.next()?)
        } else if text.contains("://") {
            return None;
        } else {
            ("github.com", first)
        };
        let name = words.next()?;
        // `owner/name/more` is no way to write a repository.
        if host == "github.com" && first != host && words.clone().next().is_some() {
            return None;
        }
        let name = name.strip_suffix(".git").unwrap_or(name);
        let good = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
        };
        if !good(owner) || !good(name) {
            return None;
        }
        // https://host/owner/name/tree/branch/packages/server
        let rest: Vec<&str> = words.collect();
        let inner = match rest.as_slice() {
            ["tree" | "blob", _, inner @ ..] | ["-", "tree" | "blob", _, inner @ ..] => inner.last().copied(),
            _ => None,
        };
        let part = path.map(str::trim).filter(|path| !path.is_empty()).map(str::to_lowercase);
        let part = part.as_deref().and_then(|path| path.trim_matches('/').rsplit('/').next()).or(inner);
        let part = part.filter(|part| !part.is_empty() && *part != ".").map(str::to_owned);
        Some(Self::Repository { place: format!("{host}/{owner}/{name}"), part })
    }

    /// A package of a registry.
    #[must_use]
    pub fn package(registry: Registry, text: &str) -> Option<Self> {
        let text = text.trim().trim_matches('/');
        let name = match registry {
            // PEP 503: runs of `-`, `_` and `.` are one.
            Registry::Pypi => {
                let lower = text.to_lowercase();
                let lower = lower.split(['[', '=', '<', '>', '~', '!', ' ', '@']).next().unwrap_or_default();
                lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
            }
            Registry::Oci => image(text),
            Registry::Npm | Registry::Smithery => {
                let lower = text.to_lowercase();
                // A version behind the name: `@scope/name@1.2`.
                match lower.rfind('@').filter(|at| *at > 0).and_then(|at| lower.get(..at)) {
                    Some(before) => before.to_owned(),
                    None => lower,
                }
            }
            Registry::Nuget => text.to_lowercase(),
            Registry::Mcpb => bare_url(text)?,
        };
        let good = !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        good.then_some(Self::Package { registry, name })
    }

    /// A URL without what could be a secret or a way to one: user name, password, query and fragment.
    #[must_use]
    pub fn bare_address(url: &str) -> String {
        let url = url.trim();
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let url = url.get(..end).unwrap_or(url);
        let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        match path {
            Some(path) => format!("{scheme}://{host}/{path}"),
            None => format!("{scheme}://{host}"),
        }
    }

    /// An endpoint: a URL of which something says that it is spoken with, and not read.
    #[must_use]
    pub fn endpoint(url: &str) -> Option<Self> {
        let lower = url.trim().to_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return None;
        }
        let bare = bare_url(&lower)?;
        let (host, path) = bare.split_once('/').unwrap_or((&bare, ""));
        let ends = path.rsplit('/').next().is_some_and(|last| matches!(last, "mcp" | "sse"));
        // A catalogue's page about a server is none of its endpoints.
        let page = ["smithery.ai", "npmjs.com", "pypi.org", "github.com", "glama.ai", "mcpservers.org", "mcp.so"];
        let page = page.contains(&host) || path.starts_with("app/");
        ((ends || host.starts_with("mcp.")) && !page).then_some(Self::Endpoint(bare))
    }

    /// An identity in its one spelling, as it is displayed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty())?;
        let rest = rest.to_owned();
        Some(match kind {
            "name" => Self::Name(rest),
            "endpoint" => Self::Endpoint(rest),
            "repository" => match rest.split_once('#') {
                Some((place, part)) => Self::Repository { place: place.to_owned(), part: Some(part.to_owned()) },
                None => Self::Repository { place: rest, part: None },
            },
            "called" => {
                let (source, name) = rest.split_once(':')?;
                Self::Called { source: source.to_owned(), name: name.to_owned() }
            }
            registry => Self::Package { registry: Registry::of(registry)?, name: rest },
        })
    }

    /// What a source calls a server that has nothing else.
    #[must_use]
    pub fn called(source: &str, name: &str) -> Self {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        Self::Called { source: words(source), name: words(name) }
    }

    /// The registry of a package.
    #[must_use]
    pub fn registry(&self) -> Option<Registry> {
        match self {
            Self::Package { registry, .. } => Some(*registry),
            _ => None,
        }
    }

    /// Who publishes it, as far as the identity says: the owner of a repository, the scope of a package,
    /// the domain of a name.
    #[must_use]
    pub fn publisher(&self) -> Option<&str> {
        match self {
            Self::Name(name) => {
                let (space, _) = name.split_once('/')?;
                space.strip_prefix("io.github.").or(Some(space))
            }
            Self::Repository { place, .. } => place.split('/').nth(1),
            Self::Package { registry: Registry::Npm | Registry::Smithery, name } => {
                name.strip_prefix('@')?.split_once('/').map(|(scope, _)| scope)
            }
            Self::Package { registry: Registry::Oci, name } => {
                let mut words = name.rsplit('/');
                words.next()?;
                words.next().filter(|owner| !owner.contains('.'))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name:{name}"),
            Self::Repository { place, part: None } => write!(f, "repository:{place}"),
            Self::Repository { place, part: Some(part) } => write!(f, "repository:{place}#{part}"),
            Self::Package { registry, name } => write!(f, "{}:{name}", registry.as_str()),
            Self::Endpoint(url) => write!(f, "endpoint:{url}"),
            Self::Called { source, name } => write!(f, "called:{source}:{name}"),
        }
    }
}

/// An image without its tag and digest, with its host.
fn image(text: &str) -> String {
    let lower = text.to_lowercase();
    let lower = lower.split('@').next().unwrap_or_default();
    let name = match lower.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => lower,
    };
    let has_host = name.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
    if name.is_empty() || has_host { name.to_owned() } else { format!("docker.io/{name}") }
}

/// Host and path: no scheme, `www.`, query or slash at the end.
fn bare_url(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let bare = bare.split(['?', '#']).next().unwrap_or_default();
    let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/');
    let host = bare.split('/').next().unwrap_or_default();
    (host.contains('.') || host.starts_with("localhost")).then(|| bare.to_owned())
}
