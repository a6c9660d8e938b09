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

/// Finds what was meant: a server by its slug, name, repository, package or endpoint, in any case, and a tool
/// behind a slash. Both may hold slashes themselves, so each is tried: the longest server that has such a tool.
///
/// # Errors
/// [`BadDatabase`].
pub async fn meant(catalogue: &Catalogue, text: &str) -> Result<Meant, BadDatabase> {
    let text = text.trim();
    let whole = server(catalogue, text.trim_end_matches('/')).await?;
    if !matches!(whole, Meant::Unknown) {
        return Ok(whole);
    }
    let mut nearest = Meant::Unknown;
    for (before, tool) in splits(text) {
        match server(catalogue, before).await? {
            Meant::Server(server) => {
                if let Some(tool) = tool_of(catalogue, &server, tool).await? {
                    return Ok(Meant::Tool(Box::new(Shown { server: *server, tool })));
                }
                if nearest == Meant::Unknown {
                    nearest = Meant::NoSuchTool(server);
                }
            }
            several @ Meant::Several(_) if nearest == Meant::Unknown => nearest = several,
            _ => {}
        }
    }
    Ok(nearest)
}

/// A text as a server and what stands behind it, the longest server first.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let slashes = text.rmatch_indices('/').map(|(at, _)| at);
    slashes
        .filter_map(move |at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .filter(|(before, tool)| !before.is_empty() && !before.ends_with(['/', ':']) && !tool.is_empty())
}

/// The tool of a server that is meant by a name, in any spelling; a slash at the end may be of the name or none.
///
/// # Errors
/// [`BadDatabase`].
pub async fn tool_of(catalogue: &Catalogue, server: &Server, name: &str) -> Result<Option<Tool>, BadDatabase> {
    let mut tools = catalogue.tools_of(server.id).await?;
    let place = [name, name.trim_end_matches('/')].into_iter().find_map(|name| {
        let lower = name.to_lowercase();
        let ranks: [&dyn Fn(&str) -> bool; 3] =
            [&|own| own == name, &|own| own.to_lowercase() == lower, &|own| exact(own) == exact(name)];
        ranks.iter().find_map(|is| tools.iter().position(|one| is(&one.name)))
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slash_may_stand_before_the_tool() {
        let table: [(&str, &[(&str, &str)]); 5] = [
            ("leads", &[]),
            ("leads/a/b", &[("leads/a", "b"), ("leads", "a/b")]),
            ("leads/a/", &[("leads", "a/")]),
            ("https://x.example/mcp", &[("https://x.example", "mcp")]),
            ("/leads", &[]),
        ];
        for (text, wanted) in table {
            assert_eq!(splits(text).collect::<Vec<_>>(), wanted, "{text}");
        }
    }
}
