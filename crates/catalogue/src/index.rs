//! The search index, made from the store.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use search::{BadIndex, Builder, Entry, Kind};
use store::BadDatabase;
use store::catalogue::{Catalogue, Server, Sought};

use crate::entry::TRANSPORTS;

/// Why the index could not be made. The old one is still in use.
#[derive(Debug, thiserror::Error)]
pub enum BadRebuild {
    /// The store.
    #[error(transparent)]
    Store(#[from] BadDatabase),
    /// The index.
    #[error(transparent)]
    Index(#[from] BadIndex),
}

/// Makes the index anew. `progress` hears how many tools are in it.
///
/// # Errors
/// [`BadRebuild`].
pub async fn rebuild(
    catalogue: &Catalogue,
    folder: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), BadRebuild> {
    let builder = Builder::new(folder)?;
    let servers = catalogue.servers().await?;
    let servers: Vec<&Server> = servers.iter().filter(|server| is_searched(server)).collect();
    let official = official(catalogue).await?;
    for server in &servers {
        add_server(&builder, server, &official)?;
    }
    let by_id: HashMap<i64, &Server> = servers.iter().map(|server| (server.id, *server)).collect();
    let mut tools = catalogue.sought();
    let mut done = 0;
    while let Some(page) = tools.next().await? {
        done += u64::try_from(page.len()).unwrap_or(0);
        for tool in page {
            let Some(server) = by_id.get(&tool.brief.server) else { continue };
            add_tool(&builder, server, &tool, &official)?;
        }
        progress(done);
    }
    builder.finish()?;
    Ok(())
}

/// Puts into the index what is known now of a server and its tools, or of one of them, and leaves the rest of it as it is.
///
/// # Errors
/// [`BadRebuild`].
pub async fn refresh(catalogue: &Catalogue, folder: &Path, server: i64, tool: Option<&str>) -> Result<(), BadRebuild> {
    let builder = Builder::upon(folder)?;
    let official = official(catalogue).await?;
    let found = catalogue.server(server).await?.filter(is_searched);
    if tool.is_none() {
        builder.remove(Kind::Server, server)?;
        if let Some(server) = &found {
            add_server(&builder, server, &official)?;
        }
    }
    for one in catalogue.tools_of(server).await? {
        if tool.is_some_and(|name| name != one.name) {
            continue;
        }
        builder.remove(Kind::Tool, one.id)?;
        if let Some(server) = found.as_ref().filter(|_| !one.hidden) {
            add_tool(&builder, server, &one.into(), &official)?;
        }
    }
    builder.finish()?;
    Ok(())
}

fn is_searched(server: &Server) -> bool {
    !server.tombstoned && !server.hidden
}

fn add_server(builder: &Builder, server: &Server, official: &HashSet<i64>) -> Result<(), BadIndex> {
    let around: Vec<&str> = around(server).collect();
    builder.add(&Entry {
        kind: Kind::Server,
        id: server.id,
        name: &server.name,
        title: &server.slug,
        around: &around,
        description: server.description.as_deref().unwrap_or_default(),
        changed: server.first_seen.as_microsecond(),
        filters: &filters(server, official),
    })
}

fn add_tool(builder: &Builder, server: &Server, tool: &Sought, official: &HashSet<i64>) -> Result<(), BadIndex> {
    let Sought { brief: tool, title, changed } = tool;
    let around: Vec<&str> = std::iter::once(server.name.as_str()).chain(around(server)).collect();
    let mut filters = filters(server, official);
    filters.push(("class", tool.class.as_str()));
    filters.push(("severity", tool.severity.as_str()));
    filters.extend(tool.facets.iter().map(|facet| ("facet", facet.as_str())));
    builder.add(&Entry {
        kind: Kind::Tool,
        id: tool.id,
        name: &tool.name,
        title: title.as_deref().unwrap_or_default(),
        around: &around,
        description: &tool.description,
        changed: changed.as_microsecond(),
        filters: &filters,
    })
}

/// What stands around a server's name: who publishes it, and as what.
fn around(server: &Server) -> impl Iterator<Item = &str> {
    let repository = server.repository.as_deref().and_then(|url| url.trim_end_matches('/').rsplit('/').next());
    [server.publisher.as_deref(), server.package.as_deref(), repository].into_iter().flatten()
}

/// The servers whose publisher is proven: they have a name in the official registry, which gives a name below
/// a domain to nobody but the domain's owner.
async fn official(catalogue: &Catalogue) -> Result<HashSet<i64>, BadDatabase> {
    let names = catalogue.registry_names().await?;
    Ok(names.into_iter().filter(|(_, name)| is_in_own_domain(name)).map(|(server, _)| server).collect())
}

/// Whether a name of the registry, a domain backwards and a word, is of a domain that belongs to the publisher:
/// that of a place where anybody may have an account says who has the account.
fn is_in_own_domain(name: &str) -> bool {
    const SHARED: [&str; 6] = ["io.github", "com.github", "com.gitlab", "io.gitlab", "ai.smithery", "com.pulsemcp"];
    let domain = name.split('/').next().unwrap_or_default();
    domain.contains('.')
        && !SHARED
            .iter()
            .any(|shared| domain.strip_prefix(shared).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

fn filters<'a>(server: &'a Server, official: &HashSet<i64>) -> Vec<(&'a str, &'a str)> {
    let optional = [
        ("transport", &server.transport),
        ("licence", &server.licence),
        ("language", &server.language),
        ("publisher", &server.publisher),
        ("registry", &server.registry),
    ];
    let known = |(field, value): &(&str, &str)| *field != "transport" || TRANSPORTS.contains(&&*value.to_lowercase());
    let mut filters: Vec<(&str, &str)> =
        optional.into_iter().filter_map(|(field, value)| Some((field, value.as_deref()?))).filter(known).collect();
    filters.push(("visibility", server.visibility.as_str()));
    let official = server.verified || official.contains(&server.id);
    filters.push(("standing", if official { "official" } else { "community" }));
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_domain_a_name_is_in() {
        for name in ["com.stripe/mcp", "ai.exa/exa", "dev.svelte/mcp"] {
            assert!(is_in_own_domain(name), "{name}");
        }
        for name in ["io.github.ann/notes", "io.github/x", "com.gitlab.ann/x", "notes", "ai.smithery/ann-notes", ""] {
            assert!(!is_in_own_domain(name), "{name}");
        }
        assert!(is_in_own_domain("io.githubber/x"));
    }
}
