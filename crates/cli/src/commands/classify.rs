//! `toolgate classify`: what tools can do, told from their definitions.

use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

use policy::Class;
use risk::{Assessment, Definition, assess};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Trying};
use crate::output::{done, tell};

/// What is read of a line. The name stays in the answer, as everything does that is not read.
const READ: [&str; 5] = ["title", "description", "input_schema", "inputSchema", "annotations"];

/// Reads definitions from standard input, a JSON object a line, and writes a line for each.
pub fn classify() -> Result<ExitCode, Failure> {
    let input = io::stdin().lock();
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut unreadable = 0_usize;
    for (number, line) in (1_usize..).zip(input.split(b'\n')) {
        let line = line.trying("standard input")?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(Value::Object(tool)) => answer(tool),
            Ok(_) => Err("is no JSON object".to_owned()),
            Err(error) => Err(format!("is not JSON: {error}")),
        };
        let answer = answer.unwrap_or_else(|why| {
            unreadable += 1;
            tell!("toolgate: line {number} {why}");
            json!({ "line": number, "error": format!("the line {why}") })
        });
        match serde_json::to_writer(&mut output, &answer)
            .map_err(io::Error::from)
            .and_then(|()| output.write_all(b"\n"))
        {
            Ok(()) => {}
            // Whoever reads has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(Failure::Usage(format!("standard output: {error}"))),
        }
    }
    done(output.flush())?;
    match unreadable {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::No(format!(
            "{} could not be read; a definition is a JSON object with `name`, on one line",
            super::counted(unreadable, "line")
        ))),
    }
}

/// The line as it came, less what was read, and what was found.
fn answer(tool: Map<String, Value>) -> Result<Value, String> {
    if !tool.get("name").is_some_and(Value::is_string) {
        return Err("has no `name`".to_owned());
    }
    let whole = Value::Object(tool);
    let found = assess(&Definition::of(&whole));
    let Value::Object(mut tool) = whole else { return Ok(whole) };
    READ.iter().for_each(|key| drop(tool.shift_remove(*key)));
    tool.extend(described(&found));
    Ok(Value::Object(tool))
}

/// What was found, as JSON.
fn described(found: &Assessment) -> Map<String, Value> {
    let evidence: Vec<Value> = found
        .evidence
        .iter()
        .map(|one| json!({ "where": one.place.path(), "text": one.text, "weight": one.weight.map(hundredths) }))
        .collect();
    let facets: Vec<&str> = found.facets.iter().map(|facet| facet.as_str()).collect();
    let fields = json!({
        "category": category(found.class),
        "severity": found.severity.as_str(),
        "severity_fine": found.severity_fine.as_str(),
        "facets": facets,
        "confidence": hundredths(found.confidence),
        "evidence": evidence,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The class as people write it: `Read`.
fn category(class: Class) -> &'static str {
    match class {
        Class::Read => "Read",
        Class::Write => "Write",
        Class::Execute => "Execute",
        Class::Destructive => "Destructive",
        Class::Financial => "Financial",
        Class::Unclassified => "Unclassified",
    }
}

/// To two places, so that the last bits of a sum are not shown.
fn hundredths(number: f32) -> f64 {
    (f64::from(number) * 100.0).round() / 100.0
}
