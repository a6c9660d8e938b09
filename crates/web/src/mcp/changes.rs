//! `changes`: what is new, and what became something else.

use std::fmt::Write;

use catalogue::pages::changes::Since;
use catalogue::show::{Meant, meant};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::routes::since;
use crate::site::Site;
use crate::text::shown;

/// What changed since a time, of everything or of one server.
pub(super) async fn changes(site: &Site, from: &str, server: &str) -> Result<(String, Value), Failure> {
    let from = since(from)?;
    let server = match (server, meant(&site.catalogue, server).await?) {
        ("", _) => None,
        (_, Meant::Server(server)) if site.shows(&server) => Some(*server),
        _ => return Err(Failure::NotFound),
    };
    let census = site.census().await?;
    let made = Since::of(&site.catalogue, &census, site.is_public(), from, server.as_ref(), 1).await?;
    let mut text = match (&server, made.is_empty()) {
        (Some(server), true) => format!("Nothing changed of {} since {from}.\n", shown(&server.name, 100)),
        (None, true) => format!("Nothing changed since {from}.\n"),
        (Some(server), false) => format!("Changes of {} since {from}\n\n", shown(&server.name, 100)),
        (None, false) => format!("Changes since {from}: {} new servers\n\n", made.new_servers),
    };
    for change in &made.definitions {
        let _ = writeln!(
            text,
            "- {} of {}, {}: {}, was {}",
            shown(&change.tool, 100),
            shown(&change.server, 100),
            change.at,
            change.after.as_str(),
            change.before.as_str()
        );
    }
    for row in &made.servers {
        let _ = writeln!(text, "- new: server {} with {} tools", shown(&row.server.name, 100), row.tools);
    }
    if made.next.is_some() {
        text.push_str("- and more\n");
    }
    let data = json!({
        "since": made.since, "new_servers": made.new_servers, "more": made.next.is_some(), "servers": made.servers,
        "definitions": made.definitions,
    });
    Ok((text, data))
}
