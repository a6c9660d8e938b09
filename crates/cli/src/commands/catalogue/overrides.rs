//! `toolgate catalogue override` and `overrides`: what people say against the program's judgement.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::process::ExitCode;

use catalogue::entry::visible;
use catalogue::overrides::Field;
use catalogue::show::Meant;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::catalogue::{Catalogue, Override, Server};

use super::settle::{Change, relate};
use super::{one, table};
use crate::args::{OverrideOptions, OverridesOptions};
use crate::commands::scan::json::printed;
use crate::environment::person;
use crate::failure::{Failure, Trying};
use crate::output::{say, text};

/// Puts down what a person says, or takes it back.
pub async fn put(options: &OverrideOptions) -> Result<ExitCode, Failure> {
    let (data, catalogue) = super::open(&options.data).await?;
    let (server, tool) = match one(&catalogue, &options.what).await? {
        Meant::Tool(shown) => (shown.server, Some(shown.tool.name)),
        Meant::Server(server) => (*server, None),
        // `one` has refused the others.
        _ => return Err(Failure::Usage("nothing is named".to_owned())),
    };
    let reason = visible(&options.reason);
    if reason.is_empty() {
        return Err(Failure::Usage("--reason must say why: who reads it later has nothing else".to_owned()));
    }
    let field = options.field;
    let misfit = |error: catalogue::overrides::Misfit| Failure::Usage(error.to_string());
    field.fits(tool.is_some()).map_err(misfit)?;
    let value = match options.revert {
        true => None,
        false => Some(value(&catalogue, field, options.value.as_deref(), &server).await?),
    };
    // Nothing is written beside an import: what it reads and what is said here would be mixed.
    let right = catalogue.importing().trying("the catalogue")?;
    let said = catalogue.overrides(server.id).await.trying("the catalogue")?;
    let standing = said.iter().rev().find(|one| one.tool == tool && one.field == field.as_str());
    if value.is_none() && standing.is_none_or(|one| one.value.is_none()) {
        return Err(Failure::Usage(format!(
            "nobody said anything of {} of {}; there is nothing to take back",
            field.as_str(),
            audit::visible::word(&options.what)
        )));
    }
    let said = Override {
        server: server.id,
        tool,
        field: field.as_str().to_owned(),
        value,
        who: visible(&person()),
        reason,
        at: Timestamp::now(),
    };
    match options.field {
        // Searches find by these.
        Field::Class | Field::Publisher | Field::Visibility | Field::Hidden | Field::Verified => {
            let change = Change::by(right, &catalogue, &data)?;
            catalogue.add_override(&said).await.trying("the catalogue")?;
            change.settle_one(server.id, said.tool.as_deref(), field.tells_servers_apart()).await?;
        }
        Field::Original | Field::NotImpostor => {
            catalogue.add_override(&said).await.trying("the catalogue")?;
            relate(&catalogue).await?;
            drop(right);
        }
    }
    catalogue.close().await;
    let of = match &said.tool {
        Some(tool) => format!("{}/{}", audit::visible::word(&server.slug), audit::visible::word(tool)),
        None => audit::visible::word(&server.slug),
    };
    match &said.value {
        Some(value) => say!(
            "{of}: {} is {} from now on, {} says; `override … --revert` takes it back",
            said.field,
            audit::visible::shown(value),
            audit::visible::shown(&said.who)
        )?,
        None => say!("{of}: {} is what the program says again", said.field)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The value as it is put down.
async fn value(catalogue: &Catalogue, field: Field, asked: Option<&str>, server: &Server) -> Result<String, Failure> {
    let value = field.value(asked).map_err(|error| Failure::Usage(error.to_string()))?;
    if field != Field::Original {
        return Ok(value);
    }
    let Meant::Server(original) = one(catalogue, &value).await? else {
        return Err(Failure::Usage("the original is a server, not a tool".to_owned()));
    };
    let kin = catalogue.forks_of(server.id).await.trying("the catalogue")?;
    if !kin.iter().any(|fork| fork.server == original.id) {
        return Err(Failure::Usage(format!(
            "{} and {} have not the same tools, so neither is a copy of the other",
            audit::visible::word(&server.slug),
            audit::visible::word(&original.slug)
        )));
    }
    Ok(original.slug)
}

/// Lists what people said, and whether it holds.
pub async fn list(options: &OverridesOptions) -> Result<ExitCode, Failure> {
    let (_, catalogue) = super::open(&options.data).await?;
    let said = match &options.server {
        None => catalogue.all_overrides().await.trying("the catalogue")?,
        Some(what) => {
            let (server, tool) = match one(&catalogue, what).await? {
                Meant::Tool(shown) => (shown.server.id, Some(shown.tool.name)),
                Meant::Server(server) => (server.id, None),
                _ => return Ok(ExitCode::SUCCESS),
            };
            let mut said = catalogue.overrides(server).await.trying("the catalogue")?;
            said.retain(|one| tool.is_none() || one.tool == tool);
            said
        }
    };
    let mut slugs: HashMap<i64, String> = HashMap::new();
    for one in &said {
        if let Entry::Vacant(slug) = slugs.entry(one.server) {
            let server = catalogue.server(one.server).await.trying("the catalogue")?;
            slug.insert(server.map(|server| server.slug).unwrap_or_default());
        }
    }
    catalogue.close().await;
    let slug = |one: &Override| slugs.get(&one.server).map(String::as_str).unwrap_or_default();
    if options.json {
        let said: Vec<Value> = (0..).zip(&said).map(|(at, one)| as_json(one, slug(one), holds(&said, at))).collect();
        return text(&(printed(&json!({ "version": 1, "overrides": said })).trying("the answer")? + "\n"))
            .map(|()| ExitCode::SUCCESS);
    }
    if said.is_empty() {
        say!("Nobody has said anything against the program's judgement.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 6]> = (0..)
        .zip(&said)
        .map(|(at, one)| {
            let of = match &one.tool {
                Some(tool) => format!("{}/{}", audit::visible::word(slug(one)), audit::visible::word(tool)),
                None => audit::visible::word(slug(one)),
            };
            let value = match (&one.value, holds(&said, at)) {
                (None, _) => "taken back".to_owned(),
                (Some(value), true) => audit::visible::shown(value),
                (Some(value), false) => format!("{} (until later)", audit::visible::shown(value)),
            };
            [
                format!("{:.0}", one.at),
                audit::visible::shown(&one.who),
                of,
                one.field.clone(),
                value,
                audit::visible::shown(&one.reason),
            ]
        })
        .collect();
    text(&table(["WHEN", "WHO", "OF", "FIELD", "VALUE", "REASON"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(said: &Override, slug: &str, holds: bool) -> Value {
    json!({
        "server": slug, "tool": said.tool, "field": said.field, "value": said.value, "who": said.who,
        "reason": said.reason, "at": said.at.to_string(), "holds": holds,
    })
}

/// Whether a word is the last on its field, and takes nothing back.
fn holds(said: &[Override], at: usize) -> bool {
    let Some(one) = said.get(at) else { return false };
    let later = said.iter().skip(at + 1);
    let mut later =
        later.filter(|other| other.server == one.server && other.tool == one.tool && other.field == one.field);
    one.value.is_some() && later.next().is_none()
}
