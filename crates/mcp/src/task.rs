//! Tasks of both generations: where a message names one.
//!
//! A gateway that gives agents task ids of its own puts them in the place of the server's wherever one travels, and the
//! other way round. 2025-11-25 has tasks in its core, 2026-07-28 as the extension [`EXTENSION`].

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, Fault, Members, Scanner, folds_to, quote, splice};

/// The `_meta` key that ties a message to a task (2025-11-25).
pub const RELATED: &str = "io.modelcontextprotocol/related-task";

/// The extension's name in `capabilities.extensions` (2026-07-28).
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// Where a message names a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `taskId` of `params` or of a result: the task that the message is about.
    Subject,
    /// `task.taskId` of a result (2025-11-25): a task that was created.
    Created,
    /// `taskId` of an element of a result's `tasks`.
    Listed,
    /// An element of `params.notifications.taskIds`: a task that a subscription is to tell of.
    Wanted,
    /// `taskId` of [`RELATED`] in `_meta`.
    Related,
}

/// What is to stand in the place of a task's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// What stands there.
    Keep,
    /// This id.
    As(String),
    /// Nothing: the element of a list or the member of an object goes.
    LeaveOut,
}

/// Whether a message of a server may name a task. One search in most texts: it errs only by saying yes.
#[must_use]
pub fn may_be_named(raw: &str) -> bool {
    let holds = |needle: &str| memchr::memmem::find(raw.as_bytes(), needle.as_bytes()).is_some();
    // The slash of the key can be written with a backslash before it, any letter as `\u00`.
    holds("askId") || holds("askid") || holds("related-task") || holds("\\u00")
}

/// Gives every task that a message names the id that `name` says. `None` when nothing changes; all that is not renamed
/// stays byte for byte.
///
/// `name` gets `None` for the id where something stands that is none, or a key that a lenient decoder takes for the
/// protocol's own.
///
/// # Errors
/// When `raw` is not strict JSON.
pub fn rename(raw: &str, name: impl FnMut(Place, Option<&str>) -> Naming) -> Result<Option<String>, json::Error> {
    let mut walk = Walk { name, edits: Vec::new() };
    let mut scanner = Scanner::new(raw);
    walk.message(&mut scanner)?;
    scanner.end()?;
    if walk.edits.is_empty() {
        return Ok(None);
    }
    let edits: Vec<(Range<usize>, &str)> =
        walk.edits.iter().map(|(range, text)| (range.clone(), text.as_str())).collect();
    Ok(splice(raw, &edits))
}

struct Walk<F> {
    name: F,
    edits: Vec<(Range<usize>, String)>,
}

impl<F: FnMut(Place, Option<&str>) -> Naming> Walk<F> {
    fn message(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        if scanner.peek() != Some(b'{') {
            return scanner.skip(0).map(drop);
        }
        scanner.object(0, |scanner, key| match (scanner.decode(key).as_ref(), scanner.peek()) {
            ("params", Some(b'{')) => self.body(scanner, false),
            ("result", Some(b'{')) => self.body(scanner, true),
            _ => scanner.skip(1).map(drop),
        })
    }

    /// `params` or a result.
    fn body(&mut self, scanner: &mut Scanner<'_>, is_result: bool) -> Result<(), Fault> {
        let mut members = Members::default();
        scanner.object(1, |scanner, key| {
            let start = key.outer().start();
            let mut goes = false;
            match (scanner.decode(key).as_ref(), scanner.peek()) {
                ("taskId", Some(b'"')) => goes = self.id(scanner, Place::Subject)?,
                ("_meta", Some(b'{')) => self.meta(scanner)?,
                ("notifications", Some(b'{')) if !is_result => self.subscription(scanner)?,
                ("task", Some(b'{')) if is_result => {
                    self.task(scanner, 2, Place::Created)?;
                }
                ("tasks", Some(b'[')) if is_result => self.list(scanner)?,
                _ => drop(scanner.skip(2)?),
            }
            members.add(start..scanner.at(), goes);
            Ok(())
        })?;
        self.cut(&members);
        Ok(())
    }

