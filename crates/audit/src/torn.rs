//! Tells a record that a crash cut off from one that somebody wrote.

/// Whether these last bytes of a chain, which no line feed follows, are what a process leaves
/// behind that dies while it writes record `seq`: the beginning of such a record, up to all of it
/// but the line feed. Zero bytes at the end are pages that a machine lost with its power.
///
/// A record that is complete but for its line feed has to be checked like any other, so it is
/// told apart: see [`Tail`].
pub(crate) fn judge(tail: &[u8], seq: u64) -> Tail {
    let kept = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let kept = tail.get(..kept).unwrap_or_default();
    let start = format!("{{\"seq\":{seq},\"id\":\"");
    let same = kept.iter().zip(start.as_bytes()).all(|(is, should)| is == should);
    if !same || !is_text(kept) {
        return Tail::Foreign;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in kept.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => {
                let complete = at + 1 == kept.len() && kept.len() == tail.len();
                return if complete { Tail::Complete } else { Tail::Foreign };
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    Tail::Begun
}

/// What the last bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// The beginning of the record.
    Begun,
    /// A whole record, its line feed missing.
    Complete,
    /// Something else.
    Foreign,
}

/// Printable text as a record has it; a last character may be cut.
fn is_text(bytes: &[u8]) -> bool {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or_default(),
        Err(_) => return false,
    };
    whole.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_record_that_was_begun() {
        let record = "{\"seq\":12,\"id\":\"01\",\"reason\":\"ä } \\\" ]\",\"counts\":[{\"id\":\"x\"}],\"hash\":\"00\"}";
        for end in 0..record.len() {
            assert_eq!(judge(&record.as_bytes()[..end], 12), Tail::Begun, "{end}");
        }
        assert_eq!(judge(record.as_bytes(), 12), Tail::Complete);
        assert_eq!(judge(b"{\"seq\":12,\"i\0\0\0\0", 12), Tail::Begun);
        assert_eq!(judge(b"\0\0\0", 12), Tail::Begun);
        assert_eq!(judge(b"{\"seq\":13", 12), Tail::Foreign);
        assert_eq!(judge(b"x", 12), Tail::Foreign);
        assert_eq!(judge(format!("{record} ").as_bytes(), 12), Tail::Foreign);
        assert_eq!(judge(format!("{record}\0").as_bytes(), 12), Tail::Foreign);
        assert_eq!(judge(b"{\"seq\":12,\"id\":\"\xff\"", 12), Tail::Foreign);
        assert_eq!(judge(b"{\"seq\":12,\"id\":\"\x1b[2J", 12), Tail::Foreign);
    }
}
