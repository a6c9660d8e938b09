//! What a person means by `SERVER` or `SERVER/TOOL`.

use search::words::exact;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server, Shown, Tool};

use crate::identity::{Identity, Registry};

/// What was meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant {
    /// A server.
    Server(Box<Server>),
    /// A tool of a server.
    Tool(Box<Shown>),
    /// One of several servers of that name.
    Several(Vec<Server>),
    /// A server that is known, but not this tool of it.
    NoSuchTool(Box<Server>),
    /// Nothing that is known.
    Unknown,
}

/// Finds what was meant: a server by its slug, name, repository, package or endpoint, in any case, and
/// a tool behind the last slash.
///
/// # Errors
/// [`BadDatabase`].
pub async fn meant(catalogue: &Catalogue, text: &str) -> Result<Meant, BadDatabase> {
    let text = text.trim().trim_end_matches('/');
    let whole = server(catalogue, text).await?;
    if !matches!(whole, Meant::Unknown) {
        return Ok(whole);
    }
    let Some((before, tool)) = text.rsplit_once('/') else { return Ok(Meant::Unknown) };
    match server(catalogue, before).await? {
        Meant::Server(server) => Ok(match tool_of(catalogue, &server, tool).await? {
            Some(tool) => Meant::Tool(Box::new(Shown { server: *server, tool })),
            None => Meant::NoSuchTool(server),
        }),
        other => Ok(other),
    }
}

/// The tool of a server that is meant by a name, in any spelling.
///
/// # Errors
/// [`BadDatabase`].
pub async fn tool_of(catalogue: &Catalogue, server: &Server, name: &str) -> Result<Option<Tool>, BadDatabase> {
    let mut tools = catalogue.tools_of(server.id).await?;
    let lower = name.to_lowercase();
    let ranks: [&dyn Fn(&str) -> bool; 3] =
        [&|own| own == name, &|own| own.to_lowercase() == lower, &|own| exact(own) == exact(name)];
    let place = ranks.iter().find_map(|is| tools.iter().position(|one| is(&one.name)));
    Ok(place.map(|place| tools.swap_remove(place)))
}

async fn server(catalogue: &Catalogue, text: &str) -> Result<Meant, BadDatabase> {
    // What stands behind a repository's own address is a tool.
    let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
    let repository = bare.matches('/').count() <= 2 || bare.contains("/tree/");
    let identities = [
        Identity::name(text),
        Identity::repository(text, None).filter(|_| repository),
        Identity::package(Registry::Npm, text),
        Identity::package(Registry::Pypi, text),
        Identity::package(Registry::Smithery, text),
        Identity::package(Registry::Oci, text),
        Identity::endpoint(text),
    ];
    let named = catalogue.servers_named(text).await?;
    // Its own slug is the surest; then what it is published as; then what people call it.
    if let Some(server) = named.iter().find(|server| server.slug == text.to_lowercase()) {
        return Ok(Meant::Server(Box::new(server.clone())));
    }
    for identity in identities.into_iter().flatten() {
        if let Some(server) = catalogue.server_of(&identity.to_string()).await? {
            return Ok(Meant::Server(Box::new(server)));
        }
    }
    Ok(match named.as_slice() {
        [] => Meant::Unknown,
        [one] => Meant::Server(Box::new(one.clone())),
        _ => Meant::Several(named),
    })
}
