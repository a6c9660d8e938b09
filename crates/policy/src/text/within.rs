//! Paths of file systems, by their text alone. Says nothing about symbolic links.

use unicode_normalization::UnicodeNormalization;

use super::Doubtful;

/// An absolute path that others are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    segments: Box<[Box<str>]>,
}

impl Prefix {
    /// Reads a prefix. Its own text must be beyond doubt.
    ///
    /// # Errors
    /// When it is not absolute, or could be read in more than one way.
    pub fn parse(text: &str) -> Result<Self, Doubtful> {
        Ok(Self { segments: segments(text)?.map(Box::from).collect() })
    }

    /// Whether `path` is strictly below the prefix: segment by segment, case counts, empty segments do not.
    ///
    /// # Errors
    /// When `path` is not absolute, or could be read in more than one way.
    pub fn covers(&self, path: &str) -> Result<bool, Doubtful> {
        let mut found = segments(path)?;
        let inside = self.segments.iter().all(|wanted| found.next() == Some(wanted));
        Ok(inside && found.next().is_some())
    }
}

/// The segments of a path of which there is one reading only.
fn segments(path: &str) -> Result<impl Iterator<Item = &str>, Doubtful> {
    if !path.starts_with('/') {
        return Err(Doubtful("is not an absolute path"));
    }
    if path.starts_with("//") {
        // A network path for some, the root for others (POSIX leaves it to them).
        return Err(Doubtful("begins with `//`"));
    }
    for c in path.chars() {
        match c {
            '\\' => return Err(Doubtful("holds a backslash")),
            '%' => return Err(Doubtful("holds `%`, which may be an escape")),
            c if c.is_control() => return Err(Doubtful("holds a control character")),
            c if !c.is_ascii() && becomes_syntax(c) => {
                return Err(Doubtful("holds a character that some systems read as `.`, `/` or `\\`"));
            }
            _ => {}
        }
    }
    if path.split('/').any(is_dots) {
        return Err(Doubtful("holds a `.` or `..` segment"));
    }
    Ok(path.split('/').filter(|segment| !segment.is_empty()))
}

/// `.` and `..`, also with parameters (`..;x`) or with white space, which some systems drop.
pub(super) fn is_dots(segment: &str) -> bool {
    if !segment.trim_start().starts_with('.') {
        return false;
    }
    let name = segment.split_once(';').map_or(segment, |(name, _)| name);
    matches!(name.trim(), "." | "..")
}

/// Whether NFKC turns the scalar into something with a `.`, `/` or `\`.
pub(super) fn becomes_syntax(c: char) -> bool {
    std::iter::once(c).nfkc().any(|c| matches!(c, '.' | '/' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_segment() {
        let below = Prefix::parse("/srv/data").unwrap();
        for (path, expected) in [
            ("/srv/data/x", Some(true)),
            ("/srv/data/x/y.txt", Some(true)),
            ("/srv/data//x", Some(true)),
            ("/srv//data/x/", Some(true)),
            ("/srv/data/..../x", Some(true)),
            ("/srv/data/.hidden", Some(true)),
            ("/srv/data/a b", Some(true)),
            ("/srv/data/é", Some(true)),
            ("/srv/data/a;b", Some(true)),
            ("/srv/data/..x", Some(true)),
            ("/srv/data", Some(false)),
            ("/srv/data/", Some(false)),
            ("/srv/data2/x", Some(false)),
            ("/srv/Data/x", Some(false)),
            ("/", Some(false)),
            ("/etc/passwd", Some(false)),
            ("srv/data/x", None),
            ("", None),
            ("~/x", None),
            ("C:\\x", None),
            ("file:///srv/data/x", None),
            ("//srv/data/x", None),
            ("/srv/data/./x", None),
            ("/srv/data/../x", None),
            ("/srv/data/..", None),
            ("/srv/data/..;/x", None),
            ("/srv/data/..;a=b/x", None),
            ("/srv/data/.. /x", None),
            ("/srv/data/%2e%2e/x", None),
            ("/srv/data/100%", None),
            ("/srv/data\\x", None),
            ("/srv/data/x\0", None),
            ("/srv/data/x\n", None),
            ("/srv/data/\u{85}x", None),
            ("/srv/data/\u{2025}/x", None),
            ("/srv/data/\u{ff0e}\u{ff0e}/x", None),
            ("/srv/data/\u{ff0f}x", None),
            ("/srv/data/\u{2024}", None),
            ("/srv/data/\u{ff3c}", None),
            ("/srv/data/\u{2488}", None),
        ] {
            assert_eq!(below.covers(path).ok(), expected, "{path:?}");
        }
    }

    #[test]
    fn prefixes() {
        let root = Prefix::parse("/").unwrap();
        assert_eq!(root.covers("/x"), Ok(true));
        assert_eq!(root.covers("/"), Ok(false));
        assert_eq!(Prefix::parse("/srv/data/"), Prefix::parse("/srv/data"));
        for text in ["", "srv", "/srv/../x", "C:\\x", "/a%20b"] {
            assert!(Prefix::parse(text).is_err(), "{text}");
        }
    }
}
