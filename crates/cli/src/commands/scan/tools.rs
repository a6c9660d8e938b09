//! The tools of one server as they were listed, whole.

use gateway::tools::{BadList, ListBuilder, ListBytes};
use risk::Definition;
use serde_json::Value;

/// The most bytes of all pages of one list. A page is bounded by the transport, and there may be a thousand.
const MAX_BYTES: usize = 64 << 20;

/// A definition that owns its texts.
#[derive(Debug, Clone)]
pub struct Tool {
    /// The name.
    pub name: String,
    /// SHA-256 of the definition in canonical form, as hexadecimal digits.
    pub digest: String,
    /// The definition in canonical form.
    pub canonical: String,
    value: Value,
}

impl Tool {
    /// Reads one definition as a server sent it.
    fn read(raw: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(raw).ok()?;
        let canonical = mcp::canonical::text(raw).ok()?;
        let name = value.get("name")?.as_str()?.to_owned();
        Some(Self { name, digest: digest(canonical.as_bytes()), canonical, value })
    }

    /// As the classifier reads it, and as the gateway does when it judges a call.
    pub fn definition(&self) -> Definition<'_> {
        Definition::of(&self.value)
    }

    /// The input schema, in canonical form.
    pub fn schema(&self) -> Option<&str> {
        mcp::json::locate(&self.canonical, &["inputSchema"]).ok()?.map(|span| span.of(&self.canonical))
    }
}

/// SHA-256 as hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    gateway::hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

/// A list under construction, page by page, within the bounds of the gateway: what it would refuse
/// to serve is refused here in the same words.
#[derive(Debug)]
pub struct Collector {
    bounds: ListBuilder,
    bytes: usize,
    tools: Vec<Tool>,
    unreadable: usize,
}

impl Default for Collector {
    fn default() -> Self {
        let bounds = ListBuilder::within(ListBytes::UNBOUNDED);
        Self { bounds, bytes: 0, tools: Vec::new(), unreadable: 0 }
    }
}

impl Collector {
    /// Adds the `result` of one `tools/list` and gives the cursor of the next page.
    ///
    /// # Errors
    /// A sentence, for a page that cannot be read or believed.
    pub fn add(&mut self, result: &str) -> Result<Option<String>, String> {
        self.bytes = self.bytes.saturating_add(result.len());
        if self.bytes > MAX_BYTES {
            return Err(format!("the server's tool list is longer than {} MiB", MAX_BYTES >> 20));
        }
        let next = self.bounds.add(result).map_err(|error| match error {
            BadList::Twice(name) => format!("the server lists two tools named {}", audit::visible::word(&name)),
            other => other.to_string(),
        })?;
        let page = mcp::result::tools(result).map_err(|error| error.to_string())?;
        self.unreadable += page.unreadable;
        for entry in &page.entries {
            match Tool::read(entry.raw) {
                Some(tool) => self.tools.push(tool),
                None => self.unreadable += 1,
            }
        }
        Ok(next)
    }

    /// The tools in the server's order, and how many entries were no readable definition.
    pub fn finish(self) -> (Vec<Tool>, usize) {
        (self.tools, self.unreadable)
    }
}
