//! Where a secret belongs.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The place of a secret. What was sealed for one opens for no other, so that whoever can write to the database cannot
/// have one server's credentials sent to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The organisation that the object belongs to; `None` for what belongs to the instance.
    pub organisation: Option<&'a str>,
    /// What kind of object it is, such as `server`.
    pub kind: &'a str,
    /// The object's id, which must never be given to another.
    pub object: &'a str,
    /// Which of the object's secrets it is, such as `header Authorization`.
    pub field: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a secret of the instance itself.
    #[must_use]
    pub fn instance(field: &'a str) -> Self {
        Self { organisation: None, kind: "instance", object: "", field }
    }

    /// Its digest. The length stands before each part, so that none can be shifted into another.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut text = Vec::new();
        let parts = [Some("toolgate place"), self.organisation, Some(self.kind), Some(self.object), Some(self.field)];
        for part in parts {
            text.push(u8::from(part.is_some()));
            let part = part.unwrap_or_default().as_bytes();
            text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            text.extend_from_slice(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &text).as_ref());
        bytes
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.organisation {
            None => write!(f, "{:?} of the instance", self.field),
            Some(organisation) => {
                write!(f, "{:?} of {} {:?} in organisation {organisation:?}", self.field, self.kind, self.object)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_share_a_digest() {
        let place = |organisation, kind, object, field| Place { organisation, kind, object, field };
        let places = [
            Place::instance("x"),
            place(None, "instance", "x", ""),
            place(Some(""), "instance", "", "x"),
            place(Some("a"), "b", "c", "d"),
            place(Some("ab"), "", "c", "d"),
            place(Some("a"), "bc", "", "d"),
            place(Some("a"), "b", "cd", ""),
            place(Some("a"), "b", "", "cd"),
            place(Some("a"), "b", "c\0d", ""),
        ];
        for (index, one) in places.iter().enumerate() {
            for other in &places[..index] {
                assert_ne!(one.digest(), other.digest(), "{one} {other}");
            }
        }
    }
}
