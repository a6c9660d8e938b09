//! How long a result takes that is looked through for secrets.
//!
//! `cargo run --release -p policy --example redact_bench`.

use std::hint::black_box;
use std::time::Instant;

use policy::results::Part;
use policy::{Load, load};

const TIMES: u32 = 2_000;

fn main() -> Result<(), String> {
    let text = r#"{ "version": "1", "default": "deny", "results": { "strip_invisible": true,
        "redact": ["cloud_keys", "tokens", "private_keys", "card_numbers"] } }"#;
    let policy = load(text, Load::default()).policy.ok_or("the policy does not load")?;
    let results = policy.results().ok_or("the policy says nothing of results")?;
    let line = "The quick brown fox jumps over the lazy dog, 42 times on 2026-01-05. ";
    let key = ["AKIA", "IOSFODNN7EXAMPLE"].concat();
    for (what, text) in [
        ("plain result of 10 KiB", line.repeat(150)),
        ("result of 10 KiB in other letters", line.replace('u', "ü").repeat(150)),
        ("result of 10 KiB with a secret", format!("{} {key}", line.repeat(150))),
    ] {
        let content = serde_json::json!([{ "type": "text", "text": text }]);
        let raw = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": content } }).to_string();
        let begun = Instant::now();
        for _ in 0..TIMES {
            black_box(results.clean(black_box(&raw), Part::Result, &|| true).map_err(|error| error.to_string())?);
        }
        let ns = begun.elapsed().as_nanos() / u128::from(TIMES);
        println!("{what}: {ns} ns");
    }
    Ok(())
}
