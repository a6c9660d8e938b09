//! SQL in pieces, where every dialect cuts it in the same.

use crate::text::Doubtful;

/// A piece of SQL, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A word or name.
    Word(&'t str),
    /// A quoted name, or what some dialects take for one: the text between the quotes.
    Quoted(&'t str),
    /// A string.
    Text,
    Number,
    Sign(char),
}

const OPEN: Doubtful = Doubtful("holds a string, name or comment that does not end");
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// Cuts a text, which is in lower case, into pieces; comments are left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Doubtful> {
    let mut next = text.chars().skip(1);
    for c in text.chars() {
        let next = next.next();
        match c {
            '\\' => return Err(Doubtful("holds `\\`, which only some systems take as an escape")),
            '\n' | '\t' => {}
            '\r' if next == Some('\n') => {}
            c if c.is_control() => return Err(Doubtful("holds a control character")),
            '\u{2028}' | '\u{2029}' => {
                return Err(Doubtful("holds a sign that only some systems take as the end of a line"));
            }
            '\u{2b9}' | '\u{2bc}' | '\u{2c8}' | '\u{2032}' | '\u{ff07}' | '\u{ff02}' => {
                return Err(Doubtful("holds a sign that some systems turn into a quotation mark"));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    let mut rest = after_blanks(text)?;
    while let Some(first) = rest.chars().next() {
        let (token, after) = one(first, rest)?;
        found.push(token);
        rest = after_blanks(after)?;
    }
    Ok(found)
}

/// What follows white space and comments.
fn after_blanks(mut rest: &str) -> Result<&str, Doubtful> {
    loop {
        rest = rest.trim_start_matches(BLANK);
        if let Some(comment) = rest.strip_prefix("--") {
            if !comment.is_empty() && !comment.starts_with(BLANK) {
                return Err(Doubtful("holds `--` without a space after it, which not every system takes as a comment"));
            }
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            if comment.starts_with(['!', '+']) || comment.starts_with("m!") {
                return Err(Doubtful("holds a comment that some systems run or obey"));
            }
            let (inside, after) = comment.split_once("*/").ok_or(OPEN)?;
            if inside.contains("/*") || inside.starts_with('/') || inside.ends_with('/') {
                return Err(Doubtful("holds a comment in a comment, which ends earlier for some systems"));
            }
            rest = after;
        } else if rest.starts_with("//") {
            return Err(Doubtful("holds `//`, which some systems take as a comment"));
        } else {
            return Ok(rest);
        }
    }
}

/// The first piece, and what follows it.
fn one(first: char, rest: &str) -> Result<(Token<'_>, &str), Doubtful> {
    match first {
        '\'' => enclosed(rest, '\'').map(|(_, after)| (Token::Text, after)),
        '"' => enclosed(rest, '"').map(|(inside, after)| (Token::Quoted(inside), after)),
        '`' => {
            let (inside, after) = enclosed(rest, '`')?;
            if inside.contains([';', '(', '\'', '"']) || inside.contains("--") || inside.contains("/*") {
                return Err(Doubtful(
                    "holds more than a name between backticks, which not every system takes as quotes",
                ));
            }
            Ok((Token::Quoted(inside), after))
        }
        '[' => bracket(rest),
        '#' => Err(Doubtful("holds `#`, which some systems take as a comment")),
        '$' => match number(rest.strip_prefix('$').unwrap_or_default()) {
            Some(after) if !after.starts_with('$') => Ok((Token::Number, after)),
            _ => Err(Doubtful("holds `$`, which begins a string for some systems")),
        },
        '0'..='9' => number(rest)
            .map(|after| (Token::Number, after))
            .ok_or(Doubtful("holds a number that runs into a word, which systems part differently")),
        'a'..='z' | '_' => word(rest),
        c if !c.is_ascii() => Err(Doubtful("holds a letter or sign outside of ASCII that is not in quotes")),
        c => Ok((Token::Sign(c), rest.strip_prefix(c).unwrap_or_default())),
    }
}

/// What stands in quotes, where a doubled quote is none.
fn enclosed(rest: &str, quote: char) -> Result<(&str, &str), Doubtful> {
    let inner = rest.strip_prefix(quote).unwrap_or_default();
    if inner.chars().take_while(|c| *c == quote).count() >= 2 {
        return Err(Doubtful("holds three quotation marks in a row, which begin a longer string for some systems"));
    }
    let mut ends = inner.match_indices(quote).map(|(at, _)| at).peekable();
    while let Some(at) = ends.next() {
        if ends.next_if_eq(&at.saturating_add(1)).is_none() {
            let (inside, after) = inner.split_at_checked(at).ok_or(OPEN)?;
            return Ok((inside, after.strip_prefix(quote).unwrap_or_default()));
        }
    }
    Err(OPEN)
}

/// A name in brackets, or an index or list: both readings must end at the same bracket.
fn bracket(rest: &str) -> Result<(Token<'_>, &str), Doubtful> {
    let inner = rest.strip_prefix('[').unwrap_or_default();
    let (inside, after) = inner.split_once(']').ok_or(OPEN)?;
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '.' | '-');
    if inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && inside.chars().all(name)
        && !inside.contains("--")
    {
        return Ok((Token::Quoted(inside), after));
    }
    let quotes = ['\'', '"', '`'].map(|quote| inside.matches(quote).count());
    let mixed = quotes.iter().filter(|count| **count > 0).count() > 1 || quotes.iter().any(|count| count % 2 == 1);
    if mixed || inside.contains(';') || inside.contains("--") || inside.contains("/*") {
        return Err(Doubtful("holds brackets that only some systems take as quotes"));
    }
    Ok((Token::Sign('['), inner))
}

/// What follows a number, which must not run into a word.
fn number(rest: &str) -> Option<&str> {
    let digits =
        |text: &str, radix: u32| -> bool { !text.is_empty() && text.chars().all(|c| c == '_' || c.is_digit(radix)) };
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (mut whole, mut after) = rest.split_at_checked(end)?;
    // `1e-5`: the sign is a part of it.
    if whole.ends_with('e') && !whole.starts_with("0x") && after.starts_with(['+', '-']) {
        let tail = after.get(1..)?;
        let end = tail.find(|c| !is_part(c)).unwrap_or(tail.len());
        let (power, left) = tail.split_at_checked(end)?;
        if !digits(power, 10) {
            return None;
        }
        (whole, after) = (whole.strip_suffix('e')?, left);
    }
    let fits = match whole.split_at_checked(2) {
        Some(("0x", hex)) => digits(hex, 16),
        _ => {
            let (base, power) = whole.split_once('e').map_or((whole, "0"), |(base, power)| (base, power));
            let (integer, fraction) = base.split_once('.').unwrap_or((base, "0"));
            digits(integer, 10) && (fraction.is_empty() || digits(fraction, 10)) && digits(power, 10)
        }
    };
    (fits && !after.starts_with(|c: char| !c.is_ascii())).then_some(after)
}

fn word(rest: &str) -> Result<(Token<'_>, &str), Doubtful> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '$')).unwrap_or(rest.len());
    let (word, after) = rest.split_at_checked(end).ok_or(OPEN)?;
    if word.matches('$').count() > 1 {
        return Err(Doubtful("holds `$`, which begins a string for some systems"));
    }
    if (matches!(word, "q" | "nq") && after.starts_with('\''))
        || (word == "u" && (after.starts_with("&'") || after.starts_with("&\"")))
    {
        return Err(Doubtful("holds quotes that end elsewhere, or hold escapes, for some systems"));
    }
    Ok((Token::Word(word), after))
}
