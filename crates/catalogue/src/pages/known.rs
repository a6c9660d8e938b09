//! The tools of a server with their definitions parsed: what the texts of pages are made from.

use risk::patterns::Member;
use risk::{Annotations, Assessment, Definition, Evidence, Place, assess};
use serde_json::Value;
use store::BadDatabase;
use store::catalogue::{Catalogue, Judgement, Quote, Server, Tool};

use crate::judge::canonical;

/// A tool with its definition parsed.
#[derive(Debug, Clone)]
pub struct Known {
    /// The row.
    pub tool: Tool,
    schema: Option<Value>,
    annotations: Option<Value>,
    /// What it can do.
    pub assessment: Assessment,
}

impl Known {
    /// Of a row, as it was judged when it was written. What cannot be parsed is as if it were not there.
    #[must_use]
    pub fn of(tool: Tool) -> Self {
        let parsed = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let schema: Option<Value> = parsed(&tool.input_schema);
        let annotations: Option<Value> = parsed(&tool.annotations);
        Self { schema, annotations, assessment: assessment(&tool.judged), tool }
    }

    /// Judged by this version: its evidence stands where it says. A person may have said otherwise of the class; the
    /// row has the last word on that.
    #[must_use]
    pub fn judged_anew(mut self) -> Self {
        let judged = assess(&self.definition());
        let Assessment { class, severity, severity_fine, .. } = self.assessment;
        self.assessment = Assessment { class, severity, severity_fine, ..judged };
        self
    }

    /// The definition.
    #[must_use]
    pub fn definition(&self) -> Definition<'_> {
        Definition {
            name: &self.tool.name,
            title: self.tool.title.as_deref().unwrap_or_default(),
            description: &self.tool.description,
            schema: self.schema.as_ref(),
            annotations: self.annotations.as_ref().map(Annotations::of).unwrap_or_default(),
            whole: None,
        }
    }

    /// How many bytes its definition has as clients pass it to a model: canonical JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tool = &self.tool;
        let (schema, annotations) = (self.schema.as_ref(), self.annotations.as_ref());
        canonical(&tool.name, tool.title.as_deref(), &tool.description, schema, annotations)
            .map_or(0, |text| text.len())
    }

    /// The tool as one of a stack.
    #[must_use]
    pub fn member<'a>(&'a self, server: &'a str) -> Member<'a> {
        Member { server, definition: self.definition(), assessment: &self.assessment }
    }
}

/// The judgement of a row.
fn assessment(judged: &Judgement) -> Assessment {
    let evidence =
        |quote: &Quote| Evidence { place: place(&quote.place), text: quote.text.clone(), weight: quote.weight };
    #[expect(clippy::cast_possible_truncation, reason = "it was one of 32 bits when it was written")]
    let confidence = judged.confidence as f32;
    Assessment {
        class: judged.class,
        severity: judged.severity,
        severity_fine: judged.severity_fine,
        facets: judged.facets.clone(),
        confidence,
        evidence: judged.evidence.iter().map(evidence).collect(),
    }
}

/// A place from how it is written; what is no stretch of a text is an argument.
fn place(path: &str) -> Place {
    let stretch = || {
        let (field, rest) = path.split_once('[')?;
        let (start, end) = rest.strip_suffix(']')?.split_once("..")?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        match field {
            "name" => Some(Place::Name(start, end)),
            "title" => Some(Place::Title(start, end)),
            "description" => Some(Place::Description(start, end)),
            _ => None,
        }
    };
    stretch().unwrap_or_else(|| Place::Parameter(path.trim_start_matches("inputSchema.").to_owned()))
}

/// The tools of a server, the most severe first; without the evidence for what each can do.
///
/// # Errors
/// [`BadDatabase`].
pub async fn known(catalogue: &Catalogue, server: &Server) -> Result<Vec<Known>, BadDatabase> {
    Ok(in_order(catalogue.definitions_of(server.id).await?))
}

/// The same, with no more of each than says which of them belong together.
///
/// # Errors
/// [`BadDatabase`].
pub(super) async fn siblings(catalogue: &Catalogue, server: &Server) -> Result<Vec<Known>, BadDatabase> {
    Ok(in_order(catalogue.siblings_of(server.id).await?))
}

fn in_order(tools: Vec<Tool>) -> Vec<Known> {
    let mut all: Vec<Known> = tools.into_iter().map(Known::of).collect();
    all.sort_by(|one, other| {
        let severity = other.assessment.severity_fine.cmp(&one.assessment.severity_fine);
        severity.then_with(|| one.tool.name.cmp(&other.tool.name))
    });
    all
}
