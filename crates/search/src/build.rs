//! Building an index.

use std::ops::Bound;
use std::path::{Path, PathBuf};

use tantivy::index::SegmentId;
use tantivy::indexer::NoMergePolicy;
use tantivy::query::RangeQuery;
use tantivy::{IndexWriter, SegmentMeta, TantivyDocument, Term};

use crate::fields::{Fields, Kind, TOKENIZER, Words, schema};
use crate::words::{exact, unordered};
use crate::{BadIndex, folder};

/// What the writer may hold before it writes a part out.
const MEMORY: usize = 96 << 20;

/// One: entries of equal weight are listed as they were added, in every build of the same entries.
const THREADS: usize = 1;

/// What is put into the index.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What it is.
    pub kind: Kind,
    /// The number of its row, not negative.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
    /// The name for people.
    pub title: &'a str,
    /// What stands around it: its server, publisher, package.
    pub around: &'a [&'a str],
    /// What it says of itself.
    pub description: &'a str,
    /// When it changed, in microseconds since 1970.
    pub changed: i64,
    /// What filters find: the field and the value.
    pub filters: &'a [(&'a str, &'a str)],
}

/// An index under construction.
pub struct Builder {
    folder: PathBuf,
    path: PathBuf,
    writer: IndexWriter,
    fields: Fields,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Builder {
    /// Begins an index in a folder, beside the one that is in use.
    ///
    /// # Errors
    /// [`BadIndex`].
    pub fn new(folder: &Path) -> Result<Self, BadIndex> {
        let path = folder::next(folder)?;
        let (schema, fields) = schema();
        let index = tantivy::Index::create_in_dir(&path, schema)?;
        Self::over(&index, folder, path, fields)
    }

    /// Begins an index in a folder with what is in the one that is in use: where little changed, little is read.
    ///
    /// # Errors
    /// [`BadIndex`].
    pub fn upon(folder: &Path) -> Result<Self, BadIndex> {
        let path = folder::next_like(folder, &folder::current(folder)?)?;
        let (_, fields) = schema();
        Self::over(&tantivy::Index::open_in_dir(&path)?, folder, path, fields)
    }

    fn over(index: &tantivy::Index, folder: &Path, path: PathBuf, fields: Fields) -> Result<Self, BadIndex> {
        index.tokenizers().register(TOKENIZER, Words);
        let writer: IndexWriter = index.writer_with_num_threads(THREADS, MEMORY)?;
        // All parts become one at the end; to join them before is work twice.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { folder: folder.to_owned(), path, writer, fields })
    }

    /// Takes an entry out, where it is in.
    ///
    /// # Errors
    /// [`BadIndex`].
    pub fn remove(&self, kind: Kind, id: i64) -> Result<(), BadIndex> {
        let number = Bound::Included(Term::from_field_u64(self.fields.id, number(kind, id)));
        self.writer.delete_query(Box::new(RangeQuery::new(number.clone(), number)))?;
        Ok(())
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`BadIndex`].
    pub fn add(&self, entry: &Entry<'_>) -> Result<(), BadIndex> {
        let fields = &self.fields;
        let mut document = TantivyDocument::default();
        document.add_u64(fields.id, number(entry.kind, entry.id));
        document.add_text(fields.exact, exact(entry.name));
        document.add_text(fields.unordered, unordered(entry.name));
        document.add_text(fields.name, entry.name);
        if !entry.title.is_empty() && entry.title != entry.name {
            document.add_text(fields.name, entry.title);
        }
        for text in entry.around {
            document.add_text(fields.around, text);
        }
        document.add_text(fields.text, entry.description);
        document.add_text(fields.filter, format!("kind:{}", entry.kind.as_str()));
        for (field, value) in entry.filters {
            document.add_text(fields.filter, format!("{field}:{}", value.to_lowercase()));
        }
        document.add_i64(fields.changed, entry.changed);
        self.writer.add_document(document)?;
        Ok(())
    }

    /// Puts the index in the place of the one that was in use.
    ///
    /// # Errors
    /// [`BadIndex`], in which case the old one stays in use.
    pub fn finish(mut self) -> Result<(), BadIndex> {
        self.writer.commit()?;
        // One part, without what was taken out of it: whoever asks goes through all that a part holds.
        if let Some(parts) = self.scattered()? {
            self.writer.merge(&parts).wait()?;
        }
        self.writer.garbage_collect_files().wait()?;
        self.writer.wait_merging_threads()?;
        folder::use_now(&self.folder, &self.path)?;
        Ok(())
    }

    /// The parts that are to become one; nothing where there is one already. Their names alone: while somebody holds what
    /// is known of a part, its files stay on disk.
    fn scattered(&self) -> Result<Option<Vec<SegmentId>>, BadIndex> {
        let parts = self.writer.index().searchable_segment_metas()?;
        let scattered = parts.len() > 1 || parts.iter().any(SegmentMeta::has_deletes);
        Ok(scattered.then(|| parts.iter().map(SegmentMeta::id).collect()))
    }
}

/// The number of an entry in the index: that of its row, doubled; tools are odd.
fn number(kind: Kind, id: i64) -> u64 {
    u64::try_from(id).unwrap_or(0).saturating_mul(2) | u64::from(kind == Kind::Tool)
}
