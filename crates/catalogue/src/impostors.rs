//! Impostors: servers that could be taken for a well-known one.
//!
//! Three things are suspicious, each only under another publisher: a package whose name differs from a
//! well-known one's by a character or by punctuation; a repository of the same name under an owner that
//! differs so; and a package of a scope that publishes other people's repositories. Short names differ by a character all the time, and
//! say nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use store::catalogue::{Face, Impostor, Package};

use crate::identity::{Identity, Registry};
use crate::publisher::letters;

/// Directories whose entries people looked at.
const DIRECTORIES: [&str; 2] = ["docker/mcp-registry", "mcpm.sh"];

/// Words of names that say nothing of what the server is.
const GENERIC: [&str; 22] = [
    "mcp",
    "server",
    "servers",
    "mcpserver",
    "client",
    "tool",
    "tools",
    "py",
    "python",
    "js",
    "ts",
    "node",
    "the",
    "official",
    "api",
    "modelcontextprotocol",
    "model",
    "context",
    "protocol",
    "ai",
    "service",
    "app",
];

/// Fewer letters of its own, and a name is like another by chance.
const OWN: usize = 5;

/// The same where a letter is another.
const OWN_CHANGED: usize = 7;

/// A scope that publishes the repositories of so many others publishes what is not its own.
const OTHERS: usize = 3;

/// A server with what is compared of it.
struct Seen<'a> {
    face: &'a Face,
    /// The package and its registry, in its one spelling.
    package: Option<(Registry, String)>,
    /// The owner and the name of the repository.
    repository: Option<(String, String)>,
    known: bool,
}

impl<'a> Seen<'a> {
    fn of(face: &'a Face) -> Self {
        let registry = face.registry.as_deref().and_then(Registry::of);
        let package = registry.zip(face.package.as_deref()).and_then(|(registry, name)| {
            match Identity::package(registry, name)? {
                Identity::Package { registry, name } => Some((registry, name)),
                _ => None,
            }
        });
        let repository = face.repository.as_deref().and_then(|url| match Identity::repository(url, None)? {
            Identity::Repository { place, .. } => {
                let mut words = place.split('/').skip(1).map(str::to_owned);
                Some((words.next()?, words.next()?))
            }
            _ => None,
        });
        let known = face
            .sources
            .iter()
            .any(|source| source.starts_with("official registry") || DIRECTORIES.contains(&source.as_str()));
        Self { face, package, repository, known }
    }

    /// Every name that its publisher goes by.
    fn publishers(&self) -> Vec<String> {
        let scope = self.package.as_ref().and_then(|(_, name)| scope(name)).map(str::to_owned);
        let owner = self.repository.as_ref().map(|(owner, _)| owner.clone());
        [self.face.publisher.clone(), scope, owner].into_iter().flatten().map(|name| letters(&name)).collect()
    }
}

/// The servers that could be taken for another, with the reason. What everybody sees is compared with that alone: a
/// reason would tell of what is private.
#[must_use]
pub fn impostors(faces: &[Face]) -> Vec<Impostor> {
    let (open, own): (Vec<Face>, Vec<Face>) = faces.iter().cloned().partition(|face| face.public);
    let mut found = among(&open);
    if !own.is_empty() {
        let own: BTreeSet<i64> = own.iter().map(|face| face.server).collect();
        found.extend(among(faces).into_iter().filter(|one| own.contains(&one.server)));
    }
    found.sort_by_key(|one| one.server);
    found
}

fn among(faces: &[Face]) -> Vec<Impostor> {
    let all: Vec<Seen<'_>> = faces.iter().map(Seen::of).collect();
    let known: Vec<&Seen<'_>> = all.iter().filter(|one| one.known).collect();
    let names: BTreeSet<(Registry, &str)> = known
        .iter()
        .filter_map(|one| one.package.as_ref())
        .map(|(registry, name)| (*registry, name.as_str()))
        .collect();
    let owners: BTreeSet<&str> = known.iter().filter_map(|one| Some(one.repository.as_ref()?.0.as_str())).collect();
    let packages = Lengths::of(&known, |one| Some(Name::of(&one.package.as_ref()?.1)));
    let places = Lengths::of(&known, |one| Some(Name::of(&one.repository.as_ref()?.0)));
    let republishers = republishers(&all);
    let mut found = BTreeMap::new();
    for one in all.iter().filter(|one| !one.face.trusted) {
        let by_package = one.package.as_ref().filter(|(registry, name)| !names.contains(&(*registry, name)));
        let by_owner = one.repository.as_ref().filter(|(owner, _)| !owners.contains(owner.as_str()));
        let reason = by_package
            .and_then(|(registry, name)| like_package(one, *registry, name, &packages))
            .or_else(|| by_owner.and_then(|(owner, name)| like_owner(owner, name, &places)))
            .or_else(|| republished(one, &republishers));
        if let Some((original, reason)) = reason {
            found.insert(one.face.server, Impostor { server: one.face.server, original, reason });
        }
    }
    found.into_values().collect()
}

