use proptest::prelude::*;

use super::*;

fn matches(pattern: &str, name: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(name)
}

#[test]
fn globs() {
    for (pattern, name, expected) in [
        ("read_file", "read_file", true),
        ("read_file", "read_files", false),
        ("read_file", "Read_File", false),
        ("read_*", "read_", true),
        ("read_*", "read_file", true),
        ("read_*", "xread_file", false),
        ("*", "", true),
        ("*", "anything", true),
        ("*_file", "read_file", true),
        ("*_file", "read_file2", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("a**c", "ac", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aéc", true),
        ("a?c", "a💥c", true),
        ("??", "e\u{301}", true),
        ("é", "e\u{301}", false),
        ("*?", "", false),
        ("*?", "x", true),
        ("?*?", "xy", true),
        ("notion__*", "notion__create", true),
        ("*__delete_*", "a__b__delete_x", true),
        ("[a]", "a", false),
        ("a.c", "abc", false),
        ("a\\*", "a*", false),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn what_is_no_pattern() {
    for text in ["", "a\nb", "a\0", "\u{7f}", "\u{85}"] {
        assert!(Pattern::parse(text).is_err(), "{text:?}");
    }
    assert!(Pattern::parse(&"a".repeat(2048)).is_ok());
    assert!(Pattern::parse(&"a".repeat(2049)).is_err());
}

#[test]
fn the_more_specific_comes_first() {
    let sorted = ["read_file", "read", "read_*_file", "read_f*", "read_??", "a?", "r*", "?", "*", "**"];
    let patterns: Vec<Pattern> = sorted.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    let mut shuffled: Vec<&Pattern> = patterns.iter().rev().collect();
    shuffled.sort_by_key(|pattern| pattern.specificity());
    let shuffled: Vec<&str> = shuffled.iter().map(|pattern| pattern.as_str()).collect();
    assert_eq!(shuffled, sorted);
}

#[test]
fn literal_characters() {
    for (text, literals, exact) in
        [("abc", 3, true), ("a*", 1, false), ("*", 0, false), ("?*", 0, false), ("é?", 1, false)]
    {
        let pattern = Pattern::parse(text).unwrap();
        assert_eq!((pattern.literal_chars(), pattern.is_exact()), (literals, exact), "{text}");
    }
}

#[test]
fn stars_do_not_multiply() {
    let pattern = "*a".repeat(100) + "b";
    assert!(!matches(&pattern, &"a".repeat(1024)));
}

/// Tries every split.
fn naive(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|taken| naive(rest, &name[taken..])),
        Some((wanted, rest)) => {
            name.split_first().is_some_and(|(found, after)| (*wanted == '?' || wanted == found) && naive(rest, after))
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_naive_matcher(pattern in "[ab*?é]{1,8}", name in "[abé]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches(&pattern, &name), naive(&chars(&pattern), &chars(&name)));
    }
}
