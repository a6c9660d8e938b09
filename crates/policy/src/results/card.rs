//! Numbers of payment cards: an issuer's beginning, one of its lengths, and a check digit that fits.

use std::ops::Range;

use super::find::follows_escape;

/// Beginnings of issuers, from and to, and the lengths of their numbers.
const ISSUERS: &[(&str, &str, &[usize])] = &[
    // Visa
    ("4", "4", &[13, 16, 19]),
    // Mastercard
    ("51", "55", &[16]),
    ("2221", "2720", &[16]),
    // American Express
    ("34", "34", &[15]),
    ("37", "37", &[15]),
    // Diners Club
    ("300", "305", &[14]),
    ("36", "36", &[14]),
    ("38", "39", &[14]),
    // Discover
    ("6011", "6011", &[16, 19]),
    ("644", "649", &[16, 19]),
    ("65", "65", &[16, 19]),
    // JCB
    ("3528", "3589", &[16, 17, 18, 19]),
    // UnionPay
    ("62", "62", &[16, 17, 18, 19]),
    // Maestro
    ("5018", "5018", &[13, 14, 15, 16, 17, 18, 19]),
    ("5020", "5020", &[13, 14, 15, 16, 17, 18, 19]),
    ("5038", "5038", &[13, 14, 15, 16, 17, 18, 19]),
    ("5893", "5893", &[13, 14, 15, 16, 17, 18, 19]),
    ("6304", "6304", &[13, 14, 15, 16, 17, 18, 19]),
    ("6759", "6759", &[13, 14, 15, 16, 17, 18, 19]),
    ("6761", "6763", &[13, 14, 15, 16, 17, 18, 19]),
    // Mir
    ("2200", "2204", &[16, 17, 18, 19]),
    // RuPay
    ("508", "508", &[16]),
    ("60", "60", &[16]),
    ("81", "82", &[16]),
    // Troy
    ("9792", "9792", &[16]),
];

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
/// Into how many groups a number is written at most.
const MOST_GROUPS: usize = 5;

/// Whether a text could have one: as many digits in a row, but for single spaces and hyphens.
pub(super) fn may_have(text: &[u8]) -> bool {
    let (mut digits, mut parted) = (0_usize, false);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                parted = false;
                if digits >= SHORTEST {
                    return true;
                }
            }
            b' ' | b'-' if digits > 0 && !parted => parted = true,
            _ => digits = 0,
        }
    }
    false
}

/// Every number of a card in a text.
pub(super) fn each(text: &str, mut found: impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at + start;
        let end = digits_end(bytes, start);
        let follows =
            groups.last().is_some_and(|last| last.end + 1 == start && matches!(bytes.get(last.end), Some(b' ' | b'-')));
        if !follows {
            chain(bytes, &groups, &mut found);
            groups.clear();
        }
        groups.push(start..end);
        at = end;
    }
    chain(bytes, &groups, &mut found);
}

/// Whether these digits are the number of a card.
pub(super) fn is_card(digits: &[u8]) -> bool {
    let known = |&(from, to, lengths): &(&str, &str, &[usize])| {
        let beginning = digits.get(..from.len()).unwrap_or_default();
        (from.as_bytes()..=to.as_bytes()).contains(&beginning) && lengths.contains(&digits.len())
    };
    (SHORTEST..=LONGEST).contains(&digits.len()) && ISSUERS.iter().any(known) && check_digit_fits(digits)
}

/// Luhn's sum: every second digit from the right counts double.
fn check_digit_fits(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(digit, doubled)| {
            let value = u32::from(digit.wrapping_sub(b'0'));
            if doubled { value * 2 / 10 + value * 2 % 10 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Looks for cards in groups that follow each other with one sign between them.
fn chain(bytes: &[u8], groups: &[Range<usize>], found: &mut impl FnMut(Range<usize>)) {
    let mut first = 0;
    while let Some(rest) = groups.get(first..).filter(|rest| !rest.is_empty()) {
        let longest = (1..=rest.len().min(MOST_GROUPS)).rev().find_map(|count| {
            let taken = rest.get(..count)?;
            let (start, end) = (taken.first()?.start, taken.last()?.end);
            // Nothing is allocated for what is no card: a text may be rows of numbers throughout.
            let mut sizes = [0; MOST_GROUPS];
            sizes.iter_mut().zip(taken).for_each(|(size, group)| *size = group.len());
            (is_grouped(sizes.get(..count)?) && stands_alone(bytes, start, end)).then_some(())?;
            let mut digits = [0; LONGEST];
            let mut written = 0;
            for digit in bytes.get(start..end)?.iter().filter(|byte| byte.is_ascii_digit()) {
                *digits.get_mut(written)? = *digit;
                written += 1;
            }
            is_card(digits.get(..written)?).then_some((count, start..end))
        });
        match longest {
            Some((count, range)) => {
                found(range);
                first += count;
            }
            None => first += 1,
        }
    }
}

/// How people and programs write the number of a card: in one piece, in fours, or as 4-6-5 and the like. Other rows of
/// numbers are no card.
fn is_grouped(sizes: &[usize]) -> bool {
    match sizes {
        [one] => (SHORTEST..=LONGEST).contains(one),
        [4, 6, 4 | 5] | [6, 13] => true,
        [fours @ .., last] => fours.len() >= 3 && fours.iter().all(|size| *size == 4) && (1..=4).contains(last),
        [] => false,
    }
}

/// Neither part of a word nor of a number with a fraction.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = |on: usize| bytes.get(end + on).copied().unwrap_or(b' ');
    let glued = (before(1).is_ascii_alphabetic() && !follows_escape(bytes, start)) || after(0).is_ascii_alphanumeric();
    let fraction = (before(1) == b'.' && before(2).is_ascii_digit()) || (after(0) == b'.' && after(1).is_ascii_digit());
    !glued && !fraction
}

fn digits_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}
