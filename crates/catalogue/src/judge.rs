//! Judging the lines of a file of tools, on several threads.

use aws_lc_rs::digest::{SHA256, digest};
use risk::{Annotations, Assessment, Definition, assess};
use serde_json::{Map, Value};
use store::catalogue::{Judgement, Quote, ToolEntry};

use crate::entry::ToolLine;
use crate::junk::{Candidate, Junk, junk};

/// A line of a file.
#[derive(Debug)]
pub(crate) enum Read<T> {
    /// It holds an entry.
    Entry(T),
    /// What it holds is no tool.
    Refused { name: String, why: Junk },
    /// It cannot be read.
    Broken(String),
}

/// A tool whose server is still to be found; the number in `entry` is not filled in.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What the line says of the server.
    pub(crate) line: ToolLine,
    /// The tool.
    pub(crate) entry: ToolEntry,
}

/// Reads and judges one line.
pub(crate) fn tool(text: &str) -> Read<Judged> {
    let mut line: ToolLine = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return Read::Broken(reason(&error)),
    };
    if line.server.trim().is_empty() {
        return Read::Broken("a tool without a server".to_owned());
    }
    let schema = line.input_schema.take().filter(Value::is_object);
    let annotations = line.annotations.take().filter(|value| value.as_object().is_some_and(|map| !map.is_empty()));
    let description = line.description.take().unwrap_or_default();
    let candidate = Candidate {
        name: &line.name,
        description: &description,
        has_schema: schema.is_some(),
        path: line.path.as_deref(),
    };
    if let Some(why) = junk(&candidate) {
        return Read::Refused { name: line.name, why };
    }
    let title = line.title.take().filter(|title| !title.trim().is_empty());
    let judged = assess(&Definition {
        name: &line.name,
        title: title.as_deref().unwrap_or_default(),
        description: &description,
        schema: schema.as_ref(),
        annotations: annotations.as_ref().map(Annotations::of).unwrap_or_default(),
        whole: None,
    });
    let Some(digest) = digest_of(&line.name, title.as_deref(), &description, schema.as_ref(), annotations.as_ref())
    else {
        return Read::Broken("a definition that has no canonical form".to_owned());
    };
    let entry = ToolEntry {
        server: 0,
        name: line.name.clone(),
        title,
        description,
        input_schema: schema.map(|schema| schema.to_string()),
        annotations: annotations.map(|annotations| annotations.to_string()),
        digest,
        judged: judgement(&judged),
    };
    Read::Entry(Judged { line, entry })
}

/// Why a line is not what it should be. Its number is said elsewhere: what counts here is the column.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// The digest of a definition as its server would list it.
fn digest_of(
    name: &str,
    title: Option<&str>,
    description: &str,
    schema: Option<&Value>,
    annotations: Option<&Value>,
) -> Option<[u8; 32]> {
    let canonical = canonical(name, title, description, schema, annotations)?;
    digest(&SHA256, canonical.as_bytes()).as_ref().try_into().ok()
}

/// A definition as its server would list it, in canonical form.
pub(crate) fn canonical(
    name: &str,
    title: Option<&str>,
    description: &str,
    schema: Option<&Value>,
    annotations: Option<&Value>,
) -> Option<String> {
    let mut whole = Map::new();
    whole.insert("name".to_owned(), name.into());
    whole.extend(title.map(|title| ("title".to_owned(), title.into())));
    if !description.is_empty() {
        whole.insert("description".to_owned(), description.into());
    }
    whole.extend(schema.map(|schema| ("inputSchema".to_owned(), schema.clone())));
    whole.extend(annotations.map(|annotations| ("annotations".to_owned(), annotations.clone())));
    mcp::canonical::text(&Value::Object(whole).to_string()).ok()
}

fn judgement(judged: &Assessment) -> Judgement {
    let quote = |one: &risk::Evidence| Quote { place: one.place.path(), text: one.text.clone(), weight: one.weight };
    Judgement {
        class: judged.class,
        severity: judged.severity,
        severity_fine: judged.severity_fine,
        facets: judged.facets.clone(),
        confidence: f64::from(judged.confidence),
        evidence: judged.evidence.iter().map(quote).collect(),
    }
}

/// Applies a function to every item, on so many threads, in their order.
pub(crate) fn on_threads<T: Sync, R: Send>(threads: usize, items: &[T], apply: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            items.chunks(share).map(|part| scope.spawn(|| part.iter().map(&apply).collect::<Vec<R>>())).collect();
        let joined = parts.into_iter().map(|part| match part.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    })
}
