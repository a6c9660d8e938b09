//! Asking an index.

use std::path::Path;

use tantivy::columnar::Column;
use tantivy::{IndexReader, ReloadPolicy};

use crate::conditions::Conditions;
use crate::fields::{Fields, Kind, TOKENIZER, Words, schema};
use crate::query::{Query, plan};
use crate::weigh::{Best, Weighing};
use crate::{BadIndex, folder};

/// An index that is open: it answers from what was in use when it was opened.
pub struct Index {
    reader: IndexReader,
    fields: Fields,
    /// The numbers of the rows, by the part of the index: to open them takes longer than to search.
    rows: Vec<Column<u64>>,
    known: Conditions,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

/// An entry that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// The number of its row.
    pub id: i64,
    /// How well it fits.
    pub score: f32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The entries, the best first.
    pub hits: Vec<Hit>,
    /// How many there are in all, where it was asked for.
    pub total: Option<usize>,
}

impl Index {
    /// Opens the index that is in use.
    ///
    /// # Errors
    /// [`BadIndex`].
    pub fn open(folder: &Path) -> Result<Self, BadIndex> {
        let first = Self::open_at(folder);
        match first {
            // It may have been replaced between the look at its name and at itself.
            Err(BadIndex::Broken(_)) => Self::open_at(folder),
            other => other,
        }
    }

    fn open_at(folder: &Path) -> Result<Self, BadIndex> {
        let index = tantivy::Index::open_in_dir(folder::current(folder)?)?;
        index.tokenizers().register(TOKENIZER, Words);
        let (_, fields) = schema();
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let rows =
            searcher.segment_readers().iter().map(|part| part.fast_fields().u64("id")).collect::<Result<_, _>>()?;
        Ok(Self { reader, fields, rows, known: Conditions::default() })
    }

    /// How many entries a question finds. That costs less than to find the best of them.
    ///
    /// # Errors
    /// [`BadIndex`], when the files cannot be read.
    pub fn count(&self, query: &Query) -> Result<usize, BadIndex> {
        let searcher = self.reader.searcher();
        let plan = plan(query, &self.fields, &searcher)?.unweighed();
        searcher.segment_readers().iter().enumerate().try_fold(0, |count, (number, part)| {
            let weighing = Weighing { searcher: &searcher, number, part, known: &self.known };
            Ok(count + weighing.found(&plan)?.len())
        })
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`BadIndex`], when the files cannot be read.
    pub fn search(&self, query: &Query) -> Result<Found, BadIndex> {
        let searcher = self.reader.searcher();
        let plan = plan(query, &self.fields, &searcher)?;
        let mut best = Best::new(query.offset.saturating_add(query.limit.max(1)));
        for (number, part) in searcher.segment_readers().iter().enumerate() {
            let weighing = Weighing { searcher: &searcher, number, part, known: &self.known };
            best.add(number, weighing.found(&plan)?);
        }
        let total = query.count.then_some(best.found);
        let mut hits = Vec::with_capacity(query.limit.max(1));
        for place in best.places().skip(query.offset) {
            let Some(number) = self.rows.get(place.part).and_then(|rows| rows.first(place.entry)) else { continue };
            let kind = if number % 2 == 1 { Kind::Tool } else { Kind::Server };
            hits.push(Hit { kind, id: i64::try_from(number / 2).unwrap_or(i64::MAX), score: place.worth });
        }
        Ok(Found { hits, total })
    }
}
