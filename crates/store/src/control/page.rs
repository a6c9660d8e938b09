//! Pages of long lists: what comes after the last one seen, and no more than asked for.

use audit::Id;

use super::BadControl;

/// The longest page.
pub const LONGEST: u32 = 1_000;

/// Which part of a list is wanted. Lists are in the order of their ids, which is that of making.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only what comes after this one.
    pub after: Option<Id>,
    /// At most so many, up to [`LONGEST`].
    pub limit: u32,
}

impl Page {
    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    pub(super) fn after(self) -> String {
        self.after.map(|id| id.to_string()).unwrap_or_default()
    }

    pub(super) fn limit(self) -> i64 {
        i64::from(self.limit.clamp(1, LONGEST))
    }
}

/// An identifier of a row.
pub(super) fn id(text: &str) -> Result<Id, BadControl> {
    text.parse().map_err(|_| BadControl::Value("an identifier"))
}

/// An identifier that a row may have.
pub(super) fn some_id(text: Option<&str>) -> Result<Option<Id>, BadControl> {
    text.map(id).transpose()
}

/// JSON of a row.
pub(super) fn json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, BadControl> {
    serde_json::from_str(text).map_err(|_| BadControl::Value(what))
}

/// JSON for a row.
pub(super) fn text<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, BadControl> {
    serde_json::to_string(value).map_err(|_| BadControl::Value(what))
}
