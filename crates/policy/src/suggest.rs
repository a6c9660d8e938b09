//! Did you mean …?

/// The candidate that `written` most likely stands for: few edits away in proportion to its length,
/// regardless of case and of `-`, `_` and space. The first of equally near ones.
#[must_use]
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = fold(written);
    let length = plain.chars().count();
    let allowed = match length {
        0 => return None,
        1..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let folded = fold(candidate);
        if folded.chars().count().abs_diff(length) > allowed {
            continue;
        }
        let distance = distance(&plain, &folded);
        // An edit must leave something of the word.
        if distance > allowed || distance >= length.max(folded.chars().count()) {
            continue;
        }
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn fold(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Edits between two words, where swapping two neighbours counts as one.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, x) in a.chars().enumerate() {
        let mut current = Vec::with_capacity(last.len());
        current.push(row.saturating_add(1));
        for (column, &y) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let insert = at(&current, column).saturating_add(1);
            let delete = at(&last, column.saturating_add(1)).saturating_add(1);
            let replace = at(&last, column).saturating_add(usize::from(x != y));
            let mut least = insert.min(delete).min(replace);
            if let Some(left) = column.checked_sub(1)
                && previous_a == Some(y)
                && b.get(left) == Some(&x)
            {
                least = least.min(at(&before_last, left).saturating_add(1));
            }
            current.push(least);
        }
        previous_a = Some(x);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let fields = ["limits", "rate_limit", "require", "deny_if", "action", "reason"];
        for (written, expected) in [
            ("limit", Some("limits")),
            ("ratelimit", Some("rate_limit")),
            ("Rate-Limit", Some("rate_limit")),
            ("reqiure", Some("require")),
            ("denyif", Some("deny_if")),
            ("acton", Some("action")),
            ("x", None),
            ("", None),
            ("completely_different", None),
        ] {
            assert_eq!(nearest(written, fields), expected, "{written}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
