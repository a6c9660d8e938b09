//! The domain of an e-mail address, where all readers agree on it.

use std::borrow::Cow;

use super::{Doubtful, host};

/// The longest local part, in bytes (RFC 5321).
const MAX_LOCAL: usize = 64;
/// The longest address, in bytes (RFC 5321, a path without its brackets).
const MAX_ADDRESS: usize = 254;

/// The domain of one plain `local@domain`, in its normal form.
///
/// # Errors
/// When the text is anything more or less: quotes, comments, lists, display names, routes (`%`, `!`), two `@`.
pub fn domain(text: &str) -> Result<Cow<'_, str>, Doubtful> {
    if text.len() > MAX_ADDRESS {
        return Err(Doubtful("is longer than an e-mail address can be"));
    }
    let (local, domain) = text.split_once('@').ok_or(Doubtful("is no e-mail address"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte);
    let atom = |part: &str| !part.is_empty() && part.bytes().all(plain);
    if local.len() > MAX_LOCAL || !local.split('.').all(atom) {
        return Err(Doubtful("is not one plain e-mail address `local@domain`"));
    }
    // A second `@`, brackets, commas and white space are in no host.
    host::normal(domain).map_err(|_| Doubtful("is not one plain e-mail address `local@domain`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("a@example.com", Some("example.com")),
            ("first.last+tag@Example.COM", Some("example.com")),
            ("o'hara@example.com", Some("example.com")),
            ("a@bücher.example", Some("xn--bcher-kva.example")),
            ("a@example.com.", Some("example.com")),
            ("a@sub.example.com", Some("sub.example.com")),
            ("a@example.com@evil.test", None),
            ("\"a@example.com\"@evil.test", None),
            ("\"a\"@example.com", None),
            ("a(x)@example.com", None),
            ("a@example.com(x)", None),
            ("A <a@example.com>", None),
            ("<a@example.com>", None),
            ("a@example.com,b@evil.test", None),
            ("a@example.com;b@evil.test", None),
            ("a@example.com b@evil.test", None),
            ("a@example.com\nbcc: b@evil.test", None),
            (" a@example.com", None),
            ("a@example.com ", None),
            ("a%evil.test@example.com", None),
            ("evil.test!a@example.com", None),
            ("@example.com", None),
            ("a@", None),
            ("a", None),
            ("", None),
            (".a@example.com", None),
            ("a..b@example.com", None),
            ("é@example.com", None),
            ("a@[127.0.0.1]", None),
            ("mailto:a@example.com", None),
            ("a@example.com?cc=b@evil.test", None),
        ] {
            assert_eq!(domain(text).ok().as_deref(), expected, "{text:?}");
        }
        assert!(domain(&format!("{}@example.com", "a".repeat(65))).is_err());
    }
}
