//! What a page says of a tool, in sentences: pure functions from a definition and its assessment to plain text.
//!
//! The sentences are made of the tool's own name, arguments and siblings. Whatever a server wrote stands in fields
//! of its own (`foreign`, `quote`), or in a sentence as a name, quoted, with every character that cannot be seen written out.
//!
//! ```
//! use risk::prose::Server;
//! use risk::{Definition, assess};
//!
//! let create = Definition { name: "create_lead", description: "Creates a lead", ..Definition::default() };
//! let delete = Definition { name: "delete_lead", description: "Deletes a lead", ..Definition::default() };
//! let tools = [create, delete].map(|tool| (tool, assess(&tool)));
//! let server = Server::new("Kommo CRM MCP Server", &tools);
//! let text = server.tool(0).unwrap();
//! assert_eq!(text.lead, "Creates a lead in Kommo CRM.");
//! assert!(text.why.contains("`delete_lead` takes it back"));
//! ```

mod act;
mod arguments;
mod evidence;
mod example;
mod gist;
pub mod grammar;
mod harm;
mod language;
mod lead;
mod names;
mod notes;
mod questions;
mod role;
mod samples;
mod server;
mod siblings;
mod spoken;
mod thing;
pub mod title;
mod told;
mod variants;
mod what;
mod why;

pub use arguments::ArgumentText;
pub use evidence::EvidenceText;
pub use names::Names;
pub use questions::QuestionText;
pub use samples::{AgentText, Sample};
pub use server::ServerText;
pub use siblings::{RelatedText, Relation};
pub use variants::{ClauseText, Variant, VariantKind};

use std::sync::Arc;

use serde::Serialize;

use self::siblings::Siblings;
use self::told::Told;
use crate::assess::Assessment;
use crate::definition::Definition;
use crate::findings::shown_to;
use crate::patterns::of_tool;

/// What a page says of a tool, in the order of the page.
#[derive(Clone, Debug, Serialize)]
pub struct ToolText {
    /// What a call does, in at most 25 words.
    pub lead: String,
    /// What it takes, gives and changes, and what the server declares of that.
    pub what: String,
    /// The arguments, those within objects behind the object.
    pub arguments: Vec<ArgumentText>,
    /// How many arguments more there are.
    pub more_arguments: usize,
    /// What goes wrong, how it is put right, and how sure we are.
    pub why: String,
    /// The words that decided the class.
    pub evidence: Vec<EvidenceText>,
    /// Policies for this tool; none where no policy can name it.
    pub variants: Vec<Variant>,
    /// Calls, and what becomes of each under the recommended rule.
    pub samples: Vec<Sample>,
    /// What the agent reads when it is stopped.
    pub agent_sees: Vec<AgentText>,
    /// The attack patterns that concern it.
    pub attacks: Vec<AttackText>,
    /// The siblings worth knowing.
    pub related: Vec<RelatedText>,
    /// What is asked about it.
    pub questions: Vec<QuestionText>,
}

/// An attack pattern that concerns a tool.
#[derive(Clone, Debug, Serialize)]
pub struct AttackText {
    /// The pattern's name in addresses.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Why it concerns this tool.
    pub why: String,
}

/// A server, ready to be written about.
pub struct Server<'a> {
    siblings: Siblings<'a>,
}

impl<'a> Server<'a> {
    /// A server by the name that it is known under, and all its tools with what each can do.
    #[must_use]
    pub fn new(name: &str, tools: &'a [(Definition<'a>, Assessment)]) -> Server<'a> {
        Server::named(Arc::new(Names::of(name, tools)), tools)
    }

    /// A server whose [`Names`] were read before: of the same tools, in the same order.
    #[must_use]
    pub fn named(names: Arc<Names>, tools: &'a [(Definition<'a>, Assessment)]) -> Server<'a> {
        Server { siblings: Siblings { tools, names } }
    }

    /// What it is called, without "MCP Server".
    #[must_use]
    pub fn name(&self) -> &str {
        &self.siblings.names.server
    }

    /// What is said of one tool, by its place among them.
    #[must_use]
    pub fn tool(&self, index: usize) -> Option<ToolText> {
        let (definition, assessment) = self.siblings.tools.get(index)?;
        let gist = self.siblings.gist(index)?;
        let (mut arguments, more_arguments) = arguments::arguments(definition, assessment);
        let told = Told {
            definition,
            assessment,
            gist,
            arguments: &arguments,
            more: more_arguments,
            server: self.name(),
            siblings: &self.siblings,
            index,
        };
        let related = self.siblings.related(index);
        let variants = variants::variants(&told);
        let samples = samples::samples(&told, &variants);
        let agent_sees = samples::agent_sees(&told, &variants, &samples);
        let (lead, what, why) = (lead::lead(&told), what::what(&told), why::why(&told));
        let (evidence, questions) = (evidence::evidence(&told), questions::questions(&told, &related));
        let notes: Vec<Option<String>> = arguments.iter().map(|argument| notes::note(&told, argument)).collect();
        for (argument, note) in arguments.iter_mut().zip(notes) {
            argument.note = note;
        }
        let attacks = of_tool(definition, assessment)
            .into_iter()
            .map(|found| AttackText { id: found.pattern.id, title: found.pattern.title, why: found.why })
            .collect();
        Some(ToolText {
            lead,
            what,
            arguments,
            more_arguments,
            why,
            evidence,
            variants,
            samples,
            agent_sees,
            attacks,
            related,
            questions,
        })
    }
}

/// A stranger's text as it is shown: what cannot be seen is written out, and it is not long.
fn plain(text: &str, most: usize) -> String {
    shown_to(text, most)
}

/// A stranger's name in a sentence of ours.
fn code(name: &str) -> String {
    format!("`{}`", plain(name, 100).replace('`', "'"))
}
