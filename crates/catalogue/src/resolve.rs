//! Which server an entry is: the identities of all of them, in memory while an import runs.

use std::collections::{HashMap, HashSet};

use audit::visible::is_plain;
use store::catalogue::{KnownServer, ServerEntry, Visibility};

use crate::entry::{Described, one_line, visible};
use crate::identity::Identity;

/// What the names of registries begin with.
const NAME: &str = "name:";

/// All servers by their identities.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    by_identity: HashMap<String, i64>,
    /// The packages of a server, as `registry:name`.
    packages: HashMap<i64, Vec<String>>,
    /// The servers that have a name of a registry.
    named: HashSet<i64>,
    slugs: HashSet<String>,
    /// Who may see the servers that were known before, and whether more than a name is known of them.
    seen_by: HashMap<i64, (Visibility, bool)>,
    next: i64,
}

/// The server of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// Its number.
    pub(crate) id: i64,
    /// Its slug; empty for one that is known and keeps its own.
    pub(crate) slug: String,
    /// Whether it was not known.
    pub(crate) new: bool,
    /// Identities that were not known.
    pub(crate) identities: Vec<String>,
}

impl Resolved {
    /// What the store is told of it.
    pub(crate) fn entry(self, described: Described, visibility: Visibility, from_tools: bool) -> ServerEntry {
        let package = described.package.map(|(registry, package)| (visible(&registry), visible(&package)));
        ServerEntry {
            id: self.id,
            slug: self.slug,
            name: visible(&described.name),
            publisher: one_line(described.publisher),
            repository: one_line(described.repository),
            package,
            endpoint: one_line(described.endpoint),
            transport: one_line(described.transport),
            licence: one_line(described.licence),
            description: described.description,
            language: described.language,
            visibility,
            from_tools,
            identities: self.identities,
            sources: described.sources.iter().map(|source| visible(source)).collect(),
        }
    }
}

impl Resolver {
    /// Of what the store knows.
    pub(crate) fn new(known: Vec<KnownServer>) -> Self {
        let mut resolver = Self { next: 1, ..Self::default() };
        for server in known {
            resolver.next = resolver.next.max(server.id.saturating_add(1));
            resolver.slugs.insert(server.slug);
            resolver.seen_by.insert(server.id, (server.visibility, server.has_content));
            for identity in server.identities {
                resolver.own(server.id, identity);
            }
        }
        resolver
    }

    fn own(&mut self, id: i64, identity: String) {
        if is_package(&identity) {
            self.packages.entry(id).or_default().push(identity.clone());
        }
        if identity.starts_with(NAME) {
            self.named.insert(id);
        }
        self.by_identity.insert(identity, id);
    }

    /// The server that has an identity of the entry, the strongest first. A repository that is known to
    /// hold another package of the same registry holds several servers, and says nothing.
    pub(crate) fn find(&self, entry: &Described) -> Option<i64> {
        self.find_where(entry, |_| true)
    }

    /// Whether the entry is of a server that everybody sees, and was seen before.
    pub(crate) fn is_public(&self, entry: &Described) -> bool {
        self.find(entry).and_then(|id| self.seen_by.get(&id)).is_some_and(|seen| seen.0 == Visibility::Public)
    }

    /// Whether a server is private and more is known of it than its name: publishing it would publish that.
    pub(crate) fn keeps_private(&self, id: i64) -> bool {
        self.seen_by.get(&id) == Some(&(Visibility::Private, true))
    }

    /// The server of an entry of a registry: the one of its name, else one that has no name of a registry yet.
    pub(crate) fn find_listed(&self, entry: &Described) -> Option<i64> {
        let name = entry.identities.iter().find(|identity| matches!(identity, Identity::Name(_)));
        let named = name.and_then(|name| self.by_identity.get(&name.to_string())).copied();
        named.or_else(|| self.find_where(entry, |id| !self.named.contains(&id)))
    }

    fn find_where(&self, entry: &Described, may: impl Fn(i64) -> bool) -> Option<i64> {
        let other = |id: i64| {
            let own = self.packages.get(&id).map(Vec::as_slice).unwrap_or_default();
            entry.identities.iter().filter(|identity| identity.registry().is_some()).any(|package| {
                let package = package.to_string();
                let registry = package.split(':').next();
                let same: Vec<&String> = own.iter().filter(|known| known.split(':').next() == registry).collect();
                !same.is_empty() && !same.iter().any(|known| **known == package)
            })
        };
        entry.identities.iter().find_map(|identity| {
            let id = *self.by_identity.get(&identity.to_string())?;
            let several = matches!(identity, Identity::Repository { .. }) && other(id);
            (!several && may(id)).then_some(id)
        })
    }

    /// The server of an entry, and what it adds to the identities. A repository, package or endpoint that
    /// is another server's stays with it.
    pub(crate) fn resolve(&mut self, entry: &Described) -> Resolved {
        self.resolve_as(self.find(entry), entry)
    }

    /// As [`Resolver::resolve`], where it is known which server that is.
    pub(crate) fn resolve_as(&mut self, found: Option<i64>, entry: &Described) -> Resolved {
        let id = found.unwrap_or(self.next);
        let slug = match found {
            Some(_) => String::new(),
            None => {
                self.next = self.next.saturating_add(1);
                self.slug(entry)
            }
        };
        let mut identities: Vec<String> = entry.identities.iter().map(ToString::to_string).collect();
        identities.retain(|identity| !self.by_identity.contains_key(identity));
        // A server has one name of a registry: another would be proven with it.
        if self.named.contains(&id) {
            identities.retain(|identity| !identity.starts_with(NAME));
        }
        for identity in &identities {
            self.own(id, identity.clone());
        }
        Resolved { id, slug, new: found.is_none(), identities }
    }

    /// A slug that no other server has.
    fn slug(&mut self, entry: &Described) -> String {
        let short = slug(&entry.name);
        let long = entry.publisher.as_deref().map(slug).filter(|publisher| !publisher.is_empty());
        let long =
            long.filter(|publisher| !short.starts_with(publisher)).map(|publisher| format!("{publisher}-{short}"));
        let free = |word: &String| !word.is_empty() && !self.slugs.contains(word);
        let numbered = || {
            let base =
                long.clone().unwrap_or_else(|| if short.is_empty() { "server".to_owned() } else { short.clone() });
            (2_u64..).map(move |number| format!("{base}-{number}"))
        };
        let chosen = [Some(short.clone()), long.clone()].into_iter().flatten().find(|word| free(word));
        let chosen = chosen.or_else(|| numbered().find(|word| free(word))).unwrap_or_default();
        self.slugs.insert(chosen.clone());
        chosen
    }
}

fn is_package(identity: &str) -> bool {
    ["npm:", "pypi:", "oci:", "smithery:", "nuget:", "mcpb:"].iter().any(|start| identity.starts_with(start))
}

/// A name as it stands in an address: letters and digits of any script in lower case, joined by `-`.
pub(crate) fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() || !is_plain(c)).filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(80).collect::<String>().trim_end_matches('-').to_owned()
}
