//! The grammar of paths.

use mcp::json;

use super::{ContextKey, PathError, Root, Step};
use crate::suggest::nearest;

/// The longest path, in bytes.
const MAX_BYTES: usize = 1024;
/// The most steps of a path: as deep as arguments may be.
const MAX_STEPS: usize = json::MAX_DEPTH;

/// The facts that have no key of their own.
const FACTS: [(&str, ContextKey); 11] = [
    ("grant.label", ContextKey::GrantLabel),
    ("grant.owner", ContextKey::GrantOwner),
    ("agent.label", ContextKey::AgentLabel),
    ("server.name", ContextKey::ServerName),
    ("tool.name", ContextKey::ToolName),
    ("tool.class", ContextKey::ToolClass),
    ("session.id", ContextKey::SessionId),
    ("client.ip", ContextKey::ClientIp),
    ("time.now", ContextKey::TimeNow),
    ("time.hour", ContextKey::TimeHour),
    ("time.weekday", ContextKey::TimeWeekday),
];

const ROOTS: [&str; 8] = ["args", "item", "grant", "agent", "server", "tool", "session", "client"];

pub(super) fn parse(text: &str) -> Result<(Root, Vec<Step>), PathError> {
    if text.len() > MAX_BYTES {
        return Err(plain(format!("a path has at most {MAX_BYTES} bytes, this one has {}", text.len())));
    }
    if let Some((_, key)) = FACTS.into_iter().find(|(name, _)| *name == text) {
        return Ok((Root::Context(key), Vec::new()));
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (root, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    match root {
        "args" => Ok((Root::Args, steps(text, rest)?)),
        "item" => Ok((Root::Item, steps(text, rest)?)),
        "grant" => match rest.strip_prefix(".tags") {
            Some(tag) => match steps(text, tag)?.as_slice() {
                [Step::Key(key)] => Ok((Root::Context(ContextKey::GrantTag(key.clone())), Vec::new())),
                _ => Err(PathError {
                    message: format!("`{text}` does not name one tag"),
                    help: Some("write `grant.tags.team` or `grant.tags[\"any key\"]`".to_owned()),
                    suggestion: None,
                }),
            },
            None => Err(unknown(text, root)),
        },
        _ => Err(unknown(text, root)),
    }
}

fn steps(path: &str, mut rest: &str) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return Err(plain(format!("a path has at most {MAX_STEPS} steps")));
        }
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            member(path, name)?
        } else if let Some(inner) = rest.strip_prefix('[') {
            bracket(path, inner)?
        } else {
            return Err(wrong(path, "`.` or `[` must follow `]`", "write `args.items[0].name`"));
        };
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

/// A name after a `.`: all but the signs that have a meaning in paths.
fn member<'a>(path: &str, text: &'a str) -> Result<(Step, &'a str), PathError> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let unfit = |c: char| matches!(c, ']' | '"' | '*' | '\\') || c.is_whitespace() || c.is_control();
    if name == "*" {
        return Err(wrong(
            path,
            "`*` stands for elements of an array only, as `[*]`",
            "to read a member of that name write `[\"*\"]`",
        ));
    }
    if name.is_empty() {
        return Err(wrong(path, "a name is missing after `.`", "write `args.amount`"));
    }
    if name.chars().any(unfit) {
        return Err(wrong(
            path,
            &format!("`{name}` is not a plain name"),
            "write `[\"any key\"]` for keys with other signs in them",
        ));
    }
    Ok((Step::Key(name.into()), rest))
}

/// What follows a `[`.
fn bracket<'a>(path: &str, text: &'a str) -> Result<(Step, &'a str), PathError> {
    const HELP: &str = "write `[0]`, `[-1]`, `[*]` or `[\"any key\"]`";
    if text.starts_with('"') {
        let end = closing_quote(text).ok_or_else(|| wrong(path, "a string is not closed", HELP))?;
        let (quoted, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let rest = rest.strip_prefix(']').ok_or_else(|| wrong(path, "`]` is missing", HELP))?;
        let key = match json::parse(quoted) {
            Ok(json::Value::String(key)) => key,
            _ => return Err(wrong(path, &format!("`{quoted}` is no JSON string"), HELP)),
        };
        return Ok((Step::Key(key.into()), rest));
    }
    let (inner, rest) = text.split_once(']').ok_or_else(|| wrong(path, "`]` is missing", HELP))?;
    if inner == "*" {
        return Ok((Step::Every, rest));
    }
    let (digits, from_end) = inner.strip_prefix('-').map_or((inner, false), |digits| (digits, true));
    let plain_digits = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let number =
        if plain_digits { digits.parse::<u32>().ok().and_then(|number| usize::try_from(number).ok()) } else { None };
    match number {
        Some(number) if !from_end => Ok((Step::Index(number), rest)),
        Some(number) if number > 0 => Ok((Step::FromEnd(number), rest)),
        _ => Err(wrong(path, &format!("`[{inner}]` is no step"), HELP)),
    }
}

/// The byte after the quote that closes the string that `text` begins with.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn unknown(text: &str, root: &str) -> PathError {
    let facts = FACTS.iter().map(|(name, _)| *name);
    let suggestion = nearest(text, facts).map(str::to_owned).or_else(|| {
        // Only the root is misspelt, or missing: what follows it is the reader's own.
        let rest = text.strip_prefix(root).unwrap_or_default();
        match nearest(root, ROOTS) {
            Some(near) if near != root && matches!(near, "args" | "item") => Some(format!("{near}{rest}")),
            _ if matches!(root, "arguments" | "params" | "input") => Some(format!("args{rest}")),
            _ => None,
        }
    });
    PathError {
        message: format!("`{text}` is not something that a rule can read"),
        help: Some(
            "a path begins with `args`; `item` stands for one element inside of `each`; also readable are grant.label, \
             grant.owner, grant.tags.<key>, agent.label, server.name, tool.name, tool.class, session.id, client.ip, \
             time.now, time.hour and time.weekday"
                .to_owned(),
        ),
        suggestion: suggestion.filter(|suggestion| suggestion != text),
    }
}

fn wrong(path: &str, what: &str, help: &str) -> PathError {
    PathError { message: format!("{what} in the path `{path}`"), help: Some(help.to_owned()), suggestion: None }
}

fn plain(message: String) -> PathError {
    PathError { message, help: None, suggestion: None }
}
