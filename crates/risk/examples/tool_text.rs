//! Prints what a page says of tools, for reading: `cargo run -p risk --example tool_text < definitions.ndjson`.
//!
//! Reads definitions, a JSON object a line, with the name of their server in `server`; tools of one server
//! are siblings. With names of tools as arguments, only those are printed.

use std::collections::BTreeMap;
use std::io::BufRead;

use risk::prose::{Server, ServerText, ToolText};
use risk::{Assessment, Definition, assess};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut servers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let definition: Value = serde_json::from_str(&line?)?;
        let server = definition.get("server").and_then(Value::as_str).unwrap_or("this server").to_owned();
        servers.entry(server).or_default().push(definition);
    }
    for (name, definitions) in &servers {
        let tools: Vec<(Definition<'_>, Assessment)> =
            definitions.iter().map(Definition::of).map(|tool| (tool, assess(&tool))).collect();
        let server = Server::new(name, &tools);
        let mut named = false;
        for (index, (definition, assessment)) in tools.iter().enumerate() {
            if !wanted.is_empty() && !wanted.iter().any(|one| one == definition.name) {
                continue;
            }
            if !std::mem::replace(&mut named, true) {
                let text = ServerText::of(name, &tools);
                println!("###### {}\n{}\n", text.name, text.verdict);
            }
            if let Some(text) = server.tool(index) {
                println!(
                    "=== {} ({}, {:?}): {}",
                    definition.name, assessment.class, assessment.facets, definition.description
                );
                print(&text);
            }
        }
    }
    Ok(())
}

fn print(text: &ToolText) {
    println!("LEAD  {}\nWHAT  {}\nWHY   {}", text.lead, text.what, text.why);
    for argument in &text.arguments {
        let must = if argument.required { "required" } else { "optional" };
        println!("  arg {} ({}, {must}) {}", argument.path, argument.takes, argument.note.as_deref().unwrap_or("-"));
    }
    for piece in &text.evidence {
        println!("  evidence “{}” {}: {}", piece.quote, piece.place, piece.counts);
    }
    for variant in &text.variants {
        println!("  {:?} {}\n      {} {:?}", variant.kind, variant.document, variant.note, variant.replace);
        for clause in &variant.clauses {
            println!("      {}: {}", clause.pointer, clause.why);
        }
    }
    for sample in &text.samples {
        println!("  call x{} {} -> {}: {}", sample.calls, sample.arguments, sample.verdict, sample.shows);
    }
    for seen in &text.agent_sees {
        println!("  agent [{}] {}", seen.when, seen.text);
    }
    for attack in &text.attacks {
        println!("  attack {}: {}", attack.id, attack.why);
    }
    for related in &text.related {
        println!("  related {} ({:?}): {}", related.name, related.relation, related.why);
    }
    for asked in &text.questions {
        println!("  Q {}\n    A {}", asked.question, asked.answer);
        if let Some(policy) = &asked.policy {
            println!("    {policy}");
        }
    }
    println!();
}
