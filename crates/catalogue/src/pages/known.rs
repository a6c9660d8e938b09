//! The tools of a server with their definitions parsed and judged: what the texts of pages are made from.

use policy::Class;
use risk::patterns::Member;
use risk::{Annotations, Assessment, Definition, Severity, assess};
use serde_json::Value;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server, Tool};

use crate::judge::canonical;

/// A tool with its definition parsed.
#[derive(Debug, Clone)]
pub struct Known {
    /// The row.
    pub tool: Tool,
    schema: Option<Value>,
    annotations: Option<Value>,
    /// What it can do: the row's class, with the evidence of this version.
    pub assessment: Assessment,
}

impl Known {
    /// Of a row. What cannot be parsed is as if it were not there.
    #[must_use]
    pub fn of(tool: Tool) -> Self {
        let parsed = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let schema: Option<Value> = parsed(&tool.input_schema);
        let annotations: Option<Value> = parsed(&tool.annotations);
        let mut known = Self { schema, annotations, assessment: unjudged(), tool };
        let mut assessment = assess(&known.definition());
        // A person may have said otherwise; the row has the last word.
        assessment.class = known.tool.judged.class;
        assessment.severity = known.tool.judged.severity;
        assessment.severity_fine = known.tool.judged.severity_fine;
        known.assessment = assessment;
        known
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

fn unjudged() -> Assessment {
    let severity = Severity::of(Class::Unclassified);
    Assessment {
        class: Class::Unclassified,
        severity,
        severity_fine: severity,
        facets: Vec::new(),
        confidence: 0.0,
        evidence: Vec::new(),
    }
}

/// The tools of a server, the most severe first.
///
/// # Errors
/// [`BadDatabase`].
pub async fn known(catalogue: &Catalogue, server: &Server) -> Result<Vec<Known>, BadDatabase> {
    let mut all: Vec<Known> = catalogue.tools_of(server.id).await?.into_iter().map(Known::of).collect();
    all.sort_by(|one, other| {
        let severity = other.assessment.severity_fine.cmp(&one.assessment.severity_fine);
        severity.then_with(|| one.tool.name.cmp(&other.tool.name))
    });
    Ok(all)
}
