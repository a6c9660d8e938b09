//! Long lists in one answer: a line an entry, read and sent a page at a time, so that no list is too long.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::call::Call;
use super::csv;
use super::problem::Problem;

/// The media types of exports, as `format` names them.
pub(crate) const MEDIA: [&str; 2] = ["application/x-ndjson", "text/csv"];

/// Entries that are read at once.
pub(crate) const AT_ONCE: u32 = 500;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object a line.
    Ndjson,
    /// For spreadsheets.
    Csv,
}

impl Format {
    /// The one that was asked for.
    pub(crate) fn of(call: &Call) -> Result<Self, Problem> {
        match call.asked("format") {
            None | Some("ndjson") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Problem::parameter("format", "it is `ndjson` or `csv`")),
        }
    }

    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    fn write<E: Entry>(self, out: &mut String, entry: &E) -> Result<(), Problem> {
        let value = serde_json::to_value(entry).map_err(|_| Problem::broken())?;
        match self {
            Self::Ndjson => {
                out.push_str(&value.to_string());
                out.push('\n');
            }
            Self::Csv => {
                let cells: Vec<String> = E::COLUMNS.iter().map(|column| cell(value.get(column))).collect();
                csv::row(out, cells.iter().map(String::as_str));
            }
        }
        Ok(())
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// An entry of an export.
pub(crate) trait Entry: Serialize {
    /// The columns of its table: names of its fields.
    const COLUMNS: &'static [&'static str];
}

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// An answer that is sent while it is read.
pub(crate) struct Export {
    pub(crate) format: Format,
    pub(crate) body: Body,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Export({:?})", self.format)
    }
}

impl Export {
    /// Everything that `page` gives from the beginning on, until a page has no place behind it. The first page is read
    /// before the answer begins, so that what is wrong from the start is answered as a problem. Whoever asks may read for
    /// hours: before each page is handed on it is looked whether they still may.
    pub(crate) async fn of<E: Entry, P: Send + 'static>(
        call: &Arc<Call>,
        format: Format,
        mut page: impl FnMut(Option<P>) -> Reading<(Vec<E>, Option<P>)> + Send + 'static,
    ) -> Result<Self, Problem> {
        let (entries, mut next) = page(None).await?;
        let mut text = String::new();
        if format == Format::Csv {
            csv::row(&mut text, E::COLUMNS.iter().copied());
        }
        entries.iter().try_for_each(|entry| format.write(&mut text, entry))?;
        let call = Arc::clone(call);
        let (ask, mut asked) = mpsc::channel::<oneshot::Sender<Result<String, CutOff>>>(1);
        // Where the API's work is done, not where the answer is sent; a page ahead of whoever reads.
        tokio::spawn(async move {
            let mut read = Ok(text);
            // Whoever reads no more ends it.
            while let Some(take) = asked.recv().await {
                let piece = match read {
                    Ok(text) => call.still_allowed().await.map(|()| text),
                    Err(problem) => Err(problem),
                };
                let failed = piece.is_err();
                if take.send(piece.map_err(|_| CutOff)).is_err() || failed {
                    return;
                }
                let Some(place) = next.take() else { return };
                read = page(Some(place)).await.and_then(|(entries, behind)| {
                    next = behind;
                    let mut text = String::new();
                    entries.iter().try_for_each(|entry| format.write(&mut text, entry)).map(|()| text)
                });
            }
        });
        let pieces = stream::unfold(ask, |ask| async {
            let (take, taken) = oneshot::channel();
            ask.send(take).await.ok()?;
            Some((taken.await.ok()?, ask))
        });
        Ok(Self { format, body: Body::from_stream(pieces) })
    }
}

/// What was begun cannot be brought to its end: the connection breaks, so that nobody takes it for all.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;
