//! W3C trace context, as it comes in the header `traceparent` and in the member of that name of `_meta`.

use std::fmt;

/// How long a `tracestate` may be that is passed on, in bytes: what the recommendation asks for at least.
const MAX_STATE: usize = 512;

/// Where a request stands in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never 0.
    pub trace: u128,
    /// The span that caused this; never 0.
    pub span: u64,
    /// Bit 0: whether whoever began the trace keeps it.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent`; `None` for what is none, which is then passed over, as the recommendation says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = hex(parts.next()?, 2)?;
        let (trace, span, flags) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
        // A later version may say more behind; version 0 does not, and 255 is forbidden.
        if version == 255 || (version == 0 && parts.next().is_some()) || trace == 0 || span == 0 {
            return None;
        }
        Some(Self { trace, span: u64::try_from(span).ok()?, flags: u8::try_from(flags).ok()? })
    }

    /// Whether spans of it are kept.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the flags only those of version 0 are passed on.
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags & 3)
    }
}

/// Whether a text may be passed on as `tracestate`.
#[must_use]
pub fn is_state(text: &str) -> bool {
    (1..=MAX_STATE).contains(&text.len()) && text.contains('=') && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Lower-case hexadecimal digits, exactly so many.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let plain = text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if plain { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::parse(text).unwrap();
        assert_eq!(context.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(context.span, 0x00f0_67aa_0ba9_02b7);
        assert!(context.is_sampled());
        assert_eq!(context.to_string(), text);
        // A later version, as far as this one goes.
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-f9-what-comes";
        let expected = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceContext::parse(later).unwrap().to_string(), expected);
    }

    #[test]
    fn what_is_no_context_is_passed_over() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_state_is_short_and_of_plain_signs() {
        assert!(is_state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
        for bad in ["", "x", "a=\r\nb", "a=é", &format!("a={}", "x".repeat(512))] {
            assert!(!is_state(bad), "{bad}");
        }
    }
}
