//! The servers that somebody puts together: by their names in an address, by words, or as a client's configuration
//! names them.

use std::collections::BTreeSet;

use catalogue::pages::stack::query;
use catalogue::pasted;
use catalogue::show::{Meant, meant};
use store::catalogue::Server;

use crate::arguments::{Argument, Arguments};
use crate::failure::Failure;
use crate::parameter::Takes;
use crate::site::Site;

/// The most names that are looked up.
const NAMES: usize = 100;

/// The longest name, in characters.
const NAME: usize = 400;

/// The longest configuration that is read, in characters.
const CONFIG: usize = 256 << 10;

/// How programs name servers.
pub(crate) fn arguments() -> [Argument; 2] {
    [
        Argument::new("servers", Takes::Texts(NAMES, NAME), "Names, repositories, packages or endpoints"),
        Argument::new(
            "config",
            Takes::Text(CONFIG),
            "The file in which a client keeps its servers, as JSON, YAML or TOML",
        ),
    ]
}

/// Servers that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Those that are known and may be seen, by their slugs.
    pub(crate) servers: Vec<Server>,
    /// How many others were named.
    pub(crate) unknown: usize,
}

impl Chosen {
    /// Those of slugs, joined by commas.
    pub(crate) async fn of(site: &Site, names: &str) -> Result<Self, Failure> {
        let names: BTreeSet<String> =
            names.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect();
        let mut chosen = Self { servers: Vec::new(), unknown: names.len().saturating_sub(NAMES) };
        for name in names.iter().take(NAMES) {
            let all = site.catalogue.servers_named(name).await?;
            match all.into_iter().find(|server| site.shows(server)) {
                Some(server) => chosen.add(server),
                None => chosen.unknown += 1,
            }
        }
        Ok(chosen)
    }

    /// Adds a server that is not there yet, at its place.
    pub(crate) fn add(&mut self, server: Server) {
        if let Err(place) = self.servers.binary_search_by(|known| known.slug.cmp(&server.slug)) {
            self.servers.insert(place, server);
        }
    }

    /// Adds the server of a name, repository, package or endpoint; whether there is one.
    pub(crate) async fn add_named(&mut self, site: &Site, name: &str) -> Result<bool, Failure> {
        let mut named = match meant(&site.catalogue, name).await? {
            Meant::Server(server) | Meant::NoSuchTool(server) => vec![*server],
            Meant::Tool(shown) => vec![shown.server],
            Meant::Several(servers) => servers,
            Meant::Unknown => Vec::new(),
        };
        named.retain(|server| site.shows(server));
        match (named.pop(), named.is_empty()) {
            (Some(server), true) => self.add(server),
            // Of several with one name, nobody can say which is meant.
            _ => {
                self.unknown += 1;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the servers that a client's configuration names. Nothing else of it is kept, and nothing of it said.
    pub(crate) async fn add_pasted(&mut self, site: &Site, config: &str) -> Result<(), Failure> {
        let entries = pasted::read(config).map_err(|error| Failure::Unclear(error.to_string()))?;
        self.unknown += entries.len().saturating_sub(pasted::ENTRIES);
        for entry in entries.iter().take(pasted::ENTRIES) {
            match pasted::server_of(&site.catalogue, entry, |server| site.shows(server)).await? {
                Some(server) => self.add(server),
                None => self.unknown += 1,
            }
        }
        Ok(())
    }

    /// Adds what a program names; gives the names that nobody knows.
    pub(crate) async fn add_sent(&mut self, site: &Site, sent: Arguments<'_>) -> Result<Vec<String>, Failure> {
        let mut not_found = Vec::new();
        for name in sent.texts("servers") {
            if !self.add_named(site, name).await? {
                not_found.push(name.to_owned());
            }
        }
        if let Some(config) = sent.text("config") {
            self.add_pasted(site, config).await?;
        }
        Ok(not_found)
    }

    /// The one spelling of it.
    pub(crate) fn query(&self) -> String {
        query(self.servers.iter().map(|server| server.slug.as_str()))
    }

    /// Slugs as they stand in an address, decoded.
    pub(crate) fn spelt(&self) -> String {
        self.servers.iter().map(|server| server.slug.as_str()).collect::<Vec<_>>().join(",")
    }
}
