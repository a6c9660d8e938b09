//! JSON, as a message and as the text of one: what stands in it is judged member by member, so that `content` loses what
//! `structuredContent` loses.

use std::borrow::Cow;

use mcp::json::{self, Token};

use super::invisible::is_invisible;
use super::{Results, Search};

/// How deep JSON may be wrapped in texts of JSON and still be judged member by member. What is wrapped deeper is judged as
/// the text that it is.
const DEEPEST: usize = 3;

/// The names that objects give in a member beside the value's, as in `{"name": "AWS_SECRET_ACCESS_KEY", "value": "…"}`.
#[derive(Debug, Default)]
pub(super) struct Named(Option<(usize, String)>);

impl Named {
    /// The name of the text at `path`: the key of the member that it is, or is an element of; or what stood beside it.
    fn of<'p>(&'p mut self, path: &'p [Cow<'_, str>], text: &str) -> Option<&'p str> {
        let key = path.iter().rev().find(|key| !key.is_empty())?;
        if ["name", "key"].iter().any(|name| key.eq_ignore_ascii_case(name)) {
            self.0 = Some((path.len(), text.to_owned()));
        } else if key.eq_ignore_ascii_case("value")
            && let Some((depth, name)) = &self.0
            && *depth == path.len()
        {
            return Some(name);
        }
        Some(key)
    }
}

impl Results {
    /// What stands in place of a token of JSON; `level` says in how many texts it is wrapped.
    pub(super) fn token(
        &self,
        path: &[Cow<'_, str>],
        token: Token<'_>,
        named: &mut Named,
        level: usize,
        search: &mut Search<'_>,
    ) -> Option<String> {
        match token {
            Token::Key(text) => self.judge(text, None, level, search),
            Token::String(text) => self.judge(text, named.of(path, text), level, search),
            Token::Number(text) => self.number(text, search),
        }
    }

    /// What stands in place of a text that is JSON; `None` where it is none, or stays as it is.
    pub(super) fn document(&self, text: &str, level: usize, search: &mut Search<'_>) -> Option<String> {
        let around = |c: char| c.is_whitespace() || is_invisible(c);
        let from = text.trim_start_matches(around);
        let inner = from.trim_end_matches(around);
        if level >= DEEPEST || !inner.starts_with(['{', '[', '"']) {
            return None;
        }
        let (before, mut named) = (search.edits.clone(), Named::default());
        match json::rewrite(inner, |path, token| self.token(path, token, &mut named, level + 1, search)) {
            Ok(edited) => {
                let start = text.get(..text.len() - from.len())?;
                let end = from.get(inner.len()..)?;
                edited.map(|edited| [start, &edited, end].concat())
            }
            Err(_) => {
                // It only begins like one.
                search.edits = before;
                None
            }
        }
    }
}
