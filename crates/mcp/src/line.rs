//! Messages as lines: the framing of stdio.
//!
//! Bytes go in as they come, lines come out. A line ends with LF or CRLF; blank lines mean nothing and are left out. A
//! line longer than the limit is skipped and counted: it cannot be a message, and it must not fill the memory.

/// Memory that is kept for the lines that come, in bytes: usual ones are shorter.
const KEPT: usize = 256 * 1024;

/// Cuts a stream of bytes into lines.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    // Where the unread part begins, and up to where it has been searched for a line end.
    start: usize,
    searched: usize,
    limit: usize,
    // Inside a line that is already too long, waiting for its end.
    skipping: bool,
    skipped: u64,
}

impl Lines {
    /// Lines of at most `limit` bytes, their ends not counted.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, searched: 0, limit, skipping: false, skipped: 0 }
    }

    /// Takes what has arrived. Take the lines out with [`Self::next_line`] before pushing more, to keep memory bounded.
    pub fn push(&mut self, chunk: &[u8]) {
        self.forget_taken();
        self.buffer.extend_from_slice(chunk);
    }

    /// Gives back the memory of what was taken out: a long line leaves as much behind. Costs nothing where there was none.
    pub fn compact(&mut self) {
        if self.buffer.capacity() > KEPT && self.buffer.len() - self.start <= KEPT {
            self.forget_taken();
            self.buffer.shrink_to(KEPT);
        }
    }

    /// What has come of a line that has not ended; nothing of one that is left out.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Leaves out the line that has begun and not ended, as if it were too long, but without counting it. Take the lines
    /// before it out with [`Self::next_line`] first.
    pub fn leave_out(&mut self) {
        if self.is_partial() {
            self.skip();
        }
    }

    fn forget_taken(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
    }

    /// Goes on after the end of this line.
    fn skip(&mut self) {
        self.skipping = true;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.start = 0;
        self.searched = 0;
    }

    /// The next complete line without its end, or `None` until more has arrived.
    pub fn next_line(&mut self) -> Option<&[u8]> {
        let (start, end) = self.find()?;
        self.buffer.get(start..end)
    }

    /// What is left when the stream has ended: a line without its end, if there is one of allowed length.
    ///
    /// Whether to believe it is the caller's business: a writer that was cut off leaves the same.
    #[must_use]
    pub fn rest(&mut self) -> Option<&[u8]> {
        let start = std::mem::replace(&mut self.start, self.buffer.len());
        self.searched = self.buffer.len();
        if std::mem::take(&mut self.skipping) {
            return None;
        }
        let line = self.buffer.get(start..)?;
        if line.len() > self.limit {
            self.skipped += 1;
            return None;
        }
        (!line.trim_ascii().is_empty()).then_some(line)
    }

    /// How many lines were too long and left out.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether a line has begun and not ended.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.skipping || self.start < self.buffer.len()
    }

    fn find(&mut self) -> Option<(usize, usize)> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'\n', unsearched) else {
                self.searched = self.buffer.len();
                // One more for a CR that may turn out to belong to the line's end.
                if self.searched - self.start > self.limit.saturating_add(1) || self.skipping {
                    self.skipped += u64::from(!self.skipping);
                    self.skip();
                }
                return None;
            };
            let start = self.start;
            let end = self.searched + length;
            self.start = end + 1;
            self.searched = end + 1;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            let line = self.buffer.get(start..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > self.limit {
                self.skipped += 1;
            } else if !line.trim_ascii().is_empty() {
                return Some((start, start + line.len()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
