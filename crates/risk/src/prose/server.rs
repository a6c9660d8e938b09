//! The sentence at the head of a server's page.

use policy::Class;
use serde::Serialize;

use super::grammar::listed;
use super::title;
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::facet::Facet;

/// What is said of a server as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct ServerText {
    /// What it is called, without "MCP Server".
    pub name: String,
    /// What its tools can do, in a sentence.
    pub verdict: String,
}

impl ServerText {
    /// Of a server by the name that it is known under, and all its tools with what each can do.
    #[must_use]
    pub fn of(name: &str, tools: &[(Definition<'_>, Assessment)]) -> ServerText {
        ServerText { name: title::server(name), verdict: verdict(tools) }
    }
}

/// The verdict on the tools of a server.
fn verdict(tools: &[(Definition<'_>, Assessment)]) -> String {
    if tools.is_empty() {
        return "No tool of it is known yet, so nothing is promised.".to_owned();
    }
    let of = |class: Class| tools.iter().filter(|(_, one)| one.class == class).count();
    let classes: Vec<String> = Class::ALL
        .into_iter()
        .map(|class| (class, of(class)))
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| format!("{count} {}", class.as_str()))
        .collect();
    let all = match tools.len() {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    };
    let with = |test: &dyn Fn(&Assessment) -> bool| tools.iter().filter(|(_, one)| test(one)).count();
    let has = |facet: Facet| with(&|one| one.facets.contains(&facet));
    let lasting = with(&|one| one.class == Class::Destructive || one.facets.contains(&Facet::Irreversible));
    let mut says: Vec<String> = Vec::new();
    let mut can = |count: usize, what: &str| {
        if count > 0 {
            says.push(format!("{count} can {what}"));
        }
    };
    can(has(Facet::SendsExternal), "send data outside");
    can(has(Facet::RunsCode), "run code or free queries");
    can(with(&|one| one.class == Class::Financial || one.facets.contains(&Facet::SpendsMoney)), "spend money");
    let last = match lasting {
        0 => "nothing is irreversible".to_owned(),
        count => format!("{count} {} what cannot be undone", if count == 1 { "does" } else { "do" }),
    };
    let more = if says.is_empty() { last } else { format!("{}; {last}", listed(&says, "and")) };
    format!("{all}: {}; {more}.", classes.join(", "))
}