/// Servers whose package says that its source is another publisher's than theirs.
#[must_use]
pub fn mismatched(faces: &[Face], packages: &[Package]) -> Vec<Impostor> {
    let by_server: HashMap<i64, Seen<'_>> = faces.iter().map(|face| (face.server, Seen::of(face))).collect();
    // Of several at one place the last is the one: what everybody sees, before what is private.
    let (open, own): (Vec<&Face>, Vec<&Face>) = faces.iter().partition(|face| face.public);
    let by_place: HashMap<&(String, String), i64> = own
        .into_iter()
        .chain(open)
        .filter_map(|face| Some((by_server.get(&face.server)?.repository.as_ref()?, face.server)))
        .collect();
    packages
        .iter()
        .filter_map(|package| {
            let one = by_server.get(&package.server).filter(|one| !one.face.trusted)?;
            let (owner, name) = one.repository.as_ref()?;
            let Identity::Repository { place, .. } = Identity::repository(package.repository.as_deref()?, None)? else {
                return None;
            };
            let mut words = place.split('/').skip(1).map(str::to_owned);
            let other = (words.next()?, words.next()?);
            let (own, their) = (letters(owner), letters(&other.0));
            // Publishers of whom one's name begins with the other's are one.
            if own.starts_with(&their) || their.starts_with(&own) {
                return None;
            }
            let reason = format!("its package says that its source is {}/{}, not {owner}/{name}", other.0, other.1);
            let original = by_place.get(&other).filter(|original| {
                !one.face.public || by_server.get(original).is_some_and(|original| original.face.public)
            });
            Some(Impostor { server: package.server, original: original.copied(), reason })
        })
        .collect()
}

/// A name, in the forms that are compared.
#[derive(Debug)]
struct Name {
    /// Its letters and digits.
    flat: String,
    /// Those, with one character for all that look like it.
    skeleton: String,
    /// What of it is its own: `mcp-server-redis2` has `redis`.
    own: String,
}

impl Name {
    fn of(name: &str) -> Self {
        let flat = letters(name);
        Self { skeleton: skeleton(&flat), own: own(name), flat }
    }
}

/// Well-known servers by how long a name of theirs is.
struct Lengths<'a>(HashMap<usize, Vec<(Name, &'a Seen<'a>)>>);

impl<'a> Lengths<'a> {
    fn of(known: &[&'a Seen<'a>], name: impl Fn(&Seen<'a>) -> Option<Name>) -> Self {
        let mut lengths: HashMap<usize, Vec<(Name, &Seen<'_>)>> = HashMap::new();
        for one in known {
            if let Some(name) = name(one) {
                lengths.entry(name.flat.chars().count()).or_default().push((name, one));
            }
        }
        Self(lengths)
    }

    /// Those whose name may be a character longer or shorter; `rn` reads as `m`, so no more than that.
    fn around(&self, name: &Name) -> impl Iterator<Item = &(Name, &'a Seen<'a>)> {
        let length = name.flat.chars().count();
        (length.saturating_sub(1)..=length + 1).flat_map(|length| self.0.get(&length).into_iter().flatten())
    }
}

fn like_package(
    one: &Seen<'_>,
    registry: Registry,
    package: &str,
    packages: &Lengths<'_>,
) -> Option<(Option<i64>, String)> {
    let name = Name::of(package);
    let (_, original) = packages.around(&name).find(|(other, known)| {
        let same = known.package.as_ref().is_some_and(|(known, _)| *known == registry);
        same && resembles(&name, other) && apart(one, known)
    })?;
    let (_, known) = original.package.as_ref()?;
    let says = format!("its package {package} is named almost like {known}, another publisher's");
    Some((Some(original.face.server), says))
}

fn like_owner(owner: &str, name: &str, places: &Lengths<'_>) -> Option<(Option<i64>, String)> {
    let own_name = own(name);
    let compared = Name::of(owner);
    let (_, original) = places.around(&compared).find(|(other, known)| {
        other.flat.chars().count() >= OWN
            && alike(&compared, other).is_some()
            && known.repository.as_ref().is_some_and(|(_, known)| own(known) == own_name)
    })?;
    let (known_owner, known_name) = original.repository.as_ref()?;
    let says = format!("its repository {owner}/{name} is named almost like {known_owner}/{known_name}");
    Some((Some(original.face.server), says))
}

/// Scopes of packages that publish the repositories of several others.
fn republishers<'a>(all: &'a [Seen<'_>]) -> BTreeMap<&'a str, usize> {
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in all {
        if let Some((scope, owner)) = foreign(one) {
            owners.entry(scope).or_default().insert(owner);
        }
    }
    owners.into_iter().map(|(scope, owners)| (scope, owners.len())).filter(|(_, count)| *count >= OTHERS).collect()
}

fn republished(one: &Seen<'_>, republishers: &BTreeMap<&str, usize>) -> Option<(Option<i64>, String)> {
    let (scope, owner) = foreign(one)?;
    let count = republishers.get(scope)?;
    let (_, name) = one.package.as_ref()?;
    let others = if *count == 1 { "1 other".to_owned() } else { format!("{count} others") };
    Some((
        None,
        format!(
            "its package {name} is published by {scope}, its repository is {owner}'s: {scope} publishes the work of {others}"
        ),
    ))
}

/// The scope of a package and the owner of its repository, where they are not of one publisher.
fn foreign<'a>(one: &'a Seen<'_>) -> Option<(&'a str, &'a str)> {
    let (registry, name) = one.package.as_ref()?;
    let scope = scope(name).filter(|_| *registry == Registry::Npm)?;
    let (owner, _) = one.repository.as_ref()?;
    (!of_one(&letters(scope), &letters(owner))).then_some((scope, owner))
}

fn scope(package: &str) -> Option<&str> {
    package.strip_prefix('@')?.split_once('/').map(|(scope, _)| scope)
}

/// Whether two servers are of publishers that nobody could take for one another's siblings.
fn apart(one: &Seen<'_>, known: &Seen<'_>) -> bool {
    let same_place = one.repository.is_some() && one.repository == known.repository;
    let publishers = known.publishers();
    let siblings = one.publishers().iter().any(|own| publishers.iter().any(|other| of_one(own, other)));
    one.face.server != known.face.server && !same_place && !siblings
}

/// `exa` and `exalabs`.
fn of_one(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && (one.starts_with(other) || other.starts_with(one))
}

/// The letters of a name that are its own: `mcp-server-redis2` has `redis`.
fn own(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| !GENERIC.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()))).collect()
}

