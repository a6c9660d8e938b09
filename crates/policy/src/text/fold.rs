//! Folding of letter case.
//!
//! `ignore_case` uses Unicode *simple* case folding (CaseFolding.txt, status C and S), one scalar to one scalar, the
//! same as `(?i)` in `regex`: `ſ` equals `s`, `K` (Kelvin) equals `k`, `ẞ` equals `ß`; `ß` does not equal `ss`.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Beyond this no scalar has a case: what follows are ideographs and what is unassigned or invisible.
const LAST: char = '\u{1ffff}';

/// Scalars beyond ASCII that fold to another one, in order.
static FOLDS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let changes = |c: &char| c.to_lowercase().next() != Some(*c) || c.to_uppercase().next() != Some(*c);
    ('\u{80}'..=LAST).filter(changes).filter_map(|c| representative(c).map(|to| (c, to))).collect()
});

/// The least scalar that folds like `c`, if that is another one.
fn representative(c: char) -> Option<char> {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    class.try_case_fold_simple().ok()?;
    class.ranges().first().map(ClassUnicodeRange::start).filter(|least| *least != c)
}

/// One scalar, folded: equal for exactly those that simple case folding makes equal.
#[must_use]
pub fn scalar(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let found = FOLDS.binary_search_by_key(&c, |(from, _)| *from).ok();
    found.and_then(|at| FOLDS.get(at)).map_or(c, |(_, to)| *to)
}

/// The text with every scalar folded. Borrowed where nothing changes.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| scalar(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(scalar).collect())
    }
}

/// Whether two texts are equal after folding.
#[must_use]
pub fn equal(one: &str, other: &str) -> bool {
    one.chars().map(scalar).eq(other.chars().map(scalar))
}

/// Whether `text` begins with `prefix` after folding.
#[must_use]
pub fn starts_with(text: &str, prefix: &str) -> bool {
    let mut scalars = text.chars();
    prefix.chars().all(|wanted| scalars.next().is_some_and(|found| scalar(found) == scalar(wanted)))
}

/// Whether `text` ends with `suffix` after folding.
#[must_use]
pub fn ends_with(text: &str, suffix: &str) -> bool {
    let mut scalars = text.chars().rev();
    suffix.chars().rev().all(|wanted| scalars.next().is_some_and(|found| scalar(found) == scalar(wanted)))
}

/// Whether `part` is somewhere in `whole` after folding. Linear in both.
#[must_use]
pub fn contains(whole: &str, part: &str) -> bool {
    text(whole).contains(text(part).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_like_regex() {
        for (one, other, equal_) in [
            ("ABC", "abc", true),
            ("\u{212a}", "k", true),
            ("ſ", "S", true),
            ("ς", "Σ", true),
            ("ẞ", "ß", true),
            ("ß", "ss", false),
            ("İ", "i", false),
            ("ı", "i", false),
            ("Ⓐ", "ⓐ", true),
            ("é", "É", true),
            ("é", "e", false),
            ("ꭰ", "Ꭰ", true),
        ] {
            assert_eq!(equal(one, other), equal_, "{one} {other}");
            let regex = regex::Regex::new(&format!("(?i)^{one}$")).unwrap();
            assert_eq!(regex.is_match(other), equal_, "{one} {other} by regex");
        }
    }

    #[test]
    fn the_table_misses_no_scalar() {
        for c in '\u{80}'..=LAST {
            assert_eq!(scalar(c), representative(c).unwrap_or(c), "{c:?}");
        }
        assert!((LAST..=char::MAX).all(|c| c.to_lowercase().eq([c]) && c.to_uppercase().eq([c])));
        for c in '\0'..'\u{80}' {
            assert_eq!(scalar(c), representative(c).unwrap_or(c), "{c:?}");
        }
    }

    #[test]
    fn ends() {
        assert!(starts_with("Straße", "STRA"));
        assert!(!starts_with("St", "STRA"));
        assert!(ends_with("report.PDF", ".pdf"));
        assert!(!ends_with("f", ".pdf"));
        assert!(contains("a Kelvin \u{212a}", "N k"));
        assert!(contains("x", ""));
    }
}
