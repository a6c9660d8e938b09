//! What reading a message costs: `cargo run --release -p mcp --example parse_cost`.

use std::hint::black_box;
use std::time::Instant;

use mcp::message::{parse_client, parse_upstream};
use mcp::{json, result};

const LEGACY: &str = r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"read_text_file","arguments":{"path":"/home/user/projects/example/src/main.rs","head":120,"encoding":"utf-8"},"_meta":{"progressToken":"3f1b2c9a-77aa-4a0e-9b3e-0d5d7c1e2f30"}}}"#;

const MODERN: &str = r#"{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"read_text_file","arguments":{"path":"/home/user/projects/example/src/main.rs","head":120},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{}},"io.modelcontextprotocol/clientInfo":{"name":"agent","version":"1.0.0"}}}}"#;

fn main() {
    let tool = r#"{"name":"tool","description":"What the tool does, in a sentence or two that a model reads.","inputSchema":{"type":"object","properties":{"path":{"type":"string","description":"Where"},"limit":{"type":"integer","minimum":1}},"required":["path"]},"annotations":{"readOnlyHint":true}}"#;
    let tools = format!(r#"{{"tools":[{}]}}"#, vec![tool; 200].join(","));
    let answer = format!(r#"{{"jsonrpc":"2.0","id":42,"result":{tools}}}"#);
    println!("a call, legacy, {} bytes", LEGACY.len());
    measure("parse_client", LEGACY.len(), || parse_client(LEGACY.as_bytes()).is_ok());
    measure("check", LEGACY.len(), || json::check(LEGACY.as_bytes()).is_ok());
    measure("tree", LEGACY.len(), || json::parse(LEGACY).is_ok());
    measure("serde_json::Value", LEGACY.len(), || serde_json::from_str::<serde_json::Value>(LEGACY).is_ok());
    println!("a call, 2026-07-28, {} bytes", MODERN.len());
    measure("parse_client", MODERN.len(), || parse_client(MODERN.as_bytes()).is_ok());
    println!("a list of 200 tools, {} bytes", answer.len());
    measure("parse_upstream", answer.len(), || parse_upstream(answer.as_bytes()).is_ok());
    measure("tools", tools.len(), || result::tools(&tools).is_ok());
    measure("strip_meta", answer.len(), || result::strip_meta(&answer, "toolgate/").is_ok());
}

/// Prints the best of several rounds, which other work on the machine disturbs least.
fn measure(what: &str, bytes: usize, mut run: impl FnMut() -> bool) {
    let rounds = (50_000_000 / (bytes + 200)).max(10);
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..rounds {
            assert!(black_box(run()));
        }
        best = best.min(start.elapsed().as_nanos() as f64 / rounds as f64);
    }
    println!("  {what:18} {best:10.0} ns  {:6.2} ns/byte", best / bytes as f64);
}
