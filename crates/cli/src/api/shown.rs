//! What an instance has answered, for people and for programs.

use jiff::Timestamp;
use serde_json::Value;

use crate::client_files::visible;
use crate::commands::scan::json::printed;
use crate::commands::scan::layout::{pad, width};
use crate::failure::{Failure, Trying};
use crate::output::{self, say};

/// A field that is a text; empty where it is null or not there.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A field that is a time in milliseconds since 1970, to the minute.
pub fn time(object: &Value, field: &str) -> Option<String> {
    let at = Timestamp::from_millisecond(object.get(field)?.as_i64()?).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%MZ").to_string())
}

/// The time, or a word where there is none.
pub fn time_or(object: &Value, field: &str, none: &str) -> String {
    time(object, field).unwrap_or_else(|| none.to_owned())
}

/// Prints a document.
///
/// # Errors
/// When it cannot be written.
pub fn document(value: &Value) -> Result<(), Failure> {
    say!("{}", printed(value).trying("JSON")?)
}

/// Prints rows below a head, in columns as wide as they need; or a sentence, where there is none.
///
/// # Errors
/// When it cannot be written.
pub fn table(head: &[&str], rows: &[Vec<String>], none: &str) -> Result<(), Failure> {
    if rows.is_empty() {
        return say!("{none}");
    }
    // What others have written may hold what a terminal obeys.
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    let widths: Vec<usize> = (0..)
        .zip(head)
        .map(|(at, name): (usize, _)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
            cells.chain([width(name)]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, columns)| pad(cell, *columns)).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let mut out = line(&mut head.iter().copied());
    for row in &rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    output::text(&out)
}

/// Prints a list: its entries as JSON, or a table of them.
///
/// # Errors
/// When it cannot be written.
pub fn list(
    items: Vec<Value>,
    json: bool,
    head: &[&str],
    row: impl Fn(&Value) -> Vec<String>,
    none: &str,
) -> Result<(), Failure> {
    if json {
        return document(&Value::Array(items));
    }
    table(head, &items.iter().map(row).collect::<Vec<_>>(), none)
}

/// Says that something was done: with what was answered as JSON, or in a sentence.
///
/// # Errors
/// When it cannot be written.
pub fn done(body: &Value, json: bool, sentence: &str) -> Result<(), Failure> {
    match json {
        true => document(body),
        false => say!("{sentence}"),
    }
}

/// Shows a token once and alone on standard output, so that it can be piped; what it is of is said beside.
///
/// # Errors
/// When it cannot be written: then whoever asked is told what to do.
pub fn token(body: &Value, json: bool, aside: &str) -> Result<(), Failure> {
    if json {
        return document(body);
    }
    output::tell!("{aside}");
    say!("{}", text(body, "token"))
}