    fn meta(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let mut members = Members::default();
        scanner.object(2, |scanner, key| {
            let start = key.outer().start();
            let name = scanner.decode(key);
            let mut goes = false;
            if folds_to(&name, RELATED) {
                let value = scanner.skip(3)?;
                let id = related(value.of(scanner.text())).filter(|_| name == RELATED);
                match (self.name)(Place::Related, id.as_deref()) {
                    Naming::Keep => {}
                    Naming::As(new) => self.edits.push((value.range(), format!("{{\"taskId\":{}}}", quote(&new)))),
                    Naming::LeaveOut => goes = true,
                }
            } else {
                scanner.skip(3)?;
            }
            members.add(start..scanner.at(), goes);
            Ok(())
        })?;
        self.cut(&members);
        Ok(())
    }

    fn subscription(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let mut members = Members::default();
        scanner.object(2, |scanner, key| {
            let start = key.outer().start();
            let name = scanner.decode(key);
            let mut goes = false;
            match (name.as_ref(), scanner.peek()) {
                ("taskIds", Some(b'[')) => {
                    let mut wanted = Members::default();
                    scanner.array(3, |scanner| {
                        let start = scanner.at();
                        let goes = self.id(scanner, Place::Wanted)?;
                        wanted.add(start..scanner.at(), goes);
                        Ok(())
                    })?;
                    self.cut(&wanted);
                }
                (name, _) if folds_to(name, "taskIds") => {
                    scanner.skip(3)?;
                    goes = matches!((self.name)(Place::Wanted, None), Naming::LeaveOut);
                }
                _ => drop(scanner.skip(3)?),
            }
            members.add(start..scanner.at(), goes);
            Ok(())
        })?;
        self.cut(&members);
        Ok(())
    }

    fn list(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Fault> {
        let mut listed = Members::default();
        scanner.array(2, |scanner| {
            let start = scanner.at();
            let before = self.edits.len();
            let named = match scanner.peek() {
                Some(b'{') => self.task(scanner, 3, Place::Listed)?,
                _ => {
                    scanner.skip(3)?;
                    None
                }
            };
            let goes = match named {
                Some(goes) => goes,
                None => matches!((self.name)(Place::Listed, None), Naming::LeaveOut),
            };
            if goes {
                self.edits.truncate(before);
            }
            listed.add(start..scanner.at(), goes);
            Ok(())
        })?;
        self.cut(&listed);
        Ok(())
    }

    /// A task object: whether it is to go, if it has an id.
    fn task(&mut self, scanner: &mut Scanner<'_>, depth: usize, place: Place) -> Result<Option<bool>, Fault> {
        let mut goes = None;
        scanner.object(depth, |scanner, key| {
            if scanner.decode(key) == "taskId" && scanner.peek() == Some(b'"') {
                goes = Some(self.id(scanner, place)?);
            } else {
                scanner.skip(depth + 1)?;
            }
            Ok(())
        })?;
        Ok(goes)
    }

    /// One id: renamed, or whether what it stands in is to go.
    fn id(&mut self, scanner: &mut Scanner<'_>, place: Place) -> Result<bool, Fault> {
        let start = scanner.at();
        let id: Option<Cow<'_, str>> = match scanner.peek() {
            Some(b'"') => {
                let quoted = scanner.string()?;
                Some(scanner.decode(quoted))
            }
            _ => {
                scanner.skip(4)?;
                None
            }
        };
        match (self.name)(place, id.as_deref()) {
            Naming::Keep => Ok(false),
            Naming::As(new) => {
                self.edits.push((start..scanner.at(), quote(&new)));
                Ok(false)
            }
            Naming::LeaveOut => Ok(true),
        }
    }

    fn cut(&mut self, members: &Members) {
        let mut cuts = Vec::new();
        members.cuts(&mut cuts);
        // What goes as a whole is not edited in parts.
        self.edits.retain(|(range, _)| !cuts.iter().any(|cut| cut.start <= range.start && range.end <= cut.end));
        self.edits.extend(cuts.into_iter().map(|cut| (cut, String::new())));
    }
}

/// The id in the value of [`RELATED`].
fn related(value: &str) -> Option<String> {
    Some(json::parse(value).ok()?.get("taskId")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests;
