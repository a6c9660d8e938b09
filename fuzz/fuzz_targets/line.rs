//! Lines do not depend on how the bytes arrive.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp::line::Lines;

const LIMIT: usize = 20;

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (size, bytes) = (usize::from(input.0).max(1), input.1);
    let whole = read(&bytes, bytes.len().max(1));
    assert_eq!(read(&bytes, size), whole);
    assert_eq!(read(&bytes, 1), whole);
    for line in &whole.0 {
        assert!(line.len() <= LIMIT && !line.contains(&b'\n') && !line.trim_ascii().is_empty());
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let lines: Vec<Vec<u8>> = lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| line.len() <= LIMIT && !line.trim_ascii().is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(whole.0, lines);
});

fn read(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Option<Vec<u8>>, u64) {
    let mut lines = Lines::new(LIMIT);
    let mut found = Vec::new();
    for chunk in bytes.chunks(size) {
        lines.push(chunk);
        while let Some(line) = lines.next_line() {
            found.push(line.to_vec());
        }
    }
    let rest = lines.rest().map(<[u8]>::to_vec);
    (found, rest, lines.skipped())
}
