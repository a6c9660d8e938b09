use std::ops::Range;

/// A stretch of a text, in bytes from its start. Always falls on character boundaries of the text it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    // The scanner accepts no text of 4 GiB.
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    /// The first byte.
    #[must_use]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The byte after the last.
    #[must_use]
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// As a range, for slicing and for [`splice`](super::splice).
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    /// The stretch itself; empty if `text` is not the text this span was read from and is too short.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// The same stretch in a slice of the text that begins at byte `base`.
    pub(crate) fn relative_to(self, base: usize) -> Self {
        Self::new(self.start().saturating_sub(base), self.end().saturating_sub(base))
    }
}
