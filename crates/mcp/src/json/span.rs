use std::ops::Range;

/// A stretch of a text, in bytes from its start. Always falls on character boundaries of the text it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// From the first byte to the one after the last.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The first byte.
    #[must_use]
    pub fn start(self) -> usize {
        self.start
    }

    /// The byte after the last.
    #[must_use]
    pub fn end(self) -> usize {
        self.end
    }

    /// As a range, for slicing and for [`splice`](super::splice).
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The stretch itself; empty if `text` is not the text this span was read from and is too short.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// The same stretch in a slice of the text that begins at byte `base`.
    pub(crate) fn relative_to(self, base: usize) -> Self {
        Self {
            start: self.start.saturating_sub(base),
            end: self.end.saturating_sub(base),
        }
    }
}
