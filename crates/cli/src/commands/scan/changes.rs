//! What has changed since the last scan of the same source.
//!
//! A server that was harmless when it was looked at can define its tools anew at any time. What is
//! kept to notice that is names, digests and classes: no text of a server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The form in which scans are kept.
const FORMAT: u32 = 1;

/// A scan as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// [`FORMAT`].
    format: u32,
    /// When it was made.
    pub at: jiff::Timestamp,
    /// The version of Toolgate that judged.
    pub version: String,
    /// The tools by name.
    pub tools: BTreeMap<String, KeptTool>,
}

/// A tool as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTool {
    /// The digest of its definition.
    pub digest: String,
    /// Its class.
    pub class: String,
}

impl Kept {
    /// A scan of now.
    pub fn new(at: jiff::Timestamp, tools: BTreeMap<String, KeptTool>) -> Self {
        Self { format: FORMAT, at, version: env!("CARGO_PKG_VERSION").to_owned(), tools }
    }

    /// Reads what was kept; `None` for what is of another form.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|kept: &Self| kept.format == FORMAT)
    }
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// When the last scan was made.
    pub since: jiff::Timestamp,
    /// Each change, by tool name.
    pub tools: Vec<Change>,
}

/// One tool that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub tool: String,
    /// What became of it.
    pub kind: Kind,
    /// Its class before, unless it is new.
    pub before: Option<String>,
    /// Its class now, unless it is gone.
    pub after: Option<String>,
}

/// What became of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It was not there.
    New,
    /// It is not there any more.
    Gone,
    /// Its definition is another.
    Changed,
    /// Its definition is the same, and this version of Toolgate judges it otherwise.
    Rejudged,
}

impl Kind {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Rejudged => "rejudged",
        }
    }
}

/// Compares two scans.
pub fn compare(before: &Kept, after: &Kept) -> Changes {
    let mut tools = Vec::new();
    for (name, now) in &after.tools {
        let then = before.tools.get(name);
        let kind = match then {
            None => Kind::New,
            Some(then) if then.digest != now.digest => Kind::Changed,
            Some(then) if then.class != now.class => Kind::Rejudged,
            Some(_) => continue,
        };
        let before = then.map(|then| then.class.clone());
        tools.push(Change { tool: name.clone(), kind, before, after: Some(now.class.clone()) });
    }
    for (name, then) in before.tools.iter().filter(|(name, _)| !after.tools.contains_key(*name)) {
        tools.push(Change { tool: name.clone(), kind: Kind::Gone, before: Some(then.class.clone()), after: None });
    }
    tools.sort_by(|one, other| one.tool.cmp(&other.tool));
    Changes { since: before.at, tools }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(tools: &[(&str, &str, &str)]) -> Kept {
        let tool = |digest: &str, class: &str| KeptTool { digest: digest.into(), class: class.into() };
        let tools = tools.iter().map(|(name, digest, class)| ((*name).to_owned(), tool(digest, class))).collect();
        Kept::new(jiff::Timestamp::UNIX_EPOCH, tools)
    }

    #[test]
    fn every_kind_of_change_is_told() {
        let before = kept(&[
            ("same", "1", "read"),
            ("goes", "2", "read"),
            ("turns", "3", "read"),
            ("words", "4", "write"),
            ("judged", "5", "read"),
        ]);
        let after = kept(&[
            ("same", "1", "read"),
            ("comes", "9", "write"),
            ("turns", "8", "destructive"),
            ("words", "7", "write"),
            ("judged", "5", "write"),
        ]);
        let told: Vec<_> = compare(&before, &after)
            .tools
            .into_iter()
            .map(|change| {
                (change.tool, change.kind.as_str(), change.before.unwrap_or_default(), change.after.unwrap_or_default())
            })
            .collect();
        let expected = [
            ("comes", "new", "", "write"),
            ("goes", "gone", "read", ""),
            ("judged", "rejudged", "read", "write"),
            ("turns", "changed", "read", "destructive"),
            ("words", "changed", "write", "write"),
        ];
        assert_eq!(told, expected.map(|(a, b, c, d)| (a.to_owned(), b, c.to_owned(), d.to_owned())));
        assert!(compare(&after, &after).tools.is_empty());
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let one = kept(&[("a", "1", "read")]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(Kept::read(&text), Some(one));
        assert_eq!(Kept::read(&text.replace("\"format\":1", "\"format\":9")), None);
        assert_eq!(Kept::read("x"), None);
    }
}
