//! `toolgate catalogue search`.

use std::process::ExitCode;

use catalogue::copies::{Folded, Sighting, apart, folded};
use search::{Filter, Hit, Index, Kind, Query};
use serde_json::{Map, Value, json};
use store::catalogue::{Catalogue, Server, Shown};

use super::settle::behind;
use super::{class, footnote, gist, json as as_json, table, values};
use crate::args::{KindWord, SearchOptions};
use crate::commands::scan::json::printed;
use crate::failure::{Failure, Trying};
use crate::output::{say, tell, text};

/// A row that was found.
enum Row {
    Server(Box<Server>),
    Tool(Box<Shown>),
}

/// Searches.
pub async fn search(options: &SearchOptions) -> Result<ExitCode, Failure> {
    let (data, catalogue) = super::open(&options.data).await?;
    values::check(&catalogue, options).await?;
    let behind = behind(&data);
    if let Some((says, _)) = &behind {
        tell!("toolgate: {says}");
    }
    let index = Index::open(&data.search()).map_err(|error| Failure::Usage(error.to_string()))?;
    let query = query(options);
    let found = index.search(&query).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut rows = Vec::new();
    for hit in &found.hits {
        // What the index found and the store has no more is left out.
        rows.extend(row(&catalogue, hit).await?);
    }
    let looked_at = rows.len();
    let rows = if options.copies { apart(rows) } else { folded(&catalogue, rows).await.trying("the catalogue")? };
    catalogue.close().await;
    let total = found.total.unwrap_or(looked_at);
    if options.json {
        let rows: Vec<Value> = rows.iter().map(as_value).collect();
        let document =
            json!({ "version": 1, "words": query.words, "behind": behind.is_some(), "total": total, "found": rows });
        text(&(printed(&document).trying("the answer")? + "\n"))?;
    } else if rows.is_empty() {
        say!("Nothing was found.")?;
    } else {
        let cells: Vec<[String; 4]> = rows.iter().map(cells).collect();
        text(&table(["CLASS", "TOOL", "SERVER", "DESCRIPTION"], &cells))?;
        let tools = rows.iter().filter_map(|row| match &row.shown {
            Row::Tool(shown) => Some(&shown.tool),
            Row::Server(_) => None,
        });
        text(footnote(tools))?;
        let mut notes = Vec::new();
        if total > looked_at {
            notes.push(format!("{looked_at} of {total}; --limit N shows more"));
        }
        if rows.iter().any(|row| row.copies > 0) {
            notes.push("copies stand with what they are copies of; --copies shows each".to_owned());
        }
        if !notes.is_empty() {
            say!("\n{}", notes.join("\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn query(options: &SearchOptions) -> Query {
    let mut filters = Vec::new();
    let mut add = |field: &str, values: &mut dyn Iterator<Item = String>| {
        filters.extend(values.map(|value| Filter { field: field.to_owned(), value }));
    };
    add("class", &mut options.class.iter().map(|class| class.as_str().to_owned()));
    let severity = |word: &_| risk::Severity::from(*word).as_str().to_owned();
    add("severity", &mut options.severity.iter().map(severity));
    add("facet", &mut options.facet.iter().cloned());
    add("transport", &mut options.transport.iter().cloned());
    add("licence", &mut options.licence.iter().cloned());
    add("standing", &mut options.standing.iter().cloned());
    add("language", &mut options.language.iter().cloned());
    Query {
        words: options.words.join(" "),
        kind: options.kind.map(|kind| match kind {
            KindWord::Server => Kind::Server,
            KindWord::Tool => Kind::Tool,
        }),
        filters,
        changed_since: options.since.map(jiff::Timestamp::as_microsecond),
        offset: 0,
        limit: usize::from(options.limit),
        count: true,
    }
}

async fn row(catalogue: &Catalogue, hit: &Hit) -> Result<Option<Sighting<Row>>, Failure> {
    Ok(match hit.kind {
        Kind::Server => {
            let server = catalogue.server(hit.id).await.trying("the catalogue")?;
            server.map(|server| Sighting { server: server.id, tool: None, shown: Row::Server(Box::new(server)) })
        }
        Kind::Tool => {
            let shown = catalogue.shown(hit.id).await.trying("the catalogue")?;
            shown.map(|shown| Sighting {
                server: shown.server.id,
                tool: Some(shown.tool.name.clone()),
                shown: Row::Tool(Box::new(shown)),
            })
        }
    })
}

fn as_value(row: &Folded<Row>) -> Value {
    let mut members = Map::new();
    match &row.shown {
        Row::Server(server) => {
            members.insert("kind".to_owned(), "server".into());
            members.extend(as_json::server(server));
        }
        Row::Tool(shown) => {
            members.insert("kind".to_owned(), "tool".into());
            members.insert("server".to_owned(), shown.server.slug.clone().into());
            members.extend(as_json::tool(&shown.tool));
            members.insert("description".to_owned(), shown.tool.description.clone().into());
        }
    }
    members.insert("copies".to_owned(), row.copies.into());
    members.into()
}

/// Characters of a description in the table.
const GIST: usize = 120;

fn cells(row: &Folded<Row>) -> [String; 4] {
    let copies = match row.copies {
        0 => String::new(),
        1 => " and 1 copy".to_owned(),
        several => format!(" and {several} copies"),
    };
    let of = |server: &Server| audit::visible::word(&server.slug) + &copies;
    match &row.shown {
        Row::Server(server) => [
            "(server)".to_owned(),
            String::new(),
            of(server),
            gist(server.description.as_deref().unwrap_or_default(), GIST),
        ],
        Row::Tool(shown) => [
            class(&shown.tool),
            audit::visible::word(&shown.tool.name),
            of(&shown.server),
            gist(&shown.tool.description, GIST),
        ],
    }
}
