//! What a judgement costs: `cargo run --release -p risk --example assess_cost < tools.ndjson`.
//!
//! Reads definitions, a JSON object a line, parses them, and judges all of them again and again on
//! one core.

use std::io::BufRead;
use std::time::Instant;

use risk::{Definition, assess};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = Vec::new();
    for line in std::io::stdin().lock().lines() {
        lines.push(serde_json::from_str::<Value>(&line?)?);
    }
    let definitions: Vec<Definition<'_>> = lines.iter().map(Definition::of).collect();
    let mut best = f64::MAX;
    for _ in 0..25 {
        let begin = Instant::now();
        let pieces: usize = definitions.iter().map(|definition| assess(definition).evidence.len()).sum();
        let took = begin.elapsed().as_secs_f64();
        best = best.min(took);
        eprintln!("{} definitions, {pieces} pieces of evidence, {took:.3} s", definitions.len());
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let rate = definitions.len() as f64 / best;
    println!("{rate:.0} definitions a second");
    Ok(())
}
