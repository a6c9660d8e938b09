//! What a catalogue begins with: well known servers and their tools, each tool with a sentence of our own.
//!
//! Names, packages and parameters are facts of the servers; what a tool can do is judged as any other's, and
//! where we know better we say so, as any person may. A list of the server itself takes the place of the
//! sentences.

use jiff::Timestamp;
use policy::Class;
use serde::Deserialize;
use store::BadDatabase;
use store::catalogue::{Batch, Catalogue, Importing, Override, Visibility};

use crate::entry::ToolLine;
use crate::import::{BadImport, Holds, Input, import_lines};
use crate::lines::Lines;
use crate::overrides::Field;

/// What names these servers and tools.
pub const SOURCE: &str = "toolgate";

/// The servers, a line each, and the tools.
const SERVERS: &str = include_str!("../starter/servers.jsonl");
const TOOLS: &str = include_str!("../starter/tools.jsonl");

/// Whether nothing was ever put into a catalogue but, perhaps, this: who tried to in vain has put nothing in.
///
/// # Errors
/// [`BadDatabase`].
pub async fn is_alone(catalogue: &Catalogue) -> Result<bool, BadDatabase> {
    Ok(catalogue.other_runs(SOURCE).await? == 0 || catalogue.size().await? == (0, 0))
}

/// Imports it, as public.
///
/// # Errors
/// [`BadImport`].
pub async fn import(
    catalogue: &Catalogue,
    _right: &Importing,
    threads: usize,
    now: Timestamp,
) -> Result<(), BadImport> {
    for (text, holds) in [(SERVERS, Holds::Servers), (TOOLS, Holds::Tools)] {
        let word = if holds == Holds::Servers { "servers" } else { "tools" };
        let input =
            Input { run: format!("{SOURCE} {word}"), named: SOURCE.to_owned(), holds, visibility: Visibility::Public };
        let open = |skip| Lines::skipping(Box::new(text.as_bytes()), skip);
        import_lines(catalogue, &input, open, threads, now, &mut |_| {}).await?;
    }
    correct(catalogue, now).await?;
    Ok(())
}

/// A line of a tool that we class otherwise than the program does.
#[derive(Deserialize)]
struct Correction {
    class: Option<String>,
}

/// Puts down what we say of classes.
async fn correct(catalogue: &Catalogue, now: Timestamp) -> Result<(), BadDatabase> {
    let mut batch = Batch::default();
    for (line, class) in corrections() {
        for identity in line.described(SOURCE).identities {
            if let Some(server) = catalogue.server_of(&identity.to_string()).await? {
                batch.said.push(Override {
                    server: server.id,
                    tool: Some(line.name.clone()),
                    field: Field::Class.as_str().to_owned(),
                    value: Some(class.as_str().to_owned()),
                    who: SOURCE.to_owned(),
                    reason: "from its name and arguments, when the list of well known servers was made".to_owned(),
                    at: now,
                });
                break;
            }
        }
    }
    let mut run = catalogue.begin_run(&format!("{SOURCE} classes"), now).await?;
    catalogue.write(&mut run, &batch, now).await?;
    catalogue.end_run(&run, now).await
}

fn corrections() -> impl Iterator<Item = (ToolLine, Class)> {
    TOOLS.lines().filter_map(|text| {
        let class = serde_json::from_str::<Correction>(text).ok()?.class?.parse().ok()?;
        Some((serde_json::from_str(text).ok()?, class))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::entry::ServerLine;
    use crate::judge::{self, Read};

    #[test]
    fn every_tool_is_one_of_a_server_and_has_one_sentence() {
        let identities: BTreeSet<String> = SERVERS
            .lines()
            .map(|line| serde_json::from_str::<ServerLine>(line).unwrap().described(SOURCE).unwrap())
            .flat_map(|server| server.identities)
            .map(|identity| identity.to_string())
            .collect();
        let mut seen = BTreeSet::new();
        for line in TOOLS.lines() {
            let tool: ToolLine = serde_json::from_str(line).unwrap();
            let described = tool.described(SOURCE);
            assert!(described.identities.iter().any(|one| identities.contains(&one.to_string())), "{line}");
            assert_eq!(described.sources, [SOURCE]);
            let sentence = tool.description.unwrap();
            assert!(sentence.ends_with('.') && !sentence.contains(". ") && sentence.len() < 120, "{sentence}");
            assert!(seen.insert((tool.server, tool.name)), "{line}");
            assert!(matches!(judge::tool(line), Read::Entry(_)), "{line}");
        }
        let written = TOOLS.matches("\"class\":").count();
        assert_eq!(corrections().count(), written, "every class that is written is one");
        assert!(seen.len() >= 500 && SERVERS.lines().count() >= 50, "{}", seen.len());
    }
}
