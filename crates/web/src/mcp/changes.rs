//! `changes`: what is new, and what became something else.

use std::fmt::Write;

use catalogue::pages::changes::Since;
use catalogue::since::SINCE;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::pages::changes::became;
use crate::site::Site;
use crate::text::{many, shown};

/// What changed since a time, of everything or of one server.
pub(super) async fn changes(site: &Site, asked: Arguments<'_>) -> Result<(String, Value), Failure> {
    let missing = || Failure::Unclear(format!("`since` is missing; it must be {SINCE}."));
    let from = asked.since("since").ok_or_else(missing)?;
    let server = match asked.text("server") {
        Some(name) => Some(super::server(site, name).await?),
        None => None,
    };
    let census = site.census().await?;
    let made = Since::of(&site.catalogue, &census, site.is_public(), from, server.as_ref(), 1).await?;
    let mut text = match (&server, made.is_empty()) {
        (Some(server), true) => format!("Nothing changed of {} since {from:.0}.\n", shown(&server.name, 100)),
        (None, true) => format!("Nothing changed since {from:.0}.\n"),
        (Some(server), false) => format!("Changes of {} since {from:.0}\n\n", shown(&server.name, 100)),
        (None, false) => {
            format!("Changes since {from:.0}: {}\n\n", many(made.new_servers, "new server", "new servers"))
        }
    };
    for change in &made.definitions {
        let _ = writeln!(
            text,
            "- {} of {}, {}: {}",
            shown(&change.tool, 100),
            shown(&change.server, 100),
            change.at,
            became(change)
        );
    }
    for row in &made.servers {
        let tools = many(row.tools, "tool", "tools");
        let _ = writeln!(text, "- new: server {} with {tools}", shown(&row.server.name, 100));
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
