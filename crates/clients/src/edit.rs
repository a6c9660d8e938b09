//! Ranges of bytes, and what stands there instead.

use std::fmt;
use std::ops::Range;

use crate::document::Format;

/// A change of a file that touches nothing but a few ranges.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    pub(crate) format: Format,
    /// In the order of the file, none within another.
    pub(crate) changes: Vec<Change>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) range: Range<usize>,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

/// The file is not the one that the edit was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file has changed since it was read: read it again")]
pub struct Stale;

impl Edit {
    /// None, where ranges overlap.
    pub(crate) fn new(format: Format, changes: Vec<(Range<usize>, Vec<u8>, Vec<u8>)>) -> Option<Self> {
        let changes = changes.into_iter().filter(|(_, old, new)| old != new);
        let mut changes: Vec<Change> = changes.map(|(range, old, new)| Change { range, old, new }).collect();
        changes.sort_by_key(|change| (change.range.start, change.range.end));
        let apart = changes.iter().zip(changes.iter().skip(1)).all(|(one, two)| one.range.end <= two.range.start);
        apart.then_some(Self { format, changes })
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The ranges that it replaces, with what stands there afterwards.
    pub fn replacements(&self) -> impl Iterator<Item = (Range<usize>, &[u8])> {
        self.changes.iter().map(|change| (change.range.clone(), change.new.as_slice()))
    }

    /// Both edits of one document in one; none, where they touch the same place.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let changes = self.changes.iter().chain(&other.changes);
        let changes = changes.map(|change| (change.range.clone(), change.old.clone(), change.new.clone()));
        Self::new(self.format, changes.collect()).filter(|_| self.format == other.format)
    }

    /// The file afterwards.
    ///
    /// # Errors
    /// [`Stale`], when other bytes stand in the ranges than when the edit was made.
    pub fn apply(&self, bytes: &[u8]) -> Result<Vec<u8>, Stale> {
        let mut after = Vec::with_capacity(bytes.len() + 256);
        let mut at = 0;
        for change in &self.changes {
            if bytes.get(change.range.clone()) != Some(change.old.as_slice()) {
                return Err(Stale);
            }
            after.extend_from_slice(bytes.get(at..change.range.start).ok_or(Stale)?);
            after.extend_from_slice(&change.new);
            at = change.range.end;
        }
        after.extend_from_slice(bytes.get(at..).ok_or(Stale)?);
        Ok(after)
    }

    /// The edit that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut before = 0;
        let mut after = 0;
        let changes = self.changes.iter().map(|change| {
            let start = change.range.start - before + after;
            before += change.old.len();
            after += change.new.len();
            Change { range: start..start + change.new.len(), old: change.new.clone(), new: change.old.clone() }
        });
        Self { format: self.format, changes: changes.collect() }
    }
}

impl fmt::Debug for Edit {
    /// Without the texts, which may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list()
            .entries(self.changes.iter().map(|change| format!("{:?} → {} bytes", change.range, change.new.len())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(changes: &[(Range<usize>, &str, &str)]) -> Option<Edit> {
        let owned = |(range, old, new): &(Range<usize>, &str, &str)| {
            (range.clone(), old.as_bytes().to_vec(), new.as_bytes().to_vec())
        };
        Edit::new(Format::Json, changes.iter().map(owned).collect())
    }

    #[test]
    fn an_edit_and_its_inverse_are_nothing() {
        let edit = edit(&[(6..7, "w", "--"), (0..5, "hello", "a"), (11..11, "", "!")]).unwrap();
        let after = edit.apply(b"hello world").unwrap();
        assert_eq!(after, b"a --orld!");
        assert_eq!(edit.inverse().apply(&after).unwrap(), b"hello world");
        assert_eq!(edit.inverse().inverse(), edit);
        assert_eq!(edit.apply(b"hallo world"), Err(Stale));
        assert_eq!(edit.apply(b"hello"), Err(Stale));
    }

    #[test]
    fn two_edits_of_different_places_are_one() {
        let (one, two) = (edit(&[(6..7, "w", "--")]).unwrap(), edit(&[(0..5, "hello", "a")]).unwrap());
        assert_eq!(one.and(&two).unwrap().apply(b"hello world").unwrap(), b"a --orld");
        assert_eq!(one.and(&edit(&[(5..8, " wo", "")]).unwrap()), None);
    }

    #[test]
    fn changes_of_the_same_place_are_no_edit() {
        assert_eq!(edit(&[(0..3, "abc", ""), (2..4, "cd", "")]), None);
        assert!(edit(&[(0..1, "a", "a")]).unwrap().is_empty());
        assert!(!format!("{:?}", edit(&[(0..1, "a", "secret")])).contains("secret"));
    }
}
