//! Values that nobody may print.
//!
//! The types are those of `secrecy`: wiped when dropped, no `Display`, no `Serialize`, and a `Debug` without the content.

pub use secrecy::{ExposeSecret, SecretString};

/// Secret bytes of any length.
pub type SecretBytes = secrecy::SecretSlice<u8>;

/// Whether two secrets are the same, in a time that tells their lengths at most.
#[must_use]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// Secret bytes from a buffer that wipes itself. Their length is exact, so that no copy is left behind by shrinking.
pub(crate) fn keep(bytes: &[u8]) -> SecretBytes {
    SecretBytes::from(Box::<[u8]>::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality() {
        for (one, other, same) in [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false)] {
            assert_eq!(equal(one.as_bytes(), other.as_bytes()), same, "{one} {other}");
        }
    }

    #[test]
    fn content_is_not_debugged() {
        let shown = format!("{:?} {:?}", keep(b"hunter2"), SecretString::from("hunter2"));
        assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    }
}