/// How two names differ that are easily mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alike {
    /// By nothing that is a letter or digit, or by letters that look the same.
    Looks,
    /// By one character: another, one more or less, or two that changed places.
    Typed,
}

/// Whether a package's name could be taken for a well-known one's. The same letters in a different place are,
/// another letter is where there is enough beside it; a first letter that differs makes another word.
fn resembles(name: &Name, known: &Name) -> bool {
    let long = known.own.chars().count();
    match alike(name, known) {
        Some(Alike::Looks) => long >= OWN,
        Some(Alike::Typed) if name.flat.chars().next() != known.flat.chars().next() => false,
        Some(Alike::Typed) if name.own == known.own => long >= OWN,
        Some(Alike::Typed) => {
            let first = name.own.chars().next() == known.own.chars().next();
            first && long >= OWN_CHANGED && name.own.chars().count() >= OWN_CHANGED
        }
        None => false,
    }
}

fn alike(one: &Name, other: &Name) -> Option<Alike> {
    if one.skeleton == other.skeleton {
        return Some(Alike::Looks);
    }
    typed(&one.flat, &other.flat).then_some(Alike::Typed)
}

/// Whether one character makes the difference: another, one more, or two that changed places.
fn typed(one: &str, other: &str) -> bool {
    let differs = one.char_indices().zip(other.chars()).find(|((_, own), other)| own != other);
    let at = differs.map_or(one.len().min(other.len()), |((at, _), _)| at);
    let (one, other) = (one.get(at..).unwrap_or_default(), other.get(at..).unwrap_or_default());
    let ((first, one_rest), (second, other_rest)) = (cut(one), cut(other));
    let swapped = || {
        let (mut one, mut other) = (one_rest.chars(), other_rest.chars());
        first.is_some() && one.next() == second && other.next() == first && one.as_str() == other.as_str()
    };
    one_rest == other_rest || one_rest == other || one == other_rest || swapped()
}

/// The first character, and the rest.
fn cut(text: &str) -> (Option<char>, &str) {
    let mut rest = text.chars();
    let first = rest.next();
    (first, rest.as_str())
}

/// A name with one character for all that look like it.
fn skeleton(name: &str) -> String {
    let name = name.replace("rn", "m").replace("vv", "w");
    let one = |c| match c {
        '0' | 'о' => 'o',
        '1' | 'i' | 'і' => 'l',
        '5' => 's',
        'а' => 'a',
        'е' => 'e',
        'с' => 'c',
        'р' => 'p',
        other => other,
    };
    name.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_easily_mixed_up() {
        for (one, known, wanted) in [
            ("playwright-mcp", "@playwright/mcp", true),
            ("redis-mcp-server3", "redis-mcp-server", true),
            ("elevan-labs-mcp", "elevenlabs-mcp", true),
            ("mcp-clickhuose", "mcp-clickhouse", true),
            ("github-rncp-server", "github-mcp-server", true),
            ("g1thub-mcp", "github-mcp", true),
            // Other words, and names too short to say anything.
            ("gotify-mcp", "notify-mcp", false),
            ("ros-mcp", "ios-mcp", false),
            ("esa-mcp-server", "exa-mcp-server", false),
            ("redis-mcp", "redis-mcp-server", false),
            ("github-mcp-server", "gitlab-mcp-server", false),
        ] {
            let is = resembles(&Name::of(one), &Name::of(known));
            assert_eq!(is, wanted, "{one} {known}");
        }
    }
}
