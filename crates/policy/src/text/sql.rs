//! Whether SQL only reads, by its text alone and in no dialect in particular.
//!
//! One statement that begins with a reading word, without a word that writes, runs or locks and without a function known to
//! do so. What dialects take apart differently is doubtful. What a view or a function of the database's owner does is not seen.

mod token;
mod words;

use self::token::{Token, tokens};
use self::words::{BEFORE_OPERANDS, FUNCTIONS, PACKAGES, PREFIXES, READS, SCHEMAS, SOMETIMES, WRITES};
use super::Doubtful;

/// Whether the text is one statement that only reads.
///
/// # Errors
/// When database systems would take the text apart differently.
pub fn reads(text: &str) -> Result<bool, Doubtful> {
    let text = text.to_ascii_lowercase();
    let mut all = tokens(&text)?;
    if all.last() == Some(&Token::Sign(';')) {
        all.pop();
    }
    let begin = all.iter().position(|token| *token != Token::Sign('(')).unwrap_or_default();
    let Some(statement) = all.get(begin..).filter(|rest| begins(rest)) else { return Ok(false) };
    for (index, token) in statement.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| statement.get(index)).copied();
        let rest = statement.get(index.saturating_add(1)..).unwrap_or_default();
        let harmful = match *token {
            Token::Sign(';') => true,
            Token::Word(word) => (writes(word, before, rest) && !spared(statement, index, word)) || calls(word, rest),
            Token::Quoted(name) => calls(name.trim(), rest),
            _ => false,
        };
        if harmful {
            return Ok(false);
        }
    }
    if names_a_file(statement) {
        return Err(Doubtful("reads from a string or path, which some systems take as a file or program"));
    }
    Ok(true)
}

/// Whether a statement begins with a word that reads; of EXPLAIN, whether one stands in it.
fn begins(statement: &[Token<'_>]) -> bool {
    let reading = |token: &Token<'_>| matches!(token, Token::Word(word) if READS.contains(word));
    match statement {
        [Token::Word("explain"), rest @ ..] => rest.iter().any(reading),
        [first, ..] => reading(first),
        [] => false,
    }
}

/// Whether a word is one that writes where it stands.
fn writes(word: &str, before: Option<Token<'_>>, rest: &[Token<'_>]) -> bool {
    match (word, before, rest) {
        // A column's name, or a variable's; but every use of a sequence's moves it.
        (_, Some(Token::Sign('.' | '@')), _) => word == "nextval",
        ("share", Some(Token::Word("for" | "key")), _) | ("next", _, [Token::Word("value"), ..]) => true,
        ("replace" | "truncate", _, [Token::Sign('('), ..]) => false,
        _ if WRITES.contains(&word) => true,
        // Common names of columns: they begin statements where no operand is awaited.
        _ => SOMETIMES.contains(&word) && before.is_some_and(|before| !awaits_operand(before)),
    }
}

/// A word that writes elsewhere: SHOW CREATE TABLE, EXPLAIN ANALYZE.
fn spared(statement: &[Token<'_>], index: usize, word: &str) -> bool {
    match (statement.first(), word) {
        (Some(Token::Word("show")), "create") => index == 1,
        (Some(Token::Word("explain" | "describe" | "desc")), "analyze" | "analyse") => true,
        _ => false,
    }
}

/// Whether what follows is a part of an expression, so that no statement begins there.
fn awaits_operand(before: Token<'_>) -> bool {
    match before {
        Token::Sign(sign) => !matches!(sign, ')' | ']' | '}' | '*' | '?'),
        Token::Word(word) => BEFORE_OPERANDS.contains(&word),
        _ => false,
    }
}

/// Whether a name, or the package or schema that it is, leads to a function that does more than read.
fn calls(name: &str, rest: &[Token<'_>]) -> bool {
    match rest {
        [Token::Sign('('), ..] => FUNCTIONS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
        [Token::Sign('.'), rest @ ..] => {
            PACKAGES.iter().any(|package| name.starts_with(package))
                || (SCHEMAS.contains(&name) && matches!(rest, [_, Token::Sign('('), ..]))
        }
        _ => false,
    }
}

/// Whether a string stands where a table does, or a name there is a path: `FROM '/etc/x.csv'`, `USING 'sh'`.
fn names_a_file(statement: &[Token<'_>]) -> bool {
    // For each open bracket, whether tables are listed there.
    let mut lists = vec![false];
    let mut before = Token::Number;
    let mut earlier = Token::Number;
    for token in statement {
        let listed = lists.last().copied().unwrap_or_default();
        let place = match before {
            Token::Word("from") => earlier != Token::Word("distinct"),
            Token::Word("join" | "using" | "table" | "describe" | "desc") => true,
            Token::Sign(',') => listed,
            _ => false,
        };
        match token {
            Token::Text if place => return true,
            Token::Quoted(name) if place && (name.contains(['/', ':']) || words::is_file(name)) => return true,
            Token::Sign('@' | '[') if place => return true,
            Token::Sign('(') => lists.push(false),
            Token::Sign(')') => {
                lists.pop();
            }
            Token::Word(word) => {
                if let Some(last) = lists.last_mut() {
                    *last = match *word {
                        "from" | "join" => true,
                        "where" | "group" | "order" | "having" | "limit" | "union" | "select" | "window" => false,
                        _ => *last,
                    };
                }
            }
            _ => {}
        }
        (earlier, before) = (before, *token);
    }
    false
}

#[cfg(test)]
mod tests;
