//! What became publicly known of published servers: flaws, and packages that did harm. Facts with their sources, compiled in.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use store::catalogue::Server;

use crate::identity::{Identity, Registry};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Incident {
    /// The package that it is about, with its registry: `npm:NAME`.
    #[serde(skip_serializing)]
    package: String,
    /// When it became known: a month.
    pub month: String,
    /// What it was.
    pub kind: Kind,
    /// The heading.
    pub title: String,
    /// What it was, in sentences.
    pub says: String,
    /// Where it is described.
    pub links: Vec<String>,
}

/// What something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A mistake that others could use.
    Flaw,
    /// Harm that was meant.
    Malice,
}

#[derive(Debug, Deserialize)]
struct File {
    incidents: Vec<Incident>,
}

static INCIDENTS: LazyLock<Vec<Incident>> = LazyLock::new(|| {
    // A test reads them; what it cannot read is not shown.
    toml::from_str::<File>(include_str!("../data/incidents.toml")).map(|file| file.incidents).unwrap_or_default()
});

/// What became known of a server, by its package alone: names are borrowed too easily.
pub fn of(server: &Server) -> impl Iterator<Item = &'static Incident> {
    let registry = server.registry.as_deref().and_then(Registry::of);
    let package = registry.zip(server.package.as_deref());
    let own = package.and_then(|(registry, name)| Identity::package(registry, name)).map(|own| own.to_string());
    INCIDENTS.iter().filter(move |incident| own.as_deref() == Some(&incident.package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_incident_is_about_a_package_and_has_a_source() {
        let file: File = toml::from_str(include_str!("../data/incidents.toml")).unwrap();
        assert!(!file.incidents.is_empty());
        for incident in file.incidents {
            let (registry, name) = incident.package.split_once(':').unwrap();
            let own = Identity::package(Registry::of(registry).unwrap(), name).unwrap();
            assert_eq!(own.to_string(), incident.package, "the one spelling");
            assert!(format!("{}-01", incident.month).parse::<jiff::civil::Date>().is_ok(), "{incident:?}");
            assert!(incident.links.iter().all(|link| link.starts_with("https://")) && !incident.links.is_empty());
            assert!(incident.says.ends_with('.') && !incident.title.ends_with('.'), "{incident:?}");
        }
    }
}
