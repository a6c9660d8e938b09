//! What the names of a server's tools say, read once for all of them.

use std::collections::HashMap;

use super::gist::{Gist, prefixes};
use super::title;
use crate::assess::Assessment;
use crate::definition::Definition;

/// What the names of a server's tools say: what each does, with what, and which act on the same thing. To read them
/// is most of the work for a page of a server with many tools, and they borrow nothing, so they can be kept.
#[derive(Debug)]
pub struct Names {
    /// The name of the server, as people say it.
    pub(super) server: String,
    /// For each tool.
    pub(super) gists: Vec<Gist>,
    /// The thing of each, as it is compared; empty where it is not known.
    pub(super) things: Vec<String>,
    /// By the last word of the thing.
    by_thing: HashMap<String, Vec<usize>>,
}

impl Names {
    /// Those of a server by the name that it is known under, and all its tools.
    #[must_use]
    pub fn of(server: &str, tools: &[(Definition<'_>, Assessment)]) -> Names {
        let server = title::server(server);
        let names: Vec<&str> = tools.iter().map(|(definition, _)| definition.name).collect();
        let gists: Vec<Gist> = tools
            .iter()
            .zip(prefixes(&server, &names))
            .map(|((definition, assessment), prefix)| {
                let mut gist = Gist::of(definition, assessment, prefix);
                if gist.thing.key() == server.to_lowercase() {
                    gist.thing.forget();
                }
                gist
            })
            .collect();
        let things: Vec<String> = gists.iter().map(|gist| gist.thing.key()).collect();
        let mut by_thing: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, thing) in things.iter().enumerate() {
            if let Some(last) = last_word(thing) {
                by_thing.entry(last.to_owned()).or_default().push(index);
            }
        }
        Names { server, gists, things, by_thing }
    }

    /// The thing of a tool.
    pub(super) fn thing(&self, index: usize) -> &str {
        self.things.get(index).map(String::as_str).unwrap_or_default()
    }

    /// The tools whose thing ends with the last word of this one.
    pub(super) fn akin(&self, thing: &str) -> &[usize] {
        last_word(thing).and_then(|last| self.by_thing.get(last)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn last_word(thing: &str) -> Option<&str> {
    thing.rsplit(' ').next().filter(|word| !word.is_empty())
}
