//! What the page of a tool says.

use std::sync::Arc;

use jiff::Timestamp;
use policy::Class;
use risk::Severity;
use risk::prose::{Server as Told, ToolText};
use serde::Serialize;
use serde_json::Value;
use store::BadDatabase;
use store::catalogue::{Catalogue, Server};

use super::family::Families;
use super::kin::{KinPage, kin};
use super::known::Known;
use super::summary::{self, ToolLine, gist};
use crate::address::{server_path, tool_path};
use crate::language::language;

/// The page of a tool.
#[derive(Debug, Clone, Serialize)]
pub struct ToolPage {
    /// The tool in a line.
    #[serde(flatten)]
    pub tool: ToolLine,
    /// The name for people, where the server gives one: text from outside.
    pub title: Option<String>,
    /// The path of its server's page.
    pub server_path: String,
    /// The name of its server, as people say it.
    pub server_name: String,
    /// Who publishes that.
    pub publisher: Option<String>,
    /// The name of the server on the command line.
    pub slug: String,
    /// The language of the description, where it is known.
    pub language: Option<&'static str>,
    /// The schema of its arguments.
    pub input_schema: Option<Value>,
    /// What the server claims of it.
    pub annotations: Option<Value>,
    /// SHA-256 of its definition, in hexadecimal.
    pub digest: String,
    /// The class and severity by our own judgement, where a person says otherwise.
    pub own: Option<Own>,
    /// How sure the class is, 0 to 1.
    pub confidence: f64,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When its definition last changed.
    pub changed: Timestamp,
    /// When a source last named its server.
    pub checked: Timestamp,
    /// What it was before, the latest first.
    pub history: Vec<Before>,
    /// What we say of it.
    pub text: ToolText,
    /// Siblings worth knowing.
    pub related: Vec<Related>,
    /// Servers with the same tools.
    pub kin: Option<KinPage>,
    /// How many tools the server has.
    pub siblings: usize,
}

/// A judgement that a person has overruled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Own {
    /// The class.
    #[serde(serialize_with = "summary::class")]
    pub class: Class,
    /// The severity.
    #[serde(serialize_with = "summary::severity")]
    pub severity: Severity,
}

/// What a tool was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Before {
    /// The digest of its definition, in hexadecimal.
    pub digest: String,
    /// Its class.
    #[serde(serialize_with = "summary::class")]
    pub class: Class,
    /// Until when.
    pub until: Timestamp,
}

/// A sibling, and why it is named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Related {
    /// The sibling.
    #[serde(flatten)]
    pub tool: ToolLine,
    /// Why it is named.
    pub why: String,
}

impl ToolPage {
    /// The page of a tool by its name, in any case; nothing where the server has none of that name.
    ///
    /// # Errors
    /// [`BadDatabase`].
    pub async fn of(
        catalogue: &Catalogue,
        families: &Families,
        server: &Server,
        name: &str,
        shows: impl Fn(&Server) -> bool,
    ) -> Result<Option<Self>, BadDatabase> {
        let family = families.of(catalogue, server).await?;
        let tools = &family.tools;
        let exact = tools.iter().position(|one| one.tool.name == name);
        let same = || tools.iter().position(|one| one.tool.name.to_lowercase() == name.to_lowercase());
        let Some(index) = exact.or_else(same) else { return Ok(None) };
        // What is said of its siblings stands in their rows; its own words are quoted.
        let Some(whole) = tools.get(index).map(|one| one.tool.id) else { return Ok(None) };
        let Some(whole) = catalogue.tool(whole).await? else { return Ok(None) };
        let one = Known::of(whole).judged_anew();
        let mut judged: Vec<_> = tools.iter().map(|one| (one.definition(), one.assessment.clone())).collect();
        if let Some(own) = judged.get_mut(index) {
            *own = (one.definition(), one.assessment.clone());
        }
        let told = Told::named(Arc::clone(&family.names), &judged);
        let Some(text) = told.tool(index) else { return Ok(None) };
        let related = text.related.iter().filter_map(|related| {
            let other = tools.get(related.index)?;
            let line = ToolLine::of(server, &other.tool);
            Some(Related { tool: ToolLine { description: gist(&line.description), ..line }, why: related.why.clone() })
        });
        let history = catalogue.history(one.tool.id).await?;
        let before =
            |past: store::catalogue::Past| Before { digest: hex(&past.digest), class: past.class, until: past.until };
        let parsed = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Ok(Some(Self {
            tool: ToolLine::of(server, &one.tool),
            title: one.tool.title.clone(),
            server_path: server_path(server),
            server_name: told.name().to_owned(),
            publisher: server.publisher.clone(),
            slug: server.slug.clone(),
            language: language(&one.tool.description),
            input_schema: parsed(&one.tool.input_schema),
            annotations: parsed(&one.tool.annotations),
            digest: hex(&one.tool.digest),
            own: one.tool.own.map(|(class, severity)| Own { class, severity }),
            confidence: one.tool.judged.confidence,
            first_seen: one.tool.first_seen,
            changed: one.tool.changed,
            checked: server.last_seen,
            history: history.into_iter().map(before).collect(),
            related: related.collect(),
            kin: kin(catalogue, server, shows).await?,
            siblings: tools.len(),
            text,
        }))
    }

    /// Whether there is too little to say: no description, no schema.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        self.tool.description.trim().is_empty() && self.input_schema.is_none()
    }

    /// The path of the page that shows the whole definition.
    #[must_use]
    pub fn definition_path(&self) -> String {
        format!("{}definition.json", self.tool.path)
    }

    /// The definition as the server lists it.
    #[must_use]
    pub fn definition(&self) -> Value {
        let mut whole = serde_json::Map::new();
        whole.insert("name".to_owned(), self.tool.name.clone().into());
        whole.extend(self.title.clone().map(|title| ("title".to_owned(), title.into())));
        if !self.tool.description.is_empty() {
            whole.insert("description".to_owned(), self.tool.description.clone().into());
        }
        whole.extend(self.input_schema.clone().map(|schema| ("inputSchema".to_owned(), schema)));
        whole.extend(self.annotations.clone().map(|annotations| ("annotations".to_owned(), annotations)));
        Value::Object(whole)
    }
}

/// The path of the page of a tool of a server; for redirects from other spellings.
#[must_use]
pub fn path(server: &Server, page: &ToolPage) -> String {
    tool_path(server, &page.tool.name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
