//! What may come back: secrets are marked, invisible characters stripped, sizes capped.
//!
//! A message is judged string by string, escapes undone and without what nobody sees, so that neither hides a secret.
//! What is not replaced keeps every byte. What a mark says is the name of the shape that was found, never the value.

mod card;
mod detector;
mod document;
mod find;
mod handle;
mod invisible;
mod own;
mod private_key;
mod shape;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::document::Named;
use self::own::Patience;
use crate::rule_id::RuleId;
use mcp::json;

pub use self::detector::Detector;
pub use self::handle::Part;
pub(crate) use self::own::Own;
pub(crate) use self::shape::names;

/// Least value of `max_bytes`: what stands in place of a result has room in it.
pub const LEAST_CAP: u64 = 1024;
/// Greatest value of `max_bytes`: the gateway takes no longer message from a server.
pub const GREATEST_CAP: u64 = 32 * 1024 * 1024;
/// How many bytes a match of an own pattern may have at most, so that a text can be searched in stretches.
pub const LONGEST_MATCH: usize = 1024;
/// How many entries `redact` may have.
pub const MOST_ENTRIES: usize = 64;

/// The largest result that passes.
#[derive(Debug, Clone)]
pub struct Cap {
    /// In bytes, as the server wrote it.
    pub bytes: u64,
    /// The line that says so.
    pub rule: Arc<RuleId>,
}

/// The section `results` of a policy.
#[derive(Debug, Default)]
pub struct Results {
    pub(crate) cap: Option<Cap>,
    pub(crate) detectors: Vec<Detector>,
    pub(crate) own: Vec<Own>,
    pub(crate) strip_invisible: bool,
    pub(crate) observed: bool,
}

/// What was done to what came back, or would have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// How often which secret was found, by the name that its mark has.
    pub redacted: BTreeMap<String, u64>,
    /// How many invisible characters were taken out.
    pub stripped: u64,
    /// The pattern that searching took too long for. Only of what is observed: otherwise it is an error.
    pub late: Option<String>,
}

impl Edits {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.redacted.is_empty() && self.stripped == 0 && self.late.is_none()
    }
}

/// A message that was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What goes on in its place; `None` where it goes on as it is.
    pub text: Option<String>,
    /// What was found.
    pub edits: Edits,
}

/// Why a message could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unjudged {
    /// It is not strict JSON.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// Searching took longer than there was time for.
    #[error("searching it for the policy's pattern `{pattern}` takes too long")]
    Late {
        /// The pattern that was searched for when the time was over.
        pattern: String,
    },
}

/// One message that is being judged.
struct Search<'t> {
    edits: Edits,
    patience: Patience<'t>,
}

impl<'t> Search<'t> {
    fn new(in_time: &'t dyn Fn() -> bool) -> Self {
        Self { edits: Edits::default(), patience: Patience::new(in_time) }
    }
}

impl Results {
    /// The cap, if the policy has one.
    #[must_use]
    pub fn cap(&self) -> Option<&Cap> {
        self.cap.as_ref()
    }

    /// Whether it only says what it would do.
    #[must_use]
    pub fn is_observe(&self) -> bool {
        self.observed
    }

    /// Judges a whole JSON-RPC message; `part` says which of it is looked into, and `in_time`, asked now and then, whether
    /// there is time left to search for patterns of the policy's own. (The build's own detectors take one pass.)
    ///
    /// # Errors
    /// [`Unjudged`]: then nothing of it may go on. Where it only says what it would do, time that ran out is no error but
    /// [`Edits::late`].
    pub fn clean(&self, raw: &str, part: Part, in_time: &dyn Fn() -> bool) -> Result<Cleaned, Unjudged> {
        if self.is_plain(raw) {
            return Ok(Cleaned::default());
        }
        let (mut search, mut named) = (Search::new(in_time), Named::default());
        let text = json::rewrite(raw, |path, token| {
            if !part.covers(path, token) {
                return None;
            }
            self.token(path, token, &mut named, 0, &mut search)
        })?;
        match search.patience.ended_by() {
            Some(pattern) if !self.observed => Err(Unjudged::Late { pattern }),
            late => {
                let edits = Edits { late, ..search.edits };
                Ok(Cleaned { text: text.filter(|_| !self.observed), edits })
            }
        }
    }

    /// Judges a text that stands in no message, such as a sentence with a server's words in it; `None` where it stays.
    ///
    /// # Errors
    /// [`Unjudged::Late`], as [`Results::clean`].
    pub fn clean_text(&self, text: &str, in_time: &dyn Fn() -> bool) -> Result<Option<String>, Unjudged> {
        let mut search = Search::new(in_time);
        let edited = self.judge(text, None, 0, &mut search);
        match search.patience.ended_by() {
            Some(pattern) if !self.observed => Err(Unjudged::Late { pattern }),
            _ => Ok(edited.filter(|_| !self.observed)),
        }
    }

    /// In words, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut said = Vec::new();
        if let Some(cap) = &self.cap {
            said.push(format!("at most {} bytes", cap.bytes));
        }
        let names: Vec<&str> = self
            .detectors
            .iter()
            .map(|found| found.as_str())
            .chain(self.own.iter().map(|own| own.name.as_str()))
            .collect();
        if !names.is_empty() {
            said.push(format!("redacts {}", names.join(", ")));
        }
        if self.strip_invisible {
            said.push("strips invisible characters".to_owned());
        }
        if said.is_empty() {
            said.push("pass as they are".to_owned());
        }
        if self.observed {
            said.push("observed only".to_owned());
        }
        said.join("; ")
    }

    /// Whether a look at the raw bytes shows that nothing can be found in them, as in most messages.
    fn is_plain(&self, raw: &str) -> bool {
        let hides = |byte: &u8| !byte.is_ascii() || *byte == 0x7f;
        self.own.is_empty()
            && !raw.as_bytes().iter().any(hides)
            && !find::has_odd_escapes(raw)
            && !find::suspects(raw, &self.detectors).any()
    }
}

#[cfg(test)]
mod tests;
